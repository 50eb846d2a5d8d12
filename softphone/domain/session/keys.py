"""Rows on the party's keys: the opt-out keys, the language key, and the keys of open questions (G31, G05, G03).

A key is an answer once 1.5 s have shown that it was not part of a number. `consent` says what a yes does.
"""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.events import DigitPressed, DigitsWanted, TimedOut, Timer
from softphone.domain.purpose import Purpose
from softphone.domain.session.consent import yes
from softphone.domain.session.informing import begin_in, other_language
from softphone.domain.session.refusal import refused_by_keys
from softphone.domain.session.state import PendingKey, Stage, State, askable, keys_expected
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedPhase

KEY_SETTLES_SECONDS = 1.5
BETWEEN_KEYS_SECONDS = 5.0
"""seconds after a key when the next one belongs to something else"""
NO_NUMBER = "*#"
"""keys that no number begins with"""


def digit_pressed(turn: Turn, event: DigitPressed) -> None:
    """The opt-out keys are matched first, then the language key and the keys of open questions. Any other is no answer.

    Digits that the agent wants are a number: only opt-out keys that no number begins with are told apart from it. A key in
    the sound may refuse; nothing else comes of it without the agent.
    """
    if turn.state.stage is not Stage.TALKING:
        return
    if _completes_opt_out(turn, event):
        refused_by_keys(turn, turn.state.decision.notice)
        return
    state = turn.state
    if state.digits_wanted:
        return
    if event.in_sound:
        _heard_in_sound(turn, event)
        return
    if (
        state.informing.phase is InformedPhase.PLAYING
        and event.digit == state.terms.language_key
        and (other := other_language(state))
    ):
        begin_in(turn, other, read=False)
        return
    purpose = dict(state.terms.consent_keys).get(event.digit)
    if purpose is not None and purpose in askable(state):
        if keys_expected(state) and _in_time(state, event.since):
            _press(turn, purpose, event)
    elif state.question.pending:
        turn.set(question=replace(state.question, pending=()))


def _heard_in_sound(turn: Turn, event: DigitPressed) -> None:
    """What sounds like the key of an open question is no yes: the agent is offered to say that it was one (G03)."""
    state = turn.state
    purpose = dict(state.terms.consent_keys).get(event.digit)
    if purpose is None or purpose not in state.asked or purpose in state.question.heard:
        return
    if event.sure and keys_expected(state) and _in_time(state, event.since):
        turn.set(question=replace(state.question, heard=state.question.heard | {purpose}))
        turn.note("tone_heard", "G03", purpose=purpose, key=event.digit)


def _completes_opt_out(turn: Turn, event: DigitPressed) -> bool:
    digit, keys = event.digit, turn.state.terms.opt_out_key
    if not keys or (turn.state.digits_wanted and keys[0] not in NO_NUMBER):
        return False
    late = event.since - turn.state.digits_at > BETWEEN_KEYS_SECONDS
    tail = digit if late else turn.state.digits + digit
    while tail and not keys.startswith(tail):
        tail = tail[1:]
    done = tail == keys
    left = "" if done else tail
    if left or left != turn.state.digits:
        turn.set(digits=left, digits_at=event.since)
    return done


def _in_time(state: State, since: float) -> bool:
    return not state.question.running or since <= state.question.deadline


def _press(turn: Turn, purpose: Purpose, event: DigitPressed) -> None:
    question = turn.state.question
    if purpose in question.settled or any(key.purpose is purpose for key in question.pending):
        return
    if not question.pending:
        turn.timer(Timer.KEY_SETTLES, max(0.0, KEY_SETTLES_SECONDS - (turn.now.mono - event.since)))
    key = PendingKey(purpose, event.digit, event.since)
    turn.set(question=replace(question, pending=(*question.pending, key)))


def key_settled(turn: Turn, _: TimedOut) -> None:
    """1.5 s without a digit that belongs to no open question: the key was an answer."""
    question = turn.state.question
    if not question.pending:
        return
    first = question.pending[0]
    done = frozenset(
        key.purpose
        for key in question.pending
        if key.since <= first.since or key.since + KEY_SETTLES_SECONDS <= turn.now.mono
    )
    left = tuple(key for key in question.pending if key.purpose not in done)
    turn.set(question=replace(question, pending=left))
    if left:
        turn.timer(Timer.KEY_SETTLES, max(0.0, left[0].since + KEY_SETTLES_SECONDS - turn.now.mono))
    pressed = [key for key in question.pending if key.purpose in done]
    if turn.state.informing.phase is InformedPhase.PLAYING or question.repeating:
        turn.set(question=replace(turn.state.question, settled=question.settled | done))
        for key in pressed:
            # It counts once the notice has been heard whole. This proves which key it was, and when.
            turn.note("key_remembered", "G03", purpose=key.purpose, key=key.digit, seconds_ago=_ago(turn, key))
        return
    for key in pressed:
        if key.purpose in turn.state.asked:
            yes(turn, key.purpose, f"key {key.digit}", seconds_ago=_ago(turn, key))


def _ago(turn: Turn, key: PendingKey) -> int:
    return round(turn.now.mono - key.since)


def digits_wanted(turn: Turn, event: DigitsWanted) -> None:
    """While the agent asks for digits none of them is an answer, nor is one just pressed."""
    if turn.state.stage is not Stage.TALKING or turn.state.digits_wanted is event.on:
        return
    turn.set(digits_wanted=event.on)
    if event.on and turn.state.question.pending:
        turn.set(question=replace(turn.state.question, pending=()))
