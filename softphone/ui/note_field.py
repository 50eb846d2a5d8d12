"""The field for the agent's own note about a call. It is saved as it is written, and shows what the engine has of it.

What is typed stays with the call that it was begun for, whichever call the window shows by then. A message for the agent is
`softphone.ui.note`.
"""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QToolTip

from softphone.ui.fields import TextLabel
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BODY, NOTE_PADDING, SMALL, label_font
from softphone.ui.view import View, new_id
from softphone.wire.snapshot import NOTE_LENGTH
from softphone.wire.to_engine import SaveNote

_PAUSE = 300
"""ms without a key after which what was written is saved"""
_BREAK = 2000
"""ms without a key after which an agent no longer writes about a call that has gone from the page: longer than it takes to find
a key, shorter than it takes to hear what the next one wants"""
_MOST_LINES = 4
_DELETES = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
_EDGE, _UNDER = 1, 4


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
        self._next: tuple[View, str, str, str] | None = None
        """what is to be shown once the agent makes a break"""
        self._lines = 1
        self._full = ""
        """what is said when there is no room for more"""
        self._timer = QTimer(self, interval=_PAUSE, singleShot=True)
        self._timer.timeout.connect(self.save)
        self._writing = QTimer(self, interval=_BREAK, singleShot=True)
        self._writing.timeout.connect(self.go_over)
        self._whose = ""
        self.still = TextLabel("noteStill", size=SMALL, role="warning")
        """whom the note is about, while the page is another call's"""
        self.still.setParent(self)
        self.still.hide()
        self.textChanged.connect(self._written)
        self.rescale()

    def render_view(self, view: View, call: str, note: str, about: str) -> None:
        """`about`: whom the call is with."""
        if call != self._call and self.hasFocus() and self._writing.isActive():
            self._next = (view, call, note, about)
            self._say_whose(view)
            return
        self._next = None
        if call != self._call and self._call and self.window().focusWidget() is self:
            self.window().setFocus()  # what is typed on, also after a look at another program, is not meant for this one
        self._whose = about
        self._say_whose(view)
        self.setPlaceholderText(view.texts("note.write"))
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

    def _say_whose(self, view: View) -> None:
        """Seen and heard where the page is another call's."""
        still = view.texts("note.still", who=self._whose) if self._next else ""
        self.setAccessibleName(still or view.texts("note.name"))
        if still != self.still.text():
            self.still.setText(still)
            self.still.setVisible(bool(still))
            self.setViewportMargins(0, self._above(), 0, 0)
            self._place_still()
            self.updateGeometry()
            self.resized.emit()

    def _above(self) -> int:
        return self.still.sizeHint().height() + _UNDER if self.still.text() else 0

    def _place_still(self) -> None:
        left = self.viewport().x() + ceil(self.document().documentMargin())  # where the words begin
        self.still.setGeometry(left, _UNDER + _EDGE, self.width() - 2 * left, self.still.sizeHint().height())

    def go_over(self) -> None:
        """The agent has made a break, or has turned to another call by a press: the field is the shown call's."""
        self._writing.stop()
        if (shown := self._next) is not None:
            self._next = None
            self.render_view(*shown)

    @property
    def is_written_in(self) -> bool:
        """The agent is in the middle of it."""
        return self.hasFocus() and self._writing.isActive()

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
        self.still.rescale()
        if self.still.text():
            self.setViewportMargins(0, self._above(), 0, 0)
            self._place_still()
        self._measure()

    def sizeHint(self) -> QSize:
        around = _EDGE + px(NOTE_PADDING) + ceil(self.document().documentMargin())
        return QSize(80, ceil(self.fontMetrics().lineSpacing() * self._lines) + 2 * around + self._above())

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
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.go_over()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.save()
        self.go_over()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_still()

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
        self._writing.start()
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
