"""A backup holds the archive of its moment, whole; what has gone since goes there too, and what fails leaves the last one."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from softphone.archive.archive import Archive
from softphone.archive.backup import copying
from softphone.archive.backup.check import check, mend
from softphone.archive.backup.copying import Progress
from softphone.archive.backup.generation import MANIFEST, MARKER, Manifest
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import LIVES_ON, LOCK, back_up, health, tell
from softphone.archive.catalog import database
from softphone.archive.crypto.slots import FILE, Slots
from softphone.archive.crypto.wraps import Recipient, create_key_pair
from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import read_structure
from softphone.archive.folder.disk import sqlite_uri
from softphone.archive.keys import rotation
from softphone.archive.log.checkpoint import Signer
from softphone.archive.retention.sweep import sweep
from softphone.domain.changes import AuditEntry, CloseRecording, Discard, DropWraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from tests.archive.scene import AT, DOCUMENTATION, FRAME, TRAINING, Scene, scene, voices

NEXT_DAY = AT + timedelta(days=1)
FILES = {MANIFEST, "catalog.db", "wraps.bin", "recordings.list", "erased.bin"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "disk"


def closed(desk: Scene, seconds: int = 1, *purposes: Purpose) -> str:
    recording = desk.recorded(seconds, *(purposes or (DOCUMENTATION,)))
    desk.commit(CloseRecording(recording, AT, purposes or (DOCUMENTATION,)), recording=recording)
    return recording


def refused(deed: object, *arguments: object, **named: object) -> str:
    assert callable(deed)
    with pytest.raises(ArchiveError) as error:
        deed(*arguments, **named)
    return error.value.code


def until(count: int) -> Progress:
    """Stops behind so many recordings."""
    return lambda _what, done, _total: done < count


def there(disk: Path) -> set[str]:
    return {path.relative_to(disk).as_posix() for path in disk.rglob("*") if path.is_file()}


def copies(disk: Path) -> dict[str, bytes]:
    """The recordings' copies, by id."""
    return {path.name.partition(".")[0]: path.read_bytes() for path in (disk / "recordings").iterdir()}


def copy_of(disk: Path, recording: str) -> Path:
    (found,) = (disk / "recordings").glob(f"{recording}.*")
    return found


def noted(desk: Scene) -> list[tuple[str, str]]:
    with desk.archive.catalog.reading() as connection:
        return [(row.kind, row.id) for row in connection.exec_driver_sql("SELECT kind, id FROM touched ORDER BY seq")]


def test_a_backup_is_whole_sealed_as_the_archive_and_for_its_user_alone(desk: Scene, disk: Path) -> None:
    recording = closed(desk)
    before = os.umask(0o022)
    try:
        done = back_up(desk.archive, disk, AT)
    finally:
        os.umask(before)
    assert (done.number, done.recordings, done.copied, done.missing) == (1, 1, 1, [])
    manifest, bad = check(disk, desk.store)
    assert (manifest.number, manifest.count, bad) == (1, 1, [])
    size = desk.archive.vault.path(recording).stat().st_size
    assert there(disk) == {MARKER, f"recordings/{recording}.{size}.ktr", *(f"generation-1/{name}" for name in FILES)}
    assert b"SQLite" not in (disk / "generation-1" / "catalog.db").read_bytes()
    if sys.platform != "win32":
        assert [path for path in [disk, *disk.rglob("*")] if path.stat().st_mode & 0o077] == []
    assert [row.event for row in desk.archive.audit_of()][-1] == "archive_backed_up"
    assert verify(desk.archive).ok


