"""The two live levels on the card: proof that there is sound, and whose. They are drawn, and know no call."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from softphone.ui.theme.style import SMALL, font
from softphone.wire.from_engine import Levels

_QUIET_DB, _LOUD_DB = -54.0, -6.0
_FALLS = 0.7
"""of what a level has lost, this share is still shown at the next look: a bar that jumps cannot be read"""
_BAR, _LEAST_BAR, _GAP, _HIGH = 64.0, 28.0, 8.0, 5.0


class Voices:
    """The agent's and the party's, each from 0 to 1."""

    def __init__(self) -> None:
        self._shown = (0.0, 0.0)

    @property
    def shown(self) -> tuple[float, float]:
        return self._shown

    def silence(self) -> None:
        self._shown = (0.0, 0.0)

    def take(self, levels: Levels) -> bool:
        """Whether that can be seen."""
        now = (_share(levels.microphone), _share(levels.speaker))
        new = tuple(max(level, before * _FALLS) for level, before in zip(now, self._shown, strict=True))
        mine, theirs = (0.0 if one < 0.01 else one for one in new)
        changed = (mine, theirs) != self._shown
        self._shown = (mine, theirs)
        return changed

    def draw(self, painter: QPainter, area: QRectF, names: tuple[str, ...], colour: str) -> None:
        """Two names with a bar each."""
        painter.setFont(font(SMALL))
        metrics, left = QFontMetricsF(painter.font()), area.left()
        wanted = sum(metrics.horizontalAdvance(name) for name in names)
        wide = min(_BAR, max(_LEAST_BAR, (area.width() - wanted - 16) / 2 - _GAP))
        room = wanted if wide > _LEAST_BAR else (area.width() - 16) / 2 - wide - _GAP
        for name, share in zip(names, self._shown, strict=True):
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
            painter.setPen(QColor(colour))
            middle = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(
                QRectF(left, area.top(), metrics.horizontalAdvance(shown) + 2, area.height()), middle, shown
            )
            left += metrics.horizontalAdvance(shown) + _GAP
            bar(painter, QRectF(left, area.center().y() - _HIGH / 2, wide, _HIGH), colour, share)
            left += wide + 16


def bar(painter: QPainter, track: QRectF, colour: str, share: float) -> None:
    """A level, or how far something has come."""
    half, pale = track.height() / 2, QColor(colour)
    pale.setAlphaF(0.3)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(pale)
    painter.drawRoundedRect(track, half, half)
    if share > 0:
        painter.setBrush(QColor(colour))
        wide = max(track.height(), track.width() * share)
        painter.drawRoundedRect(QRectF(track.left(), track.top(), wide, track.height()), half, half)


def _share(level: float) -> float:
    return min(1.0, max(0.0, (level - _QUIET_DB) / (_LOUD_DB - _QUIET_DB)))
