"""Names to addresses, by NAPTR, SRV, A and AAAA (RFC 3263), without blocking. Answers are remembered for as long as they say.

The first name loads `dnspython`: most phones know their exchange by its address.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import importlib
import ipaddress
import math
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from softphone.edge.channel import NAMESERVER
from softphone.edge.network import is_local_six, own_address
from softphone.edge.transports import Hop

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver as DnsResolver

LOOK_UP_LIMIT = 3.0
"""seconds for one name, whatever its servers do"""
QUESTION_LIMIT, TRY_LIMIT = 2.0, 0.7
"""seconds for one question, and for one name server until the next is asked"""
SHORTEST, LONGEST = 5.0, 3600.0
"""seconds that an answer is remembered, within what it says; an answer that there is none, `SHORTEST`"""
STALE = 86_400.0
"""seconds for which the last answer serves where no name server answers any more (RFC 8767)"""
MOST_NAMES = 256
MOST_AT_ONCE = 16
MOST_TARGETS = 8
MOST_ADDRESSES = 8
"""of one name"""
MOST_HOPS = 16
MOST_BYTES = 2048
"""of one answer. A caller names the name, and so the servers that answer for it; 100 addresses take 2 ms to read"""
THREADS = 4
"""for what cannot be cancelled: the system's own look-up"""
DEFAULT_PORT, TLS_PORT, LAST_PORT = 5060, 5061, 65_535
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_NAPTR = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}

_SEED = secrets.token_bytes(8)


@dataclass(frozen=True, slots=True)
class _Answer:
    hops: tuple[Hop, ...]
    until: float
    vouched_until: float
    """as a name server said it; later than that it is stale"""
    silent: bool = False


@dataclass(slots=True)
class _Question:
    """What was heard while one name was looked up."""

    ttl: float = LONGEST
    unanswered: bool = False
    """some name server did not answer: an empty answer proves nothing"""
    denied: bool = False
    """a name server knows that there is no such host"""

    def lasts(self, ttl: float) -> None:
        self.ttl = min(self.ttl, ttl)


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def named_server(environment: Mapping[str, str]) -> tuple[tuple[str, ...], int]:
    """The one name server to ask in place of the system's; none is named, as a rule."""
    host, port = split_server(environment[NAMESERVER]) if environment.get(NAMESERVER) else ("", 0)
    return ((host,), port or 53) if host else ((), 53)


def split_server(server: str) -> tuple[str, int]:
    """`host[:port]`; port 0 if none is named, and an empty host for an invalid text or a port that there is not."""
    found = _SERVER.fullmatch(server)
    if found is None or (found[2] and not 0 < int(found[2]) <= LAST_PORT):
        return "", 0
    return found[1], int(found[2] or 0)


def default_port(transport: str) -> int:
    return TLS_PORT if transport == "tls" else DEFAULT_PORT


