"""Datagrams and streams between the edge and the network. It frames, counts connections and sends; it reads no message.

The engine hands over the sockets. A TLS connection is always one that the edge opened, and belongs to one account: nobody
can call this phone by TLS but by the way that it registered on.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from softphone.edge.network import own_address
from softphone.edge.sip.framing import StreamFramer
from softphone.edge.sip.malformed import Malformed
from softphone.edge.tls import ConnectionFault, NotTrusted, TlsServer, check_name, client_context, fault_of
from softphone.edge.tls_stream import TlsStream, shake_hands

MOST_CONNECTIONS = 64
MOST_OF_ONE_HOST = 24
SILENT = 10.0
"""seconds for which a stranger's connection may stand without a whole message"""
CONNECT_LIMIT = 4.0
HANDSHAKE_LIMIT = 4.0
"""seconds for TLS's own beginning, once the connection stands"""
PONG_LIMIT = 10.0
"""seconds until a peer that has answered keep-alives counts as gone (RFC 5626 4.4.1)"""
UNSENT = 256 * 1024
"""bytes that may wait for a peer that does not read"""
MOST_WAITING = 16
"""messages that wait for one connection"""
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - as a phone listens
PING = b"\r\n\r\n"
PONG = b"\r\n"


class Hop(NamedTuple):
    """One address, resolved. `transport` is udp, tcp or tls; by TLS, `account` is whose connection it is."""

    transport: str
    host: str
    port: int
    account: str = ""


OnMessage = Callable[[bytes, Hop], None]
Failed = Callable[[ConnectionFault], None]


