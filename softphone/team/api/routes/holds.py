"""Holds: told by a desk of its calls, raised by whoever takes a complaint, decided by data protection."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from softphone.domain.archive import permission
from softphone.domain.archive.decisions import HoldsShown, Raised, Standing
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError, TeamError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.roles import Permission
from softphone.team.api import bodies, deciding
from softphone.team.api.asking import Here, Who, router
from softphone.team.api.routes.finding import RowTold, told_row
from softphone.team.api.seeing import seeing
from softphone.team.proving.holding import follow_now
from softphone.team.rows import afterwards, finding, holds
from softphone.team.rows.finding import Found
from softphone.team.rows.holds import Anew, Ends, Keys
from softphone.team.rows.numbers import number_hash
from softphone.team.upload.told import WRAP_BYTES, Day, HoldId, Number, SealRow, Told, WrapRow

routes = router()
_MOST = 2_000
"""holds of a page"""
_WHAT = {Ends.LIFTED: "lift", Ends.ANSWERED: "close", Ends.NOT_ANSWERED: "close"}
"""as a refusal is logged"""
Words = Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00]*$", repr=False)]
Beginning = Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]
Wraps = Annotated[list[WrapRow], Field(max_length=10_000)]


class Raise(Told):
    """On one recording, or on all of a number. How long data protection has to confirm a dispute, the policy says."""

    id: Beginning | None = None
    number: Number | None = Field(None, repr=False)
    raised_for: HoldBy
    why: Words


class HoldAsked(Told):
    """As much of its name as no other has."""

    hold: Beginning


class ToEnd(HoldAsked):
    how: Ends


class LookAgain(HoldAsked):
    look_again: Day


class HoldEnd(HoldAsked):
    """`how`: a dispute is lifted; a request for access was answered, on a day, or will not be, for a reason. `wraps`: its data
    keys, sealed for those whom the policy lets open it again."""

    how: Ends
    reason: Words = ""
    answered: Day | None = None
    wraps: Wraps = Field(default_factory=list[WrapRow])
    training_may_end: bool = False


class HoldEnded(RowTold):
    """What is left of it. `training_ended`: nobody could open it for training again."""

    training_ended: bool


class SegmentKeys(Told):
    segment: int
    purposes: list[Purpose]
    keys: list[SealRow]


class KeysTold(RowTold):
    """A recording and its data keys, sealed for custody. None: it may not be opened any more, or another key opens it."""

    segments: list[SegmentKeys]
    stand: list[Purpose]
    """the purposes that have not ended"""


class HoldsPage(Told):
    """`next`: how the next page is asked for (`after`); empty: this is the last."""

    shown: HoldsShown
    next: str


@routes.get("/holds")
async def holds_shown(here: Here, asking: Who, after: Annotated[str, Query(max_length=60)] = "") -> HoldsPage:
    """Those that stand, the oldest first, a page at a time."""
    async with seeing(here, asking) as one:
        found = await deciding.shown(one)
    names = [it.standing.hold.hold for it in found.holds]
    first = names.index(after) + 1 if after in names else 0
    page = found.holds[first : first + _MOST]
    more = names[first + _MOST - 1] if len(names) > first + _MOST else ""
    return HoldsPage(shown=replace(found, holds=page), next=more)


@routes.post("/holds")
async def holds_place(here: Here, asking: Who, told: bodies.Holds) -> bodies.Held:
    """As a desk has placed them in its calls."""
    async with here.rows.asking(asking.token) as tx:
        them = [one.hold_on(UUID(one.recording)) for one in told.holds]
        placed = await afterwards.place_holds(tx, them, here.now())
    await follow_now(here.rows, here.bucket, asking, [recording for _, recording in placed])
    return bodies.Held(held=sorted(hold for hold, _ in placed))


@routes.delete("/holds/{hold}")
async def hold_undo(here: Here, asking: Who, hold: HoldId) -> bodies.Undone:
    """Within a minute, by its raiser."""
    async with here.rows.asking(asking.token) as tx:
        return bodies.Undone(undone=await afterwards.undo_hold(tx, hold))


@routes.post("/holds/raise")
async def holds_raise(here: Here, asking: Who, told: Raise) -> Raised:
    """By whoever takes the complaint, who need not find the recordings. What they hold so already is held by that."""
    if (told.id is None) == (told.number is None):
        raise TeamError("error.team.request_wrong", where="number", reason="one_of")
    async with seeing(here, asking) as one:
        permission.require(one.viewer, Permission.RAISE_HOLD)
        recording = await deciding.the_recording(one, told.id, Permission.RAISE_HOLD) if told.id is not None else None
        number = number_hash(here.arriving.number_key, told.number) if told.number else None
        done = await holds.raise_holds(
            one.tx, told.raised_for, told.why, one.seer.now, recording=recording, number=number
        )
        untold = number is not None and not {KeyRole.DOCUMENTATION, KeyRole.CUSTODY} & one.viewer.key_ids.keys()
    done = replace(done, untold=untold)
    # Of those that are told. The sweep does the others, whose ids nobody here has.
    await follow_now(here.rows, here.bucket, asking, [UUID(it.recording) for it in done.named])
    return done


@routes.post("/holds/confirm")
async def hold_confirm(here: Here, asking: Who, told: LookAgain) -> Standing:
    async with seeing(here, asking) as one:
        hold = await deciding.decided(one, told.hold, "confirm")
        return await holds.confirm(one.tx, hold.hold, told.look_again, one.seer.now)


@routes.post("/holds/to-end")
async def hold_to_end(here: Here, asking: Who, told: ToEnd) -> KeysTold:
    """What data protection needs to seal the recording anew. That it got the keys is in the log."""
    async with seeing(here, asking) as one:
        hold = await deciding.decided(one, told.hold, _WHAT[told.how])
        (found,) = await finding.rows_of(one.tx, [hold.recording], one.seer.now)
        nothing = ArchiveError("error.archive.no_such_hold", id=hold.hold)
        return keys_told(found, await holds.keys(one.tx, hold.recording, nothing))


@routes.post("/holds/end")
async def hold_end(here: Here, asking: Who, told: HoldEnd) -> HoldEnded:
    """The original dates count again. It is refused where training would end that may not."""
    if (told.how is Ends.ANSWERED) != (told.answered is not None):
        raise TeamError("error.team.request_wrong", where="answered", reason="one_of")
    async with seeing(here, asking) as one:
        hold = await deciding.decided(one, told.hold, _WHAT[told.how])
        (before,) = await finding.rows_of(one.tx, [hold.recording], one.seer.now)
        result = await holds.end(
            *(one.tx, hold.hold, told.how, told.reason, told.answered, sealed_anew(told.wraps), one.seer.now),
            training_may_end=told.training_may_end,
        )
        after, lifted = await deciding.left(one, before, result)
    await follow_now(here.rows, here.bucket, asking, [hold.recording])
    return HoldEnded(**told_row(after), training_ended=lifted.training_ended)


def keys_told(found: Found, keys: Keys) -> KeysTold:
    segments = [
        SegmentKeys(
            segment=one.segment,
            purposes=list(one.purposes),
            keys=[
                SealRow(role=KeyRole.CUSTODY, key_id=it.key_id, suite=it.suite, sealed=it.sealed) for it in one.seals
            ],
        )
        for one in keys.segments
    ]
    return KeysTold(**told_row(found), segments=segments, stand=list(keys.stand))


def sealed_anew(wraps: list[WrapRow]) -> list[Anew]:
    """Raises TeamError where one is no data key's, as on arrival."""
    if any(len(one.sealed) != WRAP_BYTES for one in wraps):
        raise TeamError("error.team.rows_wrong", reason="wraps")
    return [Anew(one.role, one.segment, one.key_id, one.suite, one.sealed) for one in wraps]
