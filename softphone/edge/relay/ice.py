"""ICE (RFC 8445) of one call's sound, full, with a component each for RTP and RTCP, on the relay's own ports.

`aioice` makes the checks and nominates. Whatever has not the password is dropped before it: no answer, no memory. A pair
that both sides have checked and nominated is the only way for sound.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aioice import Candidate, Connection, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, StunProtocol, candidate_pair_priority

from softphone.edge.relay.ports import Port
from softphone.edge.relay.source import Address

MOST_CANDIDATES = 20
"""of the other side: each costs checks, and somebody else may be named (RFC 8445 19.5.1)"""
MOST_PAIRS = 100
MOST_A_SECOND = 100
"""messages of one address that is known, of all others together, and of answers to one question"""
_REQUEST, _ANSWERS = b"\x00\x01", (b"\x01\x01", b"\x01\x11")
_USABLE = re.compile(r"\S+ [12] (?i:udp) \S+ \S+ \S+ typ (?:host|srflx|relay)(?: .*)?")

logging.getLogger("aioice").setLevel(logging.CRITICAL)  # it names addresses


@dataclass(frozen=True, slots=True)
class RemoteIce:
    """What the other side's description says. `lite`: it only answers checks."""

    ufrag: str
    password: str = field(repr=False)
    candidates: tuple[str, ...] = ()
    lite: bool = False