class Connection(asyncio.Protocol):
    """One connection by TCP or TLS. `to`: the edge opened it, to there. `server`: what TLS has to prove first."""

    def __init__(self, transports: Transports, to: Hop | None = None, server: TlsServer | None = None) -> None:
        self._of = transports
        self.ours = to is not None
        self.peer = to or Hop("tcp", "", 0)
        self.place = ("", 0)
        """this end of it"""
        self.spoke = False
        self.certificate: Mapping[str, Any] = {}
        self.fault: ConnectionFault | None = None
        self._server = server
        self._framer = StreamFramer()
        self._stream: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._heard = self._ponged = self._closed = False
        self._pinged_at = 0.0
        """when the peer was asked for a sign of life that has not come"""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.place = transport.get_extra_info("sockname")[:2]
        if not self.ours:
            self.peer = Hop("tcp", *transport.get_extra_info("peername")[:2])
        self._stream = transport
        transport.set_write_buffer_limits(UNSENT)
        if self._server is not None:
            if self._server != self._of.server(self.peer.account):
                transport.abort()
                return
            self.certificate = transport.get_extra_info("peercert") or {}
            try:
                check_name(self.certificate, self._server.name)
            except NotTrusted as error:
                self.fault = error.fault
                transport.abort()
                return
        if not self._of.take(self):
            transport.abort()
            return
        if not self.ours:
            self._deadline = asyncio.get_running_loop().call_later(SILENT, self._silent)

    def data_received(self, data: bytes) -> None:
        self._pinged_at, self._heard = 0.0, True
        try:
            for one in self._framer.feed(data):
                if one.strip(b"\r\n"):
                    self.spoke = True
                    self._of.on_message(one, self.peer)
                elif one == PING:
                    self.send(PONG)
                else:
                    self._ponged = True
        except Malformed as error:
            # The next message's beginning in the stream is not known.
            self._of.count(f"stream.{error.reason}")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        # A server that wants a certificate of ours may say so, or just go, only after its handshake.
        if not self._closed:
            self.fault = self.fault or fault_of(exc)
        if self._server is not None and not self._heard and not self._closed:
            self.fault = self.fault or ConnectionFault("tls_ended")
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

    def ping(self) -> None:
        """A peer that used to answer, and does not, has gone: a call by it would never come."""
        now = time.monotonic()
        if self._ponged and self._pinged_at and now - self._pinged_at > PONG_LIMIT and self._stream is not None:
            self._of.count("stream.gone")
            self._stream.abort()
            return
        self._pinged_at = self._pinged_at or now
        self.send(PING)

    def close(self) -> None:
        """What the other side still says is no fault of its."""
        self._closed = True
        if self._stream is not None:
            self._stream.close()

    def abort(self) -> None:
        """Without waiting for what was not sent."""
        if self._stream is not None:
            self._stream.abort()

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
    """`may_connect`: whether a host's connection is accepted. `lost`: a connection of ours has gone, and why. `server`: what an
    account's server must prove."""

    def __init__(
        self,
        on_message: OnMessage,
        may_connect: Callable[[str], bool],
        lost: Callable[[Hop, ConnectionFault | None], None],
        count: Callable[[str], None],
        server: Callable[[str], TlsServer] = TlsServer,
    ) -> None:
        self.on_message = on_message
        self.count = count
        self._may_connect = may_connect
        self._lost = lost
        self.server = server
        self._contexts: dict[tuple[str, int], ssl.SSLContext] = {}
        self._udp: dict[bool, asyncio.DatagramTransport] = {}
        """by whether it is IPv6"""
        self._bound = ""
        self._port = 0
        self._connections: dict[Hop, Connection] = {}
        self._dialling: dict[Hop, list[tuple[Callable[[], None], Failed]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._locals: dict[str, str] = {}

    async def start(self, *pairs: tuple[socket.socket, socket.socket]) -> None:
        """Each for datagrams and for connections, all of one port; the first says which address this phone is bound to."""
        loop = asyncio.get_running_loop()
        self._bound, self._port = pairs[0][0].getsockname()[:2]
        for udp, tcp in pairs:
            six = udp.family == socket.AF_INET6
            self._udp[six], _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._datagram), sock=udp)
            await loop.create_server(lambda: Connection(self), sock=tcp)

    @property
    def port(self) -> int:
        return self._port

    def local_host(self, host: str) -> str:
        """This machine's address on the way to `host`."""
        if self._bound not in EVERYWHERE:
            return self._bound
        if host not in self._locals:
            if len(self._locals) > 256:
                self._locals.clear()
            if not (own := own_address(host)):
                return "::1" if ":" in host else "127.0.0.1"
            self._locals[host] = own
        return self._locals[host]

    def moved(self, hosts: set[str]) -> None:
        """The way to these hosts has changed: what was opened before leads nowhere."""
        self._locals.clear()
        for connection in [one for one in self._connections.values() if one.ours and one.peer.host in hosts]:
            connection.abort()

    def ours(self, hop: Hop) -> bool:
        """Whether the edge opened this connection: then whatever comes by it was asked for."""
        connection = self._connections.get(hop)
        return connection is not None and connection.ours

    def stands(self, hop: Hop) -> bool:
        connection = self._connections.get(hop)
        return connection is not None and connection.open

    def place(self, hop: Hop) -> tuple[str, int] | None:
        """This end of a connection that stands: where a server that knows this phone by it reaches it."""
        connection = self._connections.get(hop)
        return connection.place if connection is not None and connection.open else None

    def certificate(self, hop: Hop) -> Mapping[str, Any]:
        """What its server showed by TLS, as `ssl` gives it."""
        connection = self._connections.get(hop)
        return connection.certificate if connection is not None else {}

    def send(self, data: bytes, hop: Hop, failed: Failed = lambda _: None) -> None:
        """`failed` gets the reason if the connection fails."""
        if hop.transport == "udp":
            if (udp := self._udp.get(":" in hop.host)) is None:
                failed(ConnectionFault("unreachable"))
                return
            with contextlib.suppress(OSError):
                udp.sendto(data, (hop.host, hop.port))
            return
        connection = self._connections.get(hop)
        if connection is not None and connection.open:
            connection.send(data)
            return

        def ready() -> None:
            if (made := self._connections.get(hop)) is not None:
                made.send(data)

        self.reach(hop, ready, failed)

    def reach(self, hop: Hop, ready: Callable[[], None], failed: Failed) -> None:
        """`ready` once a connection stands, or `failed`."""
        if self.stands(hop):
            ready()
        elif (waiting := self._dialling.get(hop)) is not None:
            if len(waiting) < MOST_WAITING:
                waiting.append((ready, failed))
        else:
            self._dialling[hop] = [(ready, failed)]
            task = asyncio.get_running_loop().create_task(self._dial(hop))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def ping(self) -> None:
        for connection in [*self._connections.values()]:
            if connection.ours:
                connection.ping()

    def close(self, account: str) -> None:
        """An account's own connections: it has gone, or trusts others now."""
        for connection in [*self._connections.values()]:
            if connection.peer.account == account:
                connection.close()

    async def _dial(self, hop: Hop) -> None:
        fault: ConnectionFault | None = ConnectionFault("unreachable")
        try:
            server = self.server(hop.account)
            fault = await self._connect(hop, server)
            # The account has gone or trusts others since: what was proved meanwhile counts no more.
            while (now := self.server(hop.account)) != server:
                server = now
                fault = await self._connect(hop, now) if now.name else ConnectionFault("unreachable")
        finally:
            for ready, failed in self._dialling.pop(hop):
                if fault is None:
                    ready()
                else:
                    failed(fault)
            if fault is not None:
                self.count(f"connect.{fault.code}")

    async def _connect(self, hop: Hop, proves: TlsServer) -> ConnectionFault | None:
        """None if it stands."""
        loop = asyncio.get_running_loop()
        server = proves if hop.transport == "tls" else None
        try:
            context = await self._context(server.authority) if server is not None else None
            sock = await self._socket(hop)
        except NotTrusted as error:
            return error.fault
        except TimeoutError:
            return ConnectionFault("silent")
        except OSError as error:
            code = "refused" if isinstance(error, ConnectionRefusedError) else "unreachable"
            return ConnectionFault(code, error.strerror or "")
        connection = Connection(self, hop, server)
        protocol: asyncio.Protocol = connection
        try:
            if server is not None and context is not None:
                name = server.name.strip("[]")
                secured = await asyncio.to_thread(shake_hands, sock, context, name, HANDSHAKE_LIMIT)
                if isinstance(secured, ConnectionFault):
                    sock.close()
                    return secured
                protocol = TlsStream(secured, connection)
            await loop.create_connection(lambda: protocol, sock=sock)
        except (OSError, ValueError):
            sock.close()
            return ConnectionFault("unreachable")
        return connection.fault or (None if connection.open else ConnectionFault("unreachable"))

    async def _socket(self, hop: Hop) -> socket.socket:
        """Connected. Raises OSError, of which TimeoutError is one."""
        local = (self._bound, 0) if self._bound not in EVERYWHERE else None
        sock = socket.socket(socket.AF_INET6 if ":" in hop.host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            if local is not None:
                sock.bind(local)
            async with asyncio.timeout(CONNECT_LIMIT):
                await asyncio.get_running_loop().sock_connect(sock, (hop.host, hop.port))
        except BaseException:
            sock.close()
            raise
        return sock

    async def _context(self, authority: str) -> ssl.SSLContext:
        """As its file is now: IT may have replaced it. Raises NotTrusted."""
        try:
            key = authority, Path(authority).stat().st_mtime_ns if authority else 0
        except OSError as error:
            raise NotTrusted(ConnectionFault("tls_authority_file", error.strerror or "")) from None
        if key not in self._contexts:
            # Some hundred certificates are read: sound does not wait for that.
            self._contexts[key] = await asyncio.to_thread(client_context, authority)
        return self._contexts[key]

    def take(self, connection: Connection) -> bool:
        """Called by a connection that now stands."""
        if not connection.ours:
            if not self._may_connect(connection.peer.host):
                self.count("connect.stranger")
                return False
            if self._connections.get(connection.peer, connection).ours:
                # The server's own port has connected to us too: its end would not be told, were this one in its place.
                self.count("connect.twice")
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
                self._lost(connection.peer, connection.fault)

    def _datagram(self, data: bytes, address: tuple[str, int]) -> None:
        # A link-local address means something on one of this machine's links alone.
        if "%" not in address[0] and len(data) >= 8 and data.strip(b"\r\n\0"):
            self.on_message(data, Hop("udp", *address[:2]))
