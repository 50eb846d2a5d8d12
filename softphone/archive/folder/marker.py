"""What an archive's folder says of itself, unencrypted: which key it needs, and whether it is a demo's. Nothing of a call."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from softphone.archive.folder.disk import refused, sync_folder
from softphone.domain.errors import ArchiveError

FORMAT = 1
CATALOG = "catalog.db"
MARKER = "archive.json"
NO_ARCHIVE = "error.archive.no_archive"
MISSING = "error.archive.marker_missing"
REPLACED = "archive.json.replaced"
"""the marker's name in a folder that a restore has moved aside: nobody opens that as an archive"""
BEGUN = "restoring.json"
"""in a folder into which a backup is being brought back: of which archive, and which backup"""


@dataclass(frozen=True, slots=True)
class Marker:
    """What a folder says of itself, unencrypted: which key it needs. No secret, and nothing of a call."""

    archive: str
    desk: str
    demo: bool


def read_marker(folder: Path, name: str = MARKER) -> Marker:
    """Which archive a folder holds, and whether it is a demo's. Raises ArchiveError."""
    try:
        told = json.loads((folder / name).read_bytes())
        if told["format"] != FORMAT:
            raise ArchiveError("error.archive.unknown_version", found=str(told["format"])[:20], known=FORMAT)
        return Marker(str(told["archive"]), str(told["desk"]), told["demo"] is True)
    except FileNotFoundError as error:
        code = MISSING if name == MARKER and lost(folder) else NO_ARCHIVE
        raise ArchiveError(code, path=str(folder)) from error
    except OSError as error:
        raise ArchiveError("error.archive.unreadable", path=str(folder), detail=error.strerror or "") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveError("error.archive.marker_changed", path=str(folder)) from error


def is_here(folder: Path) -> bool:
    """Whether there is an archive, even if its marker has gone, which `read_marker` reports."""
    return (folder / MARKER).exists() or lost(folder)


def lost(folder: Path) -> bool:
    """Whether there is a catalog without a marker, as no restore leaves it."""
    others = (MARKER, REPLACED, BEGUN)
    return (folder / CATALOG).exists() and not any((folder / one).exists() for one in others)


def replaced(folder: Path, archive: str) -> list[Path]:
    """The folders beside it in which the same archive lay before a restore: deletions do not reach them."""
    return _beside(folder, lambda one: one.name != folder.name and read_marker(one, REPLACED).archive == archive)


def half_restored(folder: Path, archive: str) -> list[Path]:
    """The folders beside it into which the same archive was being restored: deletions do not reach them."""
    return _beside(folder, lambda one: json.loads((one / BEGUN).read_bytes())["archive"] == archive)


def _beside(folder: Path, is_one: Callable[[Path], bool]) -> list[Path]:
    found: list[Path] = []
    with suppress(OSError):
        for beside in sorted(folder.resolve().parent.iterdir()):
            with suppress(OSError, ArchiveError, ValueError, TypeError, KeyError):
                if is_one(beside):
                    found.append(beside)
    return found


def write_marker(folder: Path, marker: Marker) -> None:
    """If there is none yet. Raises ArchiveError."""
    told = {"format": FORMAT, "archive": marker.archive, "desk": marker.desk, "demo": marker.demo}
    path = folder / MARKER
    try:
        with open(path, "x", encoding="utf-8", opener=lambda name, how: os.open(name, how, 0o600)) as file:
            file.write(json.dumps(told, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(folder)
    except OSError as error:
        raise refused(path, error) from error
