"""A database that comes back from a backup learns from storage what it has forgotten, before anybody is served.

Storage has a tombstone for each recording, a stone for each end, withdrawal, hold, refusal and revocation, and each signed head.
What is applied again changes nothing; what the house has not written counts for nothing (ADR 079).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from softphone.domain.errors import TeamError
from softphone.domain.heads import Head
from softphone.team.objects import Bucket, Stone, Stones, Tombstone
from softphone.team.objects.tombstones import head_at, head_key
from softphone.team.rows import afterwards, proving
from softphone.team.rows.pool import Rows

OLDEST = timedelta(days=30)
"""that stones lie in storage: no backup may be older"""
_BATCH, _RESTORE = 500, "restore"


@dataclass(slots=True)
class Restored:
    """How many of each were unknown to the database. `epoch`: how often it has been restored now."""

    heads: int = 0
    stones: int = 0
    recordings: int = 0
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Would:
    """What a restore erases that is here, by id: `held`, or `early` (its day has not come), or neither. `forged`: keys of what
    storage has, and the house has not written."""

    held: tuple[UUID, ...]
    early: tuple[UUID, ...]
    due: tuple[UUID, ...]
    forged: tuple[str, ...]

    @property
    def asks(self) -> bool:
        """Somebody is to look first."""
        return bool(self.held or self.early or self.forged)


async def refuse_restored(rows: Rows, bucket: Bucket) -> None:
    """Raises TeamError `restored` where storage knows what this database does not: it must learn that first."""
    if await is_behind(rows, bucket):
        raise TeamError("error.team.restored")


async def refuse_without_policy(rows: Rows) -> None:
    """Raises TeamError `policy_lost`: by the one before, whom the newest has dropped would find and open again."""
    async with rows.nobody() as tx:
        lost = await proving.policy_lost(tx)
    if lost is not None:
        raise TeamError("error.team.policy_lost", number=lost)


async def is_behind(rows: Rows, bucket: Bucket) -> bool:
    """Whether storage has a head, an end or a tombstone that the database has not: of those since its last head. Entries of its
    log may be younger than the backup. What somebody has forged counts for nothing."""
    async with rows.nobody() as tx:
        begun, _ = await proving.stands_at(tx, _RESTORE)
        last = await proving.last_head(tx)
    if begun:
        return True
    while (head := await head_at(bucket, last.serial + 1 if last else 1)) is not None and _follows(head, last):
        # Another sweeper may have signed one meanwhile.
        async with rows.nobody() as tx:
            last = await proving.last_head(tx)
        if last is None or last.serial < head.serial:
            return True
    return bool(await unknown(rows, Stones(bucket, await proving.mac_key(rows)), last.at if last else None, first=True))


async def unknown(
    rows: Rows, written: Stones, since: datetime | None, *, first: bool = False
) -> list[Tombstone | Stone]:
    """What the house has written beside recordings, and the database does not know. `first`: one is enough."""
    found: list[Tombstone | Stone] = []
    these: list[tuple[str, datetime, str]] = []
    async for one in written.keys(since):
        these.append(one)
        if len(these) == _BATCH:
            found += await _unknown(rows, written, these)
            these.clear()
            if found and first:
                return found
    return found + await _unknown(rows, written, these)


async def would(rows: Rows, bucket: Bucket) -> Would:
    """What `restore` is about to do. Nothing is changed."""
    async with rows.nobody() as tx:
        last = await proving.last_head(tx)
    written = Stones(bucket, await proving.mac_key(rows))
    ended = {
        UUID(one.id) for one in await unknown(rows, written, last.at if last else None) if isinstance(one, Tombstone)
    }
    async with rows.nobody() as tx:
        here = await proving.restoring_would(tx, sorted(ended))
    kinds = {row["recording"]: "held" if row["held"] else "early" if row["early"] else "due" for row in here}
    listed = {kind: tuple(one for one, its in kinds.items() if its == kind) for kind in ("held", "early", "due")}
    return Would(**listed, forged=(*sorted(written.forged), *await forged_heads(bucket, last)))


async def restore(rows: Rows, bucket: Bucket, key: str) -> Restored:
    """`key`: the public half of the one that signs heads. Killed at any instant, it is run again. Raises TeamError."""
    done = Restored()
    async with rows.nobody() as tx:
        last = await proving.last_head(tx)
    heads = await _heads(bucket, last, key)
    since = last.at if last else None
    if heads and heads[-1].at - (since or heads[0].at) > OLDEST:
        # Sweeps have taken stones away by then that it would need.
        raise TeamError("error.team.restored_too_old", days=OLDEST.days)
    written = Stones(bucket, await proving.mac_key(rows))
    async with rows.nobody() as tx:
        await proving.reached(tx, _RESTORE, "begun", 0)
    async for buried in written.tombstones(since):
        async with rows.nobody() as tx:
            gone = await afterwards.apply_tombstone(tx, UUID(buried.id), buried.object, buried.why)
        done.recordings += gone
    stones = [stone async for stone in written.stones(since)]
    newest = {(one.what, one.id): number for number, one in enumerate(stones)}
    for number, one in enumerate(stones):
        async with rows.nobody() as tx:
            counts = newest[one.what, one.id] == number
            done.stones += await proving.apply_stone(tx, one.what, one.id, one.at, one.told, counts)
    async with rows.nobody() as tx:
        # Until here all begins again at the same place.
        for head in heads:
            done.heads += await proving.put_head_back(tx, head)
        done.epoch = await proving.restored(tx)
        await proving.reached(tx, _RESTORE, "", 0)
    return done


async def forged_heads(bucket: Bucket, last: Head | None) -> list[str]:
    """Where one lies that does not follow the last: nobody has signed it who may."""
    head = await head_at(bucket, last.serial + 1 if last else 1)
    return [] if head is None or _follows(head, last) else [head_key(head.serial)]


def is_signed(head: Head, key: str) -> bool:
    """By this key (base64)."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(head.signature, validate=True), head.to_sign())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return head.key == key


def _follows(head: Head, last: Head | None) -> bool:
    """Signed by whoever has signed the last one. A key that was changed since, stones tell of."""
    return is_signed(head, last.key if last else head.key) and (last is None or head.previous == last.digest())


async def _heads(bucket: Bucket, last: Head | None, key: str) -> list[Head]:
    """Those after the last one here. Raises TeamError where they are no chain, or by another key."""
    heads: list[Head] = []
    while (head := await head_at(bucket, len(heads) + 1 + (last.serial if last else 0))) is not None:
        heads.append(head)
    # The newest by this key vouches for those before it, also where it was another one then. What follows that is forged.
    ours = max((number for number, one in enumerate(heads, 1) if is_signed(one, key)), default=0)
    if heads and not ours and last is not None and _follows(heads[0], last):
        raise TeamError("error.team.head_wrong", serial=heads[0].serial)
    for before, one in pairwise(heads[:ours]):
        if one.previous != before.digest():
            raise TeamError("error.team.head_wrong", serial=one.serial)
    return heads[:ours]


async def _unknown(rows: Rows, written: Stones, these: Sequence[tuple[str, datetime, str]]) -> list[Tombstone | Stone]:
    async with rows.nobody() as tx:
        keys = await proving.unknown(tx, these)
    found: list[Tombstone | Stone] = []
    for key in keys:
        one = await written.read(key)
        if isinstance(one, Tombstone):
            async with rows.nobody() as tx:
                if await proving.tombstone_known(tx, UUID(one.id)):
                    continue
        found += [one] if one is not None else []
    return found
