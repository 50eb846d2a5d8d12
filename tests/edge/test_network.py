"""A machine that loses its network, gets another address or sleeps: the registration comes back, and the call stands."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from softphone.edge.network import NetworkWatch
from tests.edge.test_resolver import name_server
from tests.engine.sip.hearing import counters, pairs
from tests.peers.forked import children
from tests.peers.kamailio import Kamailio, kamailio
from tests.peers.network import HERE_SIX, THERE, THERE_SIX, Cable, cable
from tests.peers.processes import until
from tests.peers.second_phone import SecondPhone, part, second_phone, talk
from tests.peers.wire import SDP, header, wire

USERS = {"anna": "s3cret-anna", "bo": "s3cret-bo"}

Scene = tuple[Cable, Kamailio, SecondPhone, SecondPhone]


@pytest.fixture(params=["udp", "tcp"])
def scene(request: pytest.FixtureRequest) -> Generator[Scene]:
    """Anna's machine, and a cable to that of the exchange and of Bo."""
    with ExitStack() as stack:
        line = stack.enter_context(cable())
        server = stack.enter_context(kamailio(USERS, host=THERE, inside=line.there))
        phones = [
            stack.enter_context(second_phone(edge=True, counter=True, bind="", accept=(), inside=inside))
            for inside in (line.here, line.there)
        ]
        for phone, user in zip(phones, USERS, strict=True):
            settings = {"address": f"{user}@{server.address}", "password": USERS[user], "transport": request.param}
            phone.do("account", id=user, **settings)
            phone.wait_for("RegistrationChanged", state="registered")
        anna, bo = phones
        yield line, server, anna, bo


@pytest.mark.peer("kamailio")
def test_by_ipv6_an_account_registers_and_calls_both_ways_with_literals_in_brackets(tmp_path: Path) -> None:
    with ExitStack() as stack:
        line = stack.enter_context(cable())
        server = stack.enter_context(kamailio(USERS, host=f"[{THERE_SIX}]", inside=line.there))
        phones = [
            stack.enter_context(second_phone(edge=True, counter=True, bind="", accept=(), inside=inside))
            for inside in (line.here, line.there)
        ]
        for phone, user, transport in zip(phones, USERS, ("udp", "tcp"), strict=True):
            settings = {"address": f"{user}@{server.address}", "password": USERS[user], "transport": transport}
            phone.do("account", id=user, **settings)
            phone.wait_for("RegistrationChanged", state="registered")
        anna, bo = phones
        assert server.contacts("anna") == [f"sip:anna@[{HERE_SIX}]:{anna.udp}"]
        call(anna, "anna", bo, "bo", server)
        assert hears(bo, tmp_path)
        assert hears(anna, tmp_path)
        anna.do("hold")
        bo.wait_for("HoldChanged", by_them=True)
        part(bo, anna)
        call(bo, "bo", anna, "anna", server)
        part(anna, bo)
        # A stranger by IPv6 is one, too.
        anna.do("account", id="direct", address="anna@127.0.0.1", register=False)
        anna.do("dial", account="direct", target=f"sip:own@[{THERE_SIX}]:{bo.udp}")
        with pytest.raises(TimeoutError):
            bo.wait_for("CallArrived", seconds=1)
        assert bo.wait_for("StrangerRefused")["host"] == HERE_SIX


def test_sound_is_offered_by_the_family_that_the_other_side_asked_for() -> None:
    with second_phone(edge=True, bind="", accept=("127.0.0.1",)) as phone, wire() as one:
        six = SDP.replace("c=IN IP4 127.0.0.1", "c=IN IP6 ::1")
        one.send(one.request("INVITE", phone.udp, body=six), ("127.0.0.1", phone.udp))
        phone.wait_for("CallArrived")
        phone.do("answer")
        answered = one.wait_for("SIP/2.0 200")
        assert "\r\nc=IN IP6 ::1\r\n" in answered
        assert f"@127.0.0.1:{phone.udp}>" in header(answered, "Contact")


def call(caller: SecondPhone, own: str, callee: SecondPhone, other: str, server: Kamailio) -> None:
    caller.do("dial", account=own, target=f"sip:{other}@{server.address}")
    callee.wait_for("CallArrived")
    callee.do("answer")
    callee.wait_for("CallEstablished")
    caller.wait_for("CallEstablished")


def hears(phone: SecondPhone, folder: Path) -> bool:
    """Whether what it hears from now on is the other's counter."""
    talk(phone, 40)
    return sum(number is not None for number in counters(pairs(phone, folder).heard)[-30:]) >= 20


@pytest.mark.peer("kamailio")
def test_a_call_and_a_registration_outlive_another_address_and_a_cable_that_is_drawn(
    scene: Scene, tmp_path: Path
) -> None:
    line, server, anna, bo = scene
    call(anna, "anna", bo, "bo", server)
    assert hears(bo, tmp_path)

    line.move("10.77.0.9")
    until(lambda: [one for one in server.contacts("anna") if "10.77.0.9" in one] != [], 15, "the new registration")
    assert len(server.contacts("anna")) == 1, "the old address is taken away, or it would be called too"
    until(lambda: hears(bo, tmp_path) and hears(anna, tmp_path), 15, "sound at the new address")

    line.draw()
    assert (
        anna.wait_for("RegistrationChanged", state="unreachable", seconds=8)["reason"] == "Not connected (no_network)"
    )
    anna.wait_for("PartySound", there=False, seconds=8)
    line.plug()
    anna.wait_for("RegistrationChanged", state="registered", seconds=8)
    until(lambda: anna.told("PartySound")[-1]["there"], 15, "the party's sound again")
    assert hears(bo, tmp_path)
    assert not anna.told("CallEnded")
    part(bo, anna)

    call(bo, "bo", anna, "anna", server)
    part(anna, bo)


