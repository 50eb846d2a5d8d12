"""Where the window was and how large, from one start to the next. A place on a screen that has gone is not gone to."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from softphone.replacing import replace_file

log = logging.getLogger(__name__)

_LEAST_WIDE, _LEAST_HIGH = 120, 32
"""px of the window's head that must be on a screen, so that it can be taken hold of"""
_MOST = 20_000


def remember(geometry: QRect, file: Path) -> None:
    """A folder that cannot be written costs the place, and nothing else."""
    size = {"width": geometry.width(), "height": geometry.height()}
    place = {"x": geometry.x(), "y": geometry.y(), **size}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(place), encoding="utf-8")
        replace_file(fresh, file)
    except OSError as error:
        log.info("the window's place cannot be kept: %s", error.strerror)


def restore(window: QWidget, file: Path) -> None:
    """Nothing is changed without a file that says where."""
    wanted = _read(file)
    if wanted is None:
        return
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    head = QRect(wanted.topLeft(), wanted.size())
    head.setHeight(_LEAST_HIGH)
    seen = {i: screen.intersected(head) for i, screen in enumerate(screens)}
    i = max(seen, key=lambda one: seen[one].width() * seen[one].height())
    there = seen[i].width() >= min(_LEAST_WIDE, wanted.width()) and seen[i].height() >= _LEAST_HIGH
    room = screens[i] if there else window.screen().availableGeometry()
    window.resize(wanted.size().boundedTo(room.size()))
    if there:
        window.move(wanted.topLeft())


def _read(file: Path) -> QRect | None:
    try:
        place = json.loads(file.read_text(encoding="utf-8"))
        x, y, width, height = (int(place[key]) for key in ("x", "y", "width", "height"))
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    if not (0 < width <= _MOST and 0 < height <= _MOST and abs(x) <= _MOST and abs(y) <= _MOST):
        return None
    return QRect(x, y, width, height)
