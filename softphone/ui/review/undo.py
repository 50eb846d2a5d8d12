"""A recording marked as reviewed, and erased by that: for ten seconds it can be undone.

It erases nothing itself. What still waits when the window closes is carried out then.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from time import monotonic

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout

from softphone.ui.fields import Card, TextLabel
from softphone.ui.review.pills import KeyButton
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View

SECONDS = 10.0
KEY = "Z"


@dataclass(frozen=True, slots=True)
class PendingErasure:
    """`heard`: whole seconds of it; `who`: in the list's words."""

    recording: str
    heard: int
    who: str


class Undo(Card):
    """due(Waits): carry it out now. undone(Waits). counted(): a second less is left."""

    due = Signal(object)
    undone = Signal(object)
    counted = Signal()

    def __init__(self) -> None:
        super().__init__("undo")
        self.words = TextLabel("undoText", size=SMALL, wrap=True)
        self.button = KeyButton("undoReviewed", KEY, "plain")
        self.waits: PendingErasure | None = None
        self._until = 0.0
        self._view: View | None = None
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._count)
        self._end = QTimer(self, singleShot=True)
        self._end.timeout.connect(self.carry_out)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.button)
        self.button.clicked.connect(self.undo)
        self.hide()

    @property
    def seconds(self) -> int:
        """That are left."""
        return max(0, ceil(self._until - monotonic()))

    def begin(self, waits: PendingErasure) -> None:
        """An earlier one is carried out: only one can be undone at a time."""
        self.carry_out()
        self.waits, self._until = waits, monotonic() + SECONDS
        self._tick.start()
        self._end.start(round(SECONDS * 1000))
        self.setVisible(True)
        self._count()

    def carry_out(self) -> None:
        """Now; nothing if nothing waits."""
        if (waits := self._over()) is not None:
            self.due.emit(waits)

    def undo(self) -> None:
        if (waits := self._over()) is not None:
            self.undone.emit(waits)

    def forget(self) -> None:
        """It has gone by itself."""
        self._over()

    def _over(self) -> PendingErasure | None:
        waits, self.waits = self.waits, None
        self._tick.stop()
        self._end.stop()
        self.hide()
        return waits

    def _count(self) -> None:
        if self._view is not None:
            self.render_view(self._view)
        self.counted.emit()

    def render_view(self, view: View) -> None:
        self._view = view
        if self.waits is not None:
            self.words.setText(view.texts("review.undo", who=self.waits.who, count=self.seconds))
        self.button.show_as(view, view.texts("review.undo.press"), name=view.texts("review.undo.press"))
