"""How large the window's text is: the user's choice times the system's own. All that is measured in pixels grows with it.

Controls paint in their own units and are scaled as a whole (`Control`); a label's font is scaled by itself.
"""

from __future__ import annotations

import sys
from typing import Protocol, runtime_checkable

from PySide6.QtWidgets import QApplication

from softphone.wire.snapshot import TextSize

_CHOSEN = {TextSize.NORMAL: 1.0, TextSize.LARGE: 1.15, TextSize.LARGER: 1.3, TextSize.LARGEST: 1.5}
_USUAL_POINTS = {"win32": 9.0, "darwin": 13.0}
_USUAL_ELSEWHERE = 11.0
"""points of the system's font where nobody has changed it"""
_MOST = 2.0

_system = 1.0
_factor = 1.0


@runtime_checkable
class Scaled(Protocol):
    """A widget that measures something in pixels by itself."""

    def rescale(self) -> None: ...


def factor() -> float:
    return _factor


def px(units: float) -> int:
    """Pixels for what measures this in normal text."""
    return round(units * _factor)


def take_system_size(points: float) -> None:
    """The system's own font size, as it is before ours is set. It makes the text larger, never smaller than drawn."""
    global _system
    usual = _USUAL_POINTS.get(sys.platform, _USUAL_ELSEWHERE)
    _system = min(_MOST, max(1.0, points / usual)) if points > 0 else 1.0


def set_text_size(size: TextSize) -> bool:
    """Whether that changes anything."""
    global _factor
    before, _factor = _factor, min(_MOST, _system * _CHOSEN[size])
    return before != _factor


def rescale_all() -> None:
    for widget in QApplication.allWidgets():
        if isinstance(widget, Scaled):
            widget.rescale()
