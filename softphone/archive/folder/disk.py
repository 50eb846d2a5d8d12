"""An archive's disk: that a name is on it, and what keeps it from being written, in the words of a person: the disk is full,
can only be read, may not be written by this user, or is not there.

The database tells the first three apart only now and then; so the disk itself is asked.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path, PurePath
from tempfile import TemporaryFile
from urllib.parse import quote

from softphone.domain.errors import ArchiveError

FULL = "error.archive.full"
READ_ONLY = "error.archive.read_only"
UNWRITABLE = "error.archive.unwritable"
DENIED = "error.archive.denied"
DAMAGED = "error.archive.damaged"
"""the catalog, not its disk: a page of it is not what was written"""
LINKED = "error.archive.linked"
"""no file of ours stands there (`inplace`)"""
_CODES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.ENOENT: "error.archive.gone",
    errno.ELOOP: LINKED,
}
NOT_DUE = "error.archive.full_not_due"
REFUSALS = frozenset({UNWRITABLE, NOT_DUE, *_CODES.values()} - {LINKED})
"""the codes of a disk that takes nothing: each with a `path` and the system's own `detail`"""
_BYTES = 65_536
"""asked for: some seconds of sound"""


def sync_folder(folder: Path) -> None:
    """A name that came or went is on the disk too. Windows has no such call and does so by itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sqlite_uri(path: PurePath, how: str) -> str:
    """An absolute path as a database's name. SQLite knows no server in it: a share of Windows' begins with two slashes."""
    name = path.as_posix()
    return f"file://{'' if name.startswith('/') else '/'}{quote(name)}?{how}"


def rename_new(old: Path, new: Path) -> None:
    """Raises FileExistsError where something has the new name already, as Windows does by itself; or another OSError."""
    if sys.platform == "win32":
        old.rename(new)
        return
    try:
        os.link(old, new)
    except FileExistsError:
        raise
    except OSError:
        # A memory stick's file system knows no second name for a file.
        if os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new)) from None
        old.rename(new)
    else:
        old.unlink()


def refused(path: Path, error: OSError) -> ArchiveError:
    code = _CODES.get(error.errno or 0, UNWRITABLE)
    return ArchiveError(code, path=str(path), detail=error.strerror or "")


def refusal(folder: Path, also: Path | None = None) -> ArchiveError | None:
    """Why nothing can be written there now, or `also` to that file; None: it can. Some room is taken, and given back."""
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return refused(folder, error)
    if also is not None and not os.access(also, os.W_OK):
        number = errno.EACCES if also.exists() else errno.ENOENT
        return refused(also, OSError(number, os.strerror(number)))
    return None


def fault(path: Path, error: BaseException) -> ArchiveError:
    """Why the database at `path` failed."""
    detail = str(error)
    if "is full" in detail or getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_SHMSIZE":
        return ArchiveError(FULL, path=str(path.parent), detail=detail)
    if "malformed" in detail:
        return ArchiveError(DAMAGED, path=str(path), detail=detail)
    return refusal(path.parent, path) or ArchiveError(UNWRITABLE, path=str(path), detail=detail)
