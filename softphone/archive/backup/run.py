"""The next generation of a backup is made, and between two of them the list of what was erased is kept up to date.

Recordings are copied once, and a copy gives way only to a file that begins with it. Cut off anywhere, the generation before
still counts, and the next run goes on with what was copied.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.backup import copying, erased
from softphone.archive.backup.copying import (
    GoOn,
    Progress,
    SourceError,
    asking,
    digest_of,
    disk_of,
    erase_folder,
    onward,
    write_file,
)
from softphone.archive.backup.erased import Erased, Folder
from softphone.archive.backup.generation import (
    LIST,
    MANIFEST,
    RECORDINGS,
    SEALED,
    WRAPS,
    Copy,
    Generation,
    Manifest,
    Target,
    place_of,
)
from softphone.archive.catalog.database import UNCHANGED, Catalog
from softphone.archive.folder.disk import sync_folder
from softphone.archive.folder.lock import Lock
from softphone.archive.folder.marker import CATALOG, Marker
from softphone.archive.log import audit
from softphone.archive.outbox.shipping import away
from softphone.archive.schema.tables import recordings, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError

LIVES_ON = timedelta(days=14)
"""at most, of what was erased in the archive: the run that is made within it overwrites it here too"""
LOCK = "backup.lock"


@dataclass(slots=True)
class BackedUp:
    """What a run did. `missing` and `differs`: recordings whose file the archive does not have, or no longer as it was copied; of
    them the backup keeps what it had."""

    number: int = 0
    recordings: int = 0
    copied: int = 0
    bytes: int = 0
    erased: int = 0
    """files that went from the folder"""
    missing: list[str] = field(default_factory=list[str])
    differs: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Health:
    """Of one folder. `waiting`: changes that its list does not have. `stale`: keys that were erased here since may lie in it for
    longer than they are to. `cleared`: nothing of an older generation lies in it any more."""

    folder: Path
    number: int
    at: datetime
    waiting: int
    stale: bool = False
    cleared: bool = True


def health(archive: Archive, now: datetime | None = None) -> list[Health]:
    """The folders that are kept up to date, the newest backup first; none: no backup was ever begun. Raises ArchiveError."""
    at = now or archive.clock()
    with archive.catalog.reading() as connection:
        return [
            Health(
                Path(one.folder),
                one.number,
                one.at,
                erased.waiting(connection, one),
                stale=at - one.cleared > LIVES_ON,
                cleared=one.cleared == one.at,
            )
            for one in erased.folders(connection)
        ]


def back_up(
    archive: Archive, folder: Path, now: datetime, *, anew: bool = False, progress: Progress = onward
) -> BackedUp:
    """Into `folder`. `anew`: it is empty although a backup was there before, as a new disk is. Raises ArchiveError."""
    with alone(archive.folder):
        return _Run(archive, _target(archive, folder, anew=anew), now, progress).make()


def tell(archive: Archive, folder: Path, now: datetime) -> int:
    """Writes the folder's list anew, and takes away what a run that was cut off left of older generations. How many changes are
    new in the list.

    Raises ArchiveError: the folder is not there, holds no backup of this archive, or one of an older day than is known here.
    """
    with alone(archive.folder):
        target, generation, known = _told(archive, folder)
        manifest = generation.manifest
        count = _tell(archive, target, manifest, known, now)
        if known.cleared != manifest.at:
            with archive.catalog.reading() as connection:
                here = set(connection.execute(select(recordings.c.recording)).scalars())
            used = {one.name for one in generation.copies().values()}
            # A copy of what still lives may be all that is left of it.
            _clear(archive, target, used | {name for name in target.names() if name.partition(".")[0] in here})
        return count


def tell_within(archive: Archive, folder: Path, now: datetime) -> int:
    """As `tell`, of the list alone and where something has changed, by the `progress` of a run. Raises ArchiveError."""
    target, generation, known = _told(archive, folder)
    with archive.catalog.reading() as connection:
        if not erased.waiting(connection, known):
            return 0
    return _tell(archive, target, generation.manifest, known, now)


def _told(archive: Archive, folder: Path) -> tuple[Target, Generation, Folder]:
    """The folder, what counts in it, and what is known of it here."""
    target = target_of(archive, folder)
    generation = target.finished(archive.signer.key)
    with archive.catalog.reading() as connection:
        known = erased.folder_of(connection, target.id)
    if known is None or generation.manifest.number < known.number:
        raise ArchiveError("error.backup.set_back", path=str(folder))
    return target, generation, known


def _clear(archive: Archive, target: Target, used: set[str]) -> int:
    """Nothing older lies beside the newest generation from now on. How many recordings' files went."""
    gone = target.clear(used)
    with archive.catalog.writing() as tx:
        if known := erased.folder_of(tx.connection, target.id):
            erased.remember(tx.connection, replace(known, cleared=known.at))
    return gone


