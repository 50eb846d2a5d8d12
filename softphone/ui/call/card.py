"""The status card: the one coloured thing on the page. Its height never changes; colours only by meaning."""

from __future__ import annotations

import re

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from softphone.ui.theme.style import BODY, CARD_RADIUS, HEADLINE, SMALL, font
from softphone.ui.view import View
from softphone.ui.words.card import CardWords

_PAD, _ICON, _FOOT = 14.0, 24.0, 30.0


class StatusCard(QWidget):
    """Headline with its icon, purposes, why; at the foot a countdown, or the violet line of a lock.

    Painted as one, so that no state can push another's lines about. `accessibleName` is the whole sentence.
    """

    HEIGHT = 152

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("statusCard")
        self.setFixedHeight(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._words: CardWords | None = None
        self._view: View | None = None

    @property
    def words(self) -> CardWords | None:
        """What it says."""
        return self._words

    def render_view(self, view: View, words: CardWords) -> None:
        look_changed = self._view is None or self._view.theme is not view.theme
        self._view = view
        if words == self._words and not look_changed:
            return
        self._words = words
        lines = [words.sentence, words.sub, words.body, words.lock]
        spoken = ". ".join(line.rstrip(".") for line in dict.fromkeys(lines) if line)
        self.setAccessibleName(words.sentence)
        self.setAccessibleDescription(spoken)
        self.setToolTip("\n".join(line for line in (words.body if self.overflows() else "", words.lock) if line))
        self.update()

    def overflows(self) -> bool:
        """Whether some words do not fit in the card."""
        words = self._words
        if words is None:
            return False
        width = self._text_width()
        height = self._height(words.sub, font(BODY, strong=True), width) + self._height(
            self._body_whole(), self._small(), width
        )
        title = QFontMetricsF(font(HEADLINE, strong=True)).horizontalAdvance(words.title)
        return height + 47 > self.HEIGHT - self._foot(words) or title > width

    def _body_whole(self) -> str:
        """A number stays with its word: *8 sek.*, *siden 10.42*."""
        assert self._words is not None
        kept = re.sub(r"(\d) (sek\.|s\b)", "\\1\N{NO-BREAK SPACE}\\2", self._words.body)
        return re.sub(r"\b(kl\.|siden|since|at) (\d)", "\\1\N{NO-BREAK SPACE}\\2", kept)

    def shown_body(self) -> str:
        """The body as far as there is room: a long assessment loses its last words, never since when it holds."""
        if self._words is None:
            return ""
        body, width = self._body_whole(), self._text_width()
        room = (
            self.HEIGHT - self._foot(self._words) - 47 - self._height(self._words.sub, font(BODY, strong=True), width)
        )
        head, dot, tail = body.rpartition(" · ")
        shown, words = body, (head if dot else body).split(" ")
        while words and self._height(shown, self._small(), width) > room:
            words.pop()
            shown = f"{' '.join(words)} …{dot}{tail if dot else ''}"
        return shown

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._view is None or self._words is None:
            return
        words, theme, tone = self._words, self._view.theme, self._view.theme.tone(self._words.tone)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        thick = 2.0 if words.tone == "fault" else 1.0
        box = QRectF(self.rect()).adjusted(thick / 2, thick / 2, -thick / 2, -thick / 2)
        outline = QPainterPath()
        outline.addRoundedRect(box, CARD_RADIUS, CARD_RADIUS)
        painter.fillPath(outline, QColor(tone.fill))
        if words.lock:
            self._draw_lock(painter, outline, box)
        painter.setPen(QPen(QColor(tone.edge), thick))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(outline)

        left, width = _PAD + _ICON + 10, self._text_width()
        self._view.icons.draw(painter, words.icon, tone.mark, QRectF(_PAD, 13, _ICON, _ICON))
        painter.setFont(font(HEADLINE, strong=True))
        painter.setPen(QColor(tone.mark if words.tone == "fault" else tone.ink))
        middle = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(left, 11, self.width() - left - 8, 28), middle, words.title)
        wrap = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        painter.setPen(QColor(tone.ink))
        painter.setFont(font(BODY, strong=True))
        height = self._height(words.sub, font(BODY, strong=True), width)
        painter.drawText(QRectF(left, 44, width, height + 2), wrap, words.sub)
        painter.setFont(self._small())
        painter.drawText(QRectF(left, 44 + height + 3, width, self.HEIGHT), wrap, self.shown_body())
        if words.progress is not None and not words.lock:
            self._draw_progress(painter, words.progress, tone.mark)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), CARD_RADIUS, CARD_RADIUS)
        painter.end()

    def _draw_lock(self, painter: QPainter, outline: QPainterPath, box: QRectF) -> None:
        assert self._view is not None
        assert self._words is not None
        theme = self._view.theme
        strip = QPainterPath()
        strip.addRect(QRectF(box.left(), box.bottom() - _FOOT, box.width(), _FOOT))
        painter.fillPath(outline.intersected(strip), QColor(theme.lock_fill))
        middle = box.bottom() - _FOOT / 2
        self._view.icons.draw(painter, "lock", theme.lock_ink, QRectF(_PAD + 2, middle - 8, 16, 16))
        used = font(SMALL - 1, tabular=True)
        painter.setFont(used)
        painter.setPen(QColor(theme.lock_ink))
        area = QRectF(_PAD + 25, box.bottom() - _FOOT, self.width() - _PAD - 25 - 6, _FOOT)
        metrics, shown = QFontMetricsF(used), self._words.lock
        if metrics.horizontalAdvance(shown) > area.width():
            shown = shown.partition(" · ")[0]  # its meaning stays whole; since when stands in the tooltip
        shown = metrics.elidedText(shown, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)

    def _draw_progress(self, painter: QPainter, done: float, colour: str) -> None:
        track = QRectF(_PAD, self.HEIGHT - 18, self.width() - 2 * _PAD, 4)
        pale = QColor(colour)
        pale.setAlphaF(0.25)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pale)
        painter.drawRoundedRect(track, 2, 2)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), max(4.0, track.width() * done), 4), 2, 2)

    @staticmethod
    def _foot(words: CardWords) -> float:
        """What the lock or the countdown takes at the foot."""
        return _FOOT if words.lock else 22.0 if words.progress is not None else 6.0

    def _text_width(self) -> float:
        return self.width() - _PAD - _ICON - 10 - _PAD + 2

    @staticmethod
    def _small() -> QFont:
        return font(SMALL, tabular=True)

    @staticmethod
    def _height(text: str, used: QFont, width: float) -> float:
        wrap = int(Qt.TextFlag.TextWordWrap)
        return QFontMetricsF(used).boundingRect(QRectF(0, 0, width, 1000), wrap, text).height() if text else 0.0
