"""A disk that is full, that can only be read, or that this user may not write: what only looks is looked at, what must be in the
log first is refused in words, and on a full one the sweep makes room. These tests need root, for disks of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.catalog.database import Catalog
from softphone.archive.examine.repair import repair
from softphone.archive.examine.verify import verify
from softphone.archive.files.vault import Vault
from softphone.archive.folder.disk import FULL as DISK_FULL
from softphone.archive.folder.room import ROOM, SIZE
from softphone.archive.retention import due, holding
from softphone.archive.retention.listed import clear_listed, finish_listed
from softphone.archive.retention.sweep import Swept, SweptItem, _Sweep, sweep
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.changes import ChangeHold, CloseRecording, HoldBy, PlaceHold
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.disk import ext4, fill, remount, tmpfs
from tests.archive.holds import raise_hold
from tests.archive.people import house
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene

ROOT = Path(__file__).resolve().parents[2]
PAST = timedelta(days=300)
"""long enough ago that what was recorded then is past its date"""
FULL = {"en": "The disk is full", "da": "Disken er fuld"}
READ_ONLY = {"en": "The disk can only be read", "da": "Disken er skrivebeskyttet"}
RAW = ("I/O error", "database", "readonly", "No space left", "Read-only file", "Permission denied", "Traceback")


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    with tmpfs(tmp_path) as mounted:
        yield mounted


@pytest.mark.parametrize(
    ("state", "words", "code", "language"),
    [("full", FULL, "full", "da"), ("ro", READ_ONLY, "read_only", "en")],
)
def test_on_a_full_or_read_only_disk_what_looks_works_and_what_writes_is_refused_in_words(
    disk: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    words: dict[str, str],
    code: str,
    language: str,
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    out = tmp_path / "out.wav"
    with house(disk, capsys) as home:
        person = home.person("custody", *KeyRole)
        recording = home.recorded(DOCUMENTATION, TRAINING)
        repair(home.desk.archive, datetime.now(UTC))
        deeds = [
            ("archive", "export", recording, "--case", "K-1", "--wav", str(out)),
            ("holds", "raise", recording, "--by", "party", "--why", "klage"),
            ("archive", "backup", str(tmp_path / "backup")),
        ]
        if state == "full":
            fill(disk)  # while the phone runs
        else:
            home.desk.close()
            remount(disk, "ro")
        for one in (("list",), ("show", recording), ("verify",), ("sweep", "--dry-run"), ("judge",)):
            said = person.does("archive", *one)
            assert (said.status, said.err) == (0, ""), one
        assert person.finds() == {recording}
        for one in deeds:
            said = person.does(*one)
            assert (said.status, words[language] in said.err) == (1, True), one
            assert [raw for raw in RAW if raw in said.all] == []
        assert not out.exists()
        first = person.does("archive", "health").out.splitlines()[0]
        assert first.startswith(f"{shutil.disk_usage(disk).free:,} byte".replace(",", " "))
        assert words[language] in first
        assert json.loads(person.does("archive", "health", "--json").out)["disk"] == code
        if state == "full":
            # Nothing is due: a sweep makes no room.
            assert person.does("archive", "sweep").status == 1
            (disk / "filled").unlink()
        else:
            remount(disk, "rw")
        assert [person.does(*one).status for one in deeds] == [0, 0, 0]


# --- the sweep --------------------------------------------------------------------------------------


def old(folder: Path, count: int) -> Scene:
    """A demo's archive with so many recordings past their date."""
    desk, at = Scene(folder, demo=True, store=DemoKeyFile(folder / DEMO_KEYS)), datetime.now(UTC) - PAST
    for _ in range(count):
        recording = desk.recorded(1, DOCUMENTATION, TRAINING, at=at)
        desk.commit(CloseRecording(recording, at, (DOCUMENTATION, TRAINING)), recording=recording)
    repair(desk.archive, datetime.now(UTC))
    return desk


