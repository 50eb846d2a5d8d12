"""Rows on telling the party: from ringing to *informed*, by playing, reading, or an exchange that vouches (G05).

Not one sample is stored before `informed`; what the rulebook chose is held here against what the notice says.
"""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.decision import Decision, How, NoticeId, PlanState, PurposePlan
from softphone.domain.effects import PlayNotice, SetMicrophone
from softphone.domain.events import (
    Answered,
    FinishedOrally,
    Mark,
    NoticeAgain,
    NoticeFailed,
    NoticeHeard,
    NoticeReached,
    NoticeRead,
    NoticeStarted,
    NoticeStopped,
    Passport,
    PersonAnswered,
    Rang,
    TimedOut,
    Timer,
    UpstreamVouched,
)
from softphone.domain.purpose import Basis, Direction, Purpose, Reason
from softphone.domain.session.consent import activate, ask, repeated_whole, said
from softphone.domain.session.refusal import refused_by_keys
from softphone.domain.session.state import (
    ASKS,
    COVERS,
    DOCUMENTATION,
    NONE,
    SPECIAL,
    TRAINING,
    Purposes,
    PurposeState,
    Question,
    Stage,
    State,
    Telling,
)
from softphone.domain.session.turn import Turn
from softphone.domain.status import PurposePhase, Told

READABLE_SHARE = 0.6

_GROUNDS: dict[Basis, Reason] = {
    Basis.LEGAL_OBLIGATION: Reason.OBLIGATION,
    Basis.CONSENT: Reason.CONSENT,
    Basis.LEGITIMATE_INTEREST: Reason.ASSESSMENT,
    Basis.PUBLIC_TASK: Reason.PUBLIC_TASK,
}


# --- what the rulebook chose, held against its notice ---------------------------------------------


def rang(turn: Turn, event: Rang) -> None:
    """The sample is drawn, the lists are looked up and the rulebook has answered: `decision` is what came of it."""
    if turn.state.stage is not Stage.NEW:
        return
    turn.state = replace(
        turn.state,
        call=event.call,
        stage=Stage.RINGING,
        direction=event.direction,
        language=event.language,
        terms=event.terms,
    )
    plan(turn, event.decision)
    if event.passport is not None:
        _carry_on(turn, event.passport)


def _carry_on(turn: Turn, passport: Passport) -> None:
    """What was refused at another desk binds this one; what was told and agreed there need not be told and asked again."""
    for purpose in passport.refused:
        if turn.state.purpose(purpose).live:
            turn.set_phase(purpose, PurposePhase.ENDED, Reason.DECLINED_EARLIER)
            turn.note("refused_earlier", Reason.DECLINED_EARLIER.rule, purpose=purpose)
    carried = frozenset(passport.yes) & frozenset(passport.told)
    turn.set(told=replace(turn.state.told, vouched=frozenset(passport.told), carried=carried))


def plan(turn: Turn, decision: Decision) -> None:
    """Take over the decision, as far as its notice says what it plans; the rest is off (G05)."""
    turn.state = replace(
        turn.state,
        decision=decision,
        documentation=_planned(DOCUMENTATION, decision.documentation, decision),
        training=_planned(TRAINING, decision.training, decision),
    )
    notice = decision.notice.value if decision.notice and turn.state.live else None
    turn.note("decided", decision.reasons[0].rule if decision.reasons else "G11", notice=notice)


def _planned(purpose: Purpose, it: PurposePlan, decision: Decision) -> PurposeState:
    if it.state is PlanState.OFF:
        return PurposeState(PurposePhase.OFF, it.basis, it.reason, it.reason)
    notice = decision.notice
    if notice is None or it.basis is None or not _fits(purpose, it.basis, it.state, notice) or decision.how is How.NONE:
        return PurposeState(PurposePhase.OFF, it.basis, Reason.RULEBOOK_FAILED, Reason.RULEBOOK_FAILED)
    ground = _GROUNDS[it.basis]
    if purpose is TRAINING and it.basis in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK):
        ground = Reason.SPECIAL_CIRCUMSTANCES if notice in SPECIAL else Reason.TRAINING_SAMPLE
    return PurposeState(PurposePhase.PLANNED, it.basis, Reason.WAITING_FOR_NOTICE, ground)


def _fits(purpose: Purpose, basis: Basis, state: PlanState, notice: NoticeId) -> bool:
    """The notice tells of this purpose, and asks a yes for it exactly when it rests on consent (G02, G03, G05)."""
    if purpose is TRAINING and basis is Basis.LEGAL_OBLIGATION:
        return False
    asks = purpose in ASKS.get(notice, NONE)
    consent = basis is Basis.CONSENT
    return purpose in COVERS[notice] and asks is consent and (state is PlanState.ASKED) is consent


