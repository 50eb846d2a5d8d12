"""The folder of a backup, and the generation in it that counts. Nothing here copies, and nothing here opens a recording.

A generation is a folder of its own: catalog, sealed keys, list of recordings and a signed manifest, all of one moment. It is made
under another name and renamed once it is whole. The newest counts; until the rename that is the one before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from uuid_utils import uuid7

from softphone.archive.backup.copying import disk_of, erase, erase_folder, read_file, write_file
from softphone.archive.crypto.slots import FILE
from softphone.archive.files.container import SUFFIX
from softphone.archive.folder.disk import sync_folder
from softphone.archive.folder.marker import CATALOG, Marker
from softphone.archive.log.checkpoint import Head, Signer, compare
from softphone.domain.errors import ArchiveError

FORMAT = 2
MARKER = "klartone-backup.json"
MANIFEST = "manifest.json"
LIST = "recordings.list"
ERASED = "erased.bin"
RECORDINGS = "recordings"
WRAPS = FILE
SEALED = (LIST, CATALOG, WRAPS)
"""the files whose digests a manifest has"""
_SIGNED = b"klartone-backup-2 "
_NAME = re.compile(r"generation-([0-9]+)")


@dataclass(frozen=True, slots=True)
class Copy:
    """A recording's file in a backup, a line of the list. `changed`: of its source, in nanoseconds; 0 where that was still being
    written."""

    recording: str
    bytes: int
    sha256: str
    changed: int

    @property
    def name(self) -> str:
        """One that has grown is another file: the one before stands until its generation no longer counts."""
        return f"{self.recording}.{self.bytes}{SUFFIX}"

    def __str__(self) -> str:
        return f"{self.recording} {self.bytes} {self.sha256} {self.changed}\n"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation is. `number` counts a folder's generations from 1; `at`: the archive's moment that it holds."""

    number: int
    target: str
    of: Marker
    at: datetime
    log_number: int
    log_hash: str
    """the end of the audit log: an archive that goes on from here bears it out"""
    files: dict[str, str]
    """their SHA-256, in hex"""
    count: int
    """recordings"""

    def differs_from(self, connection: Connection) -> bool:
        """Whether the audit log there does not go on from where this generation's ends."""
        head = Head(self.of.desk, self.log_number, self.log_hash, self.at, "", "")
        return self.log_number > 0 and compare(connection, head) is not None

    def sealed(self, signer: Signer) -> bytes:
        said = {"format": FORMAT, **asdict(self), "at": self.at.isoformat()}
        text = json.dumps(said, sort_keys=True, indent=1).encode()
        return text + f"\n{signer.key} {signer.signature(_SIGNED + text)}\n".encode()

    @classmethod
    def read(cls, path: Path, key: str) -> Manifest:
        """`key` must have signed it. Raises ArchiveError, OSError."""
        text, _, signature = path.read_bytes().removesuffix(b"\n").rpartition(b"\n")
        try:
            _, signed = signature.decode("ascii").split(" ")
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(base64.b64decode(signed), _SIGNED + text)
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise ArchiveError("error.backup.manifest_changed", path=str(path)) from error
        found: dict[str, Any] = json.loads(text)
        _check_format(found.pop("format"), path)
        read: dict[str, Any] = {"of": Marker(**found["of"]), "at": datetime.fromisoformat(found["at"])}
        return cls(**found | read)


@dataclass(frozen=True, slots=True)
class Generation:
    folder: Path
    manifest: Manifest

    def copies(self) -> dict[str, Copy]:
        """Its recordings, by id, in their order. Raises ArchiveError where the list is gone or another."""
        path = self.folder / LIST
        data = read_file(path)
        if hashlib.sha256(data).hexdigest() != self.manifest.files[LIST]:
            raise ArchiveError("error.backup.list_changed", path=str(path))
        lines = (line.split(" ") for line in data.decode("ascii").splitlines())
        return {recording: Copy(recording, int(size), sha, int(changed)) for recording, size, sha, changed in lines}


