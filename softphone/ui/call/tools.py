"""The dock of a call: microphone, hold, keypad, transfer, pause for sensitive information, what is seldom needed; hang up."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout

from softphone.domain.purpose import Headline, Reason
from softphone.domain.status import Action, Status
from softphone.ui.call.menu import MoreMenu
from softphone.ui.call.tiles import ToolTile, words_fit
from softphone.ui.fields import Card
from softphone.ui.view import View, new_id, short_name, version, who
from softphone.wire.snapshot import CallPhase, CallState, TransferPhase
from softphone.wire.to_engine import Act, BackToParty, HangUp, HoldCall, Mute


class Tools(Card):
    """command(Mute | Hold | Act | LockEarlier | HangUp | BackToParty), keypad(bool), transfer(bool): the panel is to open or
    close. quality(): it is to open.

    What is on is a dark tile with the name it had before: a tile says what it is, its tooltip and a screen reader what a press
    does. Hang up has the right end, and never stands alone in red.
    """

    command = Signal(object)
    keypad = Signal(bool)
    transfer = Signal(bool)
    quality = Signal()

    def __init__(self) -> None:
        super().__init__("dock", "box")
        self.mute = ToolTile("mute")
        self.hold = ToolTile("hold")
        self.keys = ToolTile("keypad")
        self.forward = ToolTile("transfer")
        self.pause = ToolTile("pauseSensitive")
        self.more = ToolTile("more")
        self.hang_up = ToolTile("hangUp", tinted=True)
        self.menu = MoreMenu(self)
        self._call: CallState | None = None
        self._colleague: CallState | None = None
        for tile in (self.mute, self.hold, self.keys, self.forward, self.pause):
            tile.setCheckable(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(1)
        for tile in self.tiles:
            layout.addWidget(tile)
        self.mute.clicked.connect(self._mute)
        self.hold.clicked.connect(self._hold)
        self.keys.clicked.connect(lambda: self.keypad.emit(self.keys.isChecked()))
        self.forward.clicked.connect(lambda: self.transfer.emit(self.forward.isChecked()))
        self.pause.clicked.connect(self._pause)
        self.more.clicked.connect(self.open_menu)
        self.hang_up.clicked.connect(self._hang_up)
        self.menu.command.connect(self.command)
        self.menu.quality.connect(self.quality)

    @property
    def tiles(self) -> list[ToolTile]:
        """As they stand, from the left."""
        return [self.mute, self.hold, self.keys, self.forward, self.pause, self.more, self.hang_up]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.menu.close()  # no call is shown to which it could belong

    def _fit(self) -> None:
        worded = words_fit(self.tiles, self.width() - 8 - len(self.tiles))
        for tile in self.tiles:
            tile.show_word(worded)

    def render_view(self, view: View, call: CallState, *, keypad_open: bool, transfer_open: bool) -> None:
        self._call = call
        connected = view.connected and call.phase is CallPhase.CONNECTED
        why = "" if connected else view.texts("why_not.no_engine" if not view.connected else "why_not.not_answered")
        muted, held = call.muted, call.held_by_us
        self.mute.setChecked(muted)
        self.mute.show_as(
            view,
            view.texts("tool.mute"),
            icon="mic_off" if muted else "mic",
            name=view.texts("tool.muted.name" if muted else "tool.mute.name"),
            enabled=connected,
            why=why or ("" if call.microphone_open else view.texts("tool.mute.closed")),
        )
        self.hold.setChecked(held)
        self.hold.show_as(
            view,
            view.texts("tool.hold"),
            icon="hold",
            name=view.texts("tool.held.name" if held else "tool.hold.name"),
            enabled=connected,
            why=why or (view.texts("tool.held_by_them") if call.held_by_them else ""),
        )
        self.keys.setChecked(keypad_open)
        self.keys.show_as(view, view.texts("tool.keypad"), icon="keypad", enabled=connected, why=why)
        under_way = call.transfer is not None and call.transfer.phase is not TransferPhase.FAILED
        consulting = view.consultation(call) is not None or under_way
        self.forward.setChecked(transfer_open)
        self.forward.show_as(
            view,
            view.texts("tool.transfer"),
            icon="transfer",
            name=view.texts("tool.transfer.close" if transfer_open else "tool.transfer.name"),
            enabled=connected and not consulting,
            why=why
            or (
                view.texts("tool.transfer.under_way" if under_way else "tool.transfer.consulting") if consulting else ""
            ),
        )
        self._render_pause(view, call, connected=connected, why=why)
        self._render_menu(view, call, connected=connected, why=why)
        self._colleague = view.heard_alone(call)
        self.hang_up.say_whose(short_name(view, self._colleague) if self._colleague else "")
        self.hang_up.show_as(
            view,
            view.texts("call.hang_up"),
            name=view.texts("call.hang_up.with", who=who(view, self._colleague)) if self._colleague else "",
            icon="hang_up",
            enabled=view.connected,
            why="" if view.connected else view.texts("why_not.no_engine"),
        )
        self._fit()

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
        self.pause.show_as(
            view,
            view.texts("tool.pause"),
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

    def _hang_up(self) -> None:
        if self._call:
            self.command.emit(hanging_up(self._call, self._colleague))

    def _act(self, action: Action) -> None:
        if self._call:
            self.command.emit(Act(new_id(), self._call.id, version(self._call.status), action))


def hanging_up(call: CallState, heard_alone: CallState | None) -> HangUp | BackToParty:
    """It ends the call that is heard: with a colleague alone, that one, and the agent is back with the party."""
    return BackToParty(new_id(), heard_alone.id) if heard_alone else HangUp(new_id(), call.id)


def _pause_name(status: Status) -> str:
    """If another pause stands too, recording does not go on when this one ends."""
    return "press.resume.also" if len(status.pauses) > 1 else "tool.resume.name"
