"""What the sweep of a full disk had begun (ADR 019): the recordings on its list, whose files go before their rows do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from softphone.archive.archive import Archive
from softphone.archive.changes.call import call_of
from softphone.archive.changes.ending import discard
from softphone.archive.changes.sealing import is_held
from softphone.archive.folder.disk import refused
from softphone.domain.changes import AuditEntry


def finish_listed(archive: Archive, now: datetime) -> None:
    """Of each recording on the list whose file has gone, the rows go too. One that has come to be held stays, for custody; and
    where no file is to be seen at all, nobody knows which have gone. Raises ArchiveError, also where this user may not look."""
    if not archive.room.listed() or not archive.vault.folder.is_dir():
        return
    with archive.catalog.writing() as tx:
        # Anew: whoever swept meanwhile had the lock.
        listed = archive.room.listed()
        try:
            gone = [one for one in listed if not archive.vault.path(one).exists()]
        except OSError as error:
            raise refused(archive.vault.folder, error) from error
        for one in gone:
            if not is_held(tx.connection, one) and (call := call_of(tx.connection, one)) is not None:
                discard(tx, one, now)
                tx.log(AuditEntry("sweep_discarded", "G10", now, call, one))
    clear_listed(archive, listed)


def clear_listed(archive: Archive, recordings: Sequence[str]) -> None:
    """Their rows have gone, on the disk: no start needs to finish them. The list of a sweep that has begun since is left.
    Raises ArchiveError."""
    with archive.catalog.writing():
        if archive.room.listed() == [*recordings]:
            archive.room.list(())
