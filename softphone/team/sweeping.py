"""`klartone team sweep`: what has reached its moment goes, from the database and then from storage. Several may run at once.

A recording's row and its keys go in one transaction, which leaves a tombstone. That is written beside the object before the
object goes, and only then *erased* is said. Killed at any instant, the next sweep goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from softphone.domain.errors import TeamError
from softphone.domain.retention import JUDGE_WITHIN
from softphone.team.objects import Bucket, Tombstone, bury
from softphone.team.rows import afterwards
from softphone.team.rows.pool import Row, Rows, Transaction
from softphone.team.upload.arriving import end_in_storage

_BATCH, _OBJECTS = 100, 10
"""recordings in a transaction, and objects: S3 is asked meanwhile"""
_GIVEN_UP = timedelta(days=14)
"""that an upload which nobody has touched may still go on"""


@dataclass(slots=True)
class Swept:
    """How many of each."""

    purposes: int = 0
    recordings: int = 0
    holds: int = 0
    listed: int = 0
    objects: int = 0
    uploads: int = 0

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))


async def sweep(rows: Rows, bucket: Bucket, now: datetime) -> Swept:
    """To its end. Raises TeamError where database or storage does not answer; what was done until then is done."""
    done = Swept()
    while await _due(rows, done):
        pass
    while await _listed(rows, now, done):
        pass
    while await _objects(rows, bucket, done):
        pass
    await _given_up(rows, bucket, done)
    async with rows.nobody() as tx:
        await afterwards.forget(tx)
    return done


async def _due(rows: Rows, done: Swept) -> bool:
    async with rows.nobody() as tx:
        went = await afterwards.sweep(tx, _BATCH)
    done.holds += sum(one.what == "hold_void" for one in went)
    done.recordings += sum(one.what == "discarded" for one in went)
    done.purposes += sum(one.what in ("purpose_expired", "not_judged") for one in went)
    return bool(went)


async def _listed(rows: Rows, now: datetime, done: Swept) -> bool:
    async with rows.nobody() as tx:
        count = await afterwards.list_to_judge(tx, JUDGE_WITHIN, now, _BATCH)
    done.listed += count
    return count > 0


async def _objects(rows: Rows, bucket: Bucket, done: Swept) -> bool:
    async with rows.nobody() as tx:
        stones = await afterwards.tombstones(tx, _OBJECTS)
        for stone in stones:
            await _erased(tx, bucket, stone)
    done.objects += len(stones)
    return bool(stones)


async def _erased(tx: Transaction, bucket: Bucket, row: Row) -> None:
    key = str(row["object_key"])
    await bury(bucket, Tombstone(row["at"], "recording", str(row["recording"]), key, str(row["reason"])))
    await afterwards.tombstone_written(tx, row["recording"])
    try:
        await bucket.erase(key)
    except TeamError as error:
        if error.code != "error.team.object_held":
            raise
        # The database has judged that nothing keeps it: a hold that was lifted there is still on here.
        await bucket.release(key)
        await bucket.erase(key)
    await afterwards.erased(tx, row["recording"])


async def _given_up(rows: Rows, bucket: Bucket, done: Swept) -> None:
    """Within the transaction: whoever goes on with one waits, and begins anew."""
    async with rows.nobody() as tx:
        for row in await afterwards.uploads_given_up(tx, _GIVEN_UP):
            await end_in_storage(bucket, str(row["object_key"]), str(row["upload"]))
            done.uploads += 1
