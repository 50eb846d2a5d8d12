"""What an archive keeps so that a full disk can be swept (ADR 019).

Room for the database to begin with, and in the same file a list of the recordings whose files go before their rows do. It
does not decide whether a recording goes.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softphone.archive.folder.disk import refused
from softphone.archive.folder.inplace import in_place

ROOM = "sweep.list"
SIZE = 512 << 10
"""bytes: the database's index of its log takes 32 KiB, the end of one recording 0.2 MB"""
_LIST = 4096
"""bytes of it, at its beginning: always there, and written over where they lie"""
_NONCE = 12
AT_ONCE = 50
"""recordings on the list, of 40 bytes each and no more"""


class Room:
    """The list is sealed with `key`, so that nobody else can make the log speak of a sweep."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._path = folder / ROOM
        self._key = AESGCM(HKDF(hashes.SHA256(), 32, None, b"klartone archive 1 sweep list").derive(key))

    def keep(self) -> None:
        """Make it, whole, while the disk has ample room. What cannot be kept back now is at another time."""
        with suppress(OSError):
            if shutil.disk_usage(self._path.parent).free < 16 * SIZE:
                return
            if not os.path.lexists(self._path):
                self._path.write_bytes(bytes(_LIST))
                self._path.chmod(0o600)
            with open(self._path, "r+b", opener=in_place) as file:
                at = file.seek(0, os.SEEK_END)
                # Noise: compressible bytes would keep no room in some file systems.
                file.write(os.urandom(max(0, SIZE - at)))
                file.flush()
                os.fsync(file.fileno())

    def give(self) -> bool:
        """All but the list; False if there was nothing to give."""
        try:
            with open(self._path, "r+b", opener=in_place) as file:
                if file.seek(0, os.SEEK_END) <= _LIST:
                    return False
                file.truncate(_LIST)
                # Some file systems give freed blocks to others only then.
                os.fsync(file.fileno())
        except OSError:
            return False
        return True

    def list(self, recordings: Sequence[str]) -> None:
        """These are to go; none: they have gone. On the disk when it returns. Raises ArchiveError."""
        try:
            with open(self._path, "r+b", opener=in_place) as file:
                nonce, ids = secrets.token_bytes(_NONCE), "\n".join(recordings).encode("utf-8")
                file.write(nonce + self._key.encrypt(nonce, ids.ljust(_LIST - _NONCE - 16, b"\0"), None))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise refused(self._path, error) from error

    def listed(self) -> list[str]:
        """Those that a sweep which was cut off has not reported yet."""
        with suppress(OSError, InvalidTag, ValueError), open(self._path, "rb", opener=in_place) as file:
            data = file.read(_LIST)
            return self._key.decrypt(data[:_NONCE], data[_NONCE:], None).rstrip(b"\0").decode("utf-8").split()
        return []
