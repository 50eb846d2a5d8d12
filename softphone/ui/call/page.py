"""The page of a call: party, card, the two buttons, what the moment needs, tools, hang up. Always in that order."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from softphone.ui.call.buttons import RightsButtons
from softphone.ui.call.card import StatusCard
from softphone.ui.call.moment import Moment
from softphone.ui.call.party import PartyView
from softphone.ui.call.tools import Keypad, Tools
from softphone.ui.controls import FilledButton
from softphone.ui.fields import Reel, chain
from softphone.ui.theme.style import MARGIN
from softphone.ui.view import View, new_id
from softphone.ui.words import card_words
from softphone.wire import Answer, CallPhase, CallState, Decline, HangUp


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
        scroll = Reel(self.moment)
        scroll.setMinimumHeight(40)
        self.middle.addWidget(scroll)
        self.middle.addWidget(Reel(self.keypad))

        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self.answer)
        bottom.addWidget(self.decline)
        bottom.addWidget(self.hang_up)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 2, MARGIN, MARGIN)
        layout.setSpacing(0)
        layout.addWidget(self.party)
        layout.addSpacing(6)
        layout.addWidget(self.card)
        layout.addSpacing(10)
        layout.addWidget(self.rights)
        layout.addSpacing(10)
        layout.addWidget(self.middle, 1)
        layout.addSpacing(6)
        layout.addWidget(self.tools)
        layout.addSpacing(8)
        layout.addLayout(bottom)

        for part in (self.rights, self.moment, self.moment.choices, self.keypad, self.tools):
            part.command.connect(self.command)
        self.tools.keypad.connect(self.show_keypad)
        self.keypad.closed.connect(lambda: self.show_keypad(wanted=False))
        self.answer.clicked.connect(lambda: self._send(Answer))
        self.decline.clicked.connect(lambda: self._send(Decline))
        self.hang_up.clicked.connect(lambda: self._send(HangUp))

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
        incoming = call.phase is CallPhase.INCOMING
        gone = "" if view.connected else view.texts("why_not.no_engine")
        self.answer.show_as(view, view.texts("call.answer"), icon="phone", enabled=view.connected, why=gone)
        self.decline.show_as(view, view.texts("call.decline"), icon="hang_up", enabled=view.connected, why=gone)
        self.hang_up.show_as(view, view.texts("call.hang_up"), icon="hang_up", enabled=view.connected, why=gone)
        ringing, talking = (self.answer, self.decline), (self.hang_up,)
        # What goes, goes first: all three side by side would push a narrow window wider.
        for button in talking if incoming else ringing:
            button.hide()
        for button in ringing if incoming else talking:
            button.show()

        self._chain_tabs()

    def _chain_tabs(self) -> None:
        tools = self.tools
        last = (tools.mute, tools.hold, tools.keys, tools.pause, tools.more, self.answer, self.decline, self.hang_up)
        first = (self.party.number, self.card, self.rights.opt_out, self.rights.dispute)
        wanted: list[QWidget] = [*first, *self.moment.tab_chain(), *self.keypad.keys.values(), *last]
        if wanted != self._chained:
            self._chained = wanted
            chain(wanted)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.keypad_open and event.text() and event.text() in "0123456789*#" and not event.isAutoRepeat():
            self.keypad.press(event.text())
            return
        super().keyPressEvent(event)

    def _send(self, command: type[Answer] | type[Decline] | type[HangUp]) -> None:
        if self._call:
            self.command.emit(command(new_id(), self._call.id))
