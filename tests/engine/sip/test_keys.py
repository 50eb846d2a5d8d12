"""Keys both ways, with a peer that takes them in each of the three forms; a press is one press in whatever forms it comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Literal, cast

import pytest

from softphone.audio.dtmf import KeyListener, keys_as_sound
from softphone.engine.sip.call import Leg
from softphone.engine.sip.events import PhoneEvent
from softphone.engine.sip.keys import Keys
from softphone.engine.sip.raw_events import RawDigit
from tests.peers.plain_phone import ALLOW, PlainPhone, plain_phone
from tests.peers.second_phone import SecondPhone, connect, second_phone


def _call(phone: PlainPhone, agent: SecondPhone) -> str:
    phone.call("127.0.0.1", agent.udp, "agent")
    call = agent.wait_for("CallArrived")["call"]
    agent.do("answer")
    agent.wait_for("CallEstablished", call=call)
    return call


def _over(phone: PlainPhone, agent: SecondPhone) -> None:
    phone.hang_up()
    agent.wait_for("CallEnded")


@pytest.mark.calm
@pytest.mark.rule("G03")
def test_a_press_counts_once_in_whatever_forms_it_comes(agent: SecondPhone) -> None:
    with plain_phone(allow=f"{ALLOW}, INFO") as phone:
        phone.keys = False
        call = _call(phone, agent)
        # A gateway that sends each key as a tone and by INFO; then by INFO alone, and as a tone alone.
        phone.say(bytes(6_400) + keys_as_sound("7"))
        phone.press("7")
        phone.wait_for("SIP/2.0 200", "INFO")
        first = agent.wait_for("DigitReceived")
        phone.press("4")
        phone.press("4")
        phone.say(bytes(6_400) + keys_as_sound("9"))
        told = [first, *(agent.wait_for("DigitReceived") for _ in range(3))]
        assert [(one["digit"], one["in_sound"]) for one in told] == [
            ("7", False),
            ("4", False),
            ("4", False),
            ("9", True),
        ]
        assert told[-1]["sure"]
        # From now on it names telephone-event: a tone is sound like any other.
        phone.keys = True
        phone.offer()
        phone.wait_for("SIP/2.0 200", "telephone-event")
        phone.say(keys_as_sound("5") + bytes(16_000))
        phone.press("6")
        assert agent.wait_for("DigitReceived")["digit"] == "6"
        # A gateway that sends a key by RTP as long as it is down, and by INFO once it is not; then the same key again.
        for _ in range(2):
            phone.hold_key("8", 1.6)
            phone.press("8")
            agent.do("talk", frames=80)
            agent.wait_for("Talked")
        assert [one["digit"] for one in agent.told("DigitReceived") if one["call"] == call] == [*"7449688"]
        _over(phone, agent)


@pytest.mark.rule("G03")
@pytest.mark.parametrize(
    ("presses", "count"),
    [
        pytest.param([(0.1, "info", 0.0), (0.0, "sound", 2.0)], 1, id="INFO at once, and a long tone told at its end"),
        pytest.param([(0.0, "sound", 0.1), (1.6, "info", 0.0)], 1, id="INFO long after its tone"),
        pytest.param([(0.0, "sound", 2.5), (2.6, "info", 0.0)], 1, id="INFO at the end of a long tone"),
        pytest.param([(0.0, "rtp", 0.0), (1.2, "info", 0.0)], 2, id="two presses, each in a form of its own"),
        pytest.param(
            [(0.0, "info", 0.0), (0.5, "info", 0.0), (0.1, "sound", 0.1), (0.6, "sound", 0.1)], 2, id="two, each twice"
        ),
    ],
)
def test_two_forms_are_one_press_by_when_it_began_and_how_long_it_lasted(
    presses: list[tuple[float, Literal["rtp", "info", "sound"], float]], count: int
) -> None:
    told: list[PhoneEvent] = []
    keys = Keys(lambda _: None, told.append)
    leg = cast("Leg", SimpleNamespace(call="one", keyless=True, presses=[]))
    for at, form, lasted in presses:
        keys.seen(leg, RawDigit("one", "1", at, form, lasted=lasted))
    assert len(told) == count


@pytest.mark.calm
def test_keys_go_out_in_the_form_that_the_peer_takes(agent: SecondPhone) -> None:
    with second_phone() as party:
        connect(party, agent)
        agent.do("digits", digits="19")
        assert [party.wait_for("DigitReceived")["digit"] for _ in range(2)] == ["1", "9"]
        party.do("hang_up")
        agent.wait_for("CallEnded")
    with plain_phone(allow=f"{ALLOW}, INFO") as phone:
        phone.keys = False
        _call(phone, agent)
        agent.do("digits", digits="3#")
        for sign in "3#":
            phone.wait_for("INFO", f"Signal={sign}")
        _over(phone, agent)
    with plain_phone() as phone:
        phone.keys = False
        _call(phone, agent)
        agent.do("digits", digits="52*")
        listener, pcm = KeyListener(), phone.hear(75)
        heard = [one for at in range(0, len(pcm) - 640, 640) for one in listener.hear(pcm[at : at + 640])]
        assert [(one.key, one.sure) for one in heard] == [("5", True), ("2", True), ("*", True)]
        assert phone.count("INFO") == 0
        _over(phone, agent)
