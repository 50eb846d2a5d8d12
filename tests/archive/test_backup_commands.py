"""`klartone archive backup` and `restore` as a person meets them, on a demo's archive, whose keys lie in a file."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from softphone import bootstrap, cli
from softphone.archive.archive import Archive
from softphone.bootstrap.home import DEMO_KEYS, Home
from softphone.domain.changes import CloseRecording, Discard
from softphone.domain.errors import ArchiveError
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.system.single import take_turn
from softphone.wire import Settings
from tests.archive.scene import AT, DOCUMENTATION, Scene

Run = Callable[..., str]
DEMO = True
pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def archive(*words: str | Path, status: int = 0) -> str:
        capsys.readouterr()
        assert cli.main(["--home", str(tmp_path / "home"), "archive", *map(str, words)]) == status, capsys.readouterr()
        said = capsys.readouterr()
        return said.out + said.err

    return archive


def closed(desk: Scene) -> str:
    recording = desk.recorded(1, DOCUMENTATION, call=desk.call(retention="P50Y"))
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    return recording


def test_a_backup_is_made_checked_and_brought_back_without_what_was_erased(
    desk: Scene, run: Run, tmp_path: Path
) -> None:
    gone, stays = closed(desk), closed(desk)
    disk, new = tmp_path / "disk", tmp_path / "new"
    archive = ("--archive", desk.folder)
    assert "2 recordings; 2 copied now; 0 erased there." in run("backup", disk, *archive)
    assert "is whole: 2 recordings." in run("backup", disk, "--check", *archive)
    desk.commit(Discard(gone, "withdrawn"), recording=gone)
    said = run("restore", disk, "--to", new, "--erased-in", desk.folder)
    assert "one recording." in said
    assert "One thing that was erased" in said
    assert "not known" not in said
    back = Archive.open(new, DemoKeyFile(new / DEMO_KEYS))
    assert [row.recording for row in back.list(AT)] == [stays]
    back.close()
    assert stays in run("list", "--archive", new)
    told = json.loads(run("backup", disk, "--json", "--archive", new))
    assert (told["number"], told["recordings"], told["copied"]) == (3, 1, 0)


def test_a_backup_makes_no_folder_in_a_place_that_is_not_there(desk: Scene, run: Run, tmp_path: Path) -> None:
    """Where a disk is not mounted, what were written would lie on another."""
    said = run("backup", tmp_path / "not-mounted" / "disk", "--archive", desk.folder, status=1)
    assert f"There is no folder {tmp_path / 'not-mounted'}, so no backup was started" in said
    assert not (tmp_path / "not-mounted").exists()
    disk = tmp_path / "disk"
    run("backup", disk, "--archive", desk.folder)
    to = tmp_path / "not-mounted" / "a" / "new"
    said = run("restore", disk, "--to", to, "--archive", desk.folder, "--accept-unknown", status=1)
    assert f"There is no folder {to.parent}, so nothing was restored into {to}" in said
    assert not (tmp_path / "not-mounted").exists()
    # Its own place there need not be on a new machine.
    run("restore", disk, "--to", tmp_path / "home" / "archive", "--archive", desk.folder, "--accept-unknown")
    assert (tmp_path / "home" / "archive" / "catalog.db").exists()


def test_an_archive_whose_marker_has_gone_is_told_by_each_as_that_and_comes_back_with_all_that_is_in_it(
    desk: Scene, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, disk, home = desk.folder, tmp_path / "disk", tmp_path / "home"
    closed(desk)
    run("backup", disk, "--archive", folder)
    closed(desk)
    desk.close()
    (folder / "archive.json").unlink()
    save_settings(Home.within(home).folders.config, Settings(archive=str(folder)))
    said = f"archive.json is missing from {folder}. The archive's catalog and recordings are still there"
    for command in ("health", "verify", "list"):
        assert run(command, status=1).startswith(said)
    assert cli.main(["--home", str(home), "doctor"]) == 1
    assert f"✗ archive: {said}" in capsys.readouterr().out
    with pytest.raises(ArchiveError) as engine:
        Archive.open_or_create(folder, DemoKeyFile(folder / DEMO_KEYS))
    assert bootstrap.texts().error(engine.value).startswith(said)
    assert f"“klartone archive restore BACKUP --to {folder} --replace”" in str(bootstrap.texts().error(engine.value))
    done = run("restore", disk, "--to", folder, "--replace")
    assert "2 recordings." in done
    assert "not known" not in done
    assert f"{folder}.before-" in run("verify")


def test_what_is_wrong_with_a_folder_that_was_never_an_archive_is_told_of_that_folder_alone(
    desk: Scene, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    said = run("health", "--archive", tmp_path / "empty", status=1)
    assert said.strip() == bootstrap.texts()("error.archive.no_archive", path=tmp_path / "empty")
    run("backup", tmp_path / "disk", "--archive", desk.folder)
    restore = ("restore", tmp_path / "disk", "--to", tmp_path / "new", "--archive", desk.folder)
    said = run(*restore, "--erased-in", tmp_path / "none", status=1)
    assert f"no archive in {tmp_path / 'none'}, which --erased-in names" in said
    assert "--archive" not in said


def test_a_file_is_no_folder_for_a_backup_and_is_left_as_it_is(desk: Scene, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    said = run("backup", tmp_path / "file", "--archive", desk.folder, status=1)
    assert said.startswith(f"{tmp_path / 'file'} is a file, not a folder. Nothing was written.")
    assert (tmp_path / "file").read_text() == "mine"


def test_the_folder_of_the_settings_is_taken_and_doctor_tells_of_it(
    desk: Scene, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = Home.within(tmp_path / "home").folders
    assert "settings name no folder" in run("backup", "--archive", desk.folder, status=1)
    save_settings(folders.config, Settings(archive=str(desk.folder), backup=str(tmp_path / "disk")))
    recording = closed(desk)
    doctor = ["--home", str(tmp_path / "home"), "doctor"]
    cli.main(doctor)
    assert "has no backup" in capsys.readouterr().out
    run("backup")
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    cli.main(doctor)
    assert "one change is not in it yet" in capsys.readouterr().out


def test_a_check_makes_a_damaged_copy_anew_and_says_so(desk: Scene, run: Run, tmp_path: Path) -> None:
    recording, disk, archive = closed(desk), tmp_path / "disk", ("--archive", desk.folder)
    run("backup", disk, *archive)
    (copy,) = (disk / "recordings").iterdir()
    whole, check = copy.read_bytes(), ("backup", disk, "--check")
    copy.write_bytes(whole[:-1])
    said = run(*check, *archive, status=1)
    assert "The archive has it whole, and it was made again." in said
    assert copy.name in said
    assert "is whole: one recording." in run(*check, *archive)
    copy.unlink()
    told = json.loads(run(*check, "--json", *archive, status=1))
    assert (told["damaged"], told["mended"]) == ([copy.name], [copy.name])
    copy.write_bytes(b"x")
    desk.archive.vault.path(recording).write_bytes(whole[:-1])
    said = run(*check, *archive, status=1)
    assert "does not have it as it was copied either. It was left as it is." in said
    assert copy.read_bytes() == b"x"
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    said = run(*check, *archive, status=1)
    assert "One copy that is missing or not as it was written is of a recording that was erased since" in said
    run("backup", disk, *archive)
    assert "is whole: 0 recordings" in run(*check, *archive)


def test_a_check_as_json_says_of_each_damaged_copy_what_became_of_it(desk: Scene, run: Run, tmp_path: Path) -> None:
    """A script is to know what is lost from what is not."""
    disk, keys = tmp_path / "disk", tmp_path / "keys"
    names: dict[str, list[str]] = {}
    mended, left, erased = closed(desk), closed(desk), closed(desk)
    run("backup", disk, "--archive", desk.folder)
    for became, recording in {"mended": mended, "left": left, "erased": erased}.items():
        (copy,) = (disk / "recordings").glob(f"{recording}.*")
        copy.write_bytes(b"x")
        names[became] = [copy.name]
    desk.archive.vault.path(left).unlink()
    desk.commit(Discard(erased, "withdrawn"), recording=erased)
    catalog = disk / "generation-1/catalog.db"
    catalog.unlink()

    def told(archive: Path) -> dict[str, list[str]]:
        return json.loads(run("backup", disk, "--check", "--json", "--archive", archive, status=1))

    became = told(desk.folder)
    assert {name: became[name] for name in (*names, "not_mended")} == {**names, "not_mended": []}
    assert set(became["damaged"]) == {catalog.name, *(one for some in names.values() for one in some)}
    keys.mkdir()
    shutil.copy(desk.folder / DEMO_KEYS, keys)
    became = told(keys)
    assert not any(became[name] for name in names)
    assert set(became["not_mended"]) == {*names["left"], *names["erased"]}
    said = run("backup", disk, "--check", "--archive", keys, status=1)
    assert f"There is no archive in {keys}." in said
    assert "Check again once that is fixed" in said


def test_a_check_says_which_of_a_backup_s_own_files_is_gone_or_another(desk: Scene, run: Run, tmp_path: Path) -> None:
    closed(desk)
    disk, archive = tmp_path / "disk", ("--archive", desk.folder)
    run("backup", disk, *archive)
    for name, means, way in (
        ("catalog.db", "nothing can be restored unless", "it writes a new one"),
        ("wraps.bin", "can be listened to", "it writes them anew"),
        ("recordings.list", "nobody knows which", "in a new or empty folder"),
        ("erased.bin", "cannot be known", "it starts a new list"),
    ):
        path = disk / "generation-1" / name
        data = path.read_bytes()
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        assert f"{path}, is not as it was written" in run("backup", disk, "--check", *archive, status=1)
        path.unlink()
        said = run("backup", disk, "--check", *archive, status=1)
        assert f"{path}, is missing." in said
        assert means in said
        assert way in said
        path.write_bytes(data)
    # Where the list is gone, no sentence sends for a run that is refused.
    for name in ("recordings.list", "catalog.db", "erased.bin"):
        (disk / "generation-1" / name).unlink()
    said = run("backup", disk, "--check", *archive, status=1)
    assert "recordings.list, is missing." in said
    assert "Also missing there, or not as they were written: catalog.db, erased.bin" in said
    assert "Run “" not in said


@pytest.mark.parametrize(
    ("gone", "command", "means", "way"),
    [
        ("generation-1/recordings.list", "backup", "nobody knows which of the recordings", "in a new or empty folder"),
        ("generation-1/recordings.list", "restore", "nobody knows which of the recordings", "Use another backup"),
        ("generation-1/catalog.db", "restore", "without it nothing can be restored", "name it with --erased-in"),
        ("generation-1/manifest.json", "restore", "nothing there is valid", "while the archive exists"),
        (
            "klartone-backup.json",
            "backup",
            "says which archive this backup belongs to",
            "from an older copy of the folder",
        ),
        (
            "klartone-backup.json",
            "restore",
            "says which archive this backup belongs to",
            "from an older copy of the folder",
        ),
    ],
)
def test_a_file_of_a_backup_that_is_gone_is_named_with_what_it_means_and_what_to_do(
    desk: Scene, run: Run, tmp_path: Path, gone: str, command: str, means: str, way: str
) -> None:
    closed(desk)
    disk, archive = tmp_path / "disk", ("--archive", desk.folder)
    run("backup", disk, *archive)
    (disk / gone).unlink()
    words = ("--to", tmp_path / "new", "--accept-unknown") if command == "restore" else ()
    said = run(command, disk, *words, *archive, status=1)
    assert Path(gone).name in said
    assert means in said
    assert way in said
    assert not (tmp_path / "new").exists()


def test_a_recording_that_was_cut_here_is_told_by_every_backup_and_comes_back_whole(
    desk: Scene, run: Run, tmp_path: Path
) -> None:
    recording, disk, new = closed(desk), tmp_path / "disk", tmp_path / "new"
    archive = ("--archive", desk.folder)
    run("backup", disk, *archive)
    path = desk.archive.vault.path(recording)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    for _ in range(2):
        said = run("backup", disk, *archive, status=1)
        assert "0 copied now; 0 erased there" in said
        assert "have changed since they were copied" in said
        assert recording in said
    assert "is whole: one recording." in run("backup", disk, "--check", *archive)
    run("restore", disk, "--to", new, "--erased-in", desk.folder)
    assert (new / "recordings" / path.name).read_bytes() == whole
    path.write_bytes(b"x" + whole)
    said = run("restore", disk, "--to", tmp_path / "again", "--erased-in", desk.folder, status=1)
    assert "Keep the former folder" in said
    assert recording in said


@pytest.mark.skipif(sys.platform == "win32", reason="an archive that is open cannot be moved there")
def test_an_archive_is_not_replaced_under_a_running_engine(desk: Scene, run: Run, tmp_path: Path) -> None:
    closed(desk)
    disk = tmp_path / "disk"
    run("backup", disk, "--archive", desk.folder)
    with take_turn(Home.within(tmp_path / "home").folders.runtime, 0.0):
        said = run("restore", disk, "--to", desk.folder, "--replace", status=1)
    assert "already running" in said
    told = json.loads(run("restore", disk, "--to", desk.folder, "--replace", "--json"))
    assert (told["recordings"], told["unknown_since"]) == (1, None)
    assert Path(told["aside"], "catalog.db").exists()
    back = ("restore", disk, "--to", desk.folder, "--replace", "--erase-former")
    assert "the former one has been erased" in run(*back)
    assert [path.name for path in desk.folder.parent.glob("*.before-*")] == [Path(told["aside"]).name]


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if sys.platform == "win32":
        pytest.skip("Windows takes its zone from its own settings")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_times_are_told_as_the_machine_s_clock_shows_them_and_to_machines_in_utc(
    desk: Scene, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed(desk)
    save_settings(Home.within(tmp_path / "home").folders.config, Settings(archive=str(desk.folder)))
    disk, new = tmp_path / "disk", tmp_path / "new"
    run("backup", disk)
    told = json.loads(run("backup", disk, "--check", "--json"))["at"]
    at = datetime.fromisoformat(told)
    assert at.utcoffset() == timedelta()
    shown = at.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%d %H:%M:%S +0900")
    assert f"The backup of {shown} is whole" in run("backup", disk, "--check")
    assert f"locked since {shown} cannot be known" in run("restore", disk, "--to", new, status=1)
    said = run("restore", disk, "--to", new, "--accept-unknown")
    assert f"The archive of {shown} is now in" in said
    assert f"locked after {shown} is not known" in said
    capsys.readouterr()
    cli.main(["--home", str(tmp_path / "home"), "doctor"])
    assert f"Backup of {shown} in {disk}" in capsys.readouterr().out


@pytest.mark.parametrize("language", ["da.UTF-8", "en.UTF-8"])
def test_a_refusal_says_what_happened_and_what_to_do(
    desk: Scene, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LC_ALL", language)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("x")
    said = run("backup", tmp_path / "full", "--archive", desk.folder, status=1)
    assert str(tmp_path / "full") in said
    assert "Traceback" not in said
    assert "letter" not in said
