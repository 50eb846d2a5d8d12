"""What the sweep has to look at: found by the catalog's indexes, a page at a time, so that no look is long and no list is
kept.

The sweep judges whether something is really due when it takes it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, literal_column, or_, select, tuple_

from softphone.archive.catalog.database import Catalog
from softphone.archive.schema.tables import holds, purposes, recordings

EAST = timedelta(hours=14)
"""how far ahead of UTC a day begins, at most"""
_WINDOW = 5_000
"""recordings looked through at once for those that nothing keeps"""
_STANDS = purposes.c.stands == literal_column("'keeps'")
"""as the index has it: SQLite takes a partial index for a literal only"""
due_on = func.coalesce(purposes.c.judge_by, purposes.c.expires_on)
"""on which something is to be done about a purpose"""


def pages(catalog: Catalog, now: datetime, size: int) -> Generator[Sequence[str]]:
    """Recordings that may have something due, each once; at most `size` a page, and a page may be empty."""
    by_hold: set[str] = set()
    after = ""
    while True:
        with catalog.reading() as connection:
            held = connection.execute(of_holds(now, after, size)).scalars().all()
        if not held:
            break
        by_hold.update(held)
        yield held
        after = held[-1]
    day, after = "", ""
    while True:
        with catalog.reading() as connection:
            ended = connection.execute(of_day(day, after, size)).scalars().all() if day else ()
            if not ended:
                day, after = connection.execute(next_day(now, day)).scalar() or "", ""
                if not day:
                    break
                continue
        yield [one for one in ended if one not in by_hold]
        after = ended[-1]
    at: str | None = ""
    while at is not None:
        with catalog.reading() as connection:
            loose, at = _loose(connection, at)
        left = [one for one in loose if one not in by_hold]
        yield from (left[n : n + size] for n in range(0, max(1, len(left)), size))


def count(connection: Connection, now: datetime) -> int:
    """Purposes whose day has come, give or take a day."""
    asked = select(func.count()).select_from(purposes).where(_STANDS, due_on <= _last_day(now))
    return int(connection.execute(asked).scalar_one())


def of_holds(now: datetime, after: str, size: int) -> Select[Any]:
    """Those under a hold that has reached a date of its own."""
    moment = now.isoformat()
    return (
        select(holds.c.recording)
        .distinct()
        .where(
            holds.c.lifted_at.is_(None),
            holds.c.recording > after,
            or_(
                holds.c.provisional_until <= moment,
                holds.c.confirm_by <= moment,
                holds.c.look_again <= _last_day(now),
            ),
        )
        .order_by(holds.c.recording)
        .limit(size)
    )


def next_day(now: datetime, after: str) -> Select[Any]:
    """The first day after that one, up to today, on which something is due for a purpose."""
    return select(func.min(due_on)).where(_STANDS, due_on > after, due_on <= _last_day(now))


def of_day(day: str, after: str, size: int) -> Select[Any]:
    """Those with a purpose that has reached that day, unless another of theirs reached an earlier one."""
    other = purposes.alias()
    earlier = exists().where(
        other.c.recording == purposes.c.recording,
        other.c.stands == literal_column("'keeps'"),
        tuple_(func.coalesce(other.c.judge_by, other.c.expires_on), other.c.purpose)
        < tuple_(due_on, purposes.c.purpose),
    )
    return (
        select(purposes.c.recording)
        .where(_STANDS, due_on == day, purposes.c.recording > after, ~earlier)
        .order_by(purposes.c.recording)
        .limit(size)
    )


def of_window(after: str, until: str | None) -> Select[Any]:
    """Those that no purpose keeps, in a stretch of the recordings."""
    stands = exists().where(purposes.c.recording == recordings.c.recording, _STANDS)
    stretch = recordings.c.recording > after
    if until is not None:
        stretch = and_(stretch, recordings.c.recording <= until)
    return select(recordings.c.recording).where(stretch, ~stands).order_by(recordings.c.recording)


def _loose(connection: Connection, after: str) -> tuple[Sequence[str], str | None]:
    ids = select(recordings.c.recording).where(recordings.c.recording > after).order_by(recordings.c.recording)
    until = connection.execute(ids.limit(1).offset(_WINDOW - 1)).scalar()
    found = connection.execute(of_window(after, until)).scalars().all()
    return found, until


def _last_day(now: datetime) -> str:
    return (now + EAST).date().isoformat()
