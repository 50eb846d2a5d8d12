"""What is told of a call's connection while it lasts, by two real streams: one whole, one that loses packets."""

from __future__ import annotations

import pytest

from tests.peers.plain_phone import plain_phone
from tests.peers.second_phone import SecondPhone, connect, second_phone


@pytest.mark.calm
def test_a_line_that_loses_packets_is_called_bad_with_its_figures(agent: SecondPhone) -> None:
    with plain_phone() as phone:
        phone.loses = 5
        phone.call("127.0.0.1", agent.udp, "agent")
        agent.wait_for("CallArrived")
        agent.do("answer")
        first = agent.wait_for("QualityMeasured", seconds=10)["quality"]
        assert first["word"] == "good", "one look proves nothing"
        bad = agent.wait_for("QualityMeasured", seconds=10)["quality"]
        phone.hang_up()
        agent.wait_for("CallEnded")
    assert bad["word"] == "bad"
    assert bad["loss"] == pytest.approx(0.2, abs=0.03)
    assert bad["r"] < 60 < first["r"] + 40
    assert bad["codec"] == "PCMA"
    # This peer sends no RTCP.
    assert (bad["round_trip"], bad["loss_there"]) == (None, None)


@pytest.mark.calm
def test_a_whole_line_is_good_and_the_other_ends_report_is_read(agent: SecondPhone) -> None:
    with second_phone() as party:
        connect(party, agent)
        told = agent.wait_for("QualityMeasured", seconds=10)["quality"]
        while told["round_trip"] is None:
            told = agent.wait_for("QualityMeasured", seconds=10)["quality"]
        party.do("hang_up")
        agent.wait_for("CallEnded")
    assert told["word"] == "good"
    assert told["r"] > 80
    assert told["mos"] > 4
    assert told["loss"] < 0.02
    assert 0 <= told["round_trip"] < 0.1
    assert told["loss_there"] < 0.02
    assert told["codec"] == "G722"
