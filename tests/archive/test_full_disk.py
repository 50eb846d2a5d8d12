"""A disk that is full, that can only be read, or that this user may not write: what only looks is looked at, what must be in the
log first is refused in words, and on a full one the sweep makes room. These tests need root, for disks of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.catalog.database import Catalog
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.examine.repair import repair
from softphone.archive.examine.verify import verify
from softphone.archive.files.vault import Vault
from softphone.archive.folder.room import ROOM, SIZE, Room
from softphone.archive.retention import due, holding
from softphone.archive.retention.listed import finish_listed
from softphone.archive.retention.sweep import Swept, sweep
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.changes import CloseRecording, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.disk import ext4, fill, remount, tmpfs
from tests.archive.people import Person, house
from tests.archive.scene import DOCUMENTATION, TRAINING, Scene

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


@dataclass
class Office:
    """Data protection, at the machine of an archive with one recording."""

    person: Person
    folder: Path
    recording: str
    out: Path

    def looks(self) -> list[tuple[str, ...]]:
        """Commands that only look."""
        return [
            ("archive", "list"),
            ("archive", "show", self.recording),
            ("archive", "verify"),
            ("archive", "sweep", "--dry-run"),
            ("archive", "judge"),
            ("holds", "list"),
            ("keys", "list"),
        ]

    def deeds(self) -> list[tuple[str, ...]]:
        """Commands that the log must tell of."""
        return [
            ("archive", "export", self.recording, "--case", "K-1", "--wav", str(self.out)),
            ("holds", "raise", self.recording, "--by", "party", "--why", "klage"),
            ("archive", "backup", str(self.out.with_name("backup"))),
        ]

    def looks_all_the_same(self) -> None:
        for one in self.looks():
            said = self.person.does(*one)
            assert (said.status, said.err) == (0, ""), one
            assert one[1] != "list" or one[0] != "archive" or self.recording in said.out

    def is_refused(self, words: str) -> None:
        for one in self.deeds():
            said = self.person.does(*one)
            assert said.status == 1, one
            assert words in said.err, one
            assert [raw for raw in RAW if raw in said.all] == []
        assert not self.out.exists()

    def is_told_first(self, disk: Path, words: str, code: str) -> None:
        said = self.person.does("archive", "health")
        assert said.status == 1
        first = said.out.splitlines()[0]
        assert first.startswith(f"{shutil.disk_usage(disk).free:,} byte".replace(",", " "))
        assert words in first
        told = json.loads(self.person.does("archive", "health", "--json").out)
        assert (told["disk"], told["recordings"]) == (code, 1)


@pytest.fixture(params=[True, False], ids=["the phone runs", "no phone runs"])
def office(
    request: pytest.FixtureRequest, disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Generator[Office]:
    with ExitStack() as stack:
        home = stack.enter_context(house(disk, capsys))
        person = home.person("custody", *KeyRole)
        recording = home.recorded(DOCUMENTATION, TRAINING)
        repair(home.desk.archive, datetime.now(UTC))
        if not request.param:
            home.desk.close()
        yield Office(person, home.desk.folder, recording, tmp_path / "out.wav")


@pytest.mark.parametrize(
    ("office", "language"), [(True, "da"), (False, "en")], indirect=["office"], ids=["the phone runs", "no phone runs"]
)
def test_on_a_full_disk_what_only_looks_works_and_what_must_be_in_the_log_first_is_refused_in_words(
    office: Office, disk: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    fill(disk)
    office.looks_all_the_same()
    if language == "en":
        # Where nobody has it open, the room that is kept back is given up for it: there is some for a while.
        return
    office.is_refused(FULL[language])
    office.is_told_first(disk, FULL[language], "full")

    (disk / "filled").unlink()
    assert office.person.does("archive", "health").status == 0
    for one in office.deeds():
        assert office.person.does(*one).status == 0, one
    assert office.person.does("archive", "verify").status == 0


@pytest.mark.parametrize("office", [True], indirect=True, ids=["the phone runs"])
def test_a_sweep_of_a_full_disk_with_nothing_due_says_so(
    office: Office, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    fill(disk)
    said = office.person.does("archive", "sweep")
    assert said.status == 1
    assert "nothing in the archive is past its retention date" in said.err


@pytest.mark.parametrize("office", [False], indirect=True, ids=["no phone runs"])
@pytest.mark.parametrize("language", ["da", "en"])
def test_a_disk_that_can_only_be_read_is_looked_at_and_whatever_writes_is_refused_in_words(
    office: Office, disk: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    remount(disk, "ro")
    office.looks_all_the_same()
    office.is_refused(READ_ONLY[language])
    office.is_told_first(disk, READ_ONLY[language], "read_only")
    remount(disk, "rw")
    assert office.person.does("archive", "health").status == 0


CRASH = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from softphone.archive.archive import Archive
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.changes import AuditEntry
from softphone.system.secrets import DemoKeyFile

folder = Path(sys.argv[1])
archive = Archive.open(folder, DemoKeyFile(folder / DEMO_KEYS))
archive.note(AuditEntry("before_the_crash", "G11", datetime.now(UTC), ""))
os._exit(0)
"""


@pytest.mark.usefixtures("english")
def test_what_a_crash_left_on_a_disk_that_can_only_be_read_is_refused_in_words_and_left_as_it_is(disk: Path) -> None:
    folder = disk / "archive"
    old(folder, 1).close()
    subprocess.run([sys.executable, "-c", CRASH, str(folder)], cwd=ROOT, check=True, timeout=60)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    remount(disk, "ro")
    said = told(folder, "list")
    assert said.returncode in (0, 1)
    assert not [raw for raw in RAW if raw in said.stdout + said.stderr]
    assert READ_ONLY["en"] in told(folder, "health").stdout
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


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


