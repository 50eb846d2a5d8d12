"""Rows on informing the party: from ringing to *informed*, by playing, by reading, or by an exchange that says it did (G05).

Not one sample is stored before `informed`. The rulebook's choice is checked here against what the notice says.
"""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.changes import RememberLanguage, UseDraw
from softphone.domain.decision import NoticeDelivery, NoticeId
from softphone.domain.effects import PlayNotice, SetMicrophone, StopNotice
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
    PersonAnswered,
    TimedOut,
    Timer,
    UpstreamIgnored,
    UpstreamVouched,
)
from softphone.domain.notice import asks
from softphone.domain.purpose import Language
from softphone.domain.session.consent import activate, answer_by_voice, ask, repeated_whole, unanswered
from softphone.domain.session.keeping import ordered
from softphone.domain.session.refusal import refused_by_keys
from softphone.domain.session.state import (
    NONE,
    Informing,
    Purposes,
    Question,
    Stage,
    State,
)
from softphone.domain.session.table import ASKS, covered_purposes
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedBy, InformedPhase, PurposePhase

READABLE_SHARE = 0.6

# --- answered --------------------------------------------------------------------------------------


def answered(turn: Turn, _: Answered) -> None:
    """Without a purpose: not recorded, with the reason. Else the notice begins, or a call of ours waits for a person."""
    state = turn.state
    if state.stage is not Stage.RINGING:
        return
    turn.set(stage=Stage.TALKING)
    turn.note("answered", "G05")
    # A party that declined while it rang is not replaced either: its place was used up all the same.
    if state.training.phase is not PurposePhase.OFF:
        turn.change(UseDraw(state.call, turn.now.utc))
        turn.note("draw_used", "G34")
    waits = state.ours and not state.terms.starts_by_itself
    if waits or not state.live:
        turn.set(informing=replace(state.informing, person_answered=not (waits and state.live)))
    elif not state.pauses.silent:
        _inform(turn)
    if turn.state.informing.phase is not InformedPhase.PLAYING:
        turn.start(SetMicrophone(True))


def awaits_notice(state: State) -> bool:
    """A person is there and the notice has not begun, because the party held the call first."""
    informing = state.informing
    begun = informing.phase is not InformedPhase.NOTHING or informing.not_understood
    return state.stage is Stage.TALKING and bool(state.live) and informing.person_answered and not begun


def begin_when_possible(turn: Turn) -> None:
    if awaits_notice(turn.state) and not turn.state.pauses.silent:
        _inform(turn)


def person_answered(turn: Turn, _: PersonAnswered) -> None:
    """Our call: a person, not a machine. Now the notice can begin."""
    state = turn.state
    if state.stage is Stage.TALKING and not state.informing.person_answered and state.live and not state.pauses.silent:
        turn.note("person_answered", "G05")
        turn.set(informing=replace(state.informing, person_answered=True))
        _inform(turn)


def _inform(turn: Turn) -> None:
    """As the decision says; a notice that an exchange has given already is not given again."""
    informing = turn.state.informing
    if turn.state.live <= informing.informed_elsewhere:
        informed(turn, informing.elsewhere)
    else:
        begin(turn, read=turn.state.decision.how is NoticeDelivery.READ)


def begin(turn: Turn, *, read: bool) -> None:
    """The notice begins, from its first word. While it plays, the agent's microphone does not reach the party."""
    informing = turn.state.informing
    fresh = Informing(
        informed_elsewhere=informing.informed_elsewhere,
        consented_elsewhere=informing.consented_elsewhere,
        elsewhere=informing.elsewhere,
        elsewhere_at=informing.elsewhere_at,
        newcomer_joined=informing.newcomer_joined,
        not_understood=informing.not_understood,
        before=informing.before,
    )
    turn.set(question=Question())
    if informing.phase is InformedPhase.PLAYING:
        turn.protect(StopNotice())
    if read:
        turn.set(informing=replace(fresh, phase=InformedPhase.READING, how=InformedBy.READ))
        start_reading(turn)
    else:
        turn.set(informing=replace(fresh, phase=InformedPhase.PLAYING, how=InformedBy.PLAY))
        turn.protect(SetMicrophone(False))
        if (notice := turn.state.decision.notice) is not None:
            turn.start(PlayNotice(notice, turn.state.language, newcomer=uses_short_text(turn.state)))
    note_begun(turn)


def note_begun(turn: Turn) -> None:
    """Which notice, and in which language: this proves what was asked (G03)."""
    state = turn.state
    turn.note("notice_begun", "G05", notice=state.decision.notice, language=state.language, how=state.informing.how)


