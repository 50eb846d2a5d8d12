"""Search in an archive of a million recordings: by number, time, line, agent and by who can open it now, page by page.

Newest first, by keyset: a deep page costs what the first costs. It does not decide who may search for what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    false,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
    union_all,
)

from softphone.archive.finding.rows import REVIEW, RecordingRow, Source, rows_of
from softphone.archive.schema.tables import calls, holds, purposes, recordings, time_in, wraps
from softphone.domain.archive.recordings import Cursor, Page, Query
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import Ended, local_day

EAST, WEST = timedelta(hours=14), timedelta(hours=12)
"""how far a zone's day may be ahead of UTC's, and behind it"""
SEVERAL = 100
"""lines or agents that are each searched by themselves"""
SLICE = 20_000
"""recordings that are counted at once, if each must be looked at"""
_TRAINING_PERIODS = text(
    "WITH RECURSIVE found(retention) AS ("
    "SELECT min(retention) FROM purposes INDEXED BY ix_purposes_training_period "
    "WHERE purpose = 'training' AND stands = 'keeps' UNION ALL "
    "SELECT (SELECT min(retention) FROM purposes INDEXED BY ix_purposes_training_period "
    "WHERE purpose = 'training' AND stands = 'keeps' AND retention > found.retention) "
    "FROM found WHERE found.retention IS NOT NULL) "
    "SELECT retention FROM found WHERE retention IS NOT NULL "
    "UNION ALL SELECT NULL WHERE EXISTS (SELECT 1 FROM purposes INDEXED BY ix_purposes_training_period "
    "WHERE purpose = 'training' AND stands = 'keeps' AND retention IS NULL)"
)
"""from one to the next in the index: a look for each period there is, not for each recording"""
_NEWEST = (recordings.c.opened_at.desc(), recordings.c.recording.desc())


def page(source: Source, query: Query, now: datetime, after: Cursor | None = None, limit: int = 100) -> Page:
    """At most `limit` recordings after `after`, in the same few statements whatever there is. Raises ArchiveError."""
    with source.catalog.reading() as connection:
        asked = _page(_where(source, connection, query, now, after), query, limit + 1)
        found = list(connection.execute(asked).scalars()) if asked is not None else []
        bad = set[str]()
        rows = rows_of(source, connection, found[:limit], now, bad)
        last = _place(connection, found[:limit]) if len(found) > limit else None
    return Page(tuple(rows), last, frozenset(bad))


def _place(connection: Connection, found: Sequence[str]) -> Cursor | None:
    """Where the next page begins: behind the last of which can be told when it was begun."""
    for recording in reversed(found):
        at = connection.execute(select(recordings.c.opened_at).where(recordings.c.recording == recording)).scalar()
        if begun := time_in(at):
            return Cursor(begun.astimezone(UTC), recording)
    return None


def pages(source: Source, query: Query, now: datetime, limit: int = 500) -> Iterator[Page]:
    """All of them, a page at a time: what comes or goes meanwhile may be among them or not."""
    after: Cursor | None = None
    while True:
        one = page(source, query, now, after, limit)
        yield one
        after = one.next
        if after is None:
            return


def count(
    source: Source,
    query: Query | Sequence[Query],
    now: datetime,
    progress: Callable[[int, int], object] | None = None,
) -> int:
    """How many there are; of several queries, what any of them finds, once.

    Who can open each is looked up one by one, in slices. `progress` gets how many have been looked at and how many of them
    were found. Raises ArchiveError.
    """
    queries = [query] if isinstance(query, Query) else query
    with source.catalog.reading() as connection:
        each = [and_(true(), *_where(source, connection, one, now, None), *_among(one)) for one in queries]
        asked = select(func.count()).select_from(recordings).where(or_(false(), *each))
        if all((one.opens_for is None and one.sealed_for is None) or _few(one) for one in queries):
            return int(connection.execute(asked).scalar_one())
        found, seen, begin = 0, 0, ""
        while True:
            rest = select(recordings.c.opened_at).where(recordings.c.opened_at > begin).order_by(recordings.c.opened_at)
            end = connection.execute(rest.limit(1).offset(SLICE - 1)).scalar()
            this = asked.where(recordings.c.opened_at > begin)
            this = this if end is None else this.where(recordings.c.opened_at <= end)
            found += int(connection.execute(this).scalar_one())
            if end is None:
                return found
            seen, begin = seen + SLICE, end
            if progress is not None:
                progress(seen, found)


def _page(where: list[ColumnElement[bool]], query: Query, limit: int) -> Any:
    """The ids, newest first.

    Each of several lines or agents gives its own newest by its own index, and the newest of those are taken. In one list for
    all, a rare line would be searched for in everything.
    """
    asked = select(recordings.c.recording, recordings.c.opened_at).where(*where)
    if _few(query):
        return _ids(asked.where(*_among(query)).subquery(), limit)
    if len(query.lines or query.agents or ()) > SEVERAL:
        # So many are found whatever there is.
        each = [asked.where(*_among(query))]
    elif query.lines is not None:
        # Of both, by the lines: a team's agents are many on them, and not every agent is much on them.
        each = [asked.where(*_among(replace(query, lines=(one,)))) for one in dict.fromkeys(query.lines)]
    elif query.agents is not None:
        each = [asked.where(recordings.c.agent == one) for one in dict.fromkeys(query.agents)]
    else:
        each = [asked]
    if not each:
        return None
    newest = [one.order_by(*_NEWEST).limit(limit).subquery() for one in each]
    return _ids(union_all(*(select(one) for one in newest)).subquery(), limit)


def _ids(found: Any, limit: int) -> Select[Any]:
    # Sorted by an expression without an index: otherwise the planner would walk the whole archive in the right order.
    return select(found.c.recording).order_by((found.c.opened_at + "").desc(), found.c.recording.desc()).limit(limit)


def _among(query: Query) -> Iterator[ColumnElement[bool]]:
    if query.lines is not None:
        yield recordings.c.line.in_(query.lines)
    if query.agents is not None:
        named = recordings.c.agent.in_([one for one in query.agents if one is not None])
        yield named | recordings.c.agent.is_(None) if None in query.agents else named


def _few(query: Query) -> bool:
    """One party's recordings, or those that are held: all of them are found, and then put in order."""
    return query.number is not None or query.held is True


