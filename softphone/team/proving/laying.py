"""What a restored database must not undo is written beside the objects: by each service within seconds, else by the sweep."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from softphone.domain.errors import TeamError
from softphone.team.objects import Bucket, Stone, Stones
from softphone.team.rows import proving
from softphone.team.rows.pool import Rows

_EVERY, _AFTER_A_FAULT = 2.0, 30.0
"""seconds between two looks"""


async def lay_due(rows: Rows, written: Stones, most: int = 100) -> bool:
    """Whether there was any. Killed in between, it is written again, the same. Raises TeamError."""
    async with rows.nobody() as tx:
        due = await proving.stones(tx, most)
    for row in due:
        await written.write(Stone(row["what"], row["id"], row["at"], row["told"]))
        async with rows.nobody() as tx:
            await proving.stone_written(tx, row)
    return bool(due)


async def keep_laying(rows: Rows, bucket: Bucket) -> None:
    """Until it is cancelled. What it cannot do now, it or a sweep does later."""
    wait = _EVERY
    while True:
        await asyncio.sleep(wait)
        wait = _AFTER_A_FAULT
        with suppress(TeamError):
            written = Stones(bucket, await proving.mac_key(rows))
            while await lay_due(rows, written):
                pass
            wait = _EVERY
