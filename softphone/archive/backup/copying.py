"""Files of a backup, byte for byte: copied, compared and erased. What they mean is not known here.

What cannot be read raises SourceError, or has no digest; what cannot be written raises OSError.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2  # pyright: ignore[reportUnknownVariableType]

from softphone.archive.folder.disk import (
    DENIED,
    FULL,
    LINKED,
    READ_ONLY,
    REFUSALS,
    fault,
    refused,
    sqlite_uri,
    sync_folder,
)
from softphone.archive.folder.inplace import in_place
from softphone.domain.errors import ArchiveError
from softphone.replacing import replace_file

_dbapi: Any = dbapi2
_PAGES = 2_000
"""copied between two looks at whether to go on: 8 MB"""
_BLOCK = 1 << 20
NEW = ".new"
"""behind the name of a file, or a generation, that is being written"""

Progress = Callable[[str, int, int], bool]
"""what is done (`catalog`, `recordings`, `check`), so many of so many; False: stop here"""
GoOn = Callable[..., None]
"""asked between two blocks; raises what is to end it"""


def onward(_what: str, _done: int, _total: int) -> bool:
    return True


def asking(progress: Progress, what: str, done: int = 0, total: int = 0) -> GoOn:
    def go_on(*_: object) -> None:
        if not progress(what, done, total):
            raise ArchiveError("error.backup.stopped")

    return go_on


class SourceError(Exception):
    """A file that was to be read is gone, is shorter than it was, or cannot be read."""


def copy_file(source: Path, to: Path, go_on: GoOn, size: int | None = None, sha256: str = "") -> str:
    """Its first `size` bytes, under their name once they are on the disk. Their SHA-256, which must be `sha256` where one is
    given."""
    digest = hashlib.sha256()
    with _replacing(to) as file:
        for block in _blocks(source, size):
            file.write(block)
            digest.update(block)
            go_on()
        if sha256 not in ("", digest.hexdigest()):
            raise SourceError(source)
    return digest.hexdigest()


def copied(source: Path, to: Path, go_on: GoOn, sha256: str = "") -> bool:
    """False where it cannot be read, or is another."""
    with suppress(SourceError):
        copy_file(source, to, go_on, sha256=sha256)
        return True
    return False


def write_file(to: Path, data: bytes) -> None:
    """Whole, or as it was before."""
    with _replacing(to) as file:
        file.write(data)
    sync_folder(to.parent)


def digest_of(path: Path, go_on: GoOn, size: int | None = None) -> str | None:
    """SHA-256 of its first `size` bytes; None where they cannot be read."""
    digest = hashlib.sha256()
    with suppress(SourceError):
        for block in _blocks(path, size):
            digest.update(block)
            go_on()
        return digest.hexdigest()
    return None


def read_file(path: Path) -> bytes:
    """Nothing where there is nothing to read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise SourceError(path) from error


def erase(path: Path) -> None:
    """Overwritten in place, then unlinked; of a link, the link alone goes."""
    with suppress(OSError), open(path, "r+b", opener=in_place) as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(bytes(min(left, _BLOCK)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink(missing_ok=True)


def erase_folder(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            erase(path)
    if folder.exists():
        shutil.rmtree(folder)


def copy_catalog(
    source: Path, copy: Path, key: bytes, go_on: GoOn, still: Callable[[], AbstractContextManager[object]]
) -> None:
    """At one moment's state, page by page under the catalog's own key, while others write to it. Within `still` that moment is
    fixed, so that what lies beside the catalog can be taken as it then was. Raises ArchiveError."""
    with open(copy, "xb", opener=_own):
        pass
    try:
        # Nobody else has the copy open, and a share may know no locks.
        with closing(_open(source, key)) as live, closing(_open(copy, key, "nolock=1")) as new:
            new.execute("PRAGMA journal_mode=OFF")
            with still():
                live.execute("BEGIN")
                live.execute("SELECT 1 FROM meta").fetchone()
            live.backup(new, pages=_PAGES, progress=go_on)
            live.execute("ROLLBACK")
        with closing(_open(copy, key, "immutable=1")) as new:
            if found := new.execute("PRAGMA cipher_integrity_check").fetchall():
                raise ArchiveError("error.backup.catalog_damaged", detail=str(found[0][0]))
    except (sqlite3.Error, _dbapi.Error) as error:
        if "malformed" in str(error):
            raise ArchiveError("error.backup.catalog_damaged", detail=str(error)) from error
        raise fault(copy, error) from error
    with copy.open("r+b") as file:
        os.fsync(file.fileno())


def _open(path: Path, key: bytes, how: str = "") -> Any:
    uri = sqlite_uri(path.absolute(), how)
    connection = _dbapi.connect(uri, isolation_level=None, check_same_thread=False, timeout=5, uri=True)
    connection.execute("PRAGMA cipher_log_level=NONE")
    connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
    return connection


def _own(name: str, flags: int) -> int:
    """For this user alone, where the file system knows such a thing."""
    return os.open(name, flags, 0o600)


@contextmanager
def _replacing(to: Path) -> Generator[Any]:
    new = to.with_name(to.name + NEW)
    try:
        with open(new, "wb", opener=_own) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            erase(new)
        raise
    replace_file(new, to)


def _blocks(path: Path, size: int | None) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            left = size
            while left is None or left > 0:
                block = file.read(_BLOCK if left is None else min(_BLOCK, left))
                if not block:
                    break
                left = None if left is None else left - len(block)
                yield block
    except OSError as error:
        raise SourceError(path) from error
    if left:
        raise SourceError(path)


@contextmanager
def disk_of(
    folder: Path,
    full: str = "error.backup.full",
    unwritable: str = "error.backup.unwritable",
    lost: str = "error.backup.lost",
) -> Generator[None]:
    """What a disk refuses there is said by one of these codes: it is full, not to be written, or gone."""
    try:
        yield
    except (OSError, ArchiveError) as error:
        said = refused(folder, error) if isinstance(error, OSError) else error
        if said.code not in {*REFUSALS, LINKED}:
            raise
        code = full if said.code == FULL else unwritable if said.code in (READ_ONLY, DENIED) else lost
        raise ArchiveError(code, path=str(folder), detail=said.params["detail"]) from error
