"""What the clock last said when it was believed: kept in the catalog, so that a clock which jumps is noticed (G10); and when
the last sweep came to its end.

It decides nothing; whether a clock is doubtful is `domain.retention`'s.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select

from softphone.archive.tables import meta, time_in
from softphone.domain.retention import clock_is_doubtful

_SEEN, _SWEPT = "clock-seen", "last-swept"
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""when, where somebody changed it into what is no time: so long ago that the clock is doubted until a person has looked"""


def last_seen(connection: Connection) -> datetime | None:
    return _read(connection, _SEEN)


def last_swept(connection: Connection) -> datetime | None:
    """A sweep that was not broken off: all that was due by then has gone."""
    return _read(connection, _SWEPT)


def whole_sweep(connection: Connection, now: datetime) -> None:
    _write(connection, _SWEPT, now)


def believe(connection: Connection, now: datetime, witness: datetime | None = None) -> bool:
    """Whether `now` is believed; then it is what was last seen."""
    if clock_is_doubtful(now, last_seen(connection), witness):
        return False
    _write(connection, _SEEN, now)
    return True


def _read(connection: Connection, name: str) -> datetime | None:
    told = connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
    return (time_in(told) or _UNKNOWN).astimezone(UTC) if told is not None else None


def _write(connection: Connection, name: str, at: datetime) -> None:
    connection.execute(delete(meta).where(meta.c.name == name))
    connection.execute(insert(meta).values(name=name, value=at.isoformat()))
