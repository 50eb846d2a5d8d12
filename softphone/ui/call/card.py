"""The status card: the one coloured thing on the page. Its height never changes; colours only by meaning.

Recording is solid, with a band, a filled mark, its own time and two live levels. Everything else is an outline: the two differ
without any colour too.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from softphone.ui.call.voices import Voices, bar
from softphone.ui.theme.motion import Fade
from softphone.ui.theme.scale import factor, px
from softphone.ui.theme.style import BODY, CARD_RADIUS, HEADLINE, PURPOSES, SMALL, TIMER, font
from softphone.ui.theme.tokens import Tone
from softphone.ui.view import View
from softphone.ui.words.card import CardWords
from softphone.wire.from_engine import Levels

_LEFT, _RIGHT, _ICON, _BAND, _LINE = 20.0, 16.0, 26.0, 8.0, 2.0
_TEXT_AT, _LOCK, _VOICES, _COUNTDOWN = 52.0, 30.0, 26.0, 24.0
_INSET = 2.0
"""of a drawing in its box: its edge, not the box, stands where the lines below begin"""
_SMALLEST_HEADLINE = 20


class StatusCard(QWidget):
    """Headline with its icon, purposes, why; at the foot the levels, a countdown, or the violet line of a lock.

    Painted as one, so that no state can push another's lines about. `accessibleName` is the whole sentence.
    """

    HEIGHT, LOW = 164, 148
    """LOW: in the compact window"""

    def __init__(self, *, low: bool = False) -> None:
        super().__init__()
        self.setObjectName("statusCard")
        self._high = self.LOW if low else self.HEIGHT
        self.setFixedHeight(px(self._high))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._words: CardWords | None = None
        self._view: View | None = None
        self._voices = Voices()
        self._fade = Fade(self)

    @property
    def words(self) -> CardWords | None:
        """What it says."""
        return self._words

    @property
    def voices(self) -> Voices:
        return self._voices

    @property
    def fades(self) -> bool:
        """Whether what was there before is still fading."""
        return self._fade.running

    def rescale(self) -> None:
        """The text size has changed."""
        self.setFixedHeight(px(self._high))
        self.update()

    def be_low(self, wanted: bool) -> None:
        self._high = self.LOW if wanted else self.HEIGHT
        self.rescale()

    def render_view(self, view: View, words: CardWords) -> None:
        look_changed = self._view is None or self._view.theme is not view.theme
        if words == self._words and not look_changed:
            self._view = view
            return
        if (
            self._words is not None
            and not look_changed
            and (words.tone, words.title)
            != (
                self._words.tone,
                self._words.title,
            )
        ):
            self._fade.begin()
        if not words.voices:
            self._voices.silence()
        self._view, self._words = view, words
        lines = [words.sentence, words.sub, words.body, words.lock]
        spoken = ". ".join(line.rstrip(".") for line in dict.fromkeys(lines) if line)
        self.setAccessibleName(words.sentence)
        self.setAccessibleDescription(spoken)
        self.setToolTip("\n".join(line for line in (words.body if self.overflows() else "", words.lock) if line))
        self.update()

    def show_levels(self, levels: Levels) -> None:
        """Of the two voices; only their strip is drawn anew."""
        if self._words is not None and self._words.voices and self._voices.take(levels):
            self.update(0, px(self._voices_at()), self.width(), px(_VOICES))

    # --- what fits ------------------------------------------------------------------------------

    def overflows(self) -> bool:
        """Whether some words do not fit in the card."""
        if self._words is None:
            return False
        return self._needs(self._body_whole()) > self._room() or self._headline()[1] > self._headline_room()

    def _needs(self, body: str) -> float:
        assert self._words is not None
        width = self._text_width()
        sub = self._height(self._words.sub, font(PURPOSES, strong=True), width)
        return sub + (3 if body else 0) + self._height(body, self._small(), width)

    def _room(self) -> float:
        """For purposes and why. The levels give way to words beside a lock, and to nothing else."""
        assert self._words is not None
        return self._high - _TEXT_AT - self._foot(self._words)

    def _foot(self, words: CardWords) -> float:
        if words.lock:
            return _LOCK + (_VOICES - 4 if self._voices_shown() else 2)
        return _VOICES if words.voices else _COUNTDOWN if words.progress is not None else 8.0

    def _voices_shown(self) -> bool:
        words = self._words
        if words is None or not words.voices:
            return False
        return not words.lock or self._needs(self._body_whole()) <= self._high - _TEXT_AT - _LOCK - _VOICES + 4

    def _voices_at(self) -> float:
        assert self._words is not None
        return self._high - _VOICES - (_LOCK - 4 if self._words.lock else 4 if self._words.progress is not None else 0)

    def _headline(self) -> tuple[QFont, float]:
        """The largest font in which it fits, and how wide it is then."""
        assert self._words is not None
        size, room = HEADLINE, self._headline_room()
        while True:
            used = font(size, strong=True)
            wide = QFontMetricsF(used).horizontalAdvance(self._words.title)
            if wide <= room or size <= _SMALLEST_HEADLINE:
                return used, wide
            size -= 1

    def _headline_room(self) -> float:
        assert self._words is not None
        clock = QFontMetricsF(font(TIMER, tabular=True)).horizontalAdvance(self._words.clock)
        return self._wide - _LEFT - _ICON - 8 - _RIGHT - (clock + 8 if clock else 0)

    def _body_whole(self) -> str:
        """A number stays with its word: *8 sek.*, *siden 10.42*."""
        assert self._words is not None
        kept = re.sub(r"(\d) (sek\.|s\b)", "\\1\N{NO-BREAK SPACE}\\2", self._words.body)
        return re.sub(r"\b(kl\.|siden|since|at) (\d)", "\\1\N{NO-BREAK SPACE}\\2", kept)

    def shown_body(self) -> str:
        """The body as far as there is room: a long assessment loses its last words, never since when it holds."""
        if self._words is None:
            return ""
        body, room = self._body_whole(), self._room()
        head, dot, tail = body.rpartition(" · ")
        shown, words = body, (head if dot else body).split(" ")
        while words and self._needs(shown) > room:
            words.pop()
            shown = f"{' '.join(words)} …{dot}{tail if dot else ''}"
        return shown

    # --- painting -------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._view is None or self._words is None:
            return
        words, theme = self._words, self._view.theme
        tone, solid = theme.card(words.tone), words.tone == "red"
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(factor(), factor())
        self._draw_ground(painter, tone, solid=solid)
        self._view.icons.draw(painter, words.icon, tone.mark, QRectF(_LEFT - _INSET, 15, _ICON, _ICON))
        used, _ = self._headline()
        painter.setFont(used)
        painter.setPen(QColor(tone.ink))
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(_LEFT + _ICON + 8, 10, self._wide, 36), left, words.title)
        if words.clock:
            painter.setFont(font(TIMER, tabular=True))
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(QRectF(0, 11, self._wide - _RIGHT, 36), right, words.clock)
        wrap = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        width = self._text_width()
        painter.setFont(font(PURPOSES, strong=True))
        height = self._height(words.sub, painter.font(), width)
        painter.drawText(QRectF(_LEFT, _TEXT_AT, width, height + 2), wrap, words.sub)
        painter.setFont(self._small())
        painter.setPen(QColor(tone.ink if solid else theme.muted))
        painter.drawText(QRectF(_LEFT, _TEXT_AT + height + 3, width, self._high), wrap, self.shown_body())
        if words.progress is not None and not words.lock:
            low = 5.0 if solid else 19.0  # the levels have the foot
            bar(painter, QRectF(_LEFT, self._high - low - 2.5, width, 2.5 if solid else 5), tone.mark, words.progress)
        if self._voices_shown():
            area = QRectF(_LEFT, self._voices_at(), width, _VOICES - 6)
            self._voices.draw(painter, area, words.voices, tone.ink)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.text if solid else theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inner = QRectF(3, 3, self._wide - 6, self._high - 6) if not solid else self._box().adjusted(1, 1, -1, -1)
            painter.drawRoundedRect(inner, CARD_RADIUS - 2, CARD_RADIUS - 2)
        self._fade.over(painter)
        painter.end()

    def _draw_ground(self, painter: QPainter, tone: Tone, *, solid: bool) -> None:
        assert self._words is not None
        inset = 0.0 if solid else _LINE / 2
        box = self._box().adjusted(inset, inset, -inset, -inset)
        outline = QPainterPath()
        outline.addRoundedRect(box, CARD_RADIUS, CARD_RADIUS)
        above = QPainterPath()
        # Not under the lock's line: its round corners would show the red of the ground.
        above.addRect(box.adjusted(0, 0, 0, -_LOCK if self._words.lock else 0))
        painter.fillPath(outline.intersected(above), QColor(tone.fill))
        if self._words.lock:
            self._draw_lock(painter, outline, box, left=_BAND if solid else 0.0)
        if solid:
            band = QPainterPath()
            band.addRect(QRectF(0, 0, _BAND, self._high))
            painter.fillPath(outline.intersected(band), QColor(tone.edge))
            return
        painter.setPen(QPen(QColor(tone.edge), _LINE))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(outline)

    def _draw_lock(self, painter: QPainter, outline: QPainterPath, box: QRectF, *, left: float) -> None:
        assert self._view is not None
        assert self._words is not None
        theme = self._view.theme
        strip = QPainterPath()
        strip.addRect(QRectF(box.left() + left, box.bottom() - _LOCK, box.width(), _LOCK))
        painter.fillPath(outline.intersected(strip), QColor(theme.lock_fill))
        middle = box.bottom() - _LOCK / 2
        self._view.icons.draw(painter, "lock", theme.lock_ink, QRectF(_LEFT, middle - 8, 16, 16))
        used = font(SMALL, strong=True, tabular=True)
        painter.setFont(used)
        painter.setPen(QColor(theme.lock_ink))
        area = QRectF(_LEFT + 23, box.bottom() - _LOCK, self._wide - _LEFT - 23 - 6, _LOCK)
        metrics, shown = QFontMetricsF(used), self._words.lock
        if metrics.horizontalAdvance(shown) > area.width():
            shown = shown.partition(" · ")[0]  # its meaning stays whole; since when stands in the tooltip
        shown = metrics.elidedText(shown, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)

    @property
    def _wide(self) -> float:
        return self.width() / factor()

    def _box(self) -> QRectF:
        return QRectF(0, 0, self._wide, self._high)

    def _text_width(self) -> float:
        return self._wide - _LEFT - _RIGHT

    @staticmethod
    def _small() -> QFont:
        return font(BODY, tabular=True)

    @staticmethod
    def _height(text: str, used: QFont, width: float) -> float:
        wrap = int(Qt.TextFlag.TextWordWrap)
        return QFontMetricsF(used).boundingRect(QRectF(0, 0, width, 1000), wrap, text).height() if text else 0.0
