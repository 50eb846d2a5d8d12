"""A hold that the peer refuses, or does not answer: nothing is heard, whatever it says, and the agent is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.engine.sip.negotiation import SLOW
from tests.engine.sip.hearing import loudness, pairs
from tests.peers.plain_phone import PlainPhone, plain_phone
from tests.peers.second_phone import SecondPhone, talk


def _called(phone: PlainPhone, agent: SecondPhone) -> str:
    phone.call("127.0.0.1", agent.udp, "agent")
    call = agent.wait_for("CallArrived")["call"]
    agent.do("answer")
    agent.wait_for("CallEstablished", call=call)
    talk(agent, 10)
    return call


def _ours_is_silent(agent: SecondPhone, folder: Path, call: str, since: int) -> bool:
    return max(loudness(pairs(agent, folder, call).own)[since:], default=0.0) == 0.0


def test_a_refused_hold_keeps_the_microphone_shut_until_the_agent_resumes(agent: SecondPhone, tmp_path: Path) -> None:
    """Before, a 488 opened it again, and what was said beside the phone was heard and kept."""
    with plain_phone() as phone:
        call = _called(phone, agent)
        phone.refuses = "488 Not Acceptable Here"
        agent.do("hold")
        assert agent.wait_for("HoldChanged")["by_us"]
        failed = agent.wait_for("HoldFailed")
        assert (failed["held"], failed["code"]) == (True, 488)
        held = pairs(agent, tmp_path, call).frames
        talk(agent, 20)
        assert _ours_is_silent(agent, tmp_path, call, held + 1)
        # The peer offers something of its own: our hold stands all the same.
        phone.refuses = ""
        phone.offer(attributes=[])
        phone.wait_for("SIP/2.0 200", "CSeq: 2 INVITE")
        talk(agent, 20)
        assert _ours_is_silent(agent, tmp_path, call, held + 1)
        assert phone.count("INVITE") == 1
        agent.do("resume")
        assert not agent.wait_for("HoldChanged")["by_us"]
        heard = pairs(agent, tmp_path, call).frames
        talk(agent, 20)
        assert not _ours_is_silent(agent, tmp_path, call, heard)
        phone.hang_up()
        agent.wait_for("CallEnded")


def test_the_end_of_a_hold_waits_for_the_peer_too(agent: SecondPhone, tmp_path: Path) -> None:
    with plain_phone() as phone:
        call = _called(phone, agent)
        agent.do("hold")
        assert agent.wait_for("HoldChanged")["by_us"]
        held = pairs(agent, tmp_path, call).frames
        phone.wait_for("INVITE", "a=sendonly")
        phone.wait_for("ACK")
        phone.refuses = "500 Server Internal Error"
        agent.do("resume")
        failed = agent.wait_for("HoldFailed")
        assert (failed["held"], failed["code"]) == (False, 500)
        talk(agent, 20)
        assert _ours_is_silent(agent, tmp_path, call, held + 1)
        phone.refuses = ""
        agent.do("resume")
        assert not agent.wait_for("HoldChanged")["by_us"]
        phone.hang_up()
        agent.wait_for("CallEnded")


def test_a_hold_that_is_not_answered_is_told_long_before_sip_gives_up(agent: SecondPhone, tmp_path: Path) -> None:
    with plain_phone() as phone:
        call = _called(phone, agent)
        phone.refuses = "silence"
        agent.do("hold")
        assert agent.wait_for("HoldChanged")["by_us"]
        held = pairs(agent, tmp_path, call).frames
        failed = agent.wait_for("HoldFailed", seconds=SLOW + 5)
        assert (failed["held"], failed["code"]) == (True, 0)
        assert _ours_is_silent(agent, tmp_path, call, held + 1)
        # It answers at last: the hold is as it would have been.
        phone.refuses = ""
        agent.do("resume")
        assert not agent.wait_for("HoldChanged")["by_us"]
        phone.hang_up()
        agent.wait_for("CallEnded")


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_held_from_the_first_moment_is_told_before_the_call_is_established(agent: SecondPhone, direction: str) -> None:
    with plain_phone() as phone:
        phone.direction = direction
        phone.call("127.0.0.1", agent.udp, "agent")
        call = agent.wait_for("CallArrived")["call"]
        agent.do("answer")
        held = agent.wait_for("HoldChanged", call=call)
        assert (held["by_us"], held["by_them"]) == (False, True)
        agent.wait_for("CallEstablished", call=call)
        phone.direction = "sendrecv"
        phone.offer(attributes=[])
        assert not agent.wait_for("HoldChanged", call=call)["by_them"]
        phone.hang_up()
        agent.wait_for("CallEnded")
