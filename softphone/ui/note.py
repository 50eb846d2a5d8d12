"""A message for a person, on the window and to a screen reader. It does not know what it is about, nor where it stands."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from softphone.ui.controls import QuietButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import MARGIN, SMALL


class Note(QWidget):
    """One message: a fault, a refusal, or what was done.

    It has a place in the page, so it covers nothing, and only what scrolls makes room. shown(bool): it comes, or goes.
    """

    shown = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.card = Card("note", "fault")
        self.text = TextLabel("noteText", size=SMALL, wrap=True)
        self.close_button = QuietButton("closeNote", size=16)
        self.close_button.setFixedSize(32, 32)
        inside = QHBoxLayout(self.card)
        inside.setContentsMargins(14, 6, 4, 6)
        inside.setSpacing(4)
        self._beside = 14 + 4 + 4 + 32 + 2 * 2
        """px of the card's width that the words do not have"""
        inside.addWidget(self.text, 1)
        inside.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self._around = QVBoxLayout(self)
        self._around.addWidget(self.card)
        self.close_button.clicked.connect(self.hide)
        self.hide()

    def say(self, sentence: str, *, fault: bool = True) -> None:
        self.card.set_role("fault" if fault else "card")
        self.show_words(sentence)
        self.show()
        QAccessible.updateAccessibility(announcement(self, sentence))

    def show_words(self, sentence: str) -> None:
        """The words alone, without announcing them again."""
        if sentence != self.text.text():
            self.text.setText(sentence)
            page = self.parentWidget()
            self._be_whole(page.width() if page is not None else self.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._be_whole(self.width())

    def _be_whole(self, width: int) -> None:
        """A window that is too low grows: the words are never cut off, and push nothing over another."""
        room = width - 2 * MARGIN - self._beside
        wrap = int(Qt.TextFlag.TextWordWrap)
        words = QFontMetricsF(self.text.font()).boundingRect(QRectF(0, 0, room, 1000), wrap, self.text.text())
        self.text.setFixedHeight(ceil(words.height()))

    def leave_below(self, height: int) -> None:
        """px to what comes next; a hidden note leaves none."""
        self._around.setContentsMargins(MARGIN, 6, MARGIN, height)

    def setVisible(self, visible: bool) -> None:
        self.shown.emit(visible)  # first: without the room the window would grow
        super().setVisible(visible)


def announcement(about: QWidget, sentence: str) -> QAccessibleAnnouncementEvent:
    """To a screen reader, interrupting what it is saying."""
    event = QAccessibleAnnouncementEvent(about, sentence)
    event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
    return event
