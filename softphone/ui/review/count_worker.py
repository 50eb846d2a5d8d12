"""How many there are of each, and what became of the sample, counted on a thread of its own, so that no page waits for it.

Only the latest question is answered. It knows no widget.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from softphone.domain.archive.interface import SeenArchive
from softphone.domain.errors import KlartoneError
from softphone.system.logbook import log_bug

if TYPE_CHECKING:
    from softphone.ui.review.archive_worker import Watched

log = logging.getLogger(__name__)


class CountWorker(QObject):
    """counted(turn, mapping of Shown), figured(turn, Figures), failed(KlartoneError)."""

    counted = Signal(int, object)
    figured = Signal(int, object)
    failed = Signal(object)

    def __init__(self, archive: SeenArchive) -> None:
        super().__init__()
        self._given = archive
        self._bell = threading.Condition()
        self._asked: Watched | None = None
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="review-counting", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._bell:
            self._ends, self._asked = True, None
            self._bell.notify()
        if self._thread.is_alive():
            self._thread.join(10)

    def ask(self, watched: Watched) -> None:
        with self._bell:
            self._asked = watched
            self._bell.notify()

    def _run(self) -> None:
        try:
            archive = self._given.beside()
        except KlartoneError as error:
            self.failed.emit(error)
            return
        try:
            while True:
                with self._bell:
                    self._bell.wait_for(lambda: self._asked is not None or self._ends)
                    asked, self._asked = self._asked, None
                if asked is None:
                    return
                self._count(archive, asked)
        finally:
            archive.close()

    def _count(self, archive: SeenArchive, watched: Watched) -> None:
        query = watched.query
        try:
            self.counted.emit(watched.turn, archive.reviews.counts(query))
            if self._asked is None:
                self.figured.emit(watched.turn, archive.reviews.figures(query, watched.capacity))
        except KlartoneError as error:
            self.failed.emit(error)
        except Exception as error:  # noqa: BLE001 - the thread must outlive it
            log_bug(log, error, "the review's counting")
