"""Rows on no: opt-out, objection, grounds, withdrawal, and what else ends a purpose for good (G04, G23, G31, G32)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from softphone.domain.changes import DropWraps, ListCallBack, RememberRefusal
from softphone.domain.decision import NoticeId
from softphone.domain.events import (
    KeptOutOfTraining,
    NotUnderstood,
    Now,
    Objected,
    OptedOut,
    PreferenceSignalled,
    PrivateCall,
    RefusedBefore,
    VoicemailAnswered,
    Withdrawn,
)
from softphone.domain.purpose import Basis, KeyRole, Purpose, Reason
from softphone.domain.session.keeping import Cause, restrict_to_case, take_back, take_back_from
from softphone.domain.session.reasoning import DECLINED, rule_of
from softphone.domain.session.state import DOCUMENTATION, TRAINING, Informing, Question, Recording, Stage, State
from softphone.domain.session.table import REFUSE_TRAINING
from softphone.domain.session.turn import Turn
from softphone.domain.status import Action, InformedPhase, OptOutKind, PurposePhase

REFUSED = (*DECLINED, Reason.WITHDRAWN, Reason.NO_ANSWER, Reason.DECLINED_EARLIER)
BY_A_PRESS = (*DECLINED, Reason.WITHDRAWN, Reason.KEPT_OUT_OF_TRAINING, Reason.OBJECTION, Reason.GROUNDS_GIVEN)
IN_REACH = (Stage.TALKING, Stage.ENDED)


def can_be_ended(state: State, purpose: Purpose) -> bool:
    """It is live, or something is still kept for it, or it got no answer yet and could be asked for once more."""
    it = state.purpose(purpose)
    unanswered = it.phase is PurposePhase.ENDED and it.reason is Reason.NO_ANSWER and state.stage is Stage.TALKING
    return it.live or unanswered or any(purpose in kept.keeps for kept in state.recordings)


def end(turn: Turn, purpose: Purpose, reason: Reason, how: Reason | None = None) -> None:
    question = turn.state.question
    pending = tuple(key for key in question.pending if key.purpose is not purpose)
    if pending != question.pending or purpose in question.settled:
        turn.set(question=replace(question, pending=pending, settled=question.settled - {purpose}))
    turn.set_phase(purpose, PurposePhase.ENDED, reason)
    fields = {} if how in (None, reason) else {"how": how}
    turn.note("purpose_ended", rule_of(turn.state, reason, purpose), purpose=purpose, reason=reason, **fields)


def answer_no(turn: Turn, purpose: Purpose) -> None:
    """A no to the question. A newcomer's ends the purpose from then on; the others' yes still covers what came before."""
    refuse(turn, purpose, Reason.DECLINED_BY_VOICE, from_now_on=turn.state.question.newcomer)


def refuse(turn: Turn, purpose: Purpose, reason: Reason, *, from_now_on: bool = False) -> None:
    """The purpose ends for good, in all segments of all recordings unless only `from_now_on`.

    A yes that is taken back, by whatever means, is a withdrawal (G04).
    """
    state = turn.state
    if from_now_on:
        end(turn, purpose, reason)
        return  # a newcomer said it, so it is not remembered of the party
    ended = Reason.WITHDRAWN if reason in DECLINED and given(state, purpose) else reason
    end(turn, purpose, ended, how=reason)
    take_back(turn, purpose, ended.value, rule_of(turn.state, ended, purpose))
    if purpose is TRAINING and reason in DECLINED:
        _remember(turn)
        if state.terms.opt_out_calls_back and alone(state) and state.training.basis is not Basis.CONSENT:
            turn.set(call_back=True)
            turn.change(ListCallBack(state.call, turn.now.utc))
            turn.note("call_back_listed", "N4")


def _remember(turn: Turn) -> None:
    """A party that said no to training, gave grounds against it, or objected to being recorded, is in no later sample."""
    turn.set(remembered=True)
    turn.change(RememberRefusal(turn.state.call, turn.now.utc))
    turn.note("refusal_remembered", "G31")


# --- the opt-out, by button, keys and SIP -----------------------------------------------------------


def opt_out_kind(state: State) -> OptOutKind:
    """What the one button does to this call now."""
    training, documentation = state.training, state.documentation
    if state.stage not in IN_REACH:
        return OptOutKind.NONE
    if training.live and state.special and not training.needs_yes:
        return OptOutKind.GROUNDS
    if training.live and documentation.live:
        return OptOutKind.SAID_NO if training.asked else OptOutKind.TRAINING_ENDS
    if training.live or (documentation.live and documentation.needs_yes):
        if state.asked:
            return OptOutKind.SAID_NO
        calls_back = training.live and not training.needs_yes and state.terms.opt_out_calls_back
        return OptOutKind.CALL_BACK if calls_back and alone(state) else OptOutKind.STOP_AND_DELETE
    if documentation.live:
        if documentation.basis is Basis.LEGAL_OBLIGATION:
            return OptOutKind.NONE if state.request_noted else OptOutKind.NOTE_REQUEST
        return OptOutKind.NONE if state.objected else OptOutKind.OBJECTION
    return OptOutKind.NONE


def goes_further(state: State) -> bool:
    """Training was refused, and the same button would now take documentation too: the window asks before it sends that
    press."""
    training = state.training
    refused = training.phase is PurposePhase.ENDED and training.reason in BY_A_PRESS
    return refused and opt_out_kind(state) in (OptOutKind.OBJECTION, OptOutKind.STOP_AND_DELETE)


def alone(state: State) -> bool:
    """Training is all that the call was ever meant for."""
    return state.documentation.phase is PurposePhase.OFF


def opted_out(turn: Turn, event: OptedOut) -> None:
    """The agent's button, with the kind it showed: a stale one does nothing."""
    state = turn.state
    kind = opt_out_kind(state)
    if event.kind == OptOutKind.NOTE_REQUEST and kind is OptOutKind.GROUNDS and not state.request_noted:
        _note_request(turn, "G32")
        return
    if event.kind != kind:
        return
    match kind:
        case OptOutKind.SAID_NO:
            for purpose in state.asked:
                answer_no(turn, purpose)
        case OptOutKind.TRAINING_ENDS | OptOutKind.STOP_AND_DELETE | OptOutKind.CALL_BACK:
            purpose = TRAINING if state.training.live else DOCUMENTATION
            refuse(turn, purpose, Reason.DECLINED_BY_VOICE)
        case OptOutKind.GROUNDS:
            _grounds_given(turn)
        case OptOutKind.OBJECTION | OptOutKind.NOTE_REQUEST:
            _object(turn)
        case OptOutKind.NONE:
            pass


