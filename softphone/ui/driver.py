"""A hand at the desk, for the demo and for tests: it presses the real widgets of the real window and takes pictures.

It sees what a person sees. It sends no command by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from softphone.domain.errors import EngineError
from softphone.ui.app import Desk
from softphone.ui.controls import Control


def end_program() -> None:
    """The program's loop ends."""
    QApplication.exit(0)


def can_be_pressed(widget: QWidget) -> bool:
    """It is on, and has stood unchanged for long enough to be meant."""
    return widget.isEnabled() and (not isinstance(widget, Control) or widget.takes_presses)


class NotThereError(Exception):
    """The widget is not on the window, or cannot be pressed now."""


class DeskDriver:
    """Presses by the widgets' object names: `answer`, `optOut`, `dispute`, `hangUp` …"""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def press(self, name: str) -> None:
        """A click with the left button in the middle of the widget. Raises NotThereError if a person could not do it."""
        widget = self._find(name)
        if widget is None or not can_be_pressed(widget):
            raise NotThereError(name)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(widget.width() // 2, widget.height() // 2))

    def can_press(self, name: str) -> bool:
        widget = self._find(name)
        return widget is not None and can_be_pressed(widget)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        QTimer.singleShot(round(seconds * 1000), self._desk, action)

    def picture(self, path: Path) -> None:
        """The window as it is now, as PNG. Raises EngineError if it cannot be written."""
        if not self._desk.window.grab().save(str(path), "PNG"):
            raise EngineError("error.pictures.unwritable", path=str(path))

    def leave(self) -> None:
        """The window is closed and the program's loop ends."""
        self._desk.close()
        end_program()

    def _find(self, name: str) -> QWidget | None:
        for top in (self._desk.window, self._desk.incoming):
            for widget in top.findChildren(QAbstractButton, name):
                if widget.isVisibleTo(top):
                    return widget
        return None
