"""What leads have shared with the agent and nobody has opened here: one quiet line, until it has been opened.

It stands below the last call, whose buttons so stay where they are when it comes.
"""

from __future__ import annotations

from PySide6.QtCore import Signal

from softphone.ui.controls import FilledButton
from softphone.ui.view import View
from softphone.wire.snapshot import HouseState


class SharedWithYou(FilledButton):
    """wanted(): the agent wants to see it. Then it goes until the house is heard of again."""

    wanted = Signal()

    def __init__(self) -> None:
        super().__init__("sharedWithYou", "plain", 40)
        self._house: HouseState | None = None
        self._looked_at: HouseState | None = None
        self.clicked.connect(self._press)

    def render_view(self, view: View) -> None:
        self._house = view.snapshot.house if view.snapshot and view.connected else None
        count = self._house.shared if self._house else 0
        self.setVisible(bool(count) and self._house != self._looked_at)
        said = view.texts("ready.shared", count=count)
        self.show_as(view, said, icon="play", why=view.texts("settings.review.shared.why"))

    def _press(self) -> None:
        self._looked_at = self._house
        self.hide()
        self.wanted.emit()
