"""What is kept of a call, and for whom: taking back, restricting, discarding, and what a hold may keep.

The one rule of what is kept is `retention.is_kept`. Which hold may stand after a refusal is here.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from softphone.domain.changes import ChangeHold, Discard, DropWraps, HoldBy, LiftHold, PlaceHold, Restrict
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import is_kept
from softphone.domain.session.state import (
    DOCUMENTATION,
    NONE,
    TRAINING,
    Complaint,
    LegalHold,
    Purposes,
    Recording,
    State,
)
from softphone.domain.session.turn import Turn
from softphone.domain.status import Stays


class Cause(Enum):
    """Why a purpose was taken back: what a hold can keep depends on it."""

    REFUSAL = auto()
    """opt-out, withdrawal, kept out of training"""
    NO_FAULT_OF_THE_HOLD = auto()
    """not understood, a private call, a machine that answered: a hold stays, for custody only"""


def ordered(purposes: Purposes) -> tuple[Purpose, ...]:
    return tuple(purpose for purpose in Purpose if purpose in purposes)


def withheld(state: State, it: Recording, purposes: Purposes) -> Purposes:
    """What a segment is recorded for and yet not wrapped for: only custody may open it, or a hold keeps training out."""
    if it.restricted:
        return purposes
    return purposes & {TRAINING} if state.holds_on(it) else NONE


def held_from_training(state: State, it: Recording) -> bool:
    """Training keeps it and cannot open it, as long as a hold stands."""
    return TRAINING in it.keeps and not it.restricted and not it.discarded and bool(state.holds_on(it))


# --- purposes taken back ------------------------------------------------------------------------


def take_back(turn: Turn, purpose: Purpose, why: str, rule: str, cause: Cause = Cause.REFUSAL) -> None:
    """The purpose ends in all segments of all the call's recordings. What nothing keeps any more is discarded (G04, G31)."""
    for it in turn.state.recordings:
        if not it.discarded:
            take_back_from(turn, it, purpose, why, rule, cause)


def take_back_from(turn: Turn, it: Recording, purpose: Purpose, why: str, rule: str, cause: Cause) -> None:
    late_yes = it.late_yes and purpose is not TRAINING
    had = purpose in it.keeps | it.wrapped | it.undecided or late_yes is not it.late_yes
    left = {"keeps": it.keeps - {purpose}, "wrapped": it.wrapped - {purpose}, "undecided": it.undecided - {purpose}}
    it = replace(it, late_yes=late_yes, **left)
    turn.set_recording(it)
    if not had:
        return
    if is_kept(it.purpose_ends, (), now=turn.now.utc):
        turn.change(DropWraps(it.id, KeyRole(purpose), why))
        turn.note("wraps_dropped", rule, it.id, role=purpose, why=why)
    else:
        keep_or_discard(turn, it, why, rule, cause)


def keep_or_discard(turn: Turn, it: Recording, why: str, rule: str, cause: Cause) -> None:
    """No purpose is left. A party's hold keeps it for the complaint, and its request for access until the copy is given.

    Ours keeps it only if documentation was among its purposes. One that only custody lifts keeps it, for custody to judge.
    """
    holds = turn.state.holds_on(it)
    by_party = any(hold.by is HoldBy.PARTY for hold in holds)
    if not holds or not it.began:
        discard(turn, it, why, rule)
    elif cause is Cause.NO_FAULT_OF_THE_HOLD:
        restrict_to_hold(turn, it, why)
    elif any(hold.custodys for hold in holds):
        restrict_to_hold(turn, it, why)
        for hold in holds:
            if hold.by is HoldBy.CONTROLLER and not hold.confirmed and not by_party:
                _make_provisional(turn, hold, it)
    elif by_party:
        restrict_to_hold(turn, it, why, refused=True)
        turn.set(complaint=Complaint.OPEN)
    elif any(hold.by is HoldBy.ACCESS for hold in holds):
        restrict_to_hold(turn, it, why)
        for hold in holds:
            if hold.by is HoldBy.CONTROLLER:
                _make_provisional(turn, hold, it)
    elif DOCUMENTATION in it.made_for:
        restrict_to_hold(turn, it, why, refused=True)
        for hold in holds:
            _make_provisional(turn, hold, it)
    else:
        discard(turn, it, why, rule)


def what_stays(state: State, it: Recording) -> Stays | None:
    """What a hold would leave of it if a refusal took its last purpose; None: nothing."""
    holds = state.holds_on(it)
    if any(hold.custodys for hold in holds):
        return Stays.FOR_CUSTODY
    if any(hold.by is HoldBy.PARTY for hold in holds):
        return Stays.FOR_THE_COMPLAINT
    access = any(hold.by is HoldBy.ACCESS for hold in holds)
    return Stays.FOR_CUSTODY if access or (holds and DOCUMENTATION in it.made_for) else None


def _make_provisional(turn: Turn, hold: LegalHold, it: Recording) -> None:
    """Custody decides within `hold_after_refusal` on art. 17(3)(e), else the sweep discards."""
    until = turn.now.utc + turn.state.terms.hold_after_refusal
    turn.set_hold(replace(hold, provisional=True, provisional_until=until))
    turn.change(ChangeHold(hold.id_on(it.id), hold.by, until))
    turn.note("hold_provisional", "G04", it.id)


