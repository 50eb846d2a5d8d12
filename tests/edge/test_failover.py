"""Two servers of one name, by hand: a request whose server is away or says 503 goes to the next, and comes back to the first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from softphone.edge.keep_alive import KeepAlive
from softphone.edge.servers import DOWN_FOR, LONGEST_DOWN, Servers
from softphone.edge.sip.uri import Via
from softphone.edge.transports import Hop
from softphone.engine.sip.registrations import retry_wait
from tests.edge.test_resolver import name_server
from tests.peers.forked import children
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import SDP, Wire, header, headers, wire

GRANTED = "Expires: 60\r\n"


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[SecondPhone, Wire, Wire]]:
    """A phone, and the first and second server of `two.test`."""
    with ExitStack() as stack:
        first, second = stack.enter_context(wire()), stack.enter_context(wire())
        zone = {
            ("_sip._udp.two.test", "SRV"): [f"10 0 {first.port} host.test.", f"20 0 {second.port} host.test."],
            ("host.test", "A"): ["127.0.0.1"],
        }
        names = stack.enter_context(name_server(zone))
        monkeypatch.setenv("KLARTONE_NAMESERVER", "{}:{}".format(*names))
        yield stack.enter_context(second_phone(edge=True, accept=(), keep_alive=1)), first, second


def grant(server: Wire, asked: str) -> None:
    server.send(server.answer(asked, "200 OK", contact=header(asked, "Contact"), more=GRANTED), server.peer)


def test_a_registration_and_a_call_go_to_the_next_server_and_the_phone_hears_of_one_call(
    two: tuple[SecondPhone, Wire, Wire],
) -> None:
    phone, first, second = two
    phone.do("account", id="anna", address="anna@two.test", password="x", transport="udp", retry_seconds=1)
    asked = first.wait_for("REGISTER")
    assert "path" in header(asked, "Supported")
    first.send(first.answer(asked, "503 Service Unavailable", more="Retry-After: 45\r\n"), first.peer)
    again = second.wait_for("REGISTER")
    assert header(again, "Call-ID") == header(asked, "Call-ID")
    assert header(again, "Via") != header(asked, "Via"), "each server has a transaction of its own"
    more = f"Service-Route: <sip:127.0.0.1:{second.port};lr>\r\n"
    second.send(second.answer(again, "200 OK", contact=header(again, "Contact"), more=GRANTED + more), second.peer)
    assert phone.wait_for("RegistrationChanged", state="registered")["code"] == 200

    phone.do("dial", account="anna", target="sip:bo@two.test")
    asked = second.wait_for("INVITE")
    assert headers(asked, "Route") == [f"<sip:127.0.0.1:{second.port};lr>"], "RFC 3608"


def test_a_late_answer_of_a_server_that_was_given_up_is_ended_there(two: tuple[SecondPhone, Wire, Wire]) -> None:
    phone, first, second = two
    phone.do("account", id="anna", address="anna@two.test", password="x", transport="udp")
    grant(first, first.wait_for("REGISTER"))
    phone.wait_for("RegistrationChanged", state="registered")
    phone.do("dial", account="anna", target="sip:bo@two.test")
    lost = first.wait_for("INVITE")
    peer = first.peer
    taken = second.wait_for("INVITE", 4)
    # The registration is moved too: the server that gave no answer would ring in vain.
    grant(second, second.wait_for("REGISTER", 4))
    second.send(second.answer(taken, "200 OK", body=SDP), second.peer)
    second.wait_for("ACK")
    phone.wait_for("CallEstablished")

    first.send(first.answer(lost, "180 Ringing"), peer)
    cancelled = first.wait_for("CANCEL")
    assert header(cancelled, "Via").split("branch=")[1] == header(lost, "Via").split("branch=")[1]
    # A proxy that stays on the way: what ends the call goes by it, to the phone that has answered (RFC 3261 12.1.2).
    stays = f"<sip:127.0.0.1:{first.port};lr>"
    with wire() as answered:
        whom = f"<sip:bo@127.0.0.1:{answered.port}>"
        first.send(first.answer(lost, "200 OK", body=SDP, contact=whom, more=f"Record-Route: {stays}\r\n"), peer)
        acknowledged, ended = first.wait_for("ACK"), first.wait_for("BYE")
        assert answered.silent(0.1)
    for one in (acknowledged, ended):
        assert (f"<{one.split()[1]}>", headers(one, "Route"), first.tag in header(one, "To")) == (whom, [stays], True)
    assert int(header(ended, "CSeq").split()[0]) == int(header(acknowledged, "CSeq").split()[0]) + 1
    first.send(first.answer(ended, "200 OK"), peer)
    assert not phone.told("CallEnded"), "the call that was answered stands"
    phone.do("hang_up")
    second.wait_for("BYE")


def test_no_further_server_is_called_for_an_agent_who_has_hung_up(two: tuple[SecondPhone, Wire, Wire]) -> None:
    phone, first, second = two
    phone.do("account", id="anna", address="anna@two.test", password="x", transport="udp")
    grant(first, first.wait_for("REGISTER"))
    phone.wait_for("RegistrationChanged", state="registered")
    phone.do("dial", account="anna", target="sip:bo@two.test")
    asked = first.wait_for("INVITE")
    peer = first.peer
    phone.do("hang_up")
    phone.wait_for("CallEnded")
    first.silent(0.2)  # the edge hears of it a moment later, and says nothing of that
    first.send(first.answer(asked, "503 Not Now", more="Retry-After: 45\r\n"), peer)
    first.wait_for("ACK")
    # Its registration moves, and nobody is rung.
    grant(second, second.wait_for("REGISTER"))
    while not second.silent(0.3):
        pass
    assert not [one for one in second.heard if one.startswith("INVITE")]
    # A branch of that proxy's answers all the same, by itself: it is ended there, until it says that it has heard.
    with wire() as answered:
        late = first.answer(asked, "200 OK", body=SDP, contact=f"<sip:bo@127.0.0.1:{answered.port}>")
        first.send(late, peer)
        assert answered.wait_for("ACK").startswith(f"ACK sip:bo@127.0.0.1:{answered.port} ")
        ended = answered.wait_for("BYE")
        assert answered.wait_for("BYE") == ended, "UDP may lose it"
        answered.send(answered.answer(ended, "200 OK"), answered.peer)
        assert answered.silent(1.2)
    # The refusal and the agent's word come in the same moment.
    phone.do("dial", account="anna", target="sip:bo@two.test")
    asked = second.wait_for("INVITE")
    peer, first.heard[:] = second.peer, []
    [edge] = children(phone.pid)
    edge.suspend()
    second.send(second.answer(asked, "503 Not Now"), peer)
    phone.do("hang_up")
    phone.wait_for("CallEnded")
    edge.resume()
    second.wait_for("ACK")
    while not first.silent(0.3):
        pass
    assert not [one for one in first.heard if one.startswith("INVITE")]


def test_a_party_that_answers_nothing_in_a_call_says_nothing_of_the_server(
    two: tuple[SecondPhone, Wire, Wire],
) -> None:
    phone, first, second = two
    phone.do("account", id="anna", address="anna@two.test", password="x", transport="udp")
    grant(first, first.wait_for("REGISTER"))
    phone.wait_for("RegistrationChanged", state="registered")
    phone.do("dial", account="anna", target="sip:bo@two.test")
    asked = first.wait_for("INVITE")
    contact = f"<sip:bo@127.0.0.1:{first.port}>"
    first.send(first.answer(asked, "200 OK", body=SDP, contact=contact), first.peer)
    first.wait_for("ACK")
    phone.wait_for("CallEstablished")
    phone.do("hang_up")
    for _ in range(4):
        first.wait_for("BYE")
    while not second.silent(0.3):
        pass
    assert not second.heard, "the account stays where it is registered"


def test_an_outbound_proxy_gets_everything_and_is_the_first_route(
    two: tuple[SecondPhone, Wire, Wire],
) -> None:
    phone, first, second = two
    phone.do("account", id="anna", address="anna@away.test", password="x", transport="udp", proxy="two.test")
    asked = first.wait_for("REGISTER")
    assert asked.startswith("REGISTER sip:away.test ")
    assert headers(asked, "Route") == ["<sip:two.test;lr>"]
    grant(first, asked)
    phone.wait_for("RegistrationChanged", state="registered")
    phone.do("dial", account="anna", target="sip:bo@away.test")
    asked = first.wait_for("INVITE")
    assert headers(asked, "Route") == ["<sip:two.test;lr>"]
    # 503 to a call may be a gateway's word on that call alone: the registration stays where it is.
    first.send(first.answer(asked, "503 No Circuit"), first.peer)
    acknowledged = first.wait_for("ACK")
    assert header(acknowledged, "Via").split("branch=")[1] == header(asked, "Via").split("branch=")[1]
    taken = second.wait_for("INVITE")
    second.send(second.answer(taken, "503 No Circuit"), second.peer)
    assert phone.wait_for("CallEnded")["code"] == 503
    for server in (first, second):
        assert not [one for one in server.heard[1:] if one.startswith("REGISTER")]
    # What its name leads to is heard, without a word in `accept_from`; others are not.
    second.send(second.request("OPTIONS", phone.udp), ("127.0.0.1", phone.udp))
    second.wait_for("SIP/2.0 200")
    with wire("127.0.0.9") as stranger:
        stranger.send(stranger.request("OPTIONS", phone.udp), ("127.0.0.1", phone.udp))
        assert stranger.silent()


def test_the_order_of_servers_goes_back_to_the_first_and_calls_stay_where_the_account_is_registered() -> None:
    now = [100.0]
    servers = Servers(lambda: now[0])
    one, two, three = (Hop("udp", f"192.0.2.{number}", 5060) for number in (1, 2, 3))
    hops = (one, two, three)
    assert not servers.failed("a", one)
    servers.registered("a", two)
    assert servers.order("a", hops, "REGISTER") == (two, three, one)
    now[0] += DOWN_FOR
    assert servers.order("a", hops, "REGISTER") == hops
    assert servers.order("a", hops, "INVITE") == (two, one, three)
    assert servers.failed("a", two, 86_400), "the account has to register elsewhere"
    assert servers.order("a", hops, "INVITE") == (one, three, two)
    now[0] += LONGEST_DOWN
    assert servers.order("a", hops, "INVITE") == hops


def test_the_only_server_is_asked_again_when_it_said_and_ever_later_where_it_said_nothing(
    two: tuple[SecondPhone, Wire, Wire],
) -> None:
    phone, first, _ = two
    address = f"anna@127.0.0.1:{first.port}"
    phone.do("account", id="anna", address=address, password="x", transport="udp", retry_seconds=1)
    asked = first.wait_for("REGISTER")
    first.send(first.answer(asked, "503 Not Now", more="Retry-After: 2 (soon)\r\n"), first.peer)
    assert phone.wait_for("RegistrationChanged", state="unreachable")["code"] == 503
    began = time.monotonic()
    while header(again := first.wait_for("REGISTER"), "CSeq") == header(asked, "CSeq"):
        pass  # sent twice before it was answered
    assert time.monotonic() - began > 1.9
    grant(first, again)
    phone.wait_for("RegistrationChanged", state="registered")
    assert [retry_wait(15, failures, 0.0, lambda: 1.0) for failures in (0, 1, 2, 9, 99)] == [3, 6, 12, 120, 120]
    assert retry_wait(15, 2, 0.0, lambda: 0.0) == 6, "half of it at least"
    assert retry_wait(15, 0, 86_400.0) == 3600


def test_signs_of_life_tell_how_a_nat_shows_this_phone_and_when_the_server_has_gone(
    two: tuple[SecondPhone, Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, first, _ = two
    phone.do("account", id="anna", address=f"anna@127.0.0.1:{first.port}", password="x", transport="udp")
    grant(first, first.wait_for("REGISTER"))
    phone.wait_for("RegistrationChanged", state="registered")
    for whom, hops in ((f"anna@127.0.0.1:{first.port}", "20"), (f"127.0.0.1:{first.port}", "0")):
        asked = first.wait_for("OPTIONS")
        assert (asked.split()[1], header(asked, "Max-Forwards")) == (f"sip:{whom}", hops)
        first.send(first.answer(asked, "483 Too Many Hops"), first.peer)
    # From here on it comes from elsewhere, as the NAT says.
    asked = first.wait_for("OPTIONS")
    shown = asked.replace(";rport", ";received=127.0.0.77;rport=40123", 1)
    first.send(first.answer(shown, "483 Too Many Hops"), first.peer)
    first.wait_for("REGISTER")

    monkeypatch.setattr("softphone.edge.keep_alive.LIMIT", 0.02)
    hop, told = Hop("udp", "192.0.2.1", 5060), list[str]()

    async def live() -> None:
        sent: list[Via] = []
        keep = KeepAlive(
            lambda question, _hop, _account: sent.append(Via.parse(question.get("Via") or "")),
            lambda account: told.append(f"{account} gone"),
            lambda account: told.append(f"{account} anew"),
        )
        for answers in (False, False, False, True, True, False, True, False, False, False):
            keep.ask("a", "a@host.test", hop)
            keep.ask("a", "a@host.test", hop)  # one question at a time
            if answers:
                assert keep.knows(sent[-1].branch)
                keep.answered(sent[-1], 483)
            await asyncio.sleep(0.04)
        assert len(sent) == 10

    asyncio.run(live())
    assert told == ["a anew", "a gone"], "a server that never answers is not said to have gone"
