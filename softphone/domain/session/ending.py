"""Rows on the end: handed over, ended, wrap-up over. The recording is closed; nothing starts any more."""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.events import CallEnded, CarriedAnswers, HandedOver, TimedOut, Timer, WrapUpEnded
from softphone.domain.purpose import Reason
from softphone.domain.session.disputing import holdable, keep, place_on
from softphone.domain.session.pauses import Pauses
from softphone.domain.session.refusal import DECLINED
from softphone.domain.session.segments import notice_failed_on_obligation
from softphone.domain.session.state import DOCUMENTATION, Complaint, Question, Stage, State
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedPhase, PurposePhase

BINDING = (
    *DECLINED,
    Reason.DECLINED_EARLIER,
    Reason.WITHDRAWN,
    Reason.KEPT_OUT_OF_TRAINING,
    Reason.OBJECTION,
    Reason.GROUNDS_GIVEN,
)


def handed_over(turn: Turn, _: HandedOver) -> None:
    """Transferred, parked and picked up, called back: this recording ends and is kept as it is."""
    if turn.state.stage is Stage.TALKING:
        turn.note("handed_over", "L5")
        _end(turn)


def carried_answers(state: State) -> CarriedAnswers:
    """What the next desk must know of a call that is handed over. It checks for itself what holds there of
    `informed` and `consented`."""
    refused = tuple(
        p
        for p, it in state.purposes
        if (it.phase is PurposePhase.ENDED and it.reason in BINDING) or (p is DOCUMENTATION and state.objected)
    )
    informed = state.informing.phase is InformedPhase.INFORMED and not state.pauses.newcomer_not_informed
    yes = tuple(p for p, it in state.purposes if it.active and it.needs_yes and p not in refused)
    return CarriedAnswers(
        refused,
        tuple(p for p, it in state.purposes if it.active and p not in refused) if informed else (),
        yes if informed else (),
        state.decision.notice if informed else None,
        state.informing.heard_at if informed else None,
    )


def call_ended(turn: Turn, _: CallEnded) -> None:
    """The recording is closed; wrap-up keeps dispute, withdrawal and opt-out within reach."""
    if turn.state.stage is Stage.RINGING:
        turn.note("call_unanswered", "G05")
        turn.set(stage=Stage.OVER)
        _end_what_never_began(turn)
    elif turn.state.stage is Stage.TALKING:
        turn.note("call_ended", "G10")
        _end(turn)


def _end(turn: Turn) -> None:
    turn.set(stage=Stage.ENDED, begin_new=False, digits="", digits_wanted=False)
    if notice_failed_on_obligation(turn.state):
        turn.note("obligation_unrecorded", "G02", reason=Reason.NOTICE_FAILED)
    _end_what_never_began(turn)
    informing = turn.state.informing
    if informing.phase in (InformedPhase.PLAYING, InformedPhase.READING):
        informing = replace(informing, phase=InformedPhase.FAILED, at_question=False, readable=False, interrupted=False)
    turn.set(informing=informing, question=Question(), pauses=Pauses())
    for it in turn.state.recordings:
        if it.kept and not it.sampled:
            turn.set_recording(replace(it, sampled=True))
            place_on(turn, it.id)
    for hold in turn.state.standing:
        if not hold.placed:
            turn.set_hold(replace(hold, void=True, undoable=False))
            turn.note("hold_void", "G10")
    if turn.state.terms.wrap_up > 0:
        turn.timer(Timer.WRAP_UP, turn.state.terms.wrap_up)


def _end_what_never_began(turn: Turn) -> None:
    for purpose, it in turn.state.purposes:
        if it.phase is PurposePhase.PLANNED:
            reason = _why_never(turn.state)
        elif it.phase is PurposePhase.ASKED:
            reason = Reason.NO_ANSWER
        else:
            continue
        turn.set_phase(purpose, PurposePhase.ENDED, reason)
        turn.note("purpose_ended", reason.rule, purpose=purpose, reason=reason)


def _why_never(state: State) -> Reason:
    if not state.informing.person_answered:
        return Reason.NO_PERSON_CONFIRMED
    if state.informing.not_understood:
        return Reason.NOT_UNDERSTOOD
    if state.pauses.newcomer_not_informed:
        return Reason.NOT_TOLD
    return (
        Reason.NOTICE_FAILED
        if state.informing.phase in (InformedPhase.PLAYING, InformedPhase.FAILED)
        else Reason.WAITING_FOR_NOTICE
    )


def wrap_up_time_up(turn: Turn, _: TimedOut) -> None:
    if turn.state.terms.wrap_up > 0:
        wrap_up_ended(turn, WrapUpEnded())


def wrap_up_ended(turn: Turn, _: WrapUpEnded) -> None:
    """The defaults of open choices take effect; later, custody and the history act."""
    if turn.state.stage is not Stage.ENDED:
        return
    if turn.state.complaint is Complaint.OPEN:
        keep(turn)
    for hold in turn.state.holds:
        turn.set_hold(replace(hold, undoable=False, undo_until=None))
    if not turn.state.reopened_later:
        turn.note("wrap_up_ended", "G10", kept=bool(holdable(turn.state)))
    turn.set(stage=Stage.OVER)
