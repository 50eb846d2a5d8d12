"""Whether somebody records into an archive at this moment: one engine at a time, which holds a lock that goes with its process.

A crash leaves no lock behind. It keeps a running recording from being taken for a broken one, and a restore from an archive that
is written to. Commands take none: SQLite lets them write in turn.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

from softphone.archive.folder.disk import refused
from softphone.archive.folder.inplace import in_place
from softphone.domain.errors import ArchiveError
from softphone.locking import locked

LOCK = "writers.lock"
RESTORING = ".restoring"
"""behind the name of the folder in which a restore makes what is to take this one's place"""
REPLACING = "error.backup.replacing"
UNFINISHED = "error.backup.restore_unfinished"
IN_USE = "error.archive.in_use"


def check_finished(folder: Path) -> None:
    """A restore has not ended that may have moved an archive aside, or brings one here: nobody makes a new one meanwhile.

    Raises ArchiveError.
    """
    if _is_restoring(folder):
        raise ArchiveError(UNFINISHED, path=str(folder))


class Lock:
    """A lock on a folder; not taken yet. On a disk that cannot be written nobody works, and everybody has it.

    Both raise ArchiveError if the lock's name leads to another file.
    """

    def __init__(self, folder: Path, name: str = LOCK) -> None:
        self._folder = folder
        self._name = name
        self._file: IO[bytes] | None = None
        self._was_replaced = _is_restoring(folder)

    def take(self) -> bool:
        """Whether nobody else has it. Then it is held until `close`."""
        if self._file is not None:
            return True
        path = self._folder / self._name
        try:
            file = open(path, "ab", opener=lambda name, flags: in_place(name, flags | os.O_CREAT))  # noqa: SIM115
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise refused(path, error) from error
            return True
        if not locked(file):
            file.close()
            return False
        self._file = file
        return True

    def take_to_write(self) -> None:
        """Raises ArchiveError where another engine or a restore has it, also where a restore has ended since this was made. What
        was open before is the former archive."""
        taken, replaced = self.take(), _is_restoring(self._folder)
        if (replaced and not taken) or (self._was_replaced and not replaced):
            raise ArchiveError(REPLACING, path=str(self._folder))
        if not taken:
            raise ArchiveError(IN_USE, path=str(self._folder))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _is_restoring(folder: Path) -> bool:
    return folder.with_name(f"{folder.name}{RESTORING}").exists()
