"""`klartone team sweep`: what has reached its moment goes, from the database and then from storage. Several may run at once.

A recording's row and its keys go in one transaction, which leaves a tombstone. That is written beside the object before the
object goes, and only then *erased* is said. Killed at any instant, a later sweep goes on. No transaction is open while storage is
asked; what storage refuses stops nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from softphone.domain.errors import TeamError
from softphone.team.objects import Bucket, Stones, Tombstone
from softphone.team.objects.tombstones import forget_stones
from softphone.team.proving.heads import Heads
from softphone.team.proving.holding import follow
from softphone.team.proving.laying import lay_due
from softphone.team.proving.restoring import OLDEST
from softphone.team.rows import afterwards, proving, reviewing
from softphone.team.rows.in_force import log_past
from softphone.team.rows.pool import Row, Rows
from softphone.team.upload.arriving import end_in_storage

_BATCH, _OBJECTS, _ENTRIES = 100, 50, 2_000
"""recordings or cases in a transaction, objects that one sweeper has in hand, and entries of the log for which others wait"""
_GIVEN_UP, _FORGOTTEN = timedelta(days=14), timedelta(days=30)
"""that an upload which nobody has touched may still go on; and after which storage keeps no part of any"""


@dataclass(slots=True)
class Swept:
    """How many of each. `refused`: objects that storage would not let go; the next sweep tries again."""

    purposes: int = 0
    recordings: int = 0
    holds: int = 0
    listed: int = 0
    objects: int = 0
    legal: int = 0
    uploads: int = 0
    refused: int = 0
    cases: int = 0
    entries: int = 0
    heads: int = 0

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))


async def sweep(rows: Rows, bucket: Bucket, now: datetime, heads: Heads | None = None) -> Swept:
    """To its end, which `heads` signs. Raises TeamError where the database or all of storage does not answer; what was done until
    then is done."""
    done = Swept()
    written = Stones(bucket, await proving.mac_key(rows))
    async with rows.nobody() as tx:
        await afterwards.forget(tx)
        await reviewing.forget(tx)
        await proving.forget_stones(tx, OLDEST)
    # What protects goes first.
    while await _holds(rows, bucket, done):
        pass
    while await lay_due(rows, written):
        pass
    while await _due(rows, done):
        pass
    while await _listed(rows, now, done):
        pass
    while await _objects(rows, written, done):
        pass
    while await _given_up(rows, bucket, done):
        pass
    for key, upload in await bucket.unfinished(now - _FORGOTTEN):
        # Also those of which a service that was killed could not tell the database. A desk that is still at it begins again.
        done.uploads += await _tried(lambda key=key, upload=upload: bucket.abort(key, upload), done)
    # What ended in this sweep, too.
    while await lay_due(rows, written):
        pass
    while await forget_stones(bucket, now - OLDEST, _BATCH):
        pass
    # Desks wait for a head; what is past its time does not mind.
    if heads is not None:
        done.heads += await heads.sign(rows, bucket, now)
    # Cases first: what is said of one that has gone may go too.
    while await _forgotten(rows, now, done):
        pass
    if done.refused:
        async with rows.nobody() as tx:
            await proving.sweep_stuck(tx, done.refused)
    return done


async def _holds(rows: Rows, bucket: Bucket, done: Swept) -> bool:
    async with rows.nobody() as tx:
        due = await proving.legal_holds(tx, _OBJECTS)
    for row in due:
        done.legal += await _tried(lambda row=row: follow(rows, bucket, row), done)
    return bool(due)


async def _due(rows: Rows, done: Swept) -> bool:
    async with rows.nobody() as tx:
        went = await afterwards.sweep(tx, _BATCH)
    done.holds += sum(one.what == "hold_void" for one in went)
    done.recordings += sum(one.what == "discarded" for one in went)
    done.purposes += sum(one.what in ("purpose_expired", "not_judged") for one in went)
    return bool(went)


async def _listed(rows: Rows, now: datetime, done: Swept) -> bool:
    async with rows.nobody() as tx:
        count = await afterwards.list_to_judge(tx, now, _BATCH)
    done.listed += count
    return count > 0


async def _forgotten(rows: Rows, now: datetime, done: Swept) -> bool:
    async with rows.nobody() as tx:
        before = await log_past(tx, now)
        cases = await afterwards.forget_cases(tx, before, _BATCH)
        entries = 0 if cases else await afterwards.cut_log(tx, before, _ENTRIES)
    done.cases += cases
    done.entries += entries
    return cases + entries > 0


async def _objects(rows: Rows, written: Stones, done: Swept) -> bool:
    async with rows.nobody() as tx:
        stones = await afterwards.tombstones(tx, _OBJECTS)
    for stone in stones:
        done.objects += await _tried(lambda stone=stone: _erased(rows, written, stone), done)
    return bool(stones)


async def _erased(rows: Rows, written: Stones, row: Row) -> None:
    key = str(row["object_key"])
    await written.write(Tombstone(row["at"], "recording", str(row["recording"]), key, str(row["reason"])))
    async with rows.nobody() as tx:
        await afterwards.tombstone_written(tx, row["recording"])
    await end_in_storage(written.bucket, key)
    async with rows.nobody() as tx:
        await afterwards.erased(tx, row["recording"])


async def _given_up(rows: Rows, bucket: Bucket, done: Swept) -> bool:
    async with rows.nobody() as tx:
        ended = await afterwards.uploads_given_up(tx, _GIVEN_UP, _OBJECTS)
    for row in ended:
        done.uploads += await _tried(lambda row=row: _ended(rows, bucket, row), done)
    return bool(ended)


async def _ended(rows: Rows, bucket: Bucket, row: Row) -> None:
    await end_in_storage(bucket, str(row["object_key"]), str(row["upload"]))
    async with rows.nobody() as tx:
        await afterwards.upload_gone(tx, str(row["object_key"]))


async def _tried(deed: Callable[[], Coroutine[None, None, None]], done: Swept) -> bool:
    """False: storage refuses this one."""
    try:
        await deed()
    except TeamError as error:
        if error.code not in ("error.team.storage_refused", "error.team.object_held"):
            raise
        done.refused += 1
        return False
    return True
