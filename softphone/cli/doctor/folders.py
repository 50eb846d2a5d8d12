"""The user's folders: whether each can be written, is the user's own, and has room. The archive's is `archive`'s."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.system.paths import is_there

LEAST_ROOM = 500
"""MB; the sound of some ten hours"""
_GONE_AT_RESTART = (Path("/tmp"), Path("/run"), Path("/dev/shm"))  # noqa: S108 - nothing is written there


def _folders(machine: Machine) -> Iterator[Finding]:
    folders = machine.home.folders
    found = [
        *_written("error.settings.unwritable", "path", folders.config),
        *_written("error.engine.cannot_listen", "folder", folders.runtime),
        *_written("doctor.folder.data", "path", folders.data),
        *_written("doctor.folder.log", "path", folders.log),
        *_written("doctor.folder.cache", "path", folders.cache),
        *_foreign(folders.config),
        *_foreign(folders.runtime),
    ]
    yield from found or [Finding("doctor.folders")]


def _written(code: str, name: str, folder: Path) -> Iterator[Finding]:
    if why := why_unwritable(folder):
        yield Finding(code, {name: str(folder), "detail": why})


def _foreign(folder: Path) -> Iterator[Finding]:
    """Whoever owns it can change what lies in it."""
    if sys.platform == "win32" or not is_there(folder):
        return
    import pwd

    owner = folder.stat().st_uid
    if owner not in (os.geteuid(), 0):
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        yield Finding("doctor.folder.foreign", {"path": str(folder), "owner": name})


def why_unwritable(folder: Path) -> str:
    """The system's reason against writing there, or in the nearest existing folder above it; empty: none.

    It makes a file without a name, which is gone again: rights alone do not show a read-only disk.
    """
    try:
        if is_there(folder) and not folder.is_dir():
            return os.strerror(errno.EEXIST)  # as who makes it is told
        with TemporaryFile(dir=nearest(folder)):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def nearest(folder: Path) -> Path:
    """It, or the first folder above it that is there."""
    return next(one for one in (folder, *folder.parents) if is_there(one))


def room(folder: Path) -> Iterator[Finding]:
    """If there is little of it left."""
    free = shutil.disk_usage(nearest(folder)).free // 1_000_000
    if free < LEAST_ROOM:
        yield Finding("doctor.folder.low", {"path": str(folder), "megabytes": free})


def temporary(folder: Path) -> Iterator[Finding]:
    """If a restart may empty it."""
    real = folder.resolve()
    gone = (Path(tempfile.gettempdir()), *(_GONE_AT_RESTART if sys.platform != "win32" else ()))
    if any(real.is_relative_to(one.resolve()) for one in gone):
        yield Finding("doctor.folder.temporary", {"path": str(folder)})


FOLDERS = Check("folders", _folders)
