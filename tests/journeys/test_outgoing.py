"""Calls that the agent makes: the notice waits for a person, and is read aloud."""

from __future__ import annotations

import pytest

from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.status import Action, InformedPhase
from softphone.wire.from_engine import Refused
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Act, Dial
from tests.journeys.stage import LOOPBACK, Stage, shared

pytestmark = pytest.mark.journey

on = shared(lines=("n1", "n3"))


def dial(on: Stage, line: str) -> str:
    """The agent dials the customer, choosing the line; the customer answers. The call's id."""
    target = f"sip:customer@{LOOPBACK}:{on.customer.udp}"
    call = on.desk.do(Dial, account="agent", target=target, line=line).result["call"]
    on.customer.wait_for("CallArrived")
    on.customer.do("answer")
    on.customer.wait_for("CallEstablished")
    on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "connected", call)
    return call


def act(on: Stage, call: str, action: str, purpose: Purpose | None = None) -> None:
    status = on.desk.wait_status(lambda one: action in one.actions, action, call, 20)
    on.desk.do(Act, call=call, version=status.version, action=Action(action), purpose=purpose)


@pytest.mark.rule("G05")
def test_an_outgoing_call_waits_for_a_person_and_is_recorded_once_the_notice_has_been_read(on: Stage) -> None:
    call = dial(on, "n1")
    waiting = on.desk.wait_status(lambda one: "person_answered" in one.actions, "waiting for a person", call)
    assert waiting.reasons[0].reason is Reason.NO_PERSON_CONFIRMED
    assert waiting.recording == ()
    act(on, call, "person_answered")
    reading = on.desk.wait_status(lambda one: one.notice and one.notice.told is InformedPhase.READING, "reading", call)
    assert reading.headline is Headline.NOTICE
    assert "notice_read" not in reading.actions
    shown = on.desk.call(call).notice
    assert shown is not None
    assert "nordlys.example/telefonsamtaler" in shown.text
    assert on.desk.told("recorder_started", call=call) == []
    act(on, call, "notice_read")
    on.desk.wait_event("first_sample", call=call)
    recorded = on.desk.wait_status(lambda one: one.recording, "recording", call)
    assert recorded.recording == (Purpose.DOCUMENTATION,)
    on.sealed(call, 1)
    on.over(call)
    row = on.row(call)
    assert row is not None
    assert row.purposes == (Purpose.DOCUMENTATION,)


@pytest.mark.rule("G03")
def test_a_spoken_yes_after_reading_records_and_nothing_before_it(on: Stage) -> None:
    call = dial(on, "n3")
    act(on, call, "person_answered")
    act(on, call, "notice_read")
    asked = on.desk.wait_status(lambda one: one.headline is Headline.ASKED, "asked", call)
    assert asked.recording == ()
    assert on.desk.told("recorder_started", call=call) == []
    act(on, call, "said_yes", Purpose.TRAINING)
    on.desk.wait_event("first_sample", call=call)
    on.over(call)


@pytest.mark.rule("G05")
def test_a_machine_that_answers_is_told_nothing_and_never_recorded(on: Stage) -> None:
    call = dial(on, "n1")
    act(on, call, "voicemail")
    status = on.desk.wait_status(lambda one: one.reasons[0].reason is Reason.VOICEMAIL, "voicemail", call)
    assert status.headline is Headline.NOT_RECORDING
    assert on.desk.told("notice_started", call=call) == []
    on.over(call)
    assert on.row(call) is None


def test_what_cannot_be_dialled_is_refused_with_a_sentence_and_a_declined_call_is_listed(on: Stage) -> None:
    refused = on.desk.ask(Dial, account="agent", target="Mette Holm")
    assert isinstance(refused, Refused)
    assert refused.said.code == "error.dial.target"
    target = f"sip:customer@{LOOPBACK}:{on.customer.udp}"
    call = on.desk.do(Dial, account="agent", target=target, line="n1").result["call"]
    on.customer.wait_for("CallArrived")
    on.customer.do("decline")
    row = on.desk.wait(lambda now: next((one for one in now.history if one.id == call), None), "history")
    assert row.outcome == "turned_down"
