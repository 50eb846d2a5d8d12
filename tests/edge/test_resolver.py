"""Names by a real name server of the test's own: SRV before A, another server where the first is away, and nobody waits."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest
from dns.name import from_text
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.IN.SRV import SRV

from softphone.edge.resolver import MOST_ADDRESSES, MOST_HOPS, MOST_TARGETS, Resolver, in_order
from softphone.edge.transports import Hop
from tests.peers.kamailio import kamailio
from tests.peers.processes import until
from tests.peers.second_phone import part, second_phone

Zone = Mapping[tuple[str, str], list[str]]


@contextmanager
def name_server(zone: Zone, unanswered: str = "") -> Generator[tuple[str, int]]:
    """Answers from `zone`, by name and type; NXDOMAIN for a name that is not in it. `unanswered`: a type."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, peer = one.recvfrom(4096)
                if data == b"over":
                    return
                asked = dns.message.from_wire(data)
                question = asked.question[0]
                name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
                if kind == unanswered:
                    continue
                answer = dns.message.make_response(asked)
                answer.flags |= dns.flags.RA
                if records := zone.get((name, kind)):
                    answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
                elif not any(name == known for known, _ in zone):
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                one.sendto(answer.to_wire(), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield one.getsockname()
        finally:
            one.sendto(b"over", one.getsockname())
            thread.join(10)


def look_up(server: tuple[str, int], name: str, port: int = 0, transport: str = "udp") -> tuple[Hop, ...]:
    return asyncio.run(Resolver((server[0],), server[1]).look_up(name, port, transport))


ZONE: Zone = {
    ("pbx.example", "NAPTR"): [
        '10 10 "s" "SIP+D2T" "" _sip._tcp.other.example.',
        '20 10 "s" "SIP+D2U" "" _u.pbx.example.',
    ],
    ("_u.pbx.example", "SRV"): ["20 0 5080 b.example.", "10 0 5070 a.example."],
    ("_sip._tcp.other.example", "SRV"): ["10 0 5090 b.example."],
    ("_sip._udp.srv.example", "SRV"): ["10 0 5070 a.example."],
    ("a.example", "A"): ["192.0.2.1"],
    ("b.example", "A"): ["192.0.2.9"],
    ("_sip._udp.half.example", "SRV"): ["10 0 5070 nobody.invalid.", "20 0 5080 b.example."],
    ("_sip._udp.none.example", "SRV"): ["0 0 0 ."],
    ("none.example", "A"): ["192.0.2.1"],
    ("both.example", "A"): ["192.0.2.1"],
    ("both.example", "AAAA"): ["fd00::1", "2001:db8::9", "2001:db8::1"],
}


@pytest.mark.parametrize(
    ("name", "port", "transport", "hops"),
    [
        ("pbx.example", 0, "udp", [("192.0.2.1", 5070), ("192.0.2.9", 5080)]),
        ("pbx.example", 0, "tcp", [("192.0.2.9", 5090)]),
        ("srv.example", 0, "udp", [("192.0.2.1", 5070)]),
        ("a.example", 0, "udp", [("192.0.2.1", 5060)]),
        ("a.example", 5062, "tcp", [("192.0.2.1", 5062)]),
        ("half.example", 0, "udp", [("192.0.2.9", 5080)]),
        ("192.0.2.77", 0, "udp", [("192.0.2.77", 5060)]),
        ("nowhere.invalid", 0, "udp", []),
        ("none.example", 0, "udp", []),
        ("both.example", 5060, "udp", [("192.0.2.1", 5060)]),
    ],
)
def test_a_name_leads_where_rfc_3263_says(name: str, port: int, transport: str, hops: list[tuple[str, int]]) -> None:
    with name_server(ZONE) as server:
        assert list(look_up(server, name, port, transport)) == [Hop(transport, *hop) for hop in hops]


def test_a_name_serves_on_where_no_name_server_answers_but_not_where_one_says_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("softphone.edge.resolver.LOOK_UP_LIMIT", 0.6)
    monkeypatch.setattr("softphone.edge.resolver.SHORTEST", 0.0)
    monkeypatch.setattr("softphone.edge.resolver.LONGEST", 0.0)
    zone = {**ZONE}
    found = Hop("udp", "192.0.2.9", 5060)
    with name_server(zone) as (host, port):
        resolver = Resolver((host,), port, six=True, way=lambda host: "" if host.endswith("9") else "2001:db8::7")
        asked: list[tuple[Hop, ...]] = [
            asyncio.run(resolver.look_up(name, 5060, "udp")) for name in ("b.example", "both.example")
        ]
        del zone["b.example", "A"]
        asked.append(asyncio.run(resolver.look_up("b.example", 5060, "udp")))
        zone["b.example", "A"] = ["192.0.2.9"]
        asked.append(asyncio.run(resolver.look_up("b.example", 5060, "udp")))
    asked.append(asyncio.run(resolver.look_up("b.example", 5060, "udp")))
    # The world's IPv6 first, where there is a way; a house's own after IPv4 (RFC 6724).
    both = tuple(Hop("udp", host, 5060) for host in ("2001:db8::1", "192.0.2.1", "fd00::1"))
    assert asked == [(found,), both, (), (found,), (found,)]


def test_servers_of_one_priority_share_the_calls_as_their_weights_say() -> None:
    """RFC 2782, over many phones."""
    shares = Counter[int]()
    records = [
        SRV(RdataClass.IN, RdataType.SRV, 1, weight, port, from_text("a.")) for weight, port in ((3, 1), (1, 2), (0, 3))
    ]
    for seed in range(1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("softphone.edge.resolver._SEED", seed.to_bytes(8))
            shares[in_order(records)[0].port] += 1
    assert 700 < shares[1] < 800
    assert shares[3] < 5


def test_a_first_name_server_that_is_away_keeps_no_name_from_being_found() -> None:
    with name_server(ZONE) as (host, port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as away:
        away.bind(("127.0.0.9", port))
        resolver = Resolver(("127.0.0.9", host), port)
        assert asyncio.run(resolver.look_up("srv.example", 0, "udp")) == (Hop("udp", "192.0.2.1", 5070),)


def test_a_router_that_never_answers_naptr_keeps_no_name_from_being_found() -> None:
    with name_server(ZONE, unanswered="NAPTR") as server:
        assert look_up(server, "srv.example") == (Hop("udp", "192.0.2.1", 5070),)


def test_after_a_move_to_another_network_its_name_servers_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with name_server(ZONE) as here, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as left_behind:
        left_behind.bind(("127.0.0.1", 0))
        network = [left_behind.getsockname(), here]

        def read(resolver: dns.resolver.BaseResolver, *_: object) -> None:
            host, resolver.port = network.pop(0)
            resolver.nameservers = [host]

        monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", read)
        monkeypatch.setattr(dns.resolver.BaseResolver, "read_registry", read)

        async def ask() -> list[tuple[Hop, ...]]:
            resolver = Resolver()
            return [await resolver.look_up(name, 5060, "udp") for name in ("b.example", "a.example")]

        assert asyncio.run(ask()) == [(), (Hop("udp", "192.0.2.1", 5060),)]


@pytest.mark.parametrize("raised", [dns.resolver.NoResolverConfiguration(), RuntimeError("for pbx.example")])
def test_a_bug_in_a_look_up_leads_nowhere_and_is_reported(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise raised

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", read)
    monkeypatch.setattr(dns.resolver.BaseResolver, "read_registry", read)
    reported: list[object] = []

    async def ask() -> tuple[Hop, ...]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
        return await Resolver().look_up("pbx.example", 0, "udp")

    assert asyncio.run(ask()) == ()
    assert reported == ([raised] if isinstance(raised, RuntimeError) else [])


def test_a_silent_name_server_is_given_up_and_asked_once_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softphone.edge.resolver.LOOK_UP_LIMIT", 1.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))

        async def ask() -> list[tuple[Hop, ...]]:
            resolver = Resolver((silent.getsockname()[0],), silent.getsockname()[1])
            asked = [resolver.look_up("slow.example", 5060, "udp") for _ in range(20)]
            numeric = await resolver.look_up("192.0.2.1", 0, "udp")  # nothing waits behind it
            return [numeric, *await asyncio.gather(*asked)]

        began = time.monotonic()
        numeric, *others = asyncio.run(ask())
        assert numeric == (Hop("udp", "192.0.2.1", 5060),)
        assert not any(others)
        assert time.monotonic() - began < 5


def test_a_name_that_leads_to_addresses_without_end_holds_nothing_up() -> None:
    """A caller names it in its Contact, and the loop that asks carries the sound of every call."""
    many = [f"192.0.2.{number}" for number in range(200)]
    zone: Zone = {
        ("big.example", "A"): many,
        ("some.example", "A"): many[:20],
        ("some.example", "AAAA"): [f"2001:db8::{number}" for number in range(20)],
        ("_sip._udp.srv.example", "SRV"): [f"10 {number} {5060 + number} s{number}.example." for number in range(12)],
        **{(f"s{number}.example", "A"): [many[number]] for number in range(12)},
        ("_sip._udp.wide.example", "SRV"): [f"10 0 5060 w{number}.example." for number in range(4)],
        **{(f"w{number}.example", "A"): many[20 * number :][:20] for number in range(4)},
    }
    ways: list[str] = []

    def way(host: str) -> str:
        ways.append(host)
        return "2001:db8::7"

    async def ask(server: tuple[str, int]) -> list[int]:
        resolver = Resolver((server[0],), server[1], six=True, way=way)
        names = ("srv.example", 0), ("wide.example", 0), ("some.example", 5060), ("big.example", 5060)
        return [len(await resolver.look_up(*name, "udp")) for name in names]

    with name_server(zone) as server:
        assert asyncio.run(ask(server)) == [MOST_TARGETS, MOST_HOPS, MOST_ADDRESSES, 0]
    assert len(ways) == MOST_ADDRESSES


def test_a_name_that_only_the_system_could_know_holds_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can cancel the system's own look-up, which takes as long as its name servers do."""
    monkeypatch.setattr("softphone.edge.resolver.LOOK_UP_LIMIT", 1.0)
    over = threading.Event()

    def slow(*_: object) -> list[object]:
        over.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def ask(server: tuple[str, int]) -> tuple[float, list[tuple[Hop, ...]]]:
        resolver = Resolver((server[0],), server[1])
        began = time.monotonic()
        found = await asyncio.gather(*(resolver.look_up(f"n{one}.invalid", 5060, "udp") for one in range(12)))
        for name in ("n99.invalid", "b.example"):
            found.append(await resolver.look_up(name, 5060, "udp"))
        took = time.monotonic() - began
        over.set()
        return took, found

    with name_server(ZONE) as server:
        took, found = asyncio.run(ask(server))
    assert took < 4
    assert found == [*[()] * 13, (Hop("udp", "192.0.2.9", 5060),)]


@pytest.mark.peer("kamailio")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_account_moves_to_the_next_server_of_its_name_when_its_own_is_away_and_calls_follow(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = {"anna": "s3cret", "bo": "s3cret"}
    with kamailio(users) as first, kamailio(users) as second:
        if transport == "udp":
            first.stop()  # from the beginning: nobody tells a datagram that it is lost
        zone: Zone = {
            (f"_sip._{transport}.klartone.test", "SRV"): [
                f"10 0 {first.port} host.test.",
                f"20 0 {second.port} host.test.",
            ],
            ("host.test", "A"): ["127.0.0.1"],
        }
        with name_server(zone) as names:
            monkeypatch.setenv("KLARTONE_NAMESERVER", "{}:{}".format(*names))
            with second_phone(edge=True, accept=()) as phone, second_phone(edge=True, accept=()) as bo:
                phone.do("account", id="anna", address="anna@klartone.test", password="s3cret", transport=transport)
                assert phone.wait_for("RegistrationChanged", 15, state="registered")["code"] == 200
                if transport == "tcp":
                    assert first.contacts("anna")
                    assert not second.contacts("anna")
                    first.stop()
                until(lambda: second.contacts("anna") != [], 10, "the account at the second server")
                bo.do("account", id="bo", address=f"bo@{second.address}", password="s3cret")
                bo.wait_for("RegistrationChanged", state="registered")
                bo.do("dial", account="bo", target=f"sip:anna@{second.address}")
                phone.wait_for("CallArrived")
                phone.do("answer")
                bo.wait_for("CallEstablished")
                part(phone, bo)
