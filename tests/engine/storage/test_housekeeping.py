"""What all work on the archive between calls has in common: its turns, its faults, its silence beside a call, its end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.domain.errors import ArchiveError
from softphone.engine.storage import housekeeping
from softphone.engine.storage.housekeeping import Housekeeper
from softphone.wire.snapshot import CodedText
from tests.archive.scene import Scene, scene

BUG = "error.backup.not_made"
UNWRITABLE = ArchiveError("error.archive.unwritable", path="catalog.db", detail="disk full")
TOLD = CodedText("error.archive.unwritable", {"path": "catalog.db", "detail": "disk full"})


class Sweeping(Housekeeper):
    """Asks whether it may go on, as often as it gets a turn, and tells what came of it."""

    def __init__(self) -> None:
        super().__init__("test", 0.0, BUG)
        self.turns = threading.Semaphore(0)
        self.told: queue.Queue[CodedText | bool | None] = queue.Queue()
        self.fault: Exception | None = None

    def _turn(self, open_beside: Callable[[], Archive]) -> float:
        self.turns.release()
        self.told.put(self._tried(open_beside, self._work))
        return 3600.0

    def _work(self, archive: Archive) -> CodedText | None:
        if self.fault is not None:
            raise self.fault
        assert archive.list() == []
        self.told.put(self._go_on())
        return None

    def tells(self, count: int = 1) -> list[CodedText | bool | None]:
        return [self.told.get(timeout=20) for _ in range(count)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sweeping]:
    monkeypatch.setattr(housekeeping, "_PATIENCE", 600.0)
    made = Sweeping()
    yield made
    made.stop()


def test_it_has_a_turn_at_the_start_and_one_when_it_is_told_to_look(desk: Scene, keeper: Sweeping) -> None:
    keeper.start(desk.archive.beside)
    assert keeper.tells(2) == [True, None]
    assert keeper.told.empty()
    keeper.look()
    assert keeper.tells(2) == [True, None]


@pytest.mark.expected_log("not done: error.archive.unwritable", "bug ZeroDivisionError", reason="both are planted")
def test_a_fault_is_told_by_its_code_and_a_bug_by_its_kind_and_the_next_turn_comes(
    desk: Scene, keeper: Sweeping
) -> None:
    keeper.fault = UNWRITABLE
    keeper.start(desk.archive.beside)
    assert keeper.tells() == [TOLD]
    keeper.fault = ZeroDivisionError("a number of somebody's")
    keeper.look()
    assert keeper.tells() == [CodedText(BUG, {"detail": "ZeroDivisionError"})]
    keeper.fault = None
    keeper.look()
    assert keeper.tells(2) == [True, None]


@pytest.mark.expected_log("not done: error.archive.unwritable", reason="it cannot be opened")
def test_an_archive_that_cannot_be_opened_is_told_too(keeper: Sweeping) -> None:
    def gone() -> Archive:
        raise UNWRITABLE

    keeper.start(gone)
    assert keeper.tells() == [TOLD]


@pytest.mark.expected_log("not done: error.archive.unwritable", reason="one turn fails")
def test_each_turn_has_an_archive_of_its_own_and_closes_it(
    desk: Scene, keeper: Sweeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Archive] = []
    closed: list[Archive] = []
    close = Archive.close

    def beside() -> Archive:
        opened.append(desk.archive.beside())
        return opened[-1]

    def closes(archive: Archive) -> None:
        closed.append(archive)
        close(archive)

    monkeypatch.setattr(Archive, "close", closes)
    keeper.start(beside)
    keeper.tells(2)
    keeper.fault = UNWRITABLE
    keeper.look()
    keeper.tells()
    assert len(opened) == 2
    assert closed == opened


def test_nothing_is_done_beside_a_call_as_long_as_that_can_wait(
    desk: Scene, keeper: Sweeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.talking(True)
    keeper.start(desk.archive.beside)
    assert keeper.turns.acquire(timeout=20)
    with pytest.raises(queue.Empty):
        keeper.told.get(timeout=0.2)
    keeper.talking(False)
    assert keeper.tells(2) == [True, None]
    keeper.talking(True)
    monkeypatch.setattr(housekeeping, "_PATIENCE", 0.0)
    keeper.look()
    assert keeper.tells(2) == [True, None]


def test_it_ends_at_once_while_it_waits_for_its_time_or_for_silence(desk: Scene, keeper: Sweeping) -> None:
    keeper.start(desk.archive.beside)
    keeper.tells(2)
    keeper.talking(True)
    keeper.look()
    for _ in range(2):
        assert keeper.turns.acquire(timeout=20)
    keeper.stop()
    assert keeper.tells(2) == [False, None]
    assert "test" not in {thread.name for thread in threading.enumerate()}


def test_one_that_was_never_started_can_be_ended(keeper: Sweeping) -> None:
    keeper.stop()
    assert keeper.told.empty()
