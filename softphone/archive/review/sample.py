"""The living training sample of a team: what may be listened to at this moment, newest first, without any number.

It opens nothing; `session`, beside this, has what a review says of a call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, TextClause, bindparam, text

from softphone.archive.archive import Archive
from softphone.archive.finding.searching import oldest_training
from softphone.domain.archive.reviews import SampleFilter, SamplePage, SampleQuery, SampleRow, sought_of
from softphone.domain.retention import has_expired, local_day

_WEST = timedelta(hours=12)
"""how far behind UTC a day begins, at most"""
_AT_ONCE = 500
"""recordings asked of in one statement"""
_KEEPS = "purposes.purpose = 'training' AND purposes.stands = 'keeps'"
_LIVING = """
    purposes.purpose = 'training' AND purposes.stands = 'keeps'
    AND (purposes.expires_on IS NULL OR purposes.expires_on > :earliest)
    AND recordings.restricted IS NULL AND coalesce(recordings.closed_at, recordings.broke_off_at) IS NOT NULL
    AND EXISTS (SELECT 1 FROM wraps WHERE wraps.recording = recordings.recording AND wraps.role = 'training')
    AND NOT EXISTS (SELECT 1 FROM holds WHERE holds.recording = recordings.recording AND holds.lifted_at IS NULL)
"""
"""Training can open it, as far as its day can be told without its time zone; and its call is over."""
_OF_THESE = """
    SELECT recordings.recording, recordings.opened_at, coalesce(recordings.closed_at, recordings.broke_off_at) AS ended_at,
        recordings.agent, recordings.line, calls.time_zone, purposes.expires_on, purposes.reviewed_at,
        purposes.keep_reviewed,
        (SELECT count(*) FROM review_comments WHERE review_comments.recording = recordings.recording) AS comments
    FROM ({found}) AS found
    CROSS JOIN recordings ON recordings.recording = found.recording
    CROSS JOIN purposes INDEXED BY ix_purposes_training ON purposes.recording = recordings.recording
    CROSS JOIN calls ON calls.call = recordings.call
    WHERE {where}
    ORDER BY recordings.opened_at DESC, recordings.recording DESC LIMIT :limit
"""
_WALK = """
    SELECT recording FROM (SELECT recordings.recording FROM {tables} WHERE {where}
    ORDER BY recordings.opened_at DESC, recordings.recording DESC LIMIT :limit)
"""
_IN_ORDER = """recordings INDEXED BY {index}
    CROSS JOIN purposes INDEXED BY ix_purposes_training ON purposes.recording = recordings.recording
"""
"""so that a page costs what it shows; the planner would sort all of them first"""
_OF_SAMPLE = """purposes INDEXED BY ix_purposes_training
    CROSS JOIN recordings ON recordings.recording = purposes.recording
"""
"""for what is rare or missing in the sample: the sample is small, and all there is need not be searched"""
_HOW_MANY = """
    SELECT count(*) FROM (SELECT 1 FROM purposes INDEXED BY ix_purposes_training WHERE {where} LIMIT :limit)
"""
_FEW = 20_000
"""of the sample: so many are looked at one by one, and put in order, for one page"""
_SMALL = 2
"""agents or lines that each have a search of their own, by their own index; with more, all is gone through once"""
_FOUND = """(
    instr(lower(recordings.agent), :sought) OR instr(lower(recordings.line), :sought) OR recordings.line IN :named OR (
        :read != '' AND instr(replace(replace(replace(lower(
            substr(recordings.agent, 1, instr(recordings.agent || '@', '@') - 1)
        ), '.', ' '), '_', ' '), '-', ' '), :read)
    )
)"""
_BY_DAY = """
    SELECT purposes.expires_on, calls.time_zone, purposes.reviewed_at IS NOT NULL AS reviewed, count(*) AS number
    FROM purposes INDEXED BY ix_purposes_training
    CROSS JOIN recordings ON recordings.recording = purposes.recording
    CROSS JOIN calls ON calls.call = recordings.call
    WHERE {where} GROUP BY 1, 2, 3
