"""The archive's folder as it was left, where it can still be read: it knows best what has ended since a backup.

Whether it is believed is asked here; what is taken from it, `restore` says. Nothing in it is changed, but that an
older version's catalog is brought up to date.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import select

from softphone.archive.archive import CATALOG, RECORDINGS
from softphone.archive.backup.copying import UNREADABLE, GoOn, Object, hash_file
from softphone.archive.backup.journal import Read
from softphone.archive.backup.target import Manifest
from softphone.archive.catalog.database import Catalog
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.files.vault import Vault
from softphone.archive.folder.marker import MARKER, NO_ARCHIVE, REPLACED, lost, read_marker
from softphone.archive.log import audit
from softphone.archive.schema.tables import condemned
from softphone.domain.errors import ArchiveError


class Former:
    """The archive's folder as it was left. Where its catalog is whole, that is the one to go on with."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self.catalog = catalog
        self._vault = Vault(folder / RECORDINGS)

    def path(self, recording: str) -> Path:
        return self._vault.path(recording)

    def end(self, desk: str) -> int:
        """The number of its log's last entry."""
        with self.catalog.reading() as connection:
            last = audit.last(connection, desk)
        return last.number if last else 0

    def has_others(self, known: set[str]) -> bool:
        """Whether there are files in it that its catalog does not list, and which nobody has told to go."""
        with self.catalog.reading() as connection:
            gone = set(connection.execute(select(condemned.c.recording)).scalars())
        return bool({*self._vault.recordings(), *self._vault.aside()} - known - gone)

    def is_longer(self, one: Object) -> bool:
        """Whether its file has more bytes than were backed up."""
        try:
            return self.path(one.recording).stat().st_size > one.bytes
        except OSError:
            return False

    def holds(self, one: Object, go_on: GoOn) -> bool:
        """Whether its file begins with what was backed up: it is that, or has grown since."""
        try:
            return hash_file(self.path(one.recording), go_on, one.bytes) == one.sha256
        except OSError:
            return False
        except ArchiveError as error:
            if error.code != UNREADABLE:
                raise
            return False

    def continues(self, manifest: Manifest, read: Read) -> bool:
        """Whether it is whole, its log goes on from where the backup was made, and knows all that the journal was told."""
        with self.catalog.reading() as connection:
            end = audit.last(connection, manifest.desk)
            heard = max((line.log for line in read.lines), default=0)
            if any(audit.verify(connection)) or manifest.differs_from(connection):
                return False
        return (end.number if end else 0) >= heard and not self.catalog.integrity()


@contextmanager
def former_of(
    folder: Path | None, manifest: Manifest, read: Read, secrets: Secrets, *, must: bool
) -> Generator[Former | None]:
    """None where there is none that can be believed; `must`: that is an error then."""
    if folder is None:
        yield None
        return
    catalog: Catalog | None = None
    try:
        moved = not (folder / MARKER).exists() and (folder / REPLACED).exists()
        # One whose marker has gone is opened by this archive's own key all the same.
        if not lost(folder) and read_marker(folder, REPLACED if moved else MARKER).archive != manifest.archive:
            raise ArchiveError("error.backup.another", path=str(folder))
        catalog = Catalog.open(folder / CATALOG, secrets.catalog)
        former = Former(folder, catalog)
        if not former.continues(manifest, read):
            raise ArchiveError("error.backup.not_continued", path=str(folder))
    except ArchiveError as error:
        if catalog:
            catalog.close()
        if must:
            if error.code == NO_ARCHIVE:
                raise ArchiveError("error.backup.no_former", path=str(folder)) from error
            raise
        yield None
        return
    with closing(catalog):
        yield former
