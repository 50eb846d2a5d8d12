"""A disk that is full, a folder that cannot be written, a catalog that is busy: told with a reason, and recovered from."""

from __future__ import annotations

import importlib
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert

from softphone.archive.archive import MARKER, Archive
from softphone.archive.keys.wraps import master_name, new_master
from softphone.archive.tables import meta
from softphone.archive.verify import verify
from softphone.domain.changes import Discard, DropWraps
from softphone.domain.errors import ArchiveError, KeyringError
from softphone.domain.purpose import KeyRole, Reason
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING, CommitFailedError, MemoryKeys, Scene, scene


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
    monkeypatch.setattr("softphone.archive.catalog._BUSY_MS", 50)
    monkeypatch.setattr("softphone.archive.ledger.PROBE_SECONDS", 0.05)


@pytest.mark.usefixtures("hurried")
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


@pytest.mark.usefixtures("hurried")
def test_a_reader_in_the_way_delays_the_last_trace_of_a_wrap_and_no_longer(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        recording = desk.recorded(1, DOCUMENTATION, TRAINING)
        wraps = [wrap.sealed for wrap in desk.archive.wraps_of(recording) if wrap.role is KeyRole.TRAINING]
        with desk.archive.catalog.reading() as connection:
            connection.exec_driver_sql("SELECT * FROM wraps").all()
            desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"))
            assert any(wrap in desk.pages() for wrap in wraps)
        pause = threading.Event()
        for _ in range(200):
            if not any(wrap in desk.pages() for wrap in wraps):
                break
            pause.wait(0.05)
        assert not any(wrap in desk.pages() for wrap in wraps)


def test_a_commit_that_fails_half_way_leaves_neither_file_nor_row_nor_entry(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ArchiveError("error.archive.unwritable", path="catalog.db", detail="disk full")

    with monkeypatch.context() as patch:
        patch.setattr("softphone.archive.audit.append", fail)
        with pytest.raises(CommitFailedError):
            desk.open(desk.call(), DOCUMENTATION)
    assert desk.archive.vault.recordings() == []
    assert desk.archive.list() == []
    recording = desk.recorded(1, DOCUMENTATION)
    assert verify(desk.archive).ok
    assert desk.archive.vault.recordings() == [recording]


def test_a_recordings_folder_that_is_gone_fails_the_commit_and_tells_when_it_is_back(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softphone.archive.ledger.PROBE_SECONDS", 0.05)
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
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
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
