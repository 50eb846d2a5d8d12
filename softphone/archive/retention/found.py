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

from sqlalchemy import Connection, Row, select

from softphone.archive.finding.rows import REVIEW, HoldRow, hold_of
from softphone.archive.schema.readable import day_of, moment_of, read_row
from softphone.archive.schema.tables import calls, holds, purposes, recordings
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Purpose
from softphone.domain.retention import Ended, local_day

AnyRow = Row[*tuple[Any, ...]]
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
class StoredRecording:
    """A recording as its rows tell of it, each read as what it is."""

    row: AnyRow
    today: date
    opened_at: datetime
    purposes: tuple[FoundPurpose, ...]
    holds: tuple[tuple[HoldBy, HoldRow], ...]


def read(connection: Connection, recording: str, now: datetime) -> StoredRecording | None:
    """Raises UnreadableError. A fault of the code that judges and deletes is then never taken for somebody's change."""
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
        raise TypeError("no id")
    kept = tuple(
        FoundPurpose(
            Purpose(one.purpose),
            Ended(one.stands),
            one.reason,
            day_of(one.expires_on),
            day_of(one.judge_by),
            one.at_end == REVIEW,
        )
        for one in made_for
    )
    standing = tuple((HoldBy(one.raised_for), hold_of(one)) for one in held)
    return StoredRecording(row, local_day(now, row.time_zone), moment_of(row.opened_at), kept, standing)


def row_of(connection: Connection, recording: str) -> AnyRow | None:
    asked = select(recordings, calls.c.time_zone).join(calls, calls.c.call == recordings.c.call)
    return connection.execute(asked.where(recordings.c.recording == recording)).first()
