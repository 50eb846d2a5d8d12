"""STUN and ICE on the edge's own sockets: with rtpengine as the other side, and with one that has not the password."""

from __future__ import annotations

import contextlib
import re
import secrets
import select
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as some

from softphone.cli.doctor.network import stun_of
from softphone.edge.relay.ice import usable
from softphone.edge.relay.stun import StunServer
from softphone.edge.server_check import check_stun
from softphone.edge.sip.sdp import SessionDescription
from softphone.wire.snapshot import Settings
from tests.edge.test_relay import Peer, on_a_loop, rtp, xr
from tests.peers.forked import children
from tests.peers.ice import IcePeer
from tests.peers.processes import until
from tests.peers.rtpengine import rtpengine
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import SDP, Wire, header, wire

HOST = "127.0.0.1"
OUTSIDE = "127.0.0.77"


@pytest.fixture(scope="module")
def phone() -> Generator[SecondPhone]:
    with second_phone(edge=True, counter=True) as phone:
        phone.do("account", id="ice", address=f"anna@{HOST}", register=False, ice=True)
        yield phone


@contextmanager
def party() -> Generator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((HOST, 0))
        one.settimeout(5.0)
        yield one


def described(one: socket.socket, *more: str) -> str:
    return SDP.replace("40000", str(one.getsockname()[1])) + "".join(f"a={line}\r\n" for line in more)


def body(message: str) -> str:
    return message.partition("\r\n\r\n")[2]


def named(description: str) -> list[str]:
    return re.findall(r"a=ice-(?:ufrag|pwd):(\S+)", description)


def talk_through(phone: SecondPhone, one: socket.socket) -> None:
    """What comes is sent back, and heard by the phone."""
    for _ in range(40):
        data, source = one.recvfrom(2048)
        one.sendto(data, source)
    phone.wait_for("PartySound", there=True)


def test_sound_goes_by_the_pair_that_rtpengine_and_the_edge_have_checked_both_ways(
    phone: SecondPhone, tmp_path: Path
) -> None:
    with rtpengine(tmp_path) as between, wire() as called, party() as one:
        phone.do("dial", account="ice", target=f"sip:bo@{HOST}:{called.port}")
        asked = called.wait_for("INVITE")
        assert body(asked).count("a=candidate:") == 2
        assert "a=ice-lite" not in body(asked)
        between.offer(body(asked), "out", "a", ICE="remove")
        answer = between.answer(described(one), "out", "a", "b", ICE="force")
        assert "a=ice-ufrag:" in answer
        called.send(called.answer(asked, "200 OK", body=answer), called.peer)
        called.wait_for("ACK")
        talk_through(phone, one)
        # The party's own new description begins ICE anew, with a new password.
        called.call_id, called.them = header(asked, "Call-ID"), header(asked, "From")
        again = between.offer(described(one).replace("=- 1 1", "=- 1 2"), "restarted", "b", ICE="force")
        more = {"to": header(asked, "From"), "contact": f"<sip:bo@{HOST}:{called.port}>"}
        called.send(called.request("INVITE", phone.udp, cseq=2, body=again, **more), (HOST, phone.udp))
        agreed = body(called.wait_for("SIP/2.0 200"))
        called.send(called.request("ACK", phone.udp, cseq=2), (HOST, phone.udp))
        between.answer(agreed, "restarted", "b", "a", ICE="remove")
        for before, after in ((answer, again), (body(asked), agreed)):
            assert named(before) != named(after)
        assert [one.recvfrom(2048) for _ in range(40)]
        phone.do("hang_up")
        called.send(called.answer(called.wait_for("BYE"), "200 OK"), called.peer)
        phone.wait_for("CallEnded")

        # Called by somebody with ICE: the other side leads.
        with wire() as caller:
            offer = between.offer(described(one), "in", "a", ICE="force")
            asked = caller.request("INVITE", phone.udp, body=offer).replace("sip:own@", "sip:anna@", 1)
            caller.send(asked, (HOST, phone.udp))
            phone.wait_for("CallArrived", account="ice")
            phone.do("answer")
            told = caller.wait_for("SIP/2.0 200", 10)
            caller.them = header(told, "To")
            caller.send(caller.request("ACK", phone.udp), (HOST, phone.udp))
            between.answer(body(told), "in", "a", "b", ICE="remove")
            talk_through(phone, one)
            phone.do("hang_up")
            caller.send(caller.answer(caller.wait_for("BYE"), "200 OK"), caller.peer)
            phone.wait_for("CallEnded")
    assert not phone.told("SourceDoubted")


