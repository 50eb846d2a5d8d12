"""`klartone archive backup` and `restore` as a person meets them, on a demo's archive, whose keys lie in a file."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from softphone import bootstrap, cli
from softphone.archive.archive import Archive
from softphone.archive.backup.run import LIVES_ON
from softphone.bootstrap.home import DEMO_KEYS, Home
from softphone.domain.changes import CloseRecording, Discard
from softphone.domain.errors import ArchiveError
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.system.single import take_turn
from softphone.wire.snapshot import Settings
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
    # Each refusal is of the folder that is meant.
    (tmp_path / "file").write_text("mine")
    said = run("backup", tmp_path / "file", "--archive", desk.folder, status=1)
    assert said.startswith(f"{tmp_path / 'file'} is a file, not a folder. Nothing was written.")
    assert (tmp_path / "file").read_text() == "mine"
    new = ("restore", disk, "--to", tmp_path / "new", "--archive", desk.folder)
    said = run(*new, "--erased-in", tmp_path / "none", status=1)
    assert f"no archive in {tmp_path / 'none'}, which --erased-in names" in said
    assert "--archive" not in said


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
    assert f"✗ {said}" in capsys.readouterr().out
    with pytest.raises(ArchiveError) as engine:
        Archive.open_or_create(folder, DemoKeyFile(folder / DEMO_KEYS))
    assert bootstrap.texts().error(engine.value).startswith(said)
    assert f"“klartone archive restore BACKUP --to {folder} --replace”" in str(bootstrap.texts().error(engine.value))
    done = run("restore", disk, "--to", folder, "--replace")
    assert "2 recordings." in done
    assert "not known" not in done
    assert f"{folder}.before-" in run("verify")


def test_the_folder_of_the_settings_is_taken_and_doctor_tells_of_it(
    desk: Scene, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
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
    assert "one change is not in it yet" in (said := capsys.readouterr().out)
    stale = bootstrap.texts().halves("doctor.backup.stale", path=str(tmp_path / "disk"), days=LIVES_ON.days)[0]
    assert stale not in said
    monkeypatch.setattr("softphone.archive.backup.run.LIVES_ON", timedelta(0))
    cli.main(doctor)
    assert stale in " ".join(capsys.readouterr().out.split())


def test_a_check_says_of_each_damaged_copy_what_became_of_it(desk: Scene, run: Run, tmp_path: Path) -> None:
    """A script is to know what is lost from what is not."""
    disk, keys = tmp_path / "disk", tmp_path / "keys"
    made = {became: closed(desk) for became in ("mended", "left", "erased")}
    run("backup", disk, "--archive", desk.folder)
    copies = {became: next((disk / "recordings").glob(f"{recording}.*")) for became, recording in made.items()}
    desk.archive.vault.path(made["left"]).unlink()
    desk.commit(Discard(made["erased"], "withdrawn"), recording=made["erased"])
    keys.mkdir()
    shutil.copy(desk.folder / DEMO_KEYS, keys)

    def damaged(*words: str, archive: Path = desk.folder) -> str:
        for copy in copies.values():
            copy.write_bytes(b"x")
        return run("backup", disk, "--check", *words, "--archive", archive, status=1)

    said = damaged()
    assert "The archive has it whole, and it was made again." in said
    assert "does not have it as it was copied either. It was left as it is." in said
    assert "One copy that is missing or not as it was written is of a recording that was erased since" in said
    assert all(copy.name in said for copy in copies.values())
    became = json.loads(damaged("--json"))
    assert {name: became[name] for name in (*copies, "not_mended")} == {
        **{name: [copy.name] for name, copy in copies.items()},
        "not_mended": [],
    }
    names = {copy.name for copy in copies.values()}
    assert set(became["damaged"]) == names
    # Where the archive is not there, none is made again.
    said = damaged(archive=keys)
    assert f"There is no archive in {keys}." in said
    assert "Check again once that is fixed" in said
    assert [copy.read_bytes() for copy in copies.values()] == [b"x"] * 3


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
        path.unlink()
        said = run("backup", disk, "--check", *archive, status=1)
        assert f"{path}, is missing." in said
        assert means in said
        assert way in said
        path.write_bytes(b"x" + data)
        assert f"{path}, is not as it was written" in run("backup", disk, "--check", *archive, status=1)
        path.write_bytes(data)
    # Where the list is gone, no sentence sends for a run that is refused.
    for name in ("recordings.list", "catalog.db", "erased.bin"):
        (disk / "generation-1" / name).unlink()
    said = run("backup", disk, "--check", *archive, status=1)
    assert "recordings.list, is missing." in said
    assert "Also missing there, or not as they were written: catalog.db, erased.bin" in said
    assert "Run “" not in said


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
