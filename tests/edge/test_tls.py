"""TLS: whom this phone trusts, what it says when it trusts nobody, and that nothing is ever said in the clear instead."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Generator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from softphone.domain.purpose import Language
from softphone.edge.channel import EdgeAccount
from softphone.edge.server_check import check_server
from softphone.edge.tls import ConnectionFault, NotTrusted, TlsServer, check_name, client_context
from softphone.edge.transports import Hop, Transports
from softphone.system.paths import program_folder
from softphone.texts import Texts
from tests.edge.registered import KEYED, PLAIN, Registered
from tests.edge.test_phone_behind_edge import edge_of
from tests.peers.authority import Authority, Signed
from tests.peers.exchange import HOST, exchange, server_context
from tests.peers.processes import free_port, until
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import header, headers, wire


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def phone_process() -> Generator[SecondPhone]:
    with second_phone(edge=True, counter=True, accept=[HOST]) as phone:
        yield phone


@pytest.fixture(scope="module")
def wary() -> Generator[SecondPhone]:
    """Another: PJSIP keeps an account's place for a while after it has gone."""
    with second_phone(edge=True, counter=True) as phone:
        yield phone


@pytest.fixture
def phone(phone_process: SecondPhone) -> Generator[SecondPhone]:
    phone_process.do("end_calls")
    phone_process.wait_for("Idle")
    yield phone_process
    assert not phone_process.told("PhoneFault")


# --- whose certificate it is ----------------------------------------------------------------------


def shown(signed: Signed, authority: str) -> dict[str, Any]:
    """What a client knows of that certificate after a handshake."""
    client, server = client_context(authority), server_context(signed)
    ends = [(ssl.MemoryBIO(), ssl.MemoryBIO())]
    inner, outer = ends[0]
    one = client.wrap_bio(inner, outer, server_hostname="x")
    other = server.wrap_bio(outer, inner, server_side=True)
    waiting: list[Callable[[], None]] = [one.do_handshake, other.do_handshake, one.do_handshake, other.do_handshake]
    for step in waiting:
        try:
            step()
        except ssl.SSLWantReadError:
            continue
    return one.getpeercert() or {}


@pytest.mark.parametrize(
    ("signed", "name", "fits"),
    [
        ({"names": ["pbx.example"]}, "PBX.example.", True),
        ({"names": ["pbx.example"]}, "example", False),
        ({"names": ["pbx.example"], "addresses": ["sip:sip.example"]}, "sip.example", True),
        # RFC 5922 7.1: SIP addresses stand above DNS names.
        ({"names": ["pbx.example"], "addresses": ["sip:sip.example"]}, "pbx.example", False),
        ({"names": ["pbx.example"], "addresses": ["sip:anna@pbx.example", "https://pbx.example"]}, "pbx.example", True),
        ({"common": "pbx.example"}, "pbx.example", True),
        ({"names": ["other.example"], "common": "pbx.example"}, "pbx.example", False),
        ({"names": ["*.example.com"]}, "a.example.com", True),
        ({"names": ["*.example.com"]}, "a.b.example.com", False),
        ({"names": ["*.example.com"]}, "example.com", False),
        ({"names": ["*.com"]}, "example.com", False),
        ({"names": ["192.0.2.7", "2001:db8::7"]}, "192.0.2.7", True),
        ({"names": ["192.0.2.7", "2001:db8::7"]}, "[2001:DB8:0::7]", True),
        ({"names": ["192.0.2.7"]}, "192.0.2.70", False),
        ({"common": "192.0.2.7"}, "192.0.2.7", False),
        ({"common": "*.example.com"}, "a.example.com", False),
        ({"addresses": ["sip:*.example.com"]}, "a.example.com", False),
    ],
)
def test_a_certificate_is_for_the_names_in_it(authority: Authority, signed: Any, name: str, fits: bool) -> None:
    more = {key: value for key, value in signed.items() if key != "names"}
    certificate = shown(authority.sign("named", *signed.get("names", ()), **more), str(authority.file))
    assert certificate["notAfter"]
    if fits:
        check_name(certificate, name)
    else:
        with pytest.raises(NotTrusted, match="tls_name"):
            check_name(certificate, name)


