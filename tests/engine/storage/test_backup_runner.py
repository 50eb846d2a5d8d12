"""The backup that comes by itself: when it is due, and in between what has ended is told at once; what keeps it is said late."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.backup.check import check
from softphone.archive.backup.run import Health, back_up, health
from softphone.domain.changes import Discard
from softphone.domain.errors import SettingsError
from softphone.engine.storage import backup_runner, housekeeping
from softphone.engine.storage.backup_runner import BackupRunner
from softphone.wire.snapshot import CodedText
from tests.archive.scene import AT, DOCUMENTATION, MemoryKeys, Scene, scene
from tests.engine.storage.test_store import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


class Running:
    """A runner whose clock is moved by hand, and whose every look at the archive can be awaited."""

    def __init__(self, desk: Scene, disk: Path, every: str = "P1D") -> None:
        self.desk = desk
        self.now = AT
        self.reports: queue.Queue[CodedText | None] = queue.Queue()
        self.looks = threading.Semaphore(0)
        self.runner = BackupRunner(str(disk), every, self.reports.put, now=lambda: self.now, first=0)

    def beside(self) -> Archive:
        self.looks.release()
        return self.desk.archive.beside()

    def look(self) -> None:
        """The next look, and the end of the one before."""
        self.runner.look()
        assert self.looks.acquire(timeout=20)

    def until(self, ready: Callable[[Health], bool]) -> None:
        """Looks until it is so."""
        for _ in range(50):
            if (found := health(self.desk.archive)) and ready(found[0]):
                return
            self.look()
        raise AssertionError(health(self.desk.archive))


@pytest.fixture
def running(desk: Scene, tmp_path: Path) -> Iterator[Running]:
    made = Running(desk, tmp_path / "disk")
    yield made
    made.runner.stop()


def test_it_backs_up_when_it_is_due_and_tells_at_once_what_has_ended(
    desk: Scene, running: Running, tmp_path: Path
) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    running.runner.start(running.beside)
    assert running.reports.get(timeout=20) is None
    assert check(tmp_path / "disk", desk.store)[0].number == 1
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    running.until(lambda state: (state.number, state.waiting) == (1, 0))
    running.now += timedelta(days=1)
    running.look()
    assert running.reports.get(timeout=20) is None
    assert (check(tmp_path / "disk", desk.store)[0].number, check(tmp_path / "disk", desk.store)[1]) == (2, [])


@pytest.mark.expected_log("not done: error.backup.away", reason="the disk is away")
def test_a_disk_that_is_away_is_said_once_the_backup_is_overdue(
    desk: Scene, running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    back_up(desk.archive, disk, AT)
    disk.rename(tmp_path / "away")
    running.now += timedelta(hours=30)
    running.runner.start(running.beside)
    running.look()
    running.look()
    assert running.reports.empty()
    running.now += timedelta(hours=20)
    running.look()
    said = running.reports.get(timeout=20)
    assert said is not None
    assert said.code == "error.backup.away"
    (tmp_path / "away").rename(disk)
    running.look()
    while (said := running.reports.get(timeout=20)) is not None:
        assert said.code == "error.backup.away"
    assert check(disk, desk.store)[0].number == 2


@pytest.mark.expected_log("not done: error.backup.unfinished", reason="its manifest is gone")
def test_a_folder_that_can_no_longer_be_told_is_backed_up_anew(desk: Scene, running: Running, tmp_path: Path) -> None:
    back_up(desk.archive, tmp_path / "disk", AT)
    (tmp_path / "disk" / "generation-1" / "manifest.json").unlink()
    running.runner.start(running.beside)
    running.until(lambda state: state.number == 2)
    assert check(tmp_path / "disk", desk.store)[1] == []


def test_nothing_is_copied_beside_a_call(
    desk: Scene, running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_PATIENCE", 600.0)
    desk.recorded(1, DOCUMENTATION)
    running.runner.talking(True)
    running.runner.start(running.beside)
    running.looks.acquire(timeout=20)
    assert running.reports.empty()
    assert not list((tmp_path / "disk" / "recordings").glob("*.ktr")) if (tmp_path / "disk").exists() else True
    running.runner.talking(False)
    assert running.reports.get(timeout=20) is None
    assert list((tmp_path / "disk" / "recordings").glob("*.ktr"))


@pytest.mark.rule("G10")
def test_what_ends_while_a_run_waits_for_the_calls_is_told_to_the_backup_that_counts(
    desk: Scene, running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_PATIENCE", 600.0)
    monkeypatch.setattr(backup_runner, "LOOK", 0.0)
    gone, _stays = desk.recorded(1, DOCUMENTATION), desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, tmp_path / "disk", AT)
    running.now += timedelta(days=1)
    running.runner.talking(True)
    running.runner.start(running.beside)
    wait = threading.Event()
    while not (tmp_path / "disk" / "generation-2.new" / "wraps.bin").exists():
        assert not wait.wait(0.01)
    desk.commit(Discard(gone, "withdrawn"), recording=gone)
    left = 1000
    while health(desk.archive)[0].waiting and left:
        left -= 1
        wait.wait(0.01)
    assert [(one.number, one.waiting) for one in health(desk.archive)] == [(1, 0)]
    assert {path.name for path in (tmp_path / "disk").glob("generation-*")} == {"generation-1", "generation-2.new"}
    running.runner.talking(False)
    assert running.reports.get(timeout=20) is None
    assert [(one.number, one.waiting, one.cleared) for one in health(desk.archive)] == [(2, 0, True)]
    assert check(tmp_path / "disk", desk.store)[1] == []


def test_one_that_is_ended_in_the_middle_says_nothing(desk: Scene, running: Running) -> None:
    desk.recorded(1, DOCUMENTATION)
    running.runner.talking(True)
    running.runner.start(running.beside)
    running.looks.acquire(timeout=20)
    running.runner.stop()
    assert running.reports.empty()


@pytest.mark.parametrize(("folder", "every"), [("disk", "P1D"), ("/disk", "often"), ("/disk", "P0D")])
def test_a_setting_that_means_nothing_is_said(folder: str, every: str) -> None:
    with pytest.raises(SettingsError):
        BackupRunner(folder, every, lambda _said: None)


@pytest.mark.parametrize(("every", "hours"), [("PT12H", 12), ("P1D", 24), ("P1W", 168), ("P1M", 720)])
def test_how_often_is_counted_from_the_last(desk: Scene, tmp_path: Path, every: str, hours: int) -> None:
    running = Running(desk, tmp_path / "disk", every)
    assert running.runner._due(AT) - AT == timedelta(hours=hours)


def test_it_is_the_stores_to_start_and_to_end(tmp_path: Path) -> None:
    keys, folder = MemoryKeys(), tmp_path / "archive"
    told: list[CodedText | None] = []
    desk = Desk(lambda: Archive.open_or_create(folder, keys))
    desk.store.backup = BackupRunner(str(tmp_path / "disk"), "P1D", told.append, first=0)
    desk.until(lambda: desk.store.opened)
    wait = threading.Event()
    for _ in range(2000):
        if told:
            break
        wait.wait(0.005)
    assert told == [None]
    assert desk.store.close()
    assert check(tmp_path / "disk", keys)[1] == []