def _where(
    source: Source, connection: Connection, query: Query, now: datetime, after: Cursor | None
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if query.number is not None:
        index = source.secrets.number_index(query.number)
        where.append(recordings.c.call.in_(select(calls.c.call).where(calls.c.number_index == index)))
    if query.held is not None:
        standing = select(holds.c.recording).where(holds.c.lifted_at.is_(None))
        where.append(recordings.c.recording.in_(standing) if query.held else ~_held())
    if query.begins:
        where.append(begins(recordings.c.recording, query.begins))
    if query.since is not None:
        where.append(recordings.c.opened_at >= _text(query.since))
    if query.until is not None:
        where.append(recordings.c.opened_at < _text(query.until))
    if after is not None:
        where.append(tuple_(recordings.c.opened_at, recordings.c.recording) < (_text(after.opened_at), after.recording))
    if query.sealed_for is not None:
        where.append(sealed_for(recordings.c.recording, *query.sealed_for))
    if query.opens_for is not None:
        where.append(_opens_for(connection, query.opens_for, now))
        if query.opens_for is KeyRole.TRAINING and (oldest := oldest_training(connection, now)) is not None:
            where.append(recordings.c.opened_at >= _text(oldest))
    return where


def oldest_training(connection: Connection, now: datetime) -> datetime | None:
    """No recording that began earlier can still train: the list ends there, and not at the archive's end."""
    periods = list(connection.execute(_TRAINING_PERIODS).scalars())
    if None in periods:
        return None
    longest = max((31 * one.months + one.days for one in map(Period.parse, periods)), default=0)
    return now - timedelta(days=longest + 2)


def sealed_for(recording: ColumnElement[str] | str, role: KeyRole, keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether one of these keys is among those for which it is sealed in this role: a look into an index for each."""
    here = (wraps.c.recording == recording) & (wraps.c.role == role.value) & wraps.c.key_id.in_(keys)
    return select(wraps.c.segment).where(here).exists()


def begins(column: ColumnElement[str], begin: str) -> ColumnElement[bool]:
    """Ids are ASCII letters, digits and hyphens: all with this beginning stand together in the index, before this."""
    return column.between(begin.lower(), f"{begin.lower()}~")


def _held() -> ColumnElement[bool]:
    return select(holds.c.hold).where(holds.c.recording == recordings.c.recording, holds.c.lifted_at.is_(None)).exists()


def _opens_for(connection: Connection, role: KeyRole, now: datetime) -> ColumnElement[bool]:
    """As `RecordingRow.opens_for`: wraps, a purpose whose day has not come in the call's own zone, and no hold on training.

    For custody any purpose, a hold, a case, or what waits to be judged.
    """
    this = recordings.c.recording
    living = select(wraps.c.segment).where(wraps.c.recording == this, wraps.c.role == role.value).exists()
    zone = select(calls.c.time_zone).where(calls.c.call == recordings.c.call).correlate(recordings).scalar_subquery()
    today = getattr(func, _know_days(connection, now))(zone)
    # What ends far from today needs no look at its call.

    def lives(ends: ColumnElement[Any]) -> ColumnElement[bool]:
        return ends.is_(None) | (ends > _day(now + EAST)) | ((ends > _day(now - WEST)) & (ends > today))

    of_it = select(purposes.c.purpose).where(purposes.c.recording == this, purposes.c.stands == Ended.KEEPS.value)
    if role is KeyRole.CUSTODY:
        waits = (purposes.c.at_end == REVIEW) & lives(purposes.c.judge_by)
        kept = of_it.where(lives(purposes.c.expires_on) | waits).exists()
        return living & (kept | recordings.c.restricted.is_not(None) | _held())
    living &= of_it.where(purposes.c.purpose == role.value, lives(purposes.c.expires_on)).exists()
    return living & ~_held() if role is KeyRole.TRAINING else living


def _know_days(connection: Connection, now: datetime) -> str:
    """Tell the database what day it is in a zone. Returns the function's name."""
    driver: Any = connection.connection.driver_connection
    day_in: Callable[[str], str] = cache(partial(_day_in, now))
    driver.create_function("day_in", 1, day_in, deterministic=True)
    return "day_in"


def _day_in(now: datetime, time_zone: str) -> str:
    return local_day(now, time_zone).isoformat()


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _text(at: datetime) -> str:
    """In the catalog's form, so that text sorts by time."""
    return at.astimezone(UTC).isoformat()


def find_one(source: Source, recording: str, now: datetime) -> RecordingRow:
    """By its id, or by a beginning that no other has. Raises ArchiveError."""
    begin = recording.lower()
    these = begins(recordings.c.recording, begin)
    with source.catalog.reading() as connection:
        asked = select(recordings.c.recording).where(these).order_by(recordings.c.recording)
        found = list(connection.execute(asked.limit(2)).scalars()) if begin else []
        if not found:
            raise ArchiveError("error.archive.no_such_recording", id=recording)
        if len(found) > 1 and found[0] != begin:
            total = connection.execute(select(func.count()).select_from(recordings).where(these)).scalar_one()
            raise ArchiveError("error.archive.ambiguous", id=recording, count=int(total))
        rows = rows_of(source, connection, found[:1], now)
    if not rows:
        raise ArchiveError("error.archive.rows_unreadable", id=found[0])
    return rows[0]
