"""The keypad of a call, and what was pressed on it. It sends digits, and hears none.

They go to whom the agent talks with. In a call to a colleague that is not the party on the page.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import TextLabel
from softphone.ui.theme.scale import factor
from softphone.ui.theme.style import MARGIN, SMALL, TIMER
from softphone.ui.view import View, new_id, who
from softphone.wire.snapshot import CallPhase, CallState
from softphone.wire.to_engine import SendDigits

_KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#")
_ACROSS, _BETWEEN, _ROW = 3, 6, 4
_KEY, _LEAST_KEY = 40, 28
"""units of height"""
_LETTERS = {"2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL", "6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ"}


class Keypad(QWidget):
    """Twelve keys and what was pressed. command(SendDigits), closed()."""

    command = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("keypadPanel")
        self.to = TextLabel("digitsTo", size=SMALL, role="muted")
        self.to.hide()
        self.pressed = TextLabel("digitsSent", size=TIMER, tabular=True)
        self.close_button = QuietButton("closeKeypad", size=16)
        self.close_button.setFixedHeight(24)
        self.keys = {key: FilledButton(f"key_{_key_name(key)}", "plain", _KEY) for key in _KEYS}
        self._call: CallState | None = None
        grid = QGridLayout()
        grid.setSpacing(_BETWEEN)
        for i, (key, button) in enumerate(self.keys.items()):
            grid.addWidget(button, i // _ACROSS, i % _ACROSS)
            button.take_every_press()
            button.clicked.connect(lambda _checked=False, key=key: self.press(key))
        top = QHBoxLayout()
        top.addWidget(self.to, 1)
        top.addWidget(self.pressed, 1)
        top.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(_ROW)
        layout.addLayout(top)
        layout.addLayout(grid)
        layout.addStretch(1)
        self.close_button.clicked.connect(self.closed)

    def render_view(self, view: View, call: CallState) -> None:
        talks_to = _heard(view, call)
        if self._call is not None and self._call.id != talks_to.id:
            self.pressed.setText("")
            self.closed.emit()  # what is typed on was meant for somebody else
        self._call = talks_to
        self.to.setText(view.texts("keypad.to", who=who(view, talks_to)) if talks_to is not call else "")
        self.to.setVisible(talks_to is not call)
        for key, button in self.keys.items():
            button.show_as(view, key, name=f"{key} {_LETTERS.get(key, '')}".strip(), enabled=view.connected)
        self.close_button.show_as(view, "", icon="close", name=view.texts("tool.keypad.close"))

    def fit(self, high: int) -> None:
        """Into so many px, as far as a key can still be hit."""
        heads = (self.close_button.height(), self.pressed.sizeHint().height(), self.to.sizeHint().height())
        top = max(heads) + 2 * _ROW + (len(_KEYS) // _ACROSS - 1) * _BETWEEN
        each = (high - top) / factor() / (len(_KEYS) // _ACROSS)
        for button in self.keys.values():
            button.fix_height(int(max(_LEAST_KEY, min(_KEY, each))))

    def press(self, key: str) -> None:
        """As if the key were pressed here."""
        if self._call and key in self.keys:
            self.pressed.setText(self.pressed.text() + key)
            self.command.emit(SendDigits(new_id(), self._call.id, key))


def _heard(view: View, call: CallState) -> CallState:
    colleague = view.consultation(call)
    talks = colleague is not None and colleague.phase is CallPhase.CONNECTED and colleague.active
    return colleague if talks and colleague is not None and not colleague.conference else call


def _key_name(key: str) -> str:
    return {"*": "star", "#": "hash"}.get(key, key)
