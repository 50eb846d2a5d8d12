"""Faults to plant, lines 5 to 8: audited, the call unharmed, no talk without the agent, nothing destroyed unasked.

How is in `walk_faults`."""

# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from dataclasses import replace

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.session import informing, keys, refusal, segments, stepping
from softphone.domain.session import state as st
from softphone.domain.session.state import State
from softphone.domain.session.turn import Turn
from softphone.domain.status import Action, InformedPhase, Status
from tests.domain import walk
from tests.domain.walk_faults import changes_without, effects_as, fault, ignored, wanted_without
from tests.domain.walk_scenes import Start

DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING


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

    def without(self: Turn, it: st.PendingCommit) -> None:
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


@fault(5, "a recording that failed in mid-call is called whole", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    describe = walk.describe

    def whole(state: State, now: e.Now) -> Status:
        return describe(replace(state, broke_off=False), now)

    mp.setattr(walk, "describe", whole)


@fault(5, "a call that is answered leaves its draw to be made again", "N4", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.UseDraw))


@fault(5, "the audit log does not say that a draw was used", "N7", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    note = Turn.note

    def mute(self: Turn, event: str, rule: str, recording: str | None = None, **params: object) -> None:
        if event != "draw_used":
            note(self, event, rule, recording, **params)  # type: ignore[arg-type]

    mp.setattr(Turn, "note", mute)


ignored(5, "talk that nobody heard while the process stood still is called whole", "N1", e.StoodStill)


# --- 6: the call made worse -----------------------------------------------------------------------------------


@fault(6, "a failed notice ends the call", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    effects_as(mp, lambda it, event: [it, f.EndCall()] if isinstance(event, e.NoticeFailed) else [it])


@fault(6, "a failed notice on obligation ends the call", "N1 obligation", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    untold = segments.notice_failed_on_obligation
    mp.setattr(segments, "obligation_unrecorded", untold)
    mp.setattr(segments, "notice_failed_on_obligation", lambda state: False)


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
        if event.digit not in dict(turn.state.terms.consent_keys):
            raise ValueError(event.digit)

    mp.setitem(stepping.ROWS, e.DigitPressed, row)


@fault(6, "the language key begins the notice again after the party was told", "N1 goes on")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.DigitPressed) -> None:
        keys.digit_pressed(turn, event)
        if event.digit == turn.state.terms.language_key and turn.state.informing.phase is InformedPhase.INFORMED:
            informing.begin_in(turn, Language.EN, read=False)

    mp.setitem(stepping.ROWS, e.DigitPressed, row)


@fault(6, "a warning tone sounds while nothing is recorded", "N4 call back")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setitem(stepping.TIME_OUTS, e.Timer.WARNING_TONE, lambda turn, event: turn.start(f.SoundWarningTone()))


@fault(6, "the warning tone stops for good with the first pause", "N4 call back")
def _(mp: pytest.MonkeyPatch) -> None:
    def once(it: f.Effect, event: e.Event) -> list[f.Effect]:
        tone = it == f.StartTimer(e.Timer.WARNING_TONE, 15.0) and isinstance(event, e.Committed)
        return [f.StopTimer(e.Timer.WARNING_TONE)] if tone else [it]

    effects_as(mp, once)


@fault(6, "the other phone is not told that recording has stopped", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    def deaf(it: f.Effect, event: e.Event) -> list[f.Effect]:
        return [] if isinstance(it, f.SignalRecording) and it.state is not f.RecordSignal.ON else [it]

    effects_as(mp, deaf)


@fault(6, "the other phone is told of a pause after the last no", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    def paused(it: f.Effect, event: e.Event) -> list[f.Effect]:
        off = isinstance(it, f.SignalRecording) and it.state is f.RecordSignal.OFF
        return [f.SignalRecording(f.RecordSignal.PAUSED)] if off else [it]

    effects_as(mp, paused)


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


# --- 8: a press that destroys, and was not asked about --------------------------------------------------------


@fault(8, "a private call deletes unasked", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.delitem(refusal.MAY_DESTROY, Action.PRIVATE_CALL)


@fault(8, "a withdrawal that takes the documentation is not asked about", "N2+N3")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(refusal, "_lost", lambda it, left: it.began and it.kept and left.discarded)


@fault(8, "it is asked about what destroys nothing", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(refusal, "_lost", lambda it, left: it != left)
