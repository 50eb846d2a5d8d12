"""What is brought back from a backup is what there was, less what has been erased since; what cannot be known is said."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select

from softphone.archive.archive import Archive
from softphone.archive.backup.restore import Restored, erase_former, restore
from softphone.archive.backup.run import back_up, tell
from softphone.archive.changes.ending import discard
from softphone.archive.crypto.slots import LogEnd, Work
from softphone.archive.crypto.wraps import Recipient, create_key_pair
from softphone.archive.examine.health import health
from softphone.archive.examine.repair import repair
from softphone.archive.examine.verify import verify
from softphone.archive.folder.lock import RESTORING, Lock
from softphone.archive.keys import rotation
from softphone.archive.log.checkpoint import Head, heads
from softphone.archive.retention.holding import standing
from softphone.archive.retention.sweep import sweep
from softphone.archive.schema.tables import sample_runs
from softphone.domain.changes import (
    AuditEntry,
    CloseRecording,
    Discard,
    DropWraps,
    EndCallBack,
    HoldBy,
    ListCallBack,
    RememberRefusal,
)
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import KeyRole, Purpose
from tests.archive.holds import raise_hold
from tests.archive.lines import asked, line
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, RATE, TRAINING, MemoryKeys, Scene, scene, strength

SOON = AT + timedelta(hours=2)
BOTH = (DOCUMENTATION, TRAINING)
accepted: dict[str, Any] = {"accept_unknown": True}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "disk"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "new"


def closed(desk: Scene, *purposes: Purpose, kept: str = "P3M", at: datetime = AT, number: str = NUMBER) -> str:
    recording = desk.recorded(1, *purposes, call=desk.call(retention=kept, at=at, number=number), at=at)
    desk.commit(CloseRecording(recording, at, purposes), recording=recording)
    return recording


def brought_back(desk: Scene, disk: Path, new: Path, now: datetime = SOON, **how: Any) -> tuple[Restored, Archive]:
    done = restore(disk, new, desk.store, now, **(accepted | how))
    return done, Archive.open(new, desk.store)


def refusal(desk: Scene, disk: Path, new: Path, **how: Any) -> KlartoneError:
    with pytest.raises(KlartoneError) as error:
        restore(disk, new, desk.store, SOON, **how)
    return error.value


def heard(archive: Archive, recording: str, role: KeyRole) -> bool:
    opened = archive.open_recording(recording, SOON, role=role)
    sound = np.concatenate(list(opened.pcm()))
    return len(sound) == RATE and strength(sound[:, 0], 440) > 2_000


def events(archive: Archive) -> list[str]:
    return [row.event for row in archive.audit_of()]


def test_what_was_not_erased_comes_back_and_plays(desk: Scene, disk: Path, new: Path) -> None:
    recording = closed(desk, *BOTH)
    hold = raise_hold(desk.archive, recording, HoldBy.PARTY, "a complaint", "x", AT)
    other = closed(desk, *BOTH)
    facts = desk.call()
    desk.commit(RememberRefusal(facts, AT), call=facts)
    with desk.archive.catalog.writing() as tx:
        run = {"line": "salg", "agent": "a", "desk": desk.archive.desk, "number": 1, "seed": b"s" * 16}
        tx.execute(insert(sample_runs).values(**run, share="1", block=4, start=0, next=2, taken=""))
        tx.log(AuditEntry("place_used", "G34", AT, ""))
    back_up(desk.archive, disk, AT)

    done, archive = brought_back(desk, disk, new)

    assert (done.recordings, done.erased, done.damaged) == (2, 0, [])
    assert (done.number, done.unknown_since, done.aside) == (1, AT, None)
    assert heard(archive, recording, KeyRole.DOCUMENTATION)
    assert heard(archive, other, KeyRole.TRAINING)
    assert [one.hold.hold for one in standing(archive, SOON)] == [hold]
    assert archive.lookups.look_up(asked(line("100 %"))).declined_earlier
    with archive.catalog.reading() as connection:
        assert connection.execute(select(sample_runs.c.seed)).scalars().all() == [b"s" * 16]
        assert connection.exec_driver_sql("SELECT count(*) FROM touched").scalar_one() == 0
        assert all(head.is_signed for head in heads(connection))
    assert verify(archive).ok, verify(archive).findings
    assert events(archive).count("archive_restored") == 1
    assert back_up(archive, disk, SOON).number == 2
    archive.close()


@pytest.mark.rule("G10")
def test_what_has_been_erased_since_is_not_brought_back(desk: Scene, disk: Path, new: Path) -> None:
    gone, narrowed, stays = closed(desk, *BOTH), closed(desk, *BOTH), closed(desk, *BOTH)
    wraps = {of: desk.archive.wraps_of(of) for of in (gone, narrowed)}
    promised, refuses = desk.call(), desk.call()
    desk.commit(ListCallBack(promised, AT), call=promised)
    back_up(desk.archive, disk, AT)
    desk.commit(Discard(gone, "declined_by_key"), recording=gone)
    desk.commit(DropWraps(narrowed, KeyRole.TRAINING, "withdrawn"), recording=narrowed)
    desk.commit(EndCallBack(promised), call=promised)
    desk.commit(RememberRefusal(refuses, AT), call=refuses)
    tell(desk.archive, disk, AT + timedelta(hours=1))
    shutil.rmtree(desk.folder / "recordings")  # the machine's own disk is lost

    done, archive = brought_back(desk, disk, new)

    assert (done.recordings, done.erased, done.unknown_since) == (2, 3, AT + timedelta(hours=1))
    assert {row.recording for row in archive.list(SOON)} == {narrowed, stays}
    assert not archive.vault.path(gone).exists()
    assert KeyRole.TRAINING not in archive.find(narrowed, SOON).opens_for
    assert heard(archive, narrowed, KeyRole.DOCUMENTATION)
    assert heard(archive, stays, KeyRole.TRAINING)
    assert archive.lookups.call_backs(SOON) == []
    assert archive.lookups.look_up(asked(line("100 %"))).declined_earlier
    assert [row.event for row in archive.audit_of(gone)][-1] == "erased_again"
    assert verify(archive).ok, verify(archive).findings
    archive.close()
    desk.folder = new
    left = {one.role for of in wraps for one in wraps[of] if one.sealed in desk.pages()}
    assert left == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
    assert not any(one.sealed in desk.pages() for one in wraps[gone])


@pytest.mark.rule("G10")
def test_keys_that_were_written_over_before_a_commit_that_never_came_are_in_no_later_backup(
    desk: Scene, disk: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, stays, before = closed(desk, *BOTH), closed(desk, *BOTH), Work.before
    back_up(desk.archive, disk, AT)

    def before_and_cut(work: Work, log: LogEnd) -> None:
        before(work, log)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Work, "before", before_and_cut)
        with pytest.raises(ZeroDivisionError), desk.archive.catalog.writing() as tx:
            discard(tx, recording, AT)
    # By a command, before any start has finished it.
    back_up(desk.archive, disk, SOON)
    _, archive = brought_back(desk, disk, new)
    for role in KeyRole:
        with pytest.raises(KlartoneError) as refused:
            heard(archive, recording, role)
        assert refused.value.code == "error.archive.wrap_changed"
        assert heard(archive, stays, role)
    archive.close()


def test_what_the_list_was_not_told_is_known_in_the_former_folder(desk: Scene, disk: Path, new: Path) -> None:
    gone, held, lost, hurt = (closed(desk, *BOTH) for _ in range(4))
    back_up(desk.archive, disk, AT)
    desk.commit(Discard(gone, "declined_by_key"), recording=gone)
    raise_hold(desk.archive, held, HoldBy.PARTY, "a complaint", "x", AT)
    since = closed(desk, DOCUMENTATION)
    head = desk.archive.head(AT)
    refused = refusal(desk, disk, new)
    assert (refused.code, refused.params) == (
        "error.backup.unknown",
        {"since": f"{AT.astimezone():%Y-%m-%d %H:%M:%S %z}"},
    )
    (disk / "generation-1" / "erased.bin").write_bytes(b"x")
    assert refusal(desk, disk, new).code == "error.backup.erased_changed"
    assert not new.exists()
    # What is damaged in the backup the former folder has, and the other way round.
    next((disk / "recordings").glob(f"{lost}.*")).write_bytes(b"x")
    desk.archive.vault.path(hurt).write_bytes(b"x")

    done, archive = brought_back(desk, disk, new, accept_unknown=False, erased_in=desk.folder)

    assert (done.erased, done.unknown_since) == (1, None)
    assert (done.damaged, done.differs) == ([], [])
    assert {row.recording for row in archive.list(SOON)} == {held, since, lost, hurt}
    assert [one.recording for one in standing(archive, SOON)] == [held]
    # Its log is told on: also a head that was kept of it holds.
    assert head is not None
    assert verify(archive, Head.parse(str(head))).ok, verify(archive, head).findings
    assert [event for event in events(archive) if event not in ("changed", "recording_whole")] == [
        "archive_backed_up", "recording_discarded", "hold_placed", "archive_restored",
    ]  # fmt: skip
    for recording in (since, lost, hurt):
        assert heard(archive, recording, KeyRole.DOCUMENTATION)
    # And the new one goes on from there.
    assert back_up(archive, disk, SOON).copied == 0
    archive.close()


def test_a_former_folder_that_is_another_course_is_not_believed(
    desk: Scene, disk: Path, new: Path, tmp_path: Path
) -> None:
    recording = closed(desk, DOCUMENTATION)
    desk.archive.catalog.empty_log()
    shutil.copytree(desk.folder, tmp_path / "older")
    closed(desk, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    desk.archive.catalog.empty_log()
    shutil.copytree(desk.folder, tmp_path / "before")
    desk.commit(Discard(recording, "withdrawn"), recording=recording)
    tell(desk.archive, disk, SOON)
    assert refusal(desk, disk, new, erased_in=tmp_path / "before").code == "error.backup.not_continued"
    assert refusal(desk, disk, new, erased_in=tmp_path / "older").code == "error.backup.not_continued"
    with scene(tmp_path / "other", another=True) as other:
        assert refusal(desk, disk, new, erased_in=other.folder).code == "error.backup.another"
    assert refusal(desk, disk, new, erased_in=tmp_path / "nothing").code == "error.backup.no_former"
    # Nor one whose log was changed since: of what its chain does not bear out it says nothing.
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        tx.connection.exec_driver_sql("UPDATE audit SET params = '{}' WHERE event = 'recording_discarded'")
    assert refusal(desk, disk, new, erased_in=desk.folder).code == "error.backup.not_continued"


@pytest.mark.rule("G10")
def test_what_is_past_its_date_opens_to_nobody_and_goes_with_the_next_sweep_unless_it_is_held(
    desk: Scene, disk: Path, new: Path
) -> None:
    held, due = closed(desk, *BOTH), closed(desk, *BOTH)
    stays = closed(desk, DOCUMENTATION, kept="P5Y")
    back_up(desk.archive, disk, AT)
    raise_hold(desk.archive, held, HoldBy.PARTY, "a complaint", "x", AT)
    later = AT + timedelta(days=100)
    _, archive = brought_back(desk, disk, new, now=later, accept_unknown=False, erased_in=desk.folder)
    with closing(archive):
        assert archive.find(due, later).opens_for == ()
        assert archive.find(stays, later).purposes == (DOCUMENTATION,)
        sweep(archive, later, clock=later, witness=later)
        assert {row.recording for row in archive.list(later)} == {held, stays}
        assert archive.open_recording(held, later, role=KeyRole.CUSTODY).length == RATE


def test_a_key_that_was_revoked_since_opens_nothing_that_comes_back(desk: Scene, disk: Path, new: Path) -> None:
    recording, leaver = closed(desk, *BOTH), desk.recipients[KeyRole.DOCUMENTATION]
    successor = Recipient("case-2", KeyRole.DOCUMENTATION, create_key_pair(desk.store))
    rotation.rotate(desk.archive, leaver, successor)
    back_up(desk.archive, disk, AT)
    rotation.revoke(desk.archive, leaver)
    tell(desk.archive, disk, SOON)
    done, archive = brought_back(desk, disk, new)
    with closing(archive):
        assert done.erased == 1
        keys = {one.key_id for one in archive.wraps_of(recording) if one.role is KeyRole.DOCUMENTATION}
        assert keys == {successor.key_id}
        assert verify(archive).ok, verify(archive).findings


def test_a_recording_damaged_in_the_backup_is_told_and_the_others_come_back(desk: Scene, disk: Path, new: Path) -> None:
    hurt, lost, whole = (closed(desk, DOCUMENTATION) for _ in range(3))
    back_up(desk.archive, disk, AT)
    (path,) = (disk / "recordings").glob(f"{hurt}.*")
    path.write_bytes((data := path.read_bytes())[:-1] + bytes([data[-1] ^ 1]))
    next((disk / "recordings").glob(f"{lost}.*")).unlink()
    done, archive = brought_back(desk, disk, new)
    assert set(done.damaged) == {hurt, lost}
    assert archive.vault.path(hurt).read_bytes() == path.read_bytes()
    assert heard(archive, whole, KeyRole.DOCUMENTATION)
    assert {str(one.params["recording"]) for one in verify(archive).findings} == {hurt, lost}
    archive.close()


def test_without_the_archives_key_nothing_is_brought_back_or_made(desk: Scene, disk: Path, new: Path) -> None:
    back_up(desk.archive, disk, AT)
    stranger = MemoryKeys()
    with pytest.raises(KlartoneError) as error:
        restore(disk, new, stranger, SOON, accept_unknown=True)
    assert error.value.code == "error.backup.no_key"
    assert stranger.held == {}


def test_a_catalog_or_list_that_is_another_is_refused(desk: Scene, disk: Path, new: Path) -> None:
    closed(desk, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    for name, code in (
        ("generation-1/recordings.list", "list_changed"),
        ("generation-1/catalog.db", "catalog_changed"),
    ):
        data = (disk / name).read_bytes()
        (disk / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert refusal(desk, disk, new, accept_unknown=True).code == f"error.backup.{code}"
        (disk / name).unlink()
        assert refusal(desk, disk, new, accept_unknown=True).code == f"error.backup.{code}"
        (disk / name).write_bytes(data)
        assert not new.exists()
    _, archive = brought_back(desk, disk, new)
    archive.close()


def test_a_folder_that_holds_something_is_not_written_into(desk: Scene, disk: Path, new: Path, tmp_path: Path) -> None:
    closed(desk, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    new.mkdir()
    (new / "letter.txt").write_text("x")
    assert refusal(desk, disk, new, accept_unknown=True).code == "error.backup.in_the_way"
    with scene(tmp_path / "other", another=True) as other:
        refused = refusal(desk, disk, other.folder, accept_unknown=True, replace_archive=True)
        assert refused.code == "error.backup.another"
        assert verify(other.archive).ok
    for folder in (new, disk):
        assert refusal(desk, disk, folder, accept_unknown=True, replace_archive=True).code == "error.backup.in_the_way"
    assert [one.name for one in new.iterdir()] == ["letter.txt"]


def test_no_place_of_a_restore_lies_within_another(desk: Scene, tmp_path: Path) -> None:
    """What lay in the folder beside the new one was overwritten before anything was made there, the backup too."""
    closed(desk, DOCUMENTATION)
    back_up(desk.archive, tmp_path / "made", AT)
    shutil.copytree(desk.folder, tmp_path / "other.restoring")
    for of, to, former in (
        ("disk", "disk/new", None),
        ("archive/disk", "archive", None),
        ("disk", "archive/new", "archive"),
        ("new.restoring", "new", None),
        ("disk", "other", "other.restoring"),
        ("new.restoring/disk", "new", "archive"),
    ):
        source = tmp_path / of
        source.parent.mkdir(exist_ok=True)
        (tmp_path / "made").rename(source)
        (tmp_path / "link").symlink_to(source)
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        how: dict[str, Any] = {"replace_archive": to == "archive", "erased_in": tmp_path / former if former else None}
        for given in (source, tmp_path / "link"):
            refused = refusal(desk, given, tmp_path / to, accept_unknown=True, **how)
            assert (refused.code, of, given) == ("error.backup.within", of, given)
        assert {path: path.read_bytes() for path in before} == before
        (tmp_path / "link").unlink()
        source.rename(tmp_path / "made")
        shutil.rmtree(tmp_path / "new.restoring", ignore_errors=True)


def test_an_archive_that_stands_there_is_replaced_by_all_that_is_known_of_it(tmp_path: Path, disk: Path) -> None:
    desk = Scene(tmp_path / "archive")
    gone, stays = closed(desk, DOCUMENTATION), closed(desk, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    desk.commit(Discard(gone, "withdrawn"), recording=gone)
    desk.archive.vault.path(stays).unlink()
    lock = Lock(desk.folder)
    lock.take_to_write()
    assert refusal(desk, disk, desk.folder, replace_archive=True).code == "error.backup.in_use"
    lock.close()
    desk.close()
    done, archive = brought_back(desk, disk, desk.folder, accept_unknown=False, replace_archive=True)
    assert done.aside is not None
    assert (done.aside / "catalog.db").exists()
    assert [row.recording for row in archive.list(SOON)] == [stays]
    assert heard(archive, stays, KeyRole.DOCUMENTATION)
    archive.close()
    # Where its catalog is lost, the question is a person's.
    for path in desk.folder.glob("catalog.db*"):
        path.write_bytes(b"")
    assert refusal(desk, disk, desk.folder, replace_archive=True).code == "error.backup.unknown"
    done, archive = brought_back(desk, disk, desk.folder, replace_archive=True)
    assert (done.recordings, done.unknown_since) == (1, SOON)
    archive.close()


def test_a_former_folder_with_a_catalog_of_an_older_day_does_not_say_what_has_ended(desk: Scene, disk: Path) -> None:
    recording = closed(desk, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    desk.archive.catalog.empty_log()
    older, former = desk.archive.catalog.path.read_bytes(), desk.recipients[KeyRole.CUSTODY]
    rotation.rotate(desk.archive, former, Recipient("custody-2", KeyRole.CUSTODY, create_key_pair(desk.store)))
    desk.close()
    desk.archive.catalog.path.write_bytes(older)
    assert refusal(desk, disk, desk.folder, replace_archive=True).code == "error.backup.unknown"
    _, archive = brought_back(desk, disk, desk.folder, replace_archive=True)
    assert heard(archive, recording, KeyRole.CUSTODY)
    archive.close()


def test_a_restore_that_is_stopped_leaves_nothing_and_one_that_was_killed_is_made_anew(
    desk: Scene, disk: Path, new: Path, tmp_path: Path
) -> None:
    gone, *_ = (closed(desk, DOCUMENTATION) for _ in range(3))
    back_up(desk.archive, disk, AT)
    left = new.with_name(f"new{RESTORING}")
    names: set[str] = set()

    def stop(what: str, done: int, _total: int) -> bool:
        if (what, done) != ("recordings", 2):
            return True
        names.update(path.name for path in left.iterdir())
        os.link(left / "catalog.db", tmp_path / "pages")
        # While it runs, health and verify tell of it.
        proof = verify(desk.archive)
        assert [(one.code, one.params) for one in proof.findings] == [("restore_left", {"path": str(left.resolve())})]
        assert (proof.ok, health(desk.archive, SOON).half_restored) == (True, (left.resolve(),))
        return False

    assert refusal(desk, disk, new, accept_unknown=True, progress=stop).code == "error.backup.stopped"
    assert "archive.json" not in names
    assert not new.exists()
    assert not left.exists()
    assert set((tmp_path / "pages").read_bytes()) == {0}
    # Whole, but not yet in its place: nobody knows of what age it is.
    _, archive = brought_back(desk, disk, new)
    archive.close()
    new.rename(left)
    os.link(left / "catalog.db", tmp_path / "older")
    desk.commit(Discard(gone, "withdrawn"), recording=gone)
    tell(desk.archive, disk, SOON)
    done, archive = brought_back(desk, disk, new)
    assert (done.recordings, gone in {row.recording for row in archive.list(SOON)}) == (2, False)
    assert set((tmp_path / "older").read_bytes()) == {0}
    archive.close()


def replace_it(desk: Scene, disk: Path, **how: Any) -> Restored:
    return restore(disk, desk.folder, desk.store, SOON, replace_archive=True, **how)


def test_what_the_disk_refuses_is_told_of_the_place_that_was_named(
    desk: Scene, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(desk, DOCUMENTATION)
    back_up(desk.archive, disk, AT)
    (tmp_path / "file").write_text("no folder")
    told: dict[str, Any] = {"erased_in": desk.folder}
    assert refusal(desk, disk, tmp_path / "file" / "new", **told).code == "error.backup.no_place"
    make = Path.mkdir

    def full(path: Path, *how: Any, **rest: Any) -> None:
        if path.is_relative_to(tmp_path / f"new{RESTORING}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        make(path, *how, **rest)

    monkeypatch.setattr(Path, "mkdir", full)
    refused = refusal(desk, disk, tmp_path / "new", **told)
    assert (refused.code, refused.params["path"]) == ("error.backup.no_room", str(tmp_path / "new"))


def test_an_archive_whose_successor_cannot_take_its_place_is_back_in_it(
    tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(tmp_path / "archive") as desk:
        first = closed(desk, *BOTH)
        back_up(desk.archive, disk, AT)
        later = closed(desk, *BOTH)
    rename, refused = Path.rename, [RESTORING]

    def held(path: Path, to: Path) -> Path:
        if any(one in path.name for one in refused):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", held)
    assert refusal(desk, disk, desk.folder, replace_archive=True).code == "error.backup.no_place"
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        assert {row.recording for row in archive.list(SOON)} == {first, later}
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "disk"}
    # It cannot be moved back either: then the next restore does so.
    refused.append(".before-")
    assert refusal(desk, disk, desk.folder, replace_archive=True).code == "error.backup.no_place"
    assert not desk.folder.exists()
    assert (tmp_path / f"archive{RESTORING}" / "archive.json").exists()
    refused.clear()
    done, archive = brought_back(desk, disk, desk.folder, accept_unknown=False, replace_archive=True)
    assert (done.unknown_since, {row.recording for row in archive.list(SOON)}) == (None, {first, later})
    archive.close()


def test_windows_moves_a_folder_once_a_virus_scanner_lets_go_of_it(
    desk: Scene, disk: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(desk, *BOTH)
    back_up(desk.archive, disk, AT)
    rename, held = Path.rename, [True]

    def scanned(path: Path, to: Path) -> Path:
        if path.name.endswith(RESTORING) and held:
            held.clear()
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", scanned)
    monkeypatch.setattr("softphone.archive.backup.restore.sys", SimpleNamespace(platform="win32"))
    done, archive = brought_back(desk, disk, new)
    assert (held, done.recordings) == ([], 1)
    archive.close()


@pytest.mark.rule("G10")
def test_what_was_moved_aside_opens_as_no_archive_and_is_told_until_it_is_gone(tmp_path: Path, disk: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        recording = closed(desk, *BOTH)
        back_up(desk.archive, disk, AT)
    # All that is in it is taken: it may go.
    wraps = [one.sealed for one in desk.archive.wraps_of(recording)]
    desk.archive.close()
    done = replace_it(desk, disk)
    assert done.aside is not None
    assert done.taken
    with pytest.raises(KlartoneError) as error:
        Archive.open(done.aside, desk.store)
    assert error.value.code == "error.archive.no_archive"
    archive = Archive.open(desk.folder, desk.store)
    assert [(one.code, one.params) for one in verify(archive).findings] == [("former_left", {"path": str(done.aside)})]
    assert verify(archive).ok
    assert health(archive, SOON).replaced == (done.aside,)
    # Named, it is still what knows best.
    again = restore(disk, tmp_path / "again", desk.store, SOON, erased_in=done.aside)
    assert (again.unknown_since, again.taken) == (None, False)
    pages = tmp_path / "pages"
    os.link(done.aside / "catalog.db", pages)
    aside = done.aside

    assert erase_former(done)

    assert (aside.exists(), done.aside, set(pages.read_bytes())) == (False, None, {0})
    assert verify(archive).findings == ()
    assert [one.sealed for one in archive.wraps_of(recording)] == wraps
    archive.close()


@pytest.mark.parametrize("lost", ["catalog", "recording", "stray", "longer", "damaged-in-the-backup"])
def test_what_was_moved_aside_stays_where_something_of_it_may_be_only_there(
    tmp_path: Path, disk: Path, lost: str
) -> None:
    with scene(tmp_path / "archive") as desk:
        first = closed(desk, *BOTH)
        back_up(desk.archive, disk, AT)
        recording = closed(desk, *BOTH)
    if lost == "catalog":
        (desk.folder / "catalog.db").write_bytes(b"torn")
    elif lost == "recording":
        desk.archive.vault.path(recording).unlink()
    elif lost == "longer":
        path = desk.archive.vault.path(first)
        path.write_bytes(b"x" + path.read_bytes())
    elif lost == "damaged-in-the-backup":
        (copied,) = (disk / "recordings").iterdir()
        copied.write_bytes(b"x")
        desk.archive.vault.path(first).write_bytes(b"y")
    else:
        desk.archive.vault.path("stray").write_bytes(b"sound")
    done = replace_it(desk, disk, accept_unknown=True)
    assert not done.taken
    assert not erase_former(done)
    assert done.aside is not None
    assert (done.aside / "catalog.db").exists()


def test_nobody_begins_to_record_into_an_archive_that_is_being_replaced(tmp_path: Path, disk: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        closed(desk, *BOTH)
        back_up(desk.archive, disk, AT)
    refusals: list[str] = []

    def begin(what: str, _done: int, _total: int) -> bool:
        if what == "recordings" and not refusals:
            archive = Archive.open(desk.folder, desk.store)
            with closing(archive), pytest.raises(KlartoneError) as error:
                repair(archive, AT)
            refusals.append(error.value.code)
        return True

    replace_it(desk, disk, progress=begin)
    assert refusals == ["error.backup.replacing"]
    archive = Archive.open(desk.folder, desk.store)
    assert repair(archive, AT) == []
    archive.close()


def test_what_a_command_does_to_the_former_archive_meanwhile_is_not_lost(tmp_path: Path, disk: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        recording = closed(desk, *BOTH)
        back_up(desk.archive, disk, AT)
    done: list[str] = []

    def hold(what: str, _done: int, _total: int) -> bool:
        if what == "recordings" and not done:
            archive = Archive.open(desk.folder, desk.store)
            with closing(archive):
                done.append(raise_hold(archive, recording, HoldBy.PARTY, "a complaint", "x", AT))
        return True

    assert refusal(desk, disk, desk.folder, replace_archive=True, progress=hold).code == "error.backup.in_use"
    replace_it(desk, disk)
    archive = Archive.open(desk.folder, desk.store)
    assert [one.hold.hold for one in standing(archive, SOON)] == done
    archive.close()
