"""Erasures, written beside what was erased: a database that comes back from a backup learns of them here (ADR 063).

A tombstone's key begins with its time, so S3 itself lists them in order. They name ids alone and are never erased here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from softphone.domain.errors import TeamError
from softphone.team.objects.bucket import Bucket, digest

_FOLDER = "tombstones/"
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


async def bury(bucket: Bucket, stone: Tombstone) -> None:
    """Written again, it is the same."""
    told = asdict(stone) | {"at": stone.at.astimezone(UTC).isoformat()}
    data = json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")
    await bucket.put(stone.key, data, digest(data))


async def buried_since(bucket: Bucket, since: datetime | None) -> AsyncIterator[Tombstone]:
    """The oldest first; some from shortly before `since` too. None: all. Raises `tombstone_unreadable`: nobody is served
    before a person has looked."""
    after = f"{_FOLDER}{_time(since - _MARGIN)}" if since is not None else _FOLDER
    given: dict[str, Any] = {"StartAfter": after}
    while True:
        told = await bucket.client.call("list_objects_v2", Prefix=_FOLDER, **given)
        for one in cast("list[dict[str, Any]]", told.get("Contents", [])):
            yield await _read(bucket, str(one["Key"]))
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
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