def test_before_a_check_not_one_packet_passes_and_who_has_no_password_gets_no_answer(phone: SecondPhone) -> None:
    with wire() as called, party() as one, party() as control:
        phone.do("dial", account="ice", target=f"sip:bo@{HOST}:{called.port}")
        asked = called.wait_for("INVITE")
        own = SessionDescription.parse(body(asked).encode())
        there = own.audio_address()
        found = own.ice()
        assert there is not None
        assert found is not None
        # Two candidates that never answer a check.
        ports = one.getsockname()[1], control.getsockname()[1]
        lines = [f"candidate:x {number} udp 1 {HOST} {port} typ host" for number, port in enumerate(ports, 1)]
        answer = described(one, "ice-ufrag:abcd", "ice-pwd:" + "p" * 22, *lines)
        called.send(called.answer(asked, "200 OK", body=answer), called.peer)
        called.wait_for("ACK")
        phone.wait_for("CallEstablished")
        started = phone.ask("state", "State")["memory"]
        key = found[1].encode()
        for number in range(400):
            one.sendto(rtp(number), there)
            hostile = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
            hostile.attributes["USERNAME"] = f"{found[0]}:abcd"
            hostile.attributes["PRIORITY"] = number
            hostile.add_message_integrity(key[::-1] if number % 2 else secrets.token_bytes(8))
            one.sendto(bytes(hostile), there)
            one.sendto(bytes(hostile)[:20] + secrets.token_bytes(number), there)
        checks = 0
        while select.select([one], [], [], 0.3)[0]:
            data = one.recv(2048)
            assert data[:2] == b"\x00\x01", "our own checks, no sound, and an answer to nobody"
            checks += 1
        assert checks < 20
        assert phone.ask("state", "State")["memory"] - started < 4e6
        assert phone.told("PartySound")[-1]["there"] is False
        # With the password it is answered: that is whom the description has named.
        good = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        good.attributes |= {"USERNAME": f"{found[0]}:abcd", "PRIORITY": 1, "ICE-CONTROLLED": 1}
        good.add_message_integrity(key)
        limit = time.monotonic() + 3
        while True:  # the flood's second may still last
            one.sendto(bytes(good), there)
            if select.select([one], [], [], 0.3)[0] and one.recv(2048)[:2] == b"\x01\x01":
                break
            assert time.monotonic() < limit
        phone.do("hang_up")
        called.send(called.answer(called.wait_for("BYE"), "200 OK"), called.peer)
        phone.wait_for("CallEnded")


def test_whoever_has_no_ice_is_talked_to_as_ever_also_where_somebody_has_changed_an_address(phone: SecondPhone) -> None:
    for more in ((), ("ice-ufrag:abcd", "ice-pwd:" + "p" * 22, f"candidate:x 1 udp 1 {HOST} 9 typ host")):
        with wire() as called, party() as one:
            phone.do("dial", account="ice", target=f"sip:bo@{HOST}:{called.port}")
            asked = called.wait_for("INVITE")
            called.send(called.answer(asked, "200 OK", body=described(one, *more)), called.peer)
            called.wait_for("ACK")
            talk_through(phone, one)
            phone.do("hang_up")
            called.send(called.answer(called.wait_for("BYE"), "200 OK"), called.peer)
            phone.wait_for("CallEnded")


