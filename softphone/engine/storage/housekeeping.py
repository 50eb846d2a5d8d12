"""Automatic work on the archive: on a thread of its own, between the calls, until it is ended.

Each housekeeper says what the work is, and when it is due.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing

from softphone.archive.archive import Archive
from softphone.domain.errors import KlartoneError
from softphone.system.logbook import log, log_bug
from softphone.wire.snapshot import CodedText

_PATIENCE = 60.0
"""seconds that a recording waits for a moment without a call: even on the busiest desk the work gets done, one by one"""
_SLICE = 1.0
"""seconds of that wait, until the work that cannot wait is looked at"""


class Housekeeper(ABC):
    """`name`: its thread's, and in the log. `first`: seconds before its first turn, since a starting engine has other things
    to do. `bug`: the code for a fault of ours, with a `detail`."""

    def __init__(self, name: str, first: float, bug: str) -> None:
        self._name = name
        self._first = first
        self._bug = bug
        self._log = log.getChild(f"engine.{name}")
        self._wake = threading.Event()
        self._quiet = threading.Event()
        self._quiet.set()
        self._ending = False
        self._thread: threading.Thread | None = None

    def start(self, open_beside: Callable[[], Archive]) -> None:
        self._thread = threading.Thread(target=self._run, args=(open_beside,), name=self._name, daemon=True)
        self._thread.start()

    def talking(self, talking: bool) -> None:
        """Whether there is a call: work that can wait is not done beside it."""
        if talking:
            self._quiet.clear()
        else:
            self._quiet.set()

    def look(self) -> None:
        """Ask now whether there is something to do, and not at its time."""
        self._wake.set()

    def stop(self) -> None:
        self._ending = True
        self._wake.set()
        self._quiet.set()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self, open_beside: Callable[[], Archive]) -> None:
        self._wake.wait(self._first)
        while True:
            self._wake.clear()
            if self._ending:
                return
            self._wake.wait(self._turn(open_beside))

    @abstractmethod
    def _turn(self, open_beside: Callable[[], Archive]) -> float:
        """Do what is due. Returns the seconds until the next question."""

    def _tried(
        self, open_beside: Callable[[], Archive], work: Callable[[Archive], CodedText | None]
    ) -> CodedText | None:
        """Do it on an archive of its own. Returns what keeps it from it: `work`'s reason, or what went wrong."""
        try:
            with closing(open_beside()) as archive:
                return work(archive)
        except KlartoneError as error:
            if not self._ending:
                self._log.warning("not done: %s", error.code)
            return self._said(error)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the work in silence
            log_bug(self._log, error)
            return CodedText(self._bug, {"detail": type(error).__name__})

    def _said(self, error: KlartoneError) -> CodedText:
        return CodedText(error.code, error.params)

    def _go_on(self, beside: Callable[[], None] | None = None) -> bool:
        """Between one recording and the next: wait until nobody talks, or long enough. `beside` is done meanwhile."""
        until = time.monotonic() + _PATIENCE
        while (left := until - time.monotonic()) > 0 and not self._quiet.wait(min(_SLICE, left)):
            if beside:
                beside()
        return not self._ending
