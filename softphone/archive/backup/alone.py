"""One backup of an archive at a time; and what one that was killed left beside the archive goes.

What it leaves is a copy of the catalog, with the wraps of that moment: nothing that is erased later would be erased in it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from softphone.archive.backup.target import erase
from softphone.archive.folder.disk import refused
from softphone.archive.folder.inplace import in_place, is_shared
from softphone.domain.errors import ArchiveError

LOCK = "backup.lock"
SNAPSHOT = "backup.db"
"""the catalog's copy, until it has been copied on"""


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """While a backup of the archive in `folder` runs. The lock lies there: a share may know none. Raises ArchiveError."""
    path = folder / LOCK
    try:
        file = open(path, "ab", opener=in_place)  # noqa: SIM115 - closed by the block below
    except OSError as error:
        raise refused(path, error) from error
    with file:
        if sys.platform != "win32":
            with suppress(OSError):
                os.fchmod(file.fileno(), 0o660 if is_shared(folder) else 0o600)
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ArchiveError("error.backup.running") from error
        yield


def erase_snapshot(folder: Path) -> None:
    """The catalog's copy and what SQLite may have left beside it. For who is alone."""
    for path in _left(folder):
        with suppress(OSError):
            erase(path)


def left_over(folder: Path, *, erases: bool = False) -> bool:
    """Whether a copy lies there that no running backup makes. `erases`: it goes, where this user may; nobody is waited for."""
    if not _left(folder):
        return False
    try:
        with alone(folder):
            if erases:
                erase_snapshot(folder)
            return bool(_left(folder))
    except ArchiveError as error:
        return error.code != "error.backup.running"


def _left(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{SNAPSHOT}*"))
