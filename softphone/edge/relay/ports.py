"""Pairs of UDP ports: an even one for RTP, the next for RTCP, drawn at random.

The edge's loop itself watches the sockets. They are read and written without a task or a queue, so a packet goes out in the
turn in which it came.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
from collections.abc import Callable

from softphone.edge.relay.source import Address
from softphone.edge.turns import EdgeLoop

FIRST, LAST = 16_384, 32_767
"""below the ports that systems give to outgoing connections, so that a firewall can name them"""
TRIES = 200
LONGEST_DATAGRAM = 2048
BUFFER = 262_144

Handler = Callable[[bytes, Address], None]

_random = secrets.SystemRandom()


class Port:
    """One bound socket. `read_by` names the reader; until then packets wait in the socket."""

    def __init__(self, loop: EdgeLoop, sock: socket.socket) -> None:
        self._loop = loop
        self._socket = sock
        self._six = sock.family == socket.AF_INET6
        self.number = int(sock.getsockname()[1])

    def read_by(self, handler: Handler) -> None:
        self._loop.add_packet_reader(self._socket, lambda: self._read(handler))

    def only_from(self, address: Address) -> None:
        """The system itself then drops what others send, and `send` goes there."""
        with contextlib.suppress(OSError):
            self._socket.connect(address)

    def send(self, data: bytes, address: Address | None = None) -> bool:
        """To `address`, or to the connected one. Never waits; False if it was not sent."""
        try:
            if address is None:
                self._socket.send(data)
            else:
                self._socket.sendto(data, self._written(address))
        except OSError:
            # Nobody is there yet, the buffer is full, or the address is of another family. Sound is never sent later.
            return False
        return True

    def close(self) -> None:
        self._loop.remove_packet_reader(self._socket)
        self._socket.close()

    def _read(self, handler: Handler) -> None:
        """One packet a turn: mostly there is no other, and a flood must not keep SIP waiting."""
        try:
            data, source = self._socket.recvfrom(LONGEST_DATAGRAM)
        except OSError:
            return  # an echo: something could not be delivered
        handler(data, self._plain(source) if self._six else source)

    def _written(self, address: Address) -> Address:
        return (f"::ffff:{address[0]}", address[1]) if self._six and ":" not in address[0] else address

    @staticmethod
    def _plain(source: tuple[str, int, int, int]) -> Address:
        return source[0].removeprefix("::ffff:").partition("%")[0], source[1]


def open_pair(loop: EdgeLoop, host: str, first: int = 0, among: tuple[int, int] = (FIRST, LAST)) -> tuple[Port, Port]:
    """RTP and RTCP on `host` (empty: every address). `first`: this pair and no other. Raises OSError if none is free.

    `among`: the first and the last port that may be drawn. Each pair is tried once.
    """
    trouble: OSError | None = None
    pairs = range(among[0] + among[0] % 2, among[1], 2)
    for even in [first] if first else _random.sample(pairs, min(TRIES, len(pairs))):
        try:
            rtp = _bound(host, even)
        except OSError as error:
            trouble = error
            continue
        try:
            return Port(loop, rtp), Port(loop, _bound(host, even + 1))
        except OSError as error:
            rtp.close()
            trouble = error
    raise trouble or OSError("no free pair of ports")


def is_address(host: str) -> bool:
    """Whether packets can be sent to it: a number, and not *any*."""
    try:
        return not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_DGRAM)
    try:
        one.setblocking(False)
        if family is socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        one.bind((host, port))
    except OSError:
        one.close()
        raise
    return one
