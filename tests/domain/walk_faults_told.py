"""Faults to plant, lines 1 and 2: recorded while it must not be, or for nobody's yes. How is in `walk_faults`."""

# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from dataclasses import replace

import pytest

from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.session import (
    asking_anew,
    consent,
    informing,
    keys,
    party,
    planning,
    refusal,
    segments,
    stepping,
    table,
)
from softphone.domain.session import state as st
from softphone.domain.session.pauses import Sensitive
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedBy, InformedPhase, PurposePhase
from tests.domain.walk_faults import effects_as, fault, ignored, wanted_without
from tests.domain.walk_scenes import Start

DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING


# --- 1: while not informed, for no purpose, or while paused ------------------------------------------------


@fault(1, "recording starts at the essentials", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.NoticeReached) -> None:
        informing.notice_reached(turn, event)
        if event.mark is e.Mark.ESSENTIALS and turn.state.informing.phase is InformedPhase.PLAYING:
            informing.informed(turn, InformedBy.PLAY)

    mp.setitem(stepping.ROWS, e.NoticeReached, row)


@fault(1, "a notice that failed counts as heard", "N7", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setitem(stepping.ROWS, e.NoticeFailed, lambda turn, event: informing.notice_heard(turn, e.NoticeHeard()))


@fault(1, "reading is confirmed before it can have been read", "N1 read, outgoing", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    can = informing.can_confirm_reading
    mp.setattr(
        informing,
        "can_confirm_reading",
        lambda state: can(replace(state, informing=replace(state.informing, readable=True))),
    )


@fault(1, "the agent finishes orally what never came to the essentials", "N1", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    can = informing.can_finish_orally
    mp.setattr(
        informing,
        "can_finish_orally",
        lambda state: can(replace(state, informing=replace(state.informing, essentials=True))),
    )


@fault(1, "sensitive information is recorded", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, sensitive=Sensitive.OFF)


@fault(1, "an objection stops nothing", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, objection=False)


@fault(1, "an objection in words after a key leaves the way back open", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.Objected) -> None:
        unclear = turn.state.pauses.unclear
        refusal.objected(turn, event)
        turn.set(pauses=replace(turn.state.pauses, unclear=unclear))

    mp.setitem(stepping.ROWS, e.Objected, row)


@fault(1, "the recorder is never stopped", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(segments, "_stop_what_is_not_wanted", lambda turn: None)


@fault(1, "a party that has gone is recorded on", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, sound=st.PartySound.THERE)


@fault(1, "what comes from a source that nobody explained is recorded", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    wanted_without(mp, source_changed=False)


@fault(1, "a notice plays on to a party that has gone", "N1", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(st.Pauses, "silent", property(lambda it: bool(it.held or it.consulting or it.agent_gone)))


@fault(1, "who was put through in mid-notice hears the end of it", "N7", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.IdentityChanged) -> None:
        if turn.state.informing.phase is not InformedPhase.PLAYING:
            party.identity_changed(turn, event)

    mp.setitem(stepping.ROWS, e.IdentityChanged, row)


@fault(1, "a new source is followed though nobody has vouched for it", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setitem(stepping.ROWS, e.SourceReturned, lambda turn, event: party.same_caller(turn, e.SameCaller()))


ignored(1, "a newcomer need not be told", "N1", e.NewPerson)
ignored(1, "who was put through need not be told", "N4", e.IdentityChanged)
ignored(1, "what was not understood goes on", "N1", e.NotUnderstood)


@fault(1, "a colleague who told of training otherwise counts as having asked", "N6 told otherwise", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(planning, "covered_purposes", lambda told, decided: table.COVERS[told])


@fault(2, "a no that was said to a colleague does not bind", "N7 refused before", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(planning, "_carry_on", lambda turn, said: None)


@fault(1, "a notice that tells of training otherwise counts as told", "N4", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(informing, "covered_purposes", lambda told, decided: table.COVERS[told])


@fault(1, "an exchange vouches for a newcomer too", "N7", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(informing, "_may_vouch", lambda state: state.informing.phase is not InformedPhase.INFORMED)


@fault(1, "an exchange that is not listed is believed", "N1", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.UpstreamIgnored) -> None:
        if (notice := turn.state.decision.notice) is not None:
            informing.upstream_vouched(turn, e.UpstreamVouched(notice))

    mp.setitem(stepping.ROWS, e.UpstreamIgnored, row)


@fault(1, "the notice goes on in the language that was left", "N1 goes on", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def left(it: f.Effect, event: e.Event) -> list[f.Effect]:
        return [replace(it, language=Language.DA)] if isinstance(it, f.PlayNotice) else [it]

    effects_as(mp, left)


# --- 2: not planned, without a yes, after a no -------------------------------------------------------------


@fault(2, "any key is a yes", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.DigitPressed) -> None:
        keys.digit_pressed(turn, replace(event, digit="2") if event.digit in "15" else event)

    mp.setitem(stepping.ROWS, e.DigitPressed, row)


@fault(2, "a party that says what its key meant is recorded for training again", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.PartyAsksForRecording) -> None:
        asking_anew.asks_for_recording(turn, event)
        if turn.state.informing.phase is InformedPhase.PLAYING:
            planning.plan(turn, event.decision)

    mp.setitem(stepping.ROWS, e.PartyAsksForRecording, row)


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
            keys.digit_pressed(turn, event)

    mp.setitem(stepping.ROWS, e.DigitPressed, row)


@fault(2, "a key before the question is a yes", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(keys, "keys_expected", lambda state: not state.pauses.silent)


@fault(2, "a yes to one purpose is a yes to both", "N2+N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.TimedOut) -> None:
        pending = turn.state.question.pending
        keys.key_settled(turn, event)
        for purpose in turn.state.asked if pending else ():
            consent.yes(turn, purpose, "key")

    mp.setitem(stepping.TIME_OUTS, e.Timer.KEY_SETTLES, row)


@fault(2, "a digit that the agent asked for is a yes", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setitem(stepping.ROWS, e.DigitsWanted, lambda turn, event: None)


@fault(2, "training is active though it was not planned", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.NoticeHeard) -> None:
        informing.notice_heard(turn, event)
        if turn.state.informing.phase is InformedPhase.INFORMED:
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
    mp.setattr(keys, "askable", lambda state: frozenset({TRAIN}))
    mp.setattr(keys, "keys_expected", lambda state: True)
    settled = keys.key_settled

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
        party.new_person(turn, event)
        turn.set_purpose(TRAIN, training)

    mp.setitem(stepping.ROWS, e.NewPerson, row)


@fault(2, "keys that no notice named refuse training alone", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(refusal, "REFUSE_TRAINING", frozenset(NoticeId))


ignored(2, "a refusal by SIP is not heard", "N4", e.PreferenceSignalled)
ignored(2, "a withdrawal is not heard", "N3", e.Withdrawn)
ignored(2, "the opt-out button is not connected", "N4", e.OptedOut)


@fault(2, "a key pressed at another notice's question is a yes to ours", "N3", Start.RINGS)
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.UpstreamVouched) -> None:
        informing.upstream_vouched(turn, event)
        if event.keys and turn.state.stage in (st.Stage.RINGING, st.Stage.TALKING):
            turn.set(informing=replace(turn.state.informing, consented_elsewhere=frozenset({TRAIN})))

    mp.setitem(stepping.ROWS, e.UpstreamVouched, row)
