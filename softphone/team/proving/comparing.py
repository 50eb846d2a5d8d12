"""Database and storage compared, both ways, and the logs against themselves and their signed heads: `klartone team verify`.

In pieces: stopped, it goes on where it was. It mends legal holds and erases what has a tombstone; all else it tells.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from softphone.domain.errors import TeamError
from softphone.domain.heads import Head
from softphone.team.objects import Bucket, Stones
from softphone.team.objects.tombstones import head_at
from softphone.team.proving.restoring import forged_heads, is_signed, unknown
from softphone.team.rows import proving
from softphone.team.rows.pool import Row, Rows
from softphone.team.upload.arriving import end_in_storage

_ROWS, _KEYS, _ENTRIES, _HEADS = 50, 500, 2_000, 200
_SOME = 50
"""one recording in so many is read, where some are"""
_YOUNG = timedelta(hours=1)
"""an object that is younger may belong to what is under way"""


class Digests(StrEnum):
    """Of which recordings storage's bytes are read."""

    NONE = "none"
    SOME = "some"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Found:
    """`what` from a closed list; `of`: a recording, a key, a chain and its entry, a head. `mended`: it is right again."""

    what: str
    of: str
    mended: bool = False


@dataclass(slots=True)
class Comparing:
    """`tell` hears of each finding at once."""

    rows: Rows
    bucket: Bucket
    key: str
    """the public half of what signs heads"""
    tell: Callable[[Found], None]
    digests: Digests = Digests.SOME
    wrong: int = 0
    """what it could not mend, in this run and in that which it goes on with"""
    looked: int = 0
    kinds: set[str] = field(default_factory=set[str])

    async def run(self, now: datetime) -> None:
        await self._forged()
        for part, piece in (("rows", self._rows), ("objects", self._objects), ("logs", self._logs)):
            async with self.rows.nobody() as tx:
                place, before = await proving.stands_at(tx, part)
            self.wrong = max(self.wrong, before)
            while True:
                place = await piece(place, now)
                async with self.rows.nobody() as tx:
                    await proving.reached(tx, part, place, self.wrong)
                if not place:
                    break
        async with self.rows.nobody() as tx:
            await proving.comparison_told(tx, self.looked, self.wrong, self.kinds)

    async def anew(self) -> None:
        async with self.rows.nobody() as tx:
            for part in ("rows", "objects", "logs"):
                await proving.reached(tx, part, "", 0)

    def _found(self, what: str, of: object, *, mended: bool = False) -> None:
        self.wrong += not mended
        self.kinds.add(what)
        self.tell(Found(what, str(of), mended))

    async def _forged(self) -> None:
        """What lies beside recordings and the house has not written. It counts for nothing; somebody has the bucket's key."""
        written = Stones(self.bucket, await proving.mac_key(self.rows))
        async with self.rows.nobody() as tx:
            last = await proving.last_head(tx)
        await unknown(self.rows, written, None)
        for key in sorted(written.forged) + await forged_heads(self.bucket, last):
            self._found("forged", key)

    async def _rows(self, place: str, _now: datetime) -> str:
        async with self.rows.nobody() as tx:
            found = await proving.compare_rows(tx, UUID(place) if place else None, _ROWS)
        await asyncio.gather(*(self._row(row) for row in found))
        self.looked += len(found)
        return str(found[-1]["recording"]) if len(found) == _ROWS else ""

    async def _row(self, row: Row) -> None:
        key, version, of = str(row["object_key"]), str(row["object_version"]), row["recording"]
        try:
            told = await self.bucket.client.call("head_object", Key=key, VersionId=version)
        except TeamError as error:
            if error.code != "error.team.storage_absent":
                raise
            async with self.rows.nobody() as tx:
                # Its desk is told to send it again, if it still has it.
                if await proving.object_missing(tx, of, version):
                    self._found("object_missing", of)
            return
        if int(told["ContentLength"]) != row["size"]:
            self._found("size_wrong", of)
        elif self._is_read() and await self._digest(key, version) != bytes(row["digest"]):
            self._found("digest_wrong", of)
        if await self.bucket.is_held(key, version) != row["held"]:
            # The row counts, as it is now.
            if not await self._stands(row):
                return
            await self.bucket.hold(key, version, row["held"])
            async with self.rows.nobody() as tx:
                await proving.legal_hold_done(tx, of, row["held"])
            self._found("hold_missing" if row["held"] else "hold_left", of, mended=True)

    async def _stands(self, row: Row) -> bool:
        """Whether it is still as it was read, and was not erased or held meanwhile."""
        async with self.rows.nobody() as tx:
            again = await tx.row("SELECT * FROM compare_rows(%s, 1)", UUID(int=max(row["recording"].int - 1, 0)))
        return again is not None and again == row

    def _is_read(self) -> bool:
        return self.digests is Digests.ALL or (self.digests is Digests.SOME and not secrets.randbelow(_SOME))

    async def _digest(self, key: str, version: str) -> bytes:
        told = hashlib.sha256()
        async for block in self.bucket.read(key, version):
            told.update(block)
        return told.digest()

    async def _objects(self, place: str, now: datetime) -> str:
        given: dict[str, Any] = json.loads(place) if place else {}
        told = await self.bucket.client.call("list_object_versions", Prefix="recordings/", MaxKeys=_KEYS, **given)
        there: dict[str, list[dict[str, Any]]] = {}
        for kind in ("Versions", "DeleteMarkers"):
            for one in cast("list[dict[str, Any]]", told.get(kind, [])):
                there.setdefault(str(one["Key"]), []).append(one)
        async with self.rows.nobody() as tx:
            known = await proving.compare_keys(tx, sorted(there))
        for key, versions in there.items():
            await self._object(key, versions, known[key], now)
        self.looked += len(there)
        if not told.get("IsTruncated"):
            return ""
        return json.dumps({"KeyMarker": told["NextKeyMarker"], "VersionIdMarker": told.get("NextVersionIdMarker", "")})

    async def _object(self, key: str, versions: list[dict[str, Any]], known: Row, now: datetime) -> None:
        old = [one for one in versions if now - one["LastModified"] > _YOUNG]
        if known["what"] == "erased":
            await end_in_storage(self.bucket, key)
            self._found("object_erased", key, mended=True)
        elif known["what"] == "none" and old:
            self._found("object_unknown", key)
        elif known["what"] == "row":
            for one in old:
                if str(one["VersionId"]) != known["object_version"]:
                    await self.bucket.end_version(key, str(one["VersionId"]))
                    self._found("version_left", key, mended=True)

    async def _logs(self, place: str, _now: datetime) -> str:
        at: dict[str, Any] = json.loads(place) if place else {"chain": ""}
        async with self.rows.nobody() as tx:
            chains = await proving.chains(tx)
        if at["chain"] != "heads":
            chain = next((one for one in chains if one >= at["chain"]), None)
            if chain is None:
                return json.dumps({"chain": "heads", "after": 0, "digest": "", "entry": 0})
            fresh = chain != at["chain"]
            return await self._chain(chain, None if fresh else at["after"], None if fresh else at["hash"])
        return await self._heads(at)

    async def _chain(self, chain: str, after: int | None, after_hash: str | None) -> str:
        async with self.rows.nobody() as tx:
            told = await proving.compare_log(tx, chain, after, after_hash, _ENTRIES)
        self.looked += told["read"]
        if told["wrong"] is not None:
            self._found("log_wrong", f"{chain} {told['wrong']}")
        if told["wrong"] is None and told["read"] == _ENTRIES:
            return json.dumps({"chain": chain, "after": told["number"], "hash": told["hash"]})
        # The next one begins behind this one's name.
        return json.dumps({"chain": f"{chain} ", "after": None, "hash": None})

    async def _heads(self, at: dict[str, Any]) -> str:
        async with self.rows.nobody() as tx:
            heads = await proving.compare_heads(tx, at["after"], _HEADS)
            entries = await proving.countersigned(tx, at["entry"], _ENTRIES)
        previous, ours = at["digest"], at.get("ours", False)
        for head, here, lost in heads:
            # Heads by an earlier key are vouched for by the first one by this key, and none follows it.
            by_ours = is_signed(head, self.key)
            signed = by_ours or (not ours and is_signed(head, head.key))
            ours = ours or by_ours
            # An entry that a restore has taken is in no log any more; its head stays, for the desks that saw it.
            held = here == head.hash or lost
            if not held or head.previous != previous or not signed or await self._other(head):
                self._found("head_wrong", head.serial)
            previous = head.digest()
        for entry in entries:
            if not entry["holds"]:
                self._found("desk_log_wrong", f"{entry['desk']} {entry['number']}")
        self.looked += len(heads) + len(entries)
        last = heads[-1][0].serial if heads else at["after"]
        if len(heads) < _HEADS and len(entries) < _ENTRIES:
            if last and not ours:
                self._found("head_wrong", last)
            return ""
        entry = entries[-1]["number"] if entries else at["entry"]
        return json.dumps({"chain": "heads", "after": last, "digest": previous, "entry": entry, "ours": ours})

    async def _other(self, head: Head) -> bool:
        """Storage has another of that number."""
        there = await head_at(self.bucket, head.serial)
        return there is not None and there != head
