"""The icon in the tray: the headline's icon and colour, for who looks at another program. Nothing where there is no tray."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QSystemTrayIcon

from softphone.ui.view import View
from softphone.ui.words.card import card_words


class Tray(QObject):
    """pressed(): the window is asked for."""

    pressed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon = QSystemTrayIcon(self) if QSystemTrayIcon.isSystemTrayAvailable() else None
        self._shown = ""
        if self._icon:
            self._icon.activated.connect(self._press)

    def _press(self, _reason: QSystemTrayIcon.ActivationReason) -> None:
        self.pressed.emit()

    def render_view(self, view: View) -> None:
        if self._icon is None:
            return
        call = view.call
        words = card_words(view, call) if call else None
        name = words.icon if words else ("phone" if view.connected else "warning")
        colour = view.theme.tone(words.tone).mark if words else view.theme.muted
        if f"{name}{colour}" != self._shown:
            self._shown = f"{name}{colour}"
            self._icon.setIcon(view.icons.icon(name, colour, 22))
            self._icon.show()
        self._icon.setToolTip(f"Klartone – {words.sentence}" if words else "Klartone")
