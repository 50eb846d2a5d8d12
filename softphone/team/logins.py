"""The database by one of its logins, as the settings say how it is reached."""

from __future__ import annotations

from psycopg.conninfo import make_conninfo

from softphone.team.rows.pool import Rows
from softphone.team.settings import Database


def login(database: Database, user: str, password: str, *, most: int = 0) -> Rows:
    """`most` connections: as many as the settings say, if it names none."""
    given = {"user": user} | ({"password": password} if password else {})
    return Rows(make_conninfo(database.connect, **given), most=most or database.connections)
