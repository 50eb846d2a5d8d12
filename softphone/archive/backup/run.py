"""A backup is made: catalog, recordings, and a signed manifest that makes it count. What has gone from the archive since the
last one goes from the folder too; what changes between two is told to its journal.

Cut off anywhere, the backup before still counts, and the next one goes on with what was copied.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select

from softphone.archive.archive import Archive
from softphone.archive.backup import terms, touched
from softphone.archive.backup.alone import SNAPSHOT, alone, erase_snapshot
from softphone.archive.backup.copying import (
    UNREADABLE,
    Listed,
    Object,
    copy_file,
    hash_file,
    listed,
    read_if_there,
    snapshot,
    whole_size,
    write_file,
    write_list,
)
from softphone.archive.backup.journal import Journal, Line
from softphone.archive.backup.target import OBJECTS, File, Manifest, Target, faults
from softphone.archive.catalog.database import Catalog
from softphone.archive.files.container import SUFFIX
from softphone.archive.folder.disk import sync_folder
from softphone.archive.folder.marker import Marker
from softphone.archive.log import audit
from softphone.archive.schema.migrations import HEAD
from softphone.archive.schema.tables import recordings, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError

LIVES_ON = timedelta(days=14)
"""at most, of what was erased in the archive: the run that is made within it overwrites it here too"""
_LINES = 500
"""told at once"""
_TELL_SECONDS = 5.0
"""between two looks at what has ended while a backup runs"""

Progress = Callable[[str, int, int], bool]
"""what is done (`catalog`, `recordings`, `check`), so many of so many; False: stop here"""


def onward(_what: str, _done: int, _total: int) -> bool:
    return True


@dataclass(slots=True)
class BackedUp:
    """What a run did. `missing` and `differs`: recordings whose file the archive does not have, or no longer as it was backed up
    and maybe more; of them the backup keeps all that it had, or where that is gone, has what is here."""

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
    """Of one folder. `waiting`: changes that its journal has not been told of. `stale`: keys that were erased here since may
    lie in it for longer than they are to."""

    folder: Path
    number: int
    at: datetime
    waiting: int
    stale: bool = False


def health(archive: Archive, now: datetime | None = None) -> list[Health]:
    """The folders that are kept up to date, the newest backup first; none: no backup was ever begun. Raises ArchiveError."""
    at = now or archive.clock()
    with archive.catalog.reading() as connection:
        return [
            Health(Path(one.folder), one.number, one.at, touched.waiting(connection, one.seq), at - one.at > LIVES_ON)
            for one in touched.targets(connection)
        ]


def back_up(
    archive: Archive, folder: Path, now: datetime, *, anew: bool = False, progress: Progress = onward
) -> BackedUp:
    """Into `folder`. `anew`: it is empty although a backup was there before, as a new disk is. Raises ArchiveError."""
    if not archive.signer.signs:
        # Nothing would ever make it count.
        raise ArchiveError("error.backup.signs_not")
    with alone(archive.folder):
        target = _target(archive, folder, anew=anew)
        return _Run(archive, target, now, progress).make()


def tell(archive: Archive, folder: Path, now: datetime, *, anyway: bool = False) -> int:
    """What has changed since the last backup, to the folder's journal: how much. `anyway`: also that nothing has.

    Raises ArchiveError: the folder is not there, holds no backup of this archive, or one of an older day than is known here.
    """
    with alone(archive.folder):
        target = target_of(archive, folder)
        manifest = target.manifest(archive.signer.key)
        with archive.catalog.reading() as connection:
            told = touched.target(connection, target.id)
        if manifest is None or told is None:
            raise ArchiveError("error.backup.unfinished", path=str(folder))
        if manifest.number < told.number:
            raise ArchiveError("error.backup.set_back", path=str(folder))
        return _tell(archive, target, manifest, told, now, anyway=anyway)


def _tell(
    archive: Archive, target: Target, manifest: Manifest, told: touched.Told, now: datetime, *, anyway: bool = False
) -> int:
    journal = Journal(target, manifest, archive.secrets)
    expected = told.lines if manifest.number == told.number else 0
    count, seq, lines = 0, told.seq, expected
    while True:
        with archive.catalog.reading() as connection:
            rows = touched.since(connection, seq, _LINES)
            end = audit.last(connection, archive.desk)
            log = end.number if end else 0
            found = [(row, terms.of(connection, row.kind, row.id)) for row in rows]
        told_now = [Line(now, row.kind, row.id, dict(what), log) for row, what in found if what is not None]
        if not rows and not (anyway and not count):
            break
        lines = journal.append(told_now or [Line(now, "seen", "", {}, log)], lines)
        count += len(told_now)
        seq = rows[-1].seq if rows else seq
        with archive.catalog.writing() as tx:
            known = touched.Told(
                target.id, str(target.folder), manifest.number, lines, seq, manifest.at, max(now, told.heard_at)
            )
            touched.remember(tx.connection, known)
        if not rows:
            break
    return count


class _Run:
    def __init__(self, archive: Archive, target: Target, now: datetime, progress: Progress) -> None:
        self._archive = archive
        self._target = target
        self._now = now
        self._progress = progress
        self._before = target.manifest(archive.signer.key)
        self._number = self._before.number + 1 if self._before else 1
        self._done = BackedUp(self._number)
        self._at = ("catalog", 0, 0)
        self._told_at = time.monotonic()
        self._wraps = b""

    def make(self) -> BackedUp:
        archive, target, folder = self._archive, self._target, self._target.folder
        with archive.catalog.reading() as connection:
            if self._before and self._before.differs_from(connection):
                raise ArchiveError("error.backup.diverged", path=str(folder))
            known = touched.target(connection, target.id)
        if known is None:
            # Before the first look at the catalog: what changes from now on is noted.
            with archive.catalog.writing() as tx:
                seq = touched.last(tx.connection)
                first = touched.Told(target.id, str(folder), 0, 0, seq, self._now, self._now)
                touched.remember(tx.connection, first)
        archive.head(self._now)
        with faults(folder):
            # Somebody may have deleted it: what was in it is copied anew.
            (folder / OBJECTS).mkdir(mode=0o700, exist_ok=True)
        objects = folder / f"objects-{self._number}.list"
        own = archive.folder / SNAPSHOT
        held, used = sorted(target.held()), set[str]()
        try:
            # Here first: SQLite is not for a share.
            erase_snapshot(archive.folder)
            snapshot(archive.catalog.path, own, archive.secrets.catalog, self._go_on, self._still)
            with closing(Catalog(own, archive.secrets.catalog)) as found, found.reading() as connection:
                seq = touched.last(connection)
                end = audit.last(connection, archive.desk)
                if self._before:
                    with faults(folder):
                        before = read_if_there(folder / self._before.wraps.name)
                    rows = connection.execute(select(wraps)).all()
                    # What is damaged here must not take the place of what is whole there.
                    self._wraps = archive.catalog.slots.whole(rows, self._wraps, before)
                total = int(connection.execute(select(func.count()).select_from(recordings)).scalar_one())
                with faults(folder):
                    files, count = write_list(objects, self._objects(connection, held, used, total))
            with faults(folder):
                copy = folder / f"catalog-{self._number}.db"
                sha256 = copy_file(own, copy, self._go_on)
                catalog = File(copy.name, copy.stat().st_size, sha256)
                keys = f"wraps-{self._number}.bin"
                sealed = File(keys, len(self._wraps), write_file(folder / keys, self._wraps))
                sync_folder(folder / OBJECTS)
        finally:
            erase_snapshot(archive.folder)
        manifest = Manifest(
            self._number,
            target.id,
            archive.id,
            archive.desk,
            archive.demo,
            self._now,
            HEAD,
            end.number if end else 0,
            end.hash if end else audit.GENESIS,
            catalog,
            sealed,
            files,
            count,
        )
        target.still_here()
        lines = Journal(target, manifest, archive.secrets).begin(self._now, manifest.log_number)
        target.put("manifest.json", manifest.sealed(archive.signer))
        told = touched.Told(target.id, str(folder), self._number, lines, seq, self._now, self._now)
        with archive.catalog.writing() as tx:
            touched.remember(tx.connection, told)
        _tell(archive, target, manifest, told, self._now)
        self._done.recordings = count
        hurt = {*self._done.missing, *self._done.differs}
        unused = (name for name in sorted(target.held() - used) if name.partition(".")[0] not in hurt)
        self._done.erased = target.clear(manifest, unused)
        params: dict[str, str | int | bool | None] = {"number": self._number, "recordings": count}
        archive.note(AuditEntry("archive_backed_up", "G10", self._now, "", params=params))
        return self._done

    @contextmanager
    def _still(self) -> Generator[None]:
        """The sealed keys of the catalog's own moment: a rotation erases what its rows named, and gives their slots to others."""
        with self._archive.catalog.writing():
            yield
            self._wraps = self._archive.catalog.slots.content()

    def _objects(self, connection: Connection, held: list[str], used: set[str], total: int) -> Iterator[Object]:
        """Each recording of the snapshot, copied where the folder does not have it; in the order of their ids."""
        known = Listed(listed(self._target, self._before, self._go_on) if self._before else iter(()))
        rows = connection.execute(select(recordings.c.recording).order_by(recordings.c.recording)).scalars()
        for number, recording in enumerate(rows):
            self._at = ("recordings", number, total)
            self._go_on()
            one = self._object(recording, known.find(recording), _sizes(held, recording))
            if one is not None:
                used.add(one.name)
                yield one
        self._at = ("recordings", total, total)

    def _object(self, recording: str, known: Object | None, sizes: list[int]) -> Object | None:
        """What the folder now has of it. What it had, `known` or one of these `sizes`, it keeps, unless this is that and more."""
        gone = None
        if known is not None and known.bytes not in sizes:
            gone, known = known, None
        try:
            path = self._archive.vault.path(recording)
        except ValueError:
            # No id: somebody changed the row past the program, and no file is named so.
            self._done.missing.append(recording)
            return known
        try:
            if known is None and sizes:
                # Copied by a run that was cut off: it may be all that is left.
                copied = self._target.object(recording, max(sizes))
                known = Object(recording, max(sizes), hash_file(copied, self._go_on), 0)
            found = path.stat()
            changed = found.st_mtime_ns
            if known is not None and (known.bytes, known.changed) == (found.st_size, changed):
                return known
            size = whole_size(path)
            if known is not None:
                if not self._holds(path, size, known):
                    self._done.differs.append(recording)
                    return known
                if size == known.bytes:
                    return replace(known, changed=changed)
            elif gone is not None and not self._holds(path, size, gone):
                # Less than was copied once, but all that is left.
                self._done.differs.append(recording)
            digest = copy_file(path, self._target.object(recording, size), self._go_on, size)
        except FileNotFoundError:
            # It may have been erased since the moment that is copied; what is only missing is kept as it was.
            if not path.exists() and lives(self._archive, recording):
                self._done.missing.append(recording)
                return known
            if path.exists():
                raise
            return None
        except ArchiveError as error:
            if error.code != UNREADABLE:
                raise
            # One bad place of a disk is no reason to have no backup of the rest.
            self._done.missing.append(recording)
            return known
        self._done.copied += 1
        self._done.bytes += size
        return Object(recording, size, digest, changed)

    def _holds(self, path: Path, size: int, known: Object) -> bool:
        """Whether the file's first `size` bytes hold all that the copy tells."""
        return size >= known.bytes and hash_file(path, self._go_on, known.bytes) == known.sha256

    def _go_on(self) -> None:
        if not self._progress(*self._at):
            raise ArchiveError("error.backup.stopped")
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            # The backup before counts until this one does: it hears what ends meanwhile.
            self._told_at = time.monotonic()
            with self._archive.catalog.reading() as connection:
                told = touched.target(connection, self._target.id)
            if self._before and told and told.number == self._before.number:
                _tell(self._archive, self._target, self._before, told, self._now)


