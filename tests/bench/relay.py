"""What the edge's relay adds to a packet of sound on its way: alone, and while the same loop reads SIP at a flood's rate.

The relay runs in a process of its own, as the edge does. The same packets go straight from socket to socket in turn, so that
what sending and receiving themselves take falls out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from softphone.edge.relay import MediaRelay, RelayEvent
from softphone.edge.sip.reading import parse
from softphone.edge.turns import EdgeLoop, edge_loop
from tests.bench.figures import Figure

HOST = "127.0.0.1"
CALLS = 4
TICK = 0.02
FLOOD = 500
"""INVITEs read a second"""
INVITE = (
    b"INVITE sip:agent@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bK1;rport\r\n"
    b"From: <sip:+4520123456@127.0.0.2>;tag=1\r\nTo: <sip:agent@127.0.0.1>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n"
    b"Contact: <sip:+4520123456@127.0.0.2>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: 129\r\n\r\n"
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 9 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


def measure(seconds: float = 30.0) -> list[Figure]:
    figures: list[Figure] = []
    for flood in (0, FLOOD):
        straight, relayed = _delays(seconds, flood)
        more = [b - a for a, b in zip(_percentiles(straight), _percentiles(relayed), strict=True)]
        how = f"{CALLS} calls both ways, {len(relayed)} packets; straight {_told(straight)}, relayed {_told(relayed)}"
        loaded = f", {flood} INVITEs/s read in the same loop" if flood else ""
        value = f"{more[0]:.0f} µs (99 %: {more[1]:.0f}, 99.9 %: {more[2]:.0f})"
        figures.append(Figure(f"relay: added to a packet{loaded}", value, "1 ms", how))
    return figures


def _percentiles(delays: Sequence[float]) -> tuple[float, float, float]:
    ordered = sorted(delays)
    return tuple(ordered[int(len(ordered) * part)] * 1e6 for part in (0.5, 0.99, 0.999))  # pyright: ignore[reportReturnType]


def _told(delays: Sequence[float]) -> str:
    return " / ".join(f"{one:.0f}" for one in _percentiles(delays)) + " µs"


def _delays(seconds: float, flood: int) -> tuple[list[float], list[float]]:
    """Straight and relayed, packet about packet."""
    ends = [(_socket(), _socket()) for _ in range(CALLS)]  # party, pjsua2
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.bench.relay",
            str(flood),
            json.dumps([[_port(one) for one in both] for both in ends]),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        to: list[tuple[socket.socket, tuple[str, int]]] = []
        for (party, inside), (outer, inner) in zip(ends, ports, strict=True):
            to += [(party, (HOST, outer)), (inside, (HOST, inner))]
        straight, relayed = [(_socket(), (HOST, _port(one))) for one, _ in to], to
        came: dict[bool, list[float]] = {False: [], True: []}
        over = threading.Event()
        listening = threading.Thread(target=_listen, args=([one for both in ends for one in both], came, over))
        listening.start()
        number, due = 0, time.monotonic()
        while number * TICK < seconds:
            number += 1
            for is_relayed, ways in ((False, straight), (True, relayed)):
                for sender, address in ways:
                    head = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * 160, 7)
                    sender.sendto(head + struct.pack("!?d", is_relayed, time.perf_counter()) + bytes(151), address)
                due += TICK / 2
                time.sleep(max(0.0, due - time.monotonic()))
        over.set()
        listening.join()
        process.kill()
    for one in (*(one for both in ends for one in both), *(one for one, _ in straight)):
        one.close()
    return came[False], came[True]


def _listen(sockets: Sequence[socket.socket], came: dict[bool, list[float]], over: threading.Event) -> None:
    with selectors.DefaultSelector() as events:
        for one in sockets:
            one.setblocking(False)
            events.register(one, selectors.EVENT_READ)
        while not over.is_set():
            for key, _ in events.select(0.1):
                with contextlib.suppress(BlockingIOError):
                    while isinstance(key.fileobj, socket.socket):
                        data = key.fileobj.recv(2048)
                        now = time.perf_counter()
                        is_relayed, sent = struct.unpack_from("!?d", data, 12)
                        came[is_relayed].append(now - sent)


def _socket() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((HOST, 0))
    return one


def _port(one: socket.socket) -> int:
    return int(one.getsockname()[1])


async def _relay(flood: int, ends: list[tuple[int, int]]) -> None:
    def ignore(_: RelayEvent) -> None:
        pass

    relay = MediaRelay(edge_loop(), HOST, ignore)
    calls = [relay.open(str(number)) for number in range(len(ends))]
    for call, (party, inside) in zip(calls, ends, strict=True):
        call.peer_signalled((HOST, party), offer_answer=1)
        call.inner_signalled((HOST, inside))
        call.answered()
    print(json.dumps([[call.outer_port, call.inner_port] for call in calls]), flush=True)
    while True:
        if flood:
            parse(INVITE)
        await asyncio.sleep(1 / flood if flood else 1)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=EdgeLoop) as runner:
        runner.run(_relay(int(sys.argv[1]), json.loads(sys.argv[2])))
