"""Whether somebody is at the window: a press or a key in it, seen before any widget of it gets them. It acts on nothing."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QWidget

_HANDS = (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress, QEvent.Type.Wheel, QEvent.Type.TouchBegin)


class Glance(QObject):
    """used(): by a hand, while it is `watch`ed. A window that merely comes to the front was perhaps brought there by a
    program."""

    used = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._watched: QObject | None = None

    def watch(self, *, on: bool) -> None:
        """The system's window may be another one since."""
        wanted = self._window.windowHandle() if on else None
        if wanted is self._watched:
            return
        if self._watched is not None:
            self._watched.removeEventFilter(self)
        if wanted is not None:
            wanted.installEventFilter(self)
        self._watched = wanted

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _HANDS:
            self.used.emit()
        return super().eventFilter(watched, event)