def refused_by_keys(turn: Turn, heard: NoticeId | None) -> None:
    """They refuse what the notice ties them to. If it ties them to nothing, nobody knows what is meant."""
    if heard not in REFUSE_TRAINING:
        _refuse_what_can_be(turn, Reason.DECLINED_BY_KEY)
    else:
        _decline_training(turn, Reason.DECLINED_BY_KEY)


def preference_signalled(turn: Turn, event: PreferenceSignalled) -> None:
    """`a=recordpref:off` refuses. `on` is not a consent and revives nothing."""
    if not event.recording and turn.state.stage in (Stage.RINGING, Stage.TALKING):
        _refuse_what_can_be(turn, Reason.DECLINED_BY_SIP)


def _decline_training(turn: Turn, reason: Reason) -> None:
    """A no is remembered also where the agent has ended training before: that was no word of the party's."""
    if can_be_ended(turn.state, TRAINING):
        refuse(turn, TRAINING, reason)
    elif turn.state.training.phase is PurposePhase.ENDED and not turn.state.remembered:
        _remember(turn)


def _refuse_what_can_be(turn: Turn, reason: Reason) -> None:
    """What is refused is unclear: everything ends that can be ended."""
    state = turn.state
    both = can_be_ended(state, TRAINING) and can_be_ended(state, DOCUMENTATION)
    if not state.special or state.training.needs_yes:
        _decline_training(turn, reason)
    elif can_be_ended(state, TRAINING) and not state.request_noted:
        _note_request(turn, "G32")
    if can_be_ended(state, DOCUMENTATION):
        if state.documentation.needs_yes:
            refuse(turn, DOCUMENTATION, reason)
        else:
            _object(turn, unclear=True)
    counted = (turn.state.objected, turn.state.request_noted) != (state.objected, state.request_noted)
    if counted or (both and not turn.state.live):
        turn.set(unclear=reason)


def _note_request(turn: Turn, rule: str) -> None:
    turn.set(request_noted=True)
    turn.note("request_noted", rule)


