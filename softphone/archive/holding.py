"""Holds after the call: raised by whoever takes the complaint, for recordings they need not be able to open; confirmed and
lifted by custody alone, who proves to be it by a key that opens the recording (G10).

What a hold keeps, and when it is void, is `domain.retention`'s; what is past its date once a hold is lifted, the sweep's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, update
from uuid_utils import uuid7

from softphone.archive import audit
from softphone.archive.archive import Archive, HoldRow, RecordingRow
from softphone.archive.changes import Tables
from softphone.archive.keys import revocation
from softphone.archive.keys import wraps as keys
from softphone.archive.keys.wraps import Recipient
from softphone.archive.sweep import finish
from softphone.archive.tables import calls, holds, purposes, recordings
from softphone.domain.changes import AuditEntry, HoldBy, PlaceHold
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import (
    Ended,
    HoldStanding,
    HoldState,
    has_expired,
    hold_is_void,
    hold_state,
    local_day,
)

CONFIRM_WITHIN = Period(days=30)
"""custody is to look at a hold by then (`hold_unconfirmed`); overdue is reported"""
REFUSED = "hold_refused"


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold that has not been lifted. `alone`: no purpose keeps the recording, so that custody alone opens it."""

    recording: str
    hold: HoldRow
    state: HoldState
    alone: bool


def standing(archive: Archive, now: datetime) -> list[Standing]:
    """Oldest first. Raises ArchiveError, as do all below."""
    asked = (
        select(holds, calls.c.time_zone)
        .join(recordings, recordings.c.recording == holds.c.recording)
        .join(calls, calls.c.call == recordings.c.call)
        .where(holds.c.lifted_at.is_(None))
        .order_by(holds.c.at, holds.c.hold)
    )
    with archive.catalog.reading() as connection:
        return [_standing(connection, row, now) for row in connection.execute(asked).all()]


def with_number(archive: Archive, number: str, now: datetime) -> list[RecordingRow]:
    """The recordings of a party, `number` in E.164: by its keyed hash, so that a withheld number is in none."""
    index = archive.secrets.number_index(number)
    with archive.catalog.reading() as connection:
        asked = (
            select(recordings.c.recording)
            .join(calls, calls.c.call == recordings.c.call)
            .where(calls.c.number_index == index)
            .order_by(recordings.c.opened_at)
        )
        found = list(connection.execute(asked).scalars())
    return [archive.find(recording, now) for recording in found]


def raise_hold(
    archive: Archive,
    recording: str,
    by: HoldBy,
    why: str,
    raised_by: str,
    now: datetime,
    within: Period = CONFIRM_WITHIN,
) -> str:
    """Needs no key: a complaint is taken by whoever hears of it. Its training wraps go. The hold's id."""
    row = archive.find(recording, now)
    hold = str(uuid7())
    with archive.catalog.writing() as connection:
        tables = Tables(connection, archive.desk, archive.secrets)
        if not tables.exists(row.recording):
            raise ArchiveError("error.archive.no_such_recording", id=row.recording)
        tables.place_hold(
            PlaceHold(hold, row.recording, by, raised_by, now, None, why, confirm_by=now + within.length())
        )
        audit.append(connection, archive.desk, [_entry("hold_placed", row, now, by=by.value)])
    finish(archive)
    return hold


def confirm(archive: Archive, hold: str, look_again: date, now: datetime) -> Standing:
    """Custody has judged that it stands, and says when it is to be judged again."""
    found, row, _ = _for_custody(archive, hold, "confirm", now)
    if look_again <= now.date():
        raise ArchiveError("error.archive.look_again_past")
    with archive.catalog.writing() as connection:
        if _is_void(_still(connection, found), now):
            # Nobody decided in time: it may no longer keep anything, whatever is decided now.
            raise ArchiveError("error.archive.hold_void")
        decided = {"provisional_until": None, "confirm_by": None, "look_again": look_again.isoformat()}
        connection.execute(update(holds).where(holds.c.hold == found).values(confirmed_at=now.isoformat(), **decided))
        audit.append(connection, archive.desk, [_entry("hold_confirmed", row, now, look_again=look_again.isoformat())])
    return next(one for one in standing(archive, now) if one.hold.hold == found)