def _tell(archive: Archive, target: Target, manifest: Manifest, known: Folder, now: datetime) -> int:
    with archive.catalog.reading() as connection:
        count, heard = erased.waiting(connection, known), erased.last(connection)
        found = Erased.since(connection, known.seq, now, audit.last(connection, archive.desk))
    with disk_of(target.folder):
        found.write(place_of(target.folder, manifest.number), manifest, archive.secrets)
    with archive.catalog.writing() as tx:
        erased.remember(tx.connection, replace(known, number=manifest.number, at=manifest.at, heard=heard))
    return count


class _Run:
    def __init__(self, archive: Archive, target: Target, now: datetime, progress: Progress) -> None:
        self._archive = archive
        self._target = target
        self._now = now
        self._progress = progress
        self._before = target.latest(archive.signer.key)
        self._there = target.names()
        self._done = BackedUp(target.next())

    def make(self) -> BackedUp:
        archive, target, done = self._archive, self._target, self._done
        with archive.catalog.writing() as tx:
            if self._before and self._before.manifest.differs_from(tx.connection):
                raise ArchiveError("error.backup.diverged", path=str(target.folder))
            if not erased.folder_of(tx.connection, target.id):
                # Before the first look at the catalog: what changes from now on is noted.
                seq = erased.last(tx.connection)
                begun = self._before.manifest.at if self._before else self._now
                erased.remember(tx.connection, Folder(target.id, str(target.folder), 0, seq, seq, self._now, begun))
        archive.head(self._now)
        place = place_of(target.folder, done.number)
        new = place.with_name(place.name + copying.NEW)
        with disk_of(target.folder):
            erase_folder(new)
            new.mkdir(mode=0o700)
            try:
                manifest, seq, used = self._write(new)
                new.rename(place)
            except BaseException:
                # Nothing that is erased from now on would be erased in it.
                with suppress(OSError):
                    erase_folder(new)
                raise
            sync_folder(target.folder)
        with archive.catalog.writing() as tx:
            before = erased.folder_of(tx.connection, target.id)
            cleared = before.cleared if before else self._now
            known = Folder(target.id, str(target.folder), done.number, seq, seq, self._now, cleared)
            erased.remember(tx.connection, known)
        _tell(archive, target, manifest, known, self._now)
        # What a run that was cut off had copied of a recording that is missing now may be all that is left.
        used |= {name for name in self._there if name.partition(".")[0] in done.missing}
        done.recordings, done.erased = manifest.count, _clear(archive, target, used)
        params: dict[str, str | int | bool | None] = {"number": done.number, "recordings": manifest.count}
        archive.note(AuditEntry("archive_backed_up", "G10", self._now, "", params=params))
        return done

    def _write(self, new: Path) -> tuple[Manifest, int, set[str]]:
        """A whole generation; how far in `touched` it goes; and the names of its recordings' files."""
        archive, key = self._archive, self._archive.secrets.catalog
        sealed = b""

        @contextmanager
        def still() -> Generator[None]:
            # A rotation erases what its rows named, and gives their slots to others.
            nonlocal sealed
            with archive.catalog.writing():
                yield
                sealed = archive.catalog.slots.content()

        go_on = asking(self._progress, "catalog")
        copying.copy_catalog(archive.catalog.path, new / CATALOG, key, go_on, still)
        with closing(Catalog(new / CATALOG, key, UNCHANGED)) as copy, copy.reading() as connection:
            seq, end = erased.last(connection), audit.last(connection, archive.desk)
            keys = connection.execute(select(wraps)).all()
            rows = connection.execute(select(recordings).order_by(recordings.c.recording)).all()
        before = copying.read_file(self._before.folder / WRAPS) if self._before else b""
        # What is damaged here must not take the place of what is whole there.
        write_file(new / WRAPS, archive.catalog.slots.whole(keys, sealed, before))
        copies = [*self._copies(rows)]
        sync_folder(self._target.folder / RECORDINGS)
        write_file(new / LIST, "".join(map(str, copies)).encode("ascii"))
        files = {name: digest_of(new / name, go_on) or "" for name in SEALED}
        log = (end.number, end.hash) if end else (0, audit.GENESIS)
        of = (self._done.number, self._target.id, self._target.of)
        manifest = Manifest(*of, self._now, *log, files, len(copies))
        Erased(self._now, manifest.log_number, []).write(new, manifest, archive.secrets)
        write_file(new / MANIFEST, manifest.sealed(archive.signer))
        return manifest, seq, {one.name for one in copies}

    def _copies(self, rows: Sequence[Any]) -> Iterator[Copy]:
        known = self._before.copies() if self._before else {}
        for number, row in enumerate(rows):
            go_on = asking(self._progress, "recordings", number, len(rows))
            go_on()
            before = known.get(row.recording)
            before = before if before and before.name in self._there else None
            try:
                yield self._copy(row.recording, before, go_on, ends=bool(row.closed_at or row.broke_off_at))
            except (SourceError, ValueError):
                if not lives(self._archive, row.recording):
                    continue
                self._done.missing.append(row.recording)
                if before:
                    yield before

    def _copy(self, recording: str, before: Copy | None, go_on: GoOn, *, ends: bool) -> Copy:
        """What the folder has of it from now on. `ends`: it is no longer being written. Raises SourceError, and ValueError for a
        row that names no recording."""
        source = self._archive.vault.path(recording)
        found = copying.stat(source)
        size, changed = found.st_size, found.st_mtime_ns
        # One that was being written has no time: a crash may since have cut off its end.
        if before and before.changed:
            if (before.bytes, before.changed) == (size, changed):
                return before
            begins = digest_of(source, go_on, before.bytes) if size >= before.bytes else ""
            if begins is None:
                raise SourceError(source)
            if begins != before.sha256:
                self._done.differs.append(recording)
                return before
            if before.bytes == size:
                return replace(before, changed=changed)
        one = Copy(recording, size, "", changed if ends else 0)
        to = self._target.path(one)
        sha256 = digest_of(to, go_on) if one.name in self._there else None
        if not sha256 or sha256 != digest_of(source, go_on, size):
            sha256 = copying.copy_file(source, to, go_on, size)
            self._done.copied += 1
            self._done.bytes += size
        return replace(one, sha256=sha256)


