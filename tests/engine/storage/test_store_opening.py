"""A call that rings while the archive is still being opened: it is looked up as soon as that is done, and not before."""

from __future__ import annotations

import queue
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import back_up
from softphone.domain.changes import AuditEntry
from softphone.domain.decision import LookupResult
from softphone.domain.errors import ArchiveError
from tests.archive.disk import fill, remount, tmpfs
from tests.archive.scene import AT, DOCUMENTATION, MemoryKeys, scene
from tests.engine.storage.test_store import Desk


@pytest.mark.rule("G31")
def test_a_look_up_waits_for_the_archive_and_is_answered_by_it(tmp_path: Path) -> None:
    may_open = threading.Event()

    def open_slowly() -> Archive:
        assert may_open.wait(20)
        return Archive.open_or_create(tmp_path / "archive", MemoryKeys())

    desk = Desk(open_slowly)
    desk.rings("call")
    with pytest.raises(queue.Empty):
        desk.inbox.get(timeout=0.2)
    assert desk.known == {}
    may_open.set()
    desk.until(lambda: "call" in desk.known)
    assert desk.known["call"].drawn
    assert desk.store.close()


UNWRITABLE = pytest.param(
    ArchiveError("error.archive.unwritable", path=""),
    marks=pytest.mark.expected_log("storage fails: error.archive.unwritable", reason="nothing can be written"),
)


@pytest.mark.parametrize("fault", [ValueError("no id"), KeyError("x"), UNWRITABLE])
@pytest.mark.expected_log("archive not repaired: ", reason="it cannot")
def test_an_archive_that_cannot_be_repaired_is_recorded_into_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def repair(_archive: Archive, _now: datetime, _steady: object) -> list[object]:
        raise fault

    monkeypatch.setattr("softphone.engine.storage.store.repair", repair)
    desk = Desk(lambda: Archive.open_or_create(tmp_path / "archive", MemoryKeys()))
    desk.until(lambda: desk.store.state.works)
    assert desk.store.close()


def test_a_disk_that_is_full_at_the_start_is_said_and_asked_again_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.engine.storage.store._OPEN_AGAIN", 0.05)
    keys = MemoryKeys()
    with tmpfs(tmp_path) as disk:
        Archive.create(disk / "archive", keys).close()
        full = fill(disk)
        desk = Desk(lambda: Archive.open_or_create(disk / "archive", keys))
        desk.until(lambda: desk.store.unopened)
        assert desk.store.state.fault is not None
        assert desk.store.state.fault.code == "error.archive.full"
        assert desk.look_up("meanwhile") == LookupResult()
        full.unlink()
        desk.until(lambda: desk.store.state.works)
        assert desk.store.state.fault is None
        assert desk.look_up("after") != LookupResult()
        assert desk.store.close()


def test_a_disk_that_can_only_be_read_at_first_is_recorded_to_once_it_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.engine.storage.store._OPEN_AGAIN", 0.05)
    keys = MemoryKeys()
    with tmpfs(tmp_path) as disk:
        Archive.create(disk / "archive", keys).close()
        remount(disk, "ro")
        desk = Desk(lambda: Archive.open_or_create(disk / "archive", keys))
        desk.until(lambda: desk.store.state.fault)
        assert desk.store.state.fault is not None
        assert (desk.store.state.fault.code, desk.store.state.works) == ("error.archive.read_only", False)
        with closing(Archive.open(disk / "archive", keys)) as reader:
            assert reader.audit_of() == []
            remount(disk, "rw")
            desk.until(lambda: desk.store.state.works)
            desk.store.note([AuditEntry("noted_after", "G10", AT, "")])
            # Whoever looks on meanwhile is told of it too, before it is in more than the log of pages.
            desk.until(lambda: "noted_after" in {one.event for one in reader.audit_of()})
            assert desk.store.close()


