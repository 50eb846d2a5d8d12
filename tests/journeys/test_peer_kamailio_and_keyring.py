"""A desk as it stands in a company: passwords and keys in a real keyring, an account at a real Kamailio by TLS, a call through
it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from softphone.bootstrap.home import password_name
from softphone.domain.purpose import Reason
from softphone.wire.snapshot import Account, CallPhase, Registration
from softphone.wire.to_engine import SaveSettings
from tests.journeys.fault_words import begun, change_settings, sentence, told_plainly, words
from tests.journeys.lines import NUMBERS, policy_text
from tests.journeys.listening import numbers
from tests.journeys.stage import LOOPBACK, Stage, build, read_stereo
from tests.journeys.test_edge import edge_of
from tests.peers.authority import Authority
from tests.peers.forked import run
from tests.peers.gnome_keyring import SecretService, gnome_keyring
from tests.peers.kamailio import kamailio
from tests.peers.second_phone import ROOT, talk

pytestmark = [pytest.mark.journey, pytest.mark.peer("gnome-keyring")]

USER = NUMBERS["n7"]
PASSWORD = "Tr0ub4dor-and-3"
CUSTOMER, CUSTOMERS_PASSWORD = "+4520123456", "nothing-secret"

_STORE = """
import sys
from datetime import UTC, datetime
from softphone.archive.crypto import ring as keys
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import SystemKeyring
ring = SystemKeyring()
for role in KeyRole:
    print(role.value, keys.create(ring, role.value, role, datetime.now(UTC)).public_key)
