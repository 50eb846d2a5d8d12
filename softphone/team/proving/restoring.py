"""A database that comes back from a backup learns from storage what it has forgotten, before anybody is served.

Storage has a tombstone for each recording, a stone for each end, withdrawal, hold, refusal and revocation, and each signed head.
What is applied again changes nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from softphone.domain.errors import TeamError
from softphone.domain.heads import Head
from softphone.team.objects import Bucket, buried_since
from softphone.team.objects.tombstones import buried_at, head_at, keys_since, laid_since
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
    log may be younger than the backup."""
    async with rows.nobody() as tx:
        begun, _ = await proving.stands_at(tx, _RESTORE)
        last = await proving.last_head(tx)
    if begun:
        return True
    while (head := await head_at(bucket, last.serial + 1 if last else 1)) is not None:
        # Another sweeper may have signed one meanwhile.
        async with rows.nobody() as tx:
            last = await proving.last_head(tx)
        if last is None or last.serial < head.serial:
            return True
    these: list[tuple[str, datetime, str]] = []
    async for one in keys_since(bucket, last.at if last else None):
        these.append(one)
        if len(these) == _BATCH:
            if await _unknown(rows, bucket, these):
                return True
            these.clear()
    return await _unknown(rows, bucket, these)


async def restore(rows: Rows, bucket: Bucket, key: str) -> Restored:
    """`key`: the public half of the one that signs heads. Killed at any instant, it is run again. Raises TeamError."""
    done = Restored()
    async with rows.nobody() as tx:
        last = await proving.last_head(tx)
    heads: list[Head] = []
    while (head := await head_at(bucket, len(heads) + 1 + (last.serial if last else 0))) is not None:
        if heads and head.previous != heads[-1].digest():
            raise TeamError("error.team.head_wrong", serial=head.serial)
        heads.append(head)
    # The newest vouches for those before it, also where the key was another one then.
    if heads and not is_signed(heads[-1], key):
        raise TeamError("error.team.head_wrong", serial=heads[-1].serial)
    since = last.at if last else None
    if heads and heads[-1].at - (since or heads[0].at) > OLDEST:
        # Sweeps have taken stones away by then that it would need.
        raise TeamError("error.team.restored_too_old", days=OLDEST.days)
    async with rows.nobody() as tx:
        await proving.reached(tx, _RESTORE, "begun", 0)
    async for stone in buried_since(bucket, since):
        async with rows.nobody() as tx:
            gone = await afterwards.apply_tombstone(tx, UUID(stone.id), stone.object, stone.why)
        done.recordings += gone
    stones = [stone async for stone in laid_since(bucket, since)]
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


def is_signed(head: Head, key: str) -> bool:
    """By this key (base64)."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(head.signature, validate=True), head.to_sign())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return head.key == key


async def _unknown(rows: Rows, bucket: Bucket, these: Sequence[tuple[str, datetime, str]]) -> bool:
    async with rows.nobody() as tx:
        keys = await proving.unknown(tx, these)
    for key in keys:
        stone = await buried_at(bucket, key)
        if stone is None:
            return True
        async with rows.nobody() as tx:
            if not await proving.tombstone_known(tx, UUID(stone.id)):
                return True
    return False
