"""Files that are to go: those of discarded recordings, on a list until they have gone."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from softphone.archive.catalog.database import Catalog
from softphone.archive.files.vault import Vault
from softphone.archive.schema.tables import condemned, recordings

_FILES = 50
"""that go before their rows do, in one transaction"""


def remove_condemned(catalog: Catalog, vault: Vault) -> list[str]:
    """The files of discarded recordings go; also those that an earlier run could not make go. Raises ArchiveError.

    One whose recording stands, or that is no id, was put on the list past the program: it stays, for `verify` to tell.
    """
    stands = select(recordings.c.recording).where(recordings.c.recording == condemned.c.recording).exists()
    with catalog.reading() as connection:
        is_text = func.typeof(condemned.c.recording) == "text"
        listed = list(connection.execute(select(condemned.c.recording).where(~stands, is_text)).scalars())
    for first in range(0, len(listed), _FILES):
        some = listed[first : first + _FILES]
        # The files first: what is cut off in between is tried again, and a file that has gone is no fault.
        vault.delete(*some)
        with catalog.writing() as tx:
            tx.execute(delete(condemned).where(condemned.c.recording.in_(some)))
    return listed
