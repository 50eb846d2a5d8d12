"""A backup becomes an archive again, without what has been erased since: it is made beside its place, and put there whole.

Until its marker is written nobody can open it, and by then all that is known to have ended has ended. What cannot be known
is said, and a person has to take it upon them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import select

from softphone.archive.archive import RECORDINGS, Archive
from softphone.archive.backup import erased
from softphone.archive.backup import generation as backup
from softphone.archive.backup.check import counted
from softphone.archive.backup.copying import (
    GoOn,
    Progress,
    asking,
    copied,
    disk_of,
    erase_folder,
    onward,
    read_file,
    stat,
    write_file,
)
from softphone.archive.backup.erased import Erased
from softphone.archive.backup.generation import Copy, Generation, Manifest, Target
from softphone.archive.backup.run import back_up
from softphone.archive.catalog.database import Catalog
from softphone.archive.changes.call import call_of
from softphone.archive.crypto.wraps import KeyStore
from softphone.archive.folder.disk import sync_folder
from softphone.archive.folder.lock import RESTORING, Lock
from softphone.archive.folder.marker import (
    BEGUN,
    CATALOG,
    MARKER,
    NO_ARCHIVE,
    REPLACED,
    lost,
    read_marker,
    write_marker,
)
from softphone.archive.log import audit
from softphone.archive.retention.sweep import finish
from softphone.archive.schema.tables import condemned, recordings
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError

_NO_PLACE = ("error.backup.no_room", "error.backup.no_place", "error.backup.no_place")
"""what a disk refuses is told of the place of a restore: no call is recorded there"""
_MOVED = "moved-aside"
"""in the folder that is to take an archive's place: the name under which that archive is moved aside"""
_SCANNED_WITHIN = 5.0
"""seconds"""
Opened = Callable[[Path], Archive]


@dataclass(slots=True)
class Restored:
    """What was brought back. Times are those up to which nothing is unknown; None: nothing is unknown at all."""

    folder: Path
    number: int
    at: datetime
    recordings: int = 0
    erased: int = 0
    """recordings and lists whose wraps, or all of them, went again"""
    unknown_since: datetime | None = None
    damaged: list[str] = field(default_factory=list[str])
    """their file in the backup is missing, or not as it was written: brought back as it is"""
    differs: list[str] = field(default_factory=list[str])
    """their file in the former folder is longer than in the backup, and yet not the same and more: brought back as backed up"""
    aside: Path | None = None
    """where the archive is now that stood in this place"""
    taken: bool = False
    """all its recordings are in the new one: what was moved aside may be erased"""


def restore(
    source: Path,
    to: Path,
    store: KeyStore,
    now: datetime,
    *,
    erased_in: Path | None = None,
    replace_archive: bool = False,
    accept_unknown: bool = False,
    progress: Progress = onward,
) -> Restored:
    """From the backup's folder into `to`, which is new, empty, or with `replace_archive` that archive's own.

    `erased_in`: the archive's former folder, which knows best what has ended, and has what was recorded since.

    Raises ArchiveError, KeyringError; then nothing is in `to` that was not there before.
    """
    target, generation, secrets, signer = counted(source, store)
    manifest = generation.manifest
    work = to.with_name(f"{to.name}{RESTORING}")
    _apart(to, work, source, erased_in)
    since = Erased.read(generation.folder, manifest, secrets)

    def opened(folder: Path) -> Archive:
        return Archive(folder, manifest.of, Catalog.open(folder / CATALOG, secrets.catalog), secrets, store, signer)

    # Until it has been put in its place: who begins to record meanwhile would do so into the folder that is moved aside.
    with closing(Lock(to)) as lock:
        with disk_of(to, *_NO_PLACE):
            _put_back(to, work)
            stands = _stands(to, manifest, replace_archive=replace_archive)
        if stands and not lock.take():
            raise ArchiveError("error.backup.in_use", path=str(to))
        before = erased_in or (to if stands else None)
        done = Restored(to, manifest.number, manifest.at)
        with ExitStack() as opens:
            former = _former(before, opened, manifest, since, opens, must=erased_in is not None) if before else None
            if former is None and not accept_unknown:
                if since is None:
                    raise ArchiveError("error.backup.erased_changed", path=str(generation.folder / backup.ERASED))
                raise ArchiveError("error.backup.unknown", since=f"{since.at.astimezone():%Y-%m-%d %H:%M:%S %z}")
            with _undone_on_failure(to, work):
                with disk_of(to, *_NO_PLACE):
                    _begin(work, target)
                if former is not None:
                    # Backed up once more, it says all that has ended, is held and is new since.
                    backed = back_up(former, source, now, progress=progress)
                    done.erased, done.differs = backed.erased, backed.differs
                    generation = target.finished(signer.key)
                with disk_of(to, *_NO_PLACE):
                    restoring = _Restoring(work, target, generation, former, progress, done)
                    restoring.make(opened, since, now)
        done.taken = done.taken and before == to
        if sys.platform == "win32":
            # Nothing in a folder that is open there can be moved.
            lock.close()
        with _undone_on_failure(to, work), disk_of(to, *_NO_PLACE):
            done.aside = _put(work, to, now, stands=stands, same=before == to and done.unknown_since is None)
    return done


