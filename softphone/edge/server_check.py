"""Whether an account's server is there, and whether it knows the account: its name looked up, its addresses asked.

It asks by OPTIONS; or by a REGISTER without a Contact, which logs in and changes nothing (RFC 3261, 10.2.3). It needs no edge
that runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from softphone.edge.channel import EdgeAccount
from softphone.edge.login import Credentials, Login
from softphone.edge.network import ANYWHERE, own_address
from softphone.edge.relay.stun import DEFAULT_PORT, StunServer, load_stun
from softphone.edge.resolver import Resolver, split_server
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage, write
from softphone.edge.sip.reading import parse
from softphone.edge.sip.uri import Via
from softphone.edge.tls import ConnectionFault, TlsServer
from softphone.edge.transports import Hop, Transports

MOST_HOPS = 4
MOST_CHALLENGES = 4
"""a proxy's and the registrar's, and an old nonce of each"""
REPEATS = (0.5, 1.0, 1.5)
"""seconds from one datagram to the next, and until it counts as unanswered"""
STREAM_LIMIT = 4.0
"""seconds for an answer by a connection that stands"""


class ServerState(NamedTuple):
    """`fault`: why it could not be asked, or did not answer; None if it did, after `seconds`, by `answer`."""

    server: str
    fault: ConnectionFault | None
    seconds: float = 0.0
    answer: SipMessage | None = None
    certificate: Mapping[str, Any] = {}
    """what it showed by TLS, as `ssl` gives it"""

    @property
    def code(self) -> int:
        return self.answer.code if self.answer else 0


async def check_server(
    account: EdgeAccount,
    nameservers: tuple[tuple[str, ...], int] = ((), 53),
    login: Login | None = None,
    seconds: float = 30.0,
) -> ServerState:
    """The first address that answers counts: a phone would go on to the next, too. Never raises for what the network does.

    `login`: asks whether the account may register, by whom. All of it takes at most `seconds`.
    """
    server = account.next_server or account.address.rpartition("@")[2]
    host, port = split_server(server)
    if not any(map(own_address, (*ANYWHERE, host.strip("[]")))):
        return ServerState(server, ConnectionFault("no_network"))
    found = ServerState(server, ConnectionFault("nowhere"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            resolver = Resolver(*nameservers, six=True)
            hops = (await resolver.look_up(host, port, account.transport))[:MOST_HOPS]
            if resolver.silent(host, port, account.transport):
                found = ServerState(server, ConnectionFault("dns_silent"))
            for hop in hops:
                if not own_address(hop.host):  # as the edge has it
                    found = ServerState(server, ConnectionFault("no_network"))
                    continue
                found = ServerState(server, ConnectionFault("silent"))
                asked = _by_datagram if hop.transport == "udp" else _by_stream
                async with asked(hop, TlsServer(host, account.authority)) as way:
                    found = await _asked(server, way, hop, account, login)
                if found.fault is None:
                    break
    return found


async def _asked(server: str, way: _Way, hop: Hop, account: EdgeAccount, login: Login | None) -> ServerState:
    began = time.monotonic()
    call = secrets.token_hex(8)
    credentials = Credentials(login) if login is not None and login.password else None
    said = await way.ask(_question(hop, account, way.place, call, 1, login))
    for number in range(2, MOST_CHALLENGES + 2):
        if credentials is None or isinstance(said, ConnectionFault) or said.code not in _CHALLENGED:
            break
        name, answer = _CHALLENGED[said.code]
        if not credentials.take(answer, said.all(name)):
            break
        more = credentials.headers("REGISTER", f"sip:{account.address.rpartition('@')[2]}")
        said = await way.ask(_question(hop, account, way.place, call, number, login, *more))
    if isinstance(said, ConnectionFault):
        return ServerState(server, said, certificate=way.certificate)
    return ServerState(server, None, time.monotonic() - began, said, way.certificate)


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


_CHALLENGED = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


def _question(
    hop: Hop,
    account: EdgeAccount,
    place: tuple[str, int],
    call: str,
    number: int,
    login: Login | None,
    *more: tuple[str, str],
) -> bytes:
    host = account.address.rpartition("@")[2]
    method, who = ("OPTIONS", "check@anonymous.invalid") if login is None else ("REGISTER", account.address)
    via = Via(hop.transport.upper(), *place).with_param("rport").with_param("branch", f"z9hG4bK{secrets.token_hex(8)}")
    headers = [
        ("Via", str(via)),
        ("Max-Forwards", "70"),
        ("From", f"<sip:{who}>;tag={call}"),
        ("To", f"<sip:{host if login is None else who}>"),
        ("Call-ID", call),
        ("CSeq", f"{number} {method}"),
        *more,
    ]
    return write(SipMessage(method, f"sip:{host}", headers=headers))


class _Way:
    """To one address. `heard` gets its answers, and why there will be none."""

    def __init__(self) -> None:
        self.place: tuple[str, int] = ("", 0)
        self.certificate: Mapping[str, Any] = {}
        self.repeats: Sequence[float] = ()
        """seconds from one sending to the next, and until it counts as unanswered"""
        self.send: Callable[[bytes], None] = lambda _: None
        self.silent = "silent"
        self._answer: asyncio.Future[SipMessage | ConnectionFault] = asyncio.get_running_loop().create_future()
        self._fault: ConnectionFault | None = None

    async def ask(self, question: bytes) -> SipMessage | ConnectionFault:
        if self._fault is not None:
            return self._fault
        self._answer = asyncio.get_running_loop().create_future()
        for wait in self.repeats:
            self.send(question)
            done, _ = await asyncio.wait((self._answer,), timeout=wait)
            if done:
                return self._answer.result()
        return ConnectionFault(self.silent)

    def heard(self, data: bytes) -> None:
        """The last answer to what was asked: none that is on its way (1xx)."""
        try:
            message = parse(data)
        except Malformed:
            if data.startswith(b"SIP/2.0 "):
                self._told(SipMessage("", code=400))
            return
        if message.code >= 200:
            self._told(message)

    def failed(self, fault: ConnectionFault) -> None:
        self._fault = fault
        self._told(fault)

    def _told(self, said: SipMessage | ConnectionFault) -> None:
        if not self._answer.done():
            self._answer.set_result(said)


@contextlib.asynccontextmanager
async def _by_datagram(hop: Hop, _: TlsServer) -> AsyncGenerator[_Way]:
    way = _Way()
    way.repeats = REPEATS
    try:
        transport, _protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Answers(way), remote_addr=(hop.host, hop.port)
        )
    except OSError as error:
        way.failed(ConnectionFault("unreachable", error.strerror or ""))
        yield way
        return
    way.place = transport.get_extra_info("sockname")[:2]
    way.send = transport.sendto
    try:
        yield way
    finally:
        transport.close()


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, way: _Way) -> None:
        self._way = way

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        self._way.heard(data)

    def error_received(self, exc: Exception) -> None:
        self._way.failed(ConnectionFault("refused" if isinstance(exc, ConnectionRefusedError) else "unreachable"))


@contextlib.asynccontextmanager
async def _by_stream(hop: Hop, server: TlsServer) -> AsyncGenerator[_Way]:
    way = _Way()
    way.repeats, way.silent = (STREAM_LIMIT,), "mute"
    transports = Transports(
        lambda data, _: way.heard(data),
        lambda _: False,
        lambda _, why: way.failed(why or ConnectionFault("lost")),
        lambda _: None,
        lambda _: server,
    )
    stands = asyncio.Event()

    def send(question: bytes) -> None:
        if transports.stands(hop):  # else why it does not is about to be heard, and it is not dialled again
            transports.send(question, hop)

    def failed(why: ConnectionFault | None) -> None:
        way.failed(why or ConnectionFault("lost"))
        stands.set()

    transports.reach(hop, stands.set, failed)
    try:
        await stands.wait()
        way.place = transports.place(hop) or ("", 0)
        way.certificate = transports.certificate(hop)
        way.send = send
        yield way
    finally:
        transports.close(hop.account)
