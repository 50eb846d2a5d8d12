"""A notice's file as bytes, for whoever passes it on and decodes nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from softphone.domain.errors import SoundError

LARGEST = 100_000_000
"""bytes: twice what the longest notice takes in a studio's format"""


def bytes_of(path: Path) -> bytes:
    """Raises SoundError if there is no file, or it cannot be read or is too large for a notice."""
    raw = b""
    with suppress(OSError):
        if not path.is_file():
            raise SoundError("policy.fault.sound_missing", path=str(path))
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    if not 0 < len(raw) <= LARGEST:
        raise SoundError("policy.fault.sound_unreadable", path=str(path))
    return raw
