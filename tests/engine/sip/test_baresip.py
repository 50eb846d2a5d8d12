"""A call from a real baresip: another SIP stack, G.711, its own keys and its own goodbye."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.audio.files import write_wav
from softphone.audio.player import tone
from tests.engine.sip.hearing import pairs, tone_frames
from tests.peers.baresip import baresip
from tests.peers.second_phone import second_phone, talk

pytestmark = pytest.mark.peer("baresip")


def test_a_call_from_baresip_is_answered_heard_keyed_and_ended(tmp_path: Path) -> None:
    says, notice = tmp_path / "says.wav", tmp_path / "notice.wav"
    write_wav(says, tone(700, 20, level_db=-14, rate=8_000), rate=8_000)
    write_wav(notice, tone(300, 0.5))
    with second_phone(counter=True) as agent, baresip(says, name="+4520123456") as customer:
        customer.dial(f"sip:70102030@127.0.0.1:{agent.udp}")
        arrived = agent.wait_for("CallArrived")
        assert (arrived["number"], arrived["called"]) == ("+4520123456", "70102030")
        assert arrived["record_aware"] is False
        agent.do("answer")
        agent.wait_for("CallEstablished")
        agent.do("notice", wav=str(notice))
        agent.wait_for("NoticePlayed")
        customer.press("5")
        assert agent.wait_for("DigitReceived")["digit"] == "5"
        talk(agent, 50)
        heard = tone_frames(pairs(agent, tmp_path).heard, 700)
        assert sum(heard[-40:]) >= 38
        customer.hang_up()
        assert agent.wait_for("CallEnded")["by_us"] is False
