"""The folder of a backup: what lies there and which of it counts. Nothing here copies, and nothing here opens a recording.

A backup counts from the moment its signed manifest takes the place of the one before; until then that one stands whole.
"""

from __future__ import annotations

import base64
import binascii
import errno
import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from uuid_utils import uuid7

from softphone.archive.folder.disk import sync_folder
from softphone.archive.folder.inplace import in_place
from softphone.archive.folder.marker import Marker
from softphone.archive.log.checkpoint import Head, Signer, compare
from softphone.domain.errors import ArchiveError

FORMAT = 1
MARKER = "klartone-backup.json"
MANIFEST = "manifest.json"
OBJECTS = "recordings"
_NEW = ".new"
_SIGNED = b"klartone-backup-1 "
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EROFS, errno.EACCES, errno.EPERM}
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """One that a manifest vouches for: its name there, its bytes, its SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is. `number` counts a folder's backups from 1; `at`: the archive's moment that it holds."""

    number: int
    target: str
    archive: str
    desk: str
    demo: bool
    at: datetime
    schema: str
    """of the catalog: a program that does not know it is too old"""
    log_number: int
    log_hash: str
    """the end of the audit log: an archive that goes on from here bears it out"""
    catalog: File
    wraps: File
    """the sealed keys that the catalog's rows name"""
    objects: File
    """the list of recordings, a line each"""
    count: int

    def differs_from(self, connection: Connection) -> bool:
        """Whether the audit log there does not go on from where this backup's ends. The signature stands for that end."""
        head = Head(self.desk, self.log_number, self.log_hash, self.at, "", "")
        return self.log_number > 0 and compare(connection, head) is not None

    @property
    def journal(self) -> str:
        return f"erased-{self.number}.log"

    @property
    def names(self) -> set[str]:
        """All that counts, but for the recordings."""
        kept = {self.catalog.name, self.wraps.name, self.objects.name, self.journal, f"{self.journal}.end"}
        return {MARKER, MANIFEST, OBJECTS, *kept}

    def sealed(self, signer: Signer) -> bytes:
        told = json.dumps({"format": FORMAT, **asdict(self), "at": self.at.isoformat()}, sort_keys=True, indent=1)
        return told.encode() + b"\n" + f"{signer.key} {signer.signature(_SIGNED + told.encode())}\n".encode()

    @classmethod
    def read(cls, data: bytes, key: str, path: Path) -> Manifest:
        """`key` must have signed it. Raises ArchiveError."""
        told, _, signature = data.removesuffix(b"\n").rpartition(b"\n")
        try:
            by, signed = signature.decode("ascii").split(" ")
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(by, validate=True))
            public.verify(base64.b64decode(signed, validate=True), _SIGNED + told)
            if by != key or not data.endswith(b"\n"):
                raise InvalidSignature
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise ArchiveError("error.backup.manifest_changed", path=str(path)) from error
        found: dict[str, Any] = json.loads(told)
        if found.pop("format") != FORMAT:
            raise ArchiveError("error.backup.unknown_version", path=str(path))
        catalog, wraps, objects = (File(**found.pop(name)) for name in ("catalog", "wraps", "objects"))
        at = datetime.fromisoformat(found.pop("at"))
        return cls(**found, at=at, catalog=catalog, wraps=wraps, objects=objects)