"""
_THESE = """
    SELECT recordings.recording, calls.time_zone, purposes.expires_on
    FROM recordings
    CROSS JOIN purposes INDEXED BY ix_purposes_training ON purposes.recording = recordings.recording
    CROSS JOIN calls ON calls.call = recordings.call
    WHERE recordings.recording IN :recordings AND {where}
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait for review that end on the same day. `days` are those left, today counted."""

    expires_on: date
    days: int
    count: int


def page(archive: Archive, query: SampleQuery, now: datetime, after: str | None = None, limit: int = 200) -> SamplePage:
    """Newest first, from where `after` left off. Raises ArchiveError, as do all below."""
    rows: list[SampleRow] = []
    with archive.catalog.reading() as connection:
        oldest = oldest_training(connection, now)
        while True:
            found = _found(connection, query, now, oldest, after, limit)
            for row in found:
                after = f"{row.opened_at} {row.recording}"
                if _lives(row, now):
                    rows.append(_row(row))
                    if len(rows) == limit:
                        return SamplePage(tuple(rows), after)
            if len(found) < limit:
                return SamplePage(tuple(rows), None)


def counts(archive: Archive, query: SampleQuery, now: datetime) -> Mapping[SampleFilter, int]:
    """How many there are of each, whichever `query` shows."""
    counted = Counter[SampleFilter]()
    with archive.catalog.reading() as connection:
        for row in _by_day(connection, query, now):
            counted[SampleFilter.REVIEWED if row.reviewed else SampleFilter.WAITING] += row.number
            counted[SampleFilter.ALL] += row.number
    return {shown: counted[shown] for shown in SampleFilter}


def waiting(archive: Archive, query: SampleQuery, now: datetime) -> list[Waiting]:
    """What has not been reviewed, by the day it ends; the soonest first, without those that have no end."""
    ends = Counter[tuple[date, int]]()
    with archive.catalog.reading() as connection:
        for row in _by_day(connection, query, now):
            if not row.reviewed and row.expires_on:
                on = date.fromisoformat(row.expires_on)
                ends[on, (on - local_day(now, row.time_zone)).days] += row.number
    return [Waiting(on, days, ends[on, days]) for on, days in sorted(ends)]


def living(archive: Archive, recordings: Iterable[str], now: datetime) -> set[str]:
    """Which of these may still be listened to for training."""
    with archive.catalog.reading() as connection:
        return living_in(connection, recordings, now)


def living_in(connection: Connection, recordings: Iterable[str], now: datetime) -> set[str]:
    """As `living`, within a transaction."""
    asked, found = list(recordings), set[str]()
    for begin in range(0, len(asked), _AT_ONCE):
        these = {"recordings": asked[begin : begin + _AT_ONCE], **_earliest(now)}
        rows = connection.execute(_statement(_THESE, [_LIVING], these), these)
        found |= {row.recording for row in rows if _lives(row, now)}
    return found


def row_of(archive: Archive, recording: str, now: datetime) -> SampleRow | None:
    """One of them; None if it is not living, or its call still goes on."""
    values = {"this": recording, **_earliest(now), "limit": 1}
    with archive.catalog.reading() as connection:
        statement = _statement(_OF_THESE, [_LIVING], values, found="SELECT :this AS recording")
        row = connection.execute(statement, values).first()
    return _row(row) if row is not None and _lives(row, now) else None


def _found(
    connection: Connection, query: SampleQuery, now: datetime, oldest: datetime | None, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """The newest after `after`. None that began before `oldest` can still be in the sample."""
    where, values = _where(query)
    where, values = [_LIVING, *where], {**values, **_earliest(now), "limit": limit}
    if oldest is not None:
        where.append("recordings.opened_at >= :oldest")
        values["oldest"] = oldest.astimezone(UTC).isoformat()
    if after is not None:
        where.append("(recordings.opened_at, recordings.recording) < (:opened_at, :recording)")
        values["opened_at"], values["recording"] = after.split(" ")
    column, those = ("agent", [*query.agents]) if query.agents else ("line", [*query.lines])
    if _is_rare(connection, query):
        walks = [_WALK.format(tables=_OF_SAMPLE, where=" AND ".join(where))]
    elif len(those) <= _SMALL:
        # Of an earlier version's call only the line is told.
        each = dict.fromkeys([*those, None] if query.agents and query.lines else those)
        tables, walks = _IN_ORDER.format(index=f"ix_recordings_{column}"), list[str]()
        for number, one in enumerate(each):
            values[f"one_{number}"] = one
            walk = [f"recordings.{column} IS :one_{number}", *where]
            walks.append(_WALK.format(tables=tables, where=" AND ".join(walk)))
    else:
        tables = _IN_ORDER.format(index="ix_recordings_opened_at")
        walks = [_WALK.format(tables=tables, where=" AND ".join(where))]
    if not walks:
        return []
    return connection.execute(_statement(_OF_THESE, [_KEEPS], values, found=" UNION ALL ".join(walks)), values).all()


def _is_rare(connection: Connection, query: SampleQuery) -> bool:
    """Whether the requested ones may be so rare that looking at the whole sample is faster than at all recordings in order."""
    if not query.search.strip() and query.shown is not SampleFilter.REVIEWED:
        return False
    where = [_KEEPS, *(["reviewed_at IS NOT NULL"] if query.shown is SampleFilter.REVIEWED else [])]
    values = {"limit": _FEW}
    return int(connection.execute(_statement(_HOW_MANY, where, values), values).scalar_one()) < _FEW


def _by_day(connection: Connection, query: SampleQuery, now: datetime) -> Iterator[Row[Any]]:
    """Few rows however many there are: one a day, a time zone, and reviewed or not."""
    where, values = _where(query, shown=False)
    values |= _earliest(now)
    rows = connection.execute(_statement(_BY_DAY, [_LIVING, *where], values), values).all()
    return (row for row in rows if _lives(row, now))


def _where(query: SampleQuery, *, shown: bool = True) -> tuple[list[str], dict[str, Any]]:
    where, values = _team(query)
    if shown and query.shown is not SampleFilter.ALL:
        where.append(f"purposes.reviewed_at IS {'' if query.shown is SampleFilter.WAITING else 'NOT '}NULL")
    if query.search.strip():
        where.append(_FOUND)
        sought, read = sought_of(query.search)
        values |= {"sought": sought, "read": read, "named": list(query.named)}
    if query.since is not None:
        where.append("recordings.opened_at >= :since")
        values["since"] = query.since.astimezone(UTC).isoformat()
    if query.until is not None:
        where.append("recordings.opened_at < :until")
        values["until"] = query.until.astimezone(UTC).isoformat()
    return where, values


def _team(query: SampleQuery) -> tuple[list[str], dict[str, Any]]:
    if not query.agents:
        return ["recordings.line IN :lines"], {"lines": list(query.lines)}
    if not query.lines:
        return ["recordings.agent IN :agents"], {"agents": list(query.agents)}
    # A call of an earlier version does not tell its agent: then its line must.
    named = "recordings.line IN :lines AND (recordings.agent IN :agents OR recordings.agent IS NULL)"
    return [named], {"lines": list(query.lines), "agents": list(query.agents)}


def _statement(form: str, where: Iterable[str], values: Mapping[str, Any], *, found: str = "") -> TextClause:
    several: list[BindParameter[Any]] = [
        bindparam(name, expanding=True) for name, value in values.items() if isinstance(value, list)
    ]
    return text(form.format(where=" AND ".join(where), found=found)).bindparams(*several)


def _earliest(now: datetime) -> dict[str, Any]:
    return {"earliest": (now.astimezone(UTC) - _WEST).date().isoformat()}


def _lives(row: Row[Any], now: datetime) -> bool:
    """By its day, in its call's time zone."""
    return row.expires_on is None or not has_expired(date.fromisoformat(row.expires_on), now, row.time_zone)


def _row(row: Row[Any]) -> SampleRow:
    opened_at = datetime.fromisoformat(row.opened_at)
    return SampleRow(
        recording=row.recording,
        agent=row.agent,
        line=row.line,
        opened_at=opened_at,
        seconds=(datetime.fromisoformat(row.ended_at) - opened_at).total_seconds(),
        time_zone=row.time_zone,
        expires_on=date.fromisoformat(row.expires_on) if row.expires_on else None,
        reviewed_at=datetime.fromisoformat(row.reviewed_at) if row.reviewed_at else None,
        comments=row.comments,
        kept_reviewed=row.keep_reviewed is not None,
    )
