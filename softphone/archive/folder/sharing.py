"""An archive's folder for several users of one machine: a group that may read and write all of it, and nobody else.

Never over a network: SQLite's locks hold on one machine alone. Keys decide who may open what; this is about files.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from softphone.archive.folder.inplace import is_shared
from softphone.domain.errors import ArchiveError

_REMOTE = frozenset(
    "nfs nfs4 cifs smb2 smb3 smbfs 9p afs ceph coda davfs glusterfs lustre ncpfs".split()  # noqa: SIM905 - a list of words
)
_REMOTE_FUSE = frozenset(
    "sshfs s3fs rclone glusterfs davfs gvfsd-fuse curlftpfs ceph-fuse onedrive".split()  # noqa: SIM905 - as above
)
_MOUNTS = Path("/proc/self/mountinfo")
_DRIVE_REMOTE = 4
_FOLDER, _FILE = 0o2770, 0o660


def network_of(folder: Path, mounts: str | None = None) -> str | None:
    """The network file system that a folder lies on, or would lie on; None: none that is known as one.

    `mounts`: in the form of /proc/self/mountinfo (proc(5)); by default the machine's own.
    """
    if sys.platform == "win32":
        return _network_drive(folder)
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    path, found, length = folder.resolve(), "", -1
    for line in mounts.splitlines():
        before, _, behind = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not behind:
            continue
        point = _unescaped(fields[4])
        # Of several on one point, the last covers the others.
        if len(point) >= length and path.is_relative_to(point):
            found, length = behind.split()[0], len(point)
    kind, _, fuse = found.partition(".")
    return found if kind in _REMOTE or (kind == "fuse" and fuse in _REMOTE_FUSE) else None


def check_local(folder: Path) -> None:
    """Raises ArchiveError."""
    if kind := network_of(folder):
        raise ArchiveError("error.archive.on_network", path=str(folder), kind=kind)


def share(folder: Path, group: str, before: Callable[[], object] = lambda: None) -> int:
    """Gives the folder, with all that is in it and comes into it, to a group. Returns how many files and folders.

    Its owner, a member of that group, runs it. `before` is called once it is known that this user can share it with that
    group. Raises ArchiveError.
    """
    if sys.platform == "win32":
        raise ArchiveError("error.archive.share_windows", path=str(folder))
    import grp

    check_local(folder)
    try:
        number = grp.getgrnam(group).gr_gid
    except KeyError:
        raise ArchiveError("error.archive.no_group", group=group[:60]) from None
    try:
        if me := os.geteuid():
            for path in _within(folder):
                if path.stat().st_uid != me and not _is_given(path, number):
                    raise ArchiveError("error.archive.share_not_owner", path=str(path), owner=_owner(path))
            if number not in {os.getegid(), *os.getgroups()}:
                raise ArchiveError("error.archive.share_not_member", group=group)
        before()
        count = 0
        for path in _within(folder):
            if not _is_given(path, number):
                os.chown(path, -1, number)
                path.chmod(_mode(path))
            count += 1
    except OSError as error:
        raise ArchiveError("error.archive.not_shared", path=str(folder), detail=error.strerror or "") from error
    return count


def _within(folder: Path) -> list[Path]:
    """The folder first, and no link."""
    return [path for path in (folder, *sorted(folder.rglob("*"))) if not path.is_symlink()]


def _is_given(path: Path, group: int) -> bool:
    """As what another of the group makes here comes into it."""
    found = path.stat()
    return (found.st_gid, stat.S_IMODE(found.st_mode)) == (group, _mode(path))


def _mode(path: Path) -> int:
    return _FOLDER if path.is_dir() else _FILE


def _owner(path: Path) -> str:
    number = path.stat().st_uid
    if sys.platform == "win32":
        return str(number)
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_of(folder: Path) -> str | None:
    """The group that it is shared with, by name or number; None: it is one user's own."""
    if sys.platform == "win32" or not is_shared(folder):
        return None
    import grp

    number = folder.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _unescaped(text: str) -> str:
    for octal, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(octal, char)
    return text


def _network_drive(folder: Path) -> str | None:
    if sys.platform != "win32":
        return None
    import ctypes

    anchor = folder.resolve().anchor
    if anchor.startswith("\\\\"):
        return "smb"
    return "smb" if ctypes.windll.kernel32.GetDriveTypeW(anchor) == _DRIVE_REMOTE else None
