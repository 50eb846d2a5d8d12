"""A disk that is full, a folder that cannot be written, a catalog that is busy: told with a reason, and recovered from."""

from __future__ import annotations

import errno
import importlib
import json
import os
import queue
import sqlite3
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import insert

from softphone.archive.archive import MARKER, Archive
from softphone.archive.crypto.wraps import master_name, new_master
from softphone.archive.examine.verify import verify
from softphone.archive.files.container import Header
from softphone.archive.files.opus import codec_header
from softphone.archive.files.reader import OpenedRecording
from softphone.archive.files.vault import Vault
from softphone.archive.schema.tables import meta
from softphone.domain.changes import CloseRecording, Commit, Discard, DropWraps, HoldBy
from softphone.domain.errors import ArchiveError, KeyringError
from softphone.domain.purpose import KeyRole, Reason
from tests.archive.holds import raise_hold
from tests.archive.scene import (
    AT,
    DOCUMENTATION,
    FRAME,
    NUMBER,
    RATE,
    TRAINING,
    CommitFailedError,
    MemoryKeys,
    Scene,
    scene,
    voices,
)


@contextmanager
def busy(desk: Scene) -> Generator[None]:
    """Another program writes to the catalog and does not end."""
    other = importlib.import_module("sqlcipher3.dbapi2").connect(
        str(desk.folder / "catalog.db"), isolation_level=None, check_same_thread=False
    )
    other.execute(f"PRAGMA key=\"x'{desk.archive.secrets.catalog.hex()}'\"")
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def found(desk: Scene) -> list[str]:
    """But that nothing is signed yet: an entry that had to wait has the true time, all others the scene's."""
    return [one.code for one in verify(desk.archive).findings if one.code != "checkpoint_none"]


def works_again(desk: Scene) -> None:
    while desk.storage[-1:] != [True]:
        assert desk.storage_changed.wait(10)
        desk.storage_changed.clear()


@pytest.fixture(autouse=True)
def _probes_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.05)


def test_a_busy_catalog_fails_the_commit_with_its_reason_and_works_again_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Less than people would wait.
    monkeypatch.setattr("softphone.archive.catalog.database._BUSY_MS", 50)
    with scene(tmp_path / "archive") as desk:
        recording = desk.recorded(1, DOCUMENTATION, TRAINING)
        with busy(desk):
            with pytest.raises(CommitFailedError) as failed:
                desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"))
            assert failed.value.reason is Reason.STORAGE_FAILED
            assert desk.storage == [False]
        works_again(desk)
        desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"))
        assert KeyRole.TRAINING not in desk.archive.find(recording).opens_for


def test_storage_that_failed_is_tried_again_also_while_work_never_ends(desk: Scene) -> None:
    told, over, left = list[bool](), threading.Event(), iter(range(500))

    def more(*_: object) -> None:
        if told[-1:] == [True] or next(left, None) is None:
            over.set()
        else:
            ledger.submit(Commit(0, (), ()))

    ledger = desk.archive.ledger(more, more, lambda works, _detail: told.append(works))
    ledger.start()
    ledger.suspect("full")
    more()
    assert over.wait(30)
    assert told == [False, True]
    assert ledger.stop()


@pytest.mark.parametrize("file_stays", [False, True])
def test_a_commit_that_fails_half_way_leaves_neither_row_nor_entry_and_nothing_in_the_way_of_the_next(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, file_stays: bool
) -> None:
    call = desk.call()
    with monkeypatch.context() as patch:
        failed = ArchiveError("error.archive.gone", path="catalog.db", detail="")
        patch.setattr("softphone.archive.log.audit.append", Mock(side_effect=failed))
        if file_stays:
            patch.setattr(Path, "unlink", Mock(side_effect=OSError(errno.EROFS, os.strerror(errno.EROFS))))
        with pytest.raises(CommitFailedError):
            desk.open(call, DOCUMENTATION)
    assert desk.archive.list() == []
    assert desk.archive.vault.recordings() == ([f"{call}-1"] if file_stays else [])
    # Until then the ledger probes the storage, by the connection that the archive here writes by too.
    works_again(desk)
    recording = desk.recorded(1, DOCUMENTATION, call=call)
    assert desk.archive.open_recording(recording, AT).length == 50 * FRAME
    assert found(desk) == []


def test_a_file_that_is_there_is_begun_anew_where_it_holds_no_sound_and_else_left_alone(
    desk: Scene, tmp_path: Path
) -> None:
    sound = desk.archive.vault.path(desk.recorded(1, DOCUMENTATION)).read_bytes()
    vault, own = Vault(tmp_path), _header("call-1")
    path = vault.path("call-1")
    for left in (b"", own[:7], own[:60], own, bytes(300)):
        path.write_bytes(left)
        vault.create("call-1", AT)
        assert path.read_bytes() == own
    for there in (sound, own + b"\0", _header("call-2"), b"a letter"):
        path.write_bytes(there)
        with pytest.raises(ArchiveError) as refused:
            vault.create("call-1", AT)
        assert refused.value.code == "error.archive.unwritable"
        assert path.read_bytes() == there


