"""A disk that is full, a folder that cannot be written, a catalog that is busy: told with a reason, and recovered from."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import queue
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import insert

from softphone.archive.archive import MARKER, Archive
from softphone.archive.crypto.wraps import master_name, new_master
from softphone.archive.examine.verify import verify
from softphone.archive.files.container import Header
from softphone.archive.files.opus import codec_header
from softphone.archive.files.reader import OpenedRecording, read_structure
from softphone.archive.files.vault import Vault
from softphone.archive.files.writing import Written
from softphone.archive.retention import holding
from softphone.archive.schema.tables import meta
from softphone.domain.changes import CloseRecording, Commit, Discard, DropWraps, HoldBy
from softphone.domain.errors import ArchiveError, KeyringError
from softphone.domain.purpose import KeyRole, Reason
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


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


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


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a busy catalog for less than people would."""
    monkeypatch.setattr("softphone.archive.catalog.database._BUSY_MS", 50)
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.05)


@pytest.mark.usefixtures("hurried")
@pytest.mark.expected_log("bug TypeError", reason="it is planted")
def test_a_fault_in_what_a_writer_s_end_is_told_by_ends_the_ledger_no_more_than_one_in_a_commit(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logging.getLogger("softphone"), "propagate", True)
    recording = desk.recorded(1, DOCUMENTATION)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)

    def bug(*_: object) -> int:
        raise TypeError

    with monkeypatch.context() as patch:
        patch.setattr("softphone.archive.changes.ledger.written.count", bug)
        desk.archive.vault.on_ended(recording, 0, Written(3, ""))
        desk.commit(call="another")
    assert "TypeError at test_storage_faults.py" in caplog.text
    desk.commit(call="a third")


def found(desk: Scene) -> list[str]:
    """But that nothing is signed yet: an entry that had to wait has the true time, all others the scene's."""
    return [one.code for one in verify(desk.archive).findings if one.code != "checkpoint_none"]


def test_of_a_recording_that_was_discarded_the_ledger_remembers_no_writer_that_ends_later(desk: Scene) -> None:
    recording = desk.open(desk.call(), TRAINING)
    desk.commit(Discard(recording, "declined_by_key"), recording=recording)
    desk.archive.vault.on_ended(recording, 0, Written(3, ""))
    desk.commit(call="another")
    assert recording not in desk.ledger._memory.written