@dataclass(frozen=True, slots=True)
class Target:
    """One folder, for one archive. Raises ArchiveError throughout."""

    folder: Path
    id: str
    archive: str
    desk: str
    demo: bool

    @classmethod
    def open(cls, folder: Path) -> Target:
        path = folder / MARKER
        with faults(folder):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                if (folder / MANIFEST).exists():
                    raise ArchiveError("error.backup.marker_changed", path=str(path)) from None
                raise ArchiveError("error.backup.none", path=str(folder)) from None
        try:
            told = json.loads(data)
            if told["format"] != FORMAT:
                raise ArchiveError("error.backup.unknown_version", path=str(path))
            target = cls(folder, told["target"], told["archive"], told["desk"], told["demo"])
        except (ValueError, KeyError, TypeError):
            raise ArchiveError("error.backup.marker_changed", path=str(path)) from None
        if data != target._marker():
            raise ArchiveError("error.backup.marker_changed", path=str(path))
        return target

    @classmethod
    def begin(cls, folder: Path, marker: Marker) -> Target:
        """In a new or empty folder, whose own place is there: a disk that is not mounted has none."""
        with faults(folder):
            if not folder.parent.is_dir():
                raise ArchiveError("error.backup.no_parent", path=str(folder), parent=str(folder.parent))
            folder.mkdir(exist_ok=True)
            if any(one.name != "lost+found" for one in folder.iterdir()):
                raise ArchiveError("error.backup.not_empty", path=str(folder))
            with suppress(OSError):
                # A memory stick's file system knows no such rights.
                folder.chmod(0o700)
            target = cls(folder, str(uuid7()), marker.archive, marker.desk, marker.demo)
            (folder / OBJECTS).mkdir(mode=0o700)
            target.put(MARKER, target._marker())
        return target

    def _marker(self) -> bytes:
        told = {"target": self.id, "archive": self.archive, "desk": self.desk, "demo": self.demo}
        return json.dumps({"format": FORMAT, **told}, indent=2).encode() + b"\n"

    def manifest(self, key: str) -> Manifest | None:
        """Which backup counts; None where none has been finished. `key`: the desk's, which must have signed it."""
        path = self.folder / MANIFEST
        with faults(self.folder):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
        found = Manifest.read(data, key, path)
        if (found.target, found.archive, found.desk, found.demo) != (self.id, self.archive, self.desk, self.demo):
            raise ArchiveError("error.backup.marker_changed", path=str(self.folder / MARKER))
        return found

    def still_here(self) -> None:
        """A disk that was taken away leaves an empty folder in its place: nothing is to be begun in it."""
        try:
            if Target.open(self.folder) == self:
                return
        except ArchiveError:
            pass
        raise ArchiveError("error.backup.away", path=str(self.folder))

    def put(self, name: str, data: bytes) -> None:
        """Whole, or as it was before."""
        with faults(self.folder):
            new = self.folder / (name + _NEW)
            with open(new, "wb", opener=own) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.folder / name)
            sync_folder(self.folder)

    def object(self, recording: str, size: int) -> Path:
        """A recording that has grown is another file: the one before stands until its backup no longer counts."""
        return self.folder / OBJECTS / f"{recording}.{size}.ktr"

    def held(self) -> set[str]:
        """The names of the recordings' files that are there."""
        with faults(self.folder), os.scandir(self.folder / OBJECTS) as found:
            return {entry.name for entry in found}

    def clear(self, manifest: Manifest | None, unused: Iterator[str]) -> int:
        """What no backup that counts needs is overwritten and goes; `unused`: names of recordings' files. Their number."""
        count = 0
        with faults(self.folder):
            kept = manifest.names if manifest else {MARKER, OBJECTS}
            for path in sorted(self.folder.iterdir()):
                if path.name not in kept and path.is_file() and _is_ours(path.name):
                    erase(path)
            for name in unused:
                erase(self.folder / OBJECTS / name)
                count += 1
            sync_folder(self.folder / OBJECTS)
            sync_folder(self.folder)
        return count


def _is_ours(name: str) -> bool:
    return name.startswith(("catalog-", "wraps-", "objects-", "erased-", MANIFEST, MARKER))


def own(name: str, flags: int) -> int:
    """For this user alone, where the file system knows such a thing."""
    return os.open(name, flags, 0o600)


def erase(path: Path) -> None:
    """Overwritten in place, then unlinked; of a link, the link alone goes. Raises OSError."""
    with suppress(OSError), open(path, "r+b", opener=in_place) as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(bytes(min(left, _BLOCK)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink(missing_ok=True)


@contextmanager
def faults(folder: Path) -> Generator[None]:
    """What the file system refuses in a backup's folder, as a sentence: full, not to be written, or gone."""
    try:
        yield
    except OSError as error:
        detail = error.strerror or type(error).__name__
        if error.errno in _FULL:
            raise ArchiveError("error.backup.full", path=str(folder)) from error
        if error.errno in _DENIED:
            raise ArchiveError("error.backup.unwritable", path=str(folder), detail=detail) from error
        raise ArchiveError("error.backup.lost", path=str(folder), detail=detail) from error
