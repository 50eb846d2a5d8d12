"""What the sweep has to look at, found by the catalog's indexes. Whether it is really due is judged when it is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, exists, func, literal_column, or_, select

from softphone.archive.catalog.database import Catalog
from softphone.archive.schema.tables import holds, purposes, recordings

EAST = timedelta(hours=14)
"""how far ahead of UTC a day begins, at most"""
_STANDS = purposes.c.stands == literal_column("'keeps'")
"""as the index has it: SQLite takes a partial index for a literal only"""
_DUE_ON = func.coalesce(purposes.c.judge_by, purposes.c.expires_on)
"""on which something is to be done about a purpose"""


def pages(catalog: Catalog, now: datetime, size: int) -> Iterator[Sequence[str]]:
    """Recordings that may have something due, each once, those whose day came first at the beginning."""
    with catalog.reading() as connection:
        asked = (of_holds(now), of_purposes(now), of_nothing())
        found = list(dict.fromkeys(one for each in asked for one in connection.execute(each).scalars()))
    yield from (found[first : first + size] for first in range(0, len(found), size))


def count(connection: Connection, now: datetime) -> int:
    """Purposes whose day has come, give or take a day."""
    asked = select(func.count()).select_from(purposes).where(_STANDS, last_day(now) >= _DUE_ON)
    return int(connection.execute(asked).scalar_one())


def of_holds(now: datetime) -> Select[Any]:
    """Those under a hold that has reached a date of its own."""
    moment = now.isoformat()
    reached = or_(
        holds.c.provisional_until <= moment,
        holds.c.confirm_by <= moment,
        holds.c.look_again <= last_day(now),
    )
    return select(holds.c.recording).where(holds.c.lifted_at.is_(None), reached)


def of_purposes(now: datetime) -> Select[Any]:
    return select(purposes.c.recording).where(_STANDS, last_day(now) >= _DUE_ON).order_by(_DUE_ON)


def of_nothing() -> Select[Any]:
    """Those that no purpose keeps."""
    stands = exists().where(purposes.c.recording == recordings.c.recording, _STANDS)
    return select(recordings.c.recording).where(~stands)


def last_day(now: datetime) -> str:
    """Today, wherever it is latest."""
    return (now + EAST).date().isoformat()
