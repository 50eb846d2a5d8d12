"""What a request is answered with: the database as two logins, the bucket, the keys. All of it belongs to the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from softphone.domain.errors import TeamError
from softphone.team.api.figures import Figures
from softphone.team.objects import Bucket
from softphone.team.people.openid import OpenId
from softphone.team.rows.pool import Rows
from softphone.team.upload.arriving import Arriving
from softphone.team.upload.receipt import Signer

_READY = 3.0
"""seconds that database and storage have to answer, each"""


@dataclass
class Service:
    """`address` is what desks call it by: proofs name it. `rows` is the service's login, `signing_in` the other one."""

    address: str
    rows: Rows
    signing_in: Rows
    bucket: Bucket
    arriving: Arriving
    signer: Signer
    ringing: Rows
    """connections that nothing else takes, for what is asked while it rings"""
    openid: OpenId | None = None
    figures: Figures = field(default_factory=Figures)

    def now(self) -> datetime:
        return datetime.now(UTC)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        try:
            async with self.rows, self.signing_in, self.ringing:
                yield
        finally:
            self.bucket.close()

    async def ready(self) -> None:
        """Raises TeamError `not_ready`, with what does not answer."""
        for what, asked in (("database", self._database), ("sign_in", self._sign_in), ("storage", self._storage)):
            try:
                async with asyncio.timeout(_READY):
                    await asked()
            except (TeamError, TimeoutError) as error:
                raise TeamError("error.team.not_ready", what=what) from error

    async def _database(self) -> None:
        async with self.rows.nobody() as tx:
            await tx.value("SELECT 1 AS one")

    async def _sign_in(self) -> None:
        async with self.signing_in.nobody() as tx:
            await tx.value("SELECT 1 AS one")

    async def _storage(self) -> None:
        await self.bucket.client.call("head_bucket")