@pytest.mark.torture
@pytest.mark.peer("kamailio")
@pytest.mark.parametrize("seconds", [5, 30, 90])
def test_a_call_outlives_a_way_that_swallows_everything(scene: Scene, seconds: float, tmp_path: Path) -> None:
    line, server, anna, bo = scene
    call(anna, "anna", bo, "bo", server)
    assert hears(bo, tmp_path)
    line.swallow()
    began = time.monotonic()
    anna.wait_for("PartySound", there=False, seconds=8)
    bo.wait_for("PartySound", there=False, seconds=8)
    time.sleep(seconds - min(seconds, time.monotonic() - began))  # the cut itself: nothing happens by then
    line.pass_on()
    for phone in (anna, bo):
        until(lambda phone=phone: phone.told("PartySound")[-1]["there"], 15, "the party's sound again")
    until(lambda: hears(bo, tmp_path) and hears(anna, tmp_path), 15, "sound in both directions")
    until(lambda: anna.told("RegistrationChanged")[-1]["state"] == "registered", 130, "the registration")
    assert server.contacts("anna")
    assert not anna.told("CallEnded")
    part(bo, anna)


def test_a_machine_that_slept_asks_all_anew_and_its_call_hears_where_it_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ExitStack() as stack:
        server, moved, party, stun = (stack.enter_context(wire()) for _ in range(4))
        zone = {
            ("_sip._udp.pbx.test", "SRV"): [f"10 0 {server.port} host.test."],
            ("host.test", "A"): ["127.0.0.1"],
        }
        names = stack.enter_context(name_server(zone))
        monkeypatch.setenv("KLARTONE_NAMESERVER", "{}:{}".format(*names))
        phone = stack.enter_context(
            second_phone(edge=True, accept=(), asleep=1.0, stun=f"127.0.0.1:{stun.port}", keep_alive=60)
        )
        phone.do("account", id="anna", address="anna@pbx.test", password="x", transport="udp", expires=600)
        asked = server.wait_for("REGISTER")
        server.send(
            server.answer(asked, "200 OK", contact=header(asked, "Contact"), more="Expires: 600\r\n"), server.peer
        )
        phone.wait_for("RegistrationChanged", state="registered")
        phone.do("dial", account="anna", target="sip:bo@pbx.test")
        invite = server.wait_for("INVITE")
        contact = f"<sip:bo@127.0.0.1:{party.port}>"
        server.send(server.answer(invite, "200 OK", body=SDP, contact=contact), server.peer)
        party.wait_for("ACK")
        phone.wait_for("CallEstablished")
        zone["_sip._udp.pbx.test", "SRV"] = [f"10 0 {moved.port} host.test."]
        while not stun.silent(0.05):
            pass
        whole = psutil.Process(phone.pid)
        edges = children(phone.pid)
        for process in (whole, *edges):
            process.suspend()
        time.sleep(2.5)  # nothing happens meanwhile that could be waited for
        for process in (*edges, whole):
            process.resume()
        again = moved.wait_for("REGISTER")
        shown = again.replace(";rport", ";received=127.0.0.77;rport=40123", 1)
        moved.send(moved.answer(shown, "200 OK", contact=header(again, "Contact"), more="Expires: 600\r\n"), moved.peer)
        assert not stun.silent(2), "how others see this phone, too"
        assert header(party.wait_for("INVITE"), "Contact").startswith("<sip:anna@127.0.0.77:40123")
        assert not phone.told("CallEnded")


def test_the_way_and_the_clocks_tell_what_has_changed() -> None:
    ways = {"server": "10.0.0.2", "other": "10.0.0.2"}
    clocks = [0.0, 0.0]
    watch = NetworkWatch(lambda host: ways.get(host, ""), lambda: clocks[0], lambda: clocks[1])
    assert watch.look(("server", "other", "nowhere")) == set(), "what was never there has not gone"
    ways["server"] = "10.0.0.9"
    assert watch.look(("server", "other", "nowhere")) == {"server"}
    ways["server"] = ""
    assert watch.look(("server", "other")) == {"server"}
    assert watch.is_lost("server")
    assert watch.look(("server", "other")) == set()
    ways["server"] = "10.0.0.9"
    assert watch.look(("server", "other")) == {"server"}, "the same address, but whatever a NAT knew may be gone"
    assert not watch.is_lost("server")

    for world, running, slept in ((1.0, 1.0, False), (2.5, 1.2, False), (600.0, 1.0, True), (30.0, 30.0, True)):
        clocks[0] += world
        clocks[1] += running
        assert watch.slept() is slept
    assert not watch.slept()