class Resolver:
    """`look_up` never raises and never takes longer than `LOOK_UP_LIMIT`; no hops: the name leads nowhere.

    `six`: whether this phone speaks IPv6. Then a name's IPv6 addresses come first where a `way` leads there (RFC 6724).
    """

    def __init__(
        self,
        nameservers: tuple[str, ...] = (),
        port: int = 53,
        *,
        six: bool = False,
        way: Callable[[str], str] = own_address,
    ) -> None:
        self._nameservers = nameservers
        self._port = port
        self._six = six
        self._way = way
        self._dns: DnsResolver | None = None
        self._sockets: Any = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._known: dict[tuple[str, int, str], _Answer] = {}
        self._asked: dict[tuple[str, int, str], asyncio.Task[tuple[Hop, ...]]] = {}

    def known(self, host: str, port: int, transport: str) -> tuple[Hop, ...] | None:
        """What needs no query: an address, or a name asked for before. None: look it up."""
        if is_address(host):
            return (Hop(transport, host.strip("[]"), port or default_port(transport)),)
        if host.lower() == "localhost":
            return (Hop(transport, "127.0.0.1", port or default_port(transport)),)
        answer = self._known.get((host.lower(), port, transport))
        return answer.hops if answer is not None and answer.until > time.monotonic() else None

    def silent(self, host: str, port: int, transport: str) -> bool:
        """Whether the name, just looked up, led nowhere because no name server answered."""
        answer = self._known.get((host.lower(), port, transport))
        return answer is not None and answer.silent

    def forget(self) -> None:
        """The machine has moved to another network: names are asked for anew, and of other servers."""
        self._dns = None
        self._known.clear()

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
        question = _Question()
        try:
            async with asyncio.timeout(LOOK_UP_LIMIT):
                await self._load()
                await self._resolve(host, port, transport, hops, question)
        except (OSError, UnicodeError, TimeoutError):
            # Whatever a name server does, and however long it takes, is an answer: the name leads nowhere.
            question.unanswered = True
        except Exception as error:  # noqa: BLE001 - of ours: it leads nowhere all the same, and the engine logs it
            if type(error).__module__.partition(".")[0] == "dns":  # `DNSException`, which may not be loaded yet
                question.unanswered = True
            else:
                asyncio.get_running_loop().call_exception_handler({"message": "bug in a look-up", "exception": error})
        found = tuple(dict.fromkeys(hops))[:MOST_HOPS]
        now = time.monotonic()
        if not found:
            self._dns = None  # the machine may have moved to a network with other name servers
            before = self._known.get((host, port, transport))
            if question.unanswered and before is not None and now - before.vouched_until < STALE:
                self._known[host, port, transport] = replace(before, until=now + SHORTEST)
                return before.hops
        if len(self._known) >= MOST_NAMES:
            self._known.clear()
        keep = min(max(question.ttl, SHORTEST), LONGEST) if found else SHORTEST
        silent = not found and question.unanswered and not question.denied
        self._known[host, port, transport] = _Answer(found, now + keep, now + keep, silent)
        return found

    async def _resolve(self, host: str, port: int, transport: str, hops: list[Hop], question: _Question) -> None:
        if port:
            await self._addresses(host, port, transport, hops, question)
            return
        # All at once: a server that is away, or never answers one kind of question, costs its time only once.
        plain: list[Hop] = []
        only = _Question()
        asked = asyncio.ensure_future(self._addresses(host, default_port(transport), transport, plain, only))
        try:
            targets = await self._targets(host, transport, question)
            if not targets:
                await asked
                hops += plain
                question.lasts(only.ttl)
                question.unanswered |= only.unanswered
                question.denied |= only.denied
                return
        finally:
            asked.cancel()
        # A target that is the root says: no such service here.
        first = [one for one in in_order(targets) if str(one.target) != "."][:MOST_TARGETS]
        found: list[list[Hop]] = [[] for _ in first]
        await asyncio.gather(
            *(
                self._addresses(str(record.target).rstrip("."), record.port, transport, its, question)
                for record, its in zip(first, found, strict=True)
            )
        )
        hops += [hop for its in found for hop in its]

    async def _targets(self, host: str, transport: str, question: _Question) -> list[Any]:
        """NAPTR names an SRV name for the transport; without one it is the usual name."""
        usual = f"_sips._tcp.{host}" if transport == "tls" else f"_sip._{transport}.{host}"
        # A name server that never answers NAPTR says nothing about what is there.
        records, targets = await asyncio.gather(
            self._records(host, "NAPTR", _Question()), self._records(usual, "SRV", question)
        )
        for record in sorted(records, key=lambda one: (one.order, one.preference)):
            if _NAPTR.get(record.service.decode(errors="replace").upper()) == transport:
                service = str(record.replacement).rstrip(".")
                return targets if service.lower() == usual.lower() else await self._records(service, "SRV", question)
        return targets

    async def _records(self, name: str, kind: str, question: _Question) -> list[Any]:
        import dns.exception
        import dns.resolver

        try:
            answer = await self._resolver().resolve(name, kind, search=False, backend=self._sockets)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            question.denied |= kind in ("A", "AAAA") and isinstance(error, dns.resolver.NXDOMAIN)
            return []
        except dns.exception.DNSException:
            question.unanswered = True
            return []
        records = cast("Any", answer)
        question.lasts(float(records.rrset.ttl))
        return list(records)

    async def _addresses(self, host: str, port: int, transport: str, hops: list[Hop], question: _Question) -> None:
        if is_address(host):
            hops.append(Hop(transport, host.strip("[]"), port))
            return
        kinds = ("AAAA", "A") if self._six else ("A",)
        answers = await asyncio.gather(*(self._records(host, kind, question) for kind in kinds))
        records = [record for answer in answers for record in answer]
        if not records:
            # Names that the system knows in another way (hosts file, local network), on a thread of its own.
            try:
                ask = functools.partial(socket.getaddrinfo, host, port, 0 if self._six else socket.AF_INET, 1)
                found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
            except (OSError, UnicodeError):
                return  # unknown name; others beside it may be there
            hops += self._usable([str(one[4][0]) for one in found], transport, port)
            question.lasts(SHORTEST)
            return
        hops += self._usable([record.address for record in records], transport, port)

    def _usable(self, addresses: list[str], transport: str, port: int) -> list[Hop]:
        unique = dict.fromkeys(addresses)
        four = islice((one for one in unique if ":" not in one), MOST_ADDRESSES)
        six = islice((one for one in unique if ":" in one), MOST_ADDRESSES)
        there = [*four, *(one for one in six if self._way(one))]
        there.sort(key=lambda one: 1 if ":" not in one else 2 if is_local_six(one) else 0)
        return [Hop(transport, one, port) for one in there[:MOST_ADDRESSES]]

    async def _load(self) -> None:
        """On a thread: it takes as long as three packets of sound last, and a name may be the first in mid-call."""
        if self._sockets is None:
            load = functools.partial(importlib.import_module, "dns.asyncresolver")
            await asyncio.get_running_loop().run_in_executor(self._threads, load)
            self._sockets = _short_answers()

    def _resolver(self) -> DnsResolver:
        if self._dns is None:
            from dns.asyncresolver import Resolver as DnsResolver

            self._dns = DnsResolver(configure=not self._nameservers)
            if self._nameservers:
                self._dns.nameservers = list(self._nameservers)
                self._dns.port = self._port
            self._dns.timeout, self._dns.lifetime = TRY_LIMIT, QUESTION_LIMIT
        return self._dns