class _Transport:
    """A port of the relay's as asyncio has them. It is not closed with the agent."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self.protocol: StunProtocol | None = None

    def sendto(self, data: bytes, address: Address) -> None:
        self._port.send(data, address)

    def get_extra_info(self, _name: str, default: Any = None) -> Any:
        return default

    def close(self) -> None:
        if self.protocol is not None:
            self.protocol.connection_lost(None)


class _Agent(Connection):
    """On ports that are there already. `chosen` hears of each pair that is nominated: the other side may do so again."""

    def __init__(
        self,
        host: str,
        ports: Sequence[Port],
        mapped: Sequence[Address | None],
        names: tuple[str, str] | None,
        chosen: Callable[[], None],
    ) -> None:
        ufrag, password = names or (None, None)
        super().__init__(False, len(ports), local_username=ufrag, local_password=password)
        self._chosen = chosen
        for component, (port, seen) in enumerate(zip(ports, mapped, strict=True), 1):
            transport, protocol = _Transport(port), StunProtocol(self)
            transport.protocol = protocol
            protocol.transport = transport  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
            protocol.local_candidate = _candidate("host", component, (host, port.number))
            self._protocols.append(protocol)
            self._local_candidates.append(protocol.local_candidate)
            if seen is not None and seen != (host, port.number):
                self._local_candidates.append(_candidate("srflx", component, seen, (host, port.number)))
        self._local_candidates_start = self._local_candidates_end = True

    @property
    def protocols(self) -> Sequence[StunProtocol]:
        return self._protocols

    @property
    def pairs(self) -> int:
        return len(self._check_list)

    def nominated(self, component: int) -> Address | None:
        pair = self._nominated.get(component)
        return pair.remote_addr if pair is not None else None

    def knows(self, source: Address) -> bool:
        """Whether the other side has named it, or a check with the password came from there."""
        return any((one._network_host, one.port) == source for one in self._remote_candidates)

    def check_incoming(self, message: stun.Message, addr: Address, protocol: StunProtocol) -> None:
        component = protocol.local_candidate.component
        at_it = [one for one in self._remote_candidates if (one._network_host, one.port) == addr]
        if any(one.component != component for one in at_it):
            return  # RTCP's, of an address that is RTP's: the library takes it for a bug of its own
        super().check_incoming(message, addr, protocol)

    def check_complete(self, pair: CandidatePair) -> None:
        """Of several pairs that are nominated the best one counts, whichever came last (RFC 8445 8.1.1)."""
        before = self._nominated.get(pair.component)
        super().check_complete(pair)
        if before is not None and self._rank(before) > self._rank(pair):
            self._nominated[pair.component] = before
        self._chosen()

    async def connect(self) -> None:
        """The library gives up all other checks then. The other side may have nominated those pairs already."""
        await super().connect()
        for pair in [one for one in self._check_list if one.task is not None]:
            pair.task = None
            self.check_state(pair, CandidatePair.State.WAITING)
            if pair.remote_nominated:
                self.check_start_task(pair)

    def _rank(self, pair: CandidatePair) -> int:
        return candidate_pair_priority(pair.local_candidate, pair.remote_candidate, self.ice_controlling)

    def data_received(self, data: bytes, component: int) -> None:
        """Sound does not come this way."""


class IceAgent:
    """`nominated` gets the other side's two addresses, the second None where it has no RTCP, and gets them again when a better
    pair is nominated; `lost`: the way has gone, or there is none."""

    def __init__(
        self,
        host: str,
        ports: Sequence[Port],
        mapped: Sequence[Address | None],
        *,
        nominated: Callable[[IceAgent, Address, Address | None], None],
        lost: Callable[[IceAgent], None],
        names: tuple[str, str] | None = None,
    ) -> None:
        """`names`: ufrag and password that our description has said already."""
        self.host = host
        self.remote: RemoteIce | None = None
        self._nominated = nominated
        self._lost = lost
        self._agent = _Agent(host, ports, mapped, names, self._chosen)
        self._loop = asyncio.get_running_loop()
        self._second = 0
        self._counts: dict[Address | bytes | None, int] = {}
        self._told: tuple[Address, Address | None] | None = None
        self._connected = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def names(self) -> tuple[str, str]:
        return self._agent.local_username, self._agent.local_password

    @property
    def leads(self) -> bool:
        """Whether it nominates (the controlling agent)."""
        return self._agent.ice_controlling

    def lines(self) -> list[tuple[str, str | None]]:
        """For our description."""
        said = [("candidate", one.to_sdp()) for one in self._agent.local_candidates]
        return [("ice-ufrag", self._agent.local_username), ("ice-pwd", self._agent.local_password), *said]

    def begin(self, remote: RemoteIce, *, controlling: bool) -> None:
        """Once both descriptions are known."""
        self.remote = remote
        self._agent.ice_controlling = controlling or remote.lite
        self._agent.remote_username, self._agent.remote_password = remote.ufrag, remote.password
        self._agent.remote_is_lite = remote.lite
        self._later(self._connect(remote))

    def received(self, component: int, data: bytes, source: Address) -> None:
        """A message that looks like STUN. Whatever does not know our names costs no more than a look at its bytes: it must not
        use up what is allowed to the other side."""
        if self._closed or component > len(self._agent.protocols):  # they are gone with the way
            return
        protocol, kind, transaction = self._agent.protocols[component - 1], data[:2], data[8:20]
        if kind in _ANSWERS and transaction in protocol.transactions:
            allowed = self._allows(transaction)
        elif kind == _REQUEST and f"{self._agent.local_username}:".encode() in data:
            allowed = self._allows(source if self._agent.knows(source) else None)
        else:
            return
        if not allowed:
            return
        try:
            message = stun.parse_message(data)
        except (ValueError, IndexError, struct.error):
            return
        if kind == _REQUEST and not self._is_authentic(message):
            return
        protocol.datagram_received(data, source)

    def _allows(self, whose: Address | bytes | None) -> bool:
        second = int(self._loop.time())
        if second != self._second:
            self._second = second
            self._counts.clear()
        count = self._counts[whose] = self._counts.get(whose, 0) + 1
        return count <= MOST_A_SECOND

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._later(self._agent.close())

    def _is_authentic(self, message: stun.Message) -> bool:
        user = message.attributes.get("USERNAME", "")
        known = user.partition(":")[0] == self._agent.local_username and self._agent.pairs < MOST_PAIRS
        whole = known and isinstance(message.attributes.get("PRIORITY"), int)
        return whole and message.check_message_integrity(self._agent.local_password.encode())

    async def _connect(self, remote: RemoteIce) -> None:
        agent = self._agent
        for line in remote.candidates:
            await agent.add_remote_candidate(Candidate.from_sdp(line))
        await agent.add_remote_candidate(None)
        try:
            await agent.connect()
        except ConnectionError:
            if not self._closed:
                self._lost(self)
            return
        if not self._closed and agent.nominated(1) is not None:
            self._connected = True
            self._chosen()
            await agent.get_event()  # it no longer answers (RFC 7675)
        self._connected = False
        if not self._closed:
            self._lost(self)

    def _chosen(self) -> None:
        """Once both components have their pair, and whenever one gets a better one."""
        rtp = self._agent.nominated(1) if self._connected and not self._closed else None
        if rtp is not None and (now := (rtp, self._agent.nominated(2))) != self._told:
            self._told = now
            self._nominated(self, *now)

    def _later(self, deed: Any) -> None:
        task = self._loop.create_task(deed)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def usable(candidates: Sequence[str]) -> tuple[str, ...]:
    """Of a description's candidates: by UDP, for RTP or RTCP, to one address of somebody. An address that is named for both is
    RTP's, and RTCP goes without."""
    found: list[tuple[str, str, Address]] = []
    for line in candidates:
        if not _USABLE.fullmatch(line):
            continue
        _, component, _, _, host, port, *_ = line.split(" ")
        try:
            Candidate.from_sdp(line)
            address = ipaddress.ip_address(host)
        except ValueError:
            continue
        if not (address.is_unspecified or address.is_multicast) and 0 < int(port) <= 65_535:
            found.append((line, component, (str(address), int(port))))
    for_rtp = {place for _, component, place in found if component == "1"}
    return tuple(line for line, component, place in found if component == "1" or place not in for_rtp)[:MOST_CANDIDATES]


def _candidate(kind: str, component: int, place: Address, base: Address | None = None) -> Candidate:
    return Candidate(
        foundation=candidate_foundation(kind, "udp", (base or place)[0]),
        component=component,
        transport="udp",
        priority=candidate_priority(component, kind),
        host=place[0],
        port=place[1],
        type=kind,
        related_address=base[0] if base else None,
        related_port=base[1] if base else None,
    )