@pytest.mark.expected_log(
    "archive not repaired: error.archive.full", "storage fails: error.archive.full", reason="the disk is full"
)
def test_a_full_disk_that_another_has_open_already_is_said_at_the_start_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.05)
    keys = MemoryKeys()
    with tmpfs(tmp_path) as disk:
        other = Archive.create(disk / "archive", keys)
        other.head(datetime.now(UTC))
        other.catalog.empty_log()
        full = fill(disk)
        desk = Desk(lambda: Archive.open_or_create(disk / "archive", keys))
        desk.until(lambda: desk.store.state.fault)
        assert desk.store.state.fault is not None
        assert desk.store.state.fault.code == "error.archive.full"
        assert not desk.store.state.works
        full.unlink()
        desk.until(lambda: desk.store.state.works)
        assert desk.store.close()
        other.close()


def test_a_second_phone_on_one_archive_waits_for_the_first_and_takes_no_recording_of_it_for_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.engine.storage.store._OPEN_AGAIN", 0.05)
    with scene(tmp_path / "archive") as first:
        first.archive.lock.take_to_write()
        running = first.recorded(1, DOCUMENTATION)
        second = Desk(lambda: Archive.open_or_create(first.folder, first.store))
        second.until(lambda: second.store.state.fault)
        assert second.store.state.fault is not None
        assert second.store.state.fault.code == "error.archive.in_use"
        assert [one.event for one in first.archive.audit_of(running)].count("recording_broke_off") == 0
    second.until(lambda: second.store.state.works)
    assert second.store.close()
    with closing(Archive.open(first.folder, first.store)) as archive:
        assert [one.event for one in archive.audit_of(running)].count("recording_broke_off") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="what is open there cannot be moved")
def test_an_archive_that_is_being_replaced_is_asked_again_until_the_restored_one_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.engine.storage.store._OPEN_AGAIN", 0.05)
    with scene(tmp_path / "archive") as former:
        former.recorded(1, DOCUMENTATION)
        back_up(former.archive, tmp_path / "disk", AT)
    opened: list[Archive] = []
    second, over = threading.Event(), threading.Event()

    def open_archive() -> Archive:
        opened.append(Archive.open_or_create(former.folder, former.store))
        if len(opened) == 2:
            # Opened before the folder is moved aside, and returned after it.
            second.set()
            assert over.wait(20)
        return opened[-1]

    started: list[Desk] = []

    def start(what: str, _done: int, _total: int) -> bool:
        if what == "recordings" and not started:
            started.append(desk := Desk(open_archive))
            desk.until(lambda: desk.store.state.fault)
            assert desk.store.unopened
            assert desk.store.state.fault is not None
            assert desk.store.state.fault.code == "error.backup.replacing"
            desk.store.note([AuditEntry("noted_meanwhile", "G10", AT, "")])
            assert second.wait(20)
        return True

    restore(tmp_path / "disk", former.folder, former.store, AT, replace_archive=True, progress=start)
    over.set()
    (desk,) = started
    desk.until(lambda: desk.store.state.works)
    assert len(opened) == 3
    assert desk.store.close()
    with closing(Archive.open(former.folder, former.store)) as restored:
        assert {"archive_restored", "noted_meanwhile"} <= {one.event for one in restored.audit_of()}


def test_a_desk_makes_no_empty_archive_where_one_is_being_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.engine.storage.store._OPEN_AGAIN", 0.05)
    with scene(tmp_path / "archive") as former:
        former.recorded(1, DOCUMENTATION)
        back_up(former.archive, tmp_path / "disk", AT)
    place = tmp_path / "new"
    started: list[Desk] = []

    def start(what: str, _done: int, _total: int) -> bool:
        if what == "recordings" and not started:
            started.append(desk := Desk(lambda: Archive.open_or_create(place, former.store)))
            desk.until(lambda: desk.store.state.fault or desk.store.state.works)
            assert desk.store.state.fault is not None
            assert desk.store.state.fault.code == "error.backup.restore_unfinished"
            assert not place.exists()
        return True

    restore(tmp_path / "disk", place, former.store, AT, accept_unknown=True, progress=start)
    (desk,) = started
    desk.until(lambda: desk.store.state.works)
    assert desk.store.close()
    with closing(Archive.open(place, former.store)) as restored:
        assert restored.id == former.archive.id
