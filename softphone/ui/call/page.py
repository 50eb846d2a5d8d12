"""The page of a call: party, card, the two buttons, what the moment needs, tools, hang up. Always in that order."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from softphone.ui.call.buttons import RightsButtons
from softphone.ui.call.card import StatusCard
from softphone.ui.call.moment import Moment
from softphone.ui.call.party import PartyView
from softphone.ui.call.tools import Keypad, Tools
from softphone.ui.controls import FilledButton
from softphone.ui.fields import ScrollArea, chain
from softphone.ui.theme.style import MARGIN
from softphone.ui.view import View, new_id
from softphone.ui.words.card import card_words
from softphone.wire import Answer, CallPhase, CallState, Decline, HangUp

_LEAST_MIDDLE = 40


class CallPage(QWidget):
    """command(…): every command of a call."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.party = PartyView()
        self.card = StatusCard()
        self.rights = RightsButtons()
        self.moment = Moment()
        self.keypad = Keypad()
        self.tools = Tools()
        self.hang_up = FilledButton("hangUp", "danger")
        self.answer = FilledButton("answer", "ok")
        self.decline = FilledButton("decline", "danger")
        self._call: CallState | None = None
        self._chained: list[QWidget] = []

        self.middle = QStackedWidget()
        self.reels = (ScrollArea("momentReel", self.moment), ScrollArea("keypadReel", self.keypad))
        for reel in self.reels:
            reel.within_reach.connect(self._chain_tabs)
            self.middle.addWidget(reel)
        self.middle.setMinimumHeight(_LEAST_MIDDLE)
        self._note: tuple[QWidget, ...] = ()

        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self.answer)
        bottom.addWidget(self.decline)
        bottom.addWidget(self.hang_up)
        above = QVBoxLayout()
        above.setContentsMargins(MARGIN, 2, MARGIN, 10)
        above.setSpacing(0)
        above.addWidget(self.party)
        above.addSpacing(6)
        above.addWidget(self.card)
        above.addSpacing(10)
        above.addWidget(self.rights)
        self._told = QVBoxLayout()
        below = QVBoxLayout()
        below.setContentsMargins(MARGIN, 0, MARGIN, MARGIN)
        below.setSpacing(0)
        below.addSpacing(6)
        below.addWidget(self.tools)
        below.addSpacing(8)
        below.addLayout(bottom)
        # The middle is as wide as the window: its bar lies in the page's margin.
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(above)
        layout.addWidget(self.middle, 1)
        layout.addLayout(self._told)
        layout.addLayout(below)

        for part in (self.rights, self.moment, self.keypad, self.tools):
            part.command.connect(self.command)
        self.tools.keypad.connect(self.show_keypad)
        self.keypad.closed.connect(lambda: self.show_keypad(wanted=False))
        self.answer.clicked.connect(lambda: self._send(Answer))
        self.decline.clicked.connect(lambda: self._send(Decline))
        self.hang_up.clicked.connect(lambda: self._send(HangUp))

    def take_note(self, note: QWidget, button: QWidget) -> None:
        """A message for the person stands here, above the tools; the middle makes room for it. `button` closes it."""
        self._told.addWidget(note)
        self._note = (button,)
        self._chain_tabs()

    def make_room(self, wanted: bool) -> None:
        """In a low window the middle gives way as far as it can."""
        self.middle.setMinimumHeight(1 if wanted else _LEAST_MIDDLE)

    @property
    def keypad_open(self) -> bool:
        return self.middle.currentIndex() == 1

    def show_keypad(self, wanted: bool) -> None:
        self.middle.setCurrentIndex(1 if wanted else 0)
        self.tools.keys.setChecked(wanted)

    def render_view(self, view: View, call: CallState) -> None:
        if self._call is None or self._call.id != call.id or call.phase is not CallPhase.CONNECTED:
            self.show_keypad(wanted=False)
        self._call = call
        self.party.render_view(view, call)
        self.card.render_view(view, card_words(view, call))
        self.rights.render_view(view, call)
        self.moment.render_view(view, call)
        self.keypad.render_view(view, call)
        self.tools.render_view(view, call, keypad_open=self.keypad_open)
        for reel in self.reels:
            reel.render_view(view)
        incoming = call.phase is CallPhase.INCOMING
        gone = "" if view.connected else view.texts("why_not.no_engine")
        self.answer.show_as(view, view.texts("call.answer"), icon="phone", enabled=view.connected, why=gone)
        self.decline.show_as(view, view.texts("call.decline"), icon="hang_up", enabled=view.connected, why=gone)
        self.hang_up.show_as(view, view.texts("call.hang_up"), icon="hang_up", enabled=view.connected, why=gone)
        ringing, talking = (self.answer, self.decline), (self.hang_up,)
        # Hide first, then show: all three side by side would push a narrow window wider.
        for button in talking if incoming else ringing:
            button.hide()
        for button in ringing if incoming else talking:
            button.show()

        self._chain_tabs()

    def _chain_tabs(self) -> None:
        tools = self.tools
        last = (tools.mute, tools.hold, tools.keys, tools.pause, tools.more, self.answer, self.decline, self.hang_up)
        first = (self.party.number, self.card, *self.rights.controls())
        moment, keypad = ([reel] if reel.focusPolicy() & Qt.FocusPolicy.TabFocus else [] for reel in self.reels)
        middle = (*moment, *self.moment.tab_chain(), *keypad, *self.keypad.keys.values(), *self._note)
        wanted: list[QWidget] = [*first, *middle, *last]
        if wanted != self._chained:
            self._chained = wanted
            chain(wanted)

    def type_digit(self, event: QKeyEvent) -> bool:
        """Press the keypad's key for it, if the keypad is open and has one."""
        typed = event.text()
        wanted = self.keypad_open and len(typed) == 1 and typed in self.keypad.keys
        if wanted and not event.isAutoRepeat():
            self.keypad.press(typed)
        return wanted

    def _send(self, command: type[Answer] | type[Decline] | type[HangUp]) -> None:
        if self._call:
            self.command.emit(command(new_id(), self._call.id))