def test_an_offer_without_ice_in_a_call_by_ice_takes_the_sound_to_the_address_that_it_names(phone: SecondPhone) -> None:
    with IcePeer() as before, wire() as called, contextlib.closing(Peer("127.0.0.2")) as after:
        before.answer_checks()
        phone.do("say_counter")
        phone.do("dial", account="ice", target=f"sip:bo@{HOST}:{called.port}")
        asked = called.wait_for("INVITE")
        there = SessionDescription.parse(body(asked).encode()).audio_address()
        assert there is not None
        called.send(called.answer(asked, "200 OK", body=before.description()), called.peer)
        called.wait_for("ACK")
        limit, number = time.monotonic() + 5, 0
        while before.heard < 10 or not phone.told("PartySound")[-1:] or not phone.told("PartySound")[-1]["there"]:
            number += 1
            before.peer.rtp.sendto(rtp(number), there)
            assert time.monotonic() < limit
            time.sleep(0.02)
        # The exchange puts the call through to somebody without ICE.
        called.call_id, called.them = header(asked, "Call-ID"), header(asked, "From")
        named = SDP.replace("40000", str(after.address[1])).replace("=- 1 1", "=- 1 2").replace(HOST, after.address[0])
        contact = f"<sip:bo@{HOST}:{called.port}>"
        called.send(called.request("INVITE", phone.udp, cseq=2, body=named, contact=contact), (HOST, phone.udp))
        assert "a=candidate" not in called.wait_for("SIP/2.0 200")
        called.send(called.request("ACK", phone.udp, cseq=2), (HOST, phone.udp))
        after.heard()
        came, last = 0, before.heard
        for number in range(100):
            after.rtp.sendto(rtp(number, ssrc=9), there)
            time.sleep(0.02)
            came += len(after.heard())
        assert came > 80
        assert before.heard - last < 10, "whoever was there before hears no more"
        phone.do("hang_up")
        called.send(called.answer(called.wait_for("BYE"), "200 OK"), called.peer)
        phone.wait_for("CallEnded")


def test_an_edge_that_dies_in_a_call_by_ice_is_followed_by_one_that_begins_ice_anew() -> None:
    with second_phone(edge=True, counter=True) as phone, IcePeer() as party, wire() as called:
        phone.do("account", id="ice", address=f"anna@{HOST}", register=False, ice=True)
        party.answer_checks()
        phone.do("say_counter")
        phone.do("dial", account="ice", target=f"sip:bo@{HOST}:{called.port}")
        asked = called.wait_for("INVITE")
        called.send(called.answer(asked, "200 OK", body=party.description()), called.peer)
        called.wait_for("ACK")
        until(lambda: party.heard > 25, 15, "sound by ICE")
        for one in children(phone.pid):
            one.kill()
        # The party's agent would give up the way: it heard nothing of the one that has died.
        again = called.wait_for("INVITE", 10)
        assert body(again).count("a=candidate:") == 2
        assert named(body(again)) != named(body(asked))
        last = party.heard
        until(lambda: party.heard > last + 10, 15, "sound before the new pair stands")
        party.ufrag = "efgh"
        called.send(called.answer(again, "200 OK", body=party.description(2)), called.peer)
        called.wait_for("ACK")
        until(lambda: "efgh" in party.asked_by, 15, "the new agent's checks")
        last = party.heard
        until(lambda: party.heard > last + 25, 15, "sound by the new pair")
        phone.do("hang_up")
        called.send(called.answer(called.wait_for("BYE"), "200 OK"), called.peer)
        phone.wait_for("CallEnded")


