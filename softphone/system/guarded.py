"""Whether a file or a folder is the administrators' own: nobody else can write it, or put another in its place.

It answers for what lies on this machine's disks. It does not know what the file says.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

ADMINISTRATORS = frozenset({0})
"""by uid"""


def who_else(path: Path) -> Path | None:
    """The first of `path` and the folders above it that others than administrators can change; None: they cannot. Raises
    OSError.

    Links are followed first. In a folder with the sticky bit, as /tmp, nobody replaces what is not theirs.
    """
    whole = Path(os.path.realpath(path, strict=True))
    if sys.platform == "win32":
        from softphone.system.guarded_windows import others_can_write

        return next((one for one in (whole, *whole.parents[:-1]) if others_can_write(one)), None)
    for one in (whole, *whole.parents):
        found = one.stat()
        open_to_all = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if found.st_uid not in ADMINISTRATORS or (open_to_all and (one == whole or not found.st_mode & stat.S_ISVTX)):
            return one
    return None
