"""Why a call came to nothing, as the other side says it (`Reason`, `Retry-After`), through a real edge and pjsua2."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from softphone.domain.ending import Ending, Said, ending_of, read_said
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import SDP, Wire, header, wire

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def phone() -> Generator[SecondPhone]:
    with second_phone(edge=True) as phone:
        yield phone


def rings(phone: SecondPhone, caller: Wire) -> str:
    """The branch of a call that rings."""
    branch = f"z9hG4bK{caller.tag}"
    caller.send(caller.request("INVITE", phone.udp, body=SDP, branch=branch), (HOST, phone.udp))
    while not (told := caller.wait_for("SIP/2.0 ")).startswith("SIP/2.0 180"):
        if told.startswith("SIP/2.0 486"):  # so many calls at once are a flood: soon there is room again
            branch, caller.call_id = f"{branch}x", f"{caller.call_id}x"
            assert caller.silent(0.3)
            caller.send(caller.request("INVITE", phone.udp, body=SDP, branch=branch), (HOST, phone.udp))
    return branch


def taken_back(phone: SecondPhone, caller: Wire, *more: str) -> str | None:
    """A call that rings and is cancelled: the ending that is told."""
    branch = rings(phone, caller)
    reasons = "".join(f"Reason: {one}\r\n" for one in more)
    caller.send(caller.request("CANCEL", phone.udp, branch=branch, more=reasons), (HOST, phone.udp))
    return phone.wait_for("CallEnded")["ending"]


def test_a_call_that_another_phone_answered_says_so_and_one_that_is_given_up_does_not(phone: SecondPhone) -> None:
    told: list[str | None] = []
    for more in (
        ('SIP;cause=200;text="Call completed, elsewhere;cause=486"',),
        ("Q.850;cause=26", "Preemption;cause=1"),
        (),
        ("SIP ;text=x; cause=603",),
        ("SIP;cause=" + "2" * 3000, ";;;,,,", '"' * 400),
    ):
        with wire() as caller:
            told.append(taken_back(phone, caller, *more))
    assert told == ["elsewhere", "elsewhere", None, None, None]


def test_a_refusal_says_why_and_when_to_call_again_and_a_call_that_broke_off_that_it_did(phone: SecondPhone) -> None:
    told: list[tuple[str, int]] = []
    for status, more in (
        ("486 Busy Here", "Retry-After: 120 (in a meeting);duration=600\r\n"),
        ("480 Temporarily Unavailable", "Reason: Q.850;cause=17\r\n"),
        ("503 Service Unavailable", "Reason: Q.850 ;cause=1 ;text=x\r\nRetry-After: 999999\r\n"),
        ("603 Decline", "Reason: nonsense\r\n"),
        ("404 Not Found", ""),
    ):
        with wire() as called:
            phone.do("dial", target=f"sip:204@{HOST}:{called.port}")
            called.send(called.answer(called.wait_for("INVITE"), status, more=more), called.peer)
            ended = phone.wait_for("CallEnded")
            told.append((ended["ending"], ended["again"]))
    assert told == [("busy", 120), ("busy", 0), ("unknown", 86_400), ("declined", 0), ("unknown", 0)]

    for more, ending in (("Reason: Q.850;cause=38\r\n", "network"), ("Reason: Q.850;cause=16\r\n", None)):
        with wire() as called:
            phone.do("dial", target=f"sip:204@{HOST}:{called.port}")
            asked = called.wait_for("INVITE")
            answer = called.answer(asked, "200 OK", body=SDP)
            called.send(answer, called.peer)
            called.wait_for("ACK")
            phone.wait_for("CallEstablished")
            called.call_id, called.them = header(asked, "Call-ID"), header(asked, "From")
            called.send(called.request("BYE", phone.udp, more=more), called.peer)
            assert phone.wait_for("CallEnded")["ending"] == ending


def test_a_cancel_of_another_transaction_says_nothing_of_how_the_call_ends(phone: SecondPhone) -> None:
    with wire() as caller, wire() as other:
        rings(phone, caller)
        other.call_id = caller.call_id
        reason = "Reason: SIP;cause=200\r\n"
        other.send(other.request("CANCEL", phone.udp, more=reason), (HOST, phone.udp))
        other.wait_for("SIP/2.0 481")
        # Given up without a CANCEL of its own (RFC 3261 15), which would say why anew.
        caller.them = header(next(one for one in reversed(caller.heard) if one.startswith("SIP/2.0 180")), "To")
        caller.send(caller.request("BYE", phone.udp, cseq=2), (HOST, phone.udp))
        assert phone.wait_for("CallEnded")["ending"] is None


def test_codes_and_causes_each_have_one_meaning() -> None:
    assert read_said(('SIP;cause=200;text="a, b"', "SIP;cause=480"), "7") == Said(200, 0, 7)
    assert read_said(("Q.850;cause=31;text=x, SIP;cause=600",)) == Said(600, 31)
    ours = [
        ending_of(code, Said(), incoming=False, answered=False, by_us=False)
        for code in (0, 302, 403, 408, 410, 420, 480, 486, 487, 488, 500, 600, 603, 604)
    ]
    assert ours == [
        *(Ending.NETWORK, Ending.MOVED, Ending.NOT_ALLOWED, Ending.NO_ANSWER, Ending.UNKNOWN, Ending.FAILED),
        *(Ending.NOT_THERE, Ending.BUSY, Ending.NO_ANSWER, Ending.NO_COMMON_SOUND, Ending.NETWORK, Ending.BUSY),
        *(Ending.DECLINED, Ending.UNKNOWN),
    ]
    # What the agent ended needs no reason; the network's word goes before a code that means anything.
    assert ending_of(487, Said(200), incoming=True, answered=False, by_us=True) is None
    assert ending_of(480, Said(q850=21), incoming=False, answered=False, by_us=False) is Ending.DECLINED
    assert ending_of(404, Said(q850=21), incoming=False, answered=False, by_us=False) is Ending.UNKNOWN
