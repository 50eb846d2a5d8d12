"""Reports of crashes, kept on this machine until somebody sends or deletes them: where the program was, and none of its memory.

A process that starts opens one. The system writes into it if the process dies, and the log's hooks do for an error that
nobody expected. One with nothing in it goes with the next start of any process.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from softphone import __version__
from softphone.locking import held_by_another, locked
from softphone.ordinary import open_ordinary

FOLDER = "crashes"
"""in the folder of logs"""
KEPT = "KLARTONE_CRASHES"
"""where a process that is started by ours keeps its own; it knows no folders"""
MOST = 20
LARGEST = 64_000
"""bytes"""
_BEGINS_WITHIN = 60.0
"""seconds in which another process that has just made its report has locked it too"""
_HEAD_ENDS = b"\n\n"

_file: IO[bytes] | None = None
"""this process's own, open and locked as long as it lives"""
_told: set[str] = set()


@dataclass(frozen=True, slots=True)
class Crash:
    path: Path
    at: datetime
    """UTC, when it was last written"""


def keep_crashes(folder: Path | None, process: str) -> None:
    """From here on, into `folder`/crashes. Where that cannot be written there are no reports, and all else works."""
    global _file
    if folder is None:
        named = os.environ.get(KEPT)
        kept = Path(named) if named else None
    else:
        kept = folder / FOLDER
        os.environ[KEPT] = str(kept)
    if kept is None or _file is not None:
        return
    with suppress(OSError):
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        tidy(kept)
        now = datetime.now(UTC)
        file = (kept / f"{process}-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt").open("ab", buffering=0)
        if not locked(file):
            file.close()
            return
        head = f"Klartone {__version__} {process}, started {now:%Y-%m-%d %H:%M:%S} UTC"
        python = ".".join(map(str, sys.version_info[:3]))
        file.write(f"{head}\n{sys.platform}, Python {python}".encode() + _HEAD_ENDS)
        _file = file
        if not faulthandler.is_enabled():  # whoever started it so reads it elsewhere
            faulthandler.enable(file, all_threads=True)


def report_bug(where: str) -> None:
    """An unexpected error: its kind and the places it came through, each once."""
    if _file is None or where in _told:
        return
    _told.add(where)
    with suppress(OSError, ValueError):
        if _file.tell() < LARGEST:
            _file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {where}\n".encode())


def crashes(log_folder: Path) -> list[Crash]:
    """The newest first. A process that lives may be among them: it met an error and went on."""
    return _reports(log_folder / FOLDER)


def forget(reports: list[Crash]) -> None:
    """Deletes them. Raises OSError."""
    for one in reports:
        if not held_by_another(one.path):
            one.path.unlink(missing_ok=True)


def tidy(kept: Path) -> None:
    """No more than `MOST` reports, none larger than `LARGEST`, and no empty one of a process that is gone. Raises OSError."""
    full = _reports(kept)
    old = {one.path for one in full[MOST - 1 :]}
    reports = {one.path for one in full}
    for path in kept.glob("*.txt"):
        if held_by_another(path):
            continue
        if path in old or (path not in reports and time.time() - path.stat().st_mtime > _BEGINS_WITHIN):
            path.unlink(missing_ok=True)
        elif path.stat().st_size > LARGEST:
            os.truncate(path, LARGEST)


def _reports(kept: Path) -> list[Crash]:
    found: list[Crash] = []
    for path in kept.glob("*.txt"):
        with suppress(OSError):
            if _says_something(path):
                found.append(Crash(path, datetime.fromtimestamp(path.stat().st_mtime, UTC)))
    return sorted(found, key=lambda one: (one.at, one.path.name), reverse=True)


def _says_something(path: Path) -> bool:
    """Windows reads no file whose first byte another process has locked, and that process lives."""
    if sys.platform == "win32" and held_by_another(path):
        return False
    with open_ordinary(path) as file:
        return bool(file.read(LARGEST).partition(_HEAD_ENDS)[2].strip())
