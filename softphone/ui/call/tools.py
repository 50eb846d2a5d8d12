"""The tools of a call: microphone, hold, keypad, pause for sensitive information, and the menu of what is seldom needed."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from softphone.domain.purpose import Headline, Reason
from softphone.domain.status import Action, Status
from softphone.ui.call.menu import MoreMenu
from softphone.ui.controls import FilledButton, QuietButton, ToolTile
from softphone.ui.fields import TextLabel
from softphone.ui.theme.style import MARGIN, TIMER
from softphone.ui.view import View, new_id, version
from softphone.wire import Act, CallPhase, CallState, HoldCall, Mute, SendDigits

_KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#")
_LETTERS = {"2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL", "6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ"}


class Tools(QWidget):
    """command(Mute | Hold | Act | LockEarlier), keypad(bool): the keypad is to open or close."""

    command = Signal(object)
    keypad = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.mute = ToolTile("mute")
        self.hold = ToolTile("hold")
        self.keys = ToolTile("keypad")
        self.pause = ToolTile("pauseSensitive")
        self.more = ToolTile("more")
        self.menu = MoreMenu(self)
        self._call: CallState | None = None
        for tile in (self.mute, self.hold, self.keys, self.pause):
            tile.setCheckable(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for tile in (self.mute, self.hold, self.keys, self.pause, self.more):
            layout.addWidget(tile)
        self.mute.clicked.connect(self._mute)
        self.hold.clicked.connect(self._hold)
        self.keys.clicked.connect(lambda: self.keypad.emit(self.keys.isChecked()))
        self.pause.clicked.connect(self._pause)
        self.more.clicked.connect(self.open_menu)
        self.menu.command.connect(self.command)

    def render_view(self, view: View, call: CallState, *, keypad_open: bool) -> None:
        self._call = call
        connected = view.connected and call.phase is CallPhase.CONNECTED
        why = "" if connected else view.texts("why_not.no_engine" if not view.connected else "why_not.not_answered")
        muted, held = call.muted, call.held_by_us
        self.mute.setChecked(muted)
        self.mute.make_room_for(view.texts("tool.mute" if muted else "tool.muted"))
        self.mute.show_as(
            view,
            view.texts("tool.muted" if muted else "tool.mute"),
            icon="mic_off" if muted else "mic",
            name=view.texts("tool.muted.name" if muted else "tool.mute.name"),
            enabled=connected,
            why=why or ("" if call.microphone_open else view.texts("tool.mute.closed")),
        )
        self.hold.setChecked(held)
        self.hold.make_room_for(view.texts("tool.hold" if held else "tool.held"))
        self.hold.show_as(
            view,
            view.texts("tool.held" if held else "tool.hold"),
            icon="play" if held else "hold",
            name=view.texts("tool.held.name" if held else "tool.hold.name"),
            enabled=connected,
            why=why or (view.texts("tool.held_by_them") if call.held_by_them else ""),
        )
        self.keys.setChecked(keypad_open)
        self.keys.show_as(view, view.texts("tool.keypad"), icon="keypad", enabled=connected, why=why)
        self._render_pause(view, call, connected=connected, why=why)
        self._render_menu(view, call, connected=connected, why=why)

    def _render_pause(self, view: View, call: CallState, *, connected: bool, why: str) -> None:
        status = call.status
        paused = status is not None and Reason.SENSITIVE in status.pauses
        able = status is not None and (Action.RESUME if paused else Action.PAUSE_SENSITIVE) in status.actions
        failed = status is not None and status.headline is Headline.FAILED
        able = able and (paused or not failed)  # nothing is recorded that could be paused
        if connected and not able:
            nothing = status is None or status.headline is not Headline.RECORDING
            why = view.texts("why_not.pause_nothing" if nothing else "why_not.not_now")
        self.pause.setChecked(paused)
        self.pause.make_room_for(view.texts("tool.pause" if paused else "tool.resume"))
        self.pause.show_as(
            view,
            view.texts("tool.resume" if paused and status and len(status.pauses) == 1 else "tool.pause"),
            icon="pause_id",
            name=view.texts(_pause_name(status) if paused and status else "tool.pause.name"),
            enabled=connected and able,
            why=why if not (connected and able) else "",
        )

    def _render_menu(self, view: View, call: CallState, *, connected: bool, why: str) -> None:
        self.menu.render_view(view, call, able=connected)
        able = any(action.isEnabled() and not action.isSeparator() for action in self.menu.actions())
        nothing = view.texts("why_not.no_actions") if connected and not able else why
        self.more.show_as(
            view,
            view.texts("tool.more"),
            icon="more",
            name=view.texts("tool.more.name"),
            enabled=bool(self.menu.actions()),
            why="" if able else nothing,
        )

    def open_menu(self) -> None:
        above = self.more.mapToGlobal(
            QPoint(self.more.width() - self.menu.sizeHint().width(), -self.menu.sizeHint().height())
        )
        self.menu.popup(above)

    def _mute(self) -> None:
        if self._call:
            self.mute.setChecked(self._call.muted)
            self.command.emit(Mute(new_id(), self._call.id, not self._call.muted))

    def _hold(self) -> None:
        if self._call:
            self.hold.setChecked(self._call.held_by_us)
            self.command.emit(HoldCall(new_id(), self._call.id, not self._call.held_by_us))

    def _pause(self) -> None:
        if self._call and self._call.status:
            paused = Reason.SENSITIVE in self._call.status.pauses
            self.pause.setChecked(paused)
            self._act(Action.RESUME if paused else Action.PAUSE_SENSITIVE)

    def _act(self, action: Action) -> None:
        if self._call:
            self.command.emit(Act(new_id(), self._call.id, version(self._call.status), action))


class Keypad(QWidget):
    """Twelve keys and what was pressed. command(SendDigits), closed()."""

    command = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("keypadPanel")
        self.pressed = TextLabel("digitsSent", size=TIMER, tabular=True)
        self.close_button = QuietButton("closeKeypad", size=16)
        self.close_button.setFixedHeight(24)
        self.keys = {key: FilledButton(f"key_{_key_name(key)}", "plain", 40) for key in _KEYS}
        self._call: CallState | None = None
        grid = QGridLayout()
        grid.setSpacing(6)
        for i, (key, button) in enumerate(self.keys.items()):
            grid.addWidget(button, i // 3, i % 3)
            button.take_every_press()
            button.clicked.connect(lambda _checked=False, key=key: self.press(key))
        top = QHBoxLayout()
        top.addWidget(self.pressed, 1)
        top.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(grid)
        layout.addStretch(1)
        self.close_button.clicked.connect(self.closed)

    def render_view(self, view: View, call: CallState) -> None:
        if self._call is None or self._call.id != call.id:
            self.pressed.setText("")
        self._call = call
        for key, button in self.keys.items():
            button.show_as(view, key, name=f"{key} {_LETTERS.get(key, '')}".strip(), enabled=view.connected)
        self.close_button.show_as(view, "", icon="close", name=view.texts("tool.keypad.close"))

    def press(self, key: str) -> None:
        """As if the key were pressed here."""
        if self._call and key in self.keys:
            self.pressed.setText(self.pressed.text() + key)
            self.command.emit(SendDigits(new_id(), self._call.id, key))


def _key_name(key: str) -> str:
    return {"*": "star", "#": "hash"}.get(key, key)


def _pause_name(status: Status) -> str:
    """If another pause stands too, recording does not go on when this one ends."""
    return "press.resume.also" if len(status.pauses) > 1 else "tool.resume.name"
