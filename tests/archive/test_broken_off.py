"""How long a recording is that a crash ended: known from the next start on, where no key opens it, and borne out by `verify`."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.examine.repair import Repair, repair
from softphone.archive.examine.verify import verify
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, DOCUMENTATION, RATE, Scene, voices

NOW = datetime.now(UTC) + timedelta(days=1)
SECONDS = 14
"""ten to the end of a pause, four whole ones behind it"""
DEMO = True
pytestmark = pytest.mark.usefixtures("english")


def left(desk: Scene, when: str) -> Archive:
    """What a phone that is killed at this moment leaves."""
    folder = desk.folder.with_name(when)
    shutil.copytree(desk.folder, folder, ignore=shutil.ignore_patterns("*-shm"))
    archive = Archive.open(folder, DemoKeyFile(folder / DEMO_KEYS))
    archive.clock = lambda: AT
    return archive


def repaired(archive: Archive) -> list[Repair]:
    return [one.what for one in repair(archive, NOW)]


def test_its_length_is_listed_and_shown_with_the_word_that_it_broke_off(
    desk: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    call = desk.call("call")
    recording = desk.open(call, DOCUMENTATION)
    nothing = left(desk, "before a sound")
    desk.start(call, recording, 0)
    desk.talk(call, voices(2.5))
    desk.recorder.stop(call, recording, 0)
    desk.drained(recording, 0, 40_000)
    pause = left(desk, "in a pause")
    segment = replace(desk.segment(recording, 1, DOCUMENTATION), at=AT + timedelta(seconds=10))
    desk.commit(segment, call=call, recording=recording)
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), 500)
    desk.talk(call, voices(2.3), 600)
    desk.drained_to(recording, 7)
    lost, archive = left(desk, "without its file"), left(desk, "in a word")
    # As long as is certain.
    for one, seconds in ((nothing, 0), (pause, 2)):
        assert repaired(one) == [Repair.BROKE_OFF]
        assert one.find("call-1").seconds == seconds
        assert verify(one).ok

    def told(*words: str, of: Archive = archive) -> str:
        assert cli.main(["archive", "--archive", str(of.folder), *words]) == 0
        return capsys.readouterr().out

    assert archive.find("call-1").seconds is None
    assert "ended         not yet\n" in told("show", "call-1")
    assert json.loads(told("list", "--json"))["broke_off"] is False

    assert repaired(archive) == [Repair.BROKE_OFF]

    opened = archive.open_recording("call-1", AT, role=KeyRole.DOCUMENTATION)
    assert opened.length == SECONDS * RATE - opened.header.delay
    for shown in (json.loads(told("list", "--json")), json.loads(told("show", "call-1", "--json"))):
        assert shown["closed_at"] == (AT + timedelta(seconds=SECONDS)).isoformat()
        assert (shown["seconds"], shown["broke_off"]) == (SECONDS, True)
    # Of the sound: three chunks and four, each segment's last left out, and no pause between them.
    (line,) = told("list").splitlines()
    assert ("  0:05  " in line, line.endswith(", broke off")) == (True, True)
    shown = told("show", "call-1")
    ended = f"{(AT + timedelta(seconds=SECONDS)).astimezone():%Y-%m-%d %H:%M:%S %z}"
    assert f"ended         {ended}, broke off\n" in shown
    assert "length        0:05\n" in shown
    assert repaired(archive) == []

    path = lost.vault.path("call-1")
    # A file that cannot be read now is left for the next start; of one that is gone it is not known.
    elsewhere = path.rename(path.with_suffix(".elsewhere"))
    path.mkdir()
    assert repaired(lost) == []
    path.rmdir()
    elsewhere.unlink()
    assert repaired(lost) == [Repair.BROKE_OFF]
    shown = json.loads(told("list", "--json", of=lost))
    assert (shown["closed_at"], shown["seconds"], shown["broke_off"]) == (None, None, True)
    for one in (nothing, pause, lost, archive):
        one.close()
