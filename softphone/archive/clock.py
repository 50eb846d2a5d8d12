"""What the clock last said when it was believed: kept in the catalog, so that a clock which jumps is noticed (G10).

It decides nothing; whether a clock is doubtful is `domain.retention`'s.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from softphone.archive.tables import meta
from softphone.domain.retention import clock_is_doubtful

_NAME = "clock-seen"


def last_seen(connection: Connection) -> datetime | None:
    text = connection.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar()
    return datetime.fromisoformat(text) if text else None


def believe(connection: Connection, now: datetime, witness: datetime | None = None) -> bool:
    """Whether `now` is believed; then it is what was last seen."""
    if clock_is_doubtful(now, last_seen(connection), witness):
        return False
    connection.execute(delete(meta).where(meta.c.name == _NAME))
    connection.execute(insert(meta).values(name=_NAME, value=now.isoformat()))
    return True
