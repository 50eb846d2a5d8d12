"""Whether the open recording may still be heard: asked of the catalog on a thread of its own, so that nothing long comes
before it.

It knows no sound and no list; the archive worker acts on its answer.
"""

from __future__ import annotations

import logging

from PySide6.QtCore import Signal

from softphone.domain.archive.interface import SeenArchive
from softphone.domain.errors import KlartoneError
from softphone.system.logbook import log_bug
from softphone.ui.review.work.thread import ArchiveThread

log = logging.getLogger(__name__)


class ErasureWatch(ArchiveThread):
    """gone(recording), or unsure(recording, KlartoneError or None): it could not be asked, twice. One of them, once for each
    `over`: no answer is neither a yes, nor a sign that it is gone."""

    gone = Signal(str)
    unsure = Signal(str, object)

    def __init__(self, archive: SeenArchive) -> None:
        super().__init__("review-watch", archive)
        self._open = ""

    def over(self, recording: str) -> None:
        """It has been opened: ask about it from now on."""
        with self._bell:
            self._open = recording
            self._bell.notify()

    def let_go(self, recording: str) -> bool:
        """Stop reporting on it. Returns whether it was being asked about."""
        with self._bell:
            asked = self._open == recording
            if asked:
                self._open = ""
        return asked

    def _begin(self) -> None:
        """Its archive is opened when something is to be asked: one that cannot be opened is an answer about that."""

    def _patience(self) -> float | None:
        """Seconds between two questions: as often as the archive can be asked."""
        return self._given.looks if self._open else None

    def _between(self) -> None:
        if recording := self._open:
            self._ask_about(recording)

    def _ask_about(self, recording: str) -> None:
        for last in (False, True):
            try:
                if not self._still(recording) and self.let_go(recording):
                    self.gone.emit(recording)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is: the recording is let go, and it is told
                known = error if isinstance(error, KlartoneError) else None
                if known is None:
                    log_bug(log, error, "the review's watch")
                if last and self.let_go(recording):
                    self.unsure.emit(recording, known)
            with self._bell:
                self._bell.wait_for(lambda: self._ends or self._open != recording, self._given.looks)

    def _still(self, recording: str) -> bool:
        if self._archive is None:
            self._archive = self._given.beside()
        return self._archive.reviews.still(recording)
