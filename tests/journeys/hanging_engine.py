"""The real engine on a disk that hangs: on the word `hang` on stdin whatever is written, synced, or asked of the disk waits until
the word `go on`. On the word `full` the archive's disk takes nothing any more.

Started as the engine is (`python -m tests.journeys.hanging_engine --home DIR engine`). Everything else is the engine's own.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from softphone import cli
from softphone.archive.catalog.database import Catalog
from softphone.bootstrap import engine_parts as bootstrap
from softphone.domain.errors import ArchiveError
from softphone.engine.storage import disk

HANGING = ("-m", "tests.journeys.hanging_engine")

_goes_on, _full = threading.Event(), threading.Event()
_goes_on.set()


def _waits(deed: Callable[..., Any]) -> Callable[..., Any]:
    def waiting(*args: Any, **kwargs: Any) -> Any:
        _goes_on.wait()
        if _full.is_set() and deed.__name__ == "fdatasync":
            raise OSError(errno.ENOSPC, "No space left on device")
        if _full.is_set() and deed.__name__ == "writing":
            raise ArchiveError("error.archive.full", path="", detail="")
        return deed(*args, **kwargs)

    return waiting


def _obey() -> None:
    for line in sys.stdin:
        if line.strip() == "hang":
            _goes_on.clear()
        elif line.strip() == "go on":
            _goes_on.set()
        elif line.strip() == "full":
            _full.set()


def main() -> int:
    for module, name in (
        (os, "fsync"),
        (os, "fdatasync"),
        (Catalog, "writing"),
        (disk, "cause_of"),
        (bootstrap, "save_changes"),
    ):
        setattr(module, name, _waits(getattr(module, name)))
    threading.Thread(target=_obey, daemon=True).start()
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