def erase_former(done: Restored) -> bool:
    """The folder that was moved aside, overwritten; False where something of it is only there. Raises ArchiveError."""
    if done.aside is None or not done.taken:
        return False
    with disk_of(done.aside, *["error.backup.former_stays"] * 3):
        erase_folder(done.aside)
        sync_folder(done.aside.parent)
    done.aside = None
    return True


def _former(
    folder: Path, opened: Opened, manifest: Manifest, since: Erased | None, opens: ExitStack, *, must: bool
) -> Archive | None:
    """The archive as it was left. None where its catalog is damaged, does not go on from the backup, or knows less than its list
    was told; ArchiveError instead where it `must`."""
    try:
        moved = not (folder / MARKER).exists() and (folder / REPLACED).exists()
        # One whose marker has gone is opened by this archive's own key all the same.
        if not lost(folder) and read_marker(folder, REPLACED if moved else MARKER).archive != manifest.of.archive:
            raise ArchiveError("error.backup.another", path=str(folder))
        former = opens.enter_context(closing(opened(folder)))
        with former.catalog.reading() as connection:
            is_another = any(audit.verify(connection)) or manifest.differs_from(connection)
        if (
            is_another
            or former.catalog.is_older()
            or _end(former) < (since.log if since else 0)
            or former.catalog.integrity()
        ):
            raise ArchiveError("error.backup.not_continued", path=str(folder))
    except ArchiveError as error:
        if must:
            code = "error.backup.no_former" if error.code == NO_ARCHIVE else error.code
            raise ArchiveError(code, **error.params) from error
        return None
    return former


def _end(archive: Archive) -> int:
    """The number of its log's last entry."""
    with archive.catalog.reading() as connection:
        last = audit.last(connection, archive.desk)
    return last.number if last else 0


@dataclass(slots=True)
class _Restoring:
    """One restore, in a folder of its own."""

    work: Path
    target: Target
    generation: Generation
    former: Archive | None
    progress: Progress
    done: Restored

    def make(self, opened: Opened, since: Erased | None, now: datetime) -> None:
        done, work, former = self.done, self.work, self.former
        manifest = self.generation.manifest
        for name in (CATALOG, backup.WRAPS):
            path = self.generation.folder / name
            if not copied(path, work / name, asking(self.progress, "catalog"), manifest.files[name]):
                raise ArchiveError("error.backup.catalog_changed", path=str(path))
        with closing(opened(work)) as archive:
            with archive.catalog.writing() as tx:
                erased.forget_all(tx.connection)
            if former is None:
                done.unknown_since = since.at if since else manifest.at
                self._end_again(archive, since, now)
            self._copy(archive)
            finish(archive)
            params: dict[str, str | int | bool | None] = {
                "number": manifest.number,
                "at": manifest.at.isoformat(),
                "head": f"{manifest.log_number} {manifest.log_hash}",
                "erased": done.erased,
                "unknown_since": done.unknown_since.isoformat() if done.unknown_since else None,
                "damaged": len(done.damaged),
            }
            archive.note(AuditEntry("archive_restored", "G10", now, "", params=params))
            archive.head(now)
        if former is not None and _end(former) != manifest.log_number + 1:
            # More than that it was backed up: a command changed something there since, and that would be lost.
            raise ArchiveError("error.backup.in_use", path=str(former.folder))
        (work / BEGUN).unlink()
        write_marker(work, self.target.of)

    def _end_again(self, archive: Archive, since: Erased | None, now: datetime) -> None:
        """What has ended since, each with its entry in the log."""
        with archive.catalog.writing() as tx:
            known = 0
            for change in since.changes if since else []:
                kind, id = change["kind"], change["id"]
                call = call_of(tx.connection, id) if kind == erased.RECORDING else None
                known += call is not None
                again = erased.apply(tx, change, now)
                self.done.erased += again
                if again or kind == erased.REVOKED:
                    params: dict[str, str | int | bool | None] = {"kind": kind, "gone": bool(change.get("gone"))}
                    params |= {"key": id} if kind == erased.REVOKED else {}
                    tx.log(AuditEntry("erased_again", "G10", now, call or "", id if call else None, params))
            if known:
                tx.log(AuditEntry("terms_taken_up", "G10", now, "", params={"count": known}))

    def _copy(self, archive: Archive) -> None:
        """The recordings that the catalog knows: of one that has been erased not even the sealed bytes come back."""
        with archive.catalog.reading() as connection:
            known = sorted(connection.execute(select(recordings.c.recording)).scalars())
        copies, former, done = self.generation.copies(), self.former, self.done
        for number, recording in enumerate(known):
            go_on = asking(self.progress, "recordings", number, len(known))
            go_on()
            if not self._take(copies.get(recording), archive, go_on):
                done.damaged.append(recording)
        done.recordings = len(known)
        if former is not None:
            with former.catalog.reading() as connection:
                gone = set(connection.execute(select(condemned.c.recording)).scalars())
            others = {*former.vault.recordings(), *former.vault.aside()} - set(known) - gone
            done.differs = [one for one in done.differs if stat(former.vault.path(one)).st_size > copies[one].bytes]
            done.taken = not (done.damaged or done.differs or others)
        sync_folder(self.work / RECORDINGS)

    def _take(self, copy: Copy | None, archive: Archive, go_on: GoOn) -> bool:
        """Whether it is whole, from the backup or from the former folder; else it is brought back as the backup has it."""
        if copy is None:
            return False
        path, to = self.target.path(copy), archive.vault.path(copy.recording)
        if copied(path, to, go_on, copy.sha256):
            return True
        if self.former and copied(self.former.vault.path(copy.recording), to, go_on, copy.sha256):
            return True
        copied(path, to, go_on)
        return False


