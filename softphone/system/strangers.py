"""Whose calls were refused because their address is not accepted: kept for `doctor`, without number or name, until a
restart."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from softphone.replacing import replace_file

FILE = "strangers.json"
MOST = 32
"""addresses; the one that called longest ago goes first"""

_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Stranger:
    """`at`: its last call, UTC in seconds since 1970."""

    host: str
    calls: int
    at: float


def note(folder: Path, host: str, calls: int, at: float) -> None:
    """It takes as long as a disk does. Raises OSError."""
    with _lock:
        known = {one.host: one for one in read(folder)}
        known[host] = Stranger(host, calls + (known[host].calls if host in known else 0), at)
        kept = sorted(known.values(), key=lambda one: one.at)[-MOST:]
        fresh = (folder / FILE).with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps([asdict(one) for one in kept]), encoding="utf-8")
        replace_file(fresh, folder / FILE)


def read(folder: Path) -> list[Stranger]:
    """Empty if none was noted, or the file cannot be read."""
    try:
        found = cast("list[dict[str, Any]]", json.loads((folder / FILE).read_text(encoding="utf-8")))
        return [Stranger(str(one["host"]), int(one["calls"]), float(one["at"])) for one in found]
    except (OSError, ValueError, KeyError, TypeError):
        return []
