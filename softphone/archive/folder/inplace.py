"""Which files are written in place: the archive's own, and none to which a name in its folder leads.

Otherwise somebody who may put names into a shared folder could have another user's program overwrite that user's files.
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
    """An opener for `open`.

    It raises OSError for a link, and for a file of another owner: neither this user, nor the folder's owner, nor, if a group
    shares it, the folder's group. Where others may put names, it also refuses a file with a second name. Where nobody else
    may, that is one's own doing, and what is deleted must leave the disk under all its names.
    """
    if sys.platform == "win32":
        # It has no O_NOFOLLOW. Nor does it let everybody make links.
        with suppress(FileNotFoundError):
            if _is_link(os.lstat(name)):
                raise _refusal(name)
        descriptor = os.open(name, flags)
    else:
        descriptor = os.open(name, flags | os.O_NOFOLLOW, 0o600)
    try:
        if not _is_own(os.fstat(descriptor), Path(name).parent):
            raise _refusal(name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def leads_away(path: Path) -> bool:
    """Whether a file or link stands there that `in_place` would not open, whatever its rights are."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return _is_link(found) or not (stat.S_ISDIR(found.st_mode) or _is_own(found, path.parent))


def leading_away(folder: Path) -> Iterator[Path]:
    """Of the names in `folder`, those."""
    with suppress(FileNotFoundError):
        yield from filter(leads_away, sorted(folder.iterdir()))


def is_shared(folder: Path) -> bool:
    """Whether a group works in it: then new files in it are the group's too, whatever a user's own habit (umask) is."""
    return sys.platform != "win32" and _is_shared(folder.stat())


def _is_shared(folder: os.stat_result) -> bool:
    wanted = stat.S_ISGID | stat.S_IRWXG
    return folder.st_mode & wanted == wanted


def _is_link(found: os.stat_result) -> bool:
    # A junction is Windows' link to a folder.
    is_junction = sys.platform == "win32" and found.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
    return is_junction or stat.S_ISLNK(found.st_mode)


def _is_own(file: os.stat_result, folder: Path) -> bool:
    if not stat.S_ISREG(file.st_mode) or sys.platform == "win32":
        return stat.S_ISREG(file.st_mode)
    of = folder.stat()
    by_others = of.st_uid != os.geteuid() or of.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if file.st_nlink > 1 and by_others:
        return False
    return file.st_uid in (os.geteuid(), of.st_uid) or (_is_shared(of) and file.st_gid == of.st_gid)


def _refusal(name: str) -> OSError:
    return OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