def _apart(to: Path, work: Path, *others: Path | None) -> None:
    """What is moved aside (`to`) and what is overwritten (`work`) neither holds one of these nor lies in one; `to` may be one.

    Raises ArchiveError.
    """
    here = Path(os.path.realpath(to))
    for other in filter(None, others):
        there = Path(os.path.realpath(other))
        for one in (here, Path(os.path.realpath(work))):
            if there != here and (one.is_relative_to(there) or there.is_relative_to(one)):
                raise ArchiveError("error.backup.within", path=str(other), to=str(one))


def _stands(to: Path, manifest: Manifest, *, replace_archive: bool) -> bool:
    """Whether an archive is there, to be moved aside. What is anything else is not touched."""
    if not to.exists() or not any(to.iterdir()):
        return False
    is_archive = any((to / name).exists() for name in (MARKER, CATALOG)) and not (to / backup.MARKER).exists()
    if not replace_archive or not is_archive:
        raise ArchiveError("error.backup.in_the_way", path=str(to))
    if (to / MARKER).exists() and read_marker(to).archive != manifest.of.archive:
        raise ArchiveError("error.backup.another", path=str(to))
    return True


def _put_back(to: Path, work: Path) -> None:
    """What this restore moved aside, and nothing older, gets its place again if the new archive did not get it."""
    name = read_file(work / _MOVED).decode(errors="replace")
    if not name or (to.exists() and any(to.iterdir())):
        return
    for aside in [one for one in to.parent.iterdir() if one.name == name]:
        if (aside / REPLACED).exists():
            (aside / REPLACED).rename(aside / MARKER)
        if to.exists():
            to.rmdir()
        _rename(aside, to)
        sync_folder(to.parent)


def _put(work: Path, to: Path, now: datetime, *, stands: bool, same: bool) -> Path | None:
    """In its place, whole. What stood there can no longer be opened as an archive: nothing sweeps it. `same`: it is this one,
    also where its marker has gone."""
    aside = None
    if stands:
        name = f"{to.name}.before-{now:%Y%m%dT%H%M%S}"
        # Two restores may come in one second.
        names = (name, *(f"{name}-{number}" for number in range(2, 100)))
        aside = next(one for one in map(to.with_name, names) if not one.exists())
        write_file(work / _MOVED, aside.name.encode())
        sync_folder(to.parent)
        _rename(to, aside)
        if (aside / MARKER).exists():
            (aside / MARKER).rename(aside / REPLACED)
        elif same:
            shutil.copyfile(work / MARKER, aside / REPLACED)
    elif to.exists():
        to.rmdir()
    _rename(work, to)
    sync_folder(to.parent)
    with suppress(OSError):
        (to / _MOVED).unlink(missing_ok=True)
    return aside


def _rename(old: Path, new: Path) -> None:
    """Windows moves no folder while a virus scanner or an indexer has a file in it open, which is soon over."""
    until = monotonic() + (_SCANNED_WITHIN if sys.platform == "win32" else 0.0)
    while True:
        try:
            old.rename(new)
        except PermissionError:
            if monotonic() >= until:
                raise
            sleep(0.2)
        else:
            return


def _begin(work: Path, target: Target) -> None:
    """Anew, whatever a restore that was killed has left. From now on nobody begins to record into the archive's place."""
    erase_folder(work)
    (work / RECORDINGS).mkdir(parents=True, mode=0o700)
    work.chmod(0o700)
    (work / BEGUN).write_text(json.dumps({"archive": target.of.archive}), encoding="utf-8")


@contextmanager
def _undone_on_failure(to: Path, work: Path) -> Generator[None]:
    """Nothing that ends from now on would end in it. If what was moved aside cannot get its place again, it stays: the next
    restore puts that back."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            _put_back(to, work)
            erase_folder(work)
        raise
