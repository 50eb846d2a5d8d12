"""A press becomes an event only where it means what was shown when it was pressed."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from softphone.domain.changes import HoldBy
from softphone.domain.events import DisputeRaised, DisputeUndone, OptedOut, SpokenAnswer, Withdrawn
from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.session import describing
from softphone.domain.status import Button, Choice, PurposePhase, PurposeStatus, ReasonStatus, Status
from softphone.engine.call.commands import BEYOND_THE_SESSION, NOT_NOW, STALE, to_event
from softphone.wire import Act, Choose, OptOut, RaiseDispute, UndoDispute

OFF = PurposeStatus(PurposePhase.OFF, None, Reason.LINE_NOT_RECORDED)
STATUS = Status(
    version=4,
    headline=Headline.RECORDING,
    recording=(Purpose.DOCUMENTATION,),
    purposes={Purpose.DOCUMENTATION: OFF, Purpose.TRAINING: OFF},
    reasons=(ReasonStatus(Reason.ASSESSMENT, "G20"),),
    since=datetime(2026, 11, 25, tzinfo=UTC),
    until=None,
    pauses=(),
    notice=None,
    opt_out=Button("training_ends", enabled=True),
    dispute=Button("lock", enabled=True),
    hold=None,
    choices=(Choice("dispute_by", ("party", "controller"), "controller"),),
    actions=("said_yes", "withdraw_training"),
    kept=True,
    recordings=("r",),
)


def test_the_opt_out_button_does_what_it_showed() -> None:
    assert to_event(OptOut("1", "c", 4, "training_ends"), STATUS, "a") == OptedOut("training_ends")


def test_a_second_press_never_does_the_next_thing() -> None:
    then = replace(STATUS, version=5, opt_out=Button("objection", enabled=True))
    assert to_event(OptOut("1", "c", 4, "training_ends"), then, "a") == STALE


def test_a_dimmed_button_does_nothing() -> None:
    dimmed = replace(STATUS, opt_out=Button("training_ends", enabled=False, why_not="over"))
    assert to_event(OptOut("1", "c", 4, "training_ends"), dimmed, "a") == STALE


def test_pressing_dispute_twice_does_not_undo_it() -> None:
    raised = replace(STATUS, version=5, dispute=Button("undo", enabled=True))
    press = RaiseDispute("1", "c", 4)
    assert to_event(press, STATUS, "a") == DisputeRaised(HoldBy.CONTROLLER, "a")
    assert to_event(press, raised, "a") == STALE
    assert to_event(UndoDispute("2", "c", 5), raised, "a") == DisputeUndone("a")


def test_a_version_from_the_future_is_refused() -> None:
    assert to_event(OptOut("1", "c", 9, "training_ends"), STATUS, "a") == STALE


def test_only_offered_choices_and_actions_are_taken() -> None:
    assert to_event(Choose("1", "c", 4, "dispute_by", "somebody"), STATUS, "a") == STALE
    assert to_event(Act("1", "c", 4, "private_call"), STATUS, "a") == NOT_NOW
    assert to_event(Act("1", "c", 4, "withdraw_training"), STATUS, "a") == Withdrawn(Purpose.TRAINING)


@pytest.mark.rule("G03")
def test_a_spoken_yes_needs_the_purpose_that_it_is_for() -> None:
    assert to_event(Act("1", "c", 4, "said_yes", Purpose.TRAINING), STATUS, "a") == SpokenAnswer(
        Purpose.TRAINING, yes=True
    )
    assert to_event(Act("1", "c", 4, "said_yes"), STATUS, "a") == NOT_NOW


def test_every_action_that_the_session_can_offer_is_carried_out() -> None:
    source = inspect.getsource(describing)
    offered = set(re.findall(r'^        "([a-z_]+)": ', source, re.MULTILINE))
    assert {"person_answered", "end_politely", "withdraw_training"} <= offered
    everything = replace(STATUS, actions=tuple(offered))
    for action in offered - set(BEYOND_THE_SESSION):
        event = to_event(Act("1", "c", 4, action, Purpose.TRAINING), everything, "a")
        assert event not in (NOT_NOW, STALE), action