# --- answered --------------------------------------------------------------------------------------


def answered(turn: Turn, _: Answered) -> None:
    """No purpose: not recorded, with the reason. Else the notice begins, or an outgoing call waits for a person."""
    state = turn.state
    if state.stage is not Stage.RINGING:
        return
    turn.state = replace(state, stage=Stage.TALKING)
    turn.note("answered", "G05")
    if state.training.live:
        turn.note("draw_used", "G34")
    waits = state.direction is Direction.OUTBOUND and not state.terms.starts_by_itself
    if state.live and not waits:
        _tell(turn)
    else:
        turn.set(told=replace(state.told, person=not (waits and state.live)))
    if turn.state.told.phase is not Told.PLAYING:
        turn.start(SetMicrophone(True))


def person_answered(turn: Turn, _: PersonAnswered) -> None:
    """Our call: a person, not a machine. Now the notice can begin."""
    state = turn.state
    if state.stage is Stage.TALKING and not state.told.person and state.live and not state.pauses.silent:
        turn.note("person_answered", "G05")
        turn.set(told=replace(state.told, person=True))
        _tell(turn)


def _tell(turn: Turn) -> None:
    """By whatever the decision says; what an exchange has vouched for need not be told again."""
    told = turn.state.told
    if turn.state.live <= told.vouched:
        informed(turn, How.UPSTREAM.value)
    else:
        begin(turn, read=turn.state.decision.how is How.READ)


def begin(turn: Turn, *, read: bool) -> None:
    """The notice begins, from its first word. While it plays, the agent's microphone does not reach the party."""
    told = turn.state.told
    fresh = Telling(vouched=told.vouched, vouched_keys=told.vouched_keys, carried=told.carried)
    fresh = replace(fresh, not_understood=told.not_understood)
    turn.set(question=Question())
    if read:
        turn.set(told=replace(fresh, phase=Told.READING, how=How.READ.value))
        start_reading(turn)
    else:
        turn.set(told=replace(fresh, phase=Told.PLAYING, how=How.PLAY.value))
        turn.protect(SetMicrophone(False))
        if (notice := turn.state.decision.notice) is not None:
            turn.start(PlayNotice(notice, turn.state.language))
    turn.note("notice_begun", "G05", how=turn.state.told.how)


def start_reading(turn: Turn) -> None:
    """Confirming is possible after 60 % of the text's reading time."""
    until = turn.timer(Timer.READABLE, READABLE_SHARE * turn.state.terms.reading_time)
    told = replace(turn.state.told, readable=False, interrupted=False, readable_at=until)
    turn.set(told=replace(told, started_at=told.started_at or turn.now.utc, seconds=turn.state.terms.reading_time))


def upstream_vouched(turn: Turn, event: UpstreamVouched) -> None:
    """Informed as far as it covers. A key that it reports counts as pressed at the question."""
    state = turn.state
    told = state.told
    if state.stage not in (Stage.RINGING, Stage.TALKING) or told.phase is Told.INFORMED:
        return
    if told.not_understood or state.pauses.not_told or not event.purposes or not state.live:
        return
    vouched = told.vouched | frozenset(event.purposes)
    turn.set(told=replace(told, vouched=vouched, vouched_keys="".join(sorted({*told.vouched_keys, *event.keys}))))
    turn.note("upstream_vouched", "G05", purposes=" ".join(sorted(event.purposes)))
    if state.terms.opt_out_key and state.terms.opt_out_key in event.keys:
        refused_by_keys(turn)
    live = turn.state.live
    if state.stage is Stage.TALKING and told.person and live and live <= vouched and not state.pauses.silent:
        informed(turn, How.UPSTREAM.value)


# --- the notice on its way ------------------------------------------------------------------------


def notice_started(turn: Turn, event: NoticeStarted) -> None:
    if turn.state.told.phase is Told.PLAYING:
        turn.set(told=replace(turn.state.told, started_at=turn.now.utc, seconds=event.seconds))


def notice_reached(turn: Turn, event: NoticeReached) -> None:
    told = turn.state.told
    if told.phase is not Told.PLAYING:
        return
    if event.mark is Mark.ESSENTIALS:
        turn.set(told=replace(told, essentials=True))
    else:
        turn.set(told=replace(told, essentials=True, at_question=True))


