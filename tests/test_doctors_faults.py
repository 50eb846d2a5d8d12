"""The closed list of faults: what the window can show as standing is in it under one code, and each has a remedy in both
languages. docs/it/fault-codes.md is made from it."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from softphone import __version__
from softphone.archive.crypto import ring
from softphone.bootstrap.home import Home
from softphone.cli.doctor.faults import FAULTS, Status, by_of
from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.folders import FOLDERS
from softphone.cli.doctor.keys import PRIVATE_KEYS
from softphone.cli.doctor.machine import Machine, Once
from softphone.cli.doctor.phone import PHONE
from softphone.cli.doctor.run import CHECKS, look
from softphone.cli.doctor.summary import summary_of
from softphone.domain.purpose import KeyRole, Language
from softphone.engine.server import Attached, Server
from softphone.house.membership import HouseFolder, Membership
from softphone.system.endpoint import Endpoint, new_secret, unix_sockets, write_endpoint
from softphone.system.paths import program_folder
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.texts import Texts
from softphone.wire.snapshot import Account, CodedText, Settings
from tests.peers.wire import wire
from tests.policies import KEYS, POLICY

ROOT = Path(__file__).resolve().parent.parent
STANDING = ("engine", "calls/policy", "system", "plugin", "audio", "edge", "archive/folder", "archive/catalog")
"""where faults are made that last longer than a call or a press"""
ABOUT_ONE_DEED = re.compile(
    # a call, a press, a message
    r"error\.(dial|dial_\w+|call_\w+|calls_full|digits\w*|transfer_\w+|wire|sip_closed|play|record|recording_silent|notice_\w+)\b"
    r"|fault\.(reopen|srtp|transfer|hold|resume)\b|error\.notice\.(no|none|not)\w*"
    # what somebody sets, keeps or asks of the archive by a command
    r"|error\.account_\w+|error\.keys\.|error\.policy\.|error\.backup\.|error\.settings\.|error\.keyring\.demo_file_kept"
    r"|error\.archive\.(no_archive|linked|locked|exists|still_running|ambiguous\w*|no_\w+)"
    r"|error\.container\.|error\.restore\."
    # an engine that its starter tells of: it has ended, or is not there yet
    r"|error\.engine\.(crashed|slow|cannot_start)|error\.sip_start"
)


def _said_in(folder: str) -> set[str]:
    """Codes that stand in the source there; some come without their first word."""
    found: set[str] = set()
    catalog = Texts(program_folder("resources") / "translations", Language.EN)
    for file in (ROOT / "softphone" / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            said = node.value
            if re.fullmatch(r"(error|fault|connection)(\.[a-z_0-9]+)+", said):
                found.add(said)
            elif re.fullmatch(r"bind|[a-z]+_[a-z_]+", said) and f"error.{said}" in catalog:
                found.add(f"error.{said}")
    return found


def test_what_the_window_shows_as_standing_is_in_the_doctors_list_under_the_same_code() -> None:
    shown = set[str]().union(*map(_said_in, STANDING))
    assert len(shown) > 80
    assert {one for one in shown - FAULTS.keys() if not ABOUT_ONE_DEED.match(one)} == set()
    # And each of the list that is not the doctor's own is one that the window has.
    desks = {one for one in FAULTS if not one.startswith("doctor.")}
    made = ("connection.", "ready.policy.", "ready.registration.")  # of a word in the engine's state
    shown |= _said_in("bootstrap") | _said_in("archive") | _said_in("house")
    assert {one for one in desks - shown if not one.startswith(made)} == set()
    ui = "".join(file.read_text("utf-8") for file in (ROOT / "softphone" / "ui").rglob("*.py"))
    for state in ('f"ready.policy.{', 'f"ready.registration.{'):
        assert state in ui
    assert "texts(state.trouble.code, **state.trouble.params)" in ui
    assert 'f"connection.{event.why}"' in (ROOT / "softphone" / "engine" / "accounts.py").read_text("utf-8")


@pytest.mark.parametrize("language", Language)
def test_each_fault_says_what_happened_and_what_to_do_and_the_window_says_both(language: Language) -> None:
    texts = Texts(program_folder("resources") / "translations", language)
    for code, fault in FAULTS.items():
        params = {"count": 2}
        what, remedy = texts.halves(code, **params)
        assert what, code
        assert what != code, code
        assert remedy, code
        assert texts(code, **params) == f"{what} {remedy}", code
        assert fault.status in (Status.WARN, Status.FAIL), code
        assert by_of(code) is fault.by
        assert texts(f"doctor.by.{fault.by}") != f"doctor.by.{fault.by}"


def test_the_pages_of_codes_are_what_the_list_makes_of_them() -> None:
    made = runpy.run_path(str(ROOT / ".ci" / "fault_tables.py"))["pages"]()
    assert len(made) == len(Language)
    assert [path for path, text in made.items() if (ROOT / path).read_text("utf-8") != text] == [], "run make settings"


def test_a_check_that_hangs_is_named_and_costs_no_other_its_findings(tmp_path: Path) -> None:
    """A policy on a disk that never answers, as a named pipe is that nobody writes into."""
    assert max(one.seconds for one in CHECKS) < 14
    home, pipe = Home.within(tmp_path), tmp_path / "policy.toml"
    home.folders.create()
    os.mkfifo(pipe)
    save_settings(home.folders.config, Settings(policy=str(pipe)))
    checks = [one for one in CHECKS if one.name in ("archive", "settings", "network")]
    found = look(home, [replace(one, seconds=0.5) for one in checks])
    told = [(name, finding.code) for name, finding in found]
    assert told[:2] == [("settings", "doctor.settings"), ("network", "doctor.port.any")]
    assert ("archive", "doctor.archive") in told, "what it had found by then"
    assert told[-1] == ("archive", "doctor.late")
    assert dict(found)["archive"].params == {"check": "archive", "seconds": 0}
    pipe.write_bytes(b"")  # it ends


def test_a_phone_of_another_version_is_said_to_be_one_and_its_port_is_left_alone(tmp_path: Path) -> None:
    home = Home.within(tmp_path)
    home.folders.create()
    secret = new_secret()

    def silent(said: object) -> None:
        if isinstance(said, Attached):
            said.client.outbox.close()

    server = Server(home.folders.runtime, secret, "0.0.9", silent, unix=unix_sockets())
    try:
        write_endpoint(home.folders.runtime, Endpoint(server.address, secret, os.getpid(), 1))
        found = look(home, [one for one in CHECKS if one.name in ("phone", "network")])
    finally:
        server.close()
    assert [(one.code, one.params["version"]) for _, one in found] == [("doctor.engine.other", "0.0.9")]


def test_a_private_key_is_missed_that_was_here_or_that_a_role_in_the_house_needs(tmp_path: Path) -> None:
    home, at = Home.within(tmp_path), datetime(2026, 11, 29, tzinfo=UTC)
    home.folders.create()
    keys = DemoKeyFile(tmp_path / "keys.json")
    machine = Machine(home, keys)

    def found() -> list[tuple[str, str]]:
        return [(one.code, str(one.params.get("id") or one.params["ids"])) for one in PRIVATE_KEYS.look(machine)]

    house, custody = (
        ring.create(keys, id, role, at) for id, role in (("lost", KeyRole.TRAINING), ("mine", KeyRole.CUSTODY))
    )
    # Somebody else's public key is not missed.
    theirs = ring.create(DemoKeyFile(tmp_path / "theirs.json"), "theirs", KeyRole.DOCUMENTATION, at)
    (tmp_path / "theirs.toml").write_text(theirs.as_policy())
    ring.import_public(keys, tmp_path / "theirs.toml", at)
    assert found() == []
    keys.delete(house.private_name)
    assert found() == [("doctor.key.gone", "lost")]

    folder = HouseFolder(home.folders.data)
    folder.policy(1).parent.mkdir(parents=True)
    folder.policy(1).write_text(POLICY.replace(KEYS["custody"], custody.public_key), encoding="utf-8")
    roles = ("agent", "lead", "custody")
    folder.write(Membership("https://house.example", "", "d", "p", roles=roles, since=at.isoformat(), policy=1))
    machine = Machine(home, keys)
    assert found() == [("doctor.key.gone", "lost"), ("doctor.key.no_training", "lead-1")]


def test_one_fault_that_several_checks_meet_is_told_once(tmp_path: Path) -> None:
    fault, fine = Finding("error.keyring.none"), Finding("doctor.keyring")
    checks = [
        Check("keyring", lambda _: [fault, fine]),
        Check("archive", lambda _: [fine, fault, Finding("error.archive.full", {"path": "a"})]),
        Check("keys", lambda _: [Finding("error.archive.full", {"path": "b"})]),
    ]
    found = look(Home.within(tmp_path), checks)
    assert [(name, one.code) for name, one in found if one.code == fault.code] == [("keyring", fault.code)]
    assert len(found) == 5


def test_what_all_findings_mean_for_calls_and_recording() -> None:
    """The rest is in tests/journeys/test_forty_faults.py."""
    well = ("accounts", Finding("doctor.account"))
    other = ("accounts", Finding("ready.registration.refused"))
    assert summary_of([well, other, ("plugins", Finding("error.plugin.unlisted"))]) == (True, True, 2, 0)
    assert summary_of([other, ("plugins", Finding("error.plugin.left_out"))]) == (False, False, 2, 0)
    assert summary_of([well, ("plugins", Finding("doctor.late"))])[:2] == (False, False), "in doubt it does not work"
    assert summary_of([well, ("archive", Finding("error.unheard_of"))])[:2] == (False, False)


def test_a_phone_that_runs_tells_its_own_faults_and_its_registrations_are_left_alone(tmp_path: Path) -> None:
    home = Home.within(tmp_path)
    home.folders.create()
    said = CodedText("fault.archive.slow"), CodedText("error.settings.faulty")
    state = SimpleNamespace(store=SimpleNamespace(fault=None), sound=SimpleNamespace(fault=None), faults=said)
    with wire() as server, ThreadPoolExecutor() as thread:
        account = Account("a", f"a@127.0.0.1:{server.port}")
        save_settings(home.folders.config, Settings((account,), archive=str(tmp_path / "archive")))
        for phone, asked in (
            (None, "REGISTER"),
            (SimpleNamespace(snapshot=state, version=__version__, pid=1), "OPTIONS"),
        ):
            machine = Machine(home, DemoKeyFile(tmp_path / "keys.json"))
            vars(machine)["running"] = Once(lambda phone=phone: phone)
            servers = thread.submit(machine.servers)
            request = server.wait_for("")
            server.send(server.answer(request, "200 OK"), server.peer)
            servers.result(20)
            assert request.partition(" ")[0] == asked
    # What a check of its own looks at is not told twice.
    assert [one.code for one in PHONE.look(machine)] == ["doctor.phone", "fault.archive.slow"]


def test_each_of_a_users_folders_is_looked_at(tmp_path: Path) -> None:
    home = Home.within(tmp_path)
    home.folders.create()
    shutil.rmtree(home.folders.data, ignore_errors=True)
    home.folders.data.write_bytes(b"")
    expected = [("doctor.folder.data", str(home.folders.data))]
    if sys.platform != "win32" and os.geteuid() == 0:
        os.chown(home.folders.config, 65534, -1)
        expected.append(("doctor.folder.foreign", str(home.folders.config)))
    found = [finding for _, finding in look(home, [FOLDERS])]
    assert [(one.code, one.params["path"]) for one in found] == expected