def restrict_to_hold(turn: Turn, it: Recording, why: str, *, refused: bool = False) -> None:
    turn.set_recording(
        replace(
            it,
            keeps=NONE,
            undecided=NONE,
            wrapped=NONE,
            late_yes=False,
            restricted=True,
            hold_only=True,
            refused=refused,
        )
    )
    turn.change(Restrict(it.id, "hold_only", why))
    turn.note("restricted", "G10", it.id, why="hold_only")


def restrict_to_case(turn: Turn, it: Recording, purpose: Purpose, why: str, rule: str) -> None:
    """Only custody opens it while a case is decided. That takes no purpose back: they end on their own dates."""
    undecided = it.undecided | {purpose}
    turn.set_recording(replace(it, wrapped=NONE, late_yes=False, restricted=True, undecided=undecided))
    turn.change(Restrict(it.id, why))
    turn.note("restricted", rule, it.id, why=why)


def discard(turn: Turn, it: Recording, why: str, rule: str) -> None:
    """Nothing is left of it but the audit log. Its holds go in the same transaction: these rules let none of them stand.

    If nothing was recorded yet, the log says that and not the refusal: another purpose may go on in a recording of its own.
    """
    if not it.began:
        why, rule = "empty", "G10"
    for hold in turn.state.holds_on(it):
        turn.change(LiftHold(hold.id_on(it.id), why))
        turn.note("hold_lifted", "G10", it.id, why=why)
        _take_off(turn, hold, it.id)
    if it.announced:
        turn.change(Discard(it.id, why))
        turn.note("recording_discarded", rule, it.id, why=why)
    _set_gone(turn, it)


def recording_gone(turn: Turn, recording: str) -> None:
    """Nothing is left of it: somebody else has ended it, or it was past its day."""
    for it in turn.state.recordings:
        if it.id == recording and not it.discarded:
            for hold in turn.state.holds_on(it):
                _take_off(turn, hold, it.id)
            _set_gone(turn, it)


def _set_gone(turn: Turn, it: Recording) -> None:
    it = replace(it, discarded=True, keeps=NONE, undecided=NONE, wrapped=NONE, late_yes=False)
    turn.set_recording(replace(it, restricted=False, hold_only=False, refused=False))
    if it.began and not turn.state.kept:
        turn.set(broke_off=False)


def _take_off(turn: Turn, hold: LegalHold, recording: str) -> None:
    """The hold no longer stands on this recording. Without any recording it is gone."""
    left = replace(hold, placed=hold.placed - {recording})
    if left.placed:
        turn.set_hold(left)
        return
    turn.set(holds=tuple(it for it in turn.state.holds if it.number != hold.number))


# --- holds --------------------------------------------------------------------------------------


def place(turn: Turn, hold: LegalHold, it: Recording) -> None:
    """The hold stands on this recording. It takes the training wraps away, also those from an undoing that is under way."""
    comes_back = any(other.lifting is not None and it.id in other.placed for other in turn.state.holds)
    turn.set_hold(replace(hold, placed=hold.placed | {it.id}))
    until = turn.now.utc + turn.state.terms.hold_unconfirmed
    turn.change(
        PlaceHold(hold.id_on(it.id), it.id, hold.by, hold.agent, turn.now.utc, None, hold.why, confirm_by=until)
    )
    turn.note("hold_placed", "G10", it.id, by=hold.by)
    if TRAINING in it.wrapped or (comes_back and TRAINING in it.keeps):
        turn.set_recording(replace(it, wrapped=it.wrapped - {TRAINING}))
        turn.change(DropWraps(it.id, KeyRole.TRAINING, "hold"))
        turn.note("wraps_dropped", "G10", it.id, role=KeyRole.TRAINING, why="hold")


def lift(turn: Turn, hold: LegalHold, why: str) -> None:
    """The hold comes off every recording. The caller discards what nothing else keeps."""
    for recording in sorted(hold.placed):
        turn.change(LiftHold(hold.id_on(recording), why))
        turn.note("hold_lifted", "G10", recording, why=why)
    turn.set(holds=tuple(it for it in turn.state.holds if it.number != hold.number))


def lifted(turn: Turn, ticket: int) -> None:
    """An undone hold is off. The store wraps training again if nothing else keeps it out.

    A recording that a refusal has meanwhile left to this hold alone is discarded.
    """
    for hold in turn.state.holds:
        if hold.lifting != ticket:
            continue
        turn.set(holds=tuple(it for it in turn.state.holds if it.number != hold.number))
        for it in turn.state.recordings:
            if it.id not in hold.placed or it.discarded:
                continue
            if restores_training(turn.state, it):
                turn.set_recording(replace(it, wrapped=it.wrapped | {TRAINING}))
            if it.hold_only and not turn.state.holds_on(it):
                discard(turn, it, "undone", "G04")


def restores_training(state: State, it: Recording) -> bool:
    return TRAINING in it.keeps and not it.restricted and not it.discarded and not state.holds_on(it)
