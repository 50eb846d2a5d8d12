"""A press becomes an event only where it means what was shown when it was pressed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from softphone.calls.commands import BEYOND_THE_SESSION, NOT_NOW, STALE, to_event
from softphone.domain.changes import HoldBy
from softphone.domain.events import Chosen, DisputeRaised, DisputeUndone, OptedOut, SpokenAnswer, Withdrawn
from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.status import (
    Action,
    Choice,
    DisputeButton,
    DisputeKind,
    OptOutButton,
    OptOutKind,
    PurposePhase,
    PurposeStatus,
    ReasonStatus,
    Status,
    Stays,
)
from softphone.wire.to_engine import Act, Choose, OptOut, RaiseDispute, UndoDispute

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
    opt_out=OptOutButton(OptOutKind.TRAINING_ENDS, enabled=True),
    dispute=DisputeButton(DisputeKind.LOCK, enabled=True),
    hold=None,
    choices=(Choice("dispute_by", ("party", "controller"), "controller"),),
    actions=(Action.SAID_YES, Action.WITHDRAW_TRAINING),
    kept=True,
    recordings=("r",),
)


def test_the_opt_out_button_does_what_it_showed() -> None:
    assert to_event(OptOut("1", "c", 4, OptOutKind.TRAINING_ENDS), STATUS, "a") == OptedOut(OptOutKind.TRAINING_ENDS)


def test_a_second_press_never_does_the_next_thing() -> None:
    then = replace(STATUS, version=5, opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True))
    assert to_event(OptOut("1", "c", 4, OptOutKind.TRAINING_ENDS), then, "a") == STALE


def test_a_dimmed_button_does_nothing() -> None:
    dimmed = replace(STATUS, opt_out=OptOutButton(OptOutKind.TRAINING_ENDS, enabled=False, why_not="over"))
    assert to_event(OptOut("1", "c", 4, OptOutKind.TRAINING_ENDS), dimmed, "a") == STALE


def test_pressing_dispute_twice_does_not_undo_it() -> None:
    raised = replace(STATUS, version=5, dispute=DisputeButton(DisputeKind.UNDO, enabled=True))
    press = RaiseDispute("1", "c", 4)
    assert to_event(press, STATUS, "a") == DisputeRaised(HoldBy.CONTROLLER, "a")
    assert to_event(press, raised, "a") == STALE
    assert to_event(UndoDispute("2", "c", 5), raised, "a") == DisputeUndone("a")


@pytest.mark.rule("G10")
def test_an_earlier_press_is_carried_out_only_if_it_still_does_what_it_said() -> None:
    deletes = replace(STATUS, opt_out=OptOutButton(OptOutKind.STOP_AND_DELETE, enabled=True))
    press = OptOut("1", "c", 4, OptOutKind.STOP_AND_DELETE)
    assert to_event(press, deletes, "a") == to_event(press, replace(deletes, version=5), "a") == OptedOut(press.kind)
    held = OptOutButton(OptOutKind.STOP_AND_DELETE, enabled=True, stays=Stays.FOR_THE_COMPLAINT)
    assert to_event(press, replace(deletes, version=5, opt_out=held), "a") == STALE, "it would keep, and was to delete"
    keeps = OptOut("1", "c", 4, OptOutKind.STOP_AND_DELETE, Stays.FOR_THE_COMPLAINT)
    assert to_event(keeps, replace(deletes, version=5), "a") == STALE, "it would delete, and was to keep"
    assert to_event(keeps, replace(deletes, version=5, opt_out=held), "a") == OptedOut(press.kind)


@pytest.mark.rule("G03")
@pytest.mark.parametrize(
    ("action", "carried_out"),
    [(Action.PAUSE_SENSITIVE, True), (Action.OBJECT, True), (Action.NEW_PERSON, True)]
    + [
        (one, False)
        for one in (
            Action.SAID_YES,
            Action.RESUME,
            Action.SAME_CALLER,
            Action.NOTICE_READ,
            Action.WITHDRAW_TRAINING,
            Action.PRIVATE_CALL,
        )
    ],
)
def test_an_earlier_press_protects_and_neither_starts_nor_deletes_anything(action: Action, carried_out: bool) -> None:
    offered = replace(STATUS, version=5, actions=(action,))
    assert to_event(Act("1", "c", 5, action, Purpose.TRAINING), offered, "a") not in (STALE, NOT_NOW)
    assert (to_event(Act("1", "c", 4, action, Purpose.TRAINING), offered, "a") != STALE) is carried_out


def test_a_choice_made_before_the_last_change_is_refused() -> None:
    """What it would delete may be another thing by now."""
    offered = replace(STATUS, version=5, choices=(Choice("kept_for_complaint", ("keep", "delete"), "keep"),))
    assert to_event(Choose("1", "c", 5, "kept_for_complaint", "delete"), offered, "a") == Chosen(
        "kept_for_complaint", "delete"
    )
    assert to_event(Choose("1", "c", 4, "kept_for_complaint", "delete"), offered, "a") == STALE


def test_a_version_from_the_future_is_refused() -> None:
    assert to_event(OptOut("1", "c", 9, OptOutKind.TRAINING_ENDS), STATUS, "a") == STALE


def test_only_offered_choices_and_actions_are_taken() -> None:
    assert to_event(Choose("1", "c", 4, "dispute_by", "somebody"), STATUS, "a") == STALE
    assert to_event(Act("1", "c", 4, Action.PRIVATE_CALL), STATUS, "a") == NOT_NOW
    assert to_event(Act("1", "c", 4, Action.WITHDRAW_TRAINING), STATUS, "a") == Withdrawn(Purpose.TRAINING)


@pytest.mark.rule("G03")
def test_a_spoken_yes_needs_the_purpose_that_it_is_for() -> None:
    assert to_event(Act("1", "c", 4, Action.SAID_YES, Purpose.TRAINING), STATUS, "a") == SpokenAnswer(
        Purpose.TRAINING, yes=True
    )
    assert to_event(Act("1", "c", 4, Action.SAID_YES), STATUS, "a") == NOT_NOW


def test_every_action_that_the_session_can_offer_is_carried_out() -> None:
    offered = set(Action)
    everything = replace(STATUS, actions=tuple(offered))
    for action in offered - set(BEYOND_THE_SESSION):
        event = to_event(Act("1", "c", 4, action, Purpose.TRAINING), everything, "a")
        assert event not in (NOT_NOW, STALE), action
