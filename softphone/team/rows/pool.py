"""Connections of one login, and the transactions on them. A transaction acts as the person of one token, or as nobody.

The identity is set for the transaction alone. PostgreSQL looks a hash up among sessions that this login cannot read or write.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from softphone.team.rows.errors import NotPermittedError, TeamError, TooManyError, UnavailableError, told
from softphone.team.schema import SCHEMA

# Each try that fails is a warning there, in PostgreSQL's words. Whoever asked is told once, in ours.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

Row = dict[str, Any]
Done = TypeVar("Done")
_WAITS = 5.0
"""seconds for a connection: then the client is told to come again"""
WHICH = (
    "SELECT concat_ws('/', extract(epoch FROM pg_postmaster_start_time()), d.oid, to_regclass('klartone.audit')::oid)"
    " AS which FROM pg_database d WHERE d.datname = current_database()"
)
"""the database that a connection leads to: another one after a restore, or where another server answers"""
RINGS = 0.3
"""seconds that a caller may be kept from hearing it ring"""


def asking_of(token: str) -> str:
    """What the service says for a token: its hash, never the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def kept_of(token: str) -> bytes:
    """What the sessions table keeps of a token: the hash of what is said for it. A copy of the table opens nothing."""
    return hashlib.sha256(asking_of(token).encode()).digest()


class Transaction:
    """Everything in it is written, or nothing. It is good for one task."""

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        self._connection = connection
        self._last: tuple[str, tuple[object, ...]] | None = None

    def last(self, statement: str, *values: object) -> None:
        """Goes with the end, in one trip: whoever waits for what this transaction holds waits less."""
        self._last = (statement, values)

    async def end(self) -> None:
        """Raises TeamError."""
        with told(_deed(self._last[0]) if self._last else "commit"):
            if self._last is None:
                await self._connection.execute(b"COMMIT", prepare=False)
                return
            statement, values = self._last
            async with self._connection.pipeline():
                await self._connection.execute(statement.encode(), values)
                await self._connection.execute(b"COMMIT", prepare=False)

    async def all(self, statement: str, *values: object) -> Sequence[Row]:
        """Raises TeamError; so do the two below."""
        with told(_deed(statement)):
            cursor = await self._connection.execute(statement.encode(), values)
            return await cursor.fetchall() if cursor.description else ()

    async def row(self, statement: str, *values: object) -> Row | None:
        return next(iter(await self.all(statement, *values)), None)

    async def value(self, statement: str, *values: object) -> Any:
        found = await self.row(statement, *values)
        return next(iter(found.values())) if found else None


class _Connection(AsyncConnection[Row]):
    """`which`: the database that it leads to."""

    which = ""


async def _asked_which(connection: _Connection) -> None:
    row = await (await connection.execute(WHICH.encode(), prepare=False)).fetchone()
    connection.which = str(row["which"]) if row else ""


class Rows:
    """The database as one login. To be entered once, for the process's life."""

    def __init__(
        self,
        conninfo: str,
        *,
        most: int = 10,
        waits: float = _WAITS,
        statement: float = 0,
        standing: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        """`waits`: seconds for a connection; `statement`: that each may take, 0: as the login's own limit is. `standing`: whether
        that database may be asked; false: another one answers by now."""
        limit = f" -c statement_timeout={round(1000 * statement)}" if statement else ""
        self._most, self._standing = most, standing
        self._pool: AsyncConnectionPool[_Connection] = AsyncConnectionPool(
            conninfo,
            connection_class=_Connection,
            configure=_asked_which if standing else None,
            kwargs={
                "autocommit": True,  # each transaction begins by a statement of ours
                "row_factory": dict_row,
                "options": f"-c search_path={SCHEMA},pg_temp{limit}",
                "application_name": "klartone team",
            },
            min_size=1,
            max_size=most,
            timeout=waits,
            open=False,
        )

    async def __aenter__(self) -> Rows:
        await self._pool.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def asking(self, token: str) -> AsyncGenerator[Transaction]:
        """As the person of this token. A refusal is in the log before it is raised. Raises TeamError."""
        async with self._refusals_logged(token), self._begun(token) as tx:
            yield tx

    async def once(self, token: str, statement: str, *values: object) -> Row | None:
        """As `asking`, a transaction of one statement, in one trip. Its first row."""

        async def all_of_it(connection: _Connection) -> Row | None:
            with told(_deed(statement)):
                # Without a BEGIN, PostgreSQL makes one transaction of what a pipeline has.
                async with connection.pipeline():
                    await connection.execute(ASKS.encode(), [asking_of(token)])
                    cursor = await connection.execute(statement.encode(), values)
                return await cursor.fetchone()

        async with self._refusals_logged(token), self._first(all_of_it) as (_, row):
            return row

    @asynccontextmanager
    async def nobody(self) -> AsyncGenerator[Transaction]:
        """For what nobody asks: signing in, sweeping, health."""
        async with self._begun() as tx:
            yield tx

    @asynccontextmanager
    async def _refusals_logged(self, token: str) -> AsyncGenerator[None]:
        try:
            yield
        except NotPermittedError as error:
            async with self._begun(token) as tx:
                await tx.all(REFUSED, error.deed)
            raise
        except TooManyError:
            async with self._begun(token) as tx:
                await tx.all(LIMITED, "uploads")
            raise

    @asynccontextmanager
    async def _begun(self, token: str = "") -> AsyncGenerator[Transaction]:
        async def begin(connection: _Connection) -> None:
            # Who asks goes with the beginning, in one trip. It is hex: nothing in it ends a text.
            asks = f"; SET LOCAL klartone.asking = '{asking_of(token)}'" if token else ""
            with told("begin"):
                await connection.execute(f"BEGIN{asks}".encode(), prepare=False)

        async with self._first(begin) as (connection, _):
            tx = Transaction(connection)
            yield tx
            await tx.end()

    @asynccontextmanager
    async def _first(self, deed: Callable[[_Connection], Awaitable[Done]]) -> AsyncGenerator[tuple[_Connection, Done]]:
        """A connection, and what this gave on it. What fails is rolled back by the pool. A connection that PostgreSQL has ended
        meanwhile fails here, and another takes its place. Of `once` it may then have been done, and only its answer lost."""
        try:
            for left in reversed(range(self._most + 1)):
                async with self._pool.connection() as connection:
                    if self._standing and not await self._standing(connection.which):
                        await connection.close()
                        continue
                    try:
                        done = await deed(connection)
                    except UnavailableError:
                        if left and connection.broken:
                            continue
                        raise
                    yield connection, done
                    return
            raise UnavailableError("error.team.unavailable")
        except PoolTimeout as error:
            raise UnavailableError("error.team.unavailable") from error


ASKS = "SELECT set_config('klartone.asking', %s, true)"
LIMITED = "SELECT limit_note(%s)"
REFUSED = "SELECT audit_note('refused', 'G11', '', NULL, jsonb_build_object('deed', %s::text))"


def _deed(statement: str) -> str:
    """The function that is called."""
    found = re.search(r"(\w+)\(", statement)
    return found[1] if found else "read"


__all__ = ["REFUSED", "Row", "Rows", "TeamError", "Transaction", "asking_of", "kept_of"]
