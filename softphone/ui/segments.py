"""A few answers to a small question, joined into one control: yes and no, whose wish it was. It knows no question."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QWidget

from softphone.ui.controls import Control
from softphone.ui.fields import TextLabel
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BODY, BUTTON_RADIUS, font
from softphone.ui.theme.tokens import Theme


class Chip(Control):
    """One of the answers. Checked: it is the one that holds. `first`, `last`: which of its sides are the control's own."""

    HEIGHT = 38

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.first = self.last = True
        self.fix_height(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(
            px(round(QFontMetricsF(font(BODY, strong=True)).horizontalAdvance(self.text())) + 26), self.height()
        )

    def minimumSizeHint(self) -> QSize:
        return QSize(px(56), self.height())

    def _looks(self) -> tuple[object, ...]:
        return self.first, self.last

    def fits(self) -> bool:
        """Whether all of the words are in sight."""
        return QFontMetricsF(font(BODY, strong=True)).horizontalAdvance(self.text()) <= self.wide - 8

    def draw(self, painter: QPainter, theme: Theme, _icons: Icons) -> None:
        chosen, on = self.isChecked(), self.isEnabled()
        fill = QColor((theme.chosen if chosen else theme.surface) if on else theme.window)
        if on and self.isDown():
            fill = fill.lighter(120) if theme.dark else fill.darker(106)
        edge = theme.muted if on and self._hover else theme.accent if chosen and on else theme.neutral.edge
        painter.setPen(QPen(QColor(edge), 1))
        painter.setBrush(fill)
        painter.drawPath(self._outline())
        painter.setFont(font(BODY, strong=True))
        painter.setPen(QColor(theme.accent if on else theme.disabled))
        metrics = QFontMetricsF(painter.font())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.wide - 8)
        painter.drawText(self._whole(), int(Qt.AlignmentFlag.AlignCenter), shown)

    def _outline(self) -> QPainterPath:
        """Round where it ends, straight where the next one begins."""
        box = self._whole().adjusted(0.5, 0.5, -0.5 if self.last else 0.5, -0.5)
        path = QPainterPath()
        path.addRoundedRect(box, BUTTON_RADIUS, BUTTON_RADIUS)
        for inner, left in ((not self.first, box.left()), (not self.last, box.right() - BUTTON_RADIUS)):
            if inner:
                square = QPainterPath()
                square.addRect(QRectF(left, box.top(), BUTTON_RADIUS, box.height()))
                path = path.united(square)
        return path.simplified()


class Segments(QWidget):
    """The answers side by side, as one control; where they cannot be read so, one below the other."""

    def __init__(self, chips: Sequence[Chip]) -> None:
        super().__init__()
        self.chips = tuple(chips)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        for chip in self.chips:
            self._row.addWidget(chip)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._join(stacked=False)

    def natural_width(self) -> int:
        """px that it takes side by side."""
        return sum(chip.sizeHint().width() for chip in self.chips)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def arrange(self) -> None:
        self._join(stacked=self.natural_width() > self.width() > 0)

    def _join(self, *, stacked: bool) -> None:
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(6 if stacked else 0)
        for chip in self.chips:
            chip.first = stacked or chip is self.chips[0]
            chip.last = stacked or chip is self.chips[-1]
            chip.update()


class Asked(QWidget):
    """A question and its answers: in one line if there is room, else the answers below it."""

    def __init__(self, question: TextLabel, segments: Segments) -> None:
        super().__init__()
        self._question, self._segments = question, segments
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(8)
        self._line.addWidget(question, 1, Qt.AlignmentFlag.AlignVCenter)
        self._line.addWidget(segments)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def arrange(self) -> None:
        words = self._question.fontMetrics().horizontalAdvance(self._question.text())
        below = words + 12 + self._segments.natural_width() > self.width()
        self._line.setDirection(QBoxLayout.Direction.TopToBottom if below else QBoxLayout.Direction.LeftToRight)
        self._segments.setMinimumWidth(0 if below else self._segments.natural_width())
        self._segments.arrange()
