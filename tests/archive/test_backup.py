"""A backup holds the archive of its moment, whole; what has gone since goes there too, and what fails leaves the last one."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.backup import copying
from softphone.archive.backup.alone import LOCK, SNAPSHOT, alone, left_over
from softphone.archive.backup.check import check, mend
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import LIVES_ON, Progress, back_up, health, tell
from softphone.archive.backup.target import MANIFEST, MARKER, Target
from softphone.archive.catalog.database import Catalog
from softphone.archive.crypto.slots import FILE
from softphone.archive.crypto.wraps import Recipient, create_key_pair
from softphone.archive.examine.health import health as state
from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import read_structure
from softphone.archive.keys import rotation
from softphone.archive.log.checkpoint import Signer
from softphone.archive.retention.sweep import sweep
from softphone.domain.changes import AuditEntry, Discard, DropWraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.disk import ext4
from tests.archive.scene import AT, DOCUMENTATION, FRAME, TRAINING, Scene, scene, voices

NEXT_DAY = AT + timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "disk"


def refused(deed: object, *arguments: object, **named: object) -> str:
    assert callable(deed)
    with pytest.raises(ArchiveError) as error:
        deed(*arguments, **named)
    return error.value.code


def until(count: int) -> Progress:
    """Stops behind so many recordings."""
    return lambda _what, done, _total: done < count


def there(disk: Path) -> set[str]:
    return {path.name for path in disk.rglob("*") if path.is_file()}


def test_a_backup_is_whole_and_its_catalog_is_sealed_as_the_archives(desk: Scene, disk: Path) -> None:
    recording = desk.recorded(1, DOCUMENTATION, TRAINING)
    done = back_up(desk.archive, disk, AT)
    assert (done.number, done.recordings, done.copied, done.missing) == (1, 1, 1, [])
    manifest, bad = check(disk, desk.store)
    assert (manifest.number, manifest.count, bad) == (1, 1, [])
    size = desk.archive.vault.path(recording).stat().st_size
    assert there(disk) == {
        MARKER, MANIFEST, "catalog-1.db", "wraps-1.bin", "objects-1.list", "erased-1.log", "erased-1.log.end",
        f"{recording}.{size}.ktr",
    }  # fmt: skip
    copy = (disk / "catalog-1.db").read_bytes()
    assert b"SQLite" not in copy
    assert copy[:16] != (desk.folder / "catalog.db").read_bytes()[:16]
    assert [row.event for row in desk.archive.audit_of()][-1] == "archive_backed_up"
    assert verify(desk.archive).ok


def test_keys_that_are_rotated_while_a_backup_runs_open_what_it_brings_back(
    desk: Scene, disk: Path, tmp_path: Path
) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    old = desk.recipients[KeyRole.DOCUMENTATION]
    new = Recipient("case-2", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
    rotation.revoke(desk.archive, old)

    def rotates(what: str, _done: int, _total: int) -> bool:
        return what != "recordings" or bool(rotation.rotate(desk.archive, old, new))

    back_up(desk.archive, disk, AT, progress=rotates)
    restore(disk, tmp_path / "back", desk.store, AT, accept_unknown=True)
    with closing(Archive.open(tmp_path / "back", desk.store)) as archive:
        archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION)


@pytest.mark.parametrize("anew", [True, False], ids=["another backup", "the folder itself"])
def test_sealed_keys_that_are_lost_here_come_back_from_the_backup(
    desk: Scene, disk: Path, tmp_path: Path, *, anew: bool
) -> None:
    recording, withdrawn = desk.recorded(1, DOCUMENTATION), desk.recorded(1, DOCUMENTATION, TRAINING)
    back_up(desk.archive, disk, AT)
    desk.commit(DropWraps(withdrawn, KeyRole.TRAINING, "withdrawn"), recording=withdrawn)
    (desk.folder / FILE).unlink()
    if anew:
        back_up(desk.archive, disk, NEXT_DAY)
        restore(disk, tmp_path / "back", desk.store, NEXT_DAY, accept_unknown=True)
    else:
        desk.close()
        restore(disk, tmp_path / "back", desk.store, NEXT_DAY, erased_in=desk.folder)
    with closing(Archive.open(tmp_path / "back", desk.store)) as archive:
        archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION)
        assert {one.role for one in archive.wraps_of(withdrawn)} == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
        assert all(one.sealed for one in archive.wraps_of(withdrawn))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_what_lies_in_a_backup_is_for_its_user_alone(desk: Scene, disk: Path) -> None:
    desk.recorded(1, DOCUMENTATION)
    before = os.umask(0o022)
    try:
        back_up(desk.archive, disk, AT)
    finally:
        os.umask(before)
    assert {
        path.name: path.stat().st_mode & 0o077 for path in [disk, *disk.rglob("*")] if path.stat().st_mode & 0o077
    } == {}


def test_the_next_one_copies_what_is_new_and_takes_away_what_has_gone(desk: Scene, disk: Path) -> None:
    gone, stays = desk.recorded(1, DOCUMENTATION), desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    desk.commit(Discard(gone, "declined_by_key"), recording=gone)
    new = desk.recorded(1, DOCUMENTATION)
    done = back_up(desk.archive, disk, NEXT_DAY)
    assert (done.number, done.recordings, done.copied, done.erased) == (2, 2, 1, 1)
    assert {name.split(".")[0] for name in there(disk) if name.endswith(".ktr")} == {stays, new}
    assert not {name for name in there(disk) if "-1." in name and not name.endswith(".ktr")}
    assert check(disk, desk.store)[1] == []


@pytest.mark.rule("G10")
@pytest.mark.parametrize("withdrawn", [True, False])
def test_what_is_withdrawn_survives_in_no_page_past_the_next_backup(desk: Scene, disk: Path, withdrawn: bool) -> None:
    # So much beside it that its pages are not the only ones.
    for _ in range(20):
        desk.open(desk.call(retention="P50Y"), DOCUMENTATION, TRAINING)
    recording = desk.recorded(1, DOCUMENTATION, TRAINING)
    wraps = [one.sealed for one in desk.archive.wraps_of(recording)]
    chunks = [one.sealed for one in read_structure(desk.archive.vault.path(recording)).chunks]
    back_up(desk.archive, disk, AT)
    (copied,) = (disk / "recordings").glob(f"{recording}.*")
    blocks = {"object": disk.parent / "blocks", "wraps": disk.parent / "pages"}
    os.link(copied, blocks["object"])
    os.link(disk / "wraps-1.bin", blocks["wraps"])
    assert all(one in pages(desk, disk / "catalog-1.db") for one in wraps)
    if withdrawn:
        desk.commit(Discard(recording, "withdrawn"), recording=recording, rule="G04")
    back_up(desk.archive, disk, NEXT_DAY)
    left = [one for one in wraps if one in pages(desk, disk / "catalog-2.db")]
    assert left == ([] if withdrawn else wraps)
    assert all((one[:40] in blocks["object"].read_bytes()) != withdrawn for one in chunks)
    assert set(blocks["wraps"].read_bytes()) == {0}
    assert copied.exists() != withdrawn


def pages(desk: Scene, path: Path) -> bytes:
    """Every page of a backup's catalog, and every key that its wraps' file holds, decrypted."""
    folder, desk.folder = desk.folder, path.parent
    copies = {path.parent / "catalog.db": path, path.parent / FILE: path.with_name(f"wraps-{path.stem[8:]}.bin")}
    for copy, of in copies.items():
        shutil.copy(of, copy)
    try:
        return desk.pages()
    finally:
        for copy in copies:
            copy.unlink()
        desk.folder = folder


def test_a_recording_that_has_grown_is_copied_again(desk: Scene, disk: Path) -> None:
    call = desk.call()
    recording = desk.open(call, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    desk.start(call, recording, 0)
    desk.talk(call, voices(1))
    desk.recorder.stop(call, recording, 0)
    desk.drained(recording, 0, 50 * FRAME)
    assert back_up(desk.archive, disk, NEXT_DAY).copied == 1
    (held,) = (disk / "recordings").iterdir()
    assert held.read_bytes() == desk.archive.vault.path(recording).read_bytes()


def test_no_backup_lies_within_its_archive_nor_around_it(desk: Scene, tmp_path: Path) -> None:
    for folder in (desk.archive.folder / "backup", desk.archive.folder, desk.archive.folder.parent):
        assert refused(back_up, desk.archive, folder, AT) == "error.backup.inside"
    assert not (desk.archive.folder / "backup").exists()


def test_damage_here_does_not_go_into_the_backup(desk: Scene, disk: Path) -> None:
    changed, missing = desk.recorded(1, DOCUMENTATION), desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    path = desk.archive.vault.path(changed)
    path.write_bytes((data := path.read_bytes())[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, (1, 1))
    desk.archive.vault.path(missing).unlink()
    done = back_up(desk.archive, disk, NEXT_DAY)
    assert (done.differs, done.missing, done.recordings, done.erased) == ([changed], [missing], 2, 0)
    assert check(disk, desk.store)[1] == []


HURT: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 3],
    "in-the-last-chunk": lambda data: data[:-1],
    "emptied": lambda _: b"",
    "overwritten-and-longer": lambda data: bytes(len(data)) + data,
    "one-byte-and-longer": lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:] + data[-100:],
}


@pytest.mark.parametrize("hurt", HURT.values(), ids=HURT)
def test_a_good_copy_is_never_replaced_by_less_than_it(desk: Scene, disk: Path, hurt: Callable[[bytes], bytes]) -> None:
    recording = desk.recorded(3, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    path = desk.archive.vault.path(recording)
    whole = path.read_bytes()
    path.write_bytes(hurt(whole))
    # Not by the next run, and not by any after it.
    for day in (1, 2):
        done = back_up(desk.archive, disk, AT + timedelta(days=day))
        assert (done.differs, done.copied, done.erased) == ([recording], 0, 0)
        (held,) = (disk / "recordings").iterdir()
        assert held.read_bytes() == whole
        assert check(disk, desk.store)[1] == []
    path.write_bytes(held.read_bytes())
    assert back_up(desk.archive, disk, AT + timedelta(days=3)).differs == []


def test_what_a_run_that_was_cut_off_had_copied_is_not_replaced_by_less_either(desk: Scene, disk: Path) -> None:
    cut, gone, stays = sorted(desk.recorded(1, DOCUMENTATION) for _ in range(3))
    copied = {one: desk.archive.vault.path(one).read_bytes() for one in (cut, gone)}
    assert refused(back_up, desk.archive, disk, AT, progress=until(2)) == "error.backup.stopped"
    desk.archive.vault.path(cut).write_bytes(copied[cut][:-100])
    desk.archive.vault.path(gone).unlink()
    done = back_up(desk.archive, disk, NEXT_DAY)
    assert (done.differs, done.missing, done.copied, done.recordings) == ([cut], [gone], 1, 3)
    assert {one.read_bytes() for one in (disk / "recordings").iterdir()} > set(copied.values())
    assert {one.name.split(".")[0] for one in (disk / "recordings").iterdir()} == {cut, gone, stays}
    assert check(disk, desk.store)[1] == []


def test_of_a_chunk_that_is_half_written_nothing_is_copied_so_that_what_is_cut_off_is_no_difference(
    desk: Scene, disk: Path
) -> None:
    recording = desk.recorded(3, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    whole, last = path.read_bytes(), read_structure(path).chunks[-1].offset
    path.write_bytes(whole[: last + 100])
    back_up(desk.archive, disk, AT)
    (held,) = (disk / "recordings").iterdir()
    assert held.read_bytes() == whole[:last]
    # It is cut off as after a crash, written on as by another chunk, or stays: no run takes that for damage.
    for data, copies in ((whole[: last + 100], 0), (whole[:last], 0), (whole, 1), (whole + b"KTCH", 0)):
        path.write_bytes(data)
        done = back_up(desk.archive, disk, NEXT_DAY)
        assert (done.differs, done.copied) == ([], copies)
    (held,) = (disk / "recordings").iterdir()
    assert held.read_bytes() == whole


@pytest.mark.parametrize("places", [16, pytest.param(500, marks=pytest.mark.torture)])
def test_each_byte_that_is_changed_in_a_backup_is_found(desk: Scene, disk: Path, places: int) -> None:
    desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    for path in sorted(path for path in disk.rglob("*") if path.is_file()):
        data = path.read_bytes()
        step = max(1, len(data) // places)
        for at in range(0, len(data), step):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            try:
                found = check(disk, desk.store)[1]
            except Exception as error:  # noqa: BLE001 - a sentence, or the wrong key's: never a backup that is believed
                assert getattr(error, "code", "").startswith("error."), (path.name, at, error)  # noqa: PT017
            else:
                assert found, (path.name, at)
        # Behind the journal's last line, half a line is what a power cut leaves.
        more = [] if path.suffix == ".log" else [data + b"x"]
        for cut in (data[:-1], data[: len(data) // 2], b"", *more):
            path.write_bytes(cut)
            with suppress(ArchiveError):
                assert check(disk, desk.store)[1], path.name
        path.write_bytes(data)
    assert check(disk, desk.store)[1] == []


@pytest.mark.torture
def test_a_full_and_a_read_only_disk_are_said_and_the_last_backup_stands(desk: Scene, tmp_path: Path) -> None:
    closed = [desk.recorded(1, DOCUMENTATION) for _ in range(2)]
    with ext4(tmp_path, journal=False) as image:
        disk = image.mounted
        back_up(desk.archive, disk, AT)
        with suppress(OSError), (disk / "filled").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        desk.recorded(1, DOCUMENTATION)
        assert refused(back_up, desk.archive, disk, NEXT_DAY) == "error.backup.full"
        desk.commit(Discard(closed[0], "withdrawn"), recording=closed[0])
        assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.full"
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert refused(back_up, desk.archive, disk, NEXT_DAY) == "error.backup.unwritable"
        assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.unwritable"
        manifest, bad = check(disk, desk.store)
        assert (manifest.number, bad) == (1, [])
        assert health(desk.archive, AT)[0].waiting == 1
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        (disk / "filled").unlink()
        assert tell(desk.archive, disk, NEXT_DAY) == 1
        assert back_up(desk.archive, disk, NEXT_DAY).recordings == 2
        assert check(disk, desk.store)[1] == []
        assert not list(disk.rglob("*.part"))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "error.backup.full"),
        (errno.EROFS, "error.backup.unwritable"),
        (errno.EIO, "error.backup.lost"),
    ],
)
def test_what_a_disk_refuses_is_said_and_the_last_backup_stands(
    desk: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    back_up(desk.archive, disk, AT)
    desk.recorded(1, DOCUMENTATION)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(copying, "own", refuse)
        assert refused(back_up, desk.archive, disk, NEXT_DAY) == code
    manifest, bad = check(disk, desk.store)
    assert (manifest.number, bad) == (1, [])
    assert back_up(desk.archive, disk, NEXT_DAY).number == 2


def test_a_disk_taken_away_in_the_middle_leaves_nothing_in_its_place(desk: Scene, disk: Path) -> None:
    desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    desk.recorded(1, DOCUMENTATION)

    def away(what: str, _done: int, _total: int) -> bool:
        if what == "recordings" and disk.exists():
            disk.rename(disk.with_name("elsewhere"))
            disk.mkdir()
        return True

    assert refused(back_up, desk.archive, disk, NEXT_DAY, progress=away) == "error.backup.lost"
    assert refused(back_up, desk.archive, disk, NEXT_DAY) == "error.backup.away"
    assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.away"
    assert not there(disk)
    # Put back, it goes on; a new disk in its place is for a person to say.
    disk.rmdir()
    disk.with_name("elsewhere").rename(disk)
    assert back_up(desk.archive, disk, NEXT_DAY).number == 2
    shutil.rmtree(disk)
    disk.mkdir()
    assert back_up(desk.archive, disk, NEXT_DAY, anew=True).number == 1


def test_a_run_that_is_stopped_leaves_the_last_one_and_goes_on_the_next_time(desk: Scene, disk: Path) -> None:
    for _ in range(4):
        desk.recorded(1, DOCUMENTATION)

    assert refused(back_up, desk.archive, disk, AT, progress=until(2)) == "error.backup.stopped"
    assert refused(check, disk, desk.store) == "error.backup.unfinished"
    assert not (desk.folder / "backup.db").exists()
    done = back_up(desk.archive, disk, AT)
    assert (done.copied, done.recordings) == (2, 4)


@pytest.mark.rule("G10")
def test_what_a_killed_backup_left_beside_the_archive_goes_when_it_is_next_opened(desk: Scene, disk: Path) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    blocks = disk.parent / "blocks"

    def die(what: str, _done: int, _total: int) -> bool:
        if what == "recordings":
            shutil.copy(desk.folder / SNAPSHOT, blocks)
        return True

    back_up(desk.archive, disk, AT, progress=die)
    blocks.rename(desk.folder / SNAPSHOT)
    os.link(desk.folder / SNAPSHOT, blocks)
    assert [one.code for one in verify(desk.archive).findings] == ["backup_left"]
    assert state(desk.archive, AT).backup_left
    # Another's, that is running, is left alone.
    with alone(desk.folder):
        desk.reopen().close()
        assert not left_over(desk.folder)
    assert (desk.folder / SNAPSHOT).exists()

    desk.reopen().close()

    assert not (desk.folder / SNAPSHOT).exists()
    assert set(blocks.read_bytes()) == {0}
    assert not state(desk.archive, AT).backup_left
    assert verify(desk.archive).findings == ()
    assert desk.archive.find(recording)


def test_who_does_not_sign_the_log_makes_no_backup_and_writes_nothing(desk: Scene, disk: Path) -> None:
    desk.archive.signer = Signer(desk.archive.desk, None, bytes(32))
    assert refused(back_up, desk.archive, disk, AT) == "error.backup.signs_not"
    assert not disk.exists()


def test_health_beside_a_running_engine_is_not_ended_by_a_file_that_goes(desk: Scene) -> None:
    (desk.folder / "recordings" / ".probe").symlink_to("gone")
    assert state(desk.archive, AT).bytes > 0


def test_two_backups_do_not_run_at_once(desk: Scene, disk: Path) -> None:
    code = "import fcntl,sys; f=open(sys.argv[1],'ab'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", code, str(desk.folder / LOCK)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert refused(back_up, desk.archive, disk, AT) == "error.backup.running"
        other.communicate()
    assert back_up(desk.archive, disk, AT).number == 1


def test_a_folder_with_something_else_in_it_is_left_alone(desk: Scene, disk: Path, tmp_path: Path) -> None:
    disk.mkdir()
    (disk / "letter.txt").write_text("x")
    assert refused(back_up, desk.archive, disk, AT) == "error.backup.not_empty"
    assert there(disk) == {"letter.txt"}
    with scene(tmp_path / "other", another=True) as other:
        back_up(other.archive, tmp_path / "theirs", AT)
    assert refused(back_up, desk.archive, tmp_path / "theirs", AT) == "error.backup.another"


def test_a_backup_of_a_later_version_is_refused(desk: Scene, disk: Path) -> None:
    back_up(desk.archive, disk, AT)
    marker = json.loads((disk / MARKER).read_text())
    (disk / MARKER).write_text(json.dumps({**marker, "format": 2}, indent=2) + "\n")
    assert refused(back_up, desk.archive, disk, NEXT_DAY) == "error.backup.unknown_version"


def test_what_another_course_of_the_archive_backed_up_is_not_written_over(
    desk: Scene, disk: Path, tmp_path: Path
) -> None:
    desk.recorded(1, DOCUMENTATION)
    desk.archive.catalog.empty_log()
    shutil.copytree(desk.folder, tmp_path / "older")
    desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    older = desk.archive.open(tmp_path / "older", desk.store)
    older.note(AuditEntry("changed", "G10", AT, ""))
    assert refused(back_up, older, disk, NEXT_DAY) == "error.backup.diverged"
    older.close()


def test_what_ends_between_two_backups_waits_until_it_can_be_told(desk: Scene, disk: Path) -> None:
    assert health(desk.archive, AT) == []
    recording = desk.recorded(1, DOCUMENTATION, TRAINING)
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"), recording=recording)
    back_up(desk.archive, disk, AT)
    (state,) = health(desk.archive, AT)
    assert (state.folder, state.number, state.at, state.waiting) == (disk, 1, AT, 0)
    desk.commit(DropWraps(recording, KeyRole.DOCUMENTATION, "withdrawn"), recording=recording)
    assert health(desk.archive, AT)[0].waiting == 1
    disk.rename(disk.with_name("away"))
    assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.away"
    assert health(desk.archive, AT)[0].waiting == 1
    disk.with_name("away").rename(disk)
    assert tell(desk.archive, disk, NEXT_DAY) == 1
    assert health(desk.archive, AT)[0].waiting == 0
    assert tell(desk.archive, disk, NEXT_DAY) == 0


def test_an_archive_that_nothing_has_happened_to_is_backed_up_too(desk: Scene, disk: Path) -> None:
    assert desk.archive.audit_of() == []
    assert [back_up(desk.archive, disk, AT).number for _ in range(2)] == [1, 2]


def test_without_a_backup_nothing_is_noted_for_one(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    with desk.archive.catalog.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM touched").scalar_one() == 0


def test_two_disks_that_take_turns_are_both_told(desk: Scene, tmp_path: Path) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    for name in ("one", "two"):
        back_up(desk.archive, tmp_path / name, AT)
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    assert tell(desk.archive, tmp_path / "one", NEXT_DAY) == 1
    assert {state.folder.name: state.waiting for state in health(desk.archive, AT)} == {"one": 0, "two": 1}
    assert tell(desk.archive, tmp_path / "two", NEXT_DAY) == 1
    with desk.archive.catalog.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM touched").scalar_one() == 0


def test_a_folder_that_was_set_back_to_an_older_day_is_not_told_but_backed_up_anew(desk: Scene, disk: Path) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    shutil.copytree(disk, disk.with_name("old"))
    back_up(desk.archive, disk, NEXT_DAY)
    shutil.rmtree(disk)
    disk.with_name("old").rename(disk)
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.set_back"
    assert back_up(desk.archive, disk, NEXT_DAY).recordings == 0


def test_a_journal_that_was_cut_is_not_gone_on_with(desk: Scene, disk: Path) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    first = {path.name: path.read_bytes() for path in disk.glob("erased-*")}
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    tell(desk.archive, disk, NEXT_DAY)
    for name, data in first.items():
        (disk / name).write_bytes(data)
    desk.commit(Discard(desk.recorded(1, DOCUMENTATION), "withdrawn"))
    assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.journal_changed"


def test_a_line_that_was_half_written_is_cut_off_and_written_again(desk: Scene, disk: Path) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    with (disk / "erased-1.log").open("ab") as file:
        file.write(b"half a li")
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    assert tell(desk.archive, disk, NEXT_DAY) == 1
    assert check(disk, desk.store)[1] == []


def test_whatever_way_it_ends_the_catalog_notes_it_itself(desk: Scene, disk: Path) -> None:
    back_up(desk.archive, disk, AT)
    recording = desk.recorded(1, DOCUMENTATION)
    assert health(desk.archive, AT)[0].waiting == 0
    sweep(desk.archive, AT + timedelta(days=800), clock=AT + timedelta(days=800), witness=AT + timedelta(days=800))
    assert health(desk.archive, AT)[0].waiting == 1
    with desk.archive.catalog.reading() as connection:
        noted = connection.exec_driver_sql("SELECT kind, id FROM touched").one()
    assert tuple(noted) == ("recording", recording)


def test_a_targets_marker_is_read_back_as_it_was_written(desk: Scene, disk: Path) -> None:
    back_up(desk.archive, disk, AT)
    target = Target.open(disk)
    assert replace(target, folder=disk) == target
    assert Catalog(disk / "catalog-1.db", desk.archive.secrets.catalog).integrity() == []


def test_a_copy_that_is_damaged_is_made_anew_from_a_source_that_is_whole(desk: Scene, disk: Path) -> None:
    changed, cut, gone, grown = (desk.recorded(2, DOCUMENTATION) for _ in range(4))
    back_up(desk.archive, disk, AT)
    copies = {one: next((disk / "recordings").glob(f"{one}.*")) for one in (changed, cut, gone, grown)}
    as_copied = {path.name: path.read_bytes() for path in copies.values()}
    for one in (changed, grown):
        copies[one].write_bytes(b"x" + as_copied[copies[one].name][1:])
    copies[cut].write_bytes(as_copied[copies[cut].name][:100])
    copies[gone].unlink()
    source = desk.archive.vault.path(grown)
    source.write_bytes(source.read_bytes() + b"KTCH")
    found = check(disk, desk.store)[1]
    assert found == sorted(as_copied)
    assert list(mend(desk.archive, disk, found)) == [(name, "mended") for name in found]
    assert {path.name: path.read_bytes() for path in (disk / "recordings").iterdir()} == as_copied
    assert check(disk, desk.store)[1] == []
    assert back_up(desk.archive, disk, NEXT_DAY).differs == []


@pytest.mark.parametrize("hurt", [*HURT.values(), None], ids=[*HURT, "gone"])
def test_a_damaged_copy_whose_source_is_damaged_too_stays_as_it_is(
    desk: Scene, disk: Path, hurt: Callable[[bytes], bytes] | None
) -> None:
    recording = desk.recorded(3, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    path = desk.archive.vault.path(recording)
    (copy,) = (disk / "recordings").iterdir()
    data = copy.read_bytes()
    copy.write_bytes(left := data[:-1] + bytes([data[-1] ^ 1]))
    if hurt:
        path.write_bytes(hurt(path.read_bytes()))
    else:
        path.unlink()
    assert list(mend(desk.archive, disk, check(disk, desk.store)[1])) == [(copy.name, "left")]
    assert {one.name: one.read_bytes() for one in (disk / "recordings").iterdir()} == {copy.name: left}
    done = back_up(desk.archive, disk, NEXT_DAY)
    assert (done.differs or done.missing, done.erased, copy.read_bytes()) == ([recording], 0, left)


@pytest.mark.parametrize("deleted", [False, True])
def test_of_a_recording_that_was_erased_since_no_copy_is_made_anew(desk: Scene, disk: Path, deleted: bool) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    whole = desk.archive.vault.path(recording).read_bytes()
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    if not deleted:
        # Its file may be there for a moment longer than its keys.
        desk.archive.vault.path(recording).write_bytes(whole)
    (copy,) = (disk / "recordings").iterdir()
    copy.unlink()
    assert list(mend(desk.archive, disk, check(disk, desk.store)[1])) == [(copy.name, "erased")]
    assert list((disk / "recordings").iterdir()) == []


def test_a_disk_that_is_taken_away_during_a_check_is_not_said_to_be_damaged(desk: Scene, disk: Path) -> None:
    for _ in range(3):
        desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)

    def away(_what: str, done: int, _total: int) -> bool:
        if done and disk.exists():
            disk.rename(disk.with_name("elsewhere"))
        return True

    assert refused(check, disk, desk.store, away) == "error.backup.away"


@pytest.mark.skipif(sys.platform != "linux", reason="what is synced is asked of /proc")
def test_the_names_of_the_copies_are_on_the_disk_before_the_backup_counts(
    desk: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.recorded(1, DOCUMENTATION)
    synced: list[str] = []
    real = os.fsync

    def sync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    back_up(desk.archive, disk, AT)
    copied = next(at for at, name in enumerate(synced) if name.endswith(".ktr.part"))
    assert copied < synced.index("recordings", copied) < synced.index(f"{MANIFEST}.new")


def test_a_full_disk_leaves_a_damaged_copy_as_it_is(desk: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    (copy,) = (disk / "recordings").iterdir()
    copy.write_bytes(b"x")
    found = check(disk, desk.store)[1]

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(copying.os, "fsync", full)
        assert refused(list, mend(desk.archive, disk, found)) == "error.backup.full"
    assert copy.read_bytes() == b"x"
    assert list(mend(desk.archive, disk, found)) == [(copy.name, "mended")]
    assert check(disk, desk.store)[1] == []


def test_a_backup_made_while_another_is_checked_is_the_one_that_is_told(desk: Scene, disk: Path) -> None:
    gone = desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    desk.commit(Discard(gone, "withdrawn"), recording=gone)

    def meanwhile(_what: str, _done: int, _total: int) -> bool:
        if health(desk.archive, AT)[0].number == 1:
            back_up(desk.archive, disk, NEXT_DAY)
        return True

    manifest, bad = check(disk, desk.store, meanwhile)
    assert (manifest.number, manifest.count, bad) == (2, 0, [])


@pytest.mark.parametrize(
    "gone", ["catalog-1.db", "wraps-1.bin", "erased-1.log", "erased-1.log.end", "manifest.json", "recordings"]
)
def test_what_is_gone_from_a_backup_is_made_anew_by_the_next_run(desk: Scene, disk: Path, gone: str) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    shutil.rmtree(disk / gone) if gone == "recordings" else (disk / gone).unlink()
    done = back_up(desk.archive, disk, NEXT_DAY)
    assert (done.recordings, done.copied, done.differs) == (1, int(gone == "recordings"), [])
    assert check(disk, desk.store)[1] == []
    assert {path.name.split(".")[0] for path in (disk / "recordings").iterdir()} == {recording}


def test_what_is_damaged_here_and_gone_from_the_backup_is_copied_but_not_without_a_word(
    desk: Scene, disk: Path
) -> None:
    cut, whole = desk.recorded(3, DOCUMENTATION), desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    shutil.rmtree(disk / "recordings")
    path = desk.archive.vault.path(cut)
    path.write_bytes(left := path.read_bytes()[: read_structure(path).chunks[1].offset])
    done = back_up(desk.archive, disk, NEXT_DAY)
    assert (done.differs, done.copied) == ([cut], 2)
    assert {one.name.split(".")[0] for one in (disk / "recordings").iterdir()} == {cut, whole}
    assert next((disk / "recordings").glob(f"{cut}.*")).read_bytes() == left


def test_a_backup_without_its_list_is_not_gone_on_with_and_loses_nothing(desk: Scene, disk: Path) -> None:
    desk.recorded(1, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    (disk / "objects-1.list").unlink()
    before = there(disk)
    assert refused(back_up, desk.archive, disk, NEXT_DAY) == "error.backup.list_changed"
    assert before <= there(disk)


def test_a_folder_that_has_not_been_backed_up_to_for_two_weeks_is_counted_as_holding_what_was_erased(
    desk: Scene, disk: Path
) -> None:
    back_up(desk.archive, disk, AT)
    assert [one.stale for one in health(desk.archive, AT + LIVES_ON)] == [False]
    assert [one.stale for one in health(desk.archive, AT + LIVES_ON + timedelta(hours=1))] == [True]
