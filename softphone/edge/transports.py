"""Datagrams and streams between the edge and the network. It frames, counts connections and sends; it reads no message.

The engine hands over the sockets. TLS will stand here, as one more kind of connection beside TCP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from softphone.edge.sip.framing import StreamFramer
from softphone.edge.sip.malformed import Malformed

MOST_CONNECTIONS = 64
MOST_OF_ONE_HOST = 24
SILENT = 10.0
"""seconds for which a stranger's connection may stand without a whole message"""
CONNECT_LIMIT = 4.0
UNSENT = 256 * 1024
"""bytes that may wait for a peer that does not read"""
PING = b"\r\n\r\n"
PONG = b"\r\n"


class Hop(NamedTuple):
    """One address, resolved. `transport` is udp or tcp."""

    transport: str
    host: str
    port: int


OnMessage = Callable[[bytes, Hop], None]


class Connection(asyncio.Protocol):
    """One TCP connection. `ours`: the edge opened it."""

    def __init__(self, transports: Transports, *, ours: bool) -> None:
        self._of = transports
        self.ours = ours
        self.peer = Hop("tcp", "", 0)
        self.spoke = False
        self._framer = StreamFramer()
        self._stream: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        host, port = transport.get_extra_info("peername")[:2]
        self.peer = Hop("tcp", host, port)
        self._stream = transport
        transport.set_write_buffer_limits(UNSENT)
        if not self._of.take(self):
            transport.abort()
            return
        if not self.ours:
            self._deadline = asyncio.get_running_loop().call_later(SILENT, self._silent)

    def data_received(self, data: bytes) -> None:
        try:
            for one in self._framer.feed(data):
                if one.strip(b"\r\n"):
                    self.spoke = True
                    self._of.on_message(one, self.peer)
                elif one == PING:
                    self.send(PONG)
        except Malformed as error:
            # The next message's beginning in the stream is not known.
            self._of.count(f"stream.{error.reason}")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self._deadline is not None:
            self._deadline.cancel()
        self._of.drop(self)

    def send(self, data: bytes) -> None:
        stream = self._stream
        if stream is None or stream.is_closing():
            return
        if stream.get_write_buffer_size() > UNSENT:
            self._of.count("stream.unread")
            stream.abort()
            return
        stream.write(data)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    @property
    def open(self) -> bool:
        return self._stream is not None and not self._stream.is_closing()

    def _silent(self) -> None:
        if not self.spoke:
            self._of.count("stream.silent")
            self.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, on_message: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._on_message = on_message

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._on_message(data, addr)

    def error_received(self, exc: Exception) -> None:
        pass


class Transports:
    """`may_connect`: whether a host's connection is accepted. `lost`: a connection of ours has gone."""

    def __init__(
        self,
        on_message: OnMessage,
        may_connect: Callable[[str], bool],
        lost: Callable[[Hop], None],
        count: Callable[[str], None],
    ) -> None:
        self.on_message = on_message
        self.count = count
        self._may_connect = may_connect
        self._lost = lost
        self._udp: asyncio.DatagramTransport | None = None
        self._bound = ""
        self._port = 0
        self._connections: dict[Hop, Connection] = {}
        self._dialling: dict[Hop, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._locals: dict[str, str] = {}

    async def start(self, udp: socket.socket, tcp: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._bound, self._port = udp.getsockname()[:2]
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._datagram), sock=udp)
        await loop.create_server(lambda: Connection(self, ours=False), sock=tcp)

    @property
    def port(self) -> int:
        return self._port

    def local_host(self, host: str) -> str:
        """This machine's address on the way to `host`."""
        if self._bound not in ("0.0.0.0", "::"):  # noqa: S104
            return self._bound
        if host not in self._locals:
            if len(self._locals) > 256:
                self._locals.clear()
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.connect((host, 9))
                    self._locals[host] = probe.getsockname()[0]
            except OSError:
                return "127.0.0.1"
        return self._locals[host]

    def ours(self, hop: Hop) -> bool:
        """Whether the edge opened this connection: then whatever comes by it was asked for."""
        connection = self._connections.get(hop)
        return connection is not None and connection.ours

    def stands(self, hop: Hop) -> bool:
        connection = self._connections.get(hop)
        return connection is not None and connection.open

    def send(self, data: bytes, hop: Hop, failed: Callable[[str], None] = lambda _: None) -> None:
        """`failed` gets the reason if the connection fails."""
        if hop.transport == "udp":
            if self._udp is not None:
                with contextlib.suppress(OSError):
                    self._udp.sendto(data, (hop.host, hop.port))
            return
        connection = self._connections.get(hop)
        if connection is not None and connection.open:
            connection.send(data)
            return
        if (waiting := self._dialling.get(hop)) is not None:
            if len(waiting) < 16:
                waiting.append(data)
            return
        self._dialling[hop] = [data]
        task = asyncio.get_running_loop().create_task(self._dial(hop, failed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ping(self) -> None:
        for connection in self._connections.values():
            if connection.ours:
                connection.send(PING)

    async def _dial(self, hop: Hop, failed: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        local = (self._bound, 0) if self._bound not in ("0.0.0.0", "::") else None  # noqa: S104
        why = ""
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                _, connection = await loop.create_connection(
                    lambda: Connection(self, ours=True), hop.host, hop.port, local_addr=local
                )
            for data in self._dialling[hop]:
                connection.send(data)
        except TimeoutError:
            why = "No answer"
        except OSError as error:
            why = error.strerror or "No connection"
        finally:
            del self._dialling[hop]
        if why:
            self.count("connect.failed")
            failed(why)

    def take(self, connection: Connection) -> bool:
        """Called by a connection that now stands."""
        if not connection.ours:
            if not self._may_connect(connection.peer.host):
                self.count("connect.stranger")
                return False
            theirs = Counter(one.peer.host for one in self._connections.values() if not one.ours)
            if theirs.total() >= MOST_CONNECTIONS or theirs[connection.peer.host] >= MOST_OF_ONE_HOST:
                # A newcomer takes the place of the oldest that has said nothing.
                silent = next((one for one in self._connections.values() if not one.ours and not one.spoke), None)
                self.count("connect.too_many")
                if silent is None:
                    return False
                silent.close()
                self._connections.pop(silent.peer, None)
        self._connections[connection.peer] = connection
        return True

    def drop(self, connection: Connection) -> None:
        if self._connections.get(connection.peer) is connection:
            del self._connections[connection.peer]
            if connection.ours:
                self._lost(connection.peer)

    def _datagram(self, data: bytes, address: tuple[str, int]) -> None:
        if len(data) >= 8 and data.strip(b"\r\n\0"):
            self.on_message(data, Hop("udp", *address[:2]))
