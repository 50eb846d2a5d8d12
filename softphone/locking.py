"""A lock on a file that the system releases when its process ends, however that ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from softphone.ordinary import open_ordinary


def held_by_another(path: Path) -> bool:
    """Whether a process holds that lock now. It is made by nobody who only looks."""
    try:
        with open_ordinary(path) as file:
            return not locked(file)
    except OSError:
        return False


def locked(file: IO[bytes]) -> bool:
    """Whether it is free; then this process holds it until it closes the file or ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