def _grounds_given(turn: Turn) -> None:
    """Special circumstances: training stops at once. Only custody opens what was recorded for it, and decides (G32)."""
    end(turn, TRAINING, Reason.GROUNDS_GIVEN)
    _remember(turn)
    if not turn.state.pauses.unclear:
        turn.set(unclear=None)
    for it in turn.state.recordings:
        if it.discarded or it.hold_only or not (TRAINING in it.keeps or TRAINING in it.wrapped):
            continue
        undecided = it.undecided | (it.keeps & {TRAINING})
        given = replace(it, keeps=it.keeps - {TRAINING}, undecided=undecided)
        if given.keeps or TRAINING not in it.keeps:
            turn.set_recording(replace(given, wrapped=it.wrapped - {TRAINING}))
            turn.change(DropWraps(it.id, KeyRole.TRAINING, "grounds_given"))
            turn.note("wraps_dropped", "G32", it.id, role=KeyRole.TRAINING, why="grounds_given")
        else:
            restrict_to_case(turn, given, TRAINING, "grounds_given", "G32")


# --- objection --------------------------------------------------------------------------------------


def can_object(state: State) -> bool:
    basis = state.documentation.basis
    may = basis is not None and basis.can_be_objected_to and can_be_ended(state, DOCUMENTATION)
    return state.stage in IN_REACH and may and (not state.objected or state.pauses.unclear)


def objected(turn: Turn, _: Objected) -> None:
    if turn.state.stage in IN_REACH:
        _object(turn)


def _object(turn: Turn, *, unclear: bool = False) -> None:
    """To documentation. On interest or public task it opens a case (G23); on obligation recording goes on, and it is noted.

    In words after an unclear one, it makes that one clear: there is no way back from it.
    """
    state = turn.state
    documentation = state.documentation
    if not can_be_ended(state, DOCUMENTATION) or documentation.basis is None or documentation.needs_yes:
        return
    if not documentation.basis.can_be_objected_to:
        if not state.request_noted:
            _note_request(turn, "G23")
            _remember(turn)
        return
    if state.objected and (unclear or not state.pauses.unclear):
        return
    turn.note("objection", "G23", goes_on=not state.terms.objection_stops, unclear=unclear)
    if state.objected:
        turn.set(pauses=replace(state.pauses, unclear=False))
        turn.set(unclear=None)
        return
    turn.set(objected=True)
    _remember(turn)
    if can_be_ended(turn.state, TRAINING):
        refuse(turn, TRAINING, Reason.OBJECTION)
    for it in turn.state.recordings:
        if not it.discarded and not it.hold_only:
            restrict_to_case(turn, it, DOCUMENTATION, "objection", "G23")
    if state.terms.objection_stops and state.stage is not Stage.ENDED:
        was = turn.state.pauses
        turn.set(pauses=replace(was, objection=True, unclear=unclear).after(was, turn.now))


# --- withdrawal, and kept out -------------------------------------------------------------------------


def given(state: State, purpose: Purpose) -> bool:
    """The yes that it needed has been given."""
    it = state.purpose(purpose)
    return it.needs_yes and (it.active or any(purpose in kept.keeps for kept in state.recordings))


def can_be_withdrawn(state: State, purpose: Purpose) -> bool:
    return state.stage in IN_REACH and given(state, purpose)


def withdrawn(turn: Turn, event: Withdrawn) -> None:
    """A consent taken back ends its purpose at once, in all its segments (G04)."""
    if can_be_withdrawn(turn.state, event.purpose):
        refuse(turn, event.purpose, Reason.WITHDRAWN)


def kept_out(turn: Turn, _: KeptOutOfTraining) -> None:
    """Training ends without the party having asked."""
    if turn.state.stage in IN_REACH and can_be_ended(turn.state, TRAINING):
        refuse(turn, TRAINING, Reason.KEPT_OUT_OF_TRAINING)


def refused_before(turn: Turn, event: RefusedBefore) -> None:
    """It ends what would not have been planned, had it been known in time (G23, N4). What the law obliges to record is recorded
    all the same (G02), and a yes in this call is the later word (G03)."""
    if turn.state.stage not in (Stage.RINGING, *IN_REACH):
        return
    for purpose in event.purposes:
        obliged = turn.state.purpose(purpose).basis is Basis.LEGAL_OBLIGATION
        if can_be_ended(turn.state, purpose) and not (obliged or given(turn.state, purpose)):
            refuse(turn, purpose, event.reason)


