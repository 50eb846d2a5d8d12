"""A backup becomes an archive again, without what has been erased since: it is made beside its place, and put there whole.

Until its marker is written nobody can open it, and by then all that is known to have ended has ended. What cannot be known
is said, and a person has to take it upon them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, count
from pathlib import Path

from sqlalchemy import select

from softphone.archive.archive import CATALOG, RECORDINGS, Archive
from softphone.archive.backup import terms, touched
from softphone.archive.backup.check import counted
from softphone.archive.backup.copying import (
    UNREADABLE,
    Object,
    copy_file,
    hash_file,
    listed,
    read_if_there,
    snapshot,
    where_readable,
    write_file,
)
from softphone.archive.backup.former import Former, former_of
from softphone.archive.backup.journal import Journal, Read
from softphone.archive.backup.run import Progress, onward
from softphone.archive.backup.target import MARKER as BACKUP
from softphone.archive.backup.target import File, Manifest, Target, erase
from softphone.archive.catalog.database import Catalog
from softphone.archive.changes.call import call_of
from softphone.archive.crypto.slots import FILE
from softphone.archive.crypto.wraps import KeyStore, Secrets
from softphone.archive.files.container import SUFFIX
from softphone.archive.folder.disk import FULL, REFUSALS, refused, sync_folder
from softphone.archive.folder.marker import BEGUN, MARKER, REPLACED, Marker, read_marker, write_marker
from softphone.archive.folder.writers import RESTORING, Writers
from softphone.archive.log.checkpoint import Signer
from softphone.archive.retention.sweep import REPORTS, Swept, finish, sweep
from softphone.archive.schema.migrations import HEAD
from softphone.archive.schema.tables import recordings, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError

_BATCH = 200
_Key = tuple[str, str]
"""kind and id"""


@dataclass(slots=True)
class Restored:
    """What was brought back. Times are those up to which nothing is unknown; None: nothing is unknown at all."""

    folder: Path
    number: int
    at: datetime
    recordings: int = 0
    erased: int = 0
    """recordings and lists whose wraps, or all of them, went again"""
    past: list[str] = field(default_factory=list[str])
    """recordings of which something is past its date: gone by the sweep, or for the next one to take (`swept` False)"""
    swept: bool = True
    clock_doubtful: date | None = None
    unknown_since: datetime | None = None
    damaged: list[str] = field(default_factory=list[str])
    """their file in the backup is missing, or not as it was written: brought back as it is"""
    differs: list[str] = field(default_factory=list[str])
    """their file in the former folder is longer than in the backup, and yet not the same and more: brought back as backed up"""
    aside: Path | None = None
    """where the archive is now that stood in this place"""
    taken: bool = False
    """it was believed, and all its recordings are in the new one: what was moved aside may be erased"""


def restore(
    source: Path,
    to: Path,
    store: KeyStore,
    now: datetime,
    *,
    erased_in: Path | None = None,
    replace_archive: bool = False,
    accept_unknown: bool = False,
    clock_is_right: bool = False,
    progress: Progress = onward,
) -> Restored:
    """From the backup's folder into `to`, which is new, empty, or with `replace_archive` that archive's own.

    `erased_in`: the archive's former folder, which knows best what has ended, and has what was recorded since.

    Raises ArchiveError, KeyringError; then nothing is in `to` that was not there before.
    """
    target, manifest, secrets, signer = counted(source, store)
    if manifest.schema > HEAD:
        raise ArchiveError("error.archive.unknown_version", found=manifest.schema, known=HEAD)
    work = to.with_name(f"{to.name}{RESTORING}")
    _apart(to, work, source, erased_in)
    stands = _place(to, manifest, replace_archive=replace_archive)
    journal = Journal(target, manifest, secrets)
    read = journal.read()
    before = erased_in or (to if stands else None)
    # Until it has been put in its place: who begins to record meanwhile would do so into the folder that is moved aside.
    with _nobody_writes(to, stands=stands) as writers:
        with former_of(before, manifest, read, secrets, must=erased_in is not None) as former:
            if former is None and not accept_unknown:
                if not read.whole:
                    raise ArchiveError("error.backup.journal_changed", path=str(journal.hurt))
                raise ArchiveError("error.backup.unknown", since=_told(read.until or manifest.at))
            made = _Restoring(work, target, manifest, secrets, signer, store, progress)
            try:
                with _told_of(to):
                    done = made.make(read, former, now, clock_is_right=clock_is_right)
            except BaseException:
                # Nothing that ends from now on would end in it. What was copied besides, the next run goes on with.
                made.forget_catalog()
                raise
        done.taken = done.taken and stands and before == to
        if sys.platform == "win32":
            # Nothing in a folder that is open there can be moved.
            writers.close()
        done.folder = to
        with _told_of(to):
            done.aside = _put(work, to, now, stands=stands, same=before == to and done.unknown_since is None)
    return done


def erase_former(done: Restored) -> bool:
    """The folder that was moved aside, overwritten; False where something of it is only there. Raises ArchiveError."""
    if done.aside is None or not done.taken:
        return False
    try:
        _erase_all(done.aside)
        sync_folder(done.aside.parent)
    except OSError as error:
        detail = error.strerror or ""
        raise ArchiveError("error.backup.former_stays", path=str(done.aside), detail=detail) from error
    done.aside = None
    return True


class _Restoring:
    """One restore, in a folder of its own. What a run that was cut off has copied is looked at, and kept where it is right."""

    def __init__(
        self,
        work: Path,
        target: Target,
        manifest: Manifest,
        secrets: Secrets,
        signer: Signer,
        store: KeyStore,
        progress: Progress,
    ) -> None:
        self._work = work
        self._target = target
        self._manifest = manifest
        self._secrets = secrets
        self._signer = signer
        self._store = store
        self._progress = progress
        self._at = ("catalog", 0, 0)
        self._done = Restored(work, manifest.number, manifest.at)

    def make(self, read: Read, former: Former | None, now: datetime, *, clock_is_right: bool) -> Restored:
        manifest, done, marker = self._manifest, self._done, _marker(self._manifest)
        self._begin()
        end = 0
        if former is None:
            self._fetch(manifest.catalog, self._work / CATALOG)
            self._fetch(manifest.wraps, self._work / FILE)
        else:
            # It knows all that has ended, is held and is new since; of the backup only the recordings are needed.
            end = former.end(manifest.desk)
            snapshot(former.catalog.path, self._work / CATALOG, self._secrets.catalog, self._go_on)
            with former.catalog.reading() as connection:
                rows = connection.execute(select(wraps)).all()
            with _written(self._work):
                # What is damaged there the backup may have: a row that stands was erased by nobody.
                before = read_if_there(self._target.folder / manifest.wraps.name)
                slots = former.catalog.slots
                write_file(self._work / FILE, slots.whole(rows, slots.content(), before))
        catalog = Catalog.open(self._work / CATALOG, self._secrets.catalog)
        archive = Archive(self._work, marker, catalog, self._secrets, self._store, self._signer)
        with closing(archive):
            with catalog.writing() as tx:
                touched.forget_all(tx.connection)
            if former is None:
                ended = {(line.kind, line.id): line.terms for line in read.lines}
                self._end(archive, ended.items(), now)
            self._copy(archive, former)
            finish(archive)
            done.unknown_since = None if former else read.until or manifest.at
            self._past(archive, now, clock_is_right=clock_is_right)
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
        if former is not None and former.end(manifest.desk) != end:
            # A command changed something in the former folder since its catalog was copied: that would be lost.
            raise ArchiveError("error.backup.in_use", path=str(former.catalog.path.parent))
        (self._work / BEGUN).unlink(missing_ok=True)
        write_marker(self._work, marker)
        return done

    def _begin(self) -> None:
        """A folder of another backup's restore is not gone on with; nor one that was whole, and of which nobody knows the age."""
        told = json.dumps(
            {"target": self._target.id, "number": self._manifest.number, "archive": self._manifest.archive}
        )
        try:
            if self._work.exists() and not _is(self._work / BEGUN, told):
                _erase_all(self._work)
            (self._work / RECORDINGS).mkdir(parents=True, exist_ok=True, mode=0o700)
            self._work.chmod(0o700)
            for left in (*self._work.glob(f"{CATALOG}*"), self._work / FILE):
                erase(left)
            (self._work / BEGUN).write_text(told, encoding="utf-8")
        except OSError as error:
            raise refused(self._work, error) from error

    def forget_catalog(self) -> None:
        with suppress(OSError):
            for left in (*self._work.glob(f"{CATALOG}*"), self._work / FILE):
                erase(left)

    def _fetch(self, file: File, to: Path) -> None:
        path = self._target.folder / file.name
        try:
            digest = copy_file(path, to, self._go_on)
        except FileNotFoundError:
            digest = ""
        except OSError as error:
            raise refused(to, error) from error
        if digest != file.sha256:
            raise ArchiveError("error.backup.catalog_changed", path=str(path))

    def _copy(self, archive: Archive, former: Former | None) -> None:
        """The recordings that the catalog knows: of one that has been erased not even the sealed bytes come back."""
        with archive.catalog.reading() as connection:
            known = {str(one) for one in connection.execute(select(recordings.c.recording)).scalars()}
        found: set[str] = set()
        for number, one in enumerate(listed(self._target, self._manifest, self._go_on)):
            self._at = ("recordings", number, self._manifest.count)
            self._go_on()
            if one.recording not in known:
                self._done.erased += former is not None
                continue
            found.add(one.recording)
            to = archive.vault.path(one.recording)
            if former is not None and former.is_longer(one):
                if former.holds(one, self._go_on) and self._from_former(former, one.recording, to):
                    continue
                self._done.differs.append(one.recording)
            self._object(one, to, former)
        for recording in sorted(known - found):
            # Of a row that names no recording, as only somebody's change leaves it, no file can be there.
            with suppress(ValueError):
                if former is not None and self._from_former(former, recording, archive.vault.path(recording)):
                    found.add(recording)
        self._done.recordings = len(known)
        self._done.damaged = sorted({*self._done.damaged, *known - found})
        hurt = self._done.damaged or self._done.differs
        self._done.taken = former is not None and not hurt and not former.has_others(known)
        with _written(self._work):
            for path in (self._work / RECORDINGS).iterdir():
                if path.name.removesuffix(SUFFIX) not in found:
                    erase(path)
            sync_folder(self._work / RECORDINGS)

    def _from_former(self, former: Former, recording: str, to: Path) -> bool:
        """What was recorded since the backup, as far as it can be read there."""
        self._go_on()
        with _written(self._work):
            return where_readable(lambda: copy_file(former.path(recording), to, self._go_on)) is not None

    def _object(self, one: Object, to: Path, former: Former | None) -> None:
        path = self._target.object(one.recording, one.bytes)
        with _written(self._work):
            try:
                if to.exists() and hash_file(to, self._go_on) == one.sha256:
                    return
                if copy_file(path, to, self._go_on) == one.sha256:
                    return
            except FileNotFoundError:
                pass
            except ArchiveError as error:
                if error.code != UNREADABLE:
                    raise
        if former is None or not former.holds(one, self._go_on) or not self._from_former(former, one.recording, to):
            self._done.damaged.append(one.recording)

    def _end(self, archive: Archive, ended: Iterable[tuple[_Key, terms.Terms]], now: datetime) -> None:
        """What has ended since ends again, each with its entry in the log."""
        waiting = list(ended)
        for start in range(0, len(waiting), _BATCH):
            self._go_on()
            batch = waiting[start : start + _BATCH]
            with archive.catalog.writing() as tx:
                known = [
                    id for (kind, id), _ in batch if kind == "recording" and call_of(tx.connection, id) is not None
                ]
                for (kind, id), what in batch:
                    of = id if id in known else None
                    call = call_of(tx.connection, id) or "" if of else ""
                    erased = terms.apply(tx, kind, id, what, now)
                    self._done.erased += erased
                    if erased or kind == "revoked":
                        again: dict[str, str | int | bool | None] = {"kind": kind, "gone": bool(what.get("gone"))}
                        again |= {"key": id} if kind == "revoked" else {}
                        tx.log(AuditEntry("erased_again", "G10", now, call, of, again))
                if known:
                    params: dict[str, str | int | bool | None] = {"count": len(known)}
                    tx.log(AuditEntry("terms_taken_up", "G10", now, "", params=params))

    def _past(self, archive: Archive, now: datetime, *, clock_is_right: bool) -> None:
        """Dates count as of now. Where a hold may stand that nobody knows of, nothing goes that it would keep: it is told."""
        done = self._done
        done.swept = done.unknown_since is None
        witness = now if clock_is_right else None
        swept = sweep(archive, now, clock=now, witness=witness, dry_run=not done.swept, terms=None, go_on=self._asked)
        doubt = next((one for one in swept if one.what is Swept.CLOCK_DOUBTFUL), None)
        if doubt is not None:
            done.swept, done.clock_doubtful = False, doubt.since
            swept = sweep(archive, now, clock=now, dry_run=True, terms=None)
        done.past = sorted({one.recording for one in swept if one.recording and one.what not in REPORTS})

    def _asked(self) -> bool:
        self._go_on()
        return True

    def _go_on(self) -> None:
        if not self._progress(*self._at):
            raise ArchiveError("error.backup.stopped")


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


