"""Holds in the rows: placed, changed, lifted. Who may, and what one keeps, is not asked here."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import call_of
from softphone.archive.changes.execution import Execution, OvertakenError
from softphone.archive.changes.sealing import drop_wraps, opens_to, wrap_from_memory, wraps_of
from softphone.archive.outbox import rows as outbox
from softphone.archive.schema.tables import holds
from softphone.domain.changes import UNDONE, ChangeHold, HoldBy, LiftHold, PlaceHold
from softphone.domain.purpose import KeyRole, Purpose


def placed(done: Execution, change: PlaceHold) -> None:
    if call_of(done.tx.connection, change.recording) is None:
        raise OvertakenError(change.recording)
    done.placed.append((change.recording, change.hold))
    if taken := wraps_of(done.tx, change.recording, KeyRole.TRAINING):
        done.aside[change.recording] = taken
    place(done.tx, change)
    done.dropped = True


def changed(done: Execution, change: ChangeHold) -> None:
    until = change.provisional_until.isoformat() if change.provisional_until else None
    this = (holds.c.hold == change.hold) & holds.c.confirmed_at.is_(None)
    ours = this & (holds.c.raised_for == HoldBy.CONTROLLER.value) & holds.c.lifted_at.is_(None)
    becomes_party_s = (
        change.by is HoldBy.PARTY and done.tx.execute(select(holds.c.hold).where(ours)).first() is not None
    )
    done.tx.execute(update(holds).where(this).values(raised_for=change.by.value, provisional_until=until))
    if becomes_party_s:
        outbox.hold_is_party_s(done.tx, change.hold)


def lifted(done: Execution, change: LiftHold) -> None:
    decided = holds.c.confirmed_at.is_not(None) & holds.c.lifted_at.is_(None)
    confirmed = done.tx.execute(select(holds.c.recording).where(holds.c.hold == change.hold, decided)).scalar()
    if confirmed:
        if change.restore_training or change.reason == UNDONE:
            raise OvertakenError(confirmed)
        done.unlifted.append(confirmed)
        return
    recording = lift(done.tx, change.hold, change.reason, datetime.now(UTC))
    if recording is None:
        return
    done.lifted.append((recording, change.hold))
    if change.restore_training:
        back = opens_to(done.tx.connection, recording, Purpose.TRAINING)
        wrap_from_memory(done, recording, Purpose.TRAINING, back)


def place(tx: Transaction, change: PlaceHold) -> None:
    """On a recording that is there; a hold that stands already changes nothing."""
    known = tx.execute(select(holds.c.lifted_at).where(holds.c.hold == change.hold)).first()
    if known is not None and known.lifted_at is None:
        return
    if known is not None:
        # A call counts its holds: an undone one has left its number to the next, and stands under another name.
        tx.execute(update(holds).where(holds.c.hold == change.hold).values(hold=f"{change.hold}-{known.lifted_at}"))
    drop_wraps(tx, change.recording, KeyRole.TRAINING, comes_back=True)
    tx.insert(
        holds,
        hold=change.hold,
        recording=change.recording,
        raised_for=change.by.value,
        raised_by=change.raised_by,
        at=change.at.isoformat(),
        provisional_until=change.provisional_until.isoformat() if change.provisional_until else None,
        confirm_by=change.confirm_by.isoformat() if change.confirm_by else None,
        why=change.why,
    )
    outbox.hold(tx, change)


def lift(tx: Transaction, hold: str, reason: str, at: datetime) -> str | None:
    """The recording that it held; None if no such hold stands."""
    standing = (holds.c.hold == hold) & holds.c.lifted_at.is_(None)
    recording = tx.execute(select(holds.c.recording).where(standing)).scalar()
    tx.execute(update(holds).where(standing).values(lifted_at=at.isoformat(), lifted_reason=reason))
    if recording is not None:
        outbox.lift(tx, hold, recording, reason)
    return recording
