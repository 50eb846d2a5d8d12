"""Faults to plant in `step`, each a small patch with a name and the line of the *Never* list that it breaks.

A walk that does not find one of them is worth nothing; `test_session_walk` plants them one by one.
"""

# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.session import consent, disputing, keeping, pausing, refusal, segments, stepping, telling
from softphone.domain.session import state as st
from softphone.domain.session.state import State
from softphone.domain.session.turn import Turn
from softphone.domain.status import PurposePhase, Status, Told
from tests.domain import walk
from tests.domain.walk_scenes import Start

Patch = Callable[[pytest.MonkeyPatch], None]
DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING


@dataclass(frozen=True)
class Fault:
    line: int
    name: str
    scene: str
    plant: Patch
    start: Start = Start.RECORDED
    """where to look first"""

    def __str__(self) -> str:
        return f"{self.line}: {self.name}"


FAULTS: list[Fault] = []


def fault(line: int, name: str, scene: str, start: Start = Start.RECORDED) -> Callable[[Patch], Patch]:
    def add(plant: Patch) -> Patch:
        FAULTS.append(Fault(line, name, scene, plant, start))
        return plant

    return add


def ignored(line: int, name: str, scene: str, event: type[e.Event]) -> None:
    """The event is ignored altogether."""
    FAULTS.append(Fault(line, name, scene, lambda mp: mp.setitem(stepping.ROWS, event, lambda turn, event: None)))


def effects_as(mp: pytest.MonkeyPatch, change: Callable[[f.Effect, e.Event], list[f.Effect]]) -> None:
    """Every effect goes through `change` on its way out."""

    def corrupted(state: State, event: e.Event, now: e.Now) -> tuple[State, tuple[f.Effect, ...]]:
        after, effects = stepping.step(state, event, now)
        return after, tuple(it for effect in effects for it in change(effect, event))

    mp.setattr(walk, "real_step", corrupted)


def changes_without(mp: pytest.MonkeyPatch, drop: Callable[[c.Change], bool]) -> None:
    """The session forgets to ask the store for some changes."""
    change = Turn.change
    mp.setattr(Turn, "change", lambda self, *them: change(self, *(it for it in them if not drop(it))))


def wanted_without(mp: pytest.MonkeyPatch, **pauses: object) -> None:
    """A pause stands, and recording does not heed it."""
    wanted = st.wanted
    mp.setattr(segments, "wanted", lambda state: wanted(replace(state, pauses=replace(state.pauses, **pauses))))


# --- 1: while not informed, for no purpose, or while paused ------------------------------------------------


@fault(1, "recording starts at the essentials", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.NoticeReached) -> None:
        telling.notice_reached(turn, event)
        if event.mark is e.Mark.ESSENTIALS and turn.state.told.phase is Told.PLAYING:
            telling.informed(turn, "play")

    mp.setitem(stepping.ROWS, e.NoticeReached, row)


