"""RFC 7866 on a running call: a=record and a=recordpref, and not a frame lost for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.sip.hearing import counters, pairs
from tests.peers.counter import gaps
from tests.peers.second_phone import SecondPhone, connect, part, second_phone, talk


@pytest.mark.calm
def test_a_record_aware_peer_is_told_on_and_off_without_losing_a_frame(
    agent: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    theirs, ours = connect(customer, agent)
    talk(agent, 20)
    for state in ("on", "paused", "on", "off"):
        agent.do("recording", state=state)
        assert customer.wait_for("PeerRecording")["state"] == state
    talk(agent, 20)
    for phone, call in ((agent, ours), (customer, theirs)):
        assert gaps(counters(pairs(phone, tmp_path, call).heard)) == []
    assert agent.told("CallEstablished")[-1]["record_aware"] is True
    part(customer, agent)


def test_wishes_made_in_one_breath_become_one_offer_after_the_other_and_the_last_holds(
    agent: SecondPhone, customer: SecondPhone
) -> None:
    theirs, _ = connect(customer, agent)
    for state in ("on", "off", "on", "paused", "on"):
        agent.do("recording", state=state)
    agent.do("hold")
    # The agent's side pauses at the press; a resume before the offer went out would make it needless.
    customer.wait_for("HoldChanged", by_them=True)
    agent.do("resume")
    customer.wait_for("HoldChanged", by_them=False)
    told = [e["state"] for e in customer.told("PeerRecording") if e["call"] == theirs]
    assert told
    assert told[-1] == "on"
    part(customer, agent)


def test_a_called_peer_tells_in_its_answer_that_it_is_record_aware(agent: SecondPhone, customer: SecondPhone) -> None:
    ours, _ = connect(agent, customer)
    established = [e for e in agent.told("CallEstablished") if e["call"] == ours]
    assert established[0]["record_aware"] is True
    agent.do("recording", state="on")
    assert customer.wait_for("PeerRecording")["state"] == "on"
    part(customer, agent)


def test_a_peer_that_is_not_record_aware_is_told_nothing(agent: SecondPhone, customer: SecondPhone) -> None:
    theirs, _ = connect(customer, agent)
    customer.do("recording", state="on")
    customer.do("digits", digits="1")
    agent.wait_for("DigitReceived")
    assert not [e for e in agent.told("PeerRecording") if e["call"] == theirs]
    part(customer, agent)


def test_a_preference_changed_during_the_call_is_told(agent: SecondPhone, customer: SecondPhone) -> None:
    connect(customer, agent, prefers_recording=True)
    assert agent.told("RecordPreference")[-1]["wish"] == "on"
    customer.do("prefer", wanted=False)
    assert agent.wait_for("RecordPreference", wish="off")
    part(customer, agent)


def test_offers_that_cross_are_both_made_in_the_end(agent: SecondPhone, customer: SecondPhone) -> None:
    theirs, ours = connect(customer, agent)
    for turn in range(4):
        agent.do("recording", state="off" if turn % 2 else "on")
        customer.do("prefer", wanted=turn % 2 == 0)
    agent.do("recording", state="on")
    customer.do("prefer", wanted=False)
    customer.wait_for("PeerRecording", seconds=12, call=theirs, state="on")
    agent.wait_for("RecordPreference", seconds=12, call=ours, wish="off")
    part(customer, agent)


@pytest.mark.parametrize("record_aware", [True, False])
def test_what_a_phone_says_of_itself_is_what_it_was_set_to(agent: SecondPhone, record_aware: bool) -> None:
    with second_phone(record_aware=record_aware) as other:
        other.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
        assert agent.wait_for("CallArrived")["record_aware"] is record_aware
        other.do("hang_up")
        agent.wait_for("CallEnded")
