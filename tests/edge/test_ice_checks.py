"""ICE's checks with one agent alone, and one call's sound by it: which pair counts, what passes, what others can use up."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import Callable
from contextlib import ExitStack

import aioice.ice
import pytest
from aioice import stun

import softphone.edge.call_ice
import softphone.edge.relay.ice
from softphone.edge.call_ice import CallIce
from softphone.edge.channel import SoundWay
from softphone.edge.relay.ice import MOST_A_SECOND, IceAgent, RemoteIce, usable
from softphone.edge.relay.ports import open_pair
from softphone.edge.relay.stun import is_stun
from softphone.edge.sip.sdp import SessionDescription
from softphone.edge.turns import edge_loop
from tests.edge.test_relay import Peer, Scene, on_a_loop, rtcp, rtp, scene
from tests.peers.wire import SDP

HOST = "127.0.0.1"
NAMES, THEIRS = ("own0", "o" * 22), ("abcd", "p" * 22)


class Checked:
    """An agent on ports of its own, and those whom its description names, best first. Who is in `mute` answers no check."""

    def __init__(self, named: int, *, one_address: bool = False) -> None:
        """`one_address`: for RTP and RTCP."""
        loop = edge_loop()
        self.ports, self.peers = open_pair(loop, HOST), [Peer() for _ in range(named)]
        self.mute: set[Peer] = set()
        if one_address:
            for peer in self.peers:
                peer.rtcp.close()
                peer.rtcp = peer.rtp
        self.way: asyncio.Queue[tuple[str, int] | None] = asyncio.Queue()
        agent = self.agent = IceAgent(
            HOST,
            self.ports,
            (None, None),
            nominated=lambda _, to, __: self.way.put_nowait(to),
            lost=lambda _: self.way.put_nowait(None),
            names=NAMES,
        )
        lines: list[str] = []
        for component, port in enumerate(self.ports, 1):
            port.read_by(functools.partial(agent.received, component))
            for number, peer in enumerate(self.peers):
                place = peer.address[1] + (0 if one_address else component - 1)
                lines.append(
                    f"{number} {component} udp {2**31 - 9 - number * 2**20 - component} {HOST} {place} typ host"
                )
                one = (peer.rtp, peer.rtcp)[component - 1]
                loop.add_reader(one, self._heard, peer, one)
        self.answered = 0
        agent.begin(RemoteIce(*THEIRS, usable(lines)), controlling=False)

    def _heard(self, peer: Peer, one: socket.socket) -> None:
        data, source = one.recvfrom(2048)
        message = stun.parse_message(data)
        self.answered += message.message_class == stun.Class.RESPONSE
        if message.message_class == stun.Class.REQUEST and peer not in self.mute:
            answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, message.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = source
            answer.add_message_integrity(THEIRS[1].encode())
            one.sendto(bytes(answer), source)

    def nominate(self, peer: Peer) -> None:
        for one, port in zip((peer.rtp, peer.rtcp), self.ports, strict=True):
            check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            check.attributes |= {"USERNAME": f"{NAMES[0]}:{THEIRS[0]}", "PRIORITY": 1, "ICE-CONTROLLING": 1}
            check.attributes["USE-CANDIDATE"] = None
            check.add_message_integrity(NAMES[1].encode())
            one.sendto(bytes(check), (HOST, port.number))

    async def leads_to(self, peer: Peer) -> None:
        async with asyncio.timeout(3):
            while await self.way.get() != peer.address:
                pass

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        self.agent.close()
        for peer in self.peers:
            loop.remove_reader(peer.rtp)
            loop.remove_reader(peer.rtcp)
            peer.close()
        await asyncio.sleep(0)
        for port in self.ports:
            port.close()


@on_a_loop
async def test_the_best_pair_of_those_that_are_nominated_counts_also_when_it_comes_later() -> None:
    one = Checked(4)
    best, later, usual, worst = one.peers
    one.mute |= {later, best}
    one.nominate(later)
    one.nominate(usual)
    await one.leads_to(usual)
    one.mute.discard(later)  # it was nominated before the way stood, and is not nominated again
    await one.leads_to(later)
    one.nominate(worst)
    one.mute.discard(best)
    one.nominate(best)
    await one.leads_to(best)
    one.nominate(later)
    one.nominate(worst)
    await asyncio.sleep(0.1)
    while not one.way.empty():  # RTCP's pair comes a moment later than RTP's
        assert one.way.get_nowait() == best.address, "a worse one changes nothing"
    await one.close()


@on_a_loop
async def test_who_names_one_address_for_rtp_and_rtcp_is_heard_all_the_same() -> None:
    bugs: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, bug: bugs.append(bug))
    one = Checked(1, one_address=True)
    one.nominate(one.peers[0])
    await one.leads_to(one.peers[0])
    one.nominate(one.peers[0])
    await asyncio.sleep(0.05)
    await one.close()
    assert not bugs


@on_a_loop
async def test_strangers_use_up_nothing_of_what_is_allowed_to_the_other_side() -> None:
    one = Checked(1)
    [peer] = one.peers
    junk = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
    guessed = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    guessed.attributes |= {"USERNAME": f"{NAMES[0]}:{THEIRS[0]}", "PRIORITY": 1}
    guessed.add_message_integrity(b"x" * 22)
    answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    answer.add_message_integrity(b"x" * 22)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.9", 0))

        async def flood() -> None:
            """More than all that is allowed, in this second and the next."""
            for _ in range(60):
                for data in (junk, bytes(guessed), bytes(answer), b"\x00\x11" + junk[2:]):
                    for port in one.ports:
                        stranger.sendto(data, (HOST, port.number))
                await asyncio.sleep(0.005)

        flooding = asyncio.create_task(flood())
        await asyncio.sleep(0.25)
        one.nominate(peer)
        await one.leads_to(peer)
        before = one.answered
        one.nominate(peer)
        await flooding
    async with asyncio.timeout(1):
        while one.answered < before + 2:
            await asyncio.sleep(0.01)
    await one.close()


@on_a_loop
async def test_who_knows_the_password_has_so_many_checks_a_second_and_so_many_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(softphone.edge.relay.ice, "MOST_PAIRS", 12)
    one = Checked(1)
    [peer] = one.peers
    one.nominate(peer)
    await one.leads_to(peer)
    check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    check.attributes |= {"USERNAME": f"{NAMES[0]}:{THEIRS[0]}", "PRIORITY": 1, "ICE-CONTROLLING": 1}
    check.add_message_integrity(NAMES[1].encode())
    to = HOST, one.ports[0].number
    # All of it within two seconds of the clock, whenever they begin.
    before, rounds = one.answered, 8
    for _ in range(rounds):
        for _ in range(MOST_A_SECOND // 2):
            peer.rtp.sendto(bytes(check), to)
        await asyncio.sleep(0.02)
    assert 0 < one.answered - before <= 2 * MOST_A_SECOND < rounds * MOST_A_SECOND // 2
    with ExitStack() as stack:
        others = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(30)]
        for other in others:
            other.setblocking(False)
            other.sendto(bytes(check), to)
        await asyncio.sleep(0.1)
        answered = sum(_answered(other) for other in others)
        assert 0 < answered < 12
    await one.close()


def _answered(one: socket.socket) -> bool:
    """Among our own checks."""
    with contextlib.suppress(BlockingIOError):
        while one.recv(2048)[:2] != b"\x01\x01":
            pass
        return True
    return False


class Answering:
    """The party of a call: it answers checks, and keeps their roles apart from what is no check."""

    def __init__(self, on: Scene) -> None:
        self.on, self.mute, self.checks = on, False, 0
        self.names = THEIRS
        self.answers = dict([THEIRS])
        self.asked: list[str] = []
        """by which name of the party's each check came"""
        self.roles: set[str] = set()
        self.nominating: list[bool] = []
        self.sound: list[bytes] = []
        for one in (on.party.rtp, on.party.rtcp):
            asyncio.get_running_loop().add_reader(one, self._heard, one)

    def described(self, *more: str) -> SessionDescription:
        port = self.on.party.address[1]
        lines = ["ice-ufrag:" + self.names[0], "ice-pwd:" + self.names[1]]
        lines += [f"candidate:1 {at} udp {2**31 - at} {HOST} {port + at - 1} typ host" for at in (1, 2)]
        session, media, rest = SDP.replace("40000", str(port)).partition("m=")
        session += "".join(f"a={one}\r\n" for one in more)
        return SessionDescription.parse((session + media + rest + "".join(f"a={one}\r\n" for one in lines)).encode())

    def _heard(self, one: socket.socket) -> None:
        data, source = one.recvfrom(2048)
        if not is_stun(data):
            self.sound.append(data)
            return
        message = stun.parse_message(data)
        if message.message_class != stun.Class.REQUEST:
            return
        self.checks += 1
        self.roles |= {name for name in message.attributes if name.startswith("ICE-CONTROLL")}
        self.nominating.append("USE-CANDIDATE" in message.attributes)
        self.asked.append(name := str(message.attributes["USERNAME"]).partition(":")[0])
        if not self.mute and name in self.answers:
            answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, message.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = source
            answer.add_message_integrity(self.answers[name].encode())
            one.sendto(bytes(answer), source)

    def begins_anew(self, name: str, *, answers: bool) -> None:
        self.names = name, "q" * 22
        if answers:
            self.answers[name] = self.names[1]

    def nominate(self, names: dict[str, str | None]) -> None:
        for one, port in (
            (self.on.party.rtp, self.on.call.outer_port),
            (self.on.party.rtcp, self.on.call.outer_port + 1),
        ):
            check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            check.attributes |= {
                "USERNAME": f"{names['ice-ufrag']}:{self.names[0]}",
                "PRIORITY": 1,
                "ICE-CONTROLLING": 1,
            }
            check.attributes["USE-CANDIDATE"] = None
            check.add_message_integrity((names["ice-pwd"] or "").encode())
            one.sendto(bytes(check), (HOST, port))

    async def hears(self, seconds: float = 0.1) -> set[str]:
        """What comes of our sound, and of our reports."""
        on = self.on
        self.sound.clear()
        on.inside.rtp.sendto(rtp(1), ("127.0.0.1", on.call.inner_port))
        on.inside.rtcp.sendto(rtcp(1), ("127.0.0.1", on.call.inner_port + 1))
        await asyncio.sleep(seconds)
        return {"RTCP" if one[1] > 127 else "RTP" for one in self.sound}

    async def hears_all(self) -> None:
        async with asyncio.timeout(3):
            while await self.hears(0.03) != {"RTP", "RTCP"}:
                pass

    async def says(self, who: Peer) -> tuple[int, int]:
        """How much of its sound and reports reaches this phone."""
        on = self.on
        on.inside.heard()
        on.inside.heard_rtcp()
        await on.says(who, 2)
        await on.says_rtcp(who, rtcp(7))
        return len(on.inside.heard()), len(on.inside.heard_rtcp())


