"""Whether somebody records into an archive at this moment: each writer holds a lock that goes with its process.

A crash leaves no lock behind. It keeps nobody from writing; it only keeps a running recording from being taken for a broken
one.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from softphone.archive.folder.disk import refused
from softphone.archive.folder.inplace import in_place, is_shared
from softphone.domain.errors import ArchiveError

LOCK = "writers.lock"
RESTORING = ".restoring"
"""behind the name of the folder in which a restore makes what is to take this one's place"""
REPLACING = "error.backup.replacing"
UNFINISHED = "error.backup.restore_unfinished"
_MOST = 64
"""writers at once: each locks a byte of its own"""


def check_finished(folder: Path) -> None:
    """A restore has not ended that may have moved an archive aside, or brings one here: nobody makes a new one meanwhile.

    Raises ArchiveError.
    """
    if _is_restoring(folder):
        raise ArchiveError(UNFINISHED, path=str(folder))


class Writers:
    """One writer's lock on a folder; not taken yet. If a disk gives no lock, everybody counts as alone.

    Both raise ArchiveError if the lock's name leads to another file.
    """

    def __init__(self, folder: Path, lock: str = LOCK) -> None:
        self._folder = folder
        self._lock = lock
        self._descriptor: int | None = None
        self._was_replaced = _is_restoring(folder)

    def alone(self) -> bool:
        """Nobody else writes, and nobody begins to before `join`."""
        try:
            return _lock_all(self._opened())
        except OSError:
            return True

    def join(self) -> None:
        """From now on somebody writes here. It waits for a writer that is `alone` at this moment, not for a restore:
        ArchiveError, also where one has ended since this was made. What was open before is the former archive."""
        with suppress(OSError):
            replaced = _is_restoring(self._folder)
            if (not _lock_one(self._opened(), waits=not replaced) and replaced) or (
                self._was_replaced and not replaced
            ):
                raise ArchiveError(REPLACING, path=str(self._folder))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self) -> int:
        if self._descriptor is None:
            path = self._folder / self._lock
            is_new = not path.exists()
            try:
                self._descriptor = in_place(str(path), os.O_RDWR | os.O_CREAT)
            except OSError as error:
                if error.errno == errno.ELOOP:
                    raise refused(path, error) from error
                raise
            if sys.platform != "win32" and is_new and is_shared(self._folder):
                os.fchmod(self._descriptor, 0o660)
        return self._descriptor


def _is_restoring(folder: Path) -> bool:
    return folder.with_name(f"{folder.name}{RESTORING}").exists()


if sys.platform == "win32":
    import msvcrt

    def _lock_all(descriptor: int) -> bool:
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, _MOST)
        except OSError:
            return False
        return True

    def _lock_one(descriptor: int, *, waits: bool) -> bool:  # noqa: ARG001 - a place is free at once, or none is
        os.lseek(descriptor, 0, os.SEEK_SET)
        with suppress(OSError):  # where it was not alone
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, _MOST)
        for place in range(_MOST):
            os.lseek(descriptor, place, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                continue
            return True
        return False

else:
    import fcntl

    def _lock_all(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _lock_one(descriptor: int, *, waits: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
