"""SQLite's log of pages: whatever is in it is overwritten before its blocks are given back to the disk, whoever left it there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from softphone.archive.catalog import Catalog, _blank
from softphone.domain.changes import DropWraps
from softphone.domain.purpose import KeyRole
from tests.archive.disk import ext4, pages_in
from tests.archive.scene import DOCUMENTATION, TRAINING, page_of, scene

ROOT = Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
MARK = "in a page of a transaction"
_WORK = """
import os, signal, sys
from pathlib import Path
from softphone.archive import catalog as module

catalog = module.Catalog.open(Path(sys.argv[1]), bytes(range(32)))

def write(connection):
    # With so little room, what is not committed lies in the log too.
    connection.exec_driver_sql("PRAGMA cache_size = 1")
    for number in range(300):
        row = (f"x-{number}", sys.argv[3] * 20)
        connection.exec_driver_sql("INSERT OR REPLACE INTO meta VALUES (?, ?)", row)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "in mid-commit":
    with catalog.writing() as connection:
        write(connection)
        die()
with catalog.writing() as connection:
    write(connection)
if sys.argv[2] == "in mid-scour":
    fsync, os.fsync = os.fsync, lambda file: (fsync(file), die())
    catalog.scour()
die()
"""
DEATHS = ("in mid-commit", "after a commit", "in mid-scour")


def killed(folder: Path, death: str) -> None:
    words = [sys.executable, "-c", _WORK, str(folder / "catalog.db"), death, MARK]
    assert subprocess.run(words, cwd=ROOT, check=False, timeout=60).returncode == -signal.SIGKILL


def made(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    Catalog.create(folder / "catalog.db", KEY, {"archive": "a"}).close()


def opened(folder: Path) -> Catalog:
    return Catalog.open(folder / "catalog.db", KEY)


def log_of(folder: Path) -> Path:
    return folder / "catalog.db-wal"


def holds_mark(log: bytes) -> bool:
    frames = (log[at : at + 4096] for at in range(32 + 24, len(log) - 4095, 4120))
    return any(MARK.encode() in page_of(one, KEY) for one in frames)


def only_looks(folder: Path) -> None:
    with closing(opened(folder)) as catalog:
        assert catalog.meta()["archive"] == "a"


def scours(folder: Path) -> None:
    with closing(opened(folder)) as catalog:
        assert catalog.scour()


Then = Callable[[Path], None]


@pytest.mark.rule("G10")
@pytest.mark.parametrize("then", [only_looks, scours])
@pytest.mark.parametrize("death", DEATHS)
def test_what_a_killed_process_left_in_the_log_is_overwritten_before_the_log_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, death: str, then: Then
) -> None:
    made(tmp_path)
    killed(tmp_path, death)
    # Another name for the same blocks: what is in them stays to be seen after the log has gone.
    kept = tmp_path / "kept"
    os.link(log_of(tmp_path), kept)
    assert holds_mark(kept.read_bytes())
    blanked = watched(monkeypatch)

    then(tmp_path)

    assert not log_of(tmp_path).exists()
    assert not any(kept.read_bytes())
    assert max(len(one) for one in blanked) > 300 * len(MARK) * 20
    assert not any(any(one) for one in blanked)
    with closing(opened(tmp_path)) as catalog:
        assert ("x-299" in catalog.meta()) is (death != "in mid-commit")


def watched(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is in the log each time that it has been overwritten, right before it is cut off."""
    overwritten: list[bytes] = []

    def blank(log: Path, *rest: Any) -> Any:
        before = log.stat().st_size
        done = _blank(log, *rest)
        overwritten.append(log.read_bytes())
        assert len(overwritten[-1]) == before
        return done

    monkeypatch.setattr("softphone.archive.catalog._blank", blank)
    return overwritten


@pytest.mark.rule("G10")
def test_the_log_of_a_writer_that_dies_is_overwritten_by_who_only_reads_and_closes_last(tmp_path: Path) -> None:
    made(tmp_path)
    with closing(opened(tmp_path)) as catalog:
        killed(tmp_path, "after a commit")
        kept = tmp_path / "kept"
        os.link(log_of(tmp_path), kept)
        assert "x-1" in catalog.meta()
        assert holds_mark(kept.read_bytes())
    assert not log_of(tmp_path).exists()
    assert not any(kept.read_bytes())


@pytest.mark.rule("G10")
def test_what_was_deleted_is_overwritten_in_the_log_before_it_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overwritten = watched(monkeypatch)
    with scene(tmp_path / "archive") as desk:
        recording = desk.recorded(1, DOCUMENTATION, TRAINING)
        desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"), recording=recording)
        assert len(overwritten[-1]) > 4096
        assert not any(overwritten[-1])
        # But for the page that says so, nothing has been written since.
        assert (desk.folder / "catalog.db-wal").stat().st_size < 4 * 4120
    # Nor is that left when the process ends.
    assert not any(overwritten[-1])
    assert not (desk.folder / "catalog.db-wal").exists()