def lift(archive: Archive, hold: str, reason: str, recipients: Sequence[Recipient], now: datetime) -> RecordingRow:
    """The original dates count again. Training that has neither ended nor expired is wrapped anew for `recipients`.

    `reason` stands in the audit log, which holds no name and no number.
    """
    found, row, data_keys = _for_custody(archive, hold, "lift", now)
    with archive.catalog.writing() as connection:
        _still(connection, found)
        tables = Tables(connection, archive.desk, archive.secrets)
        tables.lift_hold(found, reason, now)
        told = [_entry("hold_lifted", row, now, why=reason)]
        if segments := tables.trainable(row.recording):
            ends = row.expires.get(Purpose.TRAINING)
            zone = connection.execute(select(calls.c.time_zone).where(calls.c.call == row.call)).scalar_one()
            if ends is not None and has_expired(ends, now, zone):
                tables.end_purpose(row.recording, Purpose.TRAINING, Ended.EXPIRED, "expired")
                told.append(_entry("sweep_purpose_expired", row, now, rule="G36", purpose=Purpose.TRAINING.value))
            else:
                those = [one for one in revocation.standing(connection, recipients) if one.role is KeyRole.TRAINING]
                if not those or not data_keys.keys() >= set(segments):
                    raise ArchiveError("error.archive.no_training_key", id=row.recording)
                for segment in segments:
                    tables.add_wraps([keys.wrap(data_keys[segment], one, row.recording, segment) for one in those])
        audit.append(connection, archive.desk, told)
    return archive.find(row.recording, now)


def _for_custody(archive: Archive, hold: str, what: str, now: datetime) -> tuple[str, RecordingRow, dict[int, bytes]]:
    """The hold's id, its recording, and what custody opens of it. Who is not custody is refused, and the log tells of it."""
    with archive.catalog.reading() as connection:
        asked = select(holds.c.hold, holds.c.recording).where(holds.c.lifted_at.is_(None))
        found = [one for one in connection.execute(asked) if hold and one.hold.startswith(hold.lower())]
    exact = [one for one in found if one.hold == hold]
    if len(exact or found) != 1:
        raise ArchiveError(
            "error.archive.ambiguous_hold" if found else "error.archive.no_such_hold", id=hold, count=len(found)
        )
    one = (exact or found)[0]
    row = archive.find(one.recording, now)
    _, data_keys = archive.keys_for(row, KeyRole.CUSTODY, now, refusal=REFUSED, what=what)
    return one.hold, row, data_keys


def _still(connection: Connection, hold: str) -> HoldRow:
    row = connection.execute(select(holds).where(holds.c.hold == hold, holds.c.lifted_at.is_(None))).first()
    if row is None:
        raise ArchiveError("error.archive.no_such_hold", id=hold)
    return HoldRow.of(row)


def _is_void(hold: HoldRow, now: datetime) -> bool:
    return hold_is_void(HoldStanding(hold.raised_for == HoldBy.PARTY, hold.provisional_until), now)


def _standing(connection: Connection, row: Any, now: datetime) -> Standing:
    hold = HoldRow.of(row)
    keeps = connection.execute(
        select(purposes.c.expires_on).where(
            purposes.c.recording == row.recording, purposes.c.stands == Ended.KEEPS.value
        )
    ).scalars()
    alone = all(one is not None and has_expired(date.fromisoformat(one), now, row.time_zone) for one in keeps)
    state = hold_state(
        provisional_until=hold.provisional_until,
        confirm_by=hold.confirm_by,
        look_again=hold.look_again,
        now=now,
        today=local_day(now, row.time_zone),
    )
    return Standing(row.recording, hold, state, alone)


def _entry(event: str, row: RecordingRow, now: datetime, *, rule: str = "G10", **params: str) -> AuditEntry:
    return AuditEntry(event, rule, now, row.call, row.recording, dict(params))
