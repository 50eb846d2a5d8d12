"""ICE's checks with one agent alone: which pair counts, and what strangers can use up."""

from __future__ import annotations

import asyncio
import functools
import socket

from aioice import stun

from softphone.edge.relay.ice import IceAgent, RemoteIce, usable
from softphone.edge.relay.ports import open_pair
from tests.edge.test_relay import Peer, on_a_loop

HOST = "127.0.0.1"
NAMES, THEIRS = ("own0", "o" * 22), ("abcd", "p" * 22)


class Checked:
    """An agent on ports of its own, and those whom its description names, best first. Who is in `mute` answers no check."""

    def __init__(self, named: int, *, one_address: bool = False) -> None:
        """`one_address`: for RTP and RTCP."""
        loop = asyncio.get_running_loop()
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
            nominated=lambda to, _: self.way.put_nowait(to),
            lost=lambda: self.way.put_nowait(None),
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