async def _met(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not met():
            await asyncio.sleep(0.01)


@on_a_loop
async def test_sound_and_reports_pass_only_by_the_nominated_pair_and_only_while_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.05)
    monkeypatch.setattr(stun, "RETRY_RTO", 0.05)
    async with scene(answered=False) as on:
        party, stranger, counted = Answering(on), on.peer(), list[str]()
        ice = CallIce(on.call, counted.append)
        # The other side offers: it leads, and until it has nominated a pair nothing passes either way.
        ice.offered(party.described())
        ours = dict(ice.answer(HOST))
        await _met(lambda: party.checks >= 2)
        assert party.roles == {"ICE-CONTROLLED"}
        assert (await party.hears(), await party.says(on.party)) == (set(), (0, 0))
        party.nominate(ours)
        await party.hears_all()
        on.call.answered()
        assert (await party.says(stranger), await party.says(on.party)) == ((0, 0), (2, 1))
        # An offer without ICE ends it: nobody is checked any more.
        ice.offered(SessionDescription.parse(SDP.encode()))
        assert ice.answer(HOST) == []
        await asyncio.sleep(0.02)
        party.checks = 0
        await asyncio.sleep(0.2)
        assert party.checks == 0
        # One that answers checks alone: we lead, and nominate.
        party.roles.clear()
        party.nominating.clear()
        ice.offered(party.described("ice-lite"))
        ice.answer(HOST)
        await party.hears_all()
        await _met(lambda: True in party.nominating and not any(party.nominating[-3:]))  # then it asks for consent
        assert party.roles == {"ICE-CONTROLLING"}
        assert not party.nominating[0], "a pair that has passed its check, not each one"
        # It no longer agrees (RFC 7675): nothing is sent there.
        party.mute = True
        await _met(lambda: counted == ["ice.lost"])
        assert (await party.hears(), await party.says(on.party)) == (set(), (0, 0))
        ice.end()
        await asyncio.sleep(0.01)