def uses_short_text(state: State) -> bool:
    """A newcomer gets the short text, unless the notice asks."""
    return state.pauses.newcomer_not_informed and not ASKS[state.decision.notice or NoticeId.N1]


def start_reading(turn: Turn) -> None:
    """Confirming is possible after 60 % of the text's reading time."""
    terms = turn.state.terms
    short = terms.newcomer_reading_time if uses_short_text(turn.state) else None
    seconds = terms.reading_time if short is None else short
    until = turn.timer(Timer.READABLE, READABLE_SHARE * seconds)
    informing = replace(turn.state.informing, readable=False, interrupted=False, readable_at=until)
    turn.set(informing=replace(informing, started_at=informing.started_at or turn.now.utc, seconds=seconds))


def begin_in(turn: Turn, language: Language, *, read: bool) -> None:
    """It begins (anew) in this language. A chosen one is remembered for the party's later calls."""
    if language is not turn.state.language:
        turn.set(language=language)
        turn.change(RememberLanguage(turn.state.call, language, turn.now.utc))
        turn.note("language_chosen", "G05", language=language)
    begin(turn, read=read)


def other_language(state: State) -> Language | None:
    """What the language key changes to and, pressed again, back to."""
    other = state.terms.other_language
    if other is state.language:
        return next((it for it in Language if it is not other), None)
    return other


# --- an exchange before us ------------------------------------------------------------------------


def upstream_vouched(turn: Turn, event: UpstreamVouched) -> None:
    """Informed as far as its notice covers what ours would say. A key that it reports counts as pressed at its question.

    The opt-out keys are matched first, and bind in any case.
    """
    state = turn.state
    if state.stage not in (Stage.RINGING, Stage.TALKING):
        return
    opt_out, keys = state.terms.opt_out_key, event.keys
    refused = bool(opt_out) and opt_out in keys
    if refused:
        keys = keys.replace(opt_out, "")
    covered = covered_purposes(event.notice, state.decision.notice) & state.live if _may_vouch(state) else NONE
    if covered:
        informing = state.informing
        carried = informing.consented_elsewhere | (answered_yes(event.notice, keys) & covered)
        turn.set(
            informing=replace(
                informing,
                informed_elsewhere=informing.informed_elsewhere | covered,
                consented_elsewhere=carried,
                elsewhere=InformedBy.UPSTREAM,
            )
        )
    if covered or refused:
        names = " ".join(ordered(covered)) or None
        turn.note("upstream_vouched", "G05", notice=event.notice, purposes=names, keys=event.keys or None)
    if refused:
        refused_by_keys(turn, event.notice)
    live, informing = turn.state.live, turn.state.informing
    talking = state.stage is Stage.TALKING and informing.person_answered and not state.pauses.silent
    if covered and talking and live and live <= informing.informed_elsewhere:
        informed(turn, InformedBy.UPSTREAM)


def _may_vouch(state: State) -> bool:
    """An exchange speaks for the party that it informed: not for a newcomer, nor for one who did not understand."""
    informing = state.informing
    return not (
        informing.phase is InformedPhase.INFORMED
        or informing.not_understood
        or informing.newcomer_joined
        or state.pauses.newcomer_not_informed
    )


def answered_yes(notice: NoticeId, keys: str) -> Purposes:
    """What keys pressed at a notice's questions say yes to: nothing, if any of them belongs to no question (G03)."""
    questions = {str(number): purpose for number, purpose in enumerate(asks(notice), 1)}
    return frozenset(questions[key] for key in keys) if set(keys) <= set(questions) else NONE


def upstream_ignored(turn: Turn, _: UpstreamIgnored) -> None:
    if turn.state.stage in (Stage.RINGING, Stage.TALKING):
        turn.note("upstream_ignored", "G05")


# --- the notice on its way ------------------------------------------------------------------------


def notice_started(turn: Turn, event: NoticeStarted) -> None:
    if turn.state.informing.phase is InformedPhase.PLAYING:
        turn.set(informing=replace(turn.state.informing, started_at=turn.now.utc, seconds=event.seconds))


def notice_reached(turn: Turn, event: NoticeReached) -> None:
    informing = turn.state.informing
    if informing.phase is not InformedPhase.PLAYING:
        return
    if event.mark is Mark.ESSENTIALS:
        turn.set(informing=replace(informing, essentials=True))
    else:
        turn.set(informing=replace(informing, essentials=True, at_question=True))


def notice_heard(turn: Turn, _: NoticeHeard) -> None:
    """Heard whole, last sample and margin: informed."""
    if turn.state.informing.phase is InformedPhase.PLAYING:
        informed(turn, InformedBy.PLAY)
    else:
        repeated_whole(turn)