def klartone(folder: Path, *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "softphone.cli", "archive", *words, "--archive", str(folder)],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "en.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def made_room(folder: Path) -> None:
    done = klartone(folder, "sweep")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Recordings deleted: 3" in done.stdout
    assert list((folder / "recordings").iterdir()) == []
    with closing(Archive.open(folder, DemoKeyFile(folder / DEMO_KEYS))) as archive:
        assert archive.list() == []
        assert verify(archive).ok


@pytest.mark.rule("G10")
@pytest.mark.parametrize("runs", [True, False], ids=["the phone runs", "no phone runs"])
def test_a_sweep_makes_room_on_a_full_disk(disk: Path, runs: bool) -> None:
    folder = disk / "archive"
    desk = old(folder, 3)
    if not runs:
        desk.close()
    fill(disk)
    made_room(folder)
    if runs:
        desk.close()


@pytest.mark.torture
@pytest.mark.parametrize("block", [1024, 4096])
def test_a_sweep_makes_room_on_a_full_disk_with_a_journal(tmp_path: Path, block: int) -> None:
    """Such a disk gives freed blocks away only once its journal says so; and where there is room for some blocks of a file that
    is mapped into memory and not for all, the process would end."""
    with ext4(tmp_path, journal=True, block=block) as image:
        folder = image.mounted / "archive"
        old(folder, 3).close()
        full = fill(image.mounted)
        made_room(folder)
        fill(image.mounted)
        os.truncate(full, full.stat().st_size - 20_480)
        os.sync()
        assert klartone(folder, "sweep").returncode in (0, 1)
        said = klartone(folder, "list")
        assert said.returncode == 0 or FULL["en"] in said.stderr


@pytest.mark.rule("G10")
def test_a_small_disk_is_swept_of_many_and_what_is_held_meanwhile_stays(disk: Path) -> None:
    desk = old(disk / "archive", 12)
    held = desk.archive.list()[0].recording
    fill(disk)
    pages, room = due.pages, disk / "archive" / ROOM

    def pages_and_a_hold(catalog: Catalog, now: datetime, size: int) -> Generator[Sequence[str]]:
        for page in pages(catalog, now, size):
            # It is found due, and whoever raises the hold has the lock before a sweep that has given up its room.
            if held in page and room.stat().st_size < SIZE and not holding.standing(desk.archive, now):
                raise_hold(desk.archive, held, HoldBy.PARTY, "the price", "anna", now)
            yield page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(due, "pages", pages_and_a_hold)
        swept = sweep(desk.archive, datetime.now(UTC), clock=datetime.now(UTC))
    assert len({item.recording for item in swept if item.what is Swept.DISCARDED}) == 11
    assert [row.recording for row in desk.archive.list()] == desk.archive.vault.recordings() == [held]
    assert desk.archive.room.listed() == []
    assert verify(desk.archive).ok
    desk.close()


class PowerCutError(BaseException):
    pass


@pytest.mark.rule("G10")
@pytest.mark.parametrize("when", ["before the files go", "after"])
def test_a_sweep_of_a_full_disk_that_is_cut_off_is_finished_by_the_next_start(
    disk: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    desk = old(disk / "archive", 3)
    fill(disk)
    delete, ids = Vault.delete, sorted(row.recording for row in desk.archive.list())

    def cut(vault: Vault, *recordings: str) -> None:
        if when == "after":
            delete(vault, *recordings)
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "delete", cut)
        with pytest.raises(PowerCutError):
            sweep(desk.archive, datetime.now(UTC), clock=datetime.now(UTC))
    assert sorted(desk.archive.room.listed()) == ids
    desk.close()
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        repair(archive, datetime.now(UTC))
        left = [] if when == "after" else ids
        assert sorted(row.recording for row in archive.list()) == archive.vault.recordings() == left
        assert archive.room.listed() == []
        gone = {row.recording for row in archive.audit_of() if row.event == "sweep_discarded"}
        assert gone == set(ids) - set(left)
        assert verify(archive).findings == ()
        (disk / "filled").unlink()
        sweep(archive, datetime.now(UTC), clock=datetime.now(UTC))
        assert archive.list() == []


