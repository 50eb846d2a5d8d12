"""The database by one of its logins, as the settings say how it is reached."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from psycopg.conninfo import make_conninfo

from softphone.team.rows.errors import NotPermittedError, UnavailableError
from softphone.team.rows.pool import RINGS, Rows, Transaction
from softphone.team.schema import MIGRATOR
from softphone.team.settings import Database

Standing = Callable[[str], Awaitable[bool]]
RINGING = 3
"""of a process's connections, for what is asked while it rings"""


def conninfo(database: Database, user: str = "", password: str = "") -> str:
    """Without a user, whoever runs this."""
    given = {name: value for name, value in (("user", user), ("password", password)) if value}
    return make_conninfo(database.connect, **given)


def ringing(database: Database, user: str, password: str, standing: Standing | None = None) -> Rows:
    """A few connections of its own, each of which gives up in time."""
    return Rows(conninfo(database, user, password), most=RINGING, waits=RINGS, statement=RINGS, standing=standing)


def login(database: Database, user: str, password: str, *, most: int = 0, standing: Standing | None = None) -> Rows:
    """`most` connections: as many as the settings say, if it names none."""
    return Rows(conninfo(database, user, password), most=most or database.connections, standing=standing)


@asynccontextmanager
async def migrating(database: Database, password: str) -> AsyncGenerator[Transaction]:
    """For a command on the server. Its login may do all that this version's commands do: what it may not, older tables refuse."""
    try:
        async with login(database, MIGRATOR, password, most=1) as rows, rows.nobody() as tx:
            yield tx
    except NotPermittedError:
        raise UnavailableError("error.team.old_schema") from None