ring.set(sys.argv[1], sys.stdin.read().encode())
"""


def _klartone(on: Stage, env: Mapping[str, str], *words: str, status: int = 0) -> str:
    done = run("softphone.cli", "--home", str(on.home.root), *words, env=env)
    assert done.returncode == status, done.stderr
    told_plainly(done.stderr)
    return done.stdout if status == 0 else done.stderr


def _company(folder: Path, env: Mapping[str, str], *accounts: Account) -> Stage:
    """A home whose archive is no demo's: its keys and its password lie in the keyring, as command and desk put them there."""
    on = build(folder, lines=("n7",))
    change_settings(on, archive="", accounts=accounts)
    stored = subprocess.run(
        [sys.executable, "-c", _STORE, password_name(accounts[0].id)],
        cwd=ROOT,
        env=dict(env),
        input=PASSWORD,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    public = dict[str, str](line.split() for line in stored.stdout.splitlines())
    text = policy_text(public, lines=("n7",), spoken=False, language="da")
    (on.home.folders.config / "policy.toml").write_text(text, encoding="utf-8")
    return on


def _as(monkeypatch: pytest.MonkeyPatch, service: SecretService) -> None:
    """Processes started from here on use this keyring."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, service.env[name])


@pytest.mark.peer("kamailio")
def test_a_password_from_the_keyring_registers_and_a_call_through_the_exchange_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = {USER: PASSWORD, CUSTOMER: CUSTOMERS_PASSWORD}
    authority = Authority(tmp_path / "authority")
    signed, trusted = authority.sign("server", LOOPBACK), str(authority.file)
    with gnome_keyring() as service, kamailio(users, tls=signed) as server:
        _as(monkeypatch, service)
        there = f"{LOOPBACK}:{server.tls_port}"
        account = Account("agent", f"{USER}@{there}", transport="tls", srtp="required", certificate_authority=trusted)
        on = _company(tmp_path, service.env, account)
        on.expects("edge ended", reason="it is killed in mid-call")
        with begun(on, edge=True):
            on.ready()
            until = on.desk.wait(
                lambda now: now.accounts[0].until if now.accounts[0].registration is Registration.REGISTERED else None,
                "registered",
            )
            theirs = {"address": f"{CUSTOMER}@{there}", "password": CUSTOMERS_PASSWORD}
            on.customer.do("account", id="theirs", transport="tls", authority=trusted, **theirs)
            on.customer.wait_for("RegistrationChanged", state="registered")

            # Other settings leave the registration alone.
            now = on.desk.wait(lambda snapshot: snapshot.settings, "settings")
            on.desk.do(SaveSettings, settings=now)
            assert on.desk.wait(lambda s: s.accounts[0].until, "still registered") == until

            on.customer.do("dial", account="theirs", target=f"sip:{USER}@{there}")
            call = on.desk.answer().id
            on.customer.wait_for("CallEstablished")
            on.desk.wait_call(lambda one: one.encrypted, "signalling and sound both encrypted", call)
            on.sealed(call, 2.0)
            # Its connection breaks with the edge. The call stands, and the exchange finds this phone by the next one.
            edge_of(on).kill()
            on.desk.wait(lambda s: s.accounts[0].until != until, "registered again", 20)
            on.sealed(call, 1.0)
            on.customer.do("hold")
            on.desk.wait_call(lambda one: one.held_by_them, "a hold from there", call)
            on.desk.wait_call(lambda one: one.encrypted, "still encrypted", call)
            on.customer.do("resume")
            on.desk.wait_call(lambda one: not one.held_by_them, "its end", call)
            on.hang_up(call)
            on.end()
        listed = _klartone(on, service.env, "archive", "list")
        recording = listed.split()[0]
        assert CUSTOMER in _klartone(on, service.env, "archive", "show", recording)
        export = ("archive", "export", recording, "--wav", str(tmp_path / "call.wav"))
        assert "--why" in _klartone(on, service.env, *export, "--as", "documentation", status=1)
        _klartone(on, service.env, *export, "--as", "documentation", "--why", "the journey")
        party = numbers(np.ascontiguousarray(read_stereo(tmp_path / "call.wav")[:, 1]))
        steps = [after - before for before, after in pairwise(party) if before is not None and after is not None]
        assert len(steps) > 100
        assert sum(step == 1 for step in steps) > 0.9 * len(steps), "what the customer said, in its order"
        _klartone(on, service.env, "archive", "verify")
        refused = _klartone(on, service.env, "archive", "sweep", "--now", "2099-01-01", status=1)
        assert len(refused.strip().splitlines()) == 1
        told = words(on)
    assert PASSWORD not in told
    assert "inline:" not in told, "a key of SRTP"
    assert not _holding(tmp_path, PASSWORD)

    with gnome_keyring("locked") as other:
        said = _klartone(on, other.env, "archive", "list", status=1)
        assert len(said.strip().splitlines()) == 1


@pytest.mark.peer("kamailio")
def test_with_a_keyring_that_comes_late_the_account_registers_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gnome_keyring("absent") as service, kamailio({USER: PASSWORD}) as server:
        _as(monkeypatch, service)
        on = build(tmp_path, lines=("n7",))
        change_settings(on, archive="", accounts=(Account("agent", f"{USER}@{server.address}"),))
        with begun(on):
            # It has tried without one meanwhile, and been refused: that is no wrong password.
            account = on.desk.wait(lambda now: now.accounts[0] if now.accounts[0].code == 401 else None, "a refusal")
            assert account.registration is Registration.NO_PASSWORD
            service.come_up()
            put = [sys.executable, "-m", "keyring", "set", "klartone", password_name("agent")]
            subprocess.run(put, input=PASSWORD, env=dict(service.env), text=True, timeout=20, check=True)
            on.desk.wait(lambda now: now.accounts[0].registration is Registration.REGISTERED, "registered", 20)
            on.desk.wait(lambda now: now.store.works, "the archive", 20)
            on.end()


def test_without_its_keyring_the_phone_says_so_and_calls_go_on_unrecorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account("agent", f"{USER}@127.0.0.1", register=False)
    with gnome_keyring() as service:
        on = _company(tmp_path, service.env, account)
    with gnome_keyring("locked") as service:
        _as(monkeypatch, service)
        with begun(on):
            assert "keyring" in sentence(on.desk.wait(lambda now: now.store.fault, "a fault", 25))
            on.desk.wait(lambda now: now.lines, "a policy")
            _unrecorded(on)


def test_a_keyring_that_does_not_answer_keeps_no_call_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gnome_keyring() as service:
        registering = Account("agent", f"{USER}@127.0.0.2:9", register=True)
        direct = Account("direct", f"{USER}@127.0.0.1", register=False)
        on = _company(tmp_path, service.env, registering, direct)
        _as(monkeypatch, service)
        daemon = _daemon_of(service)
        daemon.suspend()
        try:
            with begun(on):
                on.desk.wait(lambda now: now.lines, "a policy")
                before = time.monotonic()
                on.ring("n7")
                on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "a ringing call")
                rang = time.monotonic() - before
                assert not on.desk.wait(lambda now: now, "a state").store.fault, "the keyring has answered already"
                print(f"rang {rang:.3f} s after the INVITE was asked for, with the keyring hanging")
                assert rang < 0.5
                on.customer.do("hang_up")
                assert "keyring" in sentence(on.desk.wait(lambda now: now.store.fault, "a fault", 25))
        finally:
            daemon.resume()


def _unrecorded(on: Stage) -> None:
    call = on.call("n7")
    status = on.desk.wait_status(lambda one: one.reasons, "a reason", call)
    assert status.reasons[0].reason is Reason.STORAGE_FAILED
    talk(on.customer, 25)
    on.hang_up(call)
    assert not on.desk.told("sealed")


def _daemon_of(service: SecretService) -> psutil.Process:
    (daemon,) = [
        child
        for child in psutil.Process().children()
        if child.name().startswith("gnome-keyring")
        and child.environ().get("DBUS_SESSION_BUS_ADDRESS") == service.address
    ]
    return daemon


def _holding(folder: Path, secret: str) -> list[Path]:
    """The files that hold these bytes."""
    return [file for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
