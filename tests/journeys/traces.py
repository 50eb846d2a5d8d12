"""What a recording leaves behind, noted while it is there and looked for when it should be gone: sealed chunks and wrapped keys.

It looks at bytes, not through the program: every file of the stage, every page of the catalog and every slot of sealed keys,
decrypted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from softphone.archive.files.reader import read_structure
from softphone.domain.purpose import KeyRole
from tests.archive.scene import pages_of
from tests.journeys.stage import Stage

PIECE = 48
"""bytes of a sealed chunk that no other can have by chance"""


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
        """How many wrapped keys (for these roles, else for any) are in their file, or in a page of the catalog or of its log."""
        with on.archive() as archive:
            pages = pages_of(archive.folder, archive.secrets.catalog)
        return sum(wrap in pages for role, wrap in self.wraps if not roles or role in roles)


def note(on: Stage, recording: str) -> Traces:
    """While the engine records."""
    with on.archive() as archive:
        structure = read_structure(archive.vault.path(recording))
        wraps = tuple((wrap.role, wrap.sealed) for wrap in archive.wraps_of(recording))
    return Traces(recording, tuple(chunk.sealed for chunk in structure.chunks), wraps)
