"""Registration and calls through a real Kamailio, with honest states, behind an edge as the engine's phone is."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.sip.hearing import counters, pairs
from tests.peers.kamailio import Kamailio, kamailio
from tests.peers.processes import free_port, until
from tests.peers.second_phone import ROOT, SecondPhone, part, second_phone, talk

pytestmark = pytest.mark.peer("kamailio")

USERS = {"anna": "s3cret-anna", "bo": "s3cret-bo"}


@pytest.fixture(scope="module")
def server() -> Generator[Kamailio]:
    with kamailio(USERS) as running:
        yield running


def register(phone: SecondPhone, server: Kamailio, user: str, **changed: object) -> None:
    settings = {"password": USERS.get(user, "none"), "transport": "udp", **changed}
    phone.do("account", id=user, address=f"{user}@{server.address}", **settings)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_right_password_is_registered_until_a_stated_time_and_then_unregistered(
    server: Kamailio, transport: str
) -> None:
    with second_phone(edge=True) as phone:
        before = datetime.now(UTC)
        register(phone, server, "anna", transport=transport, expires=60)
        assert phone.wait_for("RegistrationChanged")["state"] == "registering"
        told = phone.wait_for("RegistrationChanged")
        assert (told["state"], told["code"]) == ("registered", 200)
        left = datetime.fromisoformat(told["until"]) - before
        assert timedelta(seconds=30) < left < timedelta(seconds=65)
        phone.do("remove_account", id="anna")
        assert phone.wait_for("RegistrationChanged")["state"] == "unregistered"


@pytest.mark.parametrize(("user", "password", "code"), [("anna", "wrong", 401), ("nobody", "any", 403)])
def test_a_wrong_password_and_an_unknown_user_are_refused_and_not_tried_again(
    server: Kamailio, user: str, password: str, code: int
) -> None:
    with second_phone(edge=True) as phone:
        register(phone, server, user, password=password, retry_seconds=1)
        told = phone.wait_for("RegistrationChanged", state="refused")
        assert told["code"] == code
        assert told["reason"]
        with pytest.raises(TimeoutError):
            phone.wait_for("RegistrationChanged", seconds=1.5)


def test_a_registrar_that_refuses_the_connection_is_unreachable_at_once() -> None:
    with second_phone(edge=True) as phone:
        address = f"anna@127.0.0.1:{free_port()}"
        phone.do("account", id="anna", address=address, password="x", transport="tcp")
        told = phone.wait_for("RegistrationChanged", state="unreachable", seconds=3)
        assert told["until"] is None


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_registrar_that_comes_back_is_registered_with_again(transport: str) -> None:
    with kamailio(USERS) as server, second_phone(edge=True) as phone:
        server.stop()
        register(phone, server, "anna", transport=transport, retry_seconds=2)
        phone.wait_for("RegistrationChanged", state="unreachable", seconds=8)
        server.start()
        phone.wait_for("RegistrationChanged", state="registered", seconds=8)


def test_a_registrar_that_has_forgotten_whom_it_knew_is_found_out_long_before_the_next_register(
    server: Kamailio,
) -> None:
    with second_phone(edge=True, keep_alive=1) as phone:
        register(phone, server, "anna")
        phone.wait_for("RegistrationChanged", state="registered")
        time.sleep(2.0)  # it has been asked for the account, and found it
        server.forget("anna")
        assert not server.contacts("anna")
        until(lambda: bool(server.contacts("anna")), 15, "a new registration")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_goes_through_the_registrar_in_both_directions_with_digest(
    server: Kamailio, transport: str, tmp_path: Path
) -> None:
    with second_phone(edge=True, counter=True) as anna, second_phone(edge=True, counter=True, record_aware=True) as bo:
        for phone, user in ((anna, "anna"), (bo, "bo")):
            register(phone, server, user, transport=transport)
            phone.wait_for("RegistrationChanged", state="registered")
        for caller, own, callee, other in ((anna, "anna", bo, "bo"), (bo, "bo", anna, "anna")):
            caller.do("dial", account=own, target=f"sip:{other}@{server.address}")
            arrived = callee.wait_for("CallArrived")
            assert (arrived["account"], arrived["number"]) == (other, own)
            callee.do("answer")
            callee.wait_for("CallEstablished")
            caller.wait_for("CallEstablished")
            talk(callee, 25)
            heard = counters(pairs(callee, tmp_path).heard)
            assert sum(number is not None for number in heard) >= 15
            caller.do("hold")
            callee.wait_for("HoldChanged", by_them=True)
            part(callee, caller)


def test_behind_an_outbound_proxy_the_registrar_calls_by_the_path(server: Kamailio) -> None:
    """Kamailio refuses a REGISTER with a Path from a phone that does not say it knows of paths (420)."""
    with (
        kamailio(USERS, proxy=True) as proxy,
        second_phone(edge=True, accept=()) as anna,
        second_phone(edge=True) as bo,
    ):
        register(anna, server, "anna", proxy=proxy.address)
        assert anna.wait_for("RegistrationChanged", state="registered")["code"] == 200
        register(bo, server, "bo")
        bo.wait_for("RegistrationChanged", state="registered")
        bo.do("dial", account="bo", target=f"sip:anna@{server.address}")
        anna.wait_for("CallArrived")
        anna.do("answer")
        bo.wait_for("CallEstablished")
        anna.wait_for("CallEstablished")
        anna.do("hold")
        bo.wait_for("HoldChanged", by_them=True)
        part(bo, anna)
        anna.do("dial", account="anna", target=f"sip:bo@{server.address}")
        bo.wait_for("CallArrived")
        bo.do("answer")
        anna.wait_for("CallEstablished")
        part(anna, bo)


def test_digest_by_sha_256_is_answered_as_rfc_8760_asks() -> None:
    with kamailio(USERS, algorithm="SHA-256") as server, second_phone(edge=True) as phone:
        register(phone, server, "anna")
        assert phone.wait_for("RegistrationChanged", state="registered")["code"] == 200
        register(phone, server, "bo", password="wrong")
        assert phone.wait_for("RegistrationChanged", state="refused")["code"] == 401


def test_idle_connections_keep_the_phone_from_neither_its_registrar_nor_its_registration(server: Kamailio) -> None:
    with second_phone(edge=True) as phone, ExitStack() as idle:

        def stay_idle(count: int) -> None:
            for _ in range(count):
                idle.enter_context(socket.create_connection(("127.0.0.1", phone.tcp), timeout=5))

        stay_idle(16)
        register(phone, server, "anna", transport="tcp", expires=60)
        phone.wait_for("RegistrationChanged", state="registered", seconds=8)
        stay_idle(17)
        # Its connection is still there: the call that comes by it is let in.
        with second_phone(edge=True) as bo:
            register(bo, server, "bo")
            bo.wait_for("RegistrationChanged", state="registered")
            bo.do("dial", account="bo", target=f"sip:anna@{server.address}")
            phone.wait_for("CallArrived")
            phone.do("answer")
            bo.wait_for("CallEstablished")
            phone.wait_for("CallEstablished")
            part(bo, phone)


def test_passwords_are_in_no_command_line_and_no_repr_of_an_account(server: Kamailio) -> None:
    with second_phone(edge=True) as phone:
        register(phone, server, "anna")
        phone.wait_for("RegistrationChanged", state="registered")
        assert USERS["anna"] not in Path(f"/proc/{phone.pid}/cmdline").read_text()
        assert USERS["anna"] not in str(phone.events)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"address": "anna"}, "account_address"),
        ({"address": "anna@pbx example"}, "account_address"),
        ({"address": "anna@pbx>;x"}, "account_address"),
        ({"address": "an<na@pbx"}, "account_address"),
        ({"address": "anna@pbx", "registrar": "a b"}, "account_server"),
        ({"address": "anna@pbx", "proxy": "sip:pbx"}, "account_server"),
        ({"address": "anna@pbx", "transport": "carrier pigeon"}, "account_transport"),
    ],
)
def test_an_account_that_cannot_be_used_as_written_is_refused(
    shared: SecondPhone, settings: dict[str, str], code: str
) -> None:
    shared.do("account", id="bad", **settings)
    assert shared.wait_for("Refused")["code"] == code


@pytest.fixture(scope="module")
def shared() -> Generator[SecondPhone]:
    with second_phone(edge=True) as phone:
        yield phone


def test_a_ninth_account_is_refused_and_the_phone_lives(agent: SecondPhone) -> None:
    names = [f"more-{number}" for number in range(8)]
    for name in names:
        agent.do("account", id=name, address=f"{name}@127.0.0.1", register=False)
    assert agent.wait_for("Refused")["code"] == "error.settings.accounts"
    for name in names[:-1]:
        agent.do("remove_account", id=name)
    assert agent.ask("state", "State")["frames"] == {}


OUTLIVED = """
import gc
from softphone.engine.sip.endpoint import SipEndpoint
from softphone.engine.sip.registrations import Registrations
from softphone.engine.sip.settings import AccountSettings, PhoneSettings

class Timers:
    def after(self, seconds, action):
        action()

endpoint = SipEndpoint(PhoneSettings("127.0.0.1"), lambda happening: None)
endpoint.start()
accounts = Registrations(endpoint, "127.0.0.1", Timers(), lambda happening: None, lambda event: None)
accounts.add("old", AccountSettings("old@127.0.0.1", register=False))
kept = accounts.get("old").director
accounts.retire("old", lambda account: False)
accounts.add("new", AccountSettings("new@127.0.0.1", register=False))
del kept
gc.collect()
valid = accounts.get("new").director.isValid()
accounts.drop_all()
endpoint.destroy()
print("valid" if valid else "gone")
"""


def test_an_account_object_that_outlives_its_account_does_not_take_the_next_one_with_it() -> None:
    ran = subprocess.run([sys.executable, "-c", OUTLIVED], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert (ran.returncode, ran.stdout.strip()) == (0, "valid"), ran.stderr
