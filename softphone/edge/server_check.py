"""Whether an account's server is there: its name looked up, its addresses asked by OPTIONS, as `klartone doctor` does.

It registers nothing, and needs no edge that runs.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from softphone.edge.channel import EdgeAccount
from softphone.edge.network import ANYWHERE, own_address
from softphone.edge.relay.stun import DEFAULT_PORT, StunServer, load_stun
from softphone.edge.resolver import Resolver, split_server
from softphone.edge.sip.message import SipMessage, write
from softphone.edge.sip.uri import Via
from softphone.edge.tls import ConnectionFault, TlsServer
from softphone.edge.transports import Hop, Transports

MOST_HOPS = 4
REPEATS = (0.0, 0.5, 1.0, 1.5)
"""seconds from one datagram to the next, and until it counts as unanswered"""
STREAM_LIMIT = 12.0
"""seconds for a connection, its TLS and an answer by it"""


class ServerState(NamedTuple):
    """`fault`: why it could not be asked, or did not answer; None if it did, after `seconds`."""

    server: str
    fault: ConnectionFault | None
    seconds: float = 0.0


async def check_server(account: EdgeAccount, nameservers: tuple[tuple[str, ...], int] = ((), 53)) -> ServerState:
    """The first address that answers counts: a phone would go on to the next, too. Never raises for what the network does."""
    server = account.next_server or account.address.rpartition("@")[2]
    host, port = split_server(server)
    if not any(map(own_address, (*ANYWHERE, host.strip("[]")))):
        return ServerState(server, ConnectionFault("no_network"))
    resolver = Resolver(*nameservers, six=True)
    hops = (await resolver.look_up(host, port, account.transport))[:MOST_HOPS]
    fault: ConnectionFault | None = ConnectionFault("nowhere")
    for hop in hops:
        began = time.monotonic()
        asked = _by_datagram if hop.transport == "udp" else _by_stream
        fault = await asked(hop, host, TlsServer(host, account.authority))
        if fault is None:
            return ServerState(server, None, time.monotonic() - began)
    return ServerState(server, fault)


async def check_stun(server: str, nameservers: tuple[tuple[str, ...], int] = ((), 53)) -> tuple[str, int] | None:
    """How the STUN server sees a socket of this machine; None if it does not answer."""
    host, port = split_server(server)
    hops = await Resolver(*nameservers, six=True).look_up(host, port or DEFAULT_PORT, "udp") if host else ()
    await load_stun()
    for hop in hops[:MOST_HOPS]:
        one = StunServer(time.monotonic)
        one.address = hop.host, hop.port
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda one=one, place=one.address: _StunAnswers(one, place), remote_addr=one.address
            )
        except OSError:
            continue
        try:
            if (seen := await one.ask(lambda data, _, transport=transport: transport.sendto(data))) is not None:
                return seen
        finally:
            transport.close()
    return None


class _StunAnswers(asyncio.DatagramProtocol):
    def __init__(self, server: StunServer, place: tuple[str, int]) -> None:
        self._server, self._place = server, place

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        self._server.take(data, self._place)

    def error_received(self, exc: Exception) -> None:
        pass


def _options(hop: Hop, host: str, place: tuple[str, int]) -> bytes:
    mark = secrets.token_hex(8)
    via = Via(hop.transport.upper(), *place).with_param("rport").with_param("branch", f"z9hG4bK{mark}")
    headers = [
        ("Via", str(via)),
        ("Max-Forwards", "70"),
        ("From", f"<sip:check@anonymous.invalid>;tag={mark}"),
        ("To", f"<sip:{host}>"),
        ("Call-ID", mark),
        ("CSeq", "1 OPTIONS"),
    ]
    return write(SipMessage("OPTIONS", f"sip:{host}", headers=headers))


async def _by_datagram(hop: Hop, host: str, _: TlsServer) -> ConnectionFault | None:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[ConnectionFault | None] = loop.create_future()
    try:
        transport, _protocol = await loop.create_datagram_endpoint(
            lambda: _Answers(answered), remote_addr=(hop.host, hop.port)
        )
    except OSError as error:
        return ConnectionFault("unreachable", error.strerror or "")
    try:
        question = _options(hop, host, transport.get_extra_info("sockname")[:2])
        for wait in REPEATS:
            if (found := await _within(answered, wait)) is not None:
                return found if found.code else None
            transport.sendto(question)
        return ConnectionFault("silent")
    finally:
        transport.close()


async def _within(answered: asyncio.Future[ConnectionFault | None], seconds: float) -> ConnectionFault | None:
    """None if nothing was heard; a fault without a code if the server answered."""
    done, _ = await asyncio.wait((answered,), timeout=seconds)
    return (answered.result() or ConnectionFault("")) if done else None


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, answered: asyncio.Future[ConnectionFault | None]) -> None:
        self._answered = answered

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        if data.startswith(b"SIP/2.0 ") and not self._answered.done():
            self._answered.set_result(None)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            code = "refused" if isinstance(exc, ConnectionRefusedError) else "unreachable"
            self._answered.set_result(ConnectionFault(code))


async def _by_stream(hop: Hop, host: str, server: TlsServer) -> ConnectionFault | None:
    answered: asyncio.Future[ConnectionFault | None] = asyncio.get_running_loop().create_future()

    def tell(fault: ConnectionFault | None) -> Callable[..., None]:
        def heard(*_: object) -> None:
            if not answered.done():
                answered.set_result(fault)

        return heard

    transports = Transports(
        tell(None),
        lambda _: False,
        lambda _, why: tell(why or ConnectionFault("lost"))(),
        lambda _: None,
        lambda _: server,
    )
    transports.reach(
        hop,
        lambda: transports.send(_options(hop, host, transports.place(hop) or ("", 0)), hop),
        lambda why: tell(why)(),
    )
    await asyncio.wait((answered,), timeout=STREAM_LIMIT)
    found = answered.result() if answered.done() else ConnectionFault("mute")
    transports.close(hop.account)
    return found
