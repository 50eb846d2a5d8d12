"""Which files are written in place: the archive's own, and none to which a link in its folder leads.

What is erased is overwritten first: behind a link that would be another file.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def in_place(name: str, flags: int) -> int:
    """An opener for `open`. It raises OSError for a link, and for what is no file."""
    if sys.platform == "win32":
        # It has no O_NOFOLLOW.
        with suppress(FileNotFoundError):
            if _is_link(os.lstat(name)):
                raise _refusal(name)
        descriptor = os.open(name, flags)
    else:
        descriptor = os.open(name, flags | os.O_NOFOLLOW, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _refusal(name)
    return descriptor


def leads_away(path: Path) -> bool:
    """Whether something stands there that `in_place` would not open, whatever its rights are, and that is no folder."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return _is_link(found) or not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode))


def leading_away(folder: Path) -> Iterator[Path]:
    """Of the names in `folder`, those."""
    with suppress(FileNotFoundError):
        yield from filter(leads_away, sorted(folder.iterdir()))


def _is_link(found: os.stat_result) -> bool:
    # A junction is Windows' link to a folder.
    is_junction = sys.platform == "win32" and found.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
    return is_junction or stat.S_ISLNK(found.st_mode)


def _refusal(name: str) -> OSError:
    return OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