def test_what_the_party_could_not_play_of_our_sound_counts_in_the_connections_quality(phone: SecondPhone) -> None:
    with wire() as called, contextlib.closing(Peer()) as one:
        phone.do("dial", target=f"sip:bo@{HOST}:{called.port}")
        asked = called.wait_for("INVITE")
        assert "a=rtcp-xr:voip-metrics" in body(asked)
        answer = SDP.replace("40000", str(one.address[1]))
        called.send(called.answer(asked, "200 OK", body=answer), called.peer)
        called.wait_for("ACK")
        there = SessionDescription.parse(body(asked).encode()).audio_address()
        assert there is not None
        limit, number = time.monotonic() + 9, 0
        while not phone.told("QualityMeasured"):
            number += 1
            one.rtp.sendto(rtp(number), there)
            if number % 25 == 0:
                one.rtcp.sendto(xr(7, 64, 64), (there[0], there[1] + 1))
            assert time.monotonic() < limit
            time.sleep(0.02)
        quality = phone.told("QualityMeasured")[-1]["quality"]
        assert quality["loss_there"] == 0.5
        assert quality["r"] < 60
        phone.do("hang_up")
        called.send(called.answer(called.wait_for("BYE"), "200 OK"), called.peer)
        phone.wait_for("CallEnded")


# --- STUN -----------------------------------------------------------------------------------------