@pytest.mark.parametrize("away", ["the folder", "the recordings"])
def test_a_folder_that_is_taken_away_in_mid_call_loses_nothing_and_takes_more_when_it_is_back(
    desk: Scene, away: str
) -> None:
    of = desk.call()
    recording = desk.open(of, DOCUMENTATION)
    desk.start(of, recording, 0)
    desk.talk(of, voices(2))
    desk.drained_to(recording, 2)
    folder = desk.folder if away == "the folder" else desk.folder / "recordings"
    elsewhere = folder.rename(folder.with_name("away"))
    with pytest.raises(CommitFailedError) as failed:
        desk.open(desk.call(), DOCUMENTATION)
    assert failed.value.reason is Reason.STORAGE_FAILED
    if away == "the folder":
        with pytest.raises(ArchiveError) as refused:
            desk.archive.list()
        assert refused.value.code == "error.archive.gone"
    elsewhere.rename(folder)
    works_again(desk)
    desk.recorder.stop(of, recording, 0)
    desk.drained(recording, 0, 100 * FRAME)
    desk.recorded(1, DOCUMENTATION)
    assert found(desk) == []


def _header(recording: str) -> bytes:
    return Header(recording, AT, *codec_header(), "UTC").pack()


# --- a disk that answers with a fault, late, or not at all ------------------------------------------


@pytest.mark.parametrize(("call", "fault"), [("write", errno.ENOSPC), ("fdatasync", errno.EIO)])
def test_whatever_a_write_is_refused_for_the_recording_ends_at_once_and_what_was_sealed_is_safe(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, call: str, fault: int
) -> None:
    of = desk.call()
    recording = desk.open(of, DOCUMENTATION)
    desk.start(of, recording, 0)
    desk.talk(of, voices(2))
    desk.drained_to(recording, 2)
    before = desk.archive.vault.path(recording).read_bytes()

    def refused(*_: object) -> int:
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patch:
        patch.setattr(f"softphone.archive.files.vault.os.{call}", refused)
        desk.talk(of, voices(1.5), first=100)
        assert desk.failed.wait(10)
        assert desk.failures == [Reason.STORAGE_FAILED]
        assert desk.storage_changed.wait(10)
        assert desk.storage[:1] == [False]
    assert desk.archive.vault.path(recording).read_bytes() == before
    works_again(desk)
    # It takes more again, in a segment of its own.
    desk.commit(desk.segment(recording, 1, DOCUMENTATION), recording=recording)
    desk.start(of, recording, 1)
    desk.talk(of, voices(1), first=300)
    desk.recorder.stop(of, recording, 1)
    desk.drained(recording, 1, 50 * FRAME)
    assert {finding.code for finding in verify(desk.archive).findings} == {"broke_off"}
    opened = desk.archive.open_recording(recording, AT)
    assert [segment.complete for segment in opened.segments] == [False, True]


