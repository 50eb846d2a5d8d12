"""The page of a call: party, card, the two buttons, what the moment needs, the dock. Always in that order.

In the compact window it is the card and the two buttons alone.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from softphone.ui.call.buttons import RightsButtons
from softphone.ui.call.card import StatusCard
from softphone.ui.call.keypad import Keypad
from softphone.ui.call.moment import Moment
from softphone.ui.call.party import PartyView
from softphone.ui.call.quality import QualityPanel
from softphone.ui.call.tiles import ActionButton
from softphone.ui.call.tools import Tools
from softphone.ui.call.transfer import TransferPanel
from softphone.ui.controls import FilledButton
from softphone.ui.fields import ScrollArea, chain, high_at
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import MARGIN
from softphone.ui.view import View, new_id
from softphone.ui.words.card import card_words
from softphone.wire.snapshot import CallPhase, CallState
from softphone.wire.to_engine import Answer, Decline

_LEAST_MIDDLE = 40


_GAP = 10
_LEAST_TEXT = 24
"""px of what is to be read that stay in sight, however much is to be pressed"""


class MomentPage(QWidget):
    """The slot, and below it what is to be read, which scrolls in the room that is left. So no press lies under the dock: the
    presses give up their second lines before any of the text goes out of sight. Only in a window that is lower still the slot
    scrolls too."""

    def __init__(self, moment: Moment) -> None:
        super().__init__()
        self._moment = moment
        self.slot, self.reel = ScrollArea("slotReel", moment.slot), ScrollArea("momentReel", moment)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        layout.addWidget(self.slot)
        layout.addWidget(self.reel, 1)
        self.slot.hide()
        self.reel.setMinimumHeight(1)
        self._again = QTimer(self, singleShot=True, interval=0)
        self._again.timeout.connect(self.fit)
        for part in (moment, moment.slot):
            part.installEventFilter(self)  # a reel does not pass on that its content needs more room

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._again.start()  # not within the layout's own turn
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """By what there is to press and to read, and never by how it stands now."""
        moment, wide, high = self._moment, self.width(), self.height()
        to_read = high_at(moment, wide)
        usual = moment.slot_height(wide, low=False)
        low = usual + _GAP + to_read > high
        needed = moment.slot_height(wide, low=True) if low else usual
        moment.be_low(low)
        most = max(high - _GAP - min(to_read, px(_LEAST_TEXT)), min(px(ActionButton.LOW), high - _GAP - 1))
        self.slot.setFixedHeight(max(1, min(needed, most)))
        self.slot.setVisible(needed > 0)
        for part, is_stale in ((self, self.slot.geometry().bottom() >= self.reel.y()), (moment.slot, False)):
            within = part.layout()
            if within is not None and (is_stale or within.geometry() != part.rect()):
                within.invalidate()  # it has missed its widget's last change of size
                within.activate()


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
        self.transfer = TransferPanel()
        self.quality = QualityPanel()
        self.tools = Tools()
        self.hang_up = self.tools.hang_up
        self.answer = FilledButton("answer", "ok", 52)
        self.decline = FilledButton("decline", "danger", 52)
        self._call: CallState | None = None
        self._chained: list[QWidget] = []
        self._hands_on = False
        """the keyboard was in the transfer's panel, which has closed"""

        self.middle = QStackedWidget()
        self.first = MomentPage(self.moment)
        panels = (
            ScrollArea("keypadReel", self.keypad),
            ScrollArea("transferReel", self.transfer),
            ScrollArea("qualityReel", self.quality),
        )
        self.reels = (self.first.slot, self.first.reel, *panels)
        panels[0].resized.connect(self.keypad.fit)
        for reel in self.reels:
            reel.within_reach.connect(self._chain_tabs)
        for page in (self.first, *panels):
            self.middle.addWidget(page)
        self.middle.setMinimumHeight(_LEAST_MIDDLE)
        self._note: tuple[QWidget, ...] = ()

        # Answer and decline have the dock's place while it rings, so neither moves the page.
        self.ringing = QWidget()
        bottom = QHBoxLayout(self.ringing)
        bottom.setContentsMargins(0, 0, 0, 0)
        bottom.setSpacing(8)
        bottom.addWidget(self.answer)
        bottom.addWidget(self.decline)
        self.foot = QStackedWidget()
        self.foot.addWidget(self.tools)
        self.foot.addWidget(self.ringing)
        self.foot.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        above = QVBoxLayout()
        above.setContentsMargins(MARGIN, 2, MARGIN, 10)
        above.setSpacing(0)
        above.addWidget(self.party)
        above.addSpacing(8)
        above.addWidget(self.card)
        above.addSpacing(10)
        above.addWidget(self.rights)
        self._told = QVBoxLayout()
        self._below = QWidget()
        below = QVBoxLayout(self._below)
        below.setContentsMargins(MARGIN, 8, MARGIN, MARGIN)
        below.setSpacing(0)
        below.addWidget(self.foot)
        # The middle is as wide as the window: its bar lies in the page's margin.
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(above)
        layout.addWidget(self.middle, 1)
        layout.addLayout(self._told)
        layout.addWidget(self._below)

        for part in (self.rights, self.keypad, self.transfer):
            part.command.connect(self.command)
        for part in (self.moment, self.tools):
            part.command.connect(self.rights.propose)
        self.tools.keypad.connect(self.show_keypad)
        self.keypad.closed.connect(self._close_keypad)
        self.tools.transfer.connect(self.show_transfer)
        self.transfer.closed.connect(lambda: self.show_transfer(wanted=False))
        for asked in (self.party.quality.clicked, self.tools.quality):
            asked.connect(lambda: self.show_quality(wanted=True))
        self.quality.closed.connect(lambda: self.show_quality(wanted=False))
        self.answer.clicked.connect(lambda: self._send(Answer))
        self.decline.clicked.connect(lambda: self._send(Decline))

    def take_note(self, note: QWidget, button: QWidget) -> None:
        """A message for the person stands here, above the tools; the middle makes room for it. `button` closes it."""
        self._told.addWidget(note)
        self._note = (button,)
        self._chain_tabs()

    def make_room(self, wanted: bool) -> None:
        """In a low window the middle gives way as far as it can."""
        self.middle.setMinimumHeight(_GAP + 2 if wanted else _LEAST_MIDDLE)

    @property
    def keypad_open(self) -> bool:
        return self.middle.currentIndex() == 1

    @property
    def transfer_open(self) -> bool:
        return self.middle.currentIndex() == 2

    def show_keypad(self, wanted: bool) -> None:
        self._show_middle(1 if wanted else 0)

    def _close_keypad(self) -> None:
        if self.keypad_open:
            self.show_keypad(wanted=False)

    def show_transfer(self, wanted: bool) -> None:
        opened = wanted and not self.transfer_open
        self._show_middle(2 if wanted else 0)
        if opened and self._call is not None:
            self.transfer.opened(self._call.id)

    @property
    def quality_open(self) -> bool:
        return self.middle.currentIndex() == 3

    def show_quality(self, wanted: bool) -> None:
        self._show_middle(3 if wanted else 0)

    def _show_middle(self, place: int) -> None:
        if self.middle.currentIndex() == place == 0:
            return
        # Also while another program has the keyboard: it comes back to where it was.
        within = self.middle.isAncestorOf(self.window().focusWidget() or self)
        self._hands_on = within and self.transfer_open
        self.middle.setCurrentIndex(place)
        if place != 2:
            self.transfer.put_away()
        if within and place != 2:
            self.window().setFocus()  # not the neighbour: a second press would do something else
        self.tools.keys.setChecked(place == 1)
        self.tools.forward.setChecked(place == 2)

    def be_compact(self, wanted: bool) -> None:
        """The card and the two buttons alone."""
        for part in (self.party, self.middle, self._below):
            part.setVisible(not wanted)
        self.card.be_low(wanted)

    def render_view(self, view: View, call: CallState) -> None:
        other = self._call is None or self._call.id != call.id or call.phase is not CallPhase.CONNECTED
        unknown = self.quality_open and call.quality is None
        if other or unknown or (self.transfer_open and view.consultation(call) is not None):
            if self._call is not None and self._call.id != call.id:
                self.transfer.keep()
            self._show_middle(0)
        self._call, view = call, view.of(call)
        self.party.render_view(view, call)
        self.card.render_view(view, card_words(view, call))
        self.rights.render_view(view, call)
        self.moment.render_view(view, call)
        self.first.fit()
        if self._hands_on and not self.moment.consultation.isHidden():
            self._hands_on = False
            if self.window().focusWidget() in (None, self.window()):
                self.moment.consultation.setFocus(Qt.FocusReason.OtherFocusReason)
        self.keypad.render_view(view, call)
        self.transfer.render_view(view, call)
        self.quality.render_view(view, call)
        self.tools.render_view(view, call, keypad_open=self.keypad_open, transfer_open=self.transfer_open)
        for reel in self.reels:
            reel.render_view(view)
        incoming = call.phase is CallPhase.INCOMING
        gone = "" if view.connected else view.texts("why_not.no_engine")
        self.answer.show_as(view, view.texts("call.answer"), icon="phone", enabled=view.connected, why=gone)
        self.decline.show_as(view, view.texts("call.decline"), icon="hang_up", enabled=view.connected, why=gone)
        self.foot.setCurrentWidget(self.ringing if incoming else self.tools)

        self._chain_tabs()

    def _chain_tabs(self) -> None:
        last = (*self.tools.tiles[:-1], self.answer, self.decline, self.hang_up)
        first = (self.party.number, self.party.quality, self.card, *self.rights.controls())
        reels = [[reel] if reel.focusPolicy() & Qt.FocusPolicy.TabFocus else [] for reel in self.reels]
        panels = (
            self.moment.slot_chain(),
            self.moment.tab_chain(),
            [*self.keypad.keys.values()],
            self.transfer.controls(),
            self.quality.controls(),
        )
        middle = [part for reel, panel in zip(reels, panels, strict=True) for part in (*reel, *panel)]
        middle += self._note
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

    def _send(self, command: type[Answer] | type[Decline]) -> None:
        if self._call:
            self.command.emit(command(new_id(), self._call.id))
