"""The small window in the corner while somebody rings: who, which line, how long. It never takes the focus."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from softphone.ui.controls import FilledButton
from softphone.ui.fields import Card, Words
from softphone.ui.theme.style import NAME, SMALL
from softphone.ui.view import View, new_id, readable
from softphone.ui.words.card import card_words
from softphone.wire import Answer, CallPhase, CallState, Decline

_WIDTH, _FROM_EDGE = 336, 16


class IncomingWindow(QWidget):
    """command(Answer | Decline). `render_view` shows it while a call rings and hides it when it no longer does."""

    command = Signal(object)

    def __init__(self) -> None:
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags | Qt.WindowType.WindowDoesNotAcceptFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setObjectName("incoming")
        self.card = Card("incomingCard")
        self.waited = Words("incomingWaited", size=SMALL, role="muted", tabular=True)
        self.name = Words("incomingName", size=NAME, strong=True)
        self.line = Words("incomingLine", size=SMALL, role="muted")
        self.recording = Words("incomingRecording", size=SMALL, role="muted", wrap=True)
        self.answer = FilledButton("popupAnswer", "ok", 42)
        self.decline = FilledButton("popupDecline", "danger", 42)
        for button in (self.answer, self.decline):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # by the keyboard it is answered in the desk's window
        self._call: CallState | None = None
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.answer)
        buttons.addWidget(self.decline)
        inside = self._inside = QVBoxLayout(self.card)
        inside.setContentsMargins(16, 12, 16, 16)
        inside.setSpacing(3)
        inside.addWidget(self.waited)
        inside.addWidget(self.name)
        inside.addWidget(self.line)
        inside.addWidget(self.recording)
        inside.addSpacing(8)
        inside.addLayout(buttons)
        layout = self._outside = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.card)
        self.setFixedWidth(_WIDTH)
        self.answer.clicked.connect(lambda: self._send(Answer))
        self.decline.clicked.connect(lambda: self._send(Decline))

    def render_view(self, view: View) -> None:
        call = view.call
        if call is None or call.phase is not CallPhase.INCOMING or not view.connected:
            self._call = None
            self.hide()
            return
        self._call = call
        words = card_words(view, call)
        self.waited.setText(f"{words.title} · {words.sub}")
        self.name.setText(call.name or readable(call.number) or view.texts("party.unknown"))
        told = [readable(call.number) if call.name else "", view.name_of_line(call)]
        self.line.setText(" · ".join(part for part in told if part))
        self.recording.setText(words.body)
        self.answer.show_as(view, view.texts("call.answer"), icon="phone")
        self.decline.show_as(view, view.texts("call.decline"), icon="hang_up")
        self.setWindowTitle(f"{words.title}: {self.name.text()}")
        self._fit()
        self.show()

    def _fit(self) -> None:
        """As high as its words need, also when more of them come: what is recorded is decided while it rings."""
        for widget in (self, *self.findChildren(QWidget)):
            widget.ensurePolished()
        # The card's layout knows of the new words at once, the window's only when it is asked anew.
        for layout in (self._inside, self._outside):
            layout.invalidate()
            layout.activate()
        height = self._outside.totalHeightForWidth(_WIDTH)
        if self.isVisible() and height == self.height():
            return
        self.resize(_WIDTH, height)
        corner = self.screen().availableGeometry().bottomRight()
        self.move(corner.x() + 1 - _WIDTH - _FROM_EDGE, corner.y() + 1 - height - _FROM_EDGE)

    def _send(self, command: type[Answer] | type[Decline]) -> None:
        if self._call:
            self.command.emit(command(new_id(), self._call.id))
