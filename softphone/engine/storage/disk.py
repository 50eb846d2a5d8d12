"""Why nothing can be written, by the disk's own answer. A disk that hangs keeps this thread waiting, never the loop."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

ASK_AGAIN = 1.0
"""seconds between two questions"""
FULL = 64 * 1024
"""bytes; with less left a disk is full"""


class DiskMonitor:
    """`cause` is the disk's latest reason, while writing fails; `changed` is called on the loop's thread."""

    def __init__(self, post: Callable[[Callable[[], None]], None], changed: Callable[[], None]) -> None:
        self._post = post
        self._changed = changed
        self._asking: threading.Event | None = None
        """once set, it ends the running question"""
        self.cause: str | None = None

    def fails(self, folder: Path) -> None:
        """Nothing can be written there now."""
        if self._asking is None:
            self._asking = threading.Event()
            threading.Thread(target=self._ask, args=(folder, self._asking), name="disk", daemon=True).start()

    def works(self) -> None:
        if self._asking is not None:
            self._asking.set()
        self._asking = self.cause = None

    def _ask(self, folder: Path, over: threading.Event) -> None:
        while True:
            said = cause_of(folder)
            self._post(lambda said=said: self._told(said, over))
            if over.wait(ASK_AGAIN):
                return

    def _told(self, cause: str | None, over: threading.Event) -> None:
        if not over.is_set() and cause != self.cause:
            self.cause = cause
            self._changed()


def cause_of(folder: Path) -> str | None:
    """disk_full, unwritable, or None if the disk gives no reason."""
    try:
        if shutil.disk_usage(folder).free < FULL:
            return "disk_full"
    except OSError:
        return "unwritable"
    return None if os.access(folder, os.W_OK) else "unwritable"
