"""Who is at the other end: name, running time, number (one click copies it), line, whether it is encrypted, and how it sounds.

It knows nothing of recording.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.controls import QuietButton
from softphone.ui.fields import TextLabel
from softphone.ui.theme.scale import factor, px
from softphone.ui.theme.style import NAME, SMALL, TIMER, font
from softphone.ui.view import View, duration, readable, who
from softphone.ui.words.kept import duration_of
from softphone.wire.snapshot import CallState


class LockMark(QWidget):
    """A small lock and its word, where nobody on the way can listen. Without room for both, the lock alone."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("encrypted")
        self._view: View | None = None
        self._word = ""
        self._alone = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def render_view(self, view: View, call: CallState) -> None:
        before, self._view = self._view, view
        word = view.texts("party.encrypted")
        if word != self._word or before is None or before.theme is not view.theme:
            self._word = word
            self.updateGeometry()
            self.update()
        self.setAccessibleName(word)
        self.setToolTip(view.texts("party.encrypted.why"))
        self.setVisible(call.encrypted)

    def stand_alone(self, wanted: bool) -> None:
        """Without its word."""
        if wanted != self._alone:
            self._alone = wanted
            self.updateGeometry()
            self.update()

    def whole_width(self) -> int:
        """With its word."""
        return px(34 + QFontMetricsF(font(SMALL)).horizontalAdvance(self._word))

    def sizeHint(self) -> QSize:
        return QSize(px(27) if self._alone else self.whole_width(), px(20))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._view is None:
            return
        theme, high = self._view.theme, self.height() / factor()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(factor(), factor())
        painter.setFont(font(SMALL))
        painter.setPen(QColor(theme.muted))
        middle = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(4, 0, 10, high), middle, "·")
        self._view.icons.draw(painter, "lock", theme.muted, QRectF(12, high / 2 - 7, 13, 13))
        if not self._alone:
            painter.drawText(QRectF(29, 0, self.width(), high), middle, self._word)
        painter.end()


class PartyView(QWidget):
    """Two lines of fixed height: name and time, number and line."""

    def __init__(self) -> None:
        super().__init__()
        self.name = TextLabel("partyName", size=NAME, strong=True)
        self.timer = TextLabel("callTimer", size=TIMER, role="muted", tabular=True)
        self.timer.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.number = QuietButton("copyNumber", size=15)
        self.line = TextLabel("lineName", size=SMALL, role="muted")
        self.line.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.lock = LockMark()
        self.quality = QuietButton("qualityWord", warns=True)
        self.quality.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._copied = QTimer(self, singleShot=True, interval=1500)
        self._copied.timeout.connect(self._show_number)
        self._view: View | None = None
        self._call: CallState | None = None
        self.number.clicked.connect(self._copy)

        first = QHBoxLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.timer, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        second = QHBoxLayout()
        second.setSpacing(0)
        second.setContentsMargins(0, 0, 0, 0)
        second.addWidget(self.number)
        second.addWidget(self.line)
        second.addWidget(self.lock)
        second.addStretch(1)
        second.addSpacing(6)
        second.addWidget(self.quality)
        self.number.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(first)
        layout.addStretch(1)
        layout.addLayout(second)
        self.rescale()

    def rescale(self) -> None:
        """The text size has changed."""
        self.setFixedHeight(px(58))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The lock's word gives way first, the line's name only after it."""
        others = (self.number, self.line, self.quality)
        taken = sum(part.sizeHint().width() for part in others if not part.isHidden())
        self.lock.stand_alone(taken + self.lock.whole_width() + 6 > self.width())

    def render_view(self, view: View, call: CallState) -> None:
        self._view, self._call = view, call
        self.name.setText(who(view, call))
        self.name.setToolTip(self.name.text() if self.name.elided() else "")
        seconds = duration_of(call, view.now)
        self.timer.setText(duration(seconds) if seconds is not None and view.connected else "")
        name = view.name_of_line(call)
        self.line.setText(f"· {name}" if name and call.number else name)
        self.number.setVisible(bool(call.number))
        self.lock.render_view(view, call)
        word = call.quality.word if call.quality is not None and call.quality.word != "good" else ""
        if word:
            self.quality.show_as(
                view, view.texts(f"quality.{word}"), why=view.texts(f"quality.{word}.why"), means="quality"
            )
        self.quality.setVisible(bool(word))
        if not self._copied.isActive():
            self._show_number()
        self._fit()

    def _show_number(self) -> None:
        if self._view and self._call:
            text = self._view.texts("party.copy")
            # Where the number is all that is known it stands above already.
            self.number.show_as(self._view, readable(self._call.number) if self._call.name else text, why=text)

    def _copy(self) -> None:
        if self._view and self._call:
            QApplication.clipboard().setText(self._call.number)
            self.number.show_as(self._view, self._view.texts("party.copied"))
            self._copied.start()
