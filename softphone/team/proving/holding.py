"""Storage's legal hold follows the rows: placed and taken off after a recording has arrived, by the request at once.

The sweep does each again, and its word alone counts: the service has nothing by which the database could tell that it did."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from softphone.domain.errors import TeamError
from softphone.team.objects import Bucket
from softphone.team.people.asking import Asking
from softphone.team.rows import proving
from softphone.team.rows.pool import Row, Rows

_QUICK = 2.0
"""seconds that a request waits for storage; the sweep does what is left"""


async def follow_now(rows: Rows, bucket: Bucket, asking: Asking, recordings: Sequence[UUID]) -> None:
    """Of these, by who has just changed their holds. It raises nothing: the rows count, and the sweep comes."""
    try:
        async with asyncio.timeout(_QUICK):
            async with rows.asking(asking.token) as tx:
                due = await proving.legal_holds_now(tx, recordings)
            for row in due:
                await bucket.hold(row["object_key"], row["object_version"], row["held"])
    except (TeamError, TimeoutError):
        return


async def follow(rows: Rows, bucket: Bucket, row: Row) -> None:
    """One that the sweep has taken. Raises TeamError."""
    try:
        await bucket.hold(row["object_key"], row["object_version"], row["held"])
    except TeamError as error:
        # The object is not there: `verify` tells that, and a hold on nothing is none to repeat.
        if error.code != "error.team.storage_absent":
            raise
    async with rows.nobody() as tx:
        await proving.legal_hold_done(tx, row["recording"], row["held"])
