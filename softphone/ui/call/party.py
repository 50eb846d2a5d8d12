"""Who is at the other end: name, running time, number (one click copies it) and line. It knows nothing of recording."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.controls import QuietButton
from softphone.ui.fields import TextLabel
from softphone.ui.theme.style import NAME, SMALL, TIMER
from softphone.ui.view import View, duration, readable
from softphone.ui.words.kept import duration_of
from softphone.wire import CallState


class PartyView(QWidget):
    """Two lines of fixed height: name and time, number and line."""

    def __init__(self) -> None:
        super().__init__()
        self.name = TextLabel("partyName", size=NAME, strong=True)
        self.timer = TextLabel("callTimer", size=TIMER, role="muted", tabular=True)
        self.timer.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.number = QuietButton("copyNumber", size=15)
        self.line = TextLabel("lineName", size=SMALL, role="muted")
        self._copied = QTimer(self, singleShot=True, interval=1500)
        self._copied.timeout.connect(self._show_number)
        self._view: View | None = None
        self._call: CallState | None = None
        self.number.clicked.connect(self._copy)

        first = QHBoxLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.timer, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        second = QHBoxLayout()
        second.setSpacing(2)
        second.setContentsMargins(0, 0, 0, 0)
        second.addWidget(self.number)
        second.addWidget(self.line, 1)
        self.number.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(first)
        layout.addLayout(second)
        self.setFixedHeight(58)

    def render_view(self, view: View, call: CallState) -> None:
        self._view, self._call = view, call
        self.name.setText(call.name or readable(call.number) or view.texts("party.unknown"))
        seconds = duration_of(call, view.now)
        self.timer.setText(duration(seconds) if seconds is not None and view.connected else "")
        name = view.name_of_line(call)
        self.line.setText(f"· {name}" if name and call.number else name)
        self.number.setVisible(bool(call.number))
        if not self._copied.isActive():
            self._show_number()

    def _show_number(self) -> None:
        if self._view and self._call:
            text = self._view.texts("party.copy")
            self.number.show_as(self._view, readable(self._call.number), icon="copy", why=text)
            self.number.updateGeometry()

    def _copy(self) -> None:
        if self._view and self._call:
            QApplication.clipboard().setText(self._call.number)
            self.number.show_as(self._view, self._view.texts("party.copied"), icon="check")
            self.number.updateGeometry()
            self._copied.start()
