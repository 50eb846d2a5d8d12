"""Each fault of a machine, planted by itself: `klartone doctor` names it and nothing else, with what to do and who does it; the
phone works on where it can, and its window says the same sentence."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from softphone.bootstrap.home import DEMO_KEYS, password_name
from softphone.cli.doctor.finding import Finding
from softphone.cli.doctor.plugins import PLUGINS
from softphone.cli.doctor.run import CHECKS, look, report
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.system import last_words
from softphone.system.paths import program_folder
from softphone.system.secrets import DemoKeyFile
from softphone.texts import Texts
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CodedText, PolicyPhase, Registration
from tests.journeys import planted_machine, planted_network
from tests.journeys.desk import Desk, wait_for_engine
from tests.journeys.planted import PASSWORD, PLANTS, World
from tests.journeys.stage import build
from tests.peers.authority import Authority
from tests.peers.forked import forked
from tests.peers.kamailio import Kamailio, kamailio
from tests.peers.processes import end

pytestmark = [
    pytest.mark.journey,
    pytest.mark.peer("kamailio"),
    pytest.mark.usefixtures("forked_hosts"),
    pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="disks, routes and owners are root's"),
]
PLANTED_BY = (planted_network, planted_machine)
"""each has filled the list"""
NATURE = {"doctor.folder.temporary", "doctor.backup.none", "doctor.policy.waits"}
"""true of every machine that a test makes"""
RIGHTS = ("dac_override", "dac_read_search", "fowner", "chown")
_NUMBERS = (1, 2, 3, 0)
"""of these in capability.h"""
MEANS = {
    "connection.refused": (False, True),
    "error.port_taken": (False, True),
    "error.no_microphone": (False, True),
    "doctor.stun.silent": (True, True),
    "ready.policy.missing": (True, False),
    "error.archive.full_not_due": (True, False),
    "error.settings.machine_shut": (False, False),
    "doctor.certificate.ends": (True, True),
}
"""whether calls can be made on such a machine, and are recorded"""
_Found = TypeVar("_Found")
TEXTS = {one: Texts(program_folder("resources") / "translations", one) for one in Language}


@pytest.fixture(scope="module")
def server() -> Generator[Kamailio]:
    with kamailio({"agent": PASSWORD}) as made:
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def at(tmp_path: Path, server: Kamailio, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Generator[World]:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    with ExitStack() as stack:
        on = build(tmp_path, lines=("n7",))
        DemoKeyFile(on.archive_folder / DEMO_KEYS).set(password_name("agent"), PASSWORD.encode())
        made = World(on, stack, monkeypatch, server, authority)
        made.account(f"agent@{server.address}")
        yield made


def test_on_a_machine_where_all_is_well_nothing_is_a_fault_nor_with_a_phone_that_runs(at: World) -> None:
    told = report(look(at.on.home))
    assert _faults(told).keys() == NATURE
    assert told["status"] == "warn"
    assert (told["calls"], told["records"], told["faults"], told["warnings"]) == (True, True, 0, len(NATURE))
    well = {one["code"] for one in told["findings"]}
    assert {
        "doctor.account",
        "doctor.port.any",
        "doctor.voice",
        "doctor.archive",
        "doctor.keyring",
    } <= well
    # And of a phone that runs the same, by itself.
    with _phone(at) as desk:
        desk.wait(lambda now: now.accounts[0].registration is Registration.REGISTERED and now.store.works, "an account")
        assert at.server.contacts("agent")
        told = report(look(at.on.home, [one for one in CHECKS if one is not PLUGINS]))
        assert _faults(told).keys() == NATURE
        well = {one["code"] for one in told["findings"]}
        assert {"doctor.account.registered", "doctor.port.held", "doctor.phone"} <= well
        assert len(at.server.contacts("agent")) == 1
        # A policy that is spoiled while it runs: the one before holds, and both say so.
        policy = Path(desk.wait(lambda now: now.settings.policy, "a policy"))
        policy.write_bytes(policy.read_bytes()[:700])
        desk.wait(lambda now: now.policy.phase is PolicyPhase.FAULTY and now.policy.controller, "the earlier policy")
        told = report(look(at.on.home, [one for one in CHECKS if one.name == "archive"]))
        assert {"ready.policy.last_good"} == _faults(told).keys() - NATURE


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_named_with_its_remedy_and_the_desk_says_the_same(at: World, name: str) -> None:
    plant = PLANTS[name]
    plant.make(at)
    checks = [one for one in CHECKS if one is not PLUGINS or "plugin" in plant.code]
    said = _process_says(at) if at.apart else _as_a_user(lambda: report(look(at.on.home, checks)), at)
    faults = _faults(said)
    assert plant.code in faults, faults.keys()
    assert faults.keys() - NATURE - {plant.code, *plant.also} == set()
    told = faults[plant.code]
    if (means := MEANS.get(plant.code)) is not None:
        assert (said["calls"], said["records"]) == means
    assert told["status"] == plant.status
    assert told["by"] in ("agent", "it", "custody")
    for texts in TEXTS.values():
        what, remedy = texts.halves(plant.code, **told["params"])
        assert remedy
        assert "…" not in f"{what} {remedy}", "a parameter is missing"
    assert not plant.below or plant.below in [one["code"] for one in told["below"]]
    if plant.desk == "last words":
        assert _said(_last_words(at)) == _said(CodedText(plant.code, told["params"]))
    elif plant.desk:
        with _phone(at) as desk:
            same = desk.wait(lambda now: {one.code: one for one in _shown(now)}.get(plant.code), plant.code, 15)
            assert desk.wait(lambda now: now.sip_port, "a phone that works on")
        assert _said(same) == _said(CodedText(plant.code, told["params"]))


def _said(fault: CodedText | KlartoneError) -> str:
    return TEXTS[Language.DA](fault.code, **fault.params)


def _faults(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["code"]: one for one in report["findings"] if one["status"] != "ok"}


def _shown(now: Snapshot) -> Iterator[CodedText]:
    """What stands in the window, as `ui` reads it from the state."""
    for one in (now.store.fault, now.sound.fault, *now.faults):
        if one is not None:
            whole = Finding.of(KlartoneError(one.code, **one.params))  # some codes come without their first word
            yield CodedText(whole.code, whole.params)
    yield CodedText(f"ready.policy.{now.policy.phase}", {"count": len(now.policy.faults)})
    for state in now.accounts:
        yield CodedText(f"ready.registration.{state.registration}", {"address": state.account.address})
        if state.trouble is not None:
            yield state.trouble


def _as_a_user(look_at: Callable[[], _Found], at: World) -> _Found:
    """On a thread, and those that it starts: rights are a thread's."""
    done: list[_Found] = []

    def run() -> None:
        if at.shut:
            _give_up_rights()
        done.append(look_at())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    return done[0]


