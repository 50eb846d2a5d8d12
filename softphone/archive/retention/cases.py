"""Open cases: objections (G23), and grounds given under special circumstances (G32), that custody has yet to decide.

A case restricts a recording and prolongs nothing: undecided, it goes on its own date. After a month without an answer the
case is overdue, and reported daily. `deciding` decides it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, literal_column, select

from softphone.archive.changes.ending import is_case
from softphone.archive.schema.readable import params_of, read_row
from softphone.archive.schema.tables import audit, calls, holds, purposes, recordings, time_in
from softphone.domain.archive.decisions import Case, CaseKind
from softphone.domain.purpose import Reason
from softphone.domain.retention import ANSWER_WITHIN, Ended, day_begins, local_day

OPENED = ("restricted", "wraps_dropped")
"""the entries by which a session opens one"""


def open_cases(connection: Connection, now: datetime, recording: str | None = None) -> list[Case]:
    """Oldest first; of one recording, or of all. An unreadable one is left out: `verify` reports it."""
    found = [read_row(row, lambda it: [*_of(connection, it, now)]) or () for row in _rows(connection, recording)]
    return sorted(chain.from_iterable(found), key=lambda one: (one.received_at, one.recording))


def _rows(connection: Connection, recording: str | None) -> list[Any]:
    """By the two indexes of what waits, which SQLite takes for literals only."""
    grounds = select(purposes.c.recording).where(purposes.c.reason == literal_column("'grounds_given'"))
    restricted = select(recordings.c.recording).where(recordings.c.restricted.is_not(None))
    asked = (
        select(recordings, calls.c.time_zone)
        .join(calls, calls.c.call == recordings.c.call)
        .where(recordings.c.recording.in_(restricted.union(grounds)))
    )
    if recording is not None:
        asked = asked.where(recordings.c.recording == recording)
    return list(connection.execute(asked).all())


def _of(connection: Connection, row: Any, now: datetime) -> Iterator[Case]:
    told = connection.execute(select(purposes).where(purposes.c.recording == row.recording)).all()
    kinds = {CaseKind(row.restricted)} if is_case(row.restricted) else set[CaseKind]()
    if any(one.reason == Reason.GROUNDS_GIVEN.value and one.stands == Ended.TAKEN_BACK for one in told):
        kinds.add(CaseKind.GROUNDS)
    days = [date.fromisoformat(one.expires_on) for one in told if one.expires_on and _lives(one)]
    goes_on = max(days, default=None) if all(one.expires_on for one in told if _lives(one)) else None
    asked = select(holds.c.hold).where(holds.c.recording == row.recording, holds.c.lifted_at.is_(None))
    held = connection.execute(asked.limit(1)).first() is not None
    for kind in sorted(kinds):
        opened = datetime.fromisoformat(row.opened_at)
        at = max(opened, _received(connection, row, kind) or opened)
        deadline = ANSWER_WITHIN.after(local_day(at, row.time_zone))
        overdue = local_day(now, row.time_zone) > deadline
        line, zone = row.line, row.time_zone
        yield Case(row.recording, row.call, kind, line, at, deadline, goes_on, overdue, held, zone)


def _lives(purpose: Any) -> bool:
    return purpose.stands == Ended.KEEPS or purpose.reason == Reason.GROUNDS_GIVEN.value


def _received(connection: Connection, of: Any, kind: CaseKind) -> datetime | None:
    """When the session opened it, or its letter came, by the log: the last time, if an earlier one was decided."""
    asked = select(audit.c.at, audit.c.params).where(audit.c.recording == of.recording, audit.c.event.in_(OPENED))
    for row in connection.execute(asked.order_by(audit.c.number.desc())):
        params = params_of(row)
        if params.get("why") == kind.value:
            day = params.get("received")
            return day_begins(date.fromisoformat(str(day)), of.time_zone) if day else time_in(row.at)
    return None