def lives(archive: Archive, recording: str) -> bool:
    """Whether the archive still has it by now, and its sound."""
    with archive.catalog.reading() as connection:
        asked = select(recordings.c.recording).where(recordings.c.recording == recording)
        return connection.execute(asked).first() is not None and not away(connection, [recording])


def _target(archive: Archive, folder: Path, *, anew: bool) -> Target:
    """Begun where there is none, but never where one was and is not to be seen now, nor within the archive."""
    here, there = (Path(os.path.realpath(one)) for one in (archive.folder, folder))
    if there.is_relative_to(here) or here.is_relative_to(there):
        raise ArchiveError("error.backup.inside", path=str(folder), archive=str(archive.folder))
    try:
        return target_of(archive, folder)
    except ArchiveError as error:
        if error.code != "error.backup.none" and not (anew and error.code == "error.backup.away"):
            raise
        return Target.begin(folder, _marker(archive))


def target_of(archive: Archive, folder: Path) -> Target:
    """The folder of a backup of this archive. Raises ArchiveError."""
    try:
        target = Target.open(folder)
    except ArchiveError as error:
        if error.code == "error.backup.none":
            with archive.catalog.reading() as connection:
                if any(one.folder == str(folder) for one in erased.folders(connection)):
                    raise ArchiveError("error.backup.away", path=str(folder)) from error
        raise
    if target.of != _marker(archive):
        raise ArchiveError("error.backup.another", path=str(folder))
    return target


def _marker(archive: Archive) -> Marker:
    return Marker(archive.id, archive.desk, archive.demo)


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """One backup of the archive in `folder` at a time. The lock lies there: a share may know none. Raises ArchiveError."""
    with closing(Lock(folder, LOCK)) as lock:
        if not lock.take():
            raise ArchiveError("error.backup.running")
        yield
