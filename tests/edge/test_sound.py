"""A call's offers and answers, and whose sound is believed after each: the edge's SDP and its relay together, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from softphone.edge.channel import SourceChanged
from softphone.edge.relay import MediaRelay, RelayEvent
from softphone.edge.sdp_ports import MediaSessions
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.reading import parse
from softphone.edge.sip.sdp import SessionDescription
from softphone.edge.turns import edge_loop
from tests.edge.test_relay import TICK, Peer, on_a_loop, rtcp, rtp

PARTY, MUSIC, COLLEAGUE = "127.0.0.2", "127.0.0.3", "127.0.0.4"


class Call:
    """`offers` and `answers` are the party's, `we` are pjsua2."""

    def __init__(self) -> None:
        self.events: list[RelayEvent] = []
        self.sounds = MediaSessions(MediaRelay(edge_loop(), "", self.events.append))
        self.inside = Peer()
        self.peers: dict[str, Peer] = {}
        self.outer = 0
        self.number = 0

    def offers(self, host: str, direction: str = "sendrecv", *, more: str = "") -> None:
        self.sounds.inward(self._message("INVITE sip:a@10.0.0.1 SIP/2.0", host, direction, more), "1")

    def answers(
        self, host: str, direction: str = "sendrecv", *, tag: str = "b", code: int = 200, more: str = ""
    ) -> None:
        """Without SDP where the host is empty."""
        self.sounds.inward(self._message(f"SIP/2.0 {code} Said", host, direction, more, tag), "1")

    def we(self, direction: str = "sendrecv", *, offer: bool = False) -> None:
        start = "INVITE sip:b@10.0.0.2 SIP/2.0" if offer else "SIP/2.0 200 OK"
        message = self._message(start, "", direction, "", ours=True)
        self.sounds.outward(message, "1", "127.0.0.1")
        found = SessionDescription.parse(message.body).audio_address()
        assert found is not None
        self.outer = found[1]

    async def speaks(self, host: str, times: int = 1) -> None:
        for _ in range(times):
            self.number += 1
            self.peer(host).rtp.sendto(rtp(self.number), ("127.0.0.1", self.outer))
            await asyncio.sleep(TICK)

    @property
    def doubts(self) -> int:
        return sum(isinstance(one, SourceChanged) for one in self.events)

    def peer(self, host: str) -> Peer:
        if host not in self.peers:
            self.peers[host] = Peer(host)
        return self.peers[host]

    def close(self) -> None:
        self.sounds.close("1")
        for one in (self.inside, *self.peers.values()):
            one.close()

    def _message(
        self, start: str, host: str, direction: str, more: str, tag: str = "b", *, ours: bool = False
    ) -> SipMessage:
        self.number += 1
        place = self.inside.address if ours else self.peer(host).address if host else None
        body = (
            f"v=0\r\no=- 1 {self.number} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {place[0]}\r\nt=0 0\r\n"
            f"m=audio {place[1]} RTP/AVP 8\r\na={direction}\r\n{more}"
            if place
            else ""
        )
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return parse(
            f"{start}\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1\r\nFrom: <sip:a@10.0.0.1>;tag=a\r\n"
            f"To: <sip:b@10.0.0.2>;tag={tag}\r\nCall-ID: 1\r\nCSeq: {self.number} INVITE\r\n"
            f"Contact: <sip:b@10.0.0.2>\r\nMax-Forwards: 70\r\n{kind}\r\n{body}".encode()
        )


@asynccontextmanager
async def talking() -> AsyncGenerator[Call]:
    """A call of ours that the party has answered, and in which it has spoken."""
    one = Call()
    try:
        one.we(offer=True)
        one.answers(PARTY)
        one.sounds.answered("1")
        await one.speaks(PARTY, 3)
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("answered", ["recvonly", "inactive"])
@on_a_loop
async def test_after_a_hold_of_ours_the_exchange_that_took_the_call_in_is_no_doubt(answered: str) -> None:
    async with talking() as call:
        call.we("sendonly", offer=True)
        call.answers(MUSIC, answered)
        call.we(offer=True)
        call.answers(MUSIC)
        await call.speaks(MUSIC, 3)
        # And it leaves again: direct media.
        call.offers(PARTY)
        await call.speaks(PARTY, 3)
        assert call.doubts == 0


@on_a_loop
async def test_hold_music_from_elsewhere_is_not_who_spoke_before_the_hold() -> None:
    async with talking() as call:
        call.offers(MUSIC, "sendonly")
        await call.speaks(MUSIC, 3)
        call.offers(PARTY)
        await call.speaks(PARTY, 3)
        assert call.doubts == 0


@on_a_loop
async def test_another_host_after_a_hold_of_theirs_is_a_doubt_also_within_one_of_ours() -> None:
    for ours_first in (False, True):
        async with talking() as call:
            if ours_first:
                call.we("sendonly", offer=True)
                call.answers(PARTY, "recvonly")
            call.offers(MUSIC, "sendonly")
            if ours_first:
                call.we(offer=True)
                call.answers(MUSIC, "sendonly")
            call.offers(COLLEAGUE)
            await call.speaks(COLLEAGUE, 3)
            assert call.doubts == 1, ours_first


@on_a_loop
async def test_of_phones_that_rang_the_one_that_answers_without_sdp_is_heard_where_it_said() -> None:
    call = Call()
    try:
        call.we(offer=True)
        call.answers(PARTY, tag="b", code=183)
        call.answers(COLLEAGUE, tag="c", code=183)
        call.answers("", tag="b")
        call.sounds.answered("1")
        call.inside.rtp.sendto(rtp(1), ("127.0.0.1", _inner(call)))
        await call.speaks(COLLEAGUE)
        await call.speaks(PARTY)
        assert len(call.peer(PARTY).heard()) == 1
        assert call.peer(COLLEAGUE).heard() == []
        assert len(call.inside.heard()) == 1
    finally:
        call.close()


@on_a_loop
async def test_rtcp_goes_to_its_own_port_where_one_port_for_both_was_only_offered() -> None:
    call = Call()
    try:
        call.offers(PARTY, more="a=rtcp-mux\r\n")
        call.we()
        call.sounds.answered("1")
        call.inside.rtcp.sendto(rtcp(1), ("127.0.0.1", _inner(call) + 1))
        await asyncio.sleep(TICK)
        assert call.peer(PARTY).heard() == []
        assert call.peer(PARTY).heard_rtcp() == [rtcp(1)]
    finally:
        call.close()


def _inner(call: Call) -> int:
    state = call.sounds.written("1")[0]
    assert isinstance(state["inner_port"], int)
    return state["inner_port"]