def test_a_busy_catalog_fails_the_commit_with_its_reason_and_works_again_by_itself(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        recording = desk.recorded(1, DOCUMENTATION, TRAINING)
        with busy(desk):
            with pytest.raises(CommitFailedError) as failed:
                desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"))
            assert failed.value.reason is Reason.STORAGE_FAILED
            assert desk.storage == [False]
            desk.storage_changed.clear()
        assert desk.storage_changed.wait(10)
        assert desk.storage == [False, True]

        desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"))
        assert KeyRole.TRAINING not in desk.archive.find(recording).opens_for


def test_a_commit_that_fails_half_way_leaves_neither_file_nor_row_nor_entry(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ArchiveError("error.archive.unwritable", path="catalog.db", detail="disk full")

    with monkeypatch.context() as patch:
        patch.setattr("softphone.archive.log.audit.append", fail)
        with pytest.raises(CommitFailedError):
            desk.open(desk.call(), DOCUMENTATION)
    assert desk.archive.vault.recordings() == []
    assert desk.archive.list() == []
    recording = desk.recorded(1, DOCUMENTATION)
    assert verify(desk.archive).ok
    assert desk.archive.vault.recordings() == [recording]


def test_what_is_left_of_an_attempt_whose_file_could_not_go_does_not_stand_in_the_way_of_the_next(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ArchiveError("error.archive.gone", path="catalog.db", detail="")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    call = desk.call()
    with monkeypatch.context() as patch:
        patch.setattr("softphone.archive.log.audit.append", fail)
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(CommitFailedError):
            desk.open(call, DOCUMENTATION)
    assert desk.archive.vault.recordings() == [f"{call}-1"]
    recording = desk.recorded(1, DOCUMENTATION, call=call)
    assert desk.archive.open_recording(recording, AT).length() == 50 * FRAME
    assert verify(desk.archive).ok


def _header(recording: str) -> bytes:
    return Header(recording, AT, *codec_header(), "UTC").pack()


@pytest.mark.parametrize(
    "left", [b"", _header("call-1")[:7], _header("call-1")[:60], _header("call-1"), bytes(300)], ids=len
)
def test_a_beginning_with_no_sound_in_it_is_begun_anew(tmp_path: Path, left: bytes) -> None:
    vault = Vault(tmp_path)
    vault.path("call-1").write_bytes(left)
    vault.create("call-1", AT)
    assert vault.path("call-1").read_bytes() == _header("call-1")


def test_what_holds_sound_or_is_another_s_is_never_taken_over(desk: Scene, tmp_path: Path) -> None:
    whole = desk.recorded(1, DOCUMENTATION)
    sound = desk.archive.vault.path(whole).read_bytes()
    vault = Vault(tmp_path)
    for there in (sound, _header("call-1") + b"\0", _header("call-2"), b"a letter"):
        vault.path("call-1").write_bytes(there)
        with pytest.raises(ArchiveError) as refused:
            vault.create("call-1", AT)
        assert refused.value.code == "error.archive.unwritable"
        assert vault.path("call-1").read_bytes() == there
    with pytest.raises(ArchiveError):
        desk.archive.vault.create(whole, AT)
    assert desk.archive.vault.path(whole).read_bytes() == sound


@pytest.mark.skipif(sys.platform == "win32", reason="not everybody may make links there")
def test_a_link_in_a_recording_s_place_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    vault, elsewhere = Vault(tmp_path / "recordings"), tmp_path / "elsewhere"
    for there in (b"", _header("call-1")):
        elsewhere.write_bytes(there)
        vault.path("call-1").symlink_to(elsewhere)
        with pytest.raises(ArchiveError) as refused:
            vault.create("call-1", AT)
        assert refused.value.code == "error.archive.linked"
        assert elsewhere.read_bytes() == there
        vault.path("call-1").unlink()
    vault.path("call-1").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ArchiveError):
        vault.create("call-1", AT)
    assert not (tmp_path / "nowhere").exists()


def test_storage_is_tried_also_while_there_is_always_something_to_do(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.3)
    desk.ledger.suspect("error.archive.full")
    for _ in range(200):
        desk.ledger.forget_keys("another")
        desk.storage_changed.wait(0.02)
        desk.storage_changed.clear()
        if desk.storage == [False, True]:
            break
    assert desk.storage == [False, True]


def test_a_recordings_folder_that_is_gone_fails_the_commit_and_tells_when_it_is_back(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.05)
    (desk.folder / "recordings").rename(desk.folder / "elsewhere")
    with pytest.raises(CommitFailedError) as failed:
        desk.open(desk.call(), DOCUMENTATION)
    assert failed.value.reason is Reason.STORAGE_FAILED
    desk.storage_changed.clear()
    (desk.folder / "elsewhere").rename(desk.folder / "recordings")
    assert desk.storage_changed.wait(10)
    assert desk.storage == [False, True]
    assert verify(desk.archive).ok


FULL_DISK = """
import resource, sys, threading
from pathlib import Path
from softphone.archive.archive import Archive
from softphone.archive.files.reader import OpenedRecording, read_structure
from tests.archive.scene import DOCUMENTATION, FRAME, Scene, voices

desk = Scene(Path(sys.argv[1]))
call = desk.call()
recording = desk.open(call, DOCUMENTATION)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
desk.start(call, recording, 0)
desk.talk(call, voices(30))
assert desk.failed.wait(20)
print(desk.failures)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while desk.storage != [False, True]:
    assert desk.storage_changed.wait(20)
    desk.storage_changed.clear()
print(desk.storage)
desk.talk(call, voices(2), first=1500)
desk.recorder.stop(call, recording, 0)
desk.recorder.close()
sealed = max(samples for _, _, samples in desk.sealed)
structure = read_structure(desk.archive.vault.path(recording))
opened = OpenedRecording(structure, recording, {0: desk.keys[recording, 0]})
print(len(structure.damages), opened.length() == sealed - structure.header.delay, opened.segments[0].complete)
"""


def test_a_disk_that_fills_up_in_mid_call_ends_the_recording_with_its_reason_and_what_is_there_is_whole(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "archive")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[<Reason.STORAGE_FAILED: 'storage_failed'>]", "[False, True]", "0 True False"]
    assert done.stderr == ""


# --- a disk that answers with a fault, late, or not at all ------------------------------------------


@pytest.mark.parametrize(("call", "fault"), [("write", errno.ENOSPC), ("write", errno.EROFS), ("fdatasync", errno.EIO)])
def test_whatever_a_write_is_refused_for_the_recording_ends_at_once_and_what_was_sealed_is_safe(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, call: str, fault: int
) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.05)
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
    while desk.storage[-1:] != [True]:
        assert desk.storage_changed.wait(10)
        desk.storage_changed.clear()
    # It takes more again, in a segment of its own.
    desk.commit(desk.segment(recording, 1, DOCUMENTATION), recording=recording)
    desk.start(of, recording, 1)
    desk.talk(of, voices(1), first=300)
    desk.recorder.stop(of, recording, 1)
    desk.drained(recording, 1, 50 * FRAME)
    assert {finding.code for finding in verify(desk.archive).findings} == {"broke_off"}
    opened = desk.archive.open_recording(recording, AT)
    assert [segment.complete for segment in opened.segments] == [False, True]


@pytest.mark.parametrize("fault", [errno.EACCES, errno.EROFS], ids=errno.errorcode.get)
def test_where_no_file_can_be_made_nothing_of_the_recording_is_and_its_reason_is_told(
    desk: Scene, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.05)
    whole = desk.recorded(1, DOCUMENTATION)
    refused = OSError(fault, os.strerror(fault))
    with monkeypatch.context() as patch:
        patch.setattr("softphone.archive.files.vault.os.open", Mock(side_effect=refused))
        with pytest.raises(CommitFailedError) as failed:
            desk.open(desk.call(), DOCUMENTATION)
    assert failed.value.reason is Reason.STORAGE_FAILED
    assert desk.storage[:1] == [False]
    assert [row.recording for row in desk.archive.list()] == [whole]
    assert found(desk) == []


def test_a_folder_that_is_taken_away_in_mid_call_loses_nothing_and_takes_more_when_it_is_back(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.archive.changes.ledger.PROBE_SECONDS", 0.05)
    of = desk.call()
    recording = desk.open(of, DOCUMENTATION)
    desk.start(of, recording, 0)
    desk.talk(of, voices(2))
    desk.drained_to(recording, 2)
    away = desk.folder.rename(desk.folder.with_name("away"))
    with pytest.raises(CommitFailedError):
        desk.open(desk.call(), DOCUMENTATION)
    with pytest.raises(ArchiveError) as refused:
        desk.archive.list()
    assert refused.value.code == "error.archive.gone"
    away.rename(desk.folder)
    while desk.storage != [False, True]:
        assert desk.storage_changed.wait(10)
        desk.storage_changed.clear()
    desk.recorder.stop(of, recording, 0)
    desk.drained(recording, 0, 100 * FRAME)
    desk.recorded(1, DOCUMENTATION)
    assert found(desk) == []


def test_a_disk_that_does_not_answer_holds_up_neither_who_feeds_nor_who_stops_and_nothing_is_lost(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, stalled, answered = threading.Event(), threading.Event(), os.fdatasync

    def stall(descriptor: int) -> None:
        stalled.set()
        goes_on.wait(30)
        answered(descriptor)

    of, other = desk.call(), desk.call()
    recording, beside = desk.open(of, DOCUMENTATION), desk.open(other, DOCUMENTATION)
    with monkeypatch.context() as patch:
        patch.setattr("softphone.archive.files.vault.os.fdatasync", stall)
        began = time.monotonic()
        desk.start(of, recording, 0)
        desk.talk(of, voices(1.2))
        assert stalled.wait(10)
        # The media thread, and the loop: another call begins, this one ends, its state is committed.
        desk.talk(of, voices(2), first=60)
        desk.start(other, beside, 0)
        desk.talk(other, voices(2))
        desk.recorder.stop(other, beside, 0)
        desk.recorder.stop(of, recording, 0)
        desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
        assert not desk.recorder.close(timeout=0.1)
        assert not goes_on.is_set()
        assert time.monotonic() - began < 20
        goes_on.set()
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
        holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "bo", AT)
    desk.recorder.stop(of, recording, 0)
    desk.ledger.submit(Commit(1_000, (Discard(recording, "declined_by_key"),), ()))
    stalled.go.set()
    desk.commit(call="another")
    assert desk.recorder.close()
    path = desk.archive.vault.path(recording)
    assert path.exists() is held
    if held:
        (segment,) = OpenedRecording(read_structure(path), recording, {0: desk.keys[recording, 0]}).segments
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


def test_a_wrong_key_and_a_foreign_file_give_one_sentence_that_names_both(desk: Scene, tmp_path: Path) -> None:
    other = MemoryKeys()
    other.set(master_name(desk.archive.id), new_master())
    with pytest.raises(ArchiveError) as refused:
        Archive.open(desk.folder, other)
    assert refused.value.code == "error.archive.wrong_key"
    with pytest.raises(ArchiveError) as refused:
        Archive.open(desk.folder, MemoryKeys())
    assert refused.value.code == "error.archive.no_catalog_key"

    folder = tmp_path / "foreign"
    with scene(folder) as foreign:
        store, path = foreign.store, folder / "catalog.db"
    path.unlink()
    plain = sqlite3.connect(path)
    plain.execute("CREATE TABLE t (x)")
    plain.commit()
    plain.close()
    with pytest.raises(ArchiveError) as refused:
        Archive.open(folder, store)
    assert refused.value.code == "error.archive.wrong_key"
    path.unlink()
    with pytest.raises(ArchiveError) as refused:
        Archive.open(folder, store)
    assert refused.value.code == "error.archive.no_catalog"


def test_folders_that_are_no_archive_are_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as refused:
        Archive.open(tmp_path, MemoryKeys())
    assert refused.value.code == "error.archive.no_archive"
    for text, code in (
        ("", "error.archive.marker_changed"),
        ("[]", "error.archive.marker_changed"),
        ('{"format": 2}', "error.archive.unknown_version"),
    ):
        (tmp_path / MARKER).write_text(text)
        with pytest.raises(ArchiveError) as refused:
            Archive.open(tmp_path, MemoryKeys())
        assert refused.value.code == code
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError) as refused:
        Archive.create(tmp_path / "file" / "archive", MemoryKeys())
    assert refused.value.code == "error.archive.unwritable"
    with scene(tmp_path / "archive"), pytest.raises(ArchiveError) as refused:
        Archive.create(tmp_path / "archive", MemoryKeys())
    assert refused.value.code == "error.archive.exists"


def test_where_the_key_cannot_be_kept_no_archive_is_left_behind(tmp_path: Path) -> None:
    class Locked(MemoryKeys):
        def set(self, name: str, secret: bytes) -> None:
            raise KeyringError("error.keyring.locked")

    with pytest.raises(KeyringError):
        Archive.create(tmp_path / "archive", Locked())
    assert [path.name for path in (tmp_path / "archive").iterdir()] == ["recordings"]
    Archive.create(tmp_path / "archive", MemoryKeys()).close()


def test_a_planted_number_is_in_no_text_that_a_fault_could_show(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    row = desk.archive.find(recording)
    assert row.number == NUMBER
    assert NUMBER not in repr(row)
    assert desk.archive.secrets.catalog.hex() not in repr(desk.archive.secrets)
    with pytest.raises(ArchiveError) as failed, desk.archive.catalog.writing() as connection:
        connection.execute(insert(meta).values(name="archive", value=NUMBER))
    assert NUMBER not in "".join(traceback.format_exception(failed.value))


def test_a_demo_s_keys_open_a_demo_s_archive_alone(tmp_path: Path) -> None:
    demo = MemoryKeys(demo=True)
    with pytest.raises(ArchiveError) as refused:
        Archive.create(tmp_path / "real", demo)
    assert refused.value.code == "error.archive.demo_keys"
    with scene(tmp_path / "archive") as desk:
        held = desk.memory.held
    demo.held = held
    with pytest.raises(ArchiveError) as refused:
        Archive.open(tmp_path / "archive", demo)
    assert refused.value.code == "error.archive.demo_keys"

    marker = tmp_path / "archive" / MARKER
    marker.write_text(marker.read_text().replace('"demo": false', '"demo": true'))
    with pytest.raises(ArchiveError) as refused:
        Archive.open(tmp_path / "archive", demo)
    assert refused.value.code == "error.archive.marker_changed"


def test_a_catalog_of_a_later_version_is_refused_and_left_alone(desk: Scene) -> None:
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(ArchiveError) as refused:
        desk.reopen()
    assert refused.value.code == "error.archive.unknown_version"


def test_readers_look_while_the_ledger_writes(desk: Scene) -> None:
    stop, faults, looks = threading.Event(), list[ArchiveError](), list[int]()

    def look() -> None:
        try:
            while not stop.is_set():
                looks.append(len(desk.archive.list()))
        except ArchiveError as error:
            faults.append(error)

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(15):
        recording = desk.open(desk.call(), DOCUMENTATION)
        desk.commit(Discard(recording, "withdrawn"))
    stop.set()
    reader.join(10)
    assert not faults
    assert looks


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="open files are looked up in /proc")
def test_a_recording_whose_rights_cannot_be_set_leaves_no_file_open_and_none_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(tmp_path)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    def shared(_: object) -> bool:
        return True

    monkeypatch.setattr("softphone.archive.files.vault.is_shared", shared)
    monkeypatch.setattr(Path, "chmod", refuse)
    before = len([*Path("/proc/self/fd").iterdir()])
    for number in range(5):
        with pytest.raises(ArchiveError):
            vault.create(f"call-{number}", AT)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
    assert list(tmp_path.iterdir()) == []
