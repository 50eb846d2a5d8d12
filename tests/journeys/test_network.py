"""A recorded call whose machine gets another address. What a network loses is in `test_rough_network`."""

from __future__ import annotations

import pytest

from softphone.domain.purpose import Headline
from tests.journeys.stage import stage
from tests.peers.network import cable

pytestmark = pytest.mark.journey


@pytest.mark.rule("G10")
def test_a_new_address_costs_no_call_and_no_second_of_its_recording(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    # A short name: its socket is a file, which reaches across machines, and no port.
    with cable() as line, stage(tmp_path_factory.mktemp("net"), lines=("n1",), network=line) as on:
        desk = on.desk
        call = on.call("n1")
        on.sealed(call, 1.0)
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
