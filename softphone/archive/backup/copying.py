"""Catalog and recordings, byte for byte, with their SHA-256; and the list of what was copied.

The catalog stays under its key: it is copied page by page by SQLite itself, at one moment's state, while others write to it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2  # pyright: ignore[reportUnknownVariableType]

from softphone.archive.backup.target import File, Manifest, Target, erase, faults, own
from softphone.archive.files.container import Damage, read_header, scan
from softphone.archive.folder.disk import fault, sync_folder
from softphone.domain.errors import ArchiveError

_dbapi: Any = dbapi2
_PAGES = 2_000
"""copied between two looks at whether to go on: 8 MB"""
_BLOCK = 1 << 20
UNREADABLE = "error.archive.unreadable"

GoOn = Callable[[], None]
"""asked between two blocks; raises what is to end it"""


@dataclass(frozen=True, slots=True)
class Object:
    """A recording's file in a backup. `changed`: of its source, in nanoseconds; where that is another, it is looked at again."""

    recording: str
    bytes: int
    sha256: str
    changed: int

    @property
    def name(self) -> str:
        return f"{self.recording}.{self.bytes}.ktr"

    def __str__(self) -> str:
        return f"{self.recording} {self.bytes} {self.sha256} {self.changed}\n"


def snapshot(
    source: Path,
    copy: Path,
    key: bytes,
    go_on: GoOn,
    still: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> None:
    """The catalog's copy, with no log of pages beside it and no page of an older day in it. `still`: within it the moment is
    fixed, and what lies beside the catalog is taken as it leaves it. Raises ArchiveError."""
    with closing(_open(source, key)) as live, closing(_open(copy, key)) as new:
        try:
            # The moment is fixed before the first page: what others write meanwhile is not waited for.
            with still():
                live.execute("BEGIN")
                live.execute("SELECT 1 FROM meta").fetchone()
            live.backup(new, pages=_PAGES, progress=_asking(go_on))
            live.execute("ROLLBACK")
            new.execute("PRAGMA synchronous=FULL")
            new.execute("PRAGMA journal_mode=DELETE")
            if found := new.execute("PRAGMA cipher_integrity_check").fetchall():
                raise ArchiveError("error.backup.catalog_damaged", detail=str(found[0][0]))
        except (sqlite3.Error, _dbapi.Error) as error:
            detail = str(error)
            if "malformed" in detail:
                raise ArchiveError("error.backup.catalog_damaged", detail=detail) from error
            raise fault(copy, error) from error
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    sync_folder(copy.parent)


def _asking(go_on: GoOn) -> Callable[[int, int, int], None]:
    def asked(_status: int, _left: int, _all: int) -> None:
        go_on()

    return asked


def _open(path: Path, key: bytes) -> Any:
    connection = _dbapi.connect(str(path), isolation_level=None, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA cipher_log_level=NONE")
    connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
    return connection


def copy_file(source: Path, to: Path, go_on: GoOn, size: int | None = None) -> str:
    """Its first `size` bytes under their name only once they are on the disk. Their SHA-256, or OSError.

    A file that ends before `size` raises FileNotFoundError: it is not the one that was listed. What cannot be read: ArchiveError.
    """
    new = _part(to)
    digest = _copied(source, new, go_on, size)
    new.replace(to)
    return digest


def read_if_there(path: Path) -> bytes:
    """Raises OSError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def write_file(to: Path, data: bytes) -> str:
    """As `copy_file`, of what has been read. Raises OSError."""
    new = _part(to)
    with open(new, "wb", opener=own) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(to)
    return hashlib.sha256(data).hexdigest()


def remake(one: Object, source: Path, copy: Path, go_on: GoOn) -> bool:
    """`copy` anew, where `source` begins with all that it was; else it stays as it is. Raises OSError."""
    new = _part(copy)
    proven = where_readable(lambda: _copied(source, new, go_on, one.bytes)) == one.sha256
    if not proven:
        erase(new)
        return False
    new.replace(copy)
    sync_folder(copy.parent)
    return True


def _part(to: Path) -> Path:
    return to.with_name(to.name + ".part")


def _copied(source: Path, new: Path, go_on: GoOn, size: int | None) -> str:
    digest = hashlib.sha256()
    with open(new, "wb", opener=own) as file:
        for block in _blocks(source, size):
            file.write(block)
            digest.update(block)
            go_on()
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def whole_size(path: Path) -> int:
    """Of a recording's file, without the half chunk that is being written just now, or that a crash left.

    What lies before it is never changed, and more is only put behind it. Raises as `copy_file`.
    """
    data = b"".join(_blocks(path, None))
    try:
        _, start = read_header(data)
    except ArchiveError:
        return len(data)
    torn = (one.offset for one in scan(data, start) if isinstance(one, Damage) and one.torn)
    return next(torn, len(data))


def hash_file(path: Path, go_on: GoOn, size: int | None = None) -> str:
    """SHA-256, in hex. Raises OSError."""
    digest = hashlib.sha256()
    for block in _blocks(path, size):
        digest.update(block)
        go_on()
    return digest.hexdigest()


def as_written(path: Path, sha256: str, go_on: GoOn) -> bool:
    """Whether a file is there, can be read, and is what it was."""
    return where_readable(lambda: hash_file(path, go_on)) == sha256


def where_readable(digest: Callable[[], str]) -> str | None:
    """What it gives; None where the file that it reads is gone, or cannot be read."""
    try:
        return digest()
    except FileNotFoundError:
        return None
    except ArchiveError as error:
        if error.code != UNREADABLE:
            raise
        return None


def _blocks(path: Path, size: int | None) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            left = size
            while left is None or left > 0:
                block = file.read(_BLOCK if left is None else min(_BLOCK, left))
                if not block:
                    if left:
                        raise FileNotFoundError
                    return
                left = None if left is None else left - len(block)
                yield block
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ArchiveError(UNREADABLE, path=str(path), detail=error.strerror or "") from error


def write_list(path: Path, objects: Iterable[Object]) -> tuple[File, int]:
    """In the order of their recordings. Raises OSError."""
    digest, size, count = hashlib.sha256(), 0, 0
    with open(path, "wb", opener=own) as file:
        for one in objects:
            line = str(one).encode("ascii")
            file.write(line)
            digest.update(line)
            size += len(line)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return File(path.name, size, digest.hexdigest()), count


def listed(target: Target, manifest: Manifest, go_on: GoOn) -> Iterator[Object]:
    """A backup's recordings, in their order. Raises ArchiveError, before the first, where its list is gone or another."""
    path = target.folder / manifest.objects.name
    with faults(target.folder):
        if not as_written(path, manifest.objects.sha256, go_on):
            raise ArchiveError("error.backup.list_changed", path=str(path))
        with path.open("rb") as file:
            for line in file:
                recording, size, sha256, changed = line.decode("ascii").split(" ")
                yield Object(recording, int(size), sha256, int(changed))


class Listed:
    """A list, looked up in its own order."""

    def __init__(self, objects: Iterator[Object]) -> None:
        self._objects = objects
        self._next = next(objects, None)

    def find(self, recording: str) -> Object | None:
        while self._next is not None and self._next.recording < recording:
            self._next = next(self._objects, None)
        return self._next if self._next is not None and self._next.recording == recording else None
