"""Room kept back on the archive's disk, so that a full one can be swept (ADR 019): whoever changes the catalog needs room for the
database's log of pages first, also where the change is a deletion.

A file of noise holds it: it is cut off when the room is needed, and written again afterwards.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from softphone.archive.files.inplace import in_place, is_shared

RESERVE = "reserve"
SIZE = 4 << 20
"""bytes: the end of one recording takes 0.2 MB of the log, of one in 500 segments 1 MB"""
_BLOCK = 4096
"""bytes: of a write that does not fit whole, some file systems take nothing"""


class Reserve:
    """That of one archive. Nothing here raises: what cannot be kept back now is at another time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RESERVE

    def keep(self) -> None:
        """Made where there is none, and made whole, where there is more than enough room."""
        with suppress(OSError):
            if not os.path.lexists(self._path) and self._has_room():
                self._path.touch(0o600, exist_ok=False)
                if is_shared(self._path.parent):
                    self._path.chmod(0o660)
        self.take_back()

    @contextmanager
    def given(self) -> Generator[None]:
        """Its room is free for this; then as much of it is taken back as there is."""
        held = 0
        with suppress(OSError), open(self._path, "r+b", opener=in_place) as file:
            held = file.seek(0, os.SEEK_END)
            file.truncate(0)
            # Some file systems give freed blocks to others only then.
            os.fsync(file.fileno())
        try:
            yield
        finally:
            self.take_back(held)

    def take_back(self, held: int = 0) -> None:
        """`held`: bytes that it has just given up, and takes back in any case. More it takes of ample room alone: the disk's last
        is the recordings'."""
        with suppress(OSError), open(self._path, "r+b", buffering=0, opener=in_place) as file:
            at = file.seek(0, os.SEEK_END)
            whole = SIZE if self._has_room() else min(held, SIZE)
            while at < whole:
                # Noise: of what a file system can compress it would keep no room.
                at += file.write(os.urandom(min(_BLOCK, whole - at)))
            os.fsync(file.fileno())

    def _has_room(self) -> bool:
        return shutil.disk_usage(self._path.parent).free >= 2 * SIZE
