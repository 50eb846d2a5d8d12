"""What a party takes back after the call, and agents' notes about it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field

from softphone.domain.archive import permission
from softphone.domain.archive.decisions import Right, WithdrawalResult
from softphone.domain.errors import TeamError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.roles import Permission
from softphone.team.api import deciding
from softphone.team.api.asking import Here, Who, router
from softphone.team.api.routes.holds import Beginning, Words
from softphone.team.api.seeing import seeing
from softphone.team.rows import rights
from softphone.team.rows.arriving import Seal
from softphone.team.rows.numbers import number_hash
from softphone.team.upload.told import Day, Id, KeyId, LongSealed, Moment, Number, Suite, Told, Word, Zone

routes = router()


class TakeBack(Told):
    """An opt-out of training, a consent taken back, or an objection by letter: in the whole call group of a recording, or in all
    of a number. Its id makes it the same when it comes again. `received`: the day of the letter; none: today."""

    withdrawal: Id
    right: Right
    id: Beginning | None = None
    number: Number | None = Field(None, repr=False)
    purpose: Purpose | None = None
    received: Day | None = None


class NoteSeal(Told):
    """Of an agent's words, for a custody key."""

    key_id: KeyId
    suite: Suite
    sealed: LongSealed


class NoteTold(Told):
    """`until`: the day on which it goes by itself. Without seals it is taken away."""

    agent: Word
    number: Number | None = Field(None, repr=False)
    at: Moment
    until: Day
    time_zone: Zone
    seals: Annotated[list[NoteSeal], Field(max_length=20)] = Field(default_factory=list[NoteSeal])


class OfNumber(Told):
    number: Number = Field(repr=False)


class NotesErase(OfNumber):
    reason: Words


class NoteFound(Told):
    call: str
    agent: str
    at: datetime
    until: date
    seals: list[NoteSeal]


class NotesFound(Told):
    notes: list[NoteFound]


class NotesErased(Told):
    count: int


@routes.post("/rights")
async def right_taken(here: Here, asking: Who, told: TakeBack) -> WithdrawalResult:
    """By case handlers and data protection, at once. It reaches what arrives later too."""
    if (told.id is None) == (told.number is None):
        raise TeamError("error.team.request_wrong", where="number", reason="one_of")
    async with seeing(here, asking) as one:
        permission.require(one.viewer, Permission.TAKE_BACK)
        recording = await deciding.the_recording(one, told.id, Permission.TAKE_BACK) if told.id is not None else None
        number = number_hash(here.arriving.number_key, told.number) if told.number else None
        return await rights.take(
            *(one.tx, UUID(told.withdrawal), told.right, one.seer.now),
            recording=recording,
            number=number,
            purpose=told.purpose,
            received=told.received,
        )


@routes.put("/notes/{call}", status_code=204)
async def note_put(here: Here, asking: Who, call: Annotated[UUID, Path()], told: NoteTold) -> None:
    """An agent's, about an own call. What data protection has erased stays away."""
    number = number_hash(here.arriving.number_key, told.number) if told.number else None
    seals = [Seal(KeyRole.CUSTODY, one.key_id, one.suite, one.sealed) for one in told.seals]
    async with here.rows.asking(asking.token) as tx:
        await rights.put_note(tx, call, told.agent, number, told.at, told.until, told.time_zone, seals)


@routes.post("/notes/find")
async def notes_find(here: Here, asking: Who, told: OfNumber) -> NotesFound:
    """For data protection: all agents' about calls with this number, as sealed for its keys. The log has it."""
    async with seeing(here, asking) as one:
        permission.require(one.viewer, Permission.READ_NOTES)
        found = await rights.notes(one.tx, number_hash(here.arriving.number_key, told.number))
    return NotesFound(
        notes=[
            NoteFound(
                call=str(it.call),
                agent=it.agent,
                at=it.at,
                until=it.until,
                seals=[NoteSeal(key_id=seal.key_id, suite=seal.suite, sealed=seal.sealed) for seal in it.seals],
            )
            for it in found
        ]
    )


@routes.post("/notes/erase")
async def notes_erase(here: Here, asking: Who, told: NotesErase) -> NotesErased:
    async with seeing(here, asking) as one:
        permission.require(one.viewer, Permission.READ_NOTES)
        number = number_hash(here.arriving.number_key, told.number)
        return NotesErased(count=await rights.erase_notes(one.tx, number, told.reason))