def _short_answers() -> Any:
    """dnspython's sockets, by which no answer over `MOST_BYTES` is read."""
    from dns import asyncbackend

    backend: Any = type(asyncbackend.get_backend("asyncio"))()
    make = backend.make_socket

    async def make_socket(*args: Any, **named: Any) -> Any:
        made = await make(*args, **named)
        if hasattr(made, "recvfrom"):
            made.recvfrom = functools.partial(_short_datagram, made.recvfrom)
        else:
            made.recv = functools.partial(_short_part, made.recv)
        return made

    backend.make_socket = make_socket
    return backend


async def _short_datagram(receive: Any, size: int, timeout: float | None) -> Any:
    """Longer ones are passed over: without EDNS none has over 512 bytes."""
    while len((said := await receive(size, timeout))[0]) > MOST_BYTES:
        pass
    return said


async def _short_part(receive: Any, size: int, timeout: float | None) -> Any:
    """By TCP. `size` is what the answer says of its own length."""
    if size > MOST_BYTES:
        raise OSError("an answer that is too long")
    return await receive(size, timeout)


def in_order(targets: Iterable[Any]) -> list[Any]:
    """SRV records by priority, and within one by chance as their weights say (RFC 2782). The chance is drawn once a process:
    a phone whose servers have not changed stays with its own."""

    def place(record: Any) -> tuple[int, float]:
        name = f"{record.target} {record.port}".encode()
        drawn = int.from_bytes(hashlib.blake2s(name, key=_SEED, digest_size=6).digest())
        return record.priority, -math.log((drawn + 1) / (1 << 48)) / (record.weight or 1e-6)

    return sorted(targets, key=place)
