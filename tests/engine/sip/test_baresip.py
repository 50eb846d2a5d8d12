"""A call from a real baresip: another SIP stack, G.711, its own keys and its own goodbye."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.audio.files import write_wav
from softphone.audio.player import tone
from tests.engine.sip.hearing import pairs, tone_frames
from tests.peers.authority import Authority
from tests.peers.baresip import baresip
from tests.peers.kamailio import kamailio
from tests.peers.processes import until
from tests.peers.second_phone import SecondPhone, second_phone, talk

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


def encrypted(phone: SecondPhone) -> bool:
    """As it was told last: before the answer, or after it."""
    return [one["encrypted"] for one in phone.told("EncryptionChanged")][-1:] == [True]


@pytest.mark.peer("kamailio")
def test_a_baresip_that_has_no_sound_but_srtps_is_called_and_calls_by_tls_through_kamailio(tmp_path: Path) -> None:
    says, hears = tmp_path / "says.wav", tmp_path / "hears.wav"
    write_wav(says, tone(700, 20, level_db=-14, rate=8_000), rate=8_000)
    authority = Authority(tmp_path / "authority")
    users = {"agent": "agents-own", "bo": "bos-own"}
    with (
        kamailio(users, tls=authority.sign("server", "127.0.0.1")) as server,
        second_phone(counter=True, edge=True) as agent,
        baresip(
            says,
            "bo",
            server=(there := f"127.0.0.1:{server.tls_port}"),
            password="bos-own",
            authority=authority,
            keeps=False,
        ) as bo,
    ):
        trusted = {"transport": "tls", "authority": str(authority.file), "srtp": "required"}
        agent.do("account", id="agent", address=f"agent@{there}", password="agents-own", **trusted)
        agent.wait_for("RegistrationChanged", account="agent", state="registered")
        until(lambda: "Expires" in bo.command("reginfo")["data"], 10, "its registration")
        # There.
        agent.do("dial", account="agent", target=f"sip:bo@{there}")
        agent.wait_for("CallProgress", state="ringing")
        bo.command("accept")
        agent.wait_for("CallEstablished")
        until(lambda: encrypted(agent), 15, "encryption")
        for _ in range(2):
            agent.do("hold")
            agent.wait_for("HoldChanged", by_us=True)
            agent.do("resume")
            agent.wait_for("HoldChanged", by_us=False)
        bo.press("5")
        assert agent.wait_for("DigitReceived")["digit"] == "5"
        talk(agent, 75)
        heard = tone_frames(pairs(agent, tmp_path).heard, 700)
        assert sum(heard[-40:]) >= 38
        bo.hang_up()
        assert agent.wait_for("CallEnded")["by_us"] is False
        # And back.
        bo.dial(f"sip:agent@{there};transport=tls", hears)
        arrived = agent.wait_for("CallArrived")
        assert (arrived["number"], arrived["peer_name"]) == ("bo", "127.0.0.1")
        agent.do("answer")
        agent.wait_for("CallEstablished")
        until(lambda: encrypted(agent), 15, "encryption")
        agent.do("hang_up")
        agent.wait_for("CallEnded")
