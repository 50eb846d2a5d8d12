"""Real calls between two phones on loopback, each in a process of its own."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engine.sip.hearing import counters, loudness, pairs
from tests.peers.counter import gaps
from tests.peers.processes import free_port, until
from tests.peers.second_phone import SecondPhone, connect, part, second_phone, talk
from tests.peers.wire import wire


def test_an_incoming_call_tells_who_calls_and_which_number_was_called(
    agent: SecondPhone, customer: SecondPhone
) -> None:
    customer.do(
        "account",
        id="mette",
        address="+4520123456@127.0.0.1",
        display_name='Mette "M" Hølm',
        register=False,
    )
    target = f"sip:70102030@127.0.0.1:{agent.udp}"
    customer.do("dial", account="mette", target=target, prefers_recording=False)
    arrived = agent.wait_for("CallArrived")
    customer.do("hang_up")
    agent.wait_for("CallEnded", call=arrived["call"])
    customer.wait_for("CallEnded")
    customer.do("remove_account", id="mette")
    assert arrived["name"] == 'Mette "M" Hølm'
    assert arrived["number"] == "+4520123456"
    assert arrived["called"] == "70102030"
    assert arrived["peer_host"] == "127.0.0.1"
    assert arrived["account"] == "own"
    assert arrived["headers"]["user-agent"] == ["Klartone"]
    assert arrived["record_aware"] is True
    assert agent.told("RecordPreference")[-1]["wish"] == "off"


def test_a_call_is_established_on_both_sides_and_ended_by_the_one_who_hangs_up(
    agent: SecondPhone, customer: SecondPhone
) -> None:
    theirs, ours = connect(customer, agent)
    agent.do("hang_up")
    assert agent.wait_for("CallEnded")["by_us"] is True
    assert customer.wait_for("CallEnded")["by_us"] is False
    told = [e["event"] for e in agent.events if e.get("call") == ours]
    assert told.index("CallArrived") < told.index("CallEstablished") < told.index("CallEnded")
    told = [e["state"] for e in customer.told("CallProgress") if e["call"] == theirs]
    assert told == ["calling", "ringing"]


def test_a_declined_call_is_told_to_the_caller_with_its_code(agent: SecondPhone, customer: SecondPhone) -> None:
    customer.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
    agent.wait_for("CallArrived")
    agent.do("decline", code=486)
    assert customer.wait_for("CallEnded")["code"] == 486
    assert agent.wait_for("CallEnded")["by_us"] is True


def test_a_caller_who_gives_up_ends_the_ringing(agent: SecondPhone, customer: SecondPhone) -> None:
    customer.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
    call = agent.wait_for("CallArrived")["call"]
    customer.wait_for("CallProgress", state="ringing")
    customer.do("hang_up")
    ended = agent.wait_for("CallEnded", call=call)
    assert (ended["by_us"], ended["code"]) == (False, 487)
    customer.wait_for("CallEnded")


def test_no_sound_is_sent_before_the_call_is_answered(
    agent: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    customer.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
    call = agent.wait_for("CallArrived")["call"]
    customer.wait_for("CallProgress", state="ringing")
    agent.do("notice", call=call, wav=str(tmp_path / "any.wav"))
    assert agent.wait_for("Refused")["code"] == "call_not_established"
    for phone in (agent, customer):
        assert phone.ask("state", "State")["frames"] == {}
    agent.do("answer")
    agent.wait_for("CallEstablished")
    customer.wait_for("CallEstablished")
    part(customer, agent)
    assert "early" not in [e["state"] for e in customer.told("CallProgress")]


def test_a_fifth_caller_is_told_busy_and_shown_as_missed_while_the_calls_go_on(
    guarded: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    agent = guarded
    _, ours = connect(customer, agent)
    with second_phone() as other:
        for _ in range(3):
            other.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
            agent.wait_for("CallArrived")
        with second_phone() as fifth:
            fifth.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
            assert fifth.wait_for("CallEnded")["code"] == 486
        missed = agent.wait_for("CallMissed", 1)
        other.do("end_calls")
        for _ in range(3):
            agent.wait_for("CallEnded")
    assert (missed["number"], missed["busy"]) == ("customer", True)
    assert missed["at"].endswith("+00:00")
    talk(agent, 20)
    assert gaps(counters(pairs(agent, tmp_path, ours).heard)) == []
    agent.do("hang_up", call=ours)
    customer.wait_for("CallEnded")
    agent.wait_for("CallEnded", call=ours)


def test_no_more_missed_callers_are_told_of_than_can_be_read_though_all_came_through(
    agent: SecondPhone, customer: SecondPhone
) -> None:
    connect(customer, agent)
    with wire() as flood:
        for number in range(60):
            invite = flood.request("INVITE", agent.udp, body=SDP, call_id=f"flood-{number}")
            flood.send(invite.replace("sip:wire@", f"sip:caller{number}@"), ("127.0.0.1", agent.udp))
            while not flood.wait_for("SIP/2.0").startswith(("SIP/2.0 180", "SIP/2.0 486")):
                pass
    agent.do("state")
    agent.wait_for("State")
    assert 20 <= len(agent.told("CallMissed")) <= 40, "twenty a minute"
    part(customer, agent)


def test_keys_are_heard_in_both_directions(agent: SecondPhone, customer: SecondPhone) -> None:
    connect(customer, agent)
    customer.do("digits", digits="*91")
    agent.do("digits", digits="#20")
    assert [agent.wait_for("DigitReceived")["digit"] for _ in range(3)] == ["*", "9", "1"]
    assert [customer.wait_for("DigitReceived")["digit"] for _ in range(3)] == ["#", "2", "0"]
    customer.do("digits", digits="x")
    assert customer.wait_for("Refused")["code"] == "digits"
    part(customer, agent)


@pytest.mark.calm
@pytest.mark.parametrize("codec", ["G722/16000/1", "PCMA/8000/1", "PCMU/8000/1"])
def test_every_frame_of_both_sides_comes_once_and_in_order_with_each_codec(codec: str, tmp_path: Path) -> None:
    with (
        second_phone(counter=True, codec=codec) as one,
        second_phone(counter=True, auto_answer=True, codec=codec) as other,
    ):
        one.do("dial", target=f"sip:other@127.0.0.1:{other.udp}")
        one.wait_for("CallEstablished")
        talk(other, 75)
        got = pairs(other, tmp_path)
        own, heard = counters(got.own), counters(got.heard)
        assert gaps(own) == gaps(heard) == []
        assert len(own) == len(heard) >= 75
        assert sum(number is None for number in own) <= 1
        # Each side on its own channel only: the party's counter started about when ours did.
        assert heard != own
        part(one, other)


def test_hold_by_either_side_is_told_apart_and_nothing_is_heard_meanwhile(
    agent: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    _, ours = connect(customer, agent)
    talk(agent, 20)
    agent.do("hold")
    held = agent.wait_for("HoldChanged")
    assert (held["by_us"], held["by_them"]) == (True, False)
    held = customer.wait_for("HoldChanged")
    assert (held["by_us"], held["by_them"]) == (False, True)
    while_held = pairs(agent, tmp_path, ours).frames
    customer.do("hold")
    held = agent.wait_for("HoldChanged")
    assert (held["by_us"], held["by_them"]) == (True, True)
    agent.do("resume")
    held = agent.wait_for("HoldChanged")
    assert (held["by_us"], held["by_them"]) == (False, True)
    again = pairs(agent, tmp_path, ours).frames
    customer.do("resume")
    held = agent.wait_for("HoldChanged")
    assert (held["by_us"], held["by_them"]) == (False, False)
    resumed = pairs(agent, tmp_path, ours).frames
    until(
        lambda: max(loudness(pairs(agent, tmp_path, ours).heard)[resumed:], default=0.0) > 1000,
        5,
        "the party's voice after the hold",
    )
    got = pairs(agent, tmp_path, ours)
    for side in (got.own, got.heard):
        assert max(loudness(side)[while_held + 1 : again], default=0.0) == 0.0
    assert min(loudness(got.own)[resumed + 2 :], default=9999.0) > 1000
    assert not [e for e in agent.told("MediaChanged") if e["call"] == ours and not e["active"]]
    part(customer, agent)


def test_a_muted_agent_is_silent_for_the_party_and_in_her_own_channel(
    agent: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    theirs, ours = connect(customer, agent)
    talk(agent, 10)
    agent.do("mute", on=True)
    muted = agent.ask("state", "State")["frames"][ours]
    talk(agent, 50)
    heard = loudness(pairs(customer, tmp_path, theirs).heard)
    agent.do("mute", on=False)
    own = loudness(pairs(agent, tmp_path, ours).own)
    assert own[muted + 2 :] == [0.0] * len(own[muted + 2 :])
    assert max(heard[-20:]) < 100 < 1000 < max(heard)
    talk(agent, 10)
    assert loudness(pairs(agent, tmp_path, ours).own)[-1] > 1000
    part(customer, agent)


def test_a_closed_microphone_reaches_neither_party_nor_frames(
    agent: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    customer.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
    ours = agent.wait_for("CallArrived")["call"]
    agent.do("microphone", on=False)
    agent.do("answer")
    agent.wait_for("CallEstablished")
    theirs = customer.wait_for("CallEstablished")["call"]
    talk(customer, 40)
    assert max(loudness(pairs(agent, tmp_path, ours).own)) == 0.0
    got = pairs(customer, tmp_path, theirs)
    assert max(loudness(got.heard)) < 30
    assert got.frames > 20
    part(customer, agent)


def test_a_call_to_nowhere_can_be_given_up_and_another_made(agent: SecondPhone, customer: SecondPhone) -> None:
    customer.do("dial", target=f"sip:nobody@127.0.0.1:{free_port()}")
    customer.wait_for("CallProgress", state="calling")
    customer.do("dial", target=f"sip:agent@127.0.0.1:{agent.udp}")
    agent.wait_for("CallArrived")
    agent.do("answer")
    customer.wait_for("CallEstablished")
    customer.do("hang_up", call=customer.told("Dialled")[-2]["call"])
    customer.wait_for("CallEnded", seconds=2)
    part(customer, agent)


@pytest.mark.parametrize("target", ["", "not a number", "sip:", "<sip:a@b>", "a@b\r\nVia: x"])
def test_a_target_that_is_no_number_is_refused(customer: SecondPhone, target: str) -> None:
    customer.do("dial", target=target)
    assert customer.wait_for("Refused")["code"] == "dial_target"


def test_a_phone_that_is_closed_in_a_call_says_goodbye_at_once_and_ends_cleanly(
    agent: SecondPhone,
) -> None:
    with second_phone() as other:
        connect(other, agent)
        other.do("quit")
        closed = agent.wait_for("CallEnded", seconds=1)
        assert closed["by_us"] is False
        assert other.close() == 0
        assert other.told("CallEnded")[-1]["by_us"] is True


SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)


def request(method: str, port: int, own: int, number: int, body: str = "") -> bytes:
    """A bare SIP request, as no decent phone would send it by the hundred."""
    return (
        f"{method} sip:agent@127.0.0.1:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{own}-{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:flood@127.0.0.1>;tag={number}\r\n"
        f"To: <sip:agent@127.0.0.1>\r\nCall-ID: flood-{own}-{number}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:flood@127.0.0.1:{own}>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@pytest.mark.calm
def test_a_flood_of_calls_is_turned_away_and_the_standing_call_goes_on_unharmed(
    guarded: SecondPhone, customer: SecondPhone, tmp_path: Path
) -> None:
    _, ours = connect(customer, guarded)
    missed = len(guarded.told("CallMissed"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        flood.bind(("127.0.0.1", 0))
        own = flood.getsockname()[1]
        for number in range(100):
            flood.sendto(request("INVITE", guarded.udp, own, number, SDP), ("127.0.0.1", guarded.udp))
        talk(guarded, 100)
    assert 1 <= len(guarded.told("CallMissed")) - missed <= 2, "one row a caller and minute"
    heard = counters(pairs(guarded, tmp_path, ours).heard)
    assert sum(number is not None for number in heard[-50:]) >= 45
    guarded.do("hang_up", call=ours)
    customer.wait_for("CallEnded")
    guarded.wait_for("CallEnded", call=ours)


@pytest.mark.calm
def test_calls_that_come_and_go_by_the_dozen_do_not_end_the_phone(guarded: SecondPhone, customer: SecondPhone) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        flood.bind(("127.0.0.1", 0))
        flood.settimeout(0.01)
        own = flood.getsockname()[1]
        for number in range(60):
            flood.sendto(request("INVITE", guarded.udp, own, number, SDP), ("127.0.0.1", guarded.udp))
            with suppress(TimeoutError):
                while b"SIP/2.0 180" not in flood.recv(4096):
                    pass
            flood.sendto(request("CANCEL", guarded.udp, own, number), ("127.0.0.1", guarded.udp))
    guarded.ask("state", "State")  # passes over what the flood told
    for _ in range(20):
        customer.do("dial", target=f"sip:own@127.0.0.1:{guarded.udp}")
        # Whoever calls within the same moment may still hear busy.
        with suppress(TimeoutError):
            guarded.wait_for("CallArrived", 0.5)
            break
    guarded.do("answer")
    customer.wait_for("CallEstablished")
    part(customer, guarded)


@pytest.mark.calm
def test_thirty_calls_in_a_row_leave_no_descriptor_behind(agent: SecondPhone, customer: SecondPhone) -> None:
    for _ in range(3):
        connect(customer, agent)
        part(customer, agent)
    before = agent.ask("state", "State")
    for _ in range(30):
        connect(customer, agent)
        talk(agent, 2)  # PJSIP frees a call's sockets half a second late, and has 64
        part(customer, agent)
    after = agent.ask("state", "State")
    assert after["descriptors"] <= before["descriptors"]
    assert after["kept"] == 0
    assert after["memory"] - before["memory"] < 4_000_000


def test_digits_sent_just_before_a_hold_all_arrive(agent: SecondPhone, customer: SecondPhone) -> None:
    connect(customer, agent)
    agent.do("digits", digits="0123456789")
    agent.do("hold")
    assert [customer.wait_for("DigitReceived")["digit"] for _ in range(10)] == [*"0123456789"]
    customer.wait_for("HoldChanged", by_them=True)
    agent.do("resume")
    customer.wait_for("HoldChanged", by_them=False)
    part(customer, agent)
