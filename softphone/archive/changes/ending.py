"""How what is recorded ends in the rows: a purpose, all that others may open, the whole recording.

The session, the sweep and custody decide when. Files go once the rows have (`condemned`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from softphone.archive.catalog import own_calls
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import call_of
from softphone.archive.changes.execution import HOLD_ONLY, Execution
from softphone.archive.changes.sealing import drop_wraps, is_held, restricted_by
from softphone.archive.changes.tally import Tallied, tally_call
from softphone.archive.log import written
from softphone.archive.outbox import rows as outbox
from softphone.archive.schema.tables import (
    calls,
    condemned,
    holds,
    purposes,
    recordings,
    review_comments,
    review_scores,
    reviews,
    segments,
    wraps,
)
from softphone.domain.changes import CloseRecording, Discard, DropWraps, Restrict
from softphone.domain.purpose import KeyRole, Purpose, Reason
from softphone.domain.retention import Ended

FOR_A_HOLD = "hold"
"""the reason of training wraps that go because of a hold: the purpose itself does not end by it"""
_REVIEW = (review_comments, review_scores, reviews)


def wraps_dropped(done: Execution, change: DropWraps) -> None:
    drop_wraps(done.tx, change.recording, change.role, comes_back=change.reason == FOR_A_HOLD)
    if change.reason != FOR_A_HOLD:
        if change.role is KeyRole.TRAINING:
            done.taken_back.append(change.recording)
        if change.role is not KeyRole.CUSTODY:
            purpose = Purpose(change.role.value)
            end_purpose(done.tx, change.recording, purpose, Ended.TAKEN_BACK, change.reason)
            outbox.withdraw(done.tx, change.recording, (purpose,), change.reason)
            outbox.case(done.tx, change.recording, change.reason, whole=False)
    done.dropped = True


def restricted(done: Execution, change: Restrict) -> None:
    if is_case(change.reason):
        outbox.case(done.tx, change.recording, change.reason, whole=True)
    else:
        outbox.withdraw(done.tx, change.recording, keeping(done.tx, change.recording), change.ended_by)
    restrict(done.tx, change.recording, change.reason)
    done.taken_back.append(change.recording)
    done.dropped = True


def discarded(done: Execution, change: Discard) -> None:
    outbox.withdraw(done.tx, change.recording, keeping(done.tx, change.recording), change.reason)
    if not is_held(done.tx.connection, change.recording):
        discard(done.tx, change.recording, datetime.now(UTC))
        done.discarded.append(change.recording)
        return
    # Raised or confirmed elsewhere meanwhile: nobody can read what was withdrawn, and what is held is there.
    restrict(done.tx, change.recording, HOLD_ONLY)
    done.held[change.recording] = call_of(done.tx.connection, change.recording) or ""
    done.taken_back.append(change.recording)
    done.dropped = True


def closed(done: Execution, change: CloseRecording) -> None:
    tx, of = done.tx, change.recording
    tx.execute(update(recordings).where(recordings.c.recording == of).values(closed_at=change.at.isoformat()))
    if restricted_by(tx.connection, of) is None:
        for purpose in Purpose:
            if purpose not in change.purposes:
                drop_wraps(tx, of, KeyRole(purpose.value))
                end_purpose(tx, of, purpose, Ended.TAKEN_BACK, "closed_without")
    ended, call = done.memory.written.get(of, {}), call_of(tx.connection, of) or ""
    done.also_logged += written.count(tx.connection, of, call, ended, change.at)
    done.closed.append(of)
    done.dropped = True
    done.vault.settle(of)


def end_purpose(tx: Transaction, recording: str, purpose: Purpose, ended: Ended, reason: str) -> None:
    if purpose is Purpose.TRAINING:
        if ended is Ended.EXPIRED:
            _count_unseen(tx, recording)
        # What was said in a review is there as long as the call may be listened to for training, and no longer (L4).
        _delete(tx, recording, *_REVIEW)
    this = (purposes.c.recording == recording) & (purposes.c.purpose == purpose.value)
    stands = purposes.c.stands == Ended.KEEPS.value
    tx.execute(update(purposes).where(this, stands).values(stands=ended.value, reason=reason))


def restrict(tx: Transaction, recording: str, reason: str) -> None:
    """Only custody opens it from now on."""
    drop_wraps(tx, recording, KeyRole.DOCUMENTATION, KeyRole.TRAINING)
    tx.execute(update(recordings).where(recordings.c.recording == recording).values(restricted=reason))
    if not is_case(reason):
        for purpose in Purpose:
            end_purpose(tx, recording, purpose, Ended.TAKEN_BACK, reason)


def discard(tx: Transaction, recording: str, at: datetime) -> None:
    """All rows of a recording, and with the last of them its call's number and the agent's note. The file is still there: it
    is condemned."""
    call = call_of(tx.connection, recording)
    if call is None:
        return
    tx.wraps.drop(wraps.c.recording == recording)
    _delete(tx, recording, segments, purposes, holds, *_REVIEW, recordings)
    if not tx.execute(select(recordings.c.recording).where(recordings.c.call == call)).first():
        tx.execute(delete(calls).where(calls.c.call == call))
        own_calls.erase_note(tx, call)
    tx.insert(condemned, recording=recording, at=at.isoformat())


def call_row(connection: Connection, recording: str) -> Row[Any] | None:
    asked = select(calls).join(recordings, recordings.c.call == calls.c.call)
    return connection.execute(asked.where(recordings.c.recording == recording)).first()


def is_case(restricted: str | None) -> bool:
    return restricted is not None and restricted != HOLD_ONLY


def waits_for_case(stands: str, reason: str | None) -> bool:
    """Whether a purpose has ended on grounds that custody still has to judge (G32). Until its own date that keeps the
    recording, as the purpose would have."""
    return stands == Ended.TAKEN_BACK and reason == Reason.GROUNDS_GIVEN.value


def keeping(tx: Transaction, recording: str) -> list[Purpose]:
    asked = select(purposes.c.purpose).where(purposes.c.recording == recording, purposes.c.stands == Ended.KEEPS.value)
    return [Purpose(one) for one in tx.execute(asked).scalars()]


def _delete(tx: Transaction, recording: str, *tables: Any) -> None:
    for table in tables:
        tx.execute(delete(table).where(table.c.recording == recording))


def _count_unseen(tx: Transaction, recording: str) -> None:
    """It was to be reviewed, and nobody did in time. What a case has taken out of training was declined."""
    asked = select(purposes.c.expires_on).where(
        purposes.c.recording == recording,
        purposes.c.purpose == Purpose.TRAINING.value,
        purposes.c.stands == Ended.KEEPS.value,
        purposes.c.reviewed_at.is_(None),
        purposes.c.expires_on.is_not(None),
    )
    last = tx.execute(asked).scalar()
    call = call_row(tx.connection, recording)
    if last is not None and call is not None and restricted_by(tx.connection, recording) is None:
        tally_call(tx, call, Tallied.EXPIRED_UNSEEN, date.fromisoformat(last))
