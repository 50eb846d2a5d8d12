"""Holds after the call (G08, G10).

Anybody who takes the complaint or the request raises one, for recordings that they need not be able to open. Custody alone
confirms, lifts and closes it, and proves to be custody by a key that opens the recording. `domain.retention` says what a
hold keeps and when it is void; the sweep takes what is past its date once a hold is lifted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

from sqlalchemy import Connection, select, update
from uuid_utils import uuid7

from softphone.archive.archive import KEY_SHOWN, Archive
from softphone.archive.catalog.clock import is_doubtful
from softphone.archive.changes.call import call_of
from softphone.archive.changes.ending import end_purpose
from softphone.archive.changes.holds import lift as lift_in_rows
from softphone.archive.changes.holds import place
from softphone.archive.changes.sealing import list_to_judge, opens_to, wrap_again
from softphone.archive.crypto import revocation
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.finding.rows import REVIEW, HoldRow, RecordingRow, hold_of, rows_of
from softphone.archive.log.policies import name_keys
from softphone.archive.retention.sweep import finish
from softphone.archive.schema.readable import read_row
from softphone.archive.schema.tables import calls, holds, purposes, recordings
from softphone.domain.archive.deciding import check_answered, check_look_again, due_by, standing_of
from softphone.domain.archive.decisions import Lifted, Standing
from softphone.domain.changes import AuditEntry, HoldBy, PlaceHold
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import (
    CONFIRM_WITHIN,
    JUDGE_WITHIN,
    Due,
    Ended,
    HoldStanding,
    due,
    hold_is_void,
    judge_by,
    local_day,
)

REFUSED = "hold_refused"
UNOPENED = "training_unopened"
"""the reason of a training that ended with its hold, since nobody could have opened it again"""


def standing(archive: Archive, now: datetime) -> list[Standing]:
    """Oldest first. An unreadable one is left out: `verify` and the sweep report it. Raises ArchiveError, as do all below."""
    with archive.catalog.reading() as connection:
        held = connection.execute(select(holds.c.recording).where(holds.c.lifted_at.is_(None)).distinct()).scalars()
        rows = rows_of(archive, connection, held.all(), now)
    found = (one for row in rows for one in read_row(row, partial(of_row, now=now)) or ())
    return sorted(found, key=lambda one: (one.hold.at, one.hold.hold))


def of_row(row: RecordingRow, now: datetime) -> list[Standing]:
    """Those on one recording, oldest first."""
    return [_on(row, hold, now) for hold in row.holds]


def with_number(archive: Archive, number: str, now: datetime, unreadable: set[str] | None = None) -> list[RecordingRow]:
    """The recordings of a party, `number` in E.164: by its keyed hash, so a withheld number is in none. `unreadable`: as
    `rows_of`."""
    index = archive.secrets.number_index(number)
    with archive.catalog.reading() as connection:
        asked = (
            select(recordings.c.recording)
            .join(calls, calls.c.call == recordings.c.call)
            .where(calls.c.number_index == index)
            .order_by(recordings.c.opened_at)
        )
        return rows_of(archive, connection, connection.execute(asked).scalars().all(), now, unreadable)


def seek(
    archive: Archive, number: str, by: HoldBy, now: datetime, unreadable: set[str] | None = None, *, key: str = ""
) -> list[RecordingRow]:
    """As `with_number`, to lock them. The person who takes the complaint learns how many there are: the audit log notes that
    first, without the number. `key`: the id of one of theirs, if they have any."""
    found = with_number(archive, number, now, unreadable)
    told: dict[str, str | int | bool | None] = {"count": len(found), **({"key": key[:KEY_SHOWN]} if key else {})}
    archive.note(AuditEntry("hold_sought", _rule(by), now, "", params=told))
    return found


def raise_holds(
    archive: Archive,
    rows: Sequence[RecordingRow],
    by: HoldBy,
    why: str,
    raised_by: str,
    now: datetime,
    within: Period = CONFIRM_WITHIN,
) -> list[Standing]:
    """Needs no key: anybody may take a complaint. Their training wraps go. All at once, or none. What has gone since is left
    out, and what the same person holds for the same reason already is held by that.

    `within`: how long custody has to confirm a dispute; a request for access is answered within its own month.
    """
    raised: list[Standing] = []
    with archive.catalog.writing() as tx:
        for row in rows:
            if call_of(tx.connection, row.recording) is None:
                continue
            same = select(holds).where(
                holds.c.recording == row.recording,
                holds.c.raised_for == by.value,
                holds.c.raised_by == raised_by,
                holds.c.why == why,
                holds.c.lifted_at.is_(None),
            )
            if (hold := tx.execute(same).first()) is None:
                id, until = str(uuid7()), due_by(by, row.time_zone, now, within)
                place(tx, PlaceHold(id, row.recording, by, raised_by, now, None, why, confirm_by=until))
                tx.log(_entry("hold_placed", row, now, rule=_rule(by), by=by.value, hold=id))
                hold = tx.execute(same).one()
            raised.append(_on(row, hold_of(hold), now))
    finish(archive)
    return raised


def confirm(archive: Archive, hold: str, look_again: date, now: datetime) -> Standing:
    """Custody has judged that it stands, and says when it judges again."""
    row, found, _ = _for_custody(archive, hold, "confirm", now)
    check_look_again(found.raised_for, found.at, row.time_zone, look_again, now)
    told = {"look_again": look_again.isoformat(), "hold": hold}
    entry = archive.decided_on(row.recording)(_entry("hold_confirmed", row, now, **told))
    with archive.catalog.writing() as tx:
        if _is_void(_still(tx.connection, hold), now):
            # Nobody decided in time, so it may no longer keep anything, whatever is decided now.
            raise ArchiveError("error.archive.hold_void")
        decided = {"provisional_until": None, "confirm_by": None, "look_again": look_again.isoformat()}
        tx.execute(update(holds).where(holds.c.hold == hold).values(confirmed_at=now.isoformat(), **decided))
        tx.log(entry)
    return next(one for one in of_row(archive.find(row.recording, now), now) if one.hold.hold == hold)


def lift(
    archive: Archive,
    hold: str,
    reason: str,
    recipients: Sequence[Recipient] | None,
    now: datetime,
    *,
    judge_within: Period = JUDGE_WITHIN,
    training_may_end: bool = False,
) -> Lifted:
    """The original dates count again. Training that has neither ended nor expired is wrapped anew for `recipients`; if none
    of them is for training it ends, if it may.

    None: no policy says who, and nothing is lifted that needs somebody. What the policy wants judged, and has reached its
    day, waits for that. `reason` stands in the audit log, which holds no name and no number.
    """
    row, found, data_keys = _for_custody(archive, hold, "lift", now)
    if found.raised_for == HoldBy.ACCESS:
        raise ArchiveError("error.archive.hold_is_access", id=hold)
    entry = archive.decided_on(row.recording)(_entry("hold_lifted", row, now, why=reason, hold=hold))
    return _end(archive, hold, row, data_keys, recipients, reason, entry, judge_within, training_may_end)


def close(
    archive: Archive,
    hold: str,
    recipients: Sequence[Recipient] | None,
    now: datetime,
    *,
    answered: date | None = None,
    reason: str = "",
    judge_within: Period = JUDGE_WITHIN,
    training_may_end: bool = False,
) -> Lifted:
    """The request for access behind it was answered on that day, or will not be, for a reason (G08). Then as `lift`."""
    row, found, data_keys = _for_custody(archive, hold, "close", now)
    if found.raised_for != HoldBy.ACCESS:
        raise ArchiveError("error.archive.hold_is_dispute", id=hold)
    if answered is not None:
        check_answered(answered, row.opened_at, row.time_zone, now)
        entry = _entry("access_answered", row, now, rule="G08", answered=answered.isoformat(), hold=hold)
    else:
        entry = _entry("access_not_answered", row, now, rule="G08", why=reason, hold=hold)
    entry = archive.decided_on(row.recording)(entry)
    return _end(archive, hold, row, data_keys, recipients, reason or "answered", entry, judge_within, training_may_end)


def _end(
    archive: Archive,
    hold: str,
    row: RecordingRow,
    data_keys: Mapping[int, bytes],
    recipients: Sequence[Recipient] | None,
    reason: str,
    entry: AuditEntry,
    judge_within: Period,
    training_may_end: bool,
) -> Lifted:
    now, ended = entry.at, False
    name_keys(archive, recipients or (), now)
    with archive.catalog.writing() as tx:
        _still(tx.connection, hold)
        lift_in_rows(tx, hold, reason, now)
        tx.log(entry)
        if opens_to(tx.connection, row.recording, Purpose.TRAINING):
            came_to, day, until = _training(tx.connection, row, now, judge_within)
            told_of = {"rule": "G36", "purpose": Purpose.TRAINING.value, "since": str(day)}
            if came_to is Due.NOT_YET:
                if recipients is None or _named(tx.connection, recipients, row.line):
                    wrap_again(tx, row.recording, Purpose.TRAINING, data_keys, recipients or ())
                elif not training_may_end:
                    raise ArchiveError("error.archive.lift_ends_training", id=row.recording)
                else:
                    # The policy names nobody who could open it, so it is certain not to be used.
                    ended = True
                    end_purpose(tx, row.recording, Purpose.TRAINING, Ended.TAKEN_BACK, UNOPENED)
                    tx.log(_entry(UNOPENED, row, now, rule="G38"))
            elif until is None:
                end_purpose(tx, row.recording, Purpose.TRAINING, Ended.EXPIRED, "expired")
                tx.log(_entry("sweep_purpose_expired", row, now, **told_of))
            else:
                # Also what is past its time to be judged by: that it ends, is the sweep's.
                list_to_judge(tx, row.recording, Purpose.TRAINING, until)
                tx.log(_entry("sweep_to_judge", row, now, **told_of, judge_by=until.isoformat()))
    return Lifted(archive.find(row.recording, now), ended)


def _named(connection: Connection, recipients: Sequence[Recipient], line: str | None) -> bool:
    """Whether one of them has a key for training on this line that still stands."""
    standing = revocation.standing(connection, recipients)
    return any(one.role is KeyRole.TRAINING and one.of_line(line) for one in standing)


def _training(
    connection: Connection, row: RecordingRow, now: datetime, within: Period
) -> tuple[Due, date | None, date | None]:
    """What it has come to, its day, and the one on which it ends unjudged, if the policy wants it judged.

    A doubted clock ends nothing: the next sweep that believes it does.
    """
    training = connection.execute(
        select(purposes.c.expires_on, purposes.c.at_end).where(
            purposes.c.recording == row.recording, purposes.c.purpose == Purpose.TRAINING.value
        )
    ).one()
    if training.expires_on is None or is_doubtful(connection, now):
        return Due.NOT_YET, None, None
    day = date.fromisoformat(training.expires_on)
    today = local_day(now, row.time_zone)
    until = judge_by(day, within, listed_on=today) if training.at_end == REVIEW else None
    return due(day, today, judge_by=until), day, until


def _for_custody(
    archive: Archive, hold: str, what: str, now: datetime
) -> tuple[RecordingRow, HoldRow, dict[int, bytes]]:
    """The hold and its recording, and what custody opens of that. Others are refused, and the log notes it."""
    with archive.catalog.reading() as connection:
        found = _still(connection, hold)
        recording = str(connection.execute(select(holds.c.recording).where(holds.c.hold == hold)).scalar())
    row = archive.find(recording, now)
    _, data_keys = archive.keys_for(row, KeyRole.CUSTODY, now, refusal=REFUSED, what=what)
    return row, found, data_keys


def _still(connection: Connection, hold: str) -> HoldRow:
    row = connection.execute(select(holds).where(holds.c.hold == hold, holds.c.lifted_at.is_(None))).first()
    if row is None:
        raise ArchiveError("error.archive.no_such_hold", id=hold)
    return hold_of(row)


def _is_void(hold: HoldRow, now: datetime) -> bool:
    return hold_is_void(HoldStanding(HoldBy(hold.raised_for).by_party, hold.provisional_until), now)


def _rule(by: HoldBy) -> str:
    return "G08" if by is HoldBy.ACCESS else "G10"


def _on(row: RecordingRow, hold: HoldRow, now: datetime) -> Standing:
    return standing_of(row.recording, hold, row.time_zone, now, alone=not row.kept)


def _entry(event: str, row: RecordingRow, now: datetime, *, rule: str = "G10", **params: str) -> AuditEntry:
    return AuditEntry(event, rule, now, row.call, row.recording, dict(params))
