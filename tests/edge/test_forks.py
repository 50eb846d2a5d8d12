"""Who is the party of a call that several phones rang for: each method that may be said within a call, and a key in the sound,
from each leg of it, through a real edge and pjsua2. Run with `-s` it prints the table."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import struct
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from softphone.edge.answers import LET_IN
from tests.peers.forked import children
from tests.peers.processes import until
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import Wire, header

LOOPBACK, STRANGER = "127.0.0.1", "127.0.0.77"
REPLACES, KEY = "INVITE+Replaces", "RFC 4733"
SAID = (*(one for one in LET_IN if one != "BYE"), REPLACES, KEY, "BYE")
NOTHING = "-"
OF_THE_PARTY = {
    "INVITE": "sound moved",
    "UPDATE": "sound moved",
    "INFO": "DigitReceived",
    "REFER": "ReferAsked",
    REPLACES: "CallArrived",
    KEY: "DigitReceived",
    "BYE": "CallEnded",
}
"""Nothing else changes anything: a description in the party's ACK or PRACK answers no offer."""
EVENTS = ("DigitReceived", "ReferAsked", "TransferChanged", "CallArrived", "HoldChanged", "PartyChanged", "CallEnded")
SDP = (
    "v=0\r\no=- 1 {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)
_numbers = itertools.count(100)


@dataclass
class Leg:
    """A phone that the call may ring at."""

    sip: Wire
    rtp: list[socket.socket] = field(default_factory=list[socket.socket])

    def sound(self) -> str:
        """A description that names a port which none before it named."""
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtp.bind((self.sip.host, 0))
        rtp.setblocking(False)
        self.rtp.append(rtp)
        return SDP.format(host=self.sip.host, port=rtp.getsockname()[1], version=next(_numbers))

    def presses(self, to: tuple[str, int], out_of: socket.socket) -> None:
        """Key 2, with packets of sound around it."""
        packets = [(8, 160 * place, bytes([0xD5]) * 160) for place in range(8)]
        for place in range(6):
            body = struct.pack("!BBH", 2, 0x80 * (place > 3) | 10, 160 * (place + 1))
            packets.append((101 | 0x80 * (place == 0), 1280, body))
        packets += [(8, 160 * place, bytes([0xD5]) * 160) for place in range(16, 24)]
        for number, (kind, at, body) in enumerate(packets):
            out_of.sendto(struct.pack("!BBHII", 0x80, kind, number, at, id(self) & 0xFFFFFFFF) + body, to)
            time.sleep(0.005)


class ForkedCall:
    """A call of the phone's. `legs`: the party first, then those that are not."""

    def __init__(self, phone: SecondPhone, legs: Sequence[Leg]) -> None:
        self.phone, self.legs, self.party = phone, legs, legs[0]
        phone.do("dial", target=f"sip:204@{LOOPBACK}:{self.party.sip.port}")
        self.id = phone.wait_for("Dialled")["call"]
        self.invite = self.party.sip.wait_for("INVITE")
        self.edge = self.party.sip.peer
        self.ours = header(self.invite, "From")
        port = next(line for line in self.invite.splitlines() if line.startswith("m=audio ")).split()[1]
        self.sound_to = (LOOPBACK, int(port))
        for leg in legs:
            leg.sip.call_id, leg.sip.them = header(self.invite, "Call-ID"), self.ours

    def answer(self, leg: Leg, status: str) -> None:
        body = leg.sound() if status.startswith(("183", "200")) else ""
        leg.sip.send(leg.sip.answer(self.invite, status, body=body), self.edge)

    def establish(self) -> None:
        self.answer(self.party, "200 OK")
        self.party.sip.wait_for("ACK")
        self.phone.wait_for("CallEstablished", call=self.id)
        assert self.sound_at() is self.party.rtp[-1]

    def hang_up(self) -> None:
        self.phone.do("hang_up", call=self.id)
        self.party.sip.send(self.party.sip.answer(self.party.sip.wait_for("BYE"), "200 OK"), self.edge)
        self.phone.wait_for("CallEnded", call=self.id)

    def sound_at(self, seconds: float = 0.5) -> socket.socket | None:
        return sound_at(self.legs, seconds)

    def effect(self, leg: Leg, said: str) -> str:
        """What it changes at the agent's, if the leg says that."""
        had = {name: len(self.phone.told(name)) for name in EVENTS}
        at = self.sound_at(0.2)
        if said == KEY:
            leg.sound()
            leg.presses(self.sound_to, at if leg is self.party and at is not None else leg.rtp[-1])
        else:
            leg.sip.send(self._request(leg, said), (LOOPBACK, self.phone.udp))
        # What is answered after it has been read after it.
        number = next(_numbers)
        leg.sip.send(leg.sip.request("OPTIONS", self.phone.udp, cseq=number), (LOOPBACK, self.phone.udp))
        while header(leg.sip.wait_for("SIP/2.0"), "CSeq") != f"{number} OPTIONS":
            pass
        if leg is self.party and OF_THE_PARTY.get(said) in EVENTS:
            until(lambda: len(self.phone.told(OF_THE_PARTY[said])) > had[OF_THE_PARTY[said]], 10, said)
        now = self.sound_at(0.2)
        told = [name for name in EVENTS if len(self.phone.told(name)) > had[name]]
        moved = ["sound moved"] if "CallEnded" not in told and now is not at else []
        return ", ".join([*told, *moved]) or NOTHING

    def _request(self, leg: Leg, said: str) -> str:
        number, method, more, call_id, to = next(_numbers), said, "", "", ""
        body, kind = leg.sound(), "application/sdp"
        if said == "INFO":
            body, kind = "Signal=1\r\nDuration=160\r\n", "application/dtmf-relay"
        elif said == "REFER":
            more, body = f"Refer-To: <sip:evil@{STRANGER}>\r\n", ""
        elif said == "NOTIFY":
            more = "Event: refer\r\nSubscription-State: terminated\r\n"
            body, kind = "SIP/2.0 200 OK\r\n", "message/sipfrag"
        elif said == "PRACK":
            more = f"RAck: 1 {header(self.invite, 'CSeq')}\r\n"
        elif said == REPLACES:
            call_id, to = uuid4().hex, f"<sip:own@{LOOPBACK}:{self.phone.udp}>"
            tags = f"to-tag={self.ours.partition('tag=')[2]};from-tag={leg.sip.tag}"
            method, more = "INVITE", f"Replaces: {leg.sip.call_id};{tags}\r\n"
        return leg.sip.request(
            method, self.phone.udp, more=more, body=body, kind=kind, cseq=number, call_id=call_id, to=to
        )


def sound_at(legs: Sequence[Leg], seconds: float = 0.5) -> socket.socket | None:
    """Where the agent's sound comes to."""
    ports = [rtp for leg in legs for rtp in leg.rtp]
    for one in ports:
        _drain(one)
    ends, had = time.monotonic() + seconds, dict.fromkeys(ports, 0)
    while time.monotonic() < ends:
        for one in ports:
            had[one] += _drain(one)
            if had[one] >= 3:
                return one
        time.sleep(0.01)
    return None


def _drain(one: socket.socket) -> int:
    had = 0
    while True:
        try:
            one.recv(2_000)
        except BlockingIOError:
            return had
        had += 1


@contextmanager
def legs() -> Generator[tuple[Leg, Leg]]:
    """The party, and a stranger."""
    both = Leg(Wire(LOOPBACK)), Leg(Wire(STRANGER))
    try:
        yield both
    finally:
        for one in both:
            one.sip.socket.close()
            for rtp in one.rtp:
                rtp.close()


@pytest.fixture(scope="module")
def phone_process() -> Generator[SecondPhone]:
    with second_phone(edge=True, counter=True) as phone:
        yield phone


@pytest.fixture
def phone(phone_process: SecondPhone) -> Generator[SecondPhone]:
    yield phone_process
    phone_process.do("end_calls")
    phone_process.wait_for("Idle")
    assert not phone_process.told("PhoneFault")


def held_to(leg: str, found: dict[str, str], wanted: dict[str, str]) -> None:
    for said in SAID:
        print(f"| {leg} | {said} | {found[said]} |")
    assert found == {said: wanted.get(said, NOTHING) for said in SAID}


def test_the_phone_that_has_answered_is_the_party(phone: SecondPhone) -> None:
    with legs() as (party, stranger):
        call = ForkedCall(phone, (party, stranger))
        call.answer(stranger, "183 Session Progress")
        call.establish()
        held_to("the party", {said: call.effect(party, said) for said in SAID}, OF_THE_PARTY)


@pytest.mark.parametrize("leg", ["only rang", "answered second", "unknown", "only rang, edge anew"])
def test_a_phone_that_is_not_the_party_changes_nothing(phone: SecondPhone, leg: str) -> None:
    with legs() as (party, stranger):
        call = ForkedCall(phone, (party, stranger))
        if leg != "unknown":
            call.answer(stranger, "183 Session Progress")
        else:
            stranger.sound()
        call.establish()
        if leg == "answered second":
            call.answer(stranger, "200 OK")
            stranger.sip.wait_for("ACK")
            stranger.sip.send(stranger.sip.answer(stranger.sip.wait_for("BYE"), "200 OK"), stranger.sip.peer)
        elif leg == "only rang, edge anew":
            edges = children(phone.pid)
            for one in edges:
                os.kill(one.pid, signal.SIGKILL)
            until(lambda: {one.pid for one in children(phone.pid)}.isdisjoint(one.pid for one in edges), 15, "it goes")
            until(lambda: call.sound_at() is party.rtp[-1], 15, "sound by the next edge")
        held_to(leg, {said: call.effect(stranger, said) for said in SAID}, {})
        assert call.effect(party, "INFO") == "DigitReceived"
        call.hang_up()


def test_a_phone_that_rings_changes_nothing_of_the_call_that_another_answers(phone: SecondPhone) -> None:
    with legs() as (party, stranger):
        call = ForkedCall(phone, (party, stranger))
        call.answer(stranger, "183 Session Progress")
        found = {said: call.effect(stranger, said) for said in SAID if said != "BYE"}
        call.establish()
        # Where its own early sound goes is its own until somebody answers (RFC 3311 5.1).
        held_to("rings", found | {"BYE": call.effect(stranger, "BYE")}, {"UPDATE": "sound moved"})
        call.hang_up()


def test_a_phone_that_answers_a_call_which_was_redirected_is_ended_there(phone: SecondPhone) -> None:
    with legs() as (party, stranger):
        call = ForkedCall(phone, (party, stranger))
        call.answer(party, "302 Moved Temporarily")
        phone.wait_for("CallEnded", call=call.id)
        call.answer(stranger, "200 OK")
        stranger.sip.wait_for("ACK")
        stranger.sip.send(stranger.sip.answer(stranger.sip.wait_for("BYE"), "200 OK"), stranger.sip.peer)
        held_to("answered after 302", {said: call.effect(stranger, said) for said in SAID}, {})


def test_an_ack_describes_the_sound_once_and_only_where_our_answer_made_the_offer(phone: SecondPhone) -> None:
    with legs() as (caller, _):
        sip, there = caller.sip, (LOOPBACK, phone.udp)
        sip.send(sip.request("INVITE", phone.udp), there)
        call = phone.wait_for("CallArrived")["call"]
        phone.do("answer", call=call)
        answer = sip.wait_for("SIP/2.0 200")
        sip.them = header(answer, "To")
        assert "m=audio " in answer, "it makes the offer"
        sip.send(sip.request("ACK", phone.udp, body=caller.sound()), there)
        phone.wait_for("CallEstablished", call=call)
        until(lambda: sound_at([caller]) is caller.rtp[0], 10, "sound to where the ACK wanted it")
        sip.send(sip.request("ACK", phone.udp, body=caller.sound()), there)
        assert sound_at([caller]) is caller.rtp[0]
        sip.send(sip.request("BYE", phone.udp, cseq=2), there)
        phone.wait_for("CallEnded", call=call)