def notice_heard(turn: Turn, _: NoticeHeard) -> None:
    """Heard whole, last sample and margin: informed."""
    if turn.state.told.phase is Told.PLAYING:
        informed(turn, How.PLAY.value)
    else:
        repeated_whole(turn)


def notice_failed(turn: Turn, _: NoticeFailed) -> None:
    if turn.state.told.phase is Told.PLAYING:
        cut_short(turn, "failed")
    else:
        repeated_whole(turn)


def notice_stopped(turn: Turn, _: NoticeStopped) -> None:
    if turn.state.told.phase is Told.PLAYING:
        cut_short(turn, "stopped")


def cut_short(turn: Turn, why: str) -> None:
    """Not recorded for now; it can be played again, read, or finished orally. Keys pressed in it are forgotten."""
    told = turn.state.told
    turn.set(told=replace(told, phase=Told.FAILED, at_question=False), question=Question())
    turn.note("notice_cut_short", "G05", why=why)


def notice_again(turn: Turn, event: NoticeAgain) -> None:
    """Played again or read aloud: after it failed, instead of reading, or where the party did not understand it."""
    if can_tell_again(turn.state, read=event.read and event.language is None):
        turn.state = replace(turn.state, language=event.language or turn.state.language)
        begin(turn, read=event.read)


def can_tell_again(state: State, *, read: bool) -> bool:
    told = state.told
    ready = told.phase is Told.FAILED or (told.phase is Told.NOTHING and told.not_understood)
    instead = told.phase is Told.READING and not read
    return state.stage is Stage.TALKING and (ready or instead) and bool(state.live) and not state.pauses.silent


def finished_orally(turn: Turn, _: FinishedOrally) -> None:
    """After *essentials*, and only where nothing rests on a yes: the agent says the rest herself."""
    if can_finish_orally(turn.state):
        informed(turn, "finished_orally")


def can_finish_orally(state: State) -> bool:
    told = state.told
    consent = any(state.purpose(purpose).needs_yes for purpose in state.live)
    return (
        state.stage is Stage.TALKING
        and told.phase is Told.FAILED
        and told.essentials
        and bool(state.live)
        and not consent
        and not state.pauses.silent
    )


# --- read aloud -----------------------------------------------------------------------------------


def readable(turn: Turn, _: TimedOut) -> None:
    told = turn.state.told
    if told.phase is Told.READING and not told.interrupted:
        turn.set(told=replace(told, readable=True))


def notice_read(turn: Turn, event: NoticeRead) -> None:
    """The agent confirms. For consent she adds what the party said, if the policy allows spoken consent."""
    if can_confirm_reading(turn.state):
        informed(turn, How.READ.value)
        for purpose in event.said_no:
            said(turn, purpose, yes=False)
        for purpose in event.said_yes:
            said(turn, purpose, yes=True)


def can_confirm_reading(state: State) -> bool:
    told = state.told
    return state.stage is Stage.TALKING and told.phase is Told.READING and told.readable and not state.pauses.silent


# --- informed -------------------------------------------------------------------------------------


def informed(turn: Turn, how: str) -> None:
    """Every planned purpose on obligation, interest or public task becomes active; those on consent are asked."""
    state = turn.state
    newcomer = state.pauses.not_told
    was = state.told
    heard = Telling(Told.INFORMED, how, started_at=was.started_at, seconds=was.seconds, heard_at=turn.now.utc)
    turn.set(told=heard, pauses=replace(state.pauses, not_told=False))
    turn.note("informed", "G05", how=how)
    asked: Purposes = NONE
    for purpose, it in state.purposes:
        if it.phase is not PurposePhase.PLANNED:
            continue
        if it.needs_yes:
            asked |= {purpose}
        else:
            activate(turn, purpose)
    pressed = frozenset(p for key, p in state.terms.consent_keys if key in was.vouched_keys and p in was.vouched)
    if asked:
        ask(turn, asked, pressed | was.carried, newcomer=newcomer)


def tidy_telling(turn: Turn) -> None:
    """With no purpose left there is nothing to tell: the notice stops, and nobody waits to be told."""
    state = turn.state
    if state.live or state.stage not in (Stage.RINGING, Stage.TALKING):
        return
    told = state.told
    if told.phase in (Told.PLAYING, Told.READING):
        turn.set(told=replace(told, phase=Told.NOTHING, at_question=False, interrupted=False, readable=False))
    if state.pauses.not_told:
        turn.set(pauses=replace(state.pauses, not_told=False))
