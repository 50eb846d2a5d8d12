"""A bad network between two phones on loopback: a UDP relay in a process of its own that loses, delays, doubles and cuts.

It stands between them as a NAT with a gateway would. One dials its `port`; addresses in SIP and SDP are rewritten, so that
the sound goes through it, too. It judges nothing of what it passes on.

    with rough_way(engine_port, customer_port) as way:
        way.be(loss=0.05, jitter=0.03)
        way.be(cut=True)
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

from tests.peers.processes import end, free_port

HOST = "127.0.0.1"
Datagrams = asyncio.DatagramTransport


class Way:
    """The relay as a test drives it. `port`: where the one phone reaches the other."""

    def __init__(self, phone: int, other: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.peers.relay", str(phone), str(other)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._told()["port"])

    def be(self, **kind: float | bool) -> float:
        """As fields of `Weather`; the others are as in good weather. The monotonic time since when it is so."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(kind) + "\n")
        self._process.stdin.flush()
        return float(self._told()["at"])

    def _told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        end(self._process)


@contextmanager
def rough_way(phone: int, other: int) -> Generator[Way]:
    """To `phone`'s port of SIP, for the one at `other`."""
    way = Way(phone, other)
    try:
        yield way
    finally:
        way.close()


# --- the relay's own process ----------------------------------------------------------------------


@dataclass(frozen=True)
class Weather:
    """Shares of packets, and seconds. `late`: packets that the next ones overtake."""

    loss: float = 0.0
    jitter: float = 0.0
    late: float = 0.0
    double: float = 0.0
    cut: bool = False


class _Side(asyncio.DatagramProtocol):
    """One port. What it receives goes out by `through`, to `to`."""

    def __init__(self, relay: _Relay) -> None:
        self._relay = relay
        self.transport: Datagrams
        self.through: _Side
        self.to: int | None = None
        self.is_sip = False
        self._due = 0.0
        self._under_way: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("Datagrams", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.is_sip:
            task = asyncio.ensure_future(self._rewritten(data))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        else:
            self._pass(data)

    async def _rewritten(self, data: bytes) -> None:
        self._pass(await self._relay.rewritten(self, data))

    def _pass(self, data: bytes) -> None:
        weather, chance = self._relay.weather, self._relay.chance
        if weather.cut or self.to is None:
            return
        for _ in range(2 if chance.random() < weather.double else 1):
            if chance.random() < weather.loss:
                continue
            loop = asyncio.get_running_loop()
            # A little later than the one before: of two at the same time either may go first.
            at = self._due = max(self._due + 1e-6, loop.time() + chance.uniform(0, weather.jitter))
            if chance.random() < weather.late:
                at += 0.05
            loop.call_at(at, self._send, data)

    def _send(self, data: bytes) -> None:
        if self.to is not None and not self._relay.weather.cut:
            self.through.transport.sendto(data, (HOST, self.to))


class _Relay:
    def __init__(self, phone: int, other: int) -> None:
        self.weather = Weather()
        self.chance = random.Random(4733)
        self._phone, self._other = phone, other
        self._media: dict[str, dict[_Side, tuple[int, list[_Side]]]] = {}

    async def begin(self) -> int:
        self._to_phone, phone_side = await self._open()
        self._to_other, other_side = await self._open()
        # What the other phone sends to `other_side` goes to the phone, from `phone_side`.
        self._to_other.through, self._to_other.to = self._to_phone, self._phone
        self._to_phone.through, self._to_phone.to = self._to_other, self._other
        self._to_phone.is_sip = self._to_other.is_sip = True
        self._renamed = {
            self._to_other: {str(self._other): str(phone_side), str(other_side): str(self._phone)},
            self._to_phone: {str(self._phone): str(other_side), str(phone_side): str(self._other)},
        }
        return other_side

    async def _open(self, port: int = 0) -> tuple[_Side, int]:
        transport, side = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Side(self), (HOST, port or free_port())
        )
        return side, int(transport.get_extra_info("sockname")[1])

    async def rewritten(self, came_by: _Side, data: bytes) -> bytes:
        head, ends, body = data.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
        renamed = self._renamed[came_by]
        head = re.sub(rf"(?<={re.escape(HOST)}:)\d+\b", lambda port: renamed.get(port[0], port[0]), head)
        if media := re.search(r"^m=audio (\d+)", body, re.MULTILINE):
            call = re.search(r"^Call-ID:\s*(\S+)", head, re.MULTILINE | re.IGNORECASE)
            port, (rtp, rtcp) = await self._sound(call[1] if call else "", came_by)
            rtp.to, rtcp.to = int(media[1]), int(media[1]) + 1
            if its := re.search(r"^a=rtcp:(\d+)", body, re.MULTILINE):
                rtcp.to = int(its[1])
            body = re.sub(r"^(m=audio )\d+", rf"\g<1>{port}", body, flags=re.MULTILINE)
            body = re.sub(r"^(a=rtcp:)\d+", rf"\g<1>{port + 1}", body, flags=re.MULTILINE)
        head = re.sub(r"(?mi)^(Content-Length:\s*)\d+", rf"\g<1>{len(body.encode())}", head)
        return (head + ends + body).encode("utf-8", "surrogateescape")

    async def _sound(self, call: str, came_by: _Side) -> tuple[int, list[_Side]]:
        """The port that the far side is told, and the sides whose packets go to who says this SDP."""
        if call not in self._media:
            made: list[tuple[int, list[_Side]]] = []
            while len(made) < 2:
                with suppress(OSError):
                    rtp, port = await self._open()
                    try:
                        rtcp, _ = await self._open(port + 1)
                    except OSError:
                        rtp.transport.close()
                        raise
                    made.append((port, [rtp, rtcp]))
            for one, other in zip(made[0][1], made[1][1], strict=True):
                one.through, other.through = other, one
            self._media[call] = {self._to_other: made[0], self._to_phone: made[1]}
        return self._media[call][came_by]


async def _run(phone: int, other: int) -> None:
    relay = _Relay(phone, other)
    print(json.dumps({"port": await relay.begin()}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        relay.weather = Weather(**json.loads(line))
        print(json.dumps({"at": time.monotonic()}), flush=True)


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2])))
