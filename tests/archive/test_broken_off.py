"""How long a recording is that a crash ended: known from the next start on, where no key opens it, and borne out by `verify`."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.examine.repair import Repair, repair
from softphone.archive.examine.verify import verify
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, RATE

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime.now(UTC) + timedelta(days=1)
SECONDS = 14
"""ten to the end of a pause, four whole ones behind it"""
CALL = """
import os, signal, sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from softphone.bootstrap.home import DEMO_KEYS
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, DOCUMENTATION, Scene, voices

folder = Path(sys.argv[1])
desk = Scene(folder, demo=True, store=DemoKeyFile(folder / DEMO_KEYS))
call = desk.call("call")
recording = desk.open(call, DOCUMENTATION)
if sys.argv[2] != "nothing":
    desk.start(call, recording, 0)
    desk.talk(call, voices(2.5))
    desk.recorder.stop(call, recording, 0)
    desk.drained(recording, 0, 40_000)
    if sys.argv[2] == "talk":
        segment = replace(desk.segment(recording, 1, DOCUMENTATION), at=AT + timedelta(seconds=10))
        desk.commit(segment, call=call, recording=recording)
        desk.start(call, recording, 1)
        desk.talk(call, voices(1), 500)
        desk.talk(call, voices(2.3), 600)
        desk.drained_to(recording, 7)
os.kill(os.getpid(), signal.SIGKILL)
"""
pytestmark = [
    pytest.mark.usefixtures("english"),
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX's"),
]
Killed = Callable[[str], Archive]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder that a phone left which was killed while somebody talked, in a pause, or before there was a sound."""

    @cache
    def run(when: str) -> Path:
        folder = tmp_path_factory.mktemp("left") / "archive"
        child = subprocess.run([sys.executable, "-c", CALL, str(folder), when], cwd=ROOT, check=False, timeout=60)
        assert child.returncode == -signal.SIGKILL
        return folder

    return run


@pytest.fixture
def killed(folder: Path, left: Callable[[str], Path]) -> Iterator[Killed]:
    """A copy of its archive."""
    opened: list[Archive] = []

    def run(when: str) -> Archive:
        shutil.copytree(left(when), folder)
        opened.append(Archive.open(folder, DemoKeyFile(folder / DEMO_KEYS)))
        opened[0].clock = lambda: AT
        return opened[0]

    yield run
    for one in opened:
        one.close()


@pytest.fixture
def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: str) -> str:
        assert cli.main(["archive", "--archive", str(folder), *words]) == 0
        return capsys.readouterr().out

    return run


def repaired(archive: Archive) -> list[Repair]:
    return [one.what for one in repair(archive, NOW)]


def test_its_length_is_listed_and_shown_with_the_word_that_it_broke_off(
    killed: Killed, told: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = killed("talk")
    assert archive.find("call-1").seconds is None
    assert "ended         not yet\n" in told("show", "call-1")
    assert json.loads(told("list", "--json"))["broke_off"] is False

    assert repaired(archive) == [Repair.BROKE_OFF]

    opened = archive.open_recording("call-1", AT, role=KeyRole.DOCUMENTATION)
    assert opened.length() == SECONDS * RATE - opened.header.delay
    for shown in (json.loads(told("list", "--json")), json.loads(told("show", "call-1", "--json"))):
        assert shown["closed_at"] == (AT + timedelta(seconds=SECONDS)).isoformat()
        assert (shown["seconds"], shown["broke_off"]) == (SECONDS, True)
    # Of the sound: three chunks and four, each segment's last left out, and no pause between them.
    (line,) = told("list").splitlines()
    assert "  0:05  " in line
    assert line.endswith(", broke off")
    shown = told("show", "call-1")
    ended = f"{(AT + timedelta(seconds=SECONDS)).astimezone():%Y-%m-%d %H:%M:%S %z}"
    assert f"ended         {ended}, broke off\n" in shown
    assert "length        0:05\n" in shown
    monkeypatch.setenv("LC_ALL", "da_DK.UTF-8")
    assert f"sluttet       {ended}, blev afbrudt\n" in told("show", "call-1")
    assert repaired(archive) == []


def test_whoever_exports_it_is_told_that_alone_and_not_to_look_in_a_backup(
    killed: Killed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = killed("talk")
    repaired(archive)
    words = ["archive", "--archive", str(archive.folder), "export", "call-1", "--wav"]
    assert cli.main([*words, str(tmp_path / "one.wav")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The recording broke off after ")
    assert "backup" not in said
    path = archive.vault.path("call-1")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert cli.main([*words, str(tmp_path / "two.wav")]) == 1
    assert "look for it in the backup" in capsys.readouterr().err


@pytest.mark.parametrize(("when", "seconds"), [("pause", 2), ("nothing", 0)])
def test_killed_in_a_pause_or_before_a_sound_it_is_as_long_as_is_certain(
    killed: Killed, when: str, seconds: int
) -> None:
    archive = killed(when)
    assert repaired(archive) == [Repair.BROKE_OFF]
    assert archive.find("call-1").seconds == seconds
    assert verify(archive).ok


def test_of_a_file_that_cannot_be_read_it_is_not_known(killed: Killed, told: Callable[..., str]) -> None:
    archive = killed("talk")
    archive.vault.path("call-1").unlink()
    assert repaired(archive) == [Repair.BROKE_OFF]
    shown = json.loads(told("list", "--json"))
    assert (shown["closed_at"], shown["seconds"], shown["broke_off"]) == (None, None, True)
    assert "ended         broke off\n" in told("show", "call-1")


def test_one_whose_file_could_not_be_read_at_that_start_has_its_end_from_the_next_that_can(killed: Killed) -> None:
    archive = killed("talk")
    path = archive.vault.path("call-1")
    elsewhere = path.with_suffix(".elsewhere")
    path.rename(elsewhere)
    path.mkdir()
    assert repaired(archive) == []
    path.rmdir()
    elsewhere.rename(path)
    assert repaired(archive) == [Repair.BROKE_OFF]
    assert archive.find("call-1").seconds == SECONDS
    assert verify(archive).ok