@on_a_loop
async def test_sound_keeps_its_way_while_ice_begins_anew_and_a_lost_way_is_sought_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.02)
    monkeypatch.setattr(stun, "RETRY_RTO", 0.02)
    monkeypatch.setattr(softphone.edge.call_ice, "ANEW_AFTER", (0.01, 0.01))
    monkeypatch.setattr(softphone.edge.call_ice, "THEIR_TURN", 0.01)
    async with scene(answered=False) as on:
        party, counted, wanted = Answering(on), list[str](), list[None]()

        def ways() -> list[bool]:
            return [one.open for one in on.events if isinstance(one, SoundWay)]

        ice = CallIce(on.call, counted.append, lambda: wanted.append(None))
        ice.offered(party.described())
        party.nominate(dict(ice.answer(HOST)))
        await party.hears_all()
        on.call.answered()
        # The party begins anew, and answers none of the new checks: RFC 8445 9.
        party.begins_anew("anew", answers=False)
        ice.offered(party.described())
        ours = dict(ice.answer(HOST))
        await _met(lambda: "anew" in party.asked)
        for _ in range(5):
            await party.hears_all()
        assert ways() == [False, True], "at the beginning"
        # Now it does, and what it had before is asked no more.
        party.begins_anew("anew", answers=True)
        party.nominate(ours)
        await _met(lambda: party.asked[-9:] == ["anew"] * 9)
        party.asked.clear()
        await party.hears_all()
        assert set(party.asked) <= {"anew"}
        # An offer of ours that is refused changes nothing.
        ice.has_moved()
        refused = dict(ice.offer(HOST, established=True))
        assert refused["ice-ufrag"] != ours["ice-ufrag"]
        ice.refused()
        party.asked.clear()
        await _met(lambda: len(party.asked) > 12)
        await party.hears_all()
        # It agrees no longer: the way goes, and our next offer begins anew. Nobody is asked for ever.
        party.mute = True
        await _met(lambda: wanted == [None])
        assert ways() == [False, True, False]
        for tried in (1, 2):
            again = dict(ice.offer(HOST, established=True))
            assert again["ice-ufrag"] not in (ours["ice-ufrag"], refused["ice-ufrag"])
            party.begins_anew(f"try{tried}", answers=True)
            party.mute = tried == 1
            ice.answered(party.described())
            if party.mute:
                await _met(lambda: len(wanted) == 2)
        await party.hears_all()
        assert ways() == [False, True, False, True]
        ice.end()
        await asyncio.sleep(0.01)


@on_a_loop
async def test_a_phone_without_ice_that_only_rings_ends_none_and_the_final_answer_counts() -> None:
    async with scene(answered=False) as on:
        party, counted = Answering(on), list[str]()
        ice = CallIce(on.call, counted.append)
        ice.offer(HOST, established=False)
        without = SessionDescription.parse(SDP.encode())
        for early in ((without,), (party.described(), without)):
            for one in early:
                ice.answered(one, final=False)
            assert not on.call.by_ice, "its early sound goes by the address that it names"
        ice.answered(party.described())
        await party.hears_all()
        assert on.call.by_ice
        ice.answered(without)
        assert not on.call.by_ice
        await asyncio.sleep(0.01)