def test_a_disk_that_does_not_answer_holds_up_neither_who_feeds_nor_who_stops_and_nothing_is_lost(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, other = desk.call(), desk.call()
    recording, beside = desk.open(of, DOCUMENTATION), desk.open(other, DOCUMENTATION)
    stalled = _StalledSync(monkeypatch)
    desk.start(of, recording, 0)
    desk.talk(of, voices(1.2))
    assert stalled.entered.wait(10)
    # The media thread, and the loop: another call begins, this one ends, its state is committed.
    desk.talk(of, voices(2), first=60)
    desk.start(other, beside, 0)
    desk.talk(other, voices(2))
    desk.recorder.stop(other, beside, 0)
    desk.recorder.stop(of, recording, 0)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    assert not desk.recorder.close(timeout=0.1)
    stalled.go.set()
    desk.drained(recording, 0, 160 * FRAME)
    desk.drained(beside, 0, 100 * FRAME)
    assert found(desk) == []


class _StalledSync:
    """From here on the disk takes what it is given, and does not say so until it is let go."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.entered, self.go = threading.Event(), threading.Event()
        answered = os.fdatasync

        def stall(descriptor: int) -> None:
            self.entered.set()
            assert self.go.wait(30)
            answered(descriptor)

        patch.setattr("softphone.archive.files.vault.os.fdatasync", stall)


@pytest.mark.rule("G10")
@pytest.mark.parametrize("held", [False, True])
def test_what_waits_for_a_stalled_disk_at_the_last_no_goes_or_stays_with_the_rest(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    of = desk.call()
    recording = desk.open(of, DOCUMENTATION)
    desk.start(of, recording, 0)
    stalled = _StalledSync(monkeypatch)
    desk.talk(of, voices(3.5))
    assert stalled.entered.wait(10)
    if held:
        raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "bo", AT)
    desk.recorder.stop(of, recording, 0)
    desk.ledger.submit(Commit(1_000, (Discard(recording, "declined_by_key"),), ()))
    stalled.go.set()
    desk.commit(call="another")
    assert desk.recorder.close()
    path = desk.archive.vault.path(recording)
    assert path.exists() is held
    if held:
        (segment,) = OpenedRecording.open(path, {0: desk.keys[recording, 0]}).segments
        assert (segment.samples, segment.complete) == (round(3.5 * RATE), True)


def test_a_commit_that_waits_for_the_disk_is_told_and_told_again_when_it_is_through(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.SLOW_SECONDS", 0.1)
    told: queue.SimpleQueue[bool] = queue.SimpleQueue()
    desk.archive.vault.on_slow = told.put
    desk.commit(call="a swift one")
    stalled = _StalledSync(monkeypatch)
    opening = threading.Thread(target=desk.open, args=(desk.call(), DOCUMENTATION))
    opening.start()
    assert told.get(timeout=10)
    assert opening.is_alive()
    stalled.go.set()
    assert not told.get(timeout=10)
    opening.join(10)
    assert told.empty()
    assert len(desk.archive.list()) == 1


def test_a_planted_number_is_in_no_text_that_a_fault_could_show(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    row = desk.archive.find(recording)
    assert row.number == NUMBER
    assert NUMBER not in repr(row)
    assert desk.archive.secrets.catalog.hex() not in repr(desk.archive.secrets)
    with pytest.raises(ArchiveError) as failed, desk.archive.catalog.writing() as tx:
        tx.connection.execute(insert(meta).values(name="archive", value=NUMBER))
    assert NUMBER not in "".join(traceback.format_exception(failed.value))


# --- what is no archive, or not for these keys --------------------------------------------------------


def refused(deed: Callable[[], object]) -> str:
    with pytest.raises((ArchiveError, KeyringError)) as error:
        deed()
    return error.value.code.removeprefix("error.archive.")


def test_an_archive_is_opened_by_its_own_keys_and_catalog_alone(desk: Scene, tmp_path: Path) -> None:
    other, demo, path = MemoryKeys(), MemoryKeys(demo=True), desk.folder / "catalog.db"
    other.set(master_name(desk.archive.id), new_master())
    demo.held = desk.memory.held
    for keys, code in ((other, "wrong_key"), (MemoryKeys(), "no_catalog_key"), (demo, "demo_keys")):
        assert refused(lambda keys=keys: Archive.open(desk.folder, keys)) == code
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    assert refused(desk.reopen) == "unknown_version"
    desk.close()
    path.unlink()
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("CREATE TABLE t (x)")
    assert refused(desk.reopen) == "wrong_key"
    path.unlink()
    assert refused(desk.reopen) == "no_catalog"


def test_a_folder_that_is_no_archive_and_a_marker_that_was_changed_are_refused(desk: Scene, tmp_path: Path) -> None:
    marker = desk.folder / MARKER
    told = json.loads(marker.read_text())
    for change in ({"demo": True}, {"desk": "another"}, {"archive": "another"}, {"format": 9}):
        marker.write_text(json.dumps({**told, **change}))
        assert refused(desk.reopen) in ("marker_changed", "no_catalog_key", "unknown_version", "demo_keys")
    for text in ("", "[]"):
        marker.write_text(text)
        assert refused(desk.reopen) == "marker_changed"
    marker.unlink()
    assert refused(desk.reopen) == "marker_missing"
    (tmp_path / "empty").mkdir()
    assert refused(lambda: Archive.open(tmp_path / "empty", desk.store)) == "no_archive"


def test_an_archive_is_made_whole_or_not_at_all(desk: Scene, tmp_path: Path) -> None:
    class Locked(MemoryKeys):
        def set(self, name: str, secret: bytes) -> None:
            raise KeyringError("error.keyring.locked")

    new = tmp_path / "new"
    assert refused(lambda: Archive.create(new, Locked())) == "error.keyring.locked"
    assert [path.name for path in new.iterdir()] == ["recordings"]
    assert refused(lambda: Archive.create(new, MemoryKeys(demo=True))) == "demo_keys"
    Archive.create(new, MemoryKeys()).close()
    assert refused(lambda: Archive.create(new, MemoryKeys())) == "exists"
    (tmp_path / "file").write_text("")
    assert refused(lambda: Archive.create(tmp_path / "file" / "archive", MemoryKeys())) == "unwritable"
