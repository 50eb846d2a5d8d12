"""kill -9 in the middle of a backup and a restore: the last backup counts, nothing half-made opens, the next run is whole."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.backup.check import check, mend
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import back_up, tell
from softphone.archive.examine.verify import verify
from softphone.domain.changes import CloseRecording, Discard, DropWraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, DOCUMENTATION, RATE, TRAINING, Scene

ROOT = Path(__file__).resolve().parents[2]
SOON = AT + timedelta(hours=1)
# It tells what it does with the disk, and kills itself before the nth thing: no two machines are as fast, and yet it is the
# same place.
_DYING = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from softphone.archive.archive import Archive
from softphone.archive.backup.check import check, mend
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import back_up, tell
from softphone.system.secrets import DemoKeyFile
what, at, left = sys.argv[1], datetime.fromisoformat(sys.argv[5]), int(sys.argv[6])
keys, archive, disk = map(Path, sys.argv[2:5])
store = DemoKeyFile(keys)
found = check(disk, store)[1] if what == "mend" else []
def counted(name, real):
    def deed(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        print(name, flush=True)
        return real(*arguments, **named)
    return deed
opened = Archive.open(archive, store) if not what.startswith("restore") else None
for name in ("fsync", "replace", "unlink", "rename", "open", "mkdir", "rmdir"):
    setattr(os, name, counted(name, getattr(os, name)))
if what == "backup":
    back_up(opened, disk, at)
elif what == "tell":
    tell(opened, disk, at)
elif what == "mend":
    list(mend(opened, disk, found))
else:
    restore(disk, archive, store, at, replace_archive=what == "restore", accept_unknown=what == "restore-lost")
print("done", flush=True)
"""