def _place(to: Path, manifest: Manifest, *, replace_archive: bool) -> bool:
    """Whether an archive stands there, which is to be moved aside. What is anything else is not touched."""
    try:
        filled = to.exists() and any(to.iterdir())
    except OSError as error:
        raise ArchiveError("error.archive.unreadable", path=str(to), detail=error.strerror or "") from error
    if not filled:
        return False
    is_archive = any((to / name).exists() for name in (MARKER, CATALOG)) and not (to / BACKUP).exists()
    if not replace_archive or not is_archive:
        raise ArchiveError("error.backup.in_the_way", path=str(to))
    if (to / MARKER).exists() and read_marker(to).archive != manifest.archive:
        raise ArchiveError("error.backup.another", path=str(to))
    return True


@contextmanager
def _nobody_writes(to: Path, *, stands: bool) -> Generator[Writers]:
    with closing(Writers(to)) as writers:
        if stands and not writers.alone():
            raise ArchiveError("error.backup.in_use", path=str(to))
        yield writers


def _put(work: Path, to: Path, now: datetime, *, stands: bool, same: bool) -> Path | None:
    """In its place, whole. What stood there can no longer be opened as an archive: nothing sweeps it. `same`: it is this one,
    also where its marker has gone."""
    aside = None
    with _written(to):
        if stands:
            aside = _free(to.with_name(f"{to.name}.before-{now:%Y%m%dT%H%M%S}"))
            to.rename(aside)
            if (aside / MARKER).exists():
                (aside / MARKER).rename(aside / REPLACED)
            elif same:
                shutil.copyfile(work / MARKER, aside / REPLACED)
        elif to.exists():
            to.rmdir()
        work.rename(to)
        sync_folder(to.parent)
    return aside


def _free(path: Path) -> Path:
    """This name, or the next one that nothing has: two restores may come in one second."""
    names = chain([path], (path.with_name(f"{path.name}-{number}") for number in count(2)))
    return next(name for name in names if not name.exists())


def _erase_all(folder: Path) -> None:
    """Raises OSError."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            erase(path)
    shutil.rmtree(folder)


@contextmanager
def _written(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise refused(folder, error) from error


@contextmanager
def _told_of(to: Path) -> Generator[None]:
    """What a disk refuses is told of the place of this restore: no call is recorded there."""
    try:
        yield
    except ArchiveError as error:
        if error.code not in REFUSALS:
            raise
        code = "error.backup.no_room" if error.code == FULL else "error.backup.no_place"
        raise ArchiveError(code, path=str(to), detail=error.params.get("detail", "")) from error


def _marker(manifest: Manifest) -> Marker:
    return Marker(manifest.archive, manifest.desk, manifest.demo)


def _is(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def _told(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %z}"
