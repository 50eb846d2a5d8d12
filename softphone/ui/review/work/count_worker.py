"""How many there are of each, and what became of the sample, counted on a thread of its own: no page waits for it.

Only the latest question is answered.
"""

from __future__ import annotations

from PySide6.QtCore import Signal

from softphone.domain.archive.interface import SeenArchive
from softphone.domain.errors import KlartoneError
from softphone.ui.review.dependencies import Watched
from softphone.ui.review.work.thread import ArchiveThread


class CountWorker(ArchiveThread):
    """counted(turn, mapping of Shown), figured(turn, Figures). `.ailing`: why they do not come, until both have."""

    counted = Signal(int, object)
    figured = Signal(int, object)

    def __init__(self, archive: SeenArchive) -> None:
        super().__init__("review-counting", archive)
        self.ailing: KlartoneError | None = None

    def end_soon(self) -> None:
        """What has not begun is not counted any more."""
        with self._bell:
            self._jobs.clear()
        super().end_soon()

    def count(self, watched: Watched) -> None:
        with self._bell:
            self._jobs.clear()
            self._ask(lambda archive: self._count(archive, watched))

    def _count(self, archive: SeenArchive, watched: Watched) -> None:
        try:
            self.counted.emit(watched.turn, archive.reviews.counts(watched.query))
            if not self._jobs:
                self.figured.emit(watched.turn, archive.reviews.figures(watched.query, watched.capacity))
                self.ailing = None
        except KlartoneError as error:
            self.ailing = error
