"""Holds that go another way than asked, through the real engine: refused by the peer, or there before anything else was."""

from __future__ import annotations

import pytest

from softphone.domain.purpose import Headline, Reason
from softphone.domain.status import Told
from softphone.wire import Hold
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, shared
from tests.peers.plain_phone import plain_phone

pytestmark = pytest.mark.journey

on = shared(lines=("n1",))


@pytest.mark.rule("L5")
def test_a_refused_hold_pauses_at_once_and_says_that_it_was_refused(on: Stage) -> None:
    desk = on.desk
    with plain_phone() as phone:
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
        call = desk.answer().id
        desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording", call)
        phone.refuses = "488 Not Acceptable Here"
        desk.do(Hold, call=call, on=True)
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
        assert status.reasons[0].reason is Reason.HELD
        desk.wait_until(lambda: any(one.said.code == "fault.hold.refused" for one in desk.faults), "the failure said")
        assert desk.call(call).held_by_us
        status = desk.call(call).status
        assert status is not None
        assert status.headline is Headline.PAUSED
        desk.do(Hold, call=call, on=False)
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
        assert status.notice.told is Told.NOTHING
        assert not desk.told("notice_started", call=call)
        phone.direction = "sendrecv"
        phone.offer(attributes=[])
        desk.wait_event("notice_started", call=call)
        desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording", call)
        phone.hang_up()
        desk.wait_event("ended", call=call)
