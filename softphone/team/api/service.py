"""What a request is answered with: the database as one login, and what else belongs to the process.

Two kinds of process answer: `Service`, and `SignIn`, which alone has the login that opens sessions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from softphone.domain.errors import TeamError
from softphone.team.api.figures import Figures
from softphone.team.api.forwarding import Forwarding
from softphone.team.objects import Bucket
from softphone.team.people.openid import OpenId
from softphone.team.proving.believing import Believed
from softphone.team.proving.laying import keep_laying
from softphone.team.rows.pool import Rows
from softphone.team.rows.reviewing import Backlog
from softphone.team.rows.versions import newer_program
from softphone.team.upload.arriving import Arriving
from softphone.team.upload.receipt import Signer

_READY = 3.0
"""seconds that database, storage and whoever signs in have to answer, each"""


@dataclass(kw_only=True)
class Process:
    """`address` is what desks call it by: proofs name it. `rows` is the database as the process's own login."""

    address: str
    rows: Rows
    behind_balancer: bool = False
    """else `/health` and `/metrics` are answered on this machine alone"""
    figures: Figures = field(default_factory=Figures)

    def now(self) -> datetime:
        return datetime.now(UTC)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        async with self.rows:
            yield

    async def ready(self) -> None:
        """Raises TeamError `not_ready`, with what does not answer."""
        for what, asked in self.needs().items():
            try:
                async with asyncio.timeout(_READY):
                    await asked()
            except (TeamError, TimeoutError) as error:
                raise TeamError("error.team.not_ready", what=what) from error

    def needs(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {"database": self._database}

    async def _database(self) -> None:
        async with self.rows.nobody() as tx:
            await newer_program(tx)


@dataclass(kw_only=True)
class SignIn(Process):
    openid: OpenId | None = None
    """none: one-time codes alone"""


@dataclass(kw_only=True)
class Service(Process):
    bucket: Bucket
    arriving: Arriving
    signer: Signer
    ringing: Rows
    """connections that nothing else takes, for what is asked while it rings"""
    believed: Believed = field(default_factory=Believed)
    backlog: Backlog = field(default_factory=Backlog)
    forwarding: Forwarding | None = None
    """none: a balancer leads to whoever signs in"""

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        try:
            async with self.rows, self.ringing:
                with suppress(TeamError):
                    # So that nobody waits for the comparison with storage.
                    async with self.rows.nobody():
                        pass
                    await self.believed.look(self.rows)
                beside = [
                    asyncio.create_task(keep_laying(self.rows, self.bucket)),
                    asyncio.create_task(self.believed.keep_looking(self.rows)),
                ]
                try:
                    yield
                finally:
                    for one in beside:
                        one.cancel()
                    await asyncio.gather(*beside, return_exceptions=True)
        finally:
            self.bucket.close()

    def needs(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        signs_in = {"sign_in": self.forwarding.ready} if self.forwarding else {}
        return {**super().needs(), **signs_in, "storage": self._storage}

    async def ready(self) -> None:
        self.believed.refuse()
        await super().ready()

    async def _storage(self) -> None:
        await self.bucket.client.call("head_bucket")