def lives(archive: Archive, recording: str) -> bool:
    """Whether the archive still has it by now."""
    with archive.catalog.reading() as connection:
        asked = select(recordings.c.recording).where(recordings.c.recording == recording)
        return connection.execute(asked).first() is not None


def _sizes(held: list[str], recording: str) -> list[int]:
    """Of the copies of a recording among these names, in order."""
    there = held[bisect_left(held, f"{recording}.") : bisect_left(held, f"{recording}/")]  # "/" comes next to "."
    sizes = (name.removeprefix(f"{recording}.").removesuffix(SUFFIX) for name in there if name.endswith(SUFFIX))
    return [int(one) for one in sizes if one.isdecimal()]


def _target(archive: Archive, folder: Path, *, anew: bool) -> Target:
    """Begun where there is none, but never where one was and is not to be seen now, nor within the archive."""
    here, there = (Path(os.path.realpath(one)) for one in (archive.folder, folder))
    if there.is_relative_to(here) or here.is_relative_to(there):
        raise ArchiveError("error.backup.inside", path=str(folder), archive=str(archive.folder))
    try:
        target = target_of(archive, folder)
    except ArchiveError as error:
        if error.code not in ("error.backup.none", "error.backup.away"):
            raise
        if error.code == "error.backup.away" and not anew:
            raise
        return Target.begin(folder, Marker(archive.id, archive.desk, archive.demo))
    return target


def target_of(archive: Archive, folder: Path) -> Target:
    """The folder of a backup of this archive. Raises ArchiveError."""
    try:
        target = Target.open(folder)
    except ArchiveError as error:
        if error.code == "error.backup.none":
            with archive.catalog.reading() as connection:
                if any(one.folder == str(folder) for one in touched.targets(connection)):
                    raise ArchiveError("error.backup.away", path=str(folder)) from error
        raise
    if (target.archive, target.desk, target.demo) != (archive.id, archive.desk, archive.demo):
        raise ArchiveError("error.backup.another", path=str(folder))
    return target
