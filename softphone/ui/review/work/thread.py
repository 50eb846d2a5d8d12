"""A thread that does jobs one after another, in the order in which they were asked for, and something between them.

What the jobs are is each worker's own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from softphone.domain.archive.interface import SeenArchive
from softphone.domain.errors import KlartoneError
from softphone.system.logbook import log_bug

log = logging.getLogger(__name__)


class WorkerThread(QObject):
    """failed(KlartoneError): of a job. A bug in one is logged, and the thread goes on."""

    failed = Signal(object)
    waits = 10.0
    """seconds for jobs that were asked for; an archive that hangs gets no more"""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._jobs: deque[Callable[[], None]] = deque()
        self._bell = threading.Condition()
        self._rung = self._ends = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end_soon(self) -> None:
        """What was asked for is done first."""
        with self._bell:
            self._ends = True
            self._bell.notify()

    def stop(self, until: float | None = None) -> None:
        """And waits for it. `until`: a moment of the monotonic clock; None: as long as `waits`."""
        self.end_soon()
        if self._thread.is_alive():
            self._thread.join(max((until or time.monotonic() + self.waits) - time.monotonic(), 0))
        self.blockSignals(True)  # what comes of one that hangs is for nobody

    def _do(self, job: Callable[[], None]) -> None:
        with self._bell:
            self._jobs.append(job)
            self._bell.notify()

    def _wake(self) -> None:
        """From any thread: what is done between jobs is to be done soon."""
        with self._bell:
            self._rung = True
            self._bell.notify()

    # --- what a worker says of itself, all on its thread ------------------------------------------

    def _begin(self) -> None:
        """Before the first job. A KlartoneError is told, and no job is done."""

    def _before_each(self) -> None: ...

    def _between(self) -> None:
        """When no job waits."""

    def _patience(self) -> float | None:
        """Seconds until then, 0 for at once; None: only when woken."""
        return None

    def _end(self) -> None:
        """After the last job."""

    def _run(self) -> None:
        try:
            self._begin()
        except KlartoneError as error:
            self.failed.emit(error)
            return
        try:
            while True:
                with self._bell:
                    if not (self._jobs or self._ends or self._rung) and (patience := self._patience()) != 0:
                        self._bell.wait(patience)
                    job = self._jobs.popleft() if self._jobs else None
                    if job is None:
                        if self._ends:
                            break
                        self._rung = False
                self._guarded(self._before_each)
                self._guarded(job or self._between)
        finally:
            self._end()

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except KlartoneError as error:
            self.failed.emit(error)
        except Exception as error:  # noqa: BLE001 - the thread must outlive it: it takes away what may no longer be heard
            log_bug(log, error, self._thread.name)


class ArchiveThread(WorkerThread):
    """With an archive of its own, which its jobs get."""

    def __init__(self, name: str, archive: SeenArchive) -> None:
        super().__init__(name)
        self._given = archive
        self._archive: SeenArchive | None = None

    @property
    def archive(self) -> SeenArchive:
        """On this thread alone."""
        assert self._archive is not None
        return self._archive

    def _ask(self, job: Callable[[SeenArchive], None]) -> None:
        self._do(lambda: job(self.archive))

    def _begin(self) -> None:
        self._archive = self._given.beside()

    def _end(self) -> None:
        if self._archive is not None:
            self._archive.close()
