"""Commands that cannot be carried out end with status 1 and one sentence on stderr: what happened and what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.bootstrap.home import DEMO_KEYS
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.wire.snapshot import Settings
from tests.journeys.fault_words import told_plainly
from tests.peers.gnome_keyring import State, gnome_keyring
from tests.peers.second_phone import ROOT

pytestmark = pytest.mark.journey

NO_BUS = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"}


Done = subprocess.CompletedProcess[str]
Typed = Callable[..., Done]


def klartone(*words: str, env: Mapping[str, str]) -> Done:
    """In a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "softphone.cli", *words],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """In this one, where no keyring is."""
    for name, value in NO_BUS.items():
        monkeypatch.setenv(name, value)

    def command(*words: str) -> Done:
        try:
            status = cli.main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return Done(words, status, said.out, said.err)

    return command


def refused(done: Done) -> str:
    """Its one sentence."""
    assert done.returncode == 1, done
    assert not done.stdout
    said = done.stderr.strip()
    assert "\n" not in said, said
    assert said.endswith("."), said
    assert said.count(". ") >= 1, f"nothing to do about it: {said}"
    told_plainly(said)
    return said


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo's archive with nothing in it."""
    folder = tmp_path_factory.mktemp("archive")
    Archive.create(folder, DemoKeyFile(folder / DEMO_KEYS), demo=True).close()
    return folder


@pytest.mark.parametrize("command", [["show"], ["play"], ["export", "--wav", "out.wav"]])
def test_an_id_that_nothing_has_is_one_sentence(archive: Path, typed: Typed, command: list[str]) -> None:
    name, *rest = command
    said = refused(typed("archive", "--archive", str(archive), name, "0199ffff", *rest))
    assert "0199ffff" in said


@pytest.mark.parametrize("command", ["list", "sweep", "verify"])
@pytest.mark.parametrize("place", ["nothing", "a file", "a folder"])
def test_no_archive_is_one_sentence(tmp_path: Path, typed: Typed, command: str, place: str) -> None:
    where = tmp_path / "archive"
    if place == "a file":
        where.write_text("x")
    if place == "a folder":
        where.mkdir()
    assert str(where) in refused(typed("archive", "--archive", str(where), command))
    assert where.exists() == (place != "nothing")


@pytest.mark.peer("gnome-keyring")
@pytest.mark.parametrize("state", ["locked", "absent"])
def test_a_keyring_that_is_locked_or_missing_is_one_sentence_for_new_keys(tmp_path: Path, state: State) -> None:
    home = str(tmp_path / "home")
    with gnome_keyring("unlocked") as service:
        made = klartone("--home", home, "keys", "create", "training", "--id", "lead-1", env=service.env)
        assert made.returncode == 0, made.stderr
        assert "public_key" in made.stdout
    with gnome_keyring(state) as service:
        refused(klartone("--home", home, "keys", "create", "training", "--id", "lead-2", env=service.env))


@pytest.mark.parametrize("damage", ["catalog.db", "archive.json", DEMO_KEYS])
def test_a_damaged_archive_is_one_sentence(tmp_path: Path, typed: Typed, damage: str) -> None:
    folder = tmp_path / "archive"
    Archive.create(folder, DemoKeyFile(folder / DEMO_KEYS), demo=True).close()
    (folder / damage).write_bytes(b"\x00\xff" * 2048)
    refused(typed("archive", "--archive", str(folder), "list"))


@pytest.mark.parametrize(
    "words", [["archive"], ["keys"], ["archive", "show"], ["nonsense"], ["archive", "sweep", "--now", "soon"]]
)
def test_a_wrong_command_line_is_status_2_and_says_how_it_is_used(typed: Typed, words: list[str]) -> None:
    done = typed(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: klartone")
    told_plainly(done.stderr)


def test_an_engine_whose_port_is_taken_says_so_and_ends(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
        save_settings(tmp_path / "config", Settings(bind="127.0.0.1", port=port, microphone="none", speaker="none"))
        said = refused(klartone("--home", str(tmp_path), "engine", env=NO_BUS))
    assert str(port) in said