@pytest.mark.rule("G10")
def test_a_commit_that_was_taken_back_and_lies_in_the_log_does_not_keep_it_from_being_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path)
    with closing(opened(tmp_path)) as catalog:
        taken_back(catalog)
        assert holds_mark(log_of(tmp_path).read_bytes())
        overwritten = watched(monkeypatch)
        assert catalog.scour()
        assert log_of(tmp_path).stat().st_size == 0
        assert len(overwritten[0]) > 300 * len(MARK)
        assert not any(overwritten[0])


def taken_back(catalog: Catalog) -> None:
    with suppress(ZeroDivisionError), catalog.writing() as connection:
        connection.exec_driver_sql("PRAGMA cache_size = 1")
        for number in range(300):
            connection.exec_driver_sql("INSERT INTO meta VALUES (?, ?)", (f"x-{number}", MARK * 20))
        raise ZeroDivisionError


def nothing(_: Catalog) -> None:
    return


def a_commit(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        connection.exec_driver_sql("INSERT OR REPLACE INTO meta VALUES ('before', '1')")


@pytest.mark.parametrize("before", [nothing, a_commit, taken_back])
def test_a_log_that_somebody_writes_to_just_before_it_is_overwritten_is_left_for_the_next_time(
    tmp_path: Path, before: Callable[[Catalog], None]
) -> None:
    made(tmp_path)
    with closing(opened(tmp_path)) as catalog, closing(opened(tmp_path)) as other:
        before(catalog)
        wrote: list[int] = []

        def write(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "RESTART" in statement and not wrote:
                with other.writing() as connection:
                    connection.exec_driver_sql("INSERT INTO meta VALUES ('meanwhile', '1')")
                wrote.append(log_of(tmp_path).stat().st_size)

        event.listen(catalog._scourer, "after_cursor_execute", write)
        assert not catalog.scour()
        assert wrote == [log_of(tmp_path).stat().st_size] != [0]
        assert other.meta()["meanwhile"] == "1"
        assert catalog.scour()
        assert log_of(tmp_path).stat().st_size == 0
        assert other.meta()["meanwhile"] == catalog.meta()["meanwhile"] == "1"
        assert other.integrity() == []


def test_after_the_log_was_overwritten_all_go_on_reading_and_writing(tmp_path: Path) -> None:
    made(tmp_path)
    with closing(opened(tmp_path)) as one, closing(opened(tmp_path)) as other, looking(one):
        for number in range(30):
            with (one, other)[number % 2].writing() as connection:
                connection.exec_driver_sql("INSERT INTO meta VALUES (?, ?)", (f"n-{number}", "x" * 3_000))
            if number % 3 == 0:
                assert not (one, other)[number % 4 // 2].scour()
            if number % 5 == 0:
                assert f"n-{number}" in other.meta()
    with closing(opened(tmp_path)) as one, closing(opened(tmp_path)) as other:
        for number in range(30, 60):
            with (one, other)[number % 2].writing() as connection:
                connection.exec_driver_sql("INSERT INTO meta VALUES (?, ?)", (f"n-{number}", "x" * 3_000))
            if number % 3 == 0:
                assert (one, other)[number % 4 // 2].scour()
            assert f"n-{number}" in other.meta()
            assert f"n-{number}" in one.meta()
        assert one.integrity() == []
    with closing(opened(tmp_path)) as one:
        assert {f"n-{number}" for number in range(60)} <= one.meta().keys()


@contextmanager
def looking(catalog: Catalog) -> Generator[None]:
    with catalog.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM meta").all()
        yield


@pytest.mark.torture
@pytest.mark.parametrize("then", [only_looks, scours])
@pytest.mark.parametrize("death", DEATHS)
def test_no_block_of_a_disk_s_image_holds_what_a_killed_process_left_in_the_log(
    tmp_path: Path, death: str, then: Then
) -> None:
    with ext4(tmp_path, journal=False) as image:
        folder = image.mounted / "archive"
        made(folder)
        killed(folder, death)
        assert MARK.encode() in pages_in(image.bytes(), KEY)
        then(folder)
        with closing(opened(folder)) as catalog:
            if death != "in mid-commit":
                assert MARK.encode() in pages_in(image.bytes(), KEY)
                with catalog.writing() as connection:
                    connection.exec_driver_sql("DELETE FROM meta WHERE name LIKE 'x-%'")
                catalog.scour()
        assert MARK.encode() not in pages_in(image.bytes(), KEY)


@pytest.mark.torture
def test_an_archive_on_a_disk_that_cannot_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    with ext4(tmp_path, journal=False) as image:
        folder = image.mounted / "archive"
        made(folder)
        killed(folder, "after a commit")
        subprocess.run(["mount", "-o", "remount,ro", str(image.mounted)], check=True)
        try:
            only_looks(folder)
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(image.mounted)], check=True)
