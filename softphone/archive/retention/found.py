"""A recording as its rows describe it to the sweep, each value read as what it is: a word, a day, a moment.

It judges nothing. What nobody can read was put in past the program, and deletes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from softphone.archive.finding.rows import REVIEW
from softphone.archive.schema.readable import read_row
from softphone.archive.schema.tables import calls, holds, purposes, recordings, time_in
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Purpose
from softphone.domain.retention import Ended, local_day

AnyRow = Row[*tuple[Any, ...]]
_LAST_YEAR = 9_000
"""from which a period can still be counted on"""
_log = logging.getLogger(__name__)


class UnreadableError(Exception):
    """Of a recording whose rows hold what the program never writes."""


@dataclass(frozen=True, slots=True)
class FoundPurpose:
    which: Purpose
    stands: Ended
    reason: str | None
    expires_on: date | None
    judge_by: date | None
    to_be_judged: bool
    """custody judges it at its end, where the policy says so"""


@dataclass(frozen=True, slots=True)
class FoundHold:
    hold: str
    by: HoldBy
    until: datetime | None
    confirm: datetime | None
    look_again: date | None


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """A recording as its rows tell of it, each read as what it is."""

    row: AnyRow
    today: date
    opened_at: datetime
    purposes: tuple[FoundPurpose, ...]
    holds: tuple[FoundHold, ...]


def read(connection: Connection, recording: str, now: datetime) -> StoredRecording | None:
    """Raises UnreadableError. So the code that judges and deletes need not ask what is in a row, and a fault of its own is
    never taken for somebody's change."""
    row = row_of(connection, recording)
    if row is None:
        return None
    of_it = select(purposes).where(purposes.c.recording == recording)
    stand = select(holds).where(holds.c.recording == recording, holds.c.lifted_at.is_(None))
    made_for, held = connection.execute(of_it).all(), connection.execute(stand).all()
    stored = read_row(row, partial(_stored, now=now, made_for=made_for, held=held))
    if stored is None:
        # Its contents stay out of it: they may be about a person.
        _log.warning("unreadable rows")
        raise UnreadableError(recording)
    return stored


def _stored(row: AnyRow, now: datetime, made_for: Sequence[AnyRow], held: Sequence[AnyRow]) -> StoredRecording:
    if not isinstance(row.recording, str):
        raise TypeError(row.recording)
    kept = tuple(
        FoundPurpose(
            Purpose(one.purpose),
            Ended(one.stands),
            one.reason,
            _day(one.expires_on),
            _day(one.judge_by),
            one.at_end == REVIEW,
        )
        for one in made_for
    )
    standing = tuple(
        FoundHold(
            one.hold,
            HoldBy(one.raised_for),
            _moment(one.provisional_until),
            _moment(one.confirm_by),
            _day(one.look_again),
        )
        for one in held
    )
    return StoredRecording(row, local_day(now, row.time_zone), _required(row.opened_at), kept, standing)


def _required(told: object) -> datetime:
    if (at := time_in(told)) is None:
        raise ValueError("no time")
    return at


def _moment(told: object) -> datetime | None:
    return None if told is None else _required(told)


def _day(told: str | None) -> date | None:
    day = None if told is None else date.fromisoformat(told)
    if day is not None and day.year > _LAST_YEAR:
        raise ValueError("no day")
    return day


def _ask() -> Select[*tuple[Any, ...]]:
    return select(
        recordings.c.recording,
        recordings.c.call,
        recordings.c.opened_at,
        recordings.c.closed_at,
        recordings.c.broke_off_at,
        recordings.c.restricted,
        calls.c.time_zone,
    ).join(calls, calls.c.call == recordings.c.call)


def row_of(connection: Connection, recording: str) -> AnyRow | None:
    return connection.execute(_ask().where(recordings.c.recording == recording)).first()
