"""A recorded call whose way swallows everything for a while, and whose machine then gets another address."""

from __future__ import annotations

import time

import pytest

from softphone.domain.purpose import Headline, Reason
from tests.journeys.stage import stage
from tests.peers.network import cable

pytestmark = pytest.mark.journey


@pytest.mark.rule("G10")
def test_what_a_network_loses_is_a_pause_of_its_length_and_a_new_address_costs_no_call(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    # A short name: its socket is a file, which reaches across machines, and no port.
    with cable() as line, stage(tmp_path_factory.mktemp("net"), lines=("n1",), network=line) as on:
        desk = on.desk
        call = on.call("n1")
        on.sealed(call, 1.0)
        line.swallow()
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call, 15)
        assert status.reasons[0].reason is Reason.NO_SOUND
        time.sleep(1.2)  # of the pause there is nothing to wait for
        line.pass_on()
        desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", call)
        back = desk.wait_event("audit.party_sound_back", call=call)
        assert int(back.params["gap_seconds"] or 0) >= 1

        line.move("10.77.0.9")
        # Without a word to the customer, its sound would be gone after five seconds, and nothing sealed.
        on.sealed(call, 7.0)
        status = desk.call(call).status
        assert status is not None
        assert status.headline is Headline.RECORDING
        assert not desk.told("ended", call=call)
        on.over(call)
        assert on.row(call) is not None
        on.end()
    assert on.verified()["ok"]
