"""What changed since a backup was made, in its folder: a sealed line the moment it changes, so that it is known there also
when the machine's own disk is lost. Where lines were changed, cut or left out, it shows.

What a line means is `terms`'; this is how it is kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softphone.archive.backup.target import Manifest, Target, faults, own
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.folder.disk import sync_folder
from softphone.archive.folder.inplace import in_place
from softphone.domain.errors import ArchiveError

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` and `id` as the catalog noted them; `seen`: nothing had changed up to then."""

    at: datetime
    kind: str
    id: str
    terms: dict[str, Any]
    log: int
    """the audit log's last entry by then: what knows less of it is older"""


@dataclass(frozen=True, slots=True)
class Read:
    """`whole`: every line that was written is there, in its place. Else `lines` are those that are certainly the archive's."""

    lines: tuple[Line, ...]
    whole: bool
    until: datetime | None
    """as far as it is whole: nothing is unknown up to then"""


class Journal:
    """Of one backup. Raises ArchiveError."""

    def __init__(self, target: Target, manifest: Manifest, secrets: Secrets) -> None:
        self._folder = target.folder
        self._path = target.folder / manifest.journal
        self._end = f"{manifest.journal}.end"
        self._target = target
        key = HKDF(hashes.SHA256(), 64, None, b"klartone backup 1 journal").derive(secrets.catalog)
        self._seal, self._mac = AESGCM(key[:32]), key[32:]
        self._bound = f"klartone erased 1 {target.archive} {target.id} {manifest.number}".encode("ascii")

    def begin(self, at: datetime, log: int) -> int:
        """Anew, with a first line that nothing had changed by `at`."""
        with faults(self._folder):
            self._path.unlink(missing_ok=True)
            (self._folder / self._end).unlink(missing_ok=True)
            with open(self._path, "xb", opener=own):
                sync_folder(self._folder)
        return self._write([Line(at, "seen", "", {}, log)], 0, self._first(), 0)

    def append(self, lines: Sequence[Line], expected: int) -> int:
        """On the disk when this returns; how many lines there are. A half-written last line is cut off.

        Raises ArchiveError where it is not the journal that it was: fewer than `expected` lines, or others.
        """
        found = self._read()
        if not found.whole or found.count < expected:
            raise ArchiveError("error.backup.journal_changed", path=str(self.hurt))
        return self._write(lines, found.count, found.digest, found.bytes)

    @property
    def hurt(self) -> Path:
        """Which of its two files to name where it is not whole."""
        end = self._folder / self._end
        return end if self._path.exists() and not end.exists() else self._path

    def read(self) -> Read:
        found = self._read()
        return Read(tuple(found.lines), found.whole, found.until)

    def _write(self, lines: Sequence[Line], count: int, digest: str, at: int) -> int:
        text = b""
        for line in lines:
            count += 1
            told = {
                "number": count,
                "previous": digest,
                "at": line.at.isoformat(),
                "kind": line.kind,
                "id": line.id,
                "log": line.log,
            }
            nonce = os.urandom(_NONCE)
            sealed = self._seal.encrypt(nonce, json.dumps({**told, "terms": line.terms}).encode(), self._bound)
            one = base64.b64encode(nonce + sealed) + b"\n"
            digest = _next(digest, one)
            text += one
        with faults(self._folder), open(self._path, "r+b", opener=in_place) as file:
            file.truncate(at)
            file.seek(at)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        told = f"{count} {digest}"
        self._target.put(self._end, f"{told} {self._mac_of(told)}\n".encode("ascii"))
        return count

    def _read(self) -> _Found:
        with faults(self._folder):
            try:
                data = self._path.read_bytes()
                end = (self._folder / self._end).read_bytes()
            except FileNotFoundError:
                return _Found([], 0, self._first(), 0, False, None)
        found = _Found([], 0, self._first(), 0, True, None)
        for one in data.splitlines(keepends=True):
            if not one.endswith(b"\n"):
                break  # it was never wholly written, and nobody was told that it was
            told = self._opened(one)
            if told is None:
                found.whole = False
                continue
            if (told["number"], told["previous"]) != (found.count + 1, found.digest):
                found.whole = False
            at = datetime.fromisoformat(told["at"])
            found.lines.append(Line(at, told["kind"], told["id"], told["terms"], told["log"]))
            if found.whole:
                found.count += 1
                found.digest = _next(found.digest, one)
                found.bytes += len(one)
                found.until = at
                found.digests.append(found.digest)
        count, digest = self._ended(end)
        # A crash may have come between the lines and their end: then there are more of them, never fewer.
        if count is None or count > found.count or (count and found.digests[count - 1] != digest):
            found.whole = False
        return found

    def _opened(self, line: bytes) -> dict[str, Any] | None:
        try:
            raw = base64.b64decode(line[:-1], validate=True)
            if base64.b64encode(raw) + b"\n" != line:
                return None
            return json.loads(self._seal.decrypt(raw[:_NONCE], raw[_NONCE:], self._bound))
        except (binascii.Error, InvalidTag, ValueError):
            return None

    def _ended(self, end: bytes) -> tuple[int | None, str]:
        try:
            count, digest, mac = end.decode("ascii").removesuffix("\n").split(" ")
        except ValueError:
            return None, ""
        told = f"{count} {digest}"
        if end != f"{told} {mac}\n".encode("ascii") or not hmac.compare_digest(mac, self._mac_of(told)):
            return None, ""
        return int(count), digest

    def _mac_of(self, told: str) -> str:
        return hmac.digest(self._mac, self._bound + told.encode("ascii"), "sha256").hex()

    def _first(self) -> str:
        return hashlib.sha256(self._bound).hexdigest()


class _Found:
    """What was read so far. `count`, `digest` and `bytes` are of the part that is whole from its beginning."""

    def __init__(
        self, lines: list[Line], count: int, digest: str, bytes: int, whole: bool, until: datetime | None
    ) -> None:
        self.lines = lines
        self.count = count
        self.digest = digest
        self.bytes = bytes
        self.whole = whole
        self.until = until
        self.digests: list[str] = []


def _next(digest: str, line: bytes) -> str:
    return hashlib.sha256(digest.encode("ascii") + line).hexdigest()
