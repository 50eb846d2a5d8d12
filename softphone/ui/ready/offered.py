"""A number that a link names, offered to the agent. It takes no keyboard, replaces nothing that the agent has typed, and comes
after a call, not into it. It dials nothing, and Return dials it only once the agent has touched the field.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from softphone.ui.fields import TextLabel
from softphone.ui.note import announcement
from softphone.ui.segments import Chip
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, readable_target

_NO_EDIT = {
    *(Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab),
    *(Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta),
    *(Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock),
}
"""keys that say nothing about the number"""
_PRESSES = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Select}
_BY_KEY = {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason}


class Offered(QWidget):
    """Beside `field`, the dial field, and `call`, its button. taken(target): the agent wants it instead of what is typed."""

    taken = Signal(str)

    def __init__(self, field: QLineEdit, call: QWidget) -> None:
        super().__init__()
        self.setObjectName("offered")
        self._field, self._call = field, call
        self._waiting = ""
        """not in the field, for there is a call or the agent's own text"""
        self._untouched = ""
        """in the field as the link named it"""
        self.hint = TextLabel("offeredHint", size=SMALL, role="muted", wrap=True)
        self.take = Chip("takeOffered")
        self.take.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.hint)
        layout.addWidget(self.take)
        self.hide()
        self.take.clicked.connect(self._take)
        field.textChanged.connect(self.touched)
        field.installEventFilter(self)
        call.installEventFilter(self)

    @property
    def untouched(self) -> bool:
        return bool(self._untouched)

    def offer(self, target: str, view: View | None) -> None:
        self._waiting = target
        self.take.hide()
        if view is not None:
            self.render_view(view)

    def render_view(self, view: View) -> None:
        if self._waiting and self.take.isHidden() and view.snapshot is not None and view.call is None:
            self._bring()
            self._show_words(view)
            QAccessible.updateAccessibility(announcement(self, self.hint.text()))
        elif not self.isHidden():
            self._show_words(view)

    def _bring(self) -> None:
        if self._field.text() and not self._untouched:
            self.take.show()
        else:
            target, self._waiting = self._waiting, ""
            self._field.setText(target)
            self._untouched = target
        self.show()

    def _show_words(self, view: View) -> None:
        target = readable_target(self._waiting or self._untouched)
        self.hint.setText(view.texts("dial.offered.beside" if self._waiting else "dial.offered", target=target))
        self.take.show_as(view, view.texts("dial.offered.take"), name=view.texts("dial.offered.take"))

    def touched(self) -> None:
        """By the agent: what stands in the field is theirs."""
        self._untouched = ""
        if self.take.isHidden():
            self.hide()

    def _take(self) -> None:
        target, self._waiting = self._waiting, ""
        self.take.hide()
        self.hide()
        self.taken.emit(target)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._untouched and watched is self._call:
            # The keyboard may still be there from before, or come there as a call ends.
            if isinstance(event, QFocusEvent) and event.gotFocus() and event.reason() in _BY_KEY:
                self.touched()
            return isinstance(event, QKeyEvent) and event.key() in _PRESSES and self.untouched
        if self._untouched:
            if _writes(event):
                self._field.selectAll()  # what the agent was about to write replaces it
            if _touches(event):
                self.touched()
        return super().eventFilter(watched, event)


def _writes(event: QEvent) -> bool:
    if event.type() is QEvent.Type.InputMethod:
        return True
    if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.KeyPress:
        return False
    return event.matches(QKeySequence.StandardKey.Paste) or (bool(event.text()) and event.text().isprintable())


def _touches(event: QEvent) -> bool:
    if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
        return event.key() not in _NO_EDIT
    return event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.InputMethod)
