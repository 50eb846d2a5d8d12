"""Rows on asking: a spoken answer, time up, asking again (G03). The keys are in `keys`.

Only an active yes in time makes a purpose on consent active; silence, any other key and talking on never do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from softphone.domain.effects import PlayNotice, SetMicrophone
from softphone.domain.events import AskedAgain, SpokenAnswer, TimedOut, Timer
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.session.refusal import answer_no
from softphone.domain.session.segments import consent_is_to_use, current
from softphone.domain.session.state import (
    NONE,
    TRAINING,
    Purposes,
    Question,
    Stage,
    State,
)
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedPhase, PurposePhase


def activate(turn: Turn, purpose: Purpose) -> None:
    """The purpose is active from this moment, for the reason that it was planned with."""
    it = turn.state.purpose(purpose)
    turn.set_phase(purpose, PurposePhase.ACTIVE, it.ground)
    turn.note("purpose_active", it.ground.rule, purpose=purpose, basis=it.basis)


LATE_KEYS_SECONDS = 0.3
"""after the time to answer: a key pressed in time may still be on its way"""

# --- the question -----------------------------------------------------------------------------------


def ask(turn: Turn, purposes: Purposes, pressed: Purposes = NONE, *, newcomer: bool = False) -> None:
    """The question is open, and so are both microphones. Keys remembered from the notice count now."""
    question = turn.state.question
    settled = question.settled | pressed
    turn.set(question=Question(newcomer=newcomer, repeated=question.repeated, pending=question.pending))
    for purpose in purposes:
        turn.set_phase(purpose, PurposePhase.ASKED, Reason.WAITING_FOR_ANSWER)
        turn.note("asked", "G03", purpose=purpose)
    for purpose in purposes & settled:
        yes(turn, purpose, "key")


def yes(turn: Turn, purpose: Purpose, how: str, *, seconds_ago: int | None = None) -> None:
    """Active from now on. A yes to use covers the recording from its start (N6); a newcomer's yes begins a new one.

    `seconds_ago`: since the key was pressed, rounded; for the proof (G03).
    """
    turn.note("consent_given", "G03", purpose=purpose, how=how, seconds_ago=seconds_ago)
    activate(turn, purpose)
    state = turn.state
    if state.question.newcomer:
        turn.set(begin_new=bool(state.recordings))
    elif purpose is TRAINING and consent_is_to_use(state) and (it := current(state)) is not None and not it.restricted:
        turn.set_recording(replace(it, late_yes=it.began))


def may_confirm_yes(state: State, purpose: Purpose) -> bool:
    """Whether the agent may say that the party said yes."""
    return purpose in state.asked and (state.terms.spoken_consent or purpose in state.question.heard)


def answer_by_voice(turn: Turn, purpose: Purpose, *, yes: bool) -> None:
    """The party answered aloud. A no always counts, a yes only if the policy allows spoken consent, or if the purpose's key
    was heard in the sound as well."""
    if purpose not in turn.state.asked:
        return
    if not yes:
        answer_no(turn, purpose)
    elif may_confirm_yes(turn.state, purpose):
        how = "tone, confirmed by the agent" if purpose in turn.state.question.heard else "voice"
        _forget_key(turn, purpose)
        _yes(turn, purpose, how)


_yes = yes


def spoken_answer(turn: Turn, event: SpokenAnswer) -> None:
    if turn.state.stage is Stage.TALKING and not turn.state.pauses.silent:
        answer_by_voice(turn, event.purpose, yes=event.yes)


def _forget_key(turn: Turn, purpose: Purpose) -> None:
    question = turn.state.question
    pending = tuple(key for key in question.pending if key.purpose is not purpose)
    turn.set(question=replace(question, pending=pending))


# --- time up ------------------------------------------------------------------------------------------


def answer_time_up(turn: Turn, _: TimedOut) -> None:
    """In time means pressed in time: a key that still settles is waited for."""
    question = turn.state.question
    if not question.running or not turn.state.asked:
        return
    turn.set(question=replace(question, running=False, time_up=True))


def _time_over(turn: Turn) -> None:
    """Repeated at most once, never over a conversation that is being recorded; then `no_answer` (G03)."""
    state = turn.state
    question = state.question
    if not question.repeated and state.terms.repeat > 0 and not state.recorder.on and not state.active:
        turn.set(question=replace(question, time_up=False, repeated=True))
        play_question(turn)
        turn.note("question_repeated", "G03")
        return
    turn.set(question=Question())
    for purpose in state.asked:
        turn.set_phase(purpose, PurposePhase.ENDED, Reason.NO_ANSWER)
        turn.note("purpose_ended", Reason.NO_ANSWER.rule, purpose=purpose, reason=Reason.NO_ANSWER)


def play_question(turn: Turn) -> None:
    notice = turn.state.decision.notice
    if notice is not None:
        turn.set(question=replace(turn.state.question, repeating=True))
        turn.protect(SetMicrophone(False))
        turn.start(PlayNotice(notice, turn.state.language, question_only=True))


def repeated_whole(turn: Turn) -> None:
    """The repeated question has ended, heard or not: its time starts anew, and remembered keys count."""
    question = turn.state.question
    if not question.repeating:
        return
    turn.set(question=replace(question, repeating=False, settled=NONE))
    for purpose in question.settled & turn.state.asked:
        yes(turn, purpose, "key")


def asked_again(turn: Turn, _: AskedAgain) -> None:
    """A question without an answer may be asked once more, with one press. It is played only while nothing is being
    recorded."""
    purposes = can_be_asked_again(turn.state)
    if not purposes:
        return
    for purpose in purposes:
        turn.set_purpose(purpose, replace(turn.state.purpose(purpose), asked_again=True))
    given = any(purpose in it.keeps for purpose in purposes for it in turn.state.recordings)
    turn.set(question=Question(repeated=True))
    ask(turn, purposes, newcomer=given)
    if not turn.state.recorder.on:
        play_question(turn)


def can_be_asked_again(state: State) -> Purposes:
    """The purposes that may be asked once more now."""
    return NONE if state.pauses.for_all or state.asked else unanswered(state)


def unanswered(state: State) -> Purposes:
    """What the question alone could bring back, paused or not. Somebody who joins meanwhile has not been told of it."""
    if state.stage is not Stage.TALKING or state.informing.phase is not InformedPhase.INFORMED:
        return NONE
    return frozenset(
        purpose
        for purpose, it in state.purposes
        if it.phase is PurposePhase.ENDED and it.reason is Reason.NO_ANSWER and not it.asked_again
    )


# --- at the end of every step ---------------------------------------------------------------------------


def tidy_question(turn: Turn) -> None:
    """A question's clock runs exactly while it is open and nothing keeps the two from talking."""
    state = turn.state
    question = state.question
    if state.informing.phase is InformedPhase.PLAYING:
        return
    if not state.asked or state.stage is not Stage.TALKING:
        if question != Question():
            turn.set(question=Question())
    elif state.pauses.silent:
        stopped = replace(question, running=False, time_up=False, pending=(), repeating=False, settled=NONE)
        if question != stopped:
            turn.set(question=stopped)
    elif question.time_up:
        if not question.pending:
            _time_over(turn)
    elif not question.running and not question.repeating:
        seconds = state.terms.answer_time
        until = turn.now.utc + timedelta(seconds=seconds)
        turn.timer(Timer.ANSWER, seconds + LATE_KEYS_SECONDS)
        turn.set(question=replace(question, running=True, deadline=turn.now.mono + seconds, until=until))
