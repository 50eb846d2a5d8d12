"""The icon in the tray: the headline's icon and colour for a person in another program, or that calls were missed, and a menu
to open the window, to copy the version, or to quit.

Without a tray there is none.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from softphone.ui.settings.support import VERSION
from softphone.ui.view import View
from softphone.ui.words.card import card_words


class Tray(QObject):
    """pressed(): the window is asked for; left(): the program is to end."""

    pressed = Signal()
    left = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon = QSystemTrayIcon(self) if QSystemTrayIcon.isSystemTrayAvailable() else None
        self._shown = ""
        self.menu = QMenu()
        self.menu.setObjectName("trayMenu")
        self.open_action, self.about_action, self.quit_action = QAction(self), QAction(self), QAction(self)
        self.menu.addActions([self.open_action, self.about_action, self.quit_action])
        self.about_action.triggered.connect(lambda: QApplication.clipboard().setText(VERSION))
        self.open_action.triggered.connect(lambda: self.pressed.emit())
        self.quit_action.triggered.connect(lambda: self.left.emit())
        if self._icon:
            self._icon.setContextMenu(self.menu)
            self._icon.activated.connect(self._press)

    @property
    def there(self) -> bool:
        """Whether this desktop shows one."""
        return self._icon is not None

    def close(self) -> None:
        if self._icon:
            self._icon.hide()
        self.menu.deleteLater()

    def tell(self, view: View, code: str) -> None:
        """Beside the icon, once."""
        if self._icon:
            self._icon.showMessage("Klartone", view.texts(code), self._icon.icon())

    def _press(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Context:  # then the menu opens
            self.pressed.emit()

    def render_view(self, view: View) -> None:
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.setBadgeNumber(len(view.missed))  # on the program's own icon, where the system shows one
        if self._icon is None:
            return
        name, colour, said = sign(view)
        if f"{name}{colour}" != self._shown:
            self._shown = f"{name}{colour}"
            self._icon.setIcon(view.icons.icon(name, colour, 22))
            self._icon.show()
        self._icon.setToolTip(f"Klartone – {said}" if said else "Klartone")
        self.open_action.setText(view.texts("tray.open"))
        self.about_action.setText(view.texts("tray.about", version=VERSION))
        self.quit_action.setText(view.texts("tray.quit"))


def sign(view: View) -> tuple[str, str, str]:
    """The icon, its colour, and what it says: the call's headline, or who has been missed; nothing where nothing is to say."""
    if (call := view.call) is not None:
        words = card_words(view, call)
        return words.icon, view.theme.tone(words.tone).mark, words.sentence
    if not view.connected:
        return "warning", view.theme.muted, ""
    if missed := len(view.missed):
        return "phone_missed", view.theme.amber.mark, view.texts("missed.count", count=missed)
    return "phone", view.theme.muted, ""