@fault(1, "a notice that failed counts as heard", "N7", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setitem(stepping.ROWS, e.NoticeFailed, lambda turn, event: telling.notice_heard(turn, e.NoticeHeard()))


@fault(1, "reading is confirmed before it can have been read", "N1 read, outgoing", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    can = telling.can_confirm_reading
    mp.setattr(
        telling, "can_confirm_reading", lambda state: can(replace(state, told=replace(state.told, readable=True)))
    )


@fault(1, "the agent finishes orally what never came to the essentials", "N1", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    can = telling.can_finish_orally
    mp.setattr(
        telling, "can_finish_orally", lambda state: can(replace(state, told=replace(state.told, essentials=True)))
    )


@fault(1, "sensitive information is recorded", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, sensitive=st.Sensitive.OFF)


@fault(1, "an objection stops nothing", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, objection=False)


@fault(1, "the recorder is never stopped", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(segments, "_stop_what_is_not_wanted", lambda turn: None)


ignored(1, "a newcomer need not be told", "N1", e.NewPerson)
ignored(1, "what was not understood goes on", "N1", e.NotUnderstood)


# --- 2: not planned, without a yes, after a no -------------------------------------------------------------


@fault(2, "any key is a yes", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.DigitPressed) -> None:
        consent.digit_pressed(turn, replace(event, digit="2") if event.digit in "15" else event)

    mp.setitem(stepping.ROWS, e.DigitPressed, row)


@fault(2, "silence is a yes", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.TimedOut) -> None:
        for purpose in turn.state.asked:
            consent.yes(turn, purpose, "silence")

    mp.setitem(stepping.TIME_OUTS, e.Timer.ANSWER, row)


@fault(2, "a key that began a number is a yes", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.DigitPressed) -> None:
        if event.digit in "2*9":
            consent.digit_pressed(turn, event)

    mp.setitem(stepping.ROWS, e.DigitPressed, row)


@fault(2, "a key before the question is a yes", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(consent, "keys_expected", lambda state: not state.pauses.silent)


@fault(2, "a yes to one purpose is a yes to both", "N2+N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.TimedOut) -> None:
        pending = turn.state.question.pending
        consent.key_settled(turn, event)
        for purpose in turn.state.asked if pending else ():
            consent.yes(turn, purpose, "key")

    mp.setitem(stepping.TIME_OUTS, e.Timer.KEY_SETTLES, row)


@fault(2, "a digit that the agent asked for is a yes", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setitem(stepping.ROWS, e.DigitsWanted, lambda turn, event: None)


@fault(2, "training is active though it was not planned", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.NoticeHeard) -> None:
        telling.notice_heard(turn, event)
        if turn.state.told.phase is Told.INFORMED:
            turn.set_phase(TRAIN, PurposePhase.ACTIVE, Reason.TRAINING_SAMPLE)

    mp.setitem(stepping.ROWS, e.NoticeHeard, row)


@fault(2, "a signal revives what was declined", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.PreferenceSignalled) -> None:
        if event.recording and turn.state.training.phase is PurposePhase.ENDED:
            turn.set_phase(TRAIN, PurposePhase.ACTIVE, Reason.TRAINING_SAMPLE)

    mp.setitem(stepping.ROWS, e.PreferenceSignalled, row)


@fault(2, "a key revives what was declined", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(consent, "askable", lambda state: frozenset({TRAIN}))
    mp.setattr(consent, "keys_expected", lambda state: True)
    settled = consent.key_settled

    def row(turn: Turn, event: e.TimedOut) -> None:
        pending = turn.state.question.pending
        settled(turn, event)
        if pending and turn.state.training.phase is PurposePhase.ENDED:
            consent.activate(turn, TRAIN)

    mp.setattr(consent, "tidy_question", lambda turn: None)
    mp.setitem(stepping.TIME_OUTS, e.Timer.KEY_SETTLES, row)


@fault(2, "a newcomer is not asked", "N3")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.NewPerson) -> None:
        training = turn.state.training
        pausing.new_person(turn, event)
        turn.set_purpose(TRAIN, training)

    mp.setitem(stepping.ROWS, e.NewPerson, row)


ignored(2, "a refusal by SIP is not heard", "N4", e.PreferenceSignalled)
ignored(2, "a withdrawal is not heard", "N3", e.Withdrawn)
ignored(2, "the opt-out button is not connected", "N4", e.OptedOut)


# --- 3: training usable after a no, or while held ----------------------------------------------------------


@fault(3, "an opt-out leaves training its wraps", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.DropWraps) and it.reason != "hold")


@fault(3, "a hold leaves training its wraps", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.DropWraps) and it.reason == "hold")


@fault(3, "a segment begun while held is wrapped for training", "N7", Start.HELD)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(segments, "withheld", lambda state, it, purposes: frozenset())


@fault(3, "a yes to record opens what was said before it", "N2+N3", Start.HALF)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(consent, "use_not_record", lambda state: True)


@fault(3, "undoing a hold brings declined training back", "N7", Start.HELD)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(disputing, "restores_training", lambda state, it: True)


@fault(3, "a late yes opens what is held", "N6", Start.HELD)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(segments, "withheld", lambda state, it, purposes: frozenset())


# --- 4: deleted against a hold, kept by one that may not, opened by anyone but custody ---------------------


@fault(4, "our hold on training alone keeps it", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(keeping, "DOCUMENTATION", TRAIN)


@fault(4, "a party's hold is overridden by its opt-out", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(keeping, "keep_or_discard", lambda turn, it, why, rule, cause: keeping.discard(turn, it, why, rule))


@fault(4, "what only a hold keeps can still be opened", "N2")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.Restrict))


@fault(4, "what was objected to can still be opened", "N1 goes on")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.Restrict))


@fault(4, "nothing is ever discarded", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.Discard))


@fault(4, "a private call discards what is held", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.PrivateCall) -> None:
        refusal.private_call(turn, event)
        for it in turn.state.recordings:
            if it.hold_only:
                keeping.discard(turn, it, "private", "G01")

    mp.setitem(stepping.ROWS, e.PrivateCall, row)


@fault(4, "grounds given discard what custody was to decide on", "N5")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(refusal, "restrict_to_case", lambda turn, it, why, rule: keeping.discard(turn, it, why, rule))


@fault(4, "a newcomer's no discards what others agreed to", "N3")
def _(mp: pytest.MonkeyPatch) -> None:
    def no(turn: Turn, purpose: Purpose) -> None:
        refusal.refuse(turn, purpose, Reason.DECLINED_BY_VOICE)

    mp.setattr(consent, "answer_no", no)


ignored(4, "the party's wish to have it deleted is not heard", "N4", e.Chosen)
ignored(4, "a dispute is not heard", "N4", e.DisputeRaised)
ignored(4, "a first sample does not arm what was armed", "N4", e.FirstSample)


# --- 5: no reason, no entry, no rule; started before it was written; lost ----------------------------------


@fault(5, "a recorder starts before its entry is written", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    def early(effect: f.Effect, event: e.Event) -> list[f.Effect]:
        if not isinstance(effect, c.Commit):
            return [effect]
        opened = [f.StartRecorder(it.recording, it.segment) for it in effect.changes if isinstance(it, c.OpenSegment)]
        return [effect, *opened]

    effects_as(mp, early)


@fault(5, "what could not be written is forgotten", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setitem(stepping.ROWS, e.CommitFailed, lambda turn, event: segments.committed(turn, e.Committed(event.ticket)))


@fault(5, "what could not be written is tried again without its changes", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    again = Turn.again

    def without(self: Turn, it: st.Pending) -> None:
        again(self, replace(it, commit=replace(it.commit, changes=())))

    mp.setattr(Turn, "again", without)


@fault(5, "a change has no audit entry", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    effects_as(mp, lambda it, event: [replace(it, entries=())] if isinstance(it, c.Commit) else [it])


@fault(5, "an audit entry has no rule", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    def ruleless(it: f.Effect, event: e.Event) -> list[f.Effect]:
        if not isinstance(it, c.Commit):
            return [it]
        return [replace(it, entries=tuple(replace(entry, rule="") for entry in it.entries))]

    effects_as(mp, ruleless)


@fault(5, "a hold is placed and nothing is written", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    def silent(it: f.Effect, event: e.Event) -> list[f.Effect]:
        return [] if isinstance(it, c.Commit) and isinstance(event, e.OptedOut) else [it]

    effects_as(mp, silent)


@fault(5, "what stops waits behind its transaction", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    def late(state: State, event: e.Event, now: e.Now) -> tuple[State, tuple[f.Effect, ...]]:
        after, effects = stepping.step(state, event, now)
        return after, tuple(sorted(effects, key=lambda it: isinstance(it, f.StopRecorder)))

    mp.setattr(walk, "real_step", late)


@fault(5, "a status has no reason", "N3")
def _(mp: pytest.MonkeyPatch) -> None:
    describe = walk.describe

    def mute(state: State, now: e.Now) -> Status:
        status = describe(state, now)
        return replace(status, reasons=()) if status.reasons[0].reason is Reason.NO_ANSWER else status

    mp.setattr(walk, "describe", mute)


# --- 6: the call made worse -----------------------------------------------------------------------------------


@fault(6, "a failed notice ends the call", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    effects_as(mp, lambda it, event: [it, f.EndCall()] if isinstance(event, e.NoticeFailed) else [it])


@fault(6, "the microphone stays closed after the notice", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    effects_as(mp, lambda it, event: [] if it == f.SetMicrophone(True) else [it])


@fault(6, "the agent is heard over the notice", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    effects_as(mp, lambda it, event: [] if it == f.SetMicrophone(False) else [it])


@fault(6, "documentation has a gap at an opt-out", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    effects_as(mp, lambda it, event: [replace(it, hold_frames=False)] if isinstance(it, f.StopRecorder) else [it])


@fault(6, "an unexpected key is an exception", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.DigitPressed) -> None:
        dict(turn.state.terms.consent_keys)[event.digit]

    mp.setitem(stepping.ROWS, e.DigitPressed, row)


ignored(6, "recording does not resume when storage works", "N1", e.StorageWorks)


# --- 7: talk in which our agent takes no part ------------------------------------------------------------------


@fault(7, "a held call is recorded", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, held=False)


@fault(7, "a consultation is recorded", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, consulting=False)


@fault(7, "a call is recorded that the agent's sound has left", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, agent_gone=False)


ignored(7, "recording goes on after the call was handed over", "N1", e.HandedOver)
ignored(7, "recording goes on after the call", "N1", e.CallEnded)
