"""The relay on real sockets: a party, pjsua2's side, and an attacker who knows the port."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import hashlib
import hmac
import itertools
import json
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field

import pytest

from softphone.edge.channel import NoSoundYet, PartyHears, PartySoundBack, SourceChanged, SourceReturned
from softphone.edge.relay import MediaRelay, RelayedCall, RelayEvent, RelayState
from softphone.edge.relay.packets import read_rtcp
from softphone.edge.relay.source import BELIEVE, FOLLOW_AFTER, LATCH_AFTER
from softphone.edge.relay.srtp import MOST_STREAMS, SrtpCheck, party_key, read_keys
from softphone.edge.turns import EdgeLoop, edge_loop

HOST = "127.0.0.1"
AUDIO, EVENT = 8, 101
PAYLOADS = (AUDIO, EVENT)
SOUND, KEY_1 = bytes(160), b"\x01\x8a\x03\x20"
TICK = 0.02


def on_a_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """As the edge runs: on a loop that can watch sockets, on Windows too."""

    @functools.wraps(test)
    def run(*args: object, **named: object) -> None:
        with asyncio.Runner(loop_factory=EdgeLoop) as runner:
            runner.run(test(*args, **named))

    return run


def rtp(number: int, *, kind: int = AUDIO, ssrc: int = 7, payload: bytes = SOUND) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, number, number * 160, ssrc) + payload


def rtcp(ssrc: int, cname: bytes = b"party@here", *, bye: bool = False) -> bytes:
    item = b"\x01" + bytes([len(cname)]) + cname + b"\0"
    item += bytes(-len(item) % 4)
    told = struct.pack("!BBHI", 0x80, 201, 1, ssrc)
    told += struct.pack("!BBHI", 0x81, 202, 1 + len(item) // 4, ssrc) + item
    return told + (struct.pack("!BBHI", 0x81, 203, 1, ssrc) if bye else b"")


class Peer:
    """An even UDP port and the next; what comes is kept."""

    def __init__(self, host: str = HOST) -> None:
        while True:
            self.rtp = self._bound(host, 0)
            port = int(self.rtp.getsockname()[1])
            if port % 2 == 0:
                with contextlib.suppress(OSError):
                    self.rtcp = self._bound(host, port + 1)
                    break
            self.rtp.close()
        self.address = (host, port)

    def _bound(self, host: str, port: int) -> socket.socket:
        one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        one.setblocking(False)
        try:
            one.bind((host, port))
        except OSError:
            one.close()
            raise
        return one

    def heard(self) -> list[bytes]:
        return _all(self.rtp)

    def heard_rtcp(self) -> list[bytes]:
        return _all(self.rtcp)

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def _all(one: socket.socket) -> list[bytes]:
    came: list[bytes] = []
    with contextlib.suppress(BlockingIOError):
        while True:
            came.append(one.recv(2048))
    return came


@dataclass
class Scene:
    relay: MediaRelay
    call: RelayedCall
    party: Peer
    inside: Peer
    events: list[RelayEvent] = field(default_factory=list[RelayEvent])
    peers: list[Peer] = field(default_factory=list[Peer])
    number: int = 0

    def peer(self) -> Peer:
        self.peers.append(Peer())
        return self.peers[-1]

    async def says(self, who: Peer, times: int = 1, **packet: object) -> None:
        """Packets as a phone sends them, one each 20 ms."""
        for _ in range(times):
            self.number += 1
            who.rtp.sendto(rtp(self.number, **packet), (HOST, self.call.outer_port))  # pyright: ignore[reportArgumentType]
            await asyncio.sleep(TICK)

    async def says_rtcp(self, who: Peer, data: bytes) -> None:
        who.rtcp.sendto(data, (HOST, self.call.outer_port + 1))
        await asyncio.sleep(TICK)

    def told(self, kind: type[object]) -> int:
        return sum(isinstance(one, kind) for one in self.events)


@contextlib.asynccontextmanager
async def scene(host: str = HOST, *, answered: bool = True) -> AsyncGenerator[Scene]:
    events: list[RelayEvent] = []
    relay = MediaRelay(edge_loop(), host, events.append)
    call = relay.open("a")
    on = Scene(relay, call, Peer(), Peer(), events)
    call.peer_signalled(on.party.address, offer_answer=1, payloads=PAYLOADS, event_payloads=(EVENT,))
    call.inner_signalled(on.inside.address)
    if answered:
        call.answered()
    try:
        yield on
    finally:
        relay.close()
        for one in (on.party, on.inside, *on.peers):
            one.close()


def xr(ssrc: int, loss: int, discarded: int, *, words: int = 8, about: int = 1) -> bytes:
    """A report with VoIP metrics (RFC 3611 4.7), behind a block of another kind."""
    other = struct.pack("!BBHI", 4, 0, 2, 1) + bytes(4)
    block = struct.pack("!BBHIBB", 7, 0, words, about, loss, discarded) + bytes(26)
    blocks = other + block
    return rtcp(ssrc) + struct.pack("!BBHI", 0x80, 207, 1 + len(blocks) // 4, ssrc) + blocks


@on_a_loop
async def test_what_the_party_says_of_our_sound_is_read_once_a_second_and_from_the_party_alone() -> None:
    async with scene() as on:
        await on.says(on.party, 2)
        await on.says_rtcp(on.party, rtcp(7))
        stranger = on.peer()
        await on.says_rtcp(stranger, xr(7, 200, 0))
        await on.says_rtcp(on.party, xr(8, 200, 0))
        await on.says_rtcp(on.party, xr(7, 200, 0, words=9))
        for share in (64, 65, 66):
            await on.says_rtcp(on.party, xr(7, share, 32))
        assert [one for one in on.events if isinstance(one, PartyHears)] == [PartyHears("a", 0.25, 0.125)]
        assert len(on.inside.heard_rtcp()) == 5, "pjsua2 gets what is of the party as it came"
        whole = xr(7, 1, 1)
        for size in range(0, len(whole), 4):
            read_rtcp(whole[:size])


@on_a_loop
async def test_sound_passes_both_ways_unchanged_and_from_one_place() -> None:
    async with scene() as on:
        sent = [rtp(1), rtp(2), rtp(3, kind=EVENT, payload=KEY_1)]
        for one in sent:
            on.party.rtp.sendto(one, (HOST, on.call.outer_port))
        on.inside.rtp.sendto(rtp(9, ssrc=1), (HOST, on.call.inner_port))
        await on.says_rtcp(on.party, rtcp(7))
        on.inside.rtcp.sendto(rtcp(1), (HOST, on.call.inner_port + 1))
        await asyncio.sleep(TICK)
        assert on.inside.heard() == sent
        assert on.party.heard() == [rtp(9, ssrc=1)]
        assert on.inside.heard_rtcp() == [rtcp(7)]
        assert on.party.heard_rtcp() == [rtcp(1)]
        assert on.call.outer_port % 2 == on.call.inner_port % 2 == 0
        assert on.events == [NoSoundYet("a"), PartySoundBack("a")]


@on_a_loop
async def test_the_ports_that_it_may_use_are_all_found_and_no_others() -> None:
    relay = MediaRelay(edge_loop(), HOST, lambda _: None)
    relay.ports = 15_201, 15_208
    calls = [relay.open(str(n)) for n in range(3)]
    assert sorted(one.outer_port for one in calls) == [15_202, 15_204, 15_206]
    with pytest.raises(OSError, match="in use"):
        relay.open("more")
    calls[1].close()
    assert relay.open("again").outer_port == calls[1].outer_port
    relay.close()


@on_a_loop
async def test_twelve_packets_and_a_key_from_another_port_are_nothing() -> None:
    """Before, pjmedia itself followed whoever sent them: the key was a consent."""
    async with scene() as on:
        attacker = on.peer()
        await on.says(on.party, 5)
        on.inside.heard()
        for _ in range(12):
            await asyncio.gather(on.says(on.party), on.says(attacker, ssrc=66))
        await on.says(attacker, 3, kind=EVENT, payload=KEY_1, ssrc=66)
        await on.says_rtcp(attacker, rtcp(66, b"thief", bye=True))
        heard = on.inside.heard()
        assert len(heard) == 12
        assert all(struct.unpack_from("!I", one, 8)[0] == 7 for one in heard)
        assert on.inside.heard_rtcp() == []
        on.inside.rtp.sendto(rtp(1), (HOST, on.call.inner_port))
        await asyncio.sleep(TICK)
        assert len(on.party.heard()) == 1
        assert attacker.heard() == []
        assert on.told(SourceChanged) == 0
        assert on.relay.counters.strangers == 15


@on_a_loop
async def test_behind_a_nat_the_one_that_sends_alone_is_latched_once() -> None:
    async with scene() as on:
        real, other = on.peer(), on.peer()
        await on.says(real, BELIEVE)
        assert on.inside.heard() == []
        await on.says(real, int(LATCH_AFTER / TICK) + 5)
        assert len(on.inside.heard()) > 3
        on.inside.rtp.sendto(rtp(1), (HOST, on.call.inner_port))
        await asyncio.sleep(TICK)
        assert len(real.heard()) == 1
        for _ in range(30):
            await asyncio.gather(on.says(real), on.says(other, ssrc=66))
        assert len(on.inside.heard()) == 30
        # The same address signalled again is no new chance for anybody.
        on.call.peer_signalled(on.party.address, offer_answer=2, payloads=PAYLOADS)
        for _ in range(30):
            await asyncio.gather(on.says(real), on.says(other, ssrc=66))
        assert len(on.inside.heard()) == 30
        assert on.relay.counters.latched == 1


@on_a_loop
async def test_whoever_was_latched_gives_way_to_the_signalled_address_and_the_agent_is_asked() -> None:
    async with scene() as on:
        thief = on.peer()
        await on.says(thief, int(LATCH_AFTER / TICK) + 10, ssrc=66)
        assert on.inside.heard()
        await on.says(on.party, 2)
        await on.says(on.party, 1, kind=EVENT, payload=KEY_1)
        await on.says(thief, 5, ssrc=66)
        assert len(on.inside.heard()) == 2, "the party is heard, its key counts for nothing yet, the other is dropped"
        assert on.told(SourceChanged) == 1
        on.call.same_source()
        assert on.events[-1] == SourceReturned("a")
        await on.says(on.party, 1, kind=EVENT, payload=KEY_1)
        assert len(on.inside.heard()) == 1


@on_a_loop
async def test_what_came_before_the_answer_pins_nothing() -> None:
    async with scene(answered=False) as on:
        early = on.peer()
        await on.says(early, int(LATCH_AFTER / TICK) + 10, ssrc=66)
        assert on.inside.heard(), "early media is heard"
        on.call.answered()
        await asyncio.gather(on.says(on.party, 3), on.says(early, 3, ssrc=66))
        assert len(on.inside.heard()) == 3
        assert on.told(SourceChanged) == 0


@on_a_loop
async def test_media_go_another_way_by_a_new_offer() -> None:
    """Direct media: the exchange leaves, the phone itself comes."""
    async with scene() as on:
        phone = on.peer()
        await on.says(on.party, 5)
        on.inside.heard()
        on.call.peer_signalled(phone.address, offer_answer=2, payloads=PAYLOADS)
        on.inside.rtp.sendto(rtp(1), (HOST, on.call.inner_port))
        await on.says(phone, 3, ssrc=8)
        await on.says(on.party, 3)
        assert len(on.inside.heard()) == 3
        assert len(phone.heard()) == 1
        assert on.told(SourceChanged) == 0
        # An answer that was on its way for long is older than what holds.
        on.call.peer_signalled(on.party.address, offer_answer=1)
        await on.says(phone, 3, ssrc=8)
        assert len(on.inside.heard()) == 3


@on_a_loop
async def test_another_machine_after_a_hold_is_a_doubt() -> None:
    async with scene() as on:
        await on.says(on.party, 3)
        await on.says_rtcp(on.party, rtcp(7))
        on.call.held(True)
        on.call.held(False)
        await on.says(on.party, 3, ssrc=9)
        assert on.told(SourceChanged) == 0, "a new SSRC alone is every phone's after a hold"
        await on.says_rtcp(on.party, rtcp(9, b"colleague@here"))
        assert on.told(SourceChanged) == 1
        on.inside.heard()
        await on.says(on.party, 1, kind=EVENT, payload=KEY_1, ssrc=9)
        assert on.inside.heard() == []
        on.call.same_source()
        await on.says(on.party, 1, kind=EVENT, payload=KEY_1, ssrc=9)
        assert len(on.inside.heard()) == 1


@on_a_loop
async def test_only_pjsua2_is_let_in_on_the_inner_side() -> None:
    async with scene() as on:
        other = on.peer()
        await on.says(on.party)
        other.rtp.sendto(rtp(1, ssrc=66), (HOST, on.call.inner_port))
        other.rtcp.sendto(rtcp(66), (HOST, on.call.inner_port + 1))
        await asyncio.sleep(TICK)
        assert on.party.heard() == on.party.heard_rtcp() == []


@on_a_loop
async def test_a_held_party_is_sent_nothing() -> None:
    async with scene() as on:
        await on.says(on.party)
        for number, nothing in enumerate((None, ("0.0.0.0", 4000), (HOST, 0), ("party.example", 4000)), 2):
            on.call.peer_signalled(nothing, offer_answer=number)
            on.inside.rtp.sendto(rtp(1), (HOST, on.call.inner_port))
            await asyncio.sleep(TICK)
            assert on.party.heard() == []
        on.call.peer_signalled(on.party.address, offer_answer=9)
        on.inside.rtp.sendto(rtp(1), (HOST, on.call.inner_port))
        await asyncio.sleep(TICK)
        assert len(on.party.heard()) == 1


@on_a_loop
async def test_the_party_may_send_by_the_types_that_pjsua2_named() -> None:
    # RFC 3264, 5.1: who says 120 for keys wants to get 120, whatever the other side calls them.
    async with scene() as on:
        on.call.peer_signalled(on.party.address, offer_answer=2, payloads=(AUDIO, EVENT), event_payloads=(EVENT,))
        on.call.inner_signalled(on.inside.address, payloads=(AUDIO, 0, 120), event_payloads=(120,))
        for kind in (AUDIO, EVENT, 0, 120):
            await on.says(on.party, kind=kind)
        assert len(on.inside.heard()) == 4
        await on.says(on.party, kind=97)
        assert on.inside.heard() == []


BROKEN: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "half a header": lambda: rtp(1)[:11],
    "version 1": lambda: b"\x40" + rtp(1)[1:],
    "more sources than bytes": lambda: b"\x8f" + rtp(1, payload=bytes(8))[1:],
    "an extension beyond the end": lambda: b"\x90" + rtp(1, payload=b"\xbe\xde\xff\xff")[1:],
    "more padding than bytes": lambda: b"\xa0" + rtp(1, payload=b"\0\0\xff")[1:],
    "no padding at all": lambda: b"\xa0" + rtp(1)[1:],
    "too long": lambda: rtp(1, payload=bytes(1489)),
    "RTCP among RTP": lambda: b"\x80\xc8" + rtp(1)[2:],
    "a payload that nobody agreed on": lambda: rtp(1, kind=97),
}


@pytest.mark.parametrize("name", BROKEN)
@on_a_loop
async def test_what_is_no_sane_packet_stays_outside(name: str) -> None:
    async with scene() as on:
        on.party.rtp.sendto(BROKEN[name](), (HOST, on.call.outer_port))
        await on.says(on.party)
        assert len(on.inside.heard()) == 1
        assert on.relay.counters.malformed + on.relay.counters.unasked == 1


@on_a_loop
async def test_rtcp_is_read_before_it_passes() -> None:
    async with scene() as on:
        await on.says(on.party)
        good = rtcp(7)
        for broken in (good[:-1], good[:7], b"\x40" + good[1:], good[:2] + b"\xff\xff" + good[4:], good + bytes(4)):
            await on.says_rtcp(on.party, broken)
        await on.says_rtcp(on.party, rtcp(99, bye=True))
        assert on.inside.heard_rtcp() == []
        await on.says_rtcp(on.party, good)
        assert on.inside.heard_rtcp() == [good]


@on_a_loop
async def test_another_relay_goes_on_where_one_has_died() -> None:
    async with scene() as on:
        await on.says(on.party, 3)
        state = on.call.state()
        on.relay.close()
        on.inside.heard()
        on.events.clear()
        again = RelayState.from_json(json.loads(json.dumps(state.to_json())))
        on.call = on.relay.open("a", again)
        assert (on.call.outer_port, on.call.inner_port) == (state.outer_port, state.inner_port)
        attacker = on.peer()
        await asyncio.gather(on.says(on.party, 12), on.says(attacker, 12, ssrc=66))
        on.inside.rtp.sendto(rtp(1), (HOST, on.call.inner_port))
        await asyncio.sleep(TICK)
        assert len(on.inside.heard()) == 12
        assert len(on.party.heard()) == 1
        assert on.events == [PartySoundBack("a")], "whoever missed a relay is told"


@on_a_loop
async def test_a_doubt_outlives_the_relay_that_had_it() -> None:
    async with scene() as on:
        await on.says(on.party, 3)
        await on.says_rtcp(on.party, rtcp(7))
        on.call.held(True)
        on.call.held(False)
        await on.says(on.party, 3, ssrc=9)
        await on.says_rtcp(on.party, rtcp(9, b"colleague@here"))
        assert on.told(SourceChanged) == 1
        state = on.call.state()
        on.relay.close()
        on.inside.heard()
        on.events.clear()
        on.call = on.relay.open("a", RelayState.from_json(json.loads(json.dumps(state.to_json()))))
        assert on.told(SourceChanged) == 1
        await on.says(on.party, 1, kind=EVENT, payload=KEY_1, ssrc=9)
        assert on.inside.heard() == []
        on.call.same_source()
        await on.says(on.party, 1, kind=EVENT, payload=KEY_1, ssrc=9)
        assert len(on.inside.heard()) == 1
        assert on.told(SourceReturned) == 1


@on_a_loop
async def test_an_address_of_six_and_one_of_four_reach_the_same_port() -> None:
    async with scene("::") as on:
        await on.says(on.party, 2)
        on.inside.rtp.sendto(rtp(1), (HOST, on.call.inner_port))
        await asyncio.sleep(TICK)
        assert len(on.inside.heard()) == 2
        assert len(on.party.heard()) == 1
        six = Peer("::1")
        on.peers.append(six)
        on.call.peer_signalled(six.address, offer_answer=2, payloads=PAYLOADS)
        six.rtp.sendto(rtp(5), ("::1", on.call.outer_port))
        on.inside.rtp.sendto(rtp(6), (HOST, on.call.inner_port))
        await asyncio.sleep(TICK)
        assert on.inside.heard() == [rtp(5)]
        assert six.heard() == [rtp(6)]


MASTER = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6")
AUTH_KEY = bytes.fromhex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
"""RFC 3711 B.3: a master key with its salt, and the first bytes of the key that authenticates"""


def srtp(number: int, *, turns: int = 0, key: bytes = AUTH_KEY, ssrc: int = 7, kind: int = AUDIO) -> bytes:
    said = rtp(number, ssrc=ssrc, kind=kind)
    return said + hmac.new(key, said + struct.pack("!I", turns), hashlib.sha1).digest()[:10]


CONTROL_KEY = SrtpCheck(MASTER)._control_key
"""proved below, by what PJMEDIA sends"""


def srtcp(number: int, *, key: bytes = CONTROL_KEY, ssrc: int = 7) -> bytes:
    said = struct.pack("!BBHI", 0x80, 200, 6, ssrc) + bytes(24) + struct.pack("!I", 1 << 31 | number)
    return said + hmac.new(key, said, hashlib.sha1).digest()[:10]


def test_a_control_packet_of_pjmedias_has_its_key_and_counts_once() -> None:
    check = SrtpCheck(base64.b64decode("YC9+1PH97LvNoFm1dLpQ9sMepmUyqfEU8azO/yNF"))
    first, second = (
        bytes.fromhex(
            "81c8000c31a15182d154ec8b657c8d44474f3ce433ad8103fab93046bacc7f75ef9d12597b9d833ae7a423b8d6b720505b53d4b5"
            "5c576af2a37ca321160f33fd601141d6e024b0a8c4055a856e0add2780000003a683ffebc1b0605091d4"
        ),
        bytes.fromhex(
            "81c8000c31a15182d7b4792149b3966374713e7ac89dfbb135e8a0c12402c2b62231021cd96328b049122df00361d6444e252503"
            "dcd1dc8167d8f092d58c5f90f33230a61e21146b7634e0e8e6dc888f80000004d39aaf1844715d9b2a93"
        ),
    )
    ssrc = 0x31A15182
    assert [check.proves_control(one, ssrc) for one in (first, second, first, second)] == [True, True, False, False]
    assert not SrtpCheck(MASTER).proves_control(first, ssrc)


def test_by_one_key_there_are_so_many_streams_and_no_more_whatever_they_prove() -> None:
    """Each is remembered: whoever has the key could otherwise fill the memory with them."""
    check = SrtpCheck(MASTER)
    assert all(check.proves(srtp(1, ssrc=ssrc), ssrc, 1) for ssrc in range(MOST_STREAMS))
    assert all(check.proves_control(srtcp(1, ssrc=ssrc), ssrc) for ssrc in range(MOST_STREAMS))
    more = MOST_STREAMS + 1
    assert not check.proves(srtp(1, ssrc=more), more, 1)
    assert not check.proves_control(srtcp(1, ssrc=more), more)
    assert check.proves(srtp(2, ssrc=3), 3, 2), "those that are known go on"
    assert check.proves_control(srtcp(2, ssrc=3), 3)


@on_a_loop
async def test_by_srtp_a_control_packet_that_is_forged_or_comes_again_keeps_nobody_there_and_moves_nothing() -> None:
    async with scene() as on:
        line = f"1 AES_CM_128_HMAC_SHA1_80 inline:{base64.b64encode(MASTER).decode()}"
        on.call.secured(True, party_key(read_keys((line,)), read_keys((line,))))
        on.call.answered()
        thief = Peer(HOST)
        on.peers.append(thief)
        await on.says_rtcp(on.party, srtcp(5))
        for who in (on.party, thief):
            for packet in (srtcp(6, key=bytes(20)), srtcp(5), srtcp(4), rtcp(7), srtcp(9)[:40]):
                await on.says_rtcp(who, packet)
        assert on.inside.heard_rtcp() == [srtcp(5)]
        on.inside.rtcp.sendto(b"ours", (HOST, on.call.inner_port + 1))
        await asyncio.sleep(TICK)
        assert (on.party.heard_rtcp(), thief.heard_rtcp()) == ([b"ours"], [])


@on_a_loop
async def test_by_srtp_who_has_the_partys_key_is_the_party_wherever_it_sends_from_and_nobody_else_is_a_doubt() -> None:
    async with scene() as on:
        line = f"1 AES_CM_128_HMAC_SHA1_80 inline:{base64.b64encode(MASTER).decode()}|2^31"
        theirs = read_keys(
            (f"7 AES_256_CM_HMAC_SHA1_80 inline:{'A' * 40}", line, "9 x", "2 AES_CM_128_HMAC_SHA1_80 inline:é")
        )
        on.call.secured(True, party_key(read_keys((line,)), theirs))
        there = (HOST, on.call.outer_port)
        numbers = itertools.count(65_500)

        async def say(who: Peer, times: int, *, key: bytes = AUTH_KEY) -> None:
            for _ in range(times):
                turns, number = divmod(next(numbers), 65_536)
                who.rtp.sendto(srtp(number, turns=turns, key=key), there)
                await asyncio.sleep(TICK / 4)

        stranger, moved = Peer("127.0.0.2"), Peer("127.0.0.3")
        on.peers += [stranger, moved]
        await say(stranger, 30, key=bytes(20))
        await say(on.party, 60)  # its numbers begin anew on the way
        assert len(on.inside.heard()) == 60
        await asyncio.sleep(FOLLOW_AFTER)
        await say(stranger, 30, key=bytes(20))
        assert not on.inside.heard()
        await say(moved, 5)
        assert len(on.inside.heard()) == 5
        on.inside.rtp.sendto(srtp(1), ("127.0.0.1", on.call.inner_port))
        await asyncio.sleep(TICK)
        assert moved.heard(), "our sound follows too"
        # So do its control packets.
        moved.rtcp.sendto(srtcp(3), (HOST, on.call.outer_port + 1))
        on.inside.rtcp.sendto(b"ours", (HOST, on.call.inner_port + 1))
        await asyncio.sleep(TICK)
        assert on.inside.heard_rtcp() == [srtcp(3)]
        assert moved.heard_rtcp() == [b"ours"]
        assert not on.told(SourceChanged)
        # The key is no part of what the next relay gets.
        assert base64.b64encode(MASTER).decode() not in json.dumps(on.call.state().to_json())
        assert on.call.state().secure


@on_a_loop
async def test_by_srtp_what_was_caught_and_sent_again_or_is_forged_says_nothing_of_the_party() -> None:
    async with scene() as on:
        line = f"1 AES_CM_128_HMAC_SHA1_80 inline:{base64.b64encode(MASTER).decode()}"
        on.call.secured(True, party_key(read_keys((line,)), read_keys((line,))))
        on.call.answered()
        there = (HOST, on.call.outer_port)
        thief, moved = Peer("127.0.0.2"), Peer("127.0.0.3")
        on.peers += [thief, moved]

        async def say(who: Peer, *packets: bytes) -> None:
            for packet in packets:
                who.rtp.sendto(packet, there)
                await asyncio.sleep(TICK / 4)

        # The party's numbers begin anew three times.
        places = [divmod(place, 65_536) for place in range(100, 3 * 65_536 + 100, 30_000)]
        caught = [srtp(number, turns=turns) for turns, number in places]
        await say(on.party, *caught)
        assert len(on.inside.heard()) == len(caught)
        # Forged ones under its address keep nobody there, and lead no numbers astray.
        limit = asyncio.get_running_loop().time() + FOLLOW_AFTER + 0.2
        while asyncio.get_running_loop().time() < limit:
            await say(on.party, srtp(900, turns=3, key=bytes(20)), srtp(5, key=bytes(20), ssrc=99), caught[-1])
        on.inside.heard()
        await say(thief, *caught)
        assert not on.inside.heard()
        turns, number = places[-1]
        await say(moved, srtp(number + 1, turns=turns), srtp(number + 2, turns=turns))
        assert len(on.inside.heard()) == 2
        assert not on.told(SourceChanged)
