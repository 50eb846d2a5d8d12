"""Two recorded calls at once under a flood from an accepted address: both go on, and neither recording has the other in it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from softphone.domain.purpose import Headline
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Activate
from tests.journeys.stage import LOOPBACK
from tests.journeys.test_several_calls import FIRST, SECOND, party_of, recorded, ring_in, told, two
from tests.peers.wire import wire

pytestmark = [pytest.mark.journey, pytest.mark.torture, pytest.mark.timeout(300)]

SECONDS = 60.0
RATE = 140
"""a second: a little less than one host may send at all"""
EACH = 5.0
"""seconds on one call, then on the other"""


@pytest.mark.rule("L5")
def test_two_recorded_calls_go_on_and_stay_apart_while_requests_rain_on_their_phone(tmp_path: Path) -> None:
    with two(tmp_path) as (on, other), wire() as flooding:
        desk = on.desk
        first = on.call("n1")
        recorded(on, first)
        second = ring_in(on, other)
        recorded(on, second)
        flooding.socket.setblocking(False)
        sent, turned, began = 0, 0, time.monotonic()
        while (gone := time.monotonic() - began) < SECONDS:
            if sent < gone * RATE:
                method = ("INVITE", "SUBSCRIBE", "OPTIONS", "MESSAGE", "REGISTER")[sent % 5]
                text = flooding.request(method, on.sip_port, more="Event: presence\r\n", call_id=f"flood-{sent}")
                flooding.send(text.replace("sip:wire@", f"sip:caller{sent}@"), (LOOPBACK, on.sip_port))
                sent += 1
            elif gone > (turned + 1) * EACH:
                turned += 1
                desk.do(Activate, call=first if turned % 2 else second)
            else:
                time.sleep(0.002)
            try:
                while flooding.socket.recv(65_536):
                    pass
            except BlockingIOError:
                pass
        for call in (first, second):
            assert desk.call(call).phase is CallPhase.CONNECTED
            if not desk.call(call).active:
                desk.do(Activate, call=call)
            desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording", call)
        ringing = [one for one in desk.wait(lambda now: now, "a state").calls if one.phase is CallPhase.INCOMING]
        assert len(ringing) <= 2, "no more than there are places"
        other.do("hang_up")
        on.customer.do("hang_up")
        for call in (first, second):
            desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        on.end()
        for call, said in ((first, FIRST), (second, SECOND)):
            heard = told(party_of(on, call))
            print(f"{sent} requests, {turned} turns; {len(heard)} frames of {said} in its recording")
            assert len(heard) > SECONDS * 50 / 4, "half of the time it was heard, but for what a busy machine tears"
            assert set(heard) <= set(said)
        assert on.verified()["ok"]
