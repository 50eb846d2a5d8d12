"""Whether a folder lies on a network: no archive may, for SQLite's locks hold on one machine alone."""

from __future__ import annotations

import sys
from pathlib import Path

from softphone.domain.errors import ArchiveError

_REMOTE = frozenset(
    "nfs nfs4 cifs smb2 smb3 smbfs 9p afs ceph coda davfs glusterfs lustre ncpfs".split()  # noqa: SIM905 - a list of words
)
_REMOTE_FUSE = frozenset(
    "sshfs s3fs rclone glusterfs davfs gvfsd-fuse curlftpfs ceph-fuse onedrive".split()  # noqa: SIM905 - as above
)
_MOUNTS = Path("/proc/self/mountinfo")
_DRIVE_REMOTE = 4


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
