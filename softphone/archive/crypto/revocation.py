"""Keys for which nothing more is sealed, whatever a policy still says. They stand in the catalog, for every desk on it.

Revoking takes nothing back by itself: the key opens what it opens until its wraps are dropped (`rotation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from softphone.archive.crypto.wraps import Recipient
from softphone.archive.schema.tables import meta, time_in

NAME = "revoked-"
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""since when, if somebody made that unreadable: it stays revoked"""


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """Those whom a policy names by a revoked key. `last`: no valid key of that role is left, so nothing is recorded for it."""

    recipient: Recipient
    since: datetime
    last: bool


def revoke(connection: Connection, key_id: str, at: datetime) -> bool:
    """False if it was revoked before; then that time stands."""
    if key_id in revoked(connection):
        return False
    connection.execute(insert(meta).values(name=NAME + key_id, value=at.isoformat()))
    return True


def revoked(connection: Connection) -> dict[str, datetime]:
    """Key ids, and since when."""
    rows = connection.execute(select(meta).where(meta.c.name.like(f"{NAME}%")))
    # A name that is no text is no key's.
    return {str(row.name).removeprefix(NAME): time_in(row.value) or _UNKNOWN for row in rows}


def standing(connection: Connection, recipients: Sequence[Recipient]) -> list[Recipient]:
    """Those for whom something may be sealed."""
    gone = revoked(connection)
    return [one for one in recipients if one.key_id not in gone]


def gone(connection: Connection, recipients: Sequence[Recipient]) -> list[RevokedKey]:
    """Those for whom nothing may be sealed."""
    since = revoked(connection)
    stand = {one.role for one in recipients if one.key_id not in since}
    fallen = [one for one in recipients if one.key_id in since]
    return [RevokedKey(one, since[one.key_id], last=one.role not in stand) for one in fallen]
