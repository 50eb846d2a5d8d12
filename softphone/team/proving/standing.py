"""Whether the database that answers is the one that was compared with storage: it may be restored beneath a process that runs.

A restore ends all connections. So each new one says which database it leads to, and nothing is asked on one that leads to another
before storage has been asked again. Who serves notes in it that this was done, for whoever has no key to storage.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from softphone.domain.errors import TeamError
from softphone.team.objects import Bucket
from softphone.team.proving.restoring import is_behind, refuse_without_policy
from softphone.team.rows.errors import UnavailableError
from softphone.team.rows.pool import WHICH, Rows

_EVERY = 2.0
"""seconds after which storage is asked again"""


class Standing:
    """`opened`: connections that do not ask this, for the comparison itself. `bucket`: none where there is no key to storage:
    what a service has noted counts then. `serves`: by the newest policy alone, and notes it."""

    def __init__(self, opened: Callable[[], Rows], bucket: Bucket | None = None, *, serves: bool = False) -> None:
        self._opened, self._bucket, self._serves = opened, bucket, serves
        self._compared, self._again = "", 0.0
        self._refused: TeamError | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, which: str) -> bool:
        """False: there is another one by now. Raises TeamError where it knows less than storage, or storage does not answer."""
        if which == self._compared:
            return True
        async with self._lock:
            if which != self._compared:
                if self._refused is not None and time.monotonic() < self._again:
                    raise UnavailableError(self._refused.code, **self._refused.params)
                await self._compare()
        return which == self._compared

    async def _compare(self) -> None:
        try:
            async with self._opened() as rows:
                if self._serves:
                    await refuse_without_policy(rows)
                before = await _which(rows)
                behind = (
                    not await _is_compared(rows, before)
                    if self._bucket is None
                    else await is_behind(rows, self._bucket)
                )
                after = await _which(rows)
                if behind or before != after:
                    raise UnavailableError("error.team.restoring")
                if self._serves:
                    async with rows.nobody() as tx:
                        await tx.all("SELECT compared_note(%s)", after)
        except TeamError as error:
            self._refused, self._again = error, time.monotonic() + _EVERY
            raise
        self._compared, self._refused = after, None


async def _which(rows: Rows) -> str:
    async with rows.nobody() as tx:
        return str(await tx.value(WHICH))


async def _is_compared(rows: Rows, which: str) -> bool:
    async with rows.nobody() as tx:
        return bool(await tx.value("SELECT is_compared(%s)", which))
