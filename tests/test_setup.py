"""`.ci/setup` on machines that lack this or that: what it installs, and what it says where it cannot.

The machine is a PATH of stubs, which note how they were called: apt and pip change the system, so they are not the real ones.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REAL = "awk bash cat chmod cp cut dirname env grep mkdir rm sh sha256sum tail touch tr"
PYTHON = """case "$*" in
*version_info*not*) ;;
*ensurepip*) [ -e "$MACHINE/ensurepip" ] ;;
*-venv*) echo python3.11-venv ;;
*print*) echo 3.11 ;;
"-m venv .venv") mkdir -p .venv/bin; cp "$MACHINE/pip" .venv/bin/python ;;
esac"""
APT = """echo "apt-get $*" >>"$MACHINE/called"
if [ -e "$MACHINE/offline" ]; then
    echo "W: Failed to fetch http://apt.test/ Temporary failure resolving"
    echo "E: Some index files failed to download."
    exit 100
fi
case "$*" in
*update*) touch "$MACHINE/lists" ;;
*install*python3*) touch "$MACHINE/ensurepip"; cp "$MACHINE/python" "$MACHINE/bin/python3" ;;
esac"""
APT_CACHE = """[ -e "$MACHINE/lists" ] || exit 0
echo "$2:"; echo "  Installed: (none)"; echo "  Candidate: $(cat "$MACHINE/offers-$2" || echo '(none)')" """
PIP_OFFLINE = """echo "WARNING: Retrying after connection broken by 'NewConnectionError': /simple/alembic/"
echo "ERROR: Could not find a version that satisfies the requirement alembic"
exit 1"""

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="it sets up a Debian machine")


@dataclass
class Machine:
    folder: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        ci, bin_ = self.folder / "klartone" / ".ci", self.folder / "bin"
        ci.mkdir(parents=True)
        bin_.mkdir()
        for name in ("setup", "debian-packages.txt"):
            shutil.copy(ROOT / ".ci" / name, ci)
        (ci.parent / "requirements-run.lock").write_text("alembic==1\n")
        (ci.parent / "requirements.lock").write_text("alembic==1\nruff==1\n")
        for name in REAL.split():
            real = shutil.which(name)
            assert real
            (bin_ / name).symlink_to(real)
        self.stub("bin/apt-get", APT)
        self.stub("bin/apt-cache", APT_CACHE)
        self.stub("bin/dpkg-query", 'case "$4" in libgl1) ;; *) echo installed ;; esac')  # one of the list is missing
        self.stub("bin/id", "echo 0")
        self.stub("python", PYTHON)
        self.stub("pip", 'echo "pip $*" >>"$MACHINE/called"')
        self.has("lists")
        self.environment = {"PATH": str(bin_), "HOME": str(self.folder), "MACHINE": str(self.folder)}

    def stub(self, name: str, words: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{words}\n")
        (self.folder / name).chmod(0o755)

    def has(self, name: str, words: str = "") -> None:
        (self.folder / name).write_text(words)

    def has_python(self) -> None:
        shutil.copy(self.folder / "python", self.folder / "bin" / "python3.11")

    def set_up(self, *group: str) -> subprocess.CompletedProcess[str]:
        script = self.folder / "klartone" / ".ci" / "setup"
        return subprocess.run(
            ["bash", str(script), *group], capture_output=True, text=True, timeout=30, env=self.environment, check=False
        )

    def refused(self) -> str:
        run = self.set_up()
        assert run.returncode == 1, run
        (told,) = run.stderr.splitlines()
        assert told.startswith("Klartone cannot be set up: ")
        return told

    @property
    def called(self) -> list[str]:
        noted = self.folder / "called"
        return [line.split(" --disable")[0] for line in noted.read_text().splitlines()] if noted.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


INSTALL = "apt-get -q install -y --no-install-recommends"


@pytest.mark.parametrize("lists", [True, False])
def test_a_bare_debian_12_gets_its_python_with_the_rest_and_is_told_so_first(machine: Machine, lists: bool) -> None:
    machine.has("offers-python3", "3.11.2-1+b1")
    if not lists:
        (machine.folder / "lists").unlink()
    run = machine.set_up()
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        "Installing Debian packages: python3 python3-venv libgl1",
        "Setting up Python 3.11 in .venv (a minute or so)",
    ]
    assert f"{INSTALL} python3 python3-venv libgl1" in machine.called
    assert machine.called[-2:] == ["pip -m pip install", "pip -m pip install"]


def test_a_call_gets_no_developers_tools_and_what_is_set_up_is_left_alone(machine: Machine) -> None:
    machine.has_python()
    machine.has("ensurepip")
    installed = machine.folder / "called"
    # What the tests need is more than what a call does, and serves it too.
    for group, lock in (("run", " requirements-run.lock"), ("run", ""), ("test", " requirements.lock"), ("run", "")):
        run = machine.set_up(group)
        assert (run.returncode, run.stderr) == (0, "")
        called = installed.read_text() if installed.exists() else ""
        assert called.count(" -r ") == bool(lock)
        assert lock in called
        installed.unlink(missing_ok=True)
        machine.stub("bin/dpkg-query", "echo installed")
    assert run.stdout == ""
    assert "ruff" not in (ROOT / "requirements-run.lock").read_text()


@pytest.mark.parametrize("lists", [True, False])
def test_a_python_without_venv_gets_it(machine: Machine, lists: bool) -> None:
    machine.has_python()
    if not lists:
        (machine.folder / "lists").unlink()
    machine.has("offers-python3.11-venv", "3.11.2")
    assert machine.set_up().returncode == 0
    assert f"{INSTALL} python3.11-venv libgl1" in machine.called


def test_where_no_fitting_python_is_to_be_had_nothing_is_installed_and_a_way_is_named(machine: Machine) -> None:
    machine.has("offers-python3", "3.13.5-1")
    told = machine.refused()
    assert "no Python 3.11 or 3.12 was found" in told
    assert "apt has 3.13.5-1. Nothing was installed." in told
    machine.has("offers-pipx", "1.7.1-1")
    assert "apt-get install -y pipx; then, as yourself, pipx run uv python install 3.12; then" in machine.refused()
    machine.stub("bin/uv", "")
    told = machine.refused()
    assert "One way to get one: uv python install 3.12; then run make again. README.md has ways without" in told
    assert machine.called == []


def test_a_python_that_uv_has_put_in_place_is_found_off_the_path(machine: Machine) -> None:
    machine.has("ensurepip")
    (machine.folder / ".local" / "bin").mkdir(parents=True)
    shutil.copy(machine.folder / "python", machine.folder / ".local" / "bin" / "python3.12")
    assert machine.set_up().returncode == 0


@pytest.mark.parametrize("python", [True, False])
def test_without_a_network_apts_failure_says_what_to_do(machine: Machine, python: bool) -> None:
    if python:
        machine.has_python()
    else:
        machine.has("offers-python3", "3.11.2-1+b1")
    machine.has("offline")
    told = machine.refused()
    assert "apt-get update failed. Check the network and apt's sources, then run make again." in told
    assert "Temporary failure resolving" in told


def test_without_an_index_pips_failure_says_what_to_do_and_what_was_the_matter(machine: Machine) -> None:
    machine.has_python()
    machine.has("ensurepip")
    machine.stub("pip", PIP_OFFLINE)
    told = machine.refused()
    assert "Check the network or the package index, then run make again." in told
    assert "connection broken" in told
    assert "Could not find a version" not in told


def test_who_is_not_root_and_has_no_sudo_is_told_what_root_must_run(machine: Machine) -> None:
    machine.has("offers-python3", "3.12.3-0")
    machine.stub("bin/id", "echo 1000")
    assert "As root, run: apt-get update && apt-get install -y python3 python3-venv libgl1; then" in machine.refused()
    assert machine.called == []