class Nat:
    """A STUN server behind which each port is seen `ahead` of where it is (or behind), on another address."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.place = f"{HOST}:{self.socket.getsockname()[1]}"
        self.ahead, self.mute, self.asked = -10_000, False, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            if not select.select([self.socket], [], [], 0.05)[0]:
                continue
            data, source = self.socket.recvfrom(2048)
            if not self.mute:
                question = stun.parse_message(data)
                answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, question.transaction_id)
                answer.attributes["XOR-MAPPED-ADDRESS"] = OUTSIDE, source[1] + self.ahead
                self.socket.sendto(bytes(answer), source)
            self.asked += 1

    def close(self) -> None:
        self._over.set()
        self._thread.join(1)
        self.socket.close()


@pytest.fixture
def nat() -> Generator[Nat]:
    one = Nat()
    yield one
    one.close()


def invited(phone: SecondPhone, called: Wire, account: str = "own") -> str:
    phone.do("dial", account=account, target=f"sip:bo@{HOST}:{called.port}")
    return called.wait_for("INVITE")


def test_a_stun_server_says_where_this_phone_is_seen_and_a_silent_one_costs_one_call_half_a_second(nat: Nat) -> None:
    with second_phone(edge=True, counter=True, stun=nat.place, keep_alive=1) as phone, wire() as called, party() as one:
        phone.do("account", id="ice", address=f"anna@{HOST}", register=False, ice=True)
        _wait_for_question(nat, 1)
        asked = invited(phone, called, "ice")
        description = SessionDescription.parse(body(asked).encode())
        place, control = description.audio_address(), description.rtcp_address()
        assert place is not None
        assert control is not None
        assert place[0] == control[0] == OUTSIDE
        assert control[1] == place[1] + 1
        real = place[1] - nat.ahead
        reflexive = [line for line in body(asked).splitlines() if "typ srflx" in line]
        assert f" {OUTSIDE} {place[1]} typ srflx raddr {HOST} rport {real}" in reflexive[0]
        assert header(asked, "Contact").startswith(f"<sip:anna@{OUTSIDE}:{phone.udp + nat.ahead}")
        called.send(called.answer(asked, "200 OK", body=described(one)), called.peer)
        called.wait_for("ACK")
        phone.wait_for("CallEstablished")
        one.sendto(rtp(1), (HOST, real))
        # The NAT shows it elsewhere from now on: the party hears of that.
        nat.ahead = -12_000
        moved = called.wait_for("INVITE", 15)
        assert header(moved, "Contact").startswith(f"<sip:anna@{OUTSIDE}:{phone.udp + nat.ahead}")
        place = SessionDescription.parse(body(moved).encode()).audio_address()
        assert place == (OUTSIDE, real + nat.ahead), "its sound too"
        called.send(called.answer(moved, "200 OK", body=described(one)), called.peer)
        called.wait_for("ACK")
        [told] = stun_of(Settings(stun=nat.place))
        assert (told.code, told.params["address"]) == ("doctor.stun", OUTSIDE)
        nat.mute = True
        assert [one.code for one in stun_of(Settings(stun=nat.place))] == ["doctor.stun.silent"]
        phone.do("hang_up")
        called.send(called.answer(called.wait_for("BYE"), "200 OK"), called.peer)
        phone.wait_for("CallEnded")
        for most in (2.0, 0.5):
            began = time.monotonic()
            asked = invited(phone, called)
            assert time.monotonic() - began < most
            address = SessionDescription.parse(body(asked).encode()).audio_address()
            assert address is not None
            assert address[0] == HOST
            called.send(called.answer(asked, "486 Busy Here"), called.peer)
            phone.wait_for("CallEnded")


def test_who_hangs_up_while_the_stun_server_is_asked_has_called_nobody(nat: Nat) -> None:
    with second_phone(edge=True, counter=True, stun=nat.place, keep_alive=60) as phone, wire() as called:
        _wait_for_question(nat, 1)
        nat.mute = True
        before = nat.asked
        phone.do("dial", target=f"sip:bo@{HOST}:{called.port}")
        _wait_for_question(nat, before + 1)
        phone.do("hang_up")
        phone.wait_for("CallEnded")
        phone.do("dial", target=f"sip:eva@{HOST}:{called.port}")
        assert called.wait_for("").startswith("INVITE sip:eva@")
        phone.do("hang_up")


def _wait_for_question(nat: Nat, number: int) -> None:
    limit = time.monotonic() + 5
    while nat.asked < number:
        assert time.monotonic() < limit
        time.sleep(0.005)


@on_a_loop
async def test_only_the_servers_own_answer_to_a_question_counts_and_doctor_asks_as_the_phone_does(nat: Nat) -> None:
    now = [0.0]
    server = StunServer(lambda: now[0])
    server.address = "192.0.2.1", 3478
    sent: list[bytes] = []

    def send(data: bytes, _: tuple[str, int]) -> None:
        sent.append(data)
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, data[8:20])
        answer.attributes["XOR-MAPPED-ADDRESS"] = OUTSIDE, 7
        assert not server.take(bytes(answer), ("192.0.2.2", 3478)), "another host's"
        assert not server.take(bytes(answer)[:8] + secrets.token_bytes(12), ("192.0.2.1", 3478)), "to nobody's question"
        for nowhere in ("127.0.0.1", "224.0.0.1", "255.255.255.255", "::1"):
            answer.attributes["XOR-MAPPED-ADDRESS"] = nowhere, 7
            assert server.take(bytes(answer), ("192.0.2.1", 3478))
        for spoiled in (bytes(answer)[:20], bytes(answer)[:24] + b"\0" * 8, b"\x01\x11" + bytes(answer)[2:]):
            server.take(spoiled, ("192.0.2.1", 3478))

    assert await server.ask(send) is None
    assert len(sent) == 3
    assert not server.answers
    now[0] += 31.0
    assert server.answers
    assert server.counts_for("198.51.100.9")
    assert not server.counts_for("10.0.0.7"), "who is in the house sees no NAT"
    seen = await check_stun(nat.place)
    assert seen is not None
    assert seen[0] == OUTSIDE
    nat.mute = True
    assert await check_stun(nat.place) is None
    assert await check_stun("[::1") is None
    for port in (0, 65_536, 99_999):
        assert await check_stun(f"{HOST}:{port}") is None


@given(some.lists(some.text("0123456789 abcdef.:udptyhosrflxPRTraddrport", max_size=60), max_size=40))
def test_candidates_are_read_or_left_and_few_are_kept(lines: list[str]) -> None:
    good = "1 1 UDP 2130706431 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 6 generation 0"
    wrong = [good.replace("192.0.2.1", "224.0.0.1"), good.replace("5000", "0"), good.replace(" 1 UDP", " 3 UDP")]
    wrong += [good.replace("UDP", "TCP"), good.replace("rport 6", "rport x")]
    wrong.append(good.replace("192.0.2.1", "4f1b6a1e.local"))
    assert usable([*wrong, good]) == (good,)
    assert len(usable([good] * 50)) == 20
    usable(lines)