def _process_says(at: World) -> dict[str, Any]:
    words = ("--home", str(at.on.home.root), "doctor", "--json")
    process = forked("softphone.cli", *words, stdout=subprocess.PIPE, env=at.env)
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    assert process.wait(20) == 1
    end(process)
    return told


def _give_up_rights() -> None:
    """Of root's those by which a folder's mode counts for nothing (capset(2)). No other thread loses them."""

    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]

    header, data = Header(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(ctypes.byref(header), data) == 0
    for number in _NUMBERS:
        data[0] &= ~(1 << number)
    assert libc.capset(ctypes.byref(header), data) == 0


class _phone:  # noqa: N801 - as a function that gives a context
    """The phone, and a desk on its socket."""

    def __init__(self, at: World) -> None:
        self._at = at
        self._stack = ExitStack()

    def __enter__(self) -> Desk:
        at, runtime = self._at, self._at.on.runtime
        without = ",".join(f"-{one}" for one in RIGHTS)
        inside = ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}"] if at.shut else []
        engine = forked("softphone.cli", "--home", str(at.on.home.root), "engine", env=at.env, inside=inside)
        self._stack.callback(end, engine)
        wait_for_engine(runtime, engine.pid, lambda: engine.poll() is None)
        return self._stack.enter_context(Desk.attached(runtime))

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _last_words(at: World) -> KlartoneError:
    said = at.folder / "said"
    with said.open("wb") as stderr:
        env = {**at.env, last_words.ASKED: "1"}
        engine = forked("softphone.cli", "--home", str(at.on.home.root), "engine", env=env, stderr=stderr)
        assert engine.wait(20) == 1
        end(engine)
    return last_words.read(said.read_text("utf-8"), 1, "")
