"""What a recording leaves behind, noted while it is there and looked for when it should be gone: sealed chunks and wrapped keys.

It looks at bytes, not through the program: every file of the stage, and every page of the catalog, decrypted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from softphone.archive.files.reader import read_structure
from softphone.domain.purpose import KeyRole
from tests.journeys.stage import Stage

PIECE = 48
"""bytes of a sealed chunk that no other can have by chance"""
_PAGE, _RESERVED, _IV = 4096, 80, 16
_SALT = 16
_LOG_HEAD, _FRAME_HEAD = 32, 24


@dataclass(frozen=True)
class Traces:
    """`chunks`: the sealed bytes of each; `wraps`: each wrapped key, with whom it is for."""

    recording: str
    chunks: tuple[bytes, ...]
    wraps: tuple[tuple[KeyRole, bytes], ...]

    def found_chunks(self, folder: Path) -> int:
        """How many chunks are in `folder`, whole or in part."""
        files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]

        def there(chunk: bytes) -> bool:
            pieces = [chunk[at : at + PIECE] for at in range(0, len(chunk) - PIECE, PIECE)]
            return any(piece in file for file in files for piece in pieces)

        return sum(there(chunk) for chunk in self.chunks)

    def found_wraps(self, on: Stage, *roles: KeyRole) -> int:
        """How many wrapped keys (for these roles, else for any) are in a page of the catalog or in its log."""
        pages = catalog_pages(on)
        return sum(wrap in pages for role, wrap in self.wraps if not roles or role in roles)


def note(on: Stage, recording: str) -> Traces:
    """While the engine records."""
    with on.archive() as archive:
        structure = read_structure(archive.vault.path(recording))
        wraps = tuple((wrap.role, wrap.sealed) for wrap in archive.wraps_of(recording))
    return Traces(recording, tuple(chunk.sealed for chunk in structure.chunks), wraps)


def catalog_pages(on: Stage) -> bytes:
    """Every page of the catalog's file and of its write-ahead log, decrypted (SQLCipher 4: AES-256-CBC, its own IV a page);
    also pages and rest of pages that belong to no table any more."""
    with on.archive() as archive:
        key, path = archive.secrets.catalog, archive.catalog.path
    main = path.read_bytes()
    pages = [_plain(main[at : at + _PAGE], key, first=at == 0) for at in range(0, len(main), _PAGE)]
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        frames = log.read_bytes()[_LOG_HEAD:]
        step = _FRAME_HEAD + _PAGE
        for at in range(0, len(frames) - step + 1, step):
            number = int.from_bytes(frames[at : at + 4], "big")
            pages.append(_plain(frames[at + _FRAME_HEAD : at + step], key, first=number == 1))
    return b"".join(pages)


def _plain(page: bytes, key: bytes, *, first: bool) -> bytes:
    iv = page[-_RESERVED : -_RESERVED + _IV]
    cipher = Cipher(algorithms.AES256(key), modes.CBC(iv)).decryptor()
    return cipher.update(page[_SALT if first else 0 : -_RESERVED]) + cipher.finalize()
