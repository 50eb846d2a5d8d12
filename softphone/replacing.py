"""A file takes another's place, whole. Windows refuses that for as long as somebody has the other one open."""

from __future__ import annotations

import sys
import time
from pathlib import Path

_TRIES, _PAUSE = 40, 0.05
"""two seconds: a reader of ours is done in a moment, a scanner for viruses in some more"""


def replace_file(new: Path, old: Path) -> None:
    """Raises OSError; then both are as they were."""
    for _ in range(_TRIES if sys.platform == "win32" else 0):
        try:
            new.replace(old)
        except PermissionError:
            time.sleep(_PAUSE)
        else:
            return
    new.replace(old)