# --- not a call to record ---------------------------------------------------------------------------


def voicemail(turn: Turn, _: VoicemailAnswered) -> None:
    """Our call met a machine: never recorded; what was recorded already is discarded, obligation and holds excepted."""
    state = turn.state
    if state.stage is not Stage.TALKING or not state.ours or not state.live:
        return
    for purpose, it in state.purposes:
        if it.live:
            end(turn, purpose, Reason.VOICEMAIL)
        if it.basis is not Basis.LEGAL_OBLIGATION:
            take_back(turn, purpose, "voicemail", Reason.VOICEMAIL.rule, Cause.NO_FAULT_OF_THE_HOLD)


def can_be_private(state: State) -> bool:
    obligation = state.documentation.live and state.documentation.basis is Basis.LEGAL_OBLIGATION
    return state.stage is Stage.TALKING and bool(state.live) and not obligation


def private_call(turn: Turn, _: PrivateCall) -> None:
    """Stops and discards; refused if documentation rests on obligation. What is held stays, for custody only."""
    if not can_be_private(turn.state):
        return
    turn.note("private_call", "G01")
    for purpose in (TRAINING, DOCUMENTATION):
        if can_be_ended(turn.state, purpose):
            end(turn, purpose, Reason.PRIVATE)
        take_back(turn, purpose, "private", "G01", Cause.NO_FAULT_OF_THE_HOLD)


def not_understood(turn: Turn, _: NotUnderstood) -> None:
    """The recorder is off until the party is informed anew. What was recorded so far is discarded unless documentation rests
    on obligation."""
    state = turn.state
    informing = state.informing
    if state.stage is not Stage.TALKING or informing.phase is InformedPhase.NOTHING or not state.live:
        return
    turn.note("not_understood", "G05")
    turn.set(
        informing=Informing(not_understood=True),
        question=Question(),
        pauses=replace(state.pauses, newcomer_not_informed=False),
    )
    turn.set(begin_new=bool(state.recordings))
    kept = state.documentation.basis is Basis.LEGAL_OBLIGATION
    for purpose in (TRAINING, DOCUMENTATION):
        if purpose is TRAINING or not kept:
            for it in turn.state.recordings:
                if not it.discarded:
                    take_back_from(turn, it, purpose, "not_understood", "G05", Cause.NO_FAULT_OF_THE_HOLD)
        if purpose in state.live:
            turn.set_phase(purpose, PurposePhase.PLANNED, Reason.NOT_UNDERSTOOD)


# --- what a press would destroy ---------------------------------------------------------------------


def destroys(state: State, action: Action, now: Now) -> bool:
    """Whether it would delete something recorded, or take the documentation from it: then the window asks before it sends it.
    It is done on a copy, and the recordings are looked at. The opt-out and a no do not count: they are the party's word, and
    stop at once what it may refuse."""
    if action not in MAY_DESTROY:
        return False
    turn = Turn(state, now)
    MAY_DESTROY[action](turn)
    return any(_lost(it, left) for it, left in zip(state.recordings, turn.state.recordings, strict=True))


def _lost(it: Recording, left: Recording) -> bool:
    return it.began and (
        (it.kept and left.discarded) or (DOCUMENTATION in it.keeps - left.keeps and not left.restricted)
    )


MAY_DESTROY: dict[Action, Callable[[Turn], None]] = {
    Action.VOICEMAIL: lambda turn: voicemail(turn, VoicemailAnswered()),
    Action.NOT_UNDERSTOOD: lambda turn: not_understood(turn, NotUnderstood()),
    Action.KEEP_OUT_OF_TRAINING: lambda turn: kept_out(turn, KeptOutOfTraining()),
    Action.PRIVATE_CALL: lambda turn: private_call(turn, PrivateCall()),
    Action.OBJECT: lambda turn: objected(turn, Objected()),
    Action.WITHDRAW_DOCUMENTATION: lambda turn: withdrawn(turn, Withdrawn(DOCUMENTATION)),
    Action.WITHDRAW_TRAINING: lambda turn: withdrawn(turn, Withdrawn(TRAINING)),
}


# --- after a refusal ----------------------------------------------------------------------------------
