"""Erasures, written beside what was erased: a database that comes back from a backup learns of them here (ADR 063).

A tombstone's key begins with its time, so S3 itself lists them in order. They name ids alone and are never erased here. What else
a restore must not undo (ends of purposes, withdrawals, holds) lies beside them as `Stone`s, and goes when no backup is as old.

Each bears a MAC by the house's own key, over its key here too: who can write to the bucket writes none that counts (ADR 079).
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from softphone.domain.heads import Head
from softphone.team.objects.bucket import Bucket, digest

_FOLDER, _STONES, _HEADS = "tombstones/", "stones/", "heads/"
_TIME = "%Y%m%dT%H%M%S.%fZ"
_MARGIN = timedelta(minutes=10)
"""by which two instances' clocks may differ"""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """`what` came to its end at `at`: of a recording, `id` is its id, `object` its key here, and `why` a word of the log's."""

    at: datetime
    what: str
    id: str
    object: str = ""
    why: str = ""

    @property
    def key(self) -> str:
        return f"{_FOLDER}{_time(self.at)}-{self.what}-{digest(self.id.encode()).hex()[:32]}"


@dataclass(frozen=True, slots=True)
class Stone:
    """A row as it became at `at`: `what` names its table, `id` its key there, `told` is the row."""

    what: str
    id: str
    at: datetime
    told: dict[str, Any]

    @property
    def key(self) -> str:
        return f"{_STONES}{_time(self.at)}-{self.what}-{digest(self.id.encode()).hex()[:32]}"


@dataclass(frozen=True, slots=True)
class Stones:
    """What lies beside the recordings. `mac_key`: the house's (`stone_key`). What bears no MAC by it is left out, and `forged`
    has its key: whoever reads says so."""

    bucket: Bucket
    mac_key: bytes = field(repr=False)
    forged: set[str] = field(default_factory=set[str])

    async def write(self, stone: Tombstone | Stone) -> None:
        """Written again, it is the same."""
        told = json.dumps(asdict(stone) | {"at": stone.at.astimezone(UTC).isoformat()}, sort_keys=True)
        whole = {"told": told, "mac": base64.b64encode(self._mac(stone.key, told)).decode("ascii")}
        data = json.dumps(whole, separators=(",", ":")).encode("ascii")
        await self.bucket.put(stone.key, data, digest(data))

    async def tombstones(self, since: datetime | None) -> AsyncIterator[Tombstone]:
        """The oldest first; some from shortly before `since` too. None: all."""
        async for key in _listed(self.bucket, _FOLDER, since):
            if isinstance(found := await self.read(key), Tombstone):
                yield found

    async def stones(self, since: datetime | None) -> AsyncIterator[Stone]:
        """As above."""
        async for key in _listed(self.bucket, _STONES, since):
            if isinstance(found := await self.read(key), Stone):
                yield found

    async def keys(self, since: datetime | None) -> AsyncIterator[tuple[str, datetime, str]]:
        """Of both: the key, the time in it, and what follows that."""
        for folder in (_FOLDER, _STONES):
            async for key in _listed(self.bucket, folder, since):
                time, _, tail = key.removeprefix(folder).partition("-")
                try:
                    yield key, datetime.strptime(time, _TIME).replace(tzinfo=UTC), tail
                except ValueError:
                    self.forged.add(key)

    async def read(self, key: str) -> Tombstone | Stone | None:
        """What was written here. If somebody has written over it, an older version of it counts."""
        found = await self._version(key, "")
        if found is None:
            self.forged.add(key)
            for version in await self.bucket.versions(key):
                found = found or await self._version(key, version)
        return found

    async def _version(self, key: str, version: str) -> Tombstone | Stone | None:
        data = b"".join([block async for block in self.bucket.read(key, version)])
        try:
            whole = json.loads(data)
            if not hmac.compare_digest(base64.b64decode(whole["mac"]), self._mac(key, whole["told"])):
                return None
            told = json.loads(whole["told"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        told["at"] = datetime.fromisoformat(told["at"])
        return Tombstone(**told) if key.startswith(_FOLDER) else Stone(**told)

    def _mac(self, key: str, told: str) -> bytes:
        return hmac.digest(self.mac_key, f"{key}\n{told}".encode(), "sha256")


async def forget_stones(bucket: Bucket, before: datetime, most: int) -> int:
    """The oldest go first. How many."""
    told = await bucket.client.call("list_objects_v2", Prefix=_STONES, MaxKeys=most)
    old = [str(one["Key"]) for one in cast("list[dict[str, Any]]", told.get("Contents", []))]
    old = [key for key in old if key < f"{_STONES}{_time(before)}"]
    for key in old:
        await bucket.erase(key)
    return len(old)


async def put_head(bucket: Bucket, head: Head) -> None:
    """Written again, it is the same."""
    data = json.dumps(head.told(), sort_keys=True, separators=(",", ":")).encode("ascii")
    await bucket.put(head_key(head.serial), data, digest(data))


async def head_at(bucket: Bucket, serial: int) -> Head | None:
    """Whoever asks checks its signature. None: nothing lies there that is one."""
    key = head_key(serial)
    if await bucket.newest(key) is None:
        return None
    data = b"".join([block async for block in bucket.read(key, "")])
    try:
        head = Head.of(json.loads(data))
    except ValueError:
        return None
    return head if head.serial == serial else None


def head_key(serial: int) -> str:
    """Where it lies."""
    return f"{_HEADS}{serial:012}"


async def _listed(bucket: Bucket, folder: str, since: datetime | None) -> AsyncIterator[str]:
    given: dict[str, Any] = {"StartAfter": f"{folder}{_time(since - _MARGIN)}" if since is not None else folder}
    while True:
        told = await bucket.client.call("list_objects_v2", Prefix=folder, **given)
        for one in cast("list[dict[str, Any]]", told.get("Contents", [])):
            yield str(one["Key"])
        if not told.get("IsTruncated"):
            return
        given = {"ContinuationToken": told["NextContinuationToken"]}


def _time(at: datetime) -> str:
    """To the microsecond, all of one length: text in its order."""
    return at.astimezone(UTC).strftime(_TIME)
