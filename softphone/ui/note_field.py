"""The field for the agent's own note about a call. It is saved as it is written, and shows what the engine has of it.

A message for the agent is `softphone.ui.note`.
"""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QToolTip

from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BODY, NOTE_PADDING, label_font
from softphone.ui.view import View, new_id
from softphone.wire.snapshot import NOTE_LENGTH
from softphone.wire.to_engine import SaveNote

_PAUSE = 300
"""ms without a key after which what was written is saved"""
_MOST_LINES = 4
_DELETES = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
_EDGE = 1


class NoteField(QPlainTextEdit):
    """command(SaveNote). `resized()`: it wants another height."""

    command = Signal(object)
    resized = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._call = self._engines = ""
        """whose it is, and what the engine had of it last"""
        self._unsaved = False
        self._lines = 1
        self._full = ""
        """what is said when there is no room for more"""
        self._timer = QTimer(self, interval=_PAUSE, singleShot=True)
        self._timer.timeout.connect(self.save)
        self.textChanged.connect(self._written)
        self.rescale()

    def render_view(self, view: View, call: str, note: str) -> None:
        self.setPlaceholderText(view.texts("note.write"))
        self.setAccessibleName(view.texts("note.name"))
        self._full = view.texts("note.full", most=NOTE_LENGTH)
        if call != self._call:
            self.save()
            self._call, self._engines, self._unsaved = call, note, False
            self._show(note)
        elif note != self._engines:
            self._engines = note
            if not (self._unsaved or self.hasFocus()):
                self._show(note)
        self.setReadOnly(not view.connected and not self._unsaved)

    def save(self) -> None:
        """Also before it is written on: the call may be another's in a moment. While the engine is away the desk keeps it."""
        self._timer.stop()
        if self._unsaved:
            self._unsaved = False
            self.command.emit(SaveNote(new_id(), self._call, self.toPlainText()))

    def write_on(self, before: NoteField) -> None:
        """The same call's note has been written in that field so far, and goes on here."""
        if before._call != self._call:
            return
        before.save()
        self._show(before.toPlainText())
        cursor = self.textCursor()
        cursor.setPosition(before.textCursor().position())
        self.setTextCursor(cursor)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def rescale(self) -> None:
        self.setFont(label_font(BODY))
        self._measure()

    def sizeHint(self) -> QSize:
        around = _EDGE + px(NOTE_PADDING) + ceil(self.document().documentMargin())
        return QSize(80, ceil(self.fontMetrics().lineSpacing() * self._lines) + 2 * around)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        """What deletes a word here ends a call elsewhere."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _DELETES:
            event.accept()
            return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.save()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.save()

    def _show(self, note: str) -> None:
        if note != self.toPlainText():
            self.blockSignals(True)
            self.setPlainText(note)
            self.blockSignals(False)
        self._measure()

    def _written(self) -> None:
        if (beyond := len(self.toPlainText()) - NOTE_LENGTH) > 0:
            self._cut(beyond)
        self._unsaved = True
        self._timer.start()
        self._measure()

    def _cut(self, beyond: int) -> None:
        """The end of what was just put in, which ends at the cursor. To undo it takes back both."""
        cursor = self.textCursor()
        if cursor.position() < beyond:
            cursor.movePosition(QTextCursor.MoveOperation.End)
        before = self.toPlainText().encode("utf-16-le", "surrogatepass")[: 2 * cursor.position()]
        kept = before.decode("utf-16-le", "surrogatepass")[:-beyond].encode("utf-16-le", "surrogatepass")
        self.blockSignals(True)
        cursor.joinPreviousEditBlock()
        cursor.setPosition(len(kept) // 2, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        cursor.endEditBlock()
        self.blockSignals(False)
        QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), self._full, self)

    def _measure(self) -> None:
        wanted = max(1, round(self.document().size().height()))
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(policy.ScrollBarAsNeeded if wanted > _MOST_LINES else policy.ScrollBarAlwaysOff)
        if (lines := min(wanted, _MOST_LINES)) != self._lines:
            self._lines = lines
            self.updateGeometry()
            self.resized.emit()
