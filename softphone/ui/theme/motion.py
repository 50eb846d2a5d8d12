"""Whether things may move, and the one movement there is: what was there fades into what comes."""

from __future__ import annotations

import os
import sys
from configparser import ConfigParser, Error
from functools import cache
from pathlib import Path

from PySide6.QtCore import QAbstractAnimation, QVariantAnimation
from PySide6.QtGui import QGuiApplication, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

FADE = 120
"""ms"""
_UNSEEN = ("offscreen", "minimal")
"""platforms of Qt that nobody watches"""


@cache
def is_reduced() -> bool:
    """Whether the person has asked their system for less movement. Read once: a change holds from the next start on."""
    if QGuiApplication.platformName() in _UNSEEN:
        return True
    if sys.platform == "win32":
        return not _windows_animates()
    return desktop_says_no(Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"))


def _windows_animates() -> bool:
    if sys.platform != "win32":
        return True
    import ctypes

    animates, on = 0x1042, ctypes.c_int(1)  # SPI_GETCLIENTAREAANIMATION
    ctypes.windll.user32.SystemParametersInfoW(animates, 0, ctypes.byref(on), 0)
    return bool(on.value)


def desktop_says_no(config: Path) -> bool:
    """As GTK's and KDE's settings have it, where desktops write such a wish for programs that are not their own."""
    for file, section, key, no in (
        ("gtk-4.0/settings.ini", "Settings", "gtk-enable-animations", ("0", "false")),
        ("gtk-3.0/settings.ini", "Settings", "gtk-enable-animations", ("0", "false")),
        ("kdeglobals", "KDE", "AnimationDurationFactor", ("0",)),
    ):
        read = ConfigParser(interpolation=None, strict=False)
        try:
            read.read(config / file, encoding="utf-8")
        except (Error, OSError, UnicodeDecodeError):
            continue
        if read.get(section, key, fallback="").strip().lower() in no:
            return True
    return False


class Fade:
    """For a widget that paints itself: call `begin` before it changes, and `over` at the end of its painting."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._before = QPixmap()
        self._run = QVariantAnimation(widget)
        self._run.setDuration(FADE)
        self._run.setStartValue(1.0)
        self._run.setEndValue(0.0)
        self._run.valueChanged.connect(widget.update)
        self._run.finished.connect(self._done)

    @property
    def running(self) -> bool:
        return self._run.state() is QAbstractAnimation.State.Running

    def begin(self) -> None:
        if is_reduced() or not self._widget.isVisible():
            return
        self._run.stop()
        self._before = self._widget.grab()
        self._run.start()

    def over(self, painter: QPainter) -> None:
        """What was there before, as far as it has not faded."""
        if not self._before.isNull():
            painter.save()
            painter.resetTransform()
            painter.setOpacity(float(self._run.currentValue()))
            painter.drawPixmap(0, 0, self._before)
            painter.restore()

    def _done(self) -> None:
        self._before = QPixmap()
        self._widget.update()