def test_keys_that_are_rotated_while_a_backup_runs_open_what_it_brings_back(
    desk: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, old = closed(desk), desk.recipients[KeyRole.DOCUMENTATION]
    successor = Recipient("case-2", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
    rotation.revoke(desk.archive, old)
    content, tried = Slots.content, list[str]()
    with monkeypatch.context() as patch:
        patch.setattr(database, "_BUSY_MS", 0)
        other = desk.reopen()

    def content_while_another_rotates(file: Slots) -> bytes:
        if not tried:
            # Between the catalog's moment and that of the sealed keys nobody can.
            tried.append("")
            tried[:] = [refused(rotation.rotate, other, old, successor)]
        return content(file)

    def rotates(what: str, _done: int, _total: int) -> bool:
        return what != "recordings" or bool(rotation.rotate(desk.archive, old, successor))

    with closing(other):
        monkeypatch.setattr(Slots, "content", content_while_another_rotates)
        back_up(desk.archive, disk, AT, progress=rotates)
    assert tried == [database.LOCKED]
    restore(disk, disk.with_name("new"), desk.store, AT, accept_unknown=True)
    with closing(Archive.open(disk.with_name("new"), desk.store)) as archive:
        assert archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION).length > 0


@pytest.mark.parametrize("anew", [True, False], ids=["another backup", "the folder itself"])
def test_sealed_keys_that_are_lost_here_come_back_from_the_backup(
    desk: Scene, disk: Path, tmp_path: Path, *, anew: bool
) -> None:
    recording, withdrawn = closed(desk), closed(desk, 1, DOCUMENTATION, TRAINING)
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


@pytest.mark.rule("G10")
@pytest.mark.parametrize("withdrawn", [True, False])
def test_what_is_withdrawn_survives_in_no_page_past_the_next_backup(desk: Scene, disk: Path, withdrawn: bool) -> None:
    # So much beside it that its pages are not the only ones.
    for _ in range(20):
        desk.open(desk.call(retention="P50Y"), DOCUMENTATION, TRAINING)
    recording = closed(desk, 1, DOCUMENTATION, TRAINING)
    wraps = [one.sealed for one in desk.archive.wraps_of(recording)]
    chunks = [one.sealed for one in read_structure(desk.archive.vault.path(recording)).chunks]
    back_up(desk.archive, disk, AT)
    copied = copy_of(disk, recording)
    blocks, keys = disk.parent / "blocks", disk.parent / "keys"
    os.link(copied, blocks)
    os.link(disk / "generation-1" / FILE, keys)
    assert all(one in pages(desk, disk / "generation-1") for one in wraps)
    if withdrawn:
        desk.commit(Discard(recording, "withdrawn"), recording=recording, rule="G04")
    done = back_up(desk.archive, disk, NEXT_DAY)
    assert (done.number, done.copied, done.erased) == (2, 0, int(withdrawn))
    assert [path.name for path in disk.glob("generation-*")] == ["generation-2"]
    assert [one for one in wraps if one in pages(desk, disk / "generation-2")] == ([] if withdrawn else wraps)
    assert all((one[:40] in blocks.read_bytes()) != withdrawn for one in chunks)
    assert set(keys.read_bytes()) == {0}
    assert copied.exists() != withdrawn


def pages(desk: Scene, generation: Path) -> bytes:
    """Every page of a generation's catalog, and every key that its wraps' file holds, decrypted."""
    folder, desk.folder = desk.folder, generation
    try:
        return desk.pages()
    finally:
        desk.folder = folder


def test_what_is_copied_of_a_call_that_goes_on_gives_way_to_what_it_has_become(desk: Scene, disk: Path) -> None:
    call = desk.call()
    recording = desk.open(call, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    desk.start(call, recording, 0)
    desk.talk(call, voices(3))
    desk.recorder.stop(call, recording, 0)
    desk.drained(recording, 0, 3 * 50 * FRAME)
    path = desk.archive.vault.path(recording)
    whole, last = path.read_bytes(), read_structure(path).chunks[-1].offset
    # Half a chunk is cut off after a crash, and another may be written in its place.
    for data, copied in ((whole[: last + 100], 1), (whole[: last + 100], 0), (whole[:last], 1), (whole, 1), (whole, 0)):
        path.write_bytes(data)
        done = back_up(desk.archive, disk, NEXT_DAY)
        assert (done.differs, done.copied, copies(disk)) == ([], copied, {recording: data})
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    assert back_up(desk.archive, disk, NEXT_DAY).copied == 0
    assert check(disk, desk.store)[1] == []


def test_no_backup_lies_within_its_archive_nor_around_it(desk: Scene) -> None:
    for folder in (desk.archive.folder / "backup", desk.archive.folder, desk.archive.folder.parent):
        assert refused(back_up, desk.archive, folder, AT) == "error.backup.inside"
    assert not (desk.archive.folder / "backup").exists()


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda data: data[: len(data) // 3],
    lambda data: data[:-1],
    lambda _: b"",
    lambda data: bytes(len(data)) + data,
    lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:] + data[-100:],
    lambda data: data[:-1] + bytes([data[-1] ^ 1]),
]


def test_a_good_copy_is_never_replaced_by_what_is_damaged_here(desk: Scene, disk: Path) -> None:
    hurt: dict[str, Callable[[bytes], bytes]] = {closed(desk, 3): damage for damage in DAMAGES}
    missing, touched = closed(desk), closed(desk)
    back_up(desk.archive, disk, AT)
    whole = copies(disk)
    for recording, damage in hurt.items():
        desk.archive.vault.path(recording).write_bytes(damage(whole[recording]))
        os.utime(desk.archive.vault.path(recording), (1, 1))
    os.utime(desk.archive.vault.path(touched), (1, 1))
    desk.archive.vault.path(missing).unlink()
    # Not by the next run, and not by any after it.
    for day in (1, 2):
        done = back_up(desk.archive, disk, AT + timedelta(days=day))
        assert (set(done.differs), done.missing, done.copied, done.erased) == ({*hurt}, [missing], 0, 0)
        assert copies(disk) == whole
        assert check(disk, desk.store)[1] == []
    for recording in (*hurt, missing):
        desk.archive.vault.path(recording).write_bytes(whole[recording])
    done = back_up(desk.archive, disk, AT + timedelta(days=3))
    assert (done.differs, done.missing, done.copied) == ([], [], 0)


def test_a_run_that_is_stopped_leaves_the_last_one_and_goes_on_the_next_time(desk: Scene, disk: Path) -> None:
    made = sorted(closed(desk) for _ in range(4))
    assert refused(back_up, desk.archive, disk, AT, progress=until(2)) == "error.backup.stopped"
    assert refused(check, disk, desk.store) == "error.backup.unfinished"
    assert {path.split("/")[0] for path in there(disk)} == {MARKER, "recordings"}
    copied = copies(disk)
    desk.archive.vault.path(made[0]).unlink()
    done = back_up(desk.archive, disk, AT)
    assert (done.copied, done.missing, done.recordings) == (2, [made[0]], 3)
    # It may be all that is left.
    assert copies(disk)[made[0]] == copied[made[0]]
    desk.archive.vault.path(made[0]).write_bytes(copied[made[0]])
    done = back_up(desk.archive, disk, AT)
    assert (done.copied, done.missing, done.recordings) == (0, [], 4)


def test_a_manifest_that_another_key_signed_is_not_believed(desk: Scene, disk: Path) -> None:
    back_up(desk.archive, disk, AT)
    path = disk / "generation-1" / MANIFEST
    whole = Manifest.read(path, desk.archive.signer.key)
    path.write_bytes(whole.sealed(Signer(desk.archive.desk, os.urandom(32))))
    assert refused(check, disk, desk.store) == "error.backup.manifest_changed"


@pytest.mark.parametrize("places", [16, pytest.param(500, marks=pytest.mark.torture)])
def test_each_byte_that_is_changed_in_a_backup_is_found(desk: Scene, disk: Path, places: int) -> None:
    closed(desk)
    back_up(desk.archive, disk, AT)
    for path in sorted(path for path in disk.rglob("*") if path.is_file()):
        data = path.read_bytes()
        step = max(1, len(data) // places)
        changed = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(0, len(data), step)]
        for one in (*changed, data[:-1], data[: len(data) // 2], b"", data + b"x"):
            path.write_bytes(one)
            try:
                found = check(disk, desk.store)[1]
            except Exception as error:  # noqa: BLE001 - a sentence, or the wrong key's: never a backup that is believed
                assert getattr(error, "code", "").startswith("error."), (path.name, error)  # noqa: PT017
            else:
                # Spaces around what the marker and the signature say change nothing.
                assert found or path.name in (MARKER, MANIFEST), path.name
        path.write_bytes(data)
    assert check(disk, desk.store)[1] == []


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "full"), (errno.EROFS, "unwritable"), (errno.EIO, "lost")],
)
def test_what_a_disk_refuses_is_said_and_the_last_backup_and_its_copies_stand(
    desk: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    recording = closed(desk)
    back_up(desk.archive, disk, AT)
    copy_of(disk, recording).write_bytes(b"x")
    found = check(disk, desk.store)[1]
    real = os.fsync

    def refuse(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(disk):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(copying.os, "fsync", refuse)
        assert refused(back_up, desk.archive, disk, NEXT_DAY) == f"error.backup.{code}"
        assert refused(list, mend(desk.archive, disk, found)) == f"error.backup.{code}"
    manifest, bad = check(disk, desk.store)
    assert (manifest.number, bad, copies(disk)) == (1, found, {recording: b"x"})
    assert list(mend(desk.archive, disk, found)) == [(found[0], "mended")]
    assert back_up(desk.archive, disk, NEXT_DAY).number == 2


def test_a_disk_taken_away_in_the_middle_leaves_nothing_in_its_place(desk: Scene, disk: Path) -> None:
    closed(desk)
    back_up(desk.archive, disk, AT)
    closed(desk)

    def away(what: str, _done: int, _total: int) -> bool:
        if what in ("recordings", "check") and there(disk):
            disk.rename(disk.with_name("elsewhere"))
            disk.mkdir()
        return True

    def put_back() -> None:
        shutil.rmtree(disk)
        disk.with_name("elsewhere").rename(disk)

    assert refused(back_up, desk.archive, disk, NEXT_DAY, progress=away) == "error.backup.lost"
    assert refused(back_up, desk.archive, disk, NEXT_DAY) == "error.backup.away"
    assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.away"
    assert not there(disk)
    put_back()
    # Of a check it is not said that all is damaged.
    assert refused(check, disk, desk.store, away) == "error.backup.away"
    put_back()
    assert back_up(desk.archive, disk, NEXT_DAY).number == 2
    # A new disk in its place is for a person to say.
    shutil.rmtree(disk)
    disk.mkdir()
    assert back_up(desk.archive, disk, NEXT_DAY, anew=True).number == 1


@pytest.mark.skipif(sys.platform == "win32", reason="it is locked as POSIX does")
def test_two_backups_do_not_run_at_once(desk: Scene, disk: Path) -> None:
    code = "import fcntl,sys; f=open(sys.argv[1],'ab'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", code, str(desk.folder / LOCK)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert refused(back_up, desk.archive, disk, AT) == "error.backup.running"
        other.communicate()
    assert back_up(desk.archive, disk, AT).number == 1


def test_a_folder_of_something_else_or_of_another_version_is_left_alone(
    desk: Scene, disk: Path, tmp_path: Path
) -> None:
    disk.mkdir()
    (disk / "letter.txt").write_text("x")
    assert refused(back_up, desk.archive, disk, AT) == "error.backup.not_empty"
    with scene(tmp_path / "other", another=True) as other:
        back_up(other.archive, tmp_path / "theirs", AT)
    assert refused(back_up, desk.archive, tmp_path / "theirs", AT) == "error.backup.another"
    for version, code in ((1, "error.backup.old_version"), (3, "error.backup.unknown_version")):
        (disk / MARKER).write_text(json.dumps({"format": version, "target": "x"}))
        assert refused(back_up, desk.archive, disk, AT) == code
        assert refused(restore, disk, tmp_path / "new", desk.store, AT) == code
    assert there(disk) == {"letter.txt", MARKER}


def test_what_another_course_of_the_archive_backed_up_is_not_written_over(
    desk: Scene, disk: Path, tmp_path: Path
) -> None:
    desk.archive.catalog.empty_log()
    shutil.copytree(desk.folder, tmp_path / "older")
    closed(desk)
    back_up(desk.archive, disk, AT)
    with closing(Archive.open(tmp_path / "older", desk.store)) as older:
        older.note(AuditEntry("changed", "G10", AT, ""))
        assert refused(back_up, older, disk, NEXT_DAY) == "error.backup.diverged"


def test_what_ends_between_two_backups_waits_until_it_can_be_told_whichever_way_it_ends(
    desk: Scene, disk: Path
) -> None:
    recording, expires = closed(desk, 1, DOCUMENTATION, TRAINING), closed(desk)
    # Without a backup nothing is noted for one.
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"), recording=recording)
    assert (health(desk.archive, AT), noted(desk)) == ([], [])
    back_up(desk.archive, disk, AT)
    (state,) = health(desk.archive, AT)
    assert (state.folder, state.number, state.at, state.waiting) == (disk, 1, AT, 0)
    desk.commit(DropWraps(recording, KeyRole.DOCUMENTATION, "withdrawn"), recording=recording)
    disk.rename(disk.with_name("away"))
    assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.away"
    assert health(desk.archive, AT)[0].waiting == 1
    disk.with_name("away").rename(disk)
    assert [tell(desk.archive, disk, NEXT_DAY) for _ in range(2)] == [1, 0]
    # The list is written whole: one that was lost is there again with the next change.
    (disk / "generation-1" / "erased.bin").unlink()
    later = AT + timedelta(days=800)
    sweep(desk.archive, later, clock=later, witness=later)
    assert {*noted(desk)} == {("recording", recording), ("recording", expires)}
    tell(desk.archive, disk, later)
    assert (health(desk.archive, AT)[0].waiting, check(disk, desk.store)[1]) == (0, [])
    back_up(desk.archive, disk, later)
    assert noted(desk) == []


def test_two_disks_that_take_turns_are_both_told(desk: Scene, tmp_path: Path) -> None:
    recording = closed(desk)
    for name in ("one", "two"):
        back_up(desk.archive, tmp_path / name, AT)
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    assert tell(desk.archive, tmp_path / "one", NEXT_DAY) == 1
    assert {state.folder.name: state.waiting for state in health(desk.archive, AT)} == {"one": 0, "two": 1}
    back_up(desk.archive, tmp_path / "one", NEXT_DAY)
    assert tell(desk.archive, tmp_path / "two", NEXT_DAY) == 1


def test_a_folder_that_was_set_back_to_an_older_day_is_not_told_but_backed_up_anew(desk: Scene, disk: Path) -> None:
    recording = closed(desk)
    back_up(desk.archive, disk, AT)
    shutil.copytree(disk, disk.with_name("old"))
    back_up(desk.archive, disk, NEXT_DAY)
    shutil.rmtree(disk)
    disk.with_name("old").rename(disk)
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    assert refused(tell, desk.archive, disk, NEXT_DAY) == "error.backup.set_back"
    assert back_up(desk.archive, disk, NEXT_DAY).recordings == 0


@pytest.mark.rule("G10")
def test_a_folder_that_has_not_been_backed_up_to_for_two_weeks_is_counted_as_holding_what_was_erased(
    desk: Scene, disk: Path
) -> None:
    back_up(desk.archive, disk, AT)
    assert [one.stale for one in health(desk.archive, AT + LIVES_ON)] == [False]
    assert [one.stale for one in health(desk.archive, AT + LIVES_ON + timedelta(hours=1))] == [True]


@pytest.mark.rule("G10")
def test_what_was_erased_counts_as_held_until_a_run_has_cleared_it_and_the_next_word_to_the_folder_does(
    desk: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, stays = closed(desk), closed(desk)
    back_up(desk.archive, disk, AT)
    desk.commit(Discard(gone, "withdrawn"), recording=gone)
    late = AT + LIVES_ON - timedelta(days=1)

    def fails(_path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr("softphone.archive.backup.generation.erase_folder", fails)
        refused(back_up, desk.archive, disk, late)
    (state,) = health(desk.archive, AT + LIVES_ON + timedelta(hours=1))
    assert (state.number, state.at, state.stale) == (2, late, True)
    assert not state.cleared
    assert {path.name for path in disk.glob("generation-*")} == {"generation-1", "generation-2"}
    # A copy that is all there is left of a recording stays.
    (disk / "recordings" / f"{stays}.1.ktr").write_bytes(b"x")
    tell(desk.archive, disk, AT + LIVES_ON)
    assert {path.name for path in disk.glob("generation-*")} == {"generation-2"}
    assert copies(disk).keys() == {stays}
    assert (disk / "recordings" / f"{stays}.1.ktr").exists()
    # From the day of what is there now, and not from that of the clearing.
    assert [one.cleared for one in health(desk.archive)] == [True]
    assert [one.stale for one in health(desk.archive, late + LIVES_ON)] == [False]
    assert [one.stale for one in health(desk.archive, late + LIVES_ON + timedelta(hours=1))] == [True]
    assert check(disk, desk.store)[1] == []


def test_a_damaged_copy_is_made_again_only_from_a_source_that_is_what_was_copied(desk: Scene, disk: Path) -> None:
    """Whose source is damaged too stays as it is, and of what was erased since none is made."""
    changed, gone, grown, both, lost, erased = (closed(desk, 2) for _ in range(6))
    back_up(desk.archive, disk, AT)
    whole = copies(disk)
    paths = {one: copy_of(disk, one) for one in whole}
    for one, path in paths.items():
        path.write_bytes(b"x" + whole[one][1:])
    paths[gone].unlink()
    for one, data in ((grown, whole[grown] + b"KTCH"), (both, whole[both][:-1])):
        desk.archive.vault.path(one).write_bytes(data)
    desk.archive.vault.path(lost).unlink()
    desk.commit(Discard(erased, "withdrawn"), recording=erased)
    # Its file may be there for a moment longer than its keys.
    desk.archive.vault.path(erased).write_bytes(whole[erased])
    found = check(disk, desk.store)[1]
    assert set(found) == {path.name for path in paths.values()}
    became = {name.partition(".")[0]: how for name, how in mend(desk.archive, disk, found)}
    mended = dict.fromkeys((changed, gone, grown), "mended")
    assert became == mended | {both: "left", lost: "left", erased: "erased"}
    assert {one: data == whole[one] for one, data in copies(disk).items()} == {one: one in mended for one in whole}
    assert not list(disk.rglob("*.new"))
    assert set(check(disk, desk.store)[1]) == {paths[one].name for one in (both, lost, erased)}


def test_a_backup_made_while_another_is_checked_is_the_one_that_is_told(desk: Scene, disk: Path) -> None:
    gone = closed(desk)
    back_up(desk.archive, disk, AT)
    desk.commit(Discard(gone, "withdrawn"), recording=gone)

    def meanwhile(_what: str, _done: int, _total: int) -> bool:
        if health(desk.archive, AT)[0].number == 1:
            back_up(desk.archive, disk, NEXT_DAY)
        return True

    manifest, bad = check(disk, desk.store, meanwhile)
    assert (manifest.number, manifest.count, bad) == (2, 0, [])


@pytest.mark.skipif(sys.platform != "linux", reason="what is synced is asked of /proc")
def test_all_of_a_generation_is_on_the_disk_before_it_counts(
    desk: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = closed(desk)
    done: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def sync(descriptor: int) -> None:
        done.append(Path(f"/proc/self/fd/{descriptor}").readlink().name.removesuffix(".new"))
        fsync(descriptor)

    def renamed(path: Path, to: Path) -> Path:
        done.append(f"{to.name} counts")
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", renamed)
    back_up(desk.archive, disk, AT)
    counts = done.index("generation-1 counts")
    copied = done.index(copy_of(disk, recording).name)
    assert copied < done.index("recordings", copied) < counts
    assert {*FILES, "generation-1"} <= {*done[:counts]}
    assert done[counts + 1] == disk.name


def test_what_is_gone_from_a_backup_is_made_anew_by_the_next_run_but_for_its_list(desk: Scene, disk: Path) -> None:
    recording = closed(desk)
    for number, gone in enumerate(["catalog.db", "wraps.bin", "erased.bin", MANIFEST], 2):
        back_up(desk.archive, disk, AT)
        (disk / f"generation-{2 * number - 3}" / gone).unlink()
        done = back_up(desk.archive, disk, NEXT_DAY)
        assert (done.recordings, done.copied, done.differs) == (1, 0, [])
        assert check(disk, desk.store)[1] == []
    shutil.rmtree(disk / "recordings")
    assert back_up(desk.archive, disk, NEXT_DAY).copied == 1
    assert copies(disk).keys() == {recording}
    (disk / "generation-9" / "recordings.list").unlink()
    before = there(disk)
    assert refused(back_up, desk.archive, disk, NEXT_DAY) == "error.backup.list_changed"
    assert there(disk) == before


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (PurePosixPath("/mnt/back up/50%/catalog.db"), "file:///mnt/back%20up/50%25/catalog.db?nolock=1"),
        (PureWindowsPath(r"C:\Users\a\catalog.db"), "file:///C%3A/Users/a/catalog.db?nolock=1"),
        (PureWindowsPath(r"\\server\share\catalog.db"), "file:////server/share/catalog.db?nolock=1"),
    ],
)
def test_a_database_is_named_to_sqlite_without_a_server(path: PurePath, uri: str) -> None:
    assert sqlite_uri(path, "nolock=1") == uri