@pytest.mark.parametrize(
    ("said", "name"), [("192.0.2.7", "192.0.2.7"), ("*.0.2.7", "192.0.2.7"), ("", ""), (".", ""), ("", ".")]
)
def test_a_dns_name_is_for_no_address_and_an_empty_one_for_nobody(said: str, name: str) -> None:
    """No authority's library signs these; one that is careless may."""
    with pytest.raises(NotTrusted, match="tls_name"):
        check_name({"subjectAltName": (("DNS", said),)}, name)


# --- who is not trusted ---------------------------------------------------------------------------


def _old(context: ssl.SSLContext) -> None:
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1


def _wants_ours(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_REQUIRED


Make = Callable[[Authority], dict[str, Any]]
FAULTS: dict[str, Make] = {
    "tls_name": lambda of: {"signed": of.sign("name", "pbx.example", addresses=["sip:pbx.example"])},
    "tls_expired": lambda of: {"signed": of.sign("old", HOST, begins=-9, ends=-1)},
    "tls_not_yet": lambda of: {"signed": of.sign("young", HOST, begins=2)},
    "tls_version": lambda of: {"signed": of.sign("v", HOST), "change": _old},
    "tls_client_certificate": lambda of: {"signed": of.sign("asks", HOST), "change": _wants_ours},
    "tls_none": lambda _: {},
    "tls_silent": lambda _: {"mute": True},
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TLS 1.1 is what this server has
@pytest.mark.parametrize("why", [*FAULTS, "tls_unknown_authority", "tls_authority_file", "refused"])
def test_who_proves_nothing_is_not_spoken_to_and_the_account_says_why(
    wary: SecondPhone, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr("softphone.edge.transports.HANDSHAKE_LIMIT", 1.0)  # of the doctor's, here
    phone = wary
    trusted, odd = str(authority.file), FAULTS.get(why, lambda of: {"signed": of.sign("whole", HOST)})(authority)
    if why == "tls_unknown_authority":
        trusted = str(Authority(tmp_path, "Another authority").file)
    elif why == "tls_authority_file":
        trusted = str(tmp_path / "nowhere.pem")
    with exchange(**odd) as server:
        port = free_port() if why == "refused" else server.port
        phone.do("account", id=why, address=f"x@{HOST}:{port}", transport="tls", authority=trusted)
        told = phone.wait_for("NotConnected", account=why)
        changed = {"account": why, "state": "unreachable"}
        until(
            lambda: any(one.items() >= changed.items() for one in phone.told("RegistrationChanged")), 10, "unreachable"
        )
        assert (told["why"], told["server"]) == (why, f"{HOST}:{port}")
        if why == "tls_name":
            assert told["detail"] == "pbx.example"
        assert all(one[:1] == b"\x16" for one in server.first), "a handshake, and nothing else"
        assert not [one for one in server.heard if not one.startswith("REGISTER") or why != "tls_client_certificate"]
        # `klartone doctor` finds the same, and both languages have words for it.
        asked = EdgeAccount(why, f"x@{HOST}:{port}", f"{HOST}:{port}", "tls", authority=trusted)
        assert asyncio.run(check_server(asked)).fault == (why, told["detail"])
        for language in Language:
            assert f"connection.{why}" in Texts(program_folder("resources") / "translations", language)
        phone.do("remove_account", id=why)


def test_sound_does_not_wait_while_the_system_checks_a_certificate(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows checks it in the handshake's last step, and may ask the network."""

    class Checking(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            time.sleep(0.5)

    def context(trusted: str) -> ssl.SSLContext:
        made = client_context(trusted)
        made.sslobject_class = Checking
        return made

    monkeypatch.setattr("softphone.edge.transports.client_context", context)
    turns: list[float] = []

    async def checked() -> ConnectionFault | None:
        with exchange(authority.sign("slow", HOST)) as server:
            there = f"{HOST}:{server.port}"
            asked = EdgeAccount("slow", f"x@{there}", there, "tls", authority=str(authority.file))
            state = asyncio.create_task(check_server(asked))
            while not server.heard:
                turns.append(time.monotonic())
                await asyncio.sleep(0.005)
            option = server.heard[0]
            server.say(server.answer(option, "200 OK"))
            return (await state).fault

    assert asyncio.run(checked()) is None
    longest = max(later - earlier for earlier, later in pairwise(turns))
    assert turns[-1] - turns[0] > 0.4 > longest


# --- who is ---------------------------------------------------------------------------------------


def test_what_is_said_by_tls_names_the_connection_and_is_rewritten_for_pjsua2(
    phone: SecondPhone, authority: Authority
) -> None:
    with exchange(authority.sign("server", HOST)) as server:
        account = Registered(phone, authority, server)
        contact = header(account.register, "Contact")
        here = server.flows[-1].getpeername()
        assert contact.startswith(f"<sip:{account.user}@{HOST}:{here[1]};transport=tls>"), contact
        assert ";reg-id=1;+sip.instance=" in contact
        assert "outbound" in ", ".join(headers(account.register, "Supported"))
        assert header(account.register, "Via").startswith(f"SIP/2.0/TLS {HOST}:{here[1]}")
        # A peer whose address is a `sips` one: pjsua2 must not get it, and the peer hears of it again.
        account.rings(
            contact=f"<sips:bo@{HOST}:{server.port}>", more=f"Record-Route: <sips:{HOST}:{server.port};lr>\r\n"
        )
        arrived = phone.wait_for("CallArrived")
        assert (arrived["account"], arrived["peer_name"]) == (account.user, HOST)
        ok = account.answered()
        assert f"Contact: <sip:{account.user}@{HOST}:{here[1]};transport=tls>" in ok
        phone.do("hang_up")
        bye = server.wait_for("BYE")
        assert bye.startswith(f"BYE sips:bo@{HOST}:{server.port} SIP/2.0\r\n")
        assert header(bye, "Route") == f"<sips:{HOST}:{server.port};lr>"
        server.say(server.answer(bye, "200 OK"))
        phone.wait_for("CallEnded")
        phone.do("remove_account", id=account.user)


def test_a_call_by_tls_hears_its_own_server_alone_whatever_another_knows_of_it(
    phone: SecondPhone, authority: Authority
) -> None:
    with exchange(authority.sign("server", HOST)) as server, exchange(authority.sign("other", HOST)) as other:
        with wire(HOST) as stranger:
            account, beside = Registered(phone, authority, server), Registered(phone, authority, other)
            account.rings()
            account.answered()
            bye = server.request("BYE", account.user, call=account.call, to=account.them, cseq=2)
            # The very message, tags and all, from an accepted address by UDP, and from another account's own server.
            stranger.send(bye.replace("/TLS", "/UDP"), (HOST, phone.udp))
            assert stranger.silent()
            other.say(bye)
            other.say(other.request("OPTIONS", beside.user, call=uuid4().hex))
            assert "OPTIONS" in header(other.wait_for("SIP/2.0 "), "CSeq")
            ended = len(phone.told("CallEnded"))
            # Nor is an answer taken from either.
            phone.do("dial", account=account.user, target=f"sip:x@{HOST}:{server.port}")
            offered = server.wait_for("INVITE")
            refusal = server.answer(offered, "603 Decline")
            stranger.send(refusal, (HOST, phone.udp))
            other.say(refusal)
            other.say(other.request("OPTIONS", beside.user, call=uuid4().hex))
            other.wait_for("SIP/2.0 ")
            assert len(phone.told("CallEnded")) == ended
            server.say(server.answer(offered, "486 Busy Here"))
            assert phone.wait_for("CallEnded")["code"] == 486
            ended += 1
            server.say(bye)
            assert phone.wait_for("CallEnded")["by_us"] is False
            assert len(phone.told("CallEnded")) == ended + 1
        for one in (account, beside):
            phone.do("remove_account", id=one.user)


def test_a_connection_that_breaks_costs_no_call_and_the_server_is_told_of_the_next_one(
    phone: SecondPhone, authority: Authority
) -> None:
    with exchange(authority.sign("server", HOST)) as server:
        account = Registered(phone, authority, server)
        account.rings()
        account.answered()
        before = server.flows[-1]
        server.drop()
        again = server.wait_for("REGISTER")
        assert server.flows[-1] is not before
        here = f"{HOST}:{server.flows[-1].getpeername()[1]}"
        assert here in header(again, "Contact")
        offered = server.wait_for("INVITE")
        assert here in header(offered, "Contact")
        assert header(offered, "Call-ID") == account.call
        server.say(server.answer(offered, "200 OK", more=f"Contact: <sip:exchange@{HOST}>\r\n", body=KEYED))
        server.wait_for("ACK")
        phone.do("hang_up")
        server.say(server.answer(server.wait_for("BYE"), "200 OK"))
        phone.wait_for("CallEnded")
        phone.do("remove_account", id=account.user)


def test_an_account_that_trusts_others_now_or_has_gone_keeps_no_connection(
    phone: SecondPhone, authority: Authority, tmp_path: Path
) -> None:
    with exchange(authority.sign("server", HOST)) as server:
        account = Registered(phone, authority, server)
        before = server.flows[-1]
        # The very server, that this account has no reason to trust any more.
        phone.do("remove_account", id=account.id)
        others = str(Authority(tmp_path, "Another authority").file)
        there = f"{account.user}@{HOST}:{server.port}"
        phone.do("account", id=account.id, address=there, transport="tls", authority=others)
        phone.wait_for("NotConnected", account=account.id, why="tls_unknown_authority")
        assert not [one for one in phone.told("NotConnected") if one["why"] == "tls_other"]
        until(lambda: before.fileno() < 0, 10, "the end of the connection from before")
        phone.do("remove_account", id=account.id)
        again = Registered(phone, authority, server)
        last = server.flows[-1]
        phone.do("remove_account", id=again.id)
        until(lambda: last.fileno() < 0, 10, "the end of the connection of an account that has gone")


@pytest.mark.parametrize("fate", ["gone", "tls_unknown_authority"])
def test_a_connection_begun_before_its_account_went_or_trusts_others_does_not_stand(
    authority: Authority, tmp_path: Path, fate: str
) -> None:
    context = server_context(authority.sign("server", HOST))
    others = TlsServer(HOST, str(Authority(tmp_path, "Another authority").file))

    def serve(flow: socket.socket) -> bool:
        """Whether the connection ends."""
        flow.settimeout(2)
        try:
            with context.wrap_socket(flow, server_side=True) as secure:
                return not secure.recv(64)
        except TimeoutError:
            return False
        except OSError:
            return True

    async def begun() -> None:
        proves = [TlsServer(HOST, str(authority.file))]
        transports = Transports(
            lambda _data, _hop: None, lambda _: False, lambda _hop, _why: None, lambda _: None, lambda _: proves[0]
        )
        with socket.create_server((HOST, 0)) as listening:
            listening.settimeout(5)
            told = asyncio.get_running_loop().create_future()
            hop = Hop("tls", HOST, listening.getsockname()[1], "anna")
            transports.reach(hop, lambda: told.set_result("stands"), lambda why: told.set_result(why.code))
            flow, _ = await asyncio.to_thread(listening.accept)
            proves[0] = TlsServer("") if fate == "gone" else others
            transports.close("anna")
            ends = [asyncio.create_task(asyncio.to_thread(serve, flow))]
            if fate != "gone":
                again, _ = await asyncio.to_thread(listening.accept)
                ends.append(asyncio.create_task(asyncio.to_thread(serve, again)))
            assert await told == ("unreachable" if fate == "gone" else fate)
            assert not transports.stands(hop)
            assert all([await one for one in ends])

    asyncio.run(begun())


def test_an_outbound_proxy_proves_its_own_name_and_not_the_addresses(phone: SecondPhone, authority: Authority) -> None:
    with exchange(authority.sign("server", HOST)) as server:
        account = Registered(phone, authority, server, address="anna@pbx.example", proxy=f"{HOST}:{server.port}")
        assert account.register.startswith("REGISTER sip:pbx.example")
        phone.do("remove_account", id=account.user)


def test_a_call_goes_by_its_own_account_though_another_has_its_address(authority: Authority) -> None:
    with second_phone(edge=True) as phone, exchange(authority.sign("server", HOST)) as server, wire(HOST) as plain:
        account = Registered(phone, authority, server, srtp="required")
        # The newer of the two has no TLS, and names the very server that the call goes to.
        there = f"{HOST}:{plain.port}"
        phone.do("account", id="twin", address=f"{account.user}@{there}", transport="udp", register=False)
        phone.do("dial", account=account.user, target=f"sip:12345678@{there}")
        invite = server.wait_for("INVITE")
        assert "Route" not in invite, "what names the account stays in this machine"
        assert plain.silent()


def test_a_call_is_for_the_account_by_whose_connection_it_came(phone: SecondPhone, authority: Authority) -> None:
    signed = authority.sign("server", HOST)
    with exchange(signed) as first, exchange(signed) as second:
        one = Registered(phone, authority, first, srtp="off")
        other = Registered(phone, authority, second, user=one.user, srtp="required")
        for called, profile in ((other, "RTP/SAVP "), (one, "RTP/AVP ")):
            # To is the same, and so is all that the library knows of either.
            called.rings(body="")
            assert phone.wait_for("CallArrived")["account"] == called.id
            phone.do("answer")
            ok = called.at.wait_for("SIP/2.0 200")
            assert profile in ok
            body = KEYED if called is other else PLAIN
            ack = called.at.request("ACK", one.user, call=called.call, to=header(ok, "To"), body=body)
            called.at.say(ack)
            phone.wait_for("CallEstablished")
            called.at.say(called.at.request("BYE", one.user, call=called.call, to=header(ok, "To"), cseq=2))
            phone.wait_for("CallEnded")
        for gone in (one, other):
            phone.do("remove_account", id=gone.id)


def test_a_call_in_the_clear_to_an_account_by_tls_can_be_held_and_ended(authority: Authority) -> None:
    with (
        second_phone(edge=True, accept=["127.0.0.7"]) as phone,
        exchange(authority.sign("server", HOST)) as server,
        wire("127.0.0.7") as other,
    ):
        account = Registered(phone, authority, server)
        invite = other.request("INVITE", phone.udp, body=PLAIN).replace("own@", f"{account.user}@")
        other.send(invite, (HOST, phone.udp))
        phone.wait_for("CallArrived")
        phone.do("answer")
        other.answered(phone.udp)
        phone.wait_for("CallEstablished")
        phone.do("hold")
        held = other.wait_for("INVITE")
        other.send(other.answer(held, "200 OK", body=PLAIN), other.peer)
        other.wait_for("ACK")
        phone.do("hang_up")
        other.wait_for("BYE")


def test_what_is_said_after_a_call_by_tls_never_goes_in_the_clear_though_the_edge_has_died(
    authority: Authority,
) -> None:
    with second_phone(edge=True) as phone, exchange(authority.sign("server", HOST)) as server, wire(HOST) as spy:
        account = Registered(phone, authority, server)
        account.rings(contact=f"<sip:12345678@{HOST}:{spy.port}>")
        account.answered()
        edge = edge_of(phone)
        phone.do("hang_up")
        server.wait_for("BYE")
        phone.wait_for("CallEnded")
        assert spy.silent()
        edge.kill()
        # PJSIP repeats it until it is answered, now by way of another edge.
        server.wait_for("BYE")
        assert spy.silent()


def test_a_target_that_needs_tls_is_not_dialled_without(phone: SecondPhone) -> None:
    with socket.create_server((HOST, 0)) as listening:
        phone.do("dial", target=f"sips:x@{HOST}:{listening.getsockname()[1]}")
        assert phone.wait_for("Refused")["code"] == "dial_sips"
