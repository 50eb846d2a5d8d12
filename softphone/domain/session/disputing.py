"""Rows on disputes: raised, armed until the first sample, undone, and the choices that come with them.

A hold protects at once. `keeping` says whether it may keep a recording whose last purpose a refusal has taken.
"""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.changes import DISPUTED_BY, UNDONE, Change, ChangeHold, HoldBy, LiftHold, PlaceHold
from softphone.domain.events import Chosen, DisputeRaised, DisputeUndone, FirstSample, TimedOut, Timer
from softphone.domain.purpose import Reason
from softphone.domain.session.keeping import Cause, keep_or_discard, lift, place, restores_training
from softphone.domain.session.refusal import DECLINED, IN_REACH
from softphone.domain.session.state import CommitKind, Complaint, LegalHold, Recording, Stage, State
from softphone.domain.session.turn import Turn

UNDO_SECONDS = 60.0

DISPUTE_BY = "dispute_by"
KEPT_FOR_COMPLAINT = "kept_for_complaint"
KEEP, DELETE = "keep", "delete"


def holdable(state: State) -> tuple[Recording, ...]:
    """Recordings of the call with something in them, of which something is kept."""
    return tuple(it for it in state.kept if it.sampled or it.closed)


def something_to_come(state: State) -> bool:
    return state.stage is Stage.TALKING and bool(state.live)


def by_agent(state: State, agent: str) -> LegalHold | None:
    return next((hold for hold in state.standing if hold.agent == agent), None)


def can_raise(state: State) -> bool:
    return state.stage in IN_REACH and bool(holdable(state) or something_to_come(state))


def dispute_raised(turn: Turn, event: DisputeRaised) -> None:
    """A hold, at once. If nothing is recorded yet it is armed, and takes effect with the first sample."""
    state = turn.state
    if event.by not in DISPUTED_BY or not can_raise(state) or by_agent(state, event.agent) is not None:
        return
    undo_time_up(turn, TimedOut(Timer.UNDO))
    number = 1 + max((hold.number for hold in state.holds), default=0)
    until = turn.timer(Timer.UNDO, UNDO_SECONDS)
    hold = LegalHold(number, event.by, event.agent, undoable=True, why=event.why, at=turn.now.utc, undo_until=until)
    turn.set(holds=(*(it for it in turn.state.holds if not it.void), hold))
    turn.note("dispute_raised", "G10", by=event.by)
    for it in holdable(state):
        place(turn, turn.state.holds[-1], it)


def first_sample(turn: Turn, event: FirstSample) -> None:
    """An armed hold takes effect. A hold of this call reaches every recording of it."""
    if turn.state.stage is not Stage.TALKING:
        return
    for it in turn.state.recordings:
        if it.id == event.recording and it.began and not it.discarded and not it.sampled:
            turn.set_recording(replace(it, sampled=True))
            place_on(turn, it.id)


def place_on(turn: Turn, recording: str) -> None:
    for hold in turn.state.standing:
        for it in turn.state.recordings:
            if it.id == recording and recording not in hold.placed:
                place(turn, hold, it)


def locking(state: State, hold: LegalHold) -> bool:
    """*Locked* is said only once the store has confirmed it."""
    ids = {hold.id_on(recording) for recording in hold.placed}
    return any(
        isinstance(change, PlaceHold) and change.hold in ids for it in state.pending for change in it.commit.changes
    )


# --- undone ---------------------------------------------------------------------------------------------


def can_undo(state: State, hold: LegalHold) -> bool:
    """By the agent who raised it for us, within a minute, and only while a purpose still keeps the recording."""
    placed = [it for it in state.recordings if it.id in hold.placed and not it.discarded]
    return (
        state.stage in IN_REACH
        and hold.undoable
        and hold.by is HoldBy.CONTROLLER
        and not hold.custodys
        and hold.lifting is None
        and not locking(state, hold)
        and not state.unwritten
        and all(it.keeps for it in placed)
    )


def dispute_undone(turn: Turn, event: DisputeUndone) -> None:
    hold = by_agent(turn.state, event.agent)
    if hold is None or not can_undo(turn.state, hold):
        return
    if not hold.placed:
        turn.note("dispute_undone", "G10")
        lift(turn, hold, UNDONE)
        return
    without = replace(turn.state, holds=tuple(it for it in turn.state.holds if it.number != hold.number))
    changes: list[Change] = []
    for it in turn.state.recordings:
        if it.id in hold.placed:
            changes.append(LiftHold(hold.id_on(it.id), UNDONE, restore_training=restores_training(without, it)))
    turn.write()
    ticket = turn.commit(CommitKind.LIFT, tuple(changes), (turn.entry("dispute_undone", "G10", None, {}),))
    turn.set_hold(replace(hold, lifting=ticket))


def undo_time_up(turn: Turn, _: TimedOut) -> None:
    for hold in turn.state.holds:
        if hold.undoable:
            turn.set_hold(replace(hold, undoable=False, undo_until=None))


# --- choices ----------------------------------------------------------------------------------------------


def can_change_raiser(state: State) -> bool:
    """Until the call ends, and not after an opt-out."""
    refused = any(it.reason in (*DECLINED, Reason.WITHDRAWN) for _, it in state.purposes if not it.live)
    lifting = any(hold.lifting is not None for hold in state.standing)
    free = not refused and not lifting and state.complaint is Complaint.NONE
    return state.stage is Stage.TALKING and bool(state.standing) and free


def chosen(turn: Turn, event: Chosen) -> None:
    if event.choice == DISPUTE_BY:
        _change_raiser(turn, event.option)
    elif event.choice == KEPT_FOR_COMPLAINT and turn.state.complaint is Complaint.OPEN:
        if event.option == KEEP:
            keep(turn)
        elif event.option == DELETE:
            _delete(turn)


def _change_raiser(turn: Turn, option: str) -> None:
    state = turn.state
    if not can_change_raiser(state) or option not in DISPUTED_BY:
        return
    by, hold = HoldBy(option), state.standing[-1]
    if hold.by is by or hold.lifting is not None:
        return
    turn.set_hold(replace(hold, by=by))
    turn.note("hold_raiser_changed", "G10", by=by)
    for recording in sorted(hold.placed):
        turn.change(ChangeHold(hold.id_on(recording), by, None))


def keep(turn: Turn) -> None:
    """Kept for the complaint: custody alone opens it (art. 18(1)(c)). The same holds if nobody chooses."""
    turn.set(complaint=Complaint.KEPT)
    turn.note("kept_for_complaint", "G10")


def _delete(turn: Turn) -> None:
    """The party's hold goes, and with it what it alone kept. A hold of ours is then judged by itself.

    If the hold stood on a later recording too, training stays shut out of what it held: a press to delete opens nothing.
    """
    turn.set(complaint=Complaint.DELETED)
    turn.note("complaint_not_kept", "G04")
    for hold in turn.state.standing:
        if hold.by is HoldBy.PARTY and not hold.custodys:
            lift(turn, hold, "party_wants_it_deleted")
    for it in turn.state.recordings:
        holds = turn.state.holds_on(it)
        stands = any(hold.custodys for hold in holds) or (bool(holds) and not it.refused)
        if it.hold_only and not it.discarded and not stands:
            keep_or_discard(turn, it, "party_wants_it_deleted", "G04", Cause.REFUSAL)