def told(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As `klartone`, by this process."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        status = cli.main(["archive", *words, "--archive", str(folder)])
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


def made_room(folder: Path) -> None:
    done = klartone(folder, "sweep")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Recordings deleted: 3" in done.stdout
    assert list((folder / "recordings").iterdir()) == []
    with closing(Archive.open(folder, DemoKeyFile(folder / DEMO_KEYS), looks=True)) as archive:
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
                holding.raise_hold(desk.archive, held, HoldBy.PARTY, "the price", "anna", now)
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
    away = desk.archive.vault.path(held).parent.rename(tmp_path / "away")
    finish_listed(desk.archive, now)
    assert len(desk.archive.list()) == 2
    away.rename(desk.folder / "recordings")
    holding.raise_hold(desk.archive, held, HoldBy.PARTY, "the price", "anna", now)
    desk.archive.vault.delete(held, other)
    finish_listed(desk.archive, now)
    assert [row.recording for row in desk.archive.list()] == [held]
    assert desk.archive.room.listed() == []
    desk.close()


@pytest.mark.rule("G10")
@pytest.mark.parametrize("by", ["a sweep", "a start"])
def test_the_list_of_a_sweep_that_has_begun_meanwhile_stays(
    disk: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    desk, now, writing = old(disk / "archive", 1), datetime.now(UTC), Catalog.writing
    (goes,) = (row.recording for row in desk.archive.list())

    @contextmanager
    def another_begins(catalog: Catalog) -> Generator[Transaction]:
        with writing(catalog) as tx:
            yield tx
        if desk.archive.room.listed() == [goes]:
            desk.archive.room.list(["another"])

    monkeypatch.setattr(Catalog, "writing", another_begins)
    if by == "a sweep":
        fill(disk)
        assert Swept.DISCARDED in {item.what for item in sweep(desk.archive, now, clock=now)}
    else:
        desk.archive.room.list([goes])
        desk.archive.vault.delete(goes)
        finish_listed(desk.archive, now)
    assert desk.archive.list() == []
    assert desk.archive.room.listed() == ["another"]
    desk.close()


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


def test_room_is_kept_where_there_is_ample_and_given_but_for_the_list(disk: Path) -> None:
    kept, path, full = Room(disk, bytes(32)), disk / ROOM, fill(disk)
    kept.keep()
    assert not path.exists()
    assert not kept.give()
    full.unlink()
    kept.keep()
    assert (path.stat().st_size, path.stat().st_mode & 0o077) == (SIZE, 0)
    kept.list(["a-1", "b-1"])
    fill(disk)
    assert kept.give()
    assert shutil.disk_usage(disk).free >= SIZE - 8192
    assert not kept.give()
    assert kept.listed() == ["a-1", "b-1"]
    # Somebody else's list is none.
    assert Room(disk, bytes(range(32))).listed() == []
    full.unlink()
    kept.keep()
    assert path.stat().st_size == SIZE
    assert kept.listed() == ["a-1", "b-1"]


# --- this user may not ------------------------------------------------------------------------------


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="setpriv is Linux's")
def test_who_may_not_write_is_told_so(tmp_path: Path) -> None:
    folder, catalog = tmp_path / "archive", tmp_path / "archive" / "catalog.db"
    desk = old(folder, 1)
    # A sweep that was cut off before any file went: what is left to do is asked of files that nobody may look at.
    desk.archive.room.list(desk.archive.vault.recordings())
    desk.close()
    # Root may all the same, unless that is taken from it.
    without = "-dac_override,-dac_read_search"
    mere = ("setpriv", f"--bounding-set={without}", f"--inh-caps={without}")
    try:
        for word, what, mode in (
            ("sweep", folder, 0o500),
            ("sweep", folder / "recordings", 0o600),
            ("health", catalog, 0o400),
        ):
            usual = what.stat().st_mode
            what.chmod(mode)
            done = klartone(folder, word, before=mere)
            assert done.returncode == 1
            assert "You have no right to write" in done.stdout + done.stderr, word
            assert [raw for raw in RAW if raw in done.stdout + done.stderr] == []
            what.chmod(usual)
    finally:
        folder.chmod(0o700)


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root gives folders away")
def test_a_folder_that_one_may_not_enter_is_told_in_words(tmp_path: Path) -> None:
    old(tmp_path / "theirs", 1).close()
    home = tmp_path / "home"
    (home / "archive").mkdir(parents=True)
    without = "-dac_override,-dac_read_search"
    mere = ("setpriv", f"--bounding-set={without}", f"--inh-caps={without}")
    for one in (tmp_path / "theirs", home):
        one.chmod(0o700)
        os.chown(one, 65534, 65534)
    theirs = str(tmp_path / "theirs")
    for words in (
        ("--home", str(home), "archive", "list"),
        ("--home", str(home), "doctor"),
        ("archive", "--archive", theirs, "verify"),
        ("keys", "--archive", theirs, "list"),
        ("policy", "new", f"{theirs}/policy.toml"),
    ):
        run = [*mere, sys.executable, "-m", "softphone.cli", *words]
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1, words
        assert "Traceback" not in done.stderr
        assert done.stdout + done.stderr
