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


def settled(path: Path) -> Path:
    """`path` with all links followed: the place to ask `who_else` about, and to read then. A link could lead elsewhere the
    next time. Raises OSError."""
    return Path(os.path.realpath(path, strict=True))


def who_else(whole: Path) -> Path | None:
    """The first of `whole` and the folders above it that others than administrators can change; None: they cannot, and it
    stays what it is. Raises OSError.

    `whole`: as `settled` gives it. A link that has come into it since is everybody's. In a folder with the sticky bit, as
    /tmp, nobody replaces what is not theirs. Into a folder that is asked about itself nobody else can put a file.
    """
    down = (*reversed(whole.parents), whole)  # a guarded folder holds what is below it
    if sys.platform == "win32":
        from softphone.system.guarded_windows import others_can_write

        open_ones = [one for one in down[1:] or down if others_can_write(one, above=one != whole)]
        return open_ones[-1] if open_ones else None
    for one, found in reversed([(one, one.lstat()) for one in down]):
        open_to_all = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if found.st_uid not in ADMINISTRATORS or (open_to_all and (one == whole or not found.st_mode & stat.S_ISVTX)):
            return one
    return None
