"""Holds that go another way than asked, through the real engine: refused by the peer, or there before anything else was."""

from __future__ import annotations

import pytest

from softphone.domain.purpose import Headline, Reason
from softphone.domain.status import InformedPhase
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Dial, HoldCall
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, shared
from tests.peers.plain_phone import plain_phone

pytestmark = pytest.mark.journey

on = shared(lines=("n1",))


@pytest.mark.rule("L5")
def test_a_refused_hold_pauses_at_once_and_says_that_it_was_refused(on: Stage) -> None:
    desk = on.desk
    on.expects(reason="a hold is refused, or crosses another offer", maybe=["phone fault offer_refused"])
    with plain_phone() as phone:
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
        call = desk.answer().id
        desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording", call)
        phone.refuses = "488 Not Acceptable Here"
        desk.do(HoldCall, call=call, on=True)
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
        assert status.reasons[0].reason is Reason.HELD
        desk.wait_until(lambda: any(one.said.code == "fault.hold.refused" for one in desk.faults), "the failure said")
        assert desk.call(call).held_by_us
        status = desk.call(call).status
        assert status is not None
        assert status.headline is Headline.PAUSED
        desk.do(HoldCall, call=call, on=False)
        desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", call)
        # The hold that never was hides no party that is gone.
        phone.mute = True
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
        assert status.reasons[0].reason is Reason.NO_SOUND
        phone.hang_up()
        desk.wait_event("ended", call=call)


@pytest.mark.rule("G05")
@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_held_from_the_first_moment_is_a_pause_and_the_notice_begins_when_it_ends(on: Stage, direction: str) -> None:
    desk = on.desk
    with plain_phone() as phone:
        phone.direction = direction
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
        call = desk.answer().id
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
        assert status.reasons[0].reason is Reason.HELD
        assert status.notice is not None
        assert status.notice.told is InformedPhase.NOTHING
        assert not desk.told("notice_started", call=call)
        phone.direction = "sendrecv"
        phone.offer(attributes=[])
        desk.wait_event("notice_started", call=call)
        desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording", call)
        phone.hang_up()
        desk.wait_event("ended", call=call)


@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    ("where", "how"),
    [("183", "sendonly"), ("183", "inactive"), ("183", "0.0.0.0"), ("183 alone", "sendonly"), ("200", "inactive")],
)
def test_a_hold_in_the_answer_to_our_own_call_has_the_notice_read_to_nobody(on: Stage, where: str, how: str) -> None:
    """Also in an early answer: with a 200 that repeats it, or that has no SDP of its own."""
    desk = on.desk
    with plain_phone() as phone:
        phone.direction, phone.nowhere = ("sendrecv", True) if how == "0.0.0.0" else (how, False)
        call = desk.do(Dial, account="agent", target=phone.target, line="n1").result["call"]
        phone.ring(early=where != "200")
        desk.wait_call(lambda one: one.phase is CallPhase.RINGING, "ringing", call)
        phone.pick_up(body=where != "183 alone")
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
        assert status.reasons[0].reason is Reason.HELD
        assert not {"person_answered", "notice_read"} & set(status.actions)
        phone.direction, phone.nowhere = "sendrecv", False
        phone.offer()
        desk.wait_status(lambda one: "person_answered" in one.actions, "waiting for a person", call)
        assert not desk.told("notice_started", call=call)
        desk.act(call, "person_answered")
        desk.wait_status(lambda one: one.notice and one.notice.told is InformedPhase.READING, "reading", call)
        phone.hang_up()
        desk.wait_event("ended", call=call)
