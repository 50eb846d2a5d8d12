"""Both voices of a recording as they sounded, what is missing, the comments, and where it plays. It plays nothing.

To a screen reader it is a slider over whole seconds, since that says the bare number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QToolTip

from softphone.domain.archive.recordings import RATE, Mark, MarkKind
from softphone.ui.review import words
from softphone.ui.review.dependencies import COLUMNS
from softphone.ui.theme.style import SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View

LABELS = 94
"""px at the left for the voices' names"""
TOP, BESIDE = 24, 19.0
"""px for the comments' places, and at least from one to another: an answer stands beside what it answers"""
BAR, APART = 2.0, 2.0
NARROWEST = 3.0
"""px of a mark without length, or a very short one"""
QUIETEST = 0.012


class Waveform(QAbstractSlider):
    """jumped(sample): somebody points there, or moves the slider. `.marks` are the reader's."""

    jumped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("waveform")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(100)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setSingleStep(5)
        self.setPageStep(30)
        self._view: View | None = None
        self._voices = ("", "")
        self._length = self._at = 0
        self._loud: NDArray[np.float32] = np.zeros((0, 2), np.float32)
        self._drawn = 0
        self.marks: tuple[Mark, ...] = ()
        self._moments: tuple[int, ...] = ()
        self.valueChanged.connect(self._moved)

    # --- what it shows --------------------------------------------------------------------------

    def render_view(self, view: View, agent: str, party: str) -> None:
        self._view, self._voices = view, (agent, party)
        self.setAccessibleName(view.texts("review.waveform"))
        self._tell()
        self.update()

    def begin(self, length: int) -> None:
        """Another recording, of so many samples a side; its sound comes little by little."""
        self._length, self._at = length, 0
        columns = min(COLUMNS, max(1, length // (RATE // 50))) if length else 0
        self._loud, self._drawn = np.zeros((columns, 2), np.float32), 0
        self.marks, self._moments = (), ()
        self.setValue(0)
        self.setRange(0, -(-length // RATE))
        self._tell()
        self.update()

    def forget(self) -> None:
        self.begin(0)

    def take(self, first: int, loud: NDArray[np.float32]) -> None:
        self._loud[first : first + len(loud)] = loud
        self._drawn = first + len(loud)
        self.update()

    def show_marks(self, marks: Sequence[Mark]) -> None:
        self.marks = tuple(marks)
        self._tell()
        self.update()

    def show_moments(self, moments: Sequence[int]) -> None:
        """Where the comments are, in their order."""
        self._moments = tuple(moments)
        self.update()

    def show_position(self, at: int) -> None:
        if at == self._at:
            return
        self._at = at
        self.update()
        if at // RATE != self.value():
            self.setValue(at // RATE)
            self._tell()

    def _moved(self, second: int) -> None:
        """From somebody without the page's keys: a screen reader."""
        if second != self._at // RATE:
            self.jumped.emit(min(second * RATE, self._length))

    @property
    def shows_sound(self) -> bool:
        """Whether anything of a recording is in memory here."""
        return bool(len(self._loud))

    @property
    def drawn_whole(self) -> bool:
        return 0 < len(self._loud) == self._drawn

    def _tell(self) -> None:
        if self._view is None:
            return
        texts, text = self._view.texts, ""
        if self._length:
            at, of = (words.spoken_length(texts, samples / RATE) for samples in (self._at, self._length))
            text = ". ".join(filter(None, (texts("review.waveform.at", at=at, of=of), words.marks(texts, self.marks))))
        self.setAccessibleDescription(text)

    def sizeHint(self) -> QSize:
        return QSize(560, 160)

    # --- pointing -------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._length and event.buttons() & Qt.MouseButton.LeftButton:
            self.jumped.emit(self._sample(event.position().x()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """As a slider's; the arrow keys are the page's, wherever the focus is."""
        page = self.pageStep() * RATE
        to = {
            Qt.Key.Key_PageUp: self._at + page, Qt.Key.Key_PageDown: self._at - page,
            Qt.Key.Key_Home: 0, Qt.Key.Key_End: self._length,
        }.get(Qt.Key(event.key()))  # fmt: skip
        if to is None or not self._length:
            event.ignore()
        else:
            self.jumped.emit(min(max(to, 0), self._length))

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent) and self._view is not None and self._length:
            x = event.pos().x()
            inside = next((one for one in self.marks if self._box(one).left() <= x <= self._box(one).right()), None)
            text = words.mark(self._view.texts, inside) if inside else words.length(self._sample(x) / RATE)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)  # pyright: ignore[reportArgumentType]

    def _sample(self, x: float) -> int:
        wide = self._right() - LABELS
        return round(min(1.0, max(0.0, (x - LABELS) / wide)) * self._length) if wide > 0 else 0

    def _x(self, sample: int) -> float:
        return LABELS + (self._right() - LABELS) * sample / max(1, self._length)

    def _right(self) -> float:
        return self.width() - 16.0

    # --- drawing --------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._view is None:
            return
        theme = self._view.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lane = (self.height() - TOP - 10) / 2
        if self._length:
            for mark in self.marks:
                self._draw_still(painter, theme, mark)
        for voice, (name, colour) in enumerate(zip(self._voices, (theme.accent, theme.muted), strict=True)):
            middle = TOP + lane * (voice + 0.5)
            painter.setFont(font(SMALL))
            painter.setPen(QColor(theme.muted))
            box = QRectF(10, middle - 10, LABELS - 14, 20)
            shown = QFontMetricsF(painter.font()).elidedText(name, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
            self._draw_voice(painter, colour, theme.neutral.edge, middle, lane * 0.46, voice)
        if self._length:
            place = -BESIDE
            for number, sample in enumerate(self._moments, start=1):
                place = min(max(self._x(sample), place + BESIDE), self._right())
                painter.setPen(QPen(QColor(theme.accent), 2))
                painter.drawLine(QPointF(place, TOP / 2 + 1), QPointF(self._x(sample), TOP + 5))
                draw_mark(painter, theme, QPointF(place, TOP / 2 + 1), number)
            here = self._x(self._at)
            painter.setPen(QPen(QColor(theme.red.mark), 2))
            painter.drawLine(QPointF(here, TOP - 2), QPointF(here, self.height() - 8))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 8, 8)
        painter.end()

    def _draw_voice(self, painter: QPainter, colour: str, faint: str, middle: float, high: float, voice: int) -> None:
        """A bar for loud sound, a dot for silence, a fainter one for what is still to come."""
        step = BAR + APART
        count = int((self._right() - LABELS) / step)
        if not count or not len(self._loud):
            return
        edges = np.linspace(0, len(self._loud), count + 1).astype(int)
        starts = np.minimum(edges[:-1], len(self._loud) - 1)
        loud = np.maximum.reduceat(self._loud[:, voice], starts)
        # Speech lies between -40 and -6 dBFS: with a root the quiet voice shows beside the loud one.
        heights = np.where(loud > QUIETEST, np.sqrt(loud) * high, 0.0)
        painter.setPen(Qt.PenStyle.NoPen)
        for bar in range(count):
            known = edges[bar] < self._drawn
            painter.setBrush(QColor(colour if known else faint))
            tall = max(1.0, float(heights[bar]))
            painter.drawRect(QRectF(LABELS + bar * step, middle - tall, BAR, 2 * tall))

    def _box(self, mark: Mark) -> QRectF:
        left, right = self._x(mark.at), self._x(mark.at + mark.samples)
        return QRectF(left, TOP, max(NARROWEST, right - left), self.height() - TOP - 8)

    def _draw_still(self, painter: QPainter, theme: Theme, mark: Mark) -> None:
        assert self._view is not None
        tone, box = theme.blue if mark.kind is MarkKind.PAUSE else theme.amber, self._box(mark)
        if not mark.samples:
            painter.fillRect(box, QColor(tone.mark))
            return
        painter.fillRect(box, QColor(tone.fill))
        hatch = QColor(tone.edge)
        hatch.setAlphaF(0.35)
        painter.fillRect(box, QBrush(hatch, Qt.BrushStyle.BDiagPattern))
        label = words.mark(self._view.texts, mark)
        painter.setFont(font(SMALL, tabular=True))
        painter.setPen(QColor(tone.ink))
        metrics = QFontMetricsF(painter.font())
        wide, tall = metrics.horizontalAdvance(label) + 8, metrics.height() + 2
        upright = box.width() < wide
        if upright and (box.width() < tall - 2 or box.height() < wide):
            return  # too narrow for words: the line under the picture has them
        painter.save()
        painter.translate(box.center())
        if upright:
            painter.rotate(-90)
        plate = QRectF(-wide / 2, -tall / 2, wide, tall)
        painter.fillRect(plate, QColor(tone.fill))
        painter.drawText(plate, int(Qt.AlignmentFlag.AlignCenter), label)
        painter.restore()


def draw_mark(painter: QPainter, theme: Theme, at: QPointF, number: int) -> None:
    """A comment's number in a circle."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.accent))
    painter.drawEllipse(at, 9, 9)
    painter.setPen(QColor(theme.on_accent))
    painter.setFont(font(11, strong=True))
    painter.drawText(QRectF(at.x() - 9, at.y() - 9, 18, 18), int(Qt.AlignmentFlag.AlignCenter), str(number))