@dataclass(frozen=True, slots=True)
class Target:
    """One folder, for one archive. Raises ArchiveError throughout."""

    folder: Path
    id: str
    of: Marker

    @classmethod
    def open(cls, folder: Path) -> Target:
        path = folder / MARKER
        with disk_of(folder):
            is_there = folder.is_dir()
            if not path.exists() and not (is_there and _numbers(folder)):
                raise ArchiveError("error.backup.none", path=str(folder))
        try:
            said = json.loads(read_file(path))
            _check_format(said["format"], path)
            return cls(folder, said["target"], Marker(**said["of"]))
        except (ValueError, KeyError, TypeError):
            raise ArchiveError("error.backup.marker_changed", path=str(path)) from None

    @classmethod
    def begin(cls, folder: Path, of: Marker) -> Target:
        """In a new or empty folder, whose own place is there: a disk that is not mounted has none."""
        target = cls(folder, str(uuid7()), of)
        with disk_of(folder):
            if not folder.parent.is_dir():
                raise ArchiveError("error.backup.no_parent", path=str(folder), parent=str(folder.parent))
            folder.mkdir(mode=0o700, exist_ok=True)
            if any(one.name != "lost+found" for one in folder.iterdir()):
                raise ArchiveError("error.backup.not_empty", path=str(folder))
            with suppress(OSError):
                # A memory stick's file system knows no such rights.
                folder.chmod(0o700)
            said = {"format": FORMAT, "target": target.id, "of": asdict(of)}
            write_file(folder / MARKER, json.dumps(said, indent=2).encode())
        return target

    def latest(self, key: str) -> Generation | None:
        """The one that counts; None where none has been finished. `key`: the desk's, which must have signed it."""
        with disk_of(self.folder):
            folder = place_of(self.folder, max(_numbers(self.folder), default=0))
            if not (folder / MANIFEST).exists():
                return None
            found = Manifest.read(folder / MANIFEST, key)
        if (found.target, found.of) != (self.id, self.of):
            raise ArchiveError("error.backup.marker_changed", path=str(self.folder / MARKER))
        return Generation(folder, found)

    def finished(self, key: str) -> Generation:
        """The one that counts, where there must be one."""
        generation = self.latest(key)
        if generation is None:
            raise ArchiveError("error.backup.unfinished", path=str(self.folder))
        return generation

    def next(self) -> int:
        """The number that no generation has had."""
        with disk_of(self.folder):
            return max(_numbers(self.folder), default=0) + 1

    def path(self, copy: Copy) -> Path:
        return self.folder / RECORDINGS / copy.name

    def names(self) -> set[str]:
        """Of the recordings' files that are there."""
        with disk_of(self.folder):
            (self.folder / RECORDINGS).mkdir(mode=0o700, exist_ok=True)
            return {path.name for path in (self.folder / RECORDINGS).iterdir()}

    def clear(self, used: set[str]) -> int:
        """What the newest generation does not need is overwritten and goes. How many recordings' files that were."""
        unused = self.names() - used
        with disk_of(self.folder):
            newest = place_of(self.folder, max(_numbers(self.folder)))
            for path in {*self.folder.glob("generation-*")} - {newest}:
                erase_folder(path)
            for name in unused:
                erase(self.folder / RECORDINGS / name)
            for folder in (self.folder / RECORDINGS, self.folder):
                sync_folder(folder)
        return len(unused)


def place_of(folder: Path, number: int) -> Path:
    return folder / f"generation-{number}"


def _numbers(folder: Path) -> list[int]:
    """Of the generations that were finished."""
    return [int(found[1]) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name))]


def _check_format(found: object, path: Path) -> None:
    """Raises ArchiveError for a backup of another version."""
    if found != FORMAT:
        is_old = isinstance(found, int) and found < FORMAT
        raise ArchiveError("error.backup.old_version" if is_old else "error.backup.unknown_version", path=str(path))
