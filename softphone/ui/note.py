"""What a person is told once, on the window and to a screen reader. It does not know what it is about, nor where it stands."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from softphone.ui.controls import QuietButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import MARGIN, SMALL


class Note(QWidget):
    """What a person is told once: a fault, a refusal, or what was done. It has a place in the page: it covers nothing, and only
    what scrolls makes room. shown(bool): it comes, or goes"""

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
        """px of the card's width that are not the words'"""
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
        """The words alone: nobody is told anew."""
        if sentence != self.text.text():
            self.text.setText(sentence)
            page = self.parentWidget()
            self._be_whole(page.width() if page is not None else self.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._be_whole(self.width())

    def _be_whole(self, width: int) -> None:
        """A window too low for it grows: its words are never cut off, and nothing is pushed over another."""
        room = width - 2 * MARGIN - self._beside
        wrap = int(Qt.TextFlag.TextWordWrap)
        words = QFontMetricsF(self.text.font()).boundingRect(QRectF(0, 0, room, 1000), wrap, self.text.text())
        self.text.setFixedHeight(ceil(words.height()))

    def leave_below(self, height: int) -> None:
        """px to what comes next; a hidden note leaves none."""
        self._around.setContentsMargins(MARGIN, 6, MARGIN, height)

    def setVisible(self, visible: bool) -> None:
        self.shown.emit(visible)  # first: the room must be there, or the window would grow
        super().setVisible(visible)


def announcement(about: QWidget, sentence: str) -> QAccessibleAnnouncementEvent:
    """For a screen reader, over whatever it is saying."""
    event = QAccessibleAnnouncementEvent(about, sentence)
    event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
    return event