def notice_failed(turn: Turn, _: NoticeFailed) -> None:
    if turn.state.informing.phase is InformedPhase.PLAYING:
        cut_short(turn, "failed")
    else:
        repeated_whole(turn)


def notice_stopped(turn: Turn, _: NoticeStopped) -> None:
    if turn.state.informing.phase is InformedPhase.PLAYING:
        cut_short(turn, "stopped")


def cut_short(turn: Turn, why: str) -> None:
    """Not recorded for now. It can be played again, read, or finished orally. Keys pressed in it are forgotten."""
    informing = turn.state.informing
    turn.set(informing=replace(informing, phase=InformedPhase.FAILED, at_question=False), question=Question())
    turn.note("notice_cut_short", "G05", why=why)


def notice_again(turn: Turn, event: NoticeAgain) -> None:
    """Played again or read aloud: after it failed, instead of reading, or for a party that did not understand it."""
    language = turn.state.language if event.language is None else event.language
    if can_repeat_notice(turn.state, read=event.read):
        begin_in(turn, language, read=event.read)


def can_repeat_notice(state: State, *, read: bool) -> bool:
    informing = state.informing
    ready = informing.phase is InformedPhase.FAILED or (
        informing.phase is InformedPhase.NOTHING and informing.not_understood
    )
    instead = informing.phase is InformedPhase.READING and not read
    return state.stage is Stage.TALKING and (ready or instead) and bool(state.live) and not state.pauses.silent


def finished_orally(turn: Turn, _: FinishedOrally) -> None:
    """After *essentials*, and only if nothing rests on a yes: the agent says the rest herself."""
    if can_finish_orally(turn.state):
        informed(turn, InformedBy.FINISHED_ORALLY)


def can_finish_orally(state: State) -> bool:
    informing = state.informing
    consent = any(state.purpose(purpose).needs_yes for purpose in state.live)
    return (
        state.stage is Stage.TALKING
        and informing.phase is InformedPhase.FAILED
        and informing.essentials
        and bool(state.live)
        and not consent
        and not state.pauses.silent
    )


# --- read aloud -----------------------------------------------------------------------------------


def readable(turn: Turn, _: TimedOut) -> None:
    informing = turn.state.informing
    if informing.phase is InformedPhase.READING and not informing.interrupted:
        turn.set(informing=replace(informing, readable=True))


def notice_read(turn: Turn, event: NoticeRead) -> None:
    """The agent confirms. For consent she adds what the party said, if the policy allows spoken consent."""
    if can_confirm_reading(turn.state):
        informed(turn, InformedBy.READ)
        for purpose in event.said_no:
            answer_by_voice(turn, purpose, yes=False)
        for purpose in event.said_yes:
            answer_by_voice(turn, purpose, yes=True)


def can_confirm_reading(state: State) -> bool:
    informing = state.informing
    return (
        state.stage is Stage.TALKING
        and informing.phase is InformedPhase.READING
        and informing.readable
        and not state.pauses.silent
    )


# --- informed -------------------------------------------------------------------------------------


def informed(turn: Turn, how: InformedBy) -> None:
    """Every planned purpose on obligation, interest or public task becomes active; those on consent are asked."""
    state = turn.state
    newcomer = state.pauses.newcomer_not_informed
    was = state.informing
    heard_at = was.elsewhere_at if how is InformedBy.COLLEAGUE and was.elsewhere_at else turn.now.utc
    heard = Informing(InformedPhase.INFORMED, how, started_at=was.started_at, seconds=was.seconds, heard_at=heard_at)
    turn.set(informing=heard, pauses=replace(state.pauses, newcomer_not_informed=False))
    turn.note("informed", "G05", how=how)
    asked: Purposes = NONE
    for purpose, it in state.purposes:
        if it.phase is not PurposePhase.PLANNED:
            continue
        if it.needs_yes:
            asked |= {purpose}
        else:
            activate(turn, purpose)
    if asked:
        ask(turn, asked, was.consented_elsewhere, newcomer=newcomer)


def tidy_notice(turn: Turn) -> None:
    """With no purpose left the notice stops, and no newcomer waits for it, unless the question could be asked once more."""
    state = turn.state
    if state.live or state.stage not in (Stage.RINGING, Stage.TALKING):
        return
    informing = state.informing
    if informing.phase in (InformedPhase.PLAYING, InformedPhase.READING):
        turn.set(
            informing=replace(
                informing, phase=InformedPhase.NOTHING, at_question=False, interrupted=False, readable=False
            )
        )
    if state.pauses.newcomer_not_informed and not unanswered(turn.state):
        turn.set(pauses=replace(state.pauses, newcomer_not_informed=False).after(state.pauses, turn.now))