class Place:
    """An archive with a backup, of which one recording has been erased since and one narrowed, and one is new."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.disk, self.keys = folder / "archive", folder / "disk", folder / "keys.json"
        self.store = DemoKeyFile(self.keys)

    @classmethod
    def made(cls, folder: Path) -> Place:
        folder.mkdir()
        place = cls(folder)
        desk = Scene(place.folder, demo=True, store=place.store)

        def closed() -> str:
            recording = desk.recorded(1, DOCUMENTATION, TRAINING)
            desk.commit(CloseRecording(recording, AT, (DOCUMENTATION, TRAINING)), recording=recording)
            return recording

        place.gone, place.narrowed, place.stays = (closed() for _ in range(3))
        place.wraps = [one.sealed for one in desk.archive.wraps_of(place.gone)]
        back_up(desk.archive, place.disk, AT)
        desk.commit(Discard(place.gone, "withdrawn"), recording=place.gone)
        desk.commit(DropWraps(place.narrowed, KeyRole.TRAINING, "withdrawn"), recording=place.narrowed)
        place.later = closed()
        desk.close()
        return place

    def copied(self, folder: Path) -> Place:
        shutil.copytree(self.folder.parent, folder)
        other = Place(folder)
        for name in ("gone", "narrowed", "stays", "later", "wraps"):
            setattr(other, name, getattr(self, name))
        return other

    gone: str
    narrowed: str
    stays: str
    later: str
    wraps: list[bytes]

    def deeds(self, what: str, left: int = 10_000) -> tuple[list[str], bool]:
        """What it does with the disk, and whether it was killed before the one with this number."""
        paths = [str(path) for path in (self.keys, self.folder, self.disk)]
        words = [sys.executable, "-c", _DYING, what, *paths, SOON.isoformat(), str(left)]
        ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        done = ended.stdout.split()
        assert ended.returncode == -signal.SIGKILL or done[-1:] == ["done"], ended.stderr
        return [one for one in done if one != "done"], ended.returncode == -signal.SIGKILL

    def opened(self, folder: Path) -> Archive:
        archive = Archive.open(folder, self.store)
        archive.clock = lambda: AT
        return archive

    def prove(self, archive: Archive, *, later: bool = True) -> None:
        """All that it had is there, and nothing that had gone."""
        left = {row.recording for row in archive.list(AT)}
        assert left == {self.narrowed, self.stays, *([self.later] if later else [])}
        assert KeyRole.TRAINING not in archive.find(self.narrowed, AT).opens_for
        assert archive.open_recording(self.stays, AT, role=KeyRole.TRAINING).length == RATE
        assert not [one for one in verify(archive).findings if one.code not in ("former_left", "restore_left")]
        assert not any(
            one in path.read_bytes() for one in self.wraps for path in archive.folder.rglob("*") if path.is_file()
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place.made(tmp_path_factory.mktemp("crash") / "place")


def points(deeds: list[str], *, all_: bool) -> list[int]:
    """Before each deed that gives a folder the name by which it counts, and behind the last of them."""
    if all_:
        return [*range(len(deeds))]
    names = [number for number, deed in enumerate(deeds) if deed == "rename"]
    return [*names, names[-1] + 1]


@pytest.mark.parametrize(
    ("what", "all_"),
    [
        *((what, False) for what in ("backup", "restore", "restore-lost")),
        *(
            pytest.param(what, True, marks=[pytest.mark.torture, pytest.mark.timeout(3600)])
            for what in ("backup", "tell", "mend", "restore", "restore-lost")
        ),
    ],
)
def test_whatever_is_killed_leaves_what_counted_before_and_the_next_run_is_whole(
    made: Place, tmp_path: Path, what: str, all_: bool
) -> None:
    if what == "mend":
        made = made.copied(tmp_path / "hurt")
        (copy,) = (made.disk / "recordings").glob(f"{made.stays}.*")
        copy.write_bytes(b"x" + copy.read_bytes()[1:])
    if what == "restore-lost":
        made = made.copied(tmp_path / "lost")
        lose(made)
    deeds, died = made.copied(tmp_path / "counted").deeds(what)
    assert not died
    for left in points(deeds, all_=all_):
        place = made.copied(tmp_path / f"{left}")
        assert place.deeds(what, left)[1]
        proves = {"restore": prove_replaced, "restore-lost": prove_anew, "mend": prove_mended}
        proves.get(what, prove_backup)(place)
        shutil.rmtree(tmp_path / f"{left}")


def prove_backup(place: Place) -> None:
    # What counts is whole, whichever it is: the one before, or this one.
    manifest, bad = check(place.disk, place.store)
    assert (manifest.number in (1, 2), bad) == (True, [])
    with closing(place.opened(place.folder)) as live:
        tell(live, place.disk, SOON)
        new = place.folder.with_name("new")
        restore(place.disk, new, place.store, SOON, accept_unknown=True)
        with closing(place.opened(new)) as archive:
            place.prove(archive, later=manifest.number == 2)
        # And the next run leaves nothing of it behind.
        assert back_up(live, place.disk, SOON).recordings == 3
        assert check(place.disk, place.store)[1] == []
        names = {path.name for path in place.disk.rglob("*") if path.is_file()}
        assert not [name for name in names if name.startswith(place.gone) or name.endswith(".new")]
        assert len(names) == 6 + 3
        place.prove(live)


def prove_mended(place: Place) -> None:
    assert len([*(place.disk / "recordings").glob(f"{place.stays}.*.ktr")]) == 1
    with closing(place.opened(place.folder)) as live:
        place.prove(live)
        found = check(place.disk, place.store)[1]
        assert list(mend(live, place.disk, found)) == [(name, "mended") for name in found]
        assert check(place.disk, place.store)[1] == []
        back_up(live, place.disk, SOON)
        assert not list(place.disk.rglob("*.new"))


def prove_replaced(place: Place) -> None:
    """The old archive or the new one; where a kill came between two names, the next run puts the old one back first."""
    stood = (place.folder / "archive.json").exists()
    if stood:
        with closing(place.opened(place.folder)) as archive:
            place.prove(archive)
    else:
        # A desk that starts now does not go on with an empty archive.
        with pytest.raises(ArchiveError) as error:
            Archive.open_or_create(place.folder, place.store, demo=True)
        assert (error.value.code, place.folder.exists()) == ("error.backup.restore_unfinished", False)
    restore(place.disk, place.folder, place.store, SOON, replace_archive=True)
    with closing(place.opened(place.folder)) as archive:
        place.prove(archive)
    assert not place.folder.with_name("archive.restoring").exists()
    assert all(not (one / "archive.json").exists() for one in place.folder.parent.glob("archive.before-*"))


def lose(place: Place) -> None:
    """The archive is lost after a backup of all its changes; a folder from before them was once moved aside."""
    older = place.folder.with_name("archive.before-20251101T000000")
    restore(place.disk, older, place.store, SOON, accept_unknown=True)
    with closing(place.opened(older)) as archive:
        assert place.gone in {row.recording for row in archive.list(AT)}
    (older / "archive.json").rename(older / "archive.json.replaced")
    with closing(place.opened(place.folder)) as live:
        back_up(live, place.disk, SOON)
    shutil.rmtree(place.folder)


def prove_anew(place: Place) -> None:
    """No older folder takes the place: what has been erased since would be heard again."""
    if not place.folder.exists():
        restore(place.disk, place.folder, place.store, SOON, accept_unknown=True)
    with closing(place.opened(place.folder)) as archive:
        place.prove(archive)
    left = {path.name for path in place.folder.parent.iterdir()}
    assert left == {"archive", "archive.before-20251101T000000", "disk", "keys.json"}
