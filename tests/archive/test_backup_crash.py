"""kill -9 in the middle of a backup and a restore: the last backup counts, nothing half-made opens, the next run is whole."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.backup.check import check, mend
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import back_up
from softphone.archive.examine.verify import verify
from softphone.domain.changes import CloseRecording, Discard, DropWraps
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, DOCUMENTATION, RATE, TRAINING, Scene

ROOT = Path(__file__).resolve().parents[2]
# It kills itself at the nth thing that it does with the disk: no two machines are as fast, and yet it is the same place.
_DYING = """
import os, pathlib, signal, sys
from datetime import datetime
from pathlib import Path
from softphone.archive.archive import Archive
from softphone.archive.backup.check import check, mend
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import back_up, tell
from softphone.system.secrets import DemoKeyFile
what, at, left = sys.argv[1], datetime.fromisoformat(sys.argv[6]), int(sys.argv[7])
keys, archive, disk, new = map(Path, sys.argv[2:6])
store = DemoKeyFile(keys)
found = check(disk, store)[1] if what == "mend" else []
def counted(real):
    def deed(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return deed
opened = Archive.open(archive, store) if what != "restore" else None
for module, name in ((os, "fsync"), (os, "replace"), (os, "unlink"), (os, "rename"), (os, "open"), (os, "link")):
    setattr(module, name, counted(getattr(module, name)))
for name in ("replace", "unlink", "rename", "open", "mkdir"):
    setattr(pathlib.Path, name, counted(getattr(pathlib.Path, name)))
if what == "backup":
    back_up(opened, disk, at)
elif what == "tell":
    tell(opened, disk, at)
elif what == "mend":
    list(mend(opened, disk, found))
else:
    restore(disk, new, store, at, accept_unknown=True)
print("done", left, flush=True)
"""


class Place:
    """An archive with a backup, of which one recording has been erased since and one narrowed, and one is new."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.disk, self.new = folder / "archive", folder / "disk", folder / "new"
        self.keys = folder / "keys.json"
        self.store = DemoKeyFile(self.keys)
        desk = Scene(self.folder, demo=True, store=self.store)
        made = [desk.recorded(1, DOCUMENTATION, TRAINING) for _ in range(3)]
        self.gone, self.narrowed, self.stays = made
        for recording in made:
            desk.commit(CloseRecording(recording, AT, (DOCUMENTATION, TRAINING)), recording=recording)
        self.wraps = [one.sealed for one in desk.archive.wraps_of(self.gone)]
        back_up(desk.archive, self.disk, AT)
        desk.commit(Discard(self.gone, "withdrawn"), recording=self.gone)
        desk.commit(DropWraps(self.narrowed, KeyRole.TRAINING, "withdrawn"), recording=self.narrowed)
        self.later = desk.recorded(1, DOCUMENTATION)
        desk.commit(CloseRecording(self.later, AT, (DOCUMENTATION,)), recording=self.later)
        desk.close()

    def dies(self, what: str, left: int) -> bool:
        """Whether it died at the disk's `left`th deed; False: it was done before."""
        at = (AT + timedelta(hours=1)).isoformat()
        paths = [str(path) for path in (self.keys, self.folder, self.disk, self.new)]
        words = [sys.executable, "-c", _DYING, what, *paths, at, str(left)]
        ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == -signal.SIGKILL or ended.stdout.startswith("done"), ended.stderr
        return ended.returncode == -signal.SIGKILL

    def opened(self, folder: Path) -> Archive:
        archive = Archive.open(folder, self.store)
        archive.clock = lambda: AT
        return archive

    def prove_restored(self, archive: Archive) -> None:
        left = {row.recording for row in archive.list(AT)}
        assert self.gone not in left
        assert {self.narrowed, self.stays} <= left
        assert KeyRole.TRAINING not in archive.find(self.narrowed, AT).opens_for
        assert archive.open_recording(self.stays, AT, role=KeyRole.TRAINING).length() == RATE
        assert verify(archive).ok, verify(archive).findings


def prove_backup(folder: Path, left: int) -> bool:
    place = Place(folder)
    died = place.dies("backup", left)
    # What counts is whole, whichever it is: the one before, or this one.
    manifest, bad = check(place.disk, place.store)
    assert (manifest.number in (1, 2), bad) == (True, [])
    live = place.opened(place.folder)
    restore(place.disk, place.new, place.store, AT + timedelta(hours=1), erased_in=place.folder)
    archive = place.opened(place.new)
    place.prove_restored(archive)
    archive.close()
    # And the next run leaves nothing of it behind.
    done = back_up(live, place.disk, AT + timedelta(hours=2))
    assert check(place.disk, place.store)[1] == []
    assert done.recordings == 3
    names = {path.name for path in place.disk.rglob("*") if path.is_file()}
    assert not [name for name in names if name.startswith(place.gone) or name.endswith((".part", ".new"))]
    assert len(names) == 7 + 3
    assert verify(live).ok, verify(live).findings
    live.close()
    return died


def prove_restore(folder: Path, left: int) -> bool:
    place = Place(folder)
    assert not place.dies("tell", 10_000)
    died = place.dies("restore", left)
    whole = (place.new / "archive.json").exists()
    assert died or whole
    if not whole:
        assert not place.new.exists() or not any(place.new.iterdir())
        restore(place.disk, place.new, place.store, AT + timedelta(hours=1), accept_unknown=True)
    archive = place.opened(place.new)
    place.prove_restored(archive)
    archive.close()
    assert not any(one in path.read_bytes() for one in place.wraps for path in place.new.rglob("*") if path.is_file())
    assert not place.new.with_name("new.restoring").exists()
    return died


def prove_mended(folder: Path, left: int) -> bool:
    place = Place(folder)
    copies = {path: path.read_bytes() for path in (place.disk / "recordings").glob(f"{place.stays}.*")}
    (copy,) = copies
    whole = copies[copy]
    copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    died = place.dies("mend", left)
    assert copy.exists()
    # The source is as it was, and the next check mends what this one did not.
    live = place.opened(place.folder)
    assert verify(live).ok
    found = check(place.disk, place.store)[1]
    assert found in ([copy.name], [])
    assert list(mend(live, place.disk, found)) == [(name, "mended") for name in found]
    assert check(place.disk, place.store)[1] == []
    assert copy.read_bytes() == copies[copy]
    back_up(live, place.disk, AT + timedelta(hours=2))
    live.close()
    assert not [path for path in place.disk.rglob("*") if path.name.endswith((".part", ".damaged"))]
    return died


@pytest.mark.parametrize("left", [25, 60])
def test_a_backup_that_is_killed_leaves_one_that_counts(tmp_path: Path, left: int) -> None:
    assert prove_backup(tmp_path / "place", left)


@pytest.mark.parametrize("left", [12, 36])
def test_a_restore_that_is_killed_leaves_nothing_half_open(tmp_path: Path, left: int) -> None:
    assert prove_restore(tmp_path / "place", left)


# Its copy is begun, is written, is on the disk, has its name.
@pytest.mark.parametrize("left", [7, 8, 10, 11])
def test_a_copy_is_whole_after_the_next_check_wherever_making_it_anew_was_killed(tmp_path: Path, left: int) -> None:
    assert prove_mended(tmp_path / "place", left)


def test_a_journal_whose_writer_is_killed_tells_it_the_next_time(tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    assert place.dies("tell", 9)
    assert not place.dies("tell", 10_000)
    shutil.rmtree(place.folder)
    restore(place.disk, place.new, place.store, AT + timedelta(hours=1), accept_unknown=True)
    archive = place.opened(place.new)
    place.prove_restored(archive)
    archive.close()


@pytest.mark.torture
@pytest.mark.parametrize("round_", range(60))
def test_a_backup_survives_kill_9_at_any_moment(tmp_path: Path, round_: int) -> None:
    prove_backup(tmp_path / "place", random.Random(round_).randint(0, 86))


@pytest.mark.torture
@pytest.mark.parametrize("round_", range(60))
def test_a_restore_survives_kill_9_at_any_moment(tmp_path: Path, round_: int) -> None:
    prove_restore(tmp_path / "place", random.Random(round_).randint(0, 44))


@pytest.mark.torture
@pytest.mark.parametrize("left", range(13))
def test_making_a_copy_anew_survives_kill_9_at_any_moment(tmp_path: Path, left: int) -> None:
    prove_mended(tmp_path / "place", left)
