"""Erasures, written beside what was erased: a database that comes back from a backup learns of them here (ADR 063).

A tombstone's key begins with its time, so S3 itself lists them in order. They name ids alone and are never erased here. What else
a restore must not undo (ends of purposes, withdrawals, holds) lies beside them as `Stone`s, and goes when no backup is as old.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from softphone.domain.errors import TeamError
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


async def bury(bucket: Bucket, stone: Tombstone) -> None:
    """Written again, it is the same."""
    told = asdict(stone) | {"at": stone.at.astimezone(UTC).isoformat()}
    data = json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")
    await bucket.put(stone.key, data, digest(data))


async def buried_since(bucket: Bucket, since: datetime | None) -> AsyncIterator[Tombstone]:
    """The oldest first; some from shortly before `since` too. None: all. Raises `tombstone_unreadable`: nobody is served
    before a person has looked."""
    async for key in _listed(bucket, _FOLDER, since):
        yield await _read(bucket, key)


async def lay(bucket: Bucket, stone: Stone) -> None:
    """Written again, it is the same."""
    told = asdict(stone) | {"at": stone.at.astimezone(UTC).isoformat()}
    data = json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")
    await bucket.put(stone.key, data, digest(data))


async def laid_since(bucket: Bucket, since: datetime | None) -> AsyncIterator[Stone]:
    """As `buried_since`."""
    async for key in _listed(bucket, _STONES, since):
        data = b"".join([block async for block in bucket.read(key, "")])
        try:
            told = json.loads(data)
            stone = Stone(str(told["what"]), str(told["id"]), datetime.fromisoformat(told["at"]), dict(told["told"]))
            genuine = stone.key == key
        except (ValueError, KeyError, TypeError):
            raise TeamError("error.team.tombstone_unreadable", key=key) from None
        if not genuine:
            raise TeamError("error.team.tombstone_unreadable", key=key)
        yield stone


async def keys_since(bucket: Bucket, since: datetime | None) -> AsyncIterator[tuple[str, datetime, str]]:
    """Of tombstones and stones: the key, the time in it, and what follows that."""
    for folder in (_FOLDER, _STONES):
        async for key in _listed(bucket, folder, since):
            time, _, tail = key.removeprefix(folder).partition("-")
            try:
                yield key, datetime.strptime(time, _TIME).replace(tzinfo=UTC), tail
            except ValueError:
                raise TeamError("error.team.tombstone_unreadable", key=key) from None


async def buried_at(bucket: Bucket, key: str) -> Tombstone | None:
    """None: that is the key of something else."""
    return await _read(bucket, key) if key.startswith(_FOLDER) else None


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
    await bucket.put(_head_key(head.serial), data, digest(data))


async def head_at(bucket: Bucket, serial: int) -> Head | None:
    """Raises `tombstone_unreadable`, as above."""
    key = _head_key(serial)
    if await bucket.newest(key) is None:
        return None
    data = b"".join([block async for block in bucket.read(key, "")])
    try:
        head = Head.of(json.loads(data))
    except ValueError:
        raise TeamError("error.team.tombstone_unreadable", key=key) from None
    if head.serial != serial:
        raise TeamError("error.team.tombstone_unreadable", key=key)
    return head


def _head_key(serial: int) -> str:
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


async def _read(bucket: Bucket, key: str) -> Tombstone:
    data = b"".join([block async for block in bucket.read(key, "")])
    try:
        told = json.loads(data)
        words = {name: str(told[name]) for name in ("what", "id", "object", "why")}
        stone = Tombstone(datetime.fromisoformat(told["at"]), **words)
        genuine = stone.key == key
    except (ValueError, KeyError, TypeError):
        genuine = False
        stone = None
    if stone is None or not genuine:
        raise TeamError("error.team.tombstone_unreadable", key=key)
    return stone


def _time(at: datetime) -> str:
    """To the microsecond, all of one length: text in its order."""
    return at.astimezone(UTC).strftime(_TIME)
