"""The review's own controls: a pill with its key, the round play button, a switch, the rings of a score. They know no call."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from softphone.ui.controls import Control, FilledButton
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.style import BODY, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View

_CAP = 18.0
"""px: a key's cap, at least as wide as it is high"""
_WIDE = 190
"""px for a question; with less, all of them are smaller"""
_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextWordWrap)


def cap_width(key: str) -> float:
    return max(_CAP, QFontMetricsF(font(SMALL)).horizontalAdvance(key) + 10) if key else 0.0


def draw_cap(painter: QPainter, key: str, box: QRectF, ink: str, edge: str) -> None:
    """A key as it is on a keyboard, in the middle of `box`."""
    cap = QRectF(box.left(), box.center().y() - _CAP / 2, cap_width(key), _CAP)
    painter.setPen(QPen(QColor(edge), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(cap.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setPen(QColor(ink))
    painter.setFont(font(SMALL))
    painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), key)


class Pill(Control):
    """A small button with round ends. Checked: it is the current one. `key`: the key that does the same, drawn as a cap."""

    HEIGHT = 30

    def __init__(self, name: str, key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._key = key
        if key:
            self.set_keys(key)
        self.setFixedHeight(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_key(self, key: str) -> None:
        """The cap, or none if there is no room for it; the tooltip has it all the same."""
        if key != self._key:
            self._key = key
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        words = QFontMetricsF(font(SMALL, tabular=True)).horizontalAdvance(self.text())
        return QSize(round(words + 24 + (cap_width(self._key) + 6 if self._key else 0)), self.HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def draw(self, painter: QPainter, theme: Theme, _icons: Icons) -> None:
        chosen = self.isChecked()
        fill = QColor(theme.surface)
        if self.isEnabled() and (self.isDown() or self._hover):
            fill = QColor(theme.neutral.fill)
        painter.setPen(QPen(QColor(theme.accent if chosen else theme.neutral.edge), 1))
        painter.setBrush(fill)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        colour = (theme.accent if chosen else theme.text) if self.isEnabled() else theme.disabled
        painter.setFont(font(SMALL, tabular=True))
        painter.setPen(QColor(colour))
        words = QRectF(12, 0, self.width() - 24, self.height())
        painter.drawText(words, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())
        if self._key:
            left = self.width() - 12 - cap_width(self._key)
            muted = theme.muted if self.isEnabled() else theme.disabled
            draw_cap(painter, self._key, QRectF(left, 0, 1, self.height()), muted, theme.neutral.edge)


class KeyButton(FilledButton):
    """The large buttons at the foot, with the key that does the same."""

    def __init__(self, name: str, key: str, tone: str) -> None:
        super().__init__(name, tone, 40)
        self._key = key
        self.set_keys(key)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        words = QFontMetricsF(font(BODY, strong=True)).horizontalAdvance(self.text())
        return QSize(round(words + 32 + 8 + cap_width(self._key)), self.height())

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        del icons  # a key stands in their place
        ink, fill, edge = self._colours(theme)
        self._plate(painter, theme, fill, edge)
        painter.setFont(font(BODY, strong=True))
        painter.setPen(QColor(ink))
        box = QRectF(16, 0, self.width() - 32, self.height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())
        rim = theme.neutral.edge if edge else ink
        draw_cap(painter, self._key, QRectF(self.width() - 16 - cap_width(self._key), 0, 1, self.height()), ink, rim)


class PlayButton(Control):
    """A filled circle with what a press does: a triangle, or two bars while it plays."""

    SIZE = 40

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.setFixedSize(self.SIZE, self.SIZE)
        self.plays = False

    def draw(self, painter: QPainter, theme: Theme, _icons: Icons) -> None:
        colour = QColor(theme.accent if self.isEnabled() else theme.neutral.edge)
        if self.isEnabled() and (self._hover or self.isDown()):
            colour = colour.lighter(112) if theme.dark else colour.darker(108)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QRectF(2, 2, self.SIZE - 4, self.SIZE - 4))
        painter.setBrush(QColor(theme.on_accent if self.isEnabled() else theme.disabled))
        middle = self.SIZE / 2
        if self.plays:
            painter.drawRoundedRect(QRectF(middle - 6, middle - 7, 4, 14), 1, 1)
            painter.drawRoundedRect(QRectF(middle + 2, middle - 7, 4, 14), 1, 1)
        else:
            corners = [
                QPointF(middle - 4.5, middle - 7.5),
                QPointF(middle - 4.5, middle + 7.5),
                QPointF(middle + 8, middle),
            ]
            painter.drawPolygon(QPolygonF(corners))


class Switch(Control):
    """On or off, with its words beside it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.setCheckable(True)
        self.setFixedHeight(32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(50 + round(QFontMetricsF(font()).horizontalAdvance(self.text())), 32)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 32)

    def draw(self, painter: QPainter, theme: Theme, _icons: Icons) -> None:
        on = self.isChecked()
        track = QRectF(6, self.height() / 2 - 9, 32, 18)  # in line with the questions over it
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent if on else theme.neutral.mark))
        painter.drawRoundedRect(track, 9, 9)
        painter.setBrush(QColor(theme.on_accent if on else theme.surface))
        painter.drawEllipse(QRectF(track.right() - 16 if on else track.left() + 2, track.top() + 2, 14, 14))
        painter.setFont(font())
        painter.setPen(QColor(theme.text if self.isEnabled() else theme.disabled))
        metrics = QFontMetricsF(painter.font())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - 50)
        box = QRectF(48, 0, self.width() - 48, self.height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)


class Rings(Control):
    """A question of the score card with as many rings as there are points to give.

    given(points), stepped(by): so many more or fewer, chosen(): a digit is for this question.
    """

    given = Signal(int)
    stepped = Signal(int)
    chosen = Signal()
    HEIGHT, LOWEST, SIDE, APART = 34, 22, 14.0, 4.0

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.points = 0
        self.of = 5
        self.is_next = False

    def show_score(
        self, view: View, question: str, points: int, of: int, *, is_next: bool, reads: bool = False
    ) -> None:
        """`points` 0: none are given yet. `is_next`: the next digit is for this question. `reads`: nothing is given here."""
        self.points, self.of, self.is_next = points, of, is_next
        text = view.texts("review.score.given", points=points, of=of) if points else view.texts("review.score.none")
        why = "" if reads else view.texts("review.score.how", digit=min(of, 9))
        self.show_as(view, question, name=f"{question}: {text}", why=why)
        self._make_room()

    def sizeHint(self) -> QSize:
        return QSize(220, max(self.HEIGHT, self.minimumHeight()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """For all of the question's lines, even if the next digit is for it."""
        words = QFontMetricsF(self._font(strong=True)).boundingRect(self._box(500), _WRAPPED, self.text())
        lowest = max(self.LOWEST, round(words.height()) + 2)
        if lowest != self.minimumHeight():
            self.setMinimumHeight(lowest)
            self.setMaximumHeight(max(self.HEIGHT, lowest))

    def _box(self, height: float) -> QRectF:
        return QRectF(6, 0, self.ring(1).left() - 14, height)

    def _font(self, *, strong: bool) -> QFont:
        return font(BODY if self._box(0).width() >= _WIDE else SMALL - 1, strong=strong)

    def ring(self, number: int) -> QRectF:
        """Where the ring of so many points is."""
        left = self.width() - 6 - (self.of - number + 1) * (self.SIDE + self.APART) + self.APART
        return QRectF(left, self.height() / 2 - self.SIDE / 2, self.SIDE, self.SIDE)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit()
        for number in range(1, self.of + 1):
            around = self.ring(number).adjusted(-self.APART / 2, -8, self.APART / 2, 8)
            if self.isEnabled() and around.contains(event.position()):
                self.given.emit(0 if number == self.points else number)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        change = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Minus: -1}.get(Qt.Key(event.key()), 0)
        if change:
            self.stepped.emit(change)
        else:
            event.ignore()

    def draw(self, painter: QPainter, theme: Theme, _icons: Icons) -> None:
        painter.setFont(self._font(strong=self.is_next))
        painter.setPen(QColor(theme.text if self.isEnabled() else theme.disabled))
        painter.drawText(self._box(self.height()), _WRAPPED, self.text())
        for number in range(1, self.of + 1):
            full = number <= self.points
            painter.setPen(QPen(QColor(theme.accent if full else theme.neutral.mark), 1.25))
            painter.setBrush(QColor(theme.accent) if full else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(self.ring(number).adjusted(0.75, 0.75, -0.75, -0.75))
