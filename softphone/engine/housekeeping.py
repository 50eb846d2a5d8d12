"""Work on the archive that comes by itself: on a thread of its own, between the calls, until it is ended.

What the work is, and when it is time for it, is for each housekeeper to say.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing

from softphone.archive.archive import Archive
from softphone.domain.errors import KlartoneError
from softphone.system.logbook import log, log_bug
from softphone.wire import CodedText

_PATIENCE = 60.0
"""seconds that a recording waits for a moment without a call: on the busiest desk the work is done too, one by one"""


class Housekeeper(ABC):
    """`name`: its thread's, and in the log. `first`: seconds before its first turn, for an engine that starts has other things to
    do. `bug`: the code of what is said of a fault of ours, with a `detail`."""

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
        """Whether there is a call: nothing is done beside it, as long as that can wait."""
        if talking:
            self._quiet.clear()
        else:
            self._quiet.set()

    def look(self) -> None:
        """Whether there is something to do is asked now, and not at its time."""
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
        """Does what it is time for. Returns in how many seconds to ask again."""

    def _tried(
        self, open_beside: Callable[[], Archive], work: Callable[[Archive], CodedText | None]
    ) -> CodedText | None:
        """Does it on an archive of its own. Returns what keeps it from it: what `work` says, or what went wrong."""
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

    def _go_on(self) -> bool:
        """Between one recording and the next: once nobody talks, or it has waited long enough."""
        self._quiet.wait(_PATIENCE)
        return not self._ending
