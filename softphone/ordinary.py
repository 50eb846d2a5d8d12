"""Opens an ordinary file, in a folder where something else may lie under its name."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_ordinary(path: Path) -> IO[bytes]:
    """To be read. Raises OSError for a link, a pipe and a device too: those may wait for ever, or never end."""
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is no ordinary file")
    return os.fdopen(descriptor, "rb")
