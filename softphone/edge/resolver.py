"""Names to addresses, by NAPTR, SRV and A (RFC 3263), without blocking. Answers are remembered for as long as they say.

The first name loads `dnspython`: most phones know their exchange by its address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from softphone.edge.transports import Hop

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver as DnsResolver

LOOK_UP_LIMIT = 3.0
"""seconds for one name, whatever its servers do"""
QUESTION_LIMIT, TRY_LIMIT = 2.0, 0.7
"""seconds for one question, and for one name server until the next is asked"""
SHORTEST, LONGEST = 5.0, 3600.0
"""seconds that an answer is remembered, within what it says; an answer that there is none, `SHORTEST`"""
MOST_NAMES = 256
MOST_AT_ONCE = 16
DEFAULT_PORT = 5060
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_NAPTR = {"SIP+D2U": "udp", "SIP+D2T": "tcp"}


@dataclass(frozen=True, slots=True)
class _Answer:
    hops: tuple[Hop, ...]
    until: float


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def split_server(server: str) -> tuple[str, int]:
    """`host[:port]`; port 0 if none is named, and an empty host for an invalid text."""
    found = _SERVER.fullmatch(server)
    return (found[1], int(found[2] or 0)) if found else ("", 0)


class Resolver:
    """`look_up` never raises and never takes longer than `LOOK_UP_LIMIT`; no hops: the name leads nowhere."""

    def __init__(self, nameservers: tuple[str, ...] = (), port: int = 53) -> None:
        self._nameservers = nameservers
        self._port = port
        self._dns: DnsResolver | None = None
        self._known: dict[tuple[str, int, str], _Answer] = {}
        self._asked: dict[tuple[str, int, str], asyncio.Task[tuple[Hop, ...]]] = {}

    def known(self, host: str, port: int, transport: str) -> tuple[Hop, ...] | None:
        """What needs no query: an address, or a name asked for before. None: look it up."""
        if is_address(host):
            return (Hop(transport, host.strip("[]"), port or DEFAULT_PORT),)
        if host.lower() == "localhost":
            return (Hop(transport, "127.0.0.1", port or DEFAULT_PORT),)
        answer = self._known.get((host.lower(), port, transport))
        return answer.hops if answer is not None and answer.until > time.monotonic() else None

    async def look_up(self, host: str, port: int, transport: str) -> tuple[Hop, ...]:
        if (hops := self.known(host, port, transport)) is not None:
            return hops
        key = (host.lower(), port, transport)
        if (task := self._asked.get(key)) is None:
            if len(self._asked) >= MOST_AT_ONCE:
                return ()
            task = asyncio.get_running_loop().create_task(self._ask(*key))
            self._asked[key] = task
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, host: str, port: int, transport: str) -> tuple[Hop, ...]:
        hops: list[Hop] = []
        ttl = SHORTEST
        from dns.exception import DNSException

        try:
            async with asyncio.timeout(LOOK_UP_LIMIT):
                ttl = await self._resolve(host, port, transport, hops)
        except (DNSException, OSError, UnicodeError):
            pass  # whatever a name server does, and however long it takes, is an answer: the name leads nowhere
        except Exception as error:  # noqa: BLE001 - of ours: it leads nowhere all the same, and the engine logs it
            asyncio.get_running_loop().call_exception_handler({"message": "bug in a look-up", "exception": error})
        found = tuple(dict.fromkeys(hops))
        if not found:
            self._dns = None  # the machine may have moved to a network with other name servers
        if len(self._known) >= MOST_NAMES:
            self._known.clear()
        keep = min(max(ttl, SHORTEST), LONGEST) if found else SHORTEST
        self._known[host, port, transport] = _Answer(found, time.monotonic() + keep)
        return found

    async def _resolve(self, host: str, port: int, transport: str, hops: list[Hop]) -> float:
        if port:
            return await self._addresses(host, port, transport, hops)
        # All at once: a server that is away, or never answers one kind of question, costs its time only once.
        plain: list[Hop] = []
        asked = asyncio.ensure_future(self._addresses(host, DEFAULT_PORT, transport, plain))
        try:
            targets = await self._targets(host, transport)
            if not targets:
                ttl = await asked
                hops += plain
                return ttl
        finally:
            asked.cancel()
        first = sorted(targets, key=lambda one: (one.priority, -one.weight * random.random()))[:8]
        found: list[list[Hop]] = [[] for _ in first]
        ttls = await asyncio.gather(
            *(
                self._addresses(str(record.target).rstrip("."), record.port, transport, its)
                for record, its in zip(first, found, strict=True)
            )
        )
        hops += [hop for its in found for hop in its]
        return min(ttls)

    async def _targets(self, host: str, transport: str) -> list[Any]:
        """NAPTR names an SRV name for the transport; without one it is the usual name."""
        usual = f"_sip._{transport}.{host}"
        records, targets = await asyncio.gather(self._records(host, "NAPTR"), self._records(usual, "SRV"))
        for record in records:
            if _NAPTR.get(record.service.decode(errors="replace").upper()) == transport:
                service = str(record.replacement).rstrip(".")
                return targets if service.lower() == usual.lower() else await self._records(service, "SRV")
        return targets

    async def _records(self, name: str, kind: str) -> list[Any]:
        import dns.exception

        try:
            answer = await self._resolver().resolve(name, kind, search=False)
        except dns.exception.DNSException:
            return []
        return sorted(cast("Any", answer), key=lambda one: getattr(one, "order", 0))

    async def _addresses(self, host: str, port: int, transport: str, hops: list[Hop]) -> float:
        if is_address(host):
            hops.append(Hop(transport, host.strip("[]"), port))
            return LONGEST
        import dns.exception

        try:
            answer = await self._resolver().resolve(host, "A", search=False)
        except dns.exception.DNSException:
            # Names that the system knows in another way (hosts file, local network), on a thread of its own.
            try:
                found = await asyncio.get_running_loop().getaddrinfo(host, port, family=2, type=1)
            except (OSError, UnicodeError):
                return LONGEST  # unknown name; others beside it may be there
            hops += [Hop(transport, str(one[4][0]), port) for one in found]
            return SHORTEST
        records = cast("Any", answer)
        hops += [Hop(transport, record.address, port) for record in records]
        return float(records.rrset.ttl)

    def _resolver(self) -> DnsResolver:
        if self._dns is None:
            from dns.asyncresolver import Resolver as DnsResolver

            self._dns = DnsResolver(configure=not self._nameservers)
            if self._nameservers:
                self._dns.nameservers = list(self._nameservers)
                self._dns.port = self._port
            self._dns.timeout, self._dns.lifetime = TRY_LIMIT, QUESTION_LIMIT
        return self._dns
