"""What a party asks for after the call, in all that the house has of it (G04, G23, G31, G37); agents' notes (G08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.archive.decisions import PurposesEnded, Right, WithdrawalResult
from softphone.domain.events import Terms
from softphone.domain.policy.terms import terms_afterwards
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import REMEMBERED, day_begins
from softphone.team.rows.arriving import Seal
from softphone.team.rows.in_force import policy_in_force
from softphone.team.rows.pool import Row, Transaction

TAKEN = "SELECT * FROM right_taken(%s, %s, %s, %s, %s, %s, %s, %s)"
TAKE_BACK = "SELECT take_back_until(%s, %s, %s, %s, %s, %s)"
TAKE_BACK_OWN = "SELECT take_back_own(%s, %s, %s, %s, %s)"
PUT_NOTE = "SELECT note_put(%s, %s, %s, %s, %s, %s, %s)"
NOTES = "SELECT * FROM notes_read(%s)"
ERASE_NOTES = "SELECT notes_erase(%s, %s)"


@dataclass(frozen=True, slots=True)
class SealedNote:
    """Its words are sealed for custody: one seal for each key of who asks."""

    call: UUID
    agent: str
    at: datetime
    until: date
    seals: tuple[Seal, ...] = field(repr=False)


async def take(
    tx: Transaction,
    withdrawal: UUID,
    right: Right,
    now: datetime,
    *,
    recording: UUID | None = None,
    number: bytes | None = None,
    purpose: Purpose | None = None,
    received: date | None = None,
) -> WithdrawalResult:
    """By case handlers and data protection: in the whole call group of a recording, or in all of a number. Done again, it
    changes nothing, and tells nothing. Raises MissingError where the recording is not here."""
    remembered = day_begins(REMEMBERED.after(now.date()), "UTC")
    which = [Purpose.TRAINING] if right is Right.OPT_OUT else [purpose] if purpose else list(Purpose)
    until = now + (await _terms(tx)).hold_after_refusal
    told = [one.value for one in which]
    return _result(await tx.all(TAKEN, withdrawal, recording, number, right.value, told, received, until, remembered))


def _result(rows: Sequence[Row]) -> WithdrawalResult:
    ended = tuple(
        PurposesEnded(
            str(row["recording"]), tuple(Purpose(one) for one in row["purposes"]), row["gone"], row["restricted"]
        )
        for row in rows
        if row["recording"] is not None
    )
    return WithdrawalResult(ended, unnamed=len(rows) - len(ended))


async def take_back(
    tx: Transaction,
    id: UUID,
    purposes: Sequence[Purpose],
    reason: str,
    now: datetime,
    *,
    group: UUID | None = None,
    number: bytes | None = None,
) -> int:
    """As a desk tells it: in all recordings of a call group, or of a number, also those that have not arrived. Done again, it
    changes nothing. Returns how many recordings it reached."""
    until = now + (await _terms(tx)).hold_after_refusal
    return await tx.value(TAKE_BACK, id, group, number, [one.value for one in purposes], reason, until)


async def take_back_own(
    tx: Transaction, id: UUID, group: UUID, call: UUID, purposes: Sequence[Purpose], reason: str
) -> int:
    """As `take_back`, of what an agent ended without the caller: in this call of the group alone."""
    return await tx.value(TAKE_BACK_OWN, id, group, call, [one.value for one in purposes], reason)


async def put_note(
    tx: Transaction,
    call: UUID,
    agent: str,
    number: bytes | None,
    at: datetime,
    until: date,
    time_zone: str,
    seals: Sequence[Seal],
) -> None:
    """An agent's note about an own call, in the place of the one that is here. No seals: it was taken away."""
    told = [{"key_id": one.key_id, "suite": one.suite, "sealed": one.sealed.hex()} for one in seals]
    await tx.all(PUT_NOTE, call, agent, number, at, until, day_begins(until, time_zone), Jsonb(told))


async def notes(tx: Transaction, number: bytes) -> list[SealedNote]:
    """By custody alone, newest first. The log has it."""
    found: dict[UUID, SealedNote] = {}
    for row in await tx.all(NOTES, number):
        had = found.get(row["call"])
        seal = Seal(KeyRole.CUSTODY, row["key_id"], row["suite"], bytes(row["sealed"]))
        seals = (*(had.seals if had else ()), seal)
        found[row["call"]] = SealedNote(row["call"], row["agent"], row["at"], row["until"], seals)
    return list(found.values())


async def erase_notes(tx: Transaction, number: bytes, reason: str) -> int:
    """By custody alone. Returns how many there were."""
    return await tx.value(ERASE_NOTES, number, reason)


async def _terms(tx: Transaction) -> Terms:
    return terms_afterwards(await policy_in_force(tx))