@pytest.mark.rule("G10")
def test_no_list_takes_what_has_come_to_be_held_or_whose_folder_is_away(tmp_path: Path) -> None:
    desk, now = old(tmp_path / "archive", 2), datetime.now(UTC)
    held, other = (row.recording for row in desk.archive.list())
    desk.archive.room.keep()
    desk.archive.room.list([held, other])
    # Nor is it another sweep's to take away.
    clear_listed(desk.archive, [held])
    assert desk.archive.room.listed() == [held, other]
    away = desk.archive.vault.path(held).parent.rename(tmp_path / "away")
    finish_listed(desk.archive, now)
    assert len(desk.archive.list()) == 2
    away.rename(desk.folder / "recordings")
    raise_hold(desk.archive, held, HoldBy.PARTY, "the price", "anna", now)
    desk.archive.vault.delete(held, other)
    finish_listed(desk.archive, now)
    assert [row.recording for row in desk.archive.list()] == [held]
    assert desk.archive.room.listed() == []
    desk.close()


@pytest.mark.rule("G10")
def test_a_list_names_nothing_that_a_hold_kept_until_it_was_void(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off between its file and its rows, it would stay without a file: its hold still stands then."""
    due, kept = desk.closed(DOCUMENTATION), desk.closed(DOCUMENTATION)
    desk.commit(PlaceHold("h", kept, HoldBy.CONTROLLER, "desk-3", AT, None))
    desk.commit(ChangeHold("h", HoldBy.CONTROLLER, AT + timedelta(days=14)))
    desk.archive.room.keep()
    whole, listed, later = _Sweep.whole, list[str | None](), AT + PAST

    def full_at_first(run: _Sweep, batch: int) -> Iterator[SweptItem]:
        if batch > 1:
            raise ArchiveError(DISK_FULL, path="", detail="")
        listed.extend(row.recording for row in desk.archive.audit_of() if row.event == "sweep_discarded")
        return whole(run, batch)

    monkeypatch.setattr(_Sweep, "whole", full_at_first)
    sweep(desk.archive, later, clock=later, witness=later)
    assert (listed, desk.archive.list(later)) == ([due], [])


@pytest.mark.rule("G10")
def test_a_sweep_that_can_write_no_list_is_refused_in_words_and_deletes_nothing(disk: Path) -> None:
    desk = old(disk / "archive", 2)
    (disk / "archive" / ROOM).unlink()
    fill(disk)
    with pytest.raises(ArchiveError):
        sweep(desk.archive, datetime.now(UTC), clock=datetime.now(UTC))
    assert len(desk.archive.list()) == len(desk.archive.vault.recordings()) == 2
    assert verify(desk.archive).ok
    desk.close()


# --- this user may not ------------------------------------------------------------------------------


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root gives folders away")
def test_who_may_not_write_or_enter_is_told_so_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    desk = old(folder, 1)
    # A sweep that was cut off before any file went: what is left to do is asked of files that nobody may look at.
    desk.archive.room.list(desk.archive.vault.recordings())
    desk.close()
    # Root may all the same, unless that is taken from it.
    without = "-dac_override,-dac_read_search"
    mere = ("setpriv", f"--bounding-set={without}", f"--inh-caps={without}")
    for word, what, mode in (("sweep", folder / "recordings", 0o600), ("health", folder / "catalog.db", 0o400)):
        usual = what.stat().st_mode
        what.chmod(mode)
        done = klartone(folder, word, before=mere)
        what.chmod(usual)
        assert done.returncode == 1
        assert "You have no right to write" in done.stdout + done.stderr, word
        assert [raw for raw in RAW if raw in done.stdout + done.stderr] == []
