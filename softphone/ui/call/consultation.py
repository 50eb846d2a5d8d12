"""A call to a colleague while the party waits: how far it is, and what can become of it; a transfer that is under way; and whom
a party would have us call. In place, never in a dialog."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout

from softphone.ui.call.tiles import ActionButton
from softphone.ui.controls import Control
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BODY, PURPOSES, SMALL
from softphone.ui.view import View, duration, first_name, new_id, readable, upper_first, who
from softphone.ui.words.kept import duration_of
from softphone.ui.words.moment import consultation_over
from softphone.wire.snapshot import CallPhase, CallState, ConsultEnd, TransferPhase
from softphone.wire.to_engine import BackToParty, CompleteTransfer, DeclineTransfer, FollowTransfer, Join

_PRESS, _BACK = 58, 44
"""heights of the presses"""
_USUAL, _LOW, _SPACE = (12, 10, 12, 12), (8, 4, 8, 4), 9
"""px around what stands in a box, in a low window too, and between its rows"""
_DOWN, _ACROSS = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight


class ConsultationBox(Card):
    """command(CompleteTransfer | Join | BackToParty): each is about the consultation's call."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("consultation", "box")
        self.setFocusPolicy(
            Qt.FocusPolicy.ClickFocus
        )  # it presses nothing: where the keyboard is after a transfer was begun
        self.name = TextLabel("colleagueName", size=PURPOSES, strong=True)
        self.words = TextLabel("colleagueGone", size=BODY, wrap=True)
        self.state = TextLabel("colleagueState", size=SMALL, role="muted", tabular=True)
        self.state.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.complete = ActionButton("completeTransfer", height=_PRESS)
        self.join = ActionButton("joinAll", height=_PRESS)
        self.back = ActionButton("backToParty", height=_BACK)
        self._colleague: CallState | None = None
        self._call: CallState | None = None
        self._low = self._together = False
        self._said = self._short = ""
        """the state: whole, and as one row has room for it"""
        first, grid = QBoxLayout(_ACROSS), QGridLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.state)
        self._first, self._grid = first, grid
        grid.setSpacing(8)
        grid.addWidget(self.complete, 0, 0)
        grid.addWidget(self.join, 0, 1)
        grid.addWidget(self.back, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        inside = self._inside = QBoxLayout(_DOWN, self)
        inside.setContentsMargins(*_USUAL)
        inside.setSpacing(_SPACE)
        inside.addLayout(first, 2)
        inside.addWidget(self.words)
        inside.addLayout(grid, 5)
        self.complete.clicked.connect(lambda: self._send(CompleteTransfer))
        self.join.clicked.connect(lambda: self._send(Join))
        self.back.clicked.connect(self._go_back)
        self.hide()

    def be_low(self, wanted: bool) -> None:
        """In a low window: presses of one line; who is together has all of it in one row."""
        self._low = wanted
        for button in (self.complete, self.join, self.back):
            button.be_low(wanted)
        self._arrange()

    def saved(self) -> int:
        """px that it takes less when it is low."""
        if self.isHidden():
            return 0
        edges = _USUAL[1] + _USUAL[3] - _LOW[1] - _LOW[3]
        shown = (button for button in (self.complete, self.back) if not button.isHidden())  # one for each row
        if self._together:
            above = max(self.name.sizeHint().height(), self.state.sizeHint().height())
            return edges + above + _SPACE + px(_PRESS - ActionButton.LOW)
        return edges + sum(px((_PRESS if one is self.complete else _BACK) - ActionButton.LOW) for one in shown)

    def _arrange(self) -> None:
        """Who is together needs no *Join*: the way back has its place."""
        one_row = self._low and self._together
        self._inside.setContentsMargins(*(_LOW if self._low else _USUAL))
        self._inside.setDirection(_ACROSS if one_row else _DOWN)
        self._first.setDirection(_DOWN if one_row else _ACROSS)
        self._first.setSpacing(0 if one_row else _SPACE)
        self._grid.addWidget(self.back, *((0, 1, 1, 1) if self._together else (1, 0, 1, 2)))
        self.back.usually(_PRESS if self._together else _BACK)
        self._show_state()

    def _show_state(self) -> None:
        self.state.setText(self._short if self._low and self._together else self._said)

    def controls(self) -> list[Control]:
        """The buttons as they stand, in their order."""
        if self.isHidden():
            return []
        return [button for button in (self.complete, self.join, self.back) if not button.isHidden()]

    def render_view(self, view: View, call: CallState, *, asks: bool) -> None:
        """`asks`: nothing else on the page is the one press that the moment asks for."""
        colleague = self._colleague = view.consultation(call)
        self._call = call
        under_way = call.transfer is not None and call.transfer.phase is not TransferPhase.FAILED
        ended = call.consult_ended if colleague is None else None
        self.setVisible(colleague is not None or under_way or ended is not None)
        if self.isHidden():
            return
        taken_back = under_way and call.transfer is not None and call.transfer.taken_back and colleague is None
        self.words.setText(
            consultation_over(view, call)
            if ended is not None
            else view.texts("consult.taken_back", party=view.party(call), target=self._name(view, call))
            if taken_back
            else ""
        )
        self.words.setVisible(bool(self.words.text()))
        self.name.setText(self._name(view, call))
        self._said = self._state(view, call, ended)
        self._show_state()
        spoken = (self.name.text(), self._said) if ended is None else (self.words.text(),)
        self.setAccessibleName(", ".join(part for part in spoken if part))
        for label in (self.name, self.state):
            label.setVisible(ended is None)
        self.complete.setVisible(colleague is not None)
        together = colleague is not None and colleague.conference
        if together != self._together:
            self._together = together
            self._arrange()
        self.join.setVisible(colleague is not None and not colleague.conference)
        self.back.setVisible(colleague is not None or ended is not None or (under_way and not taken_back))
        gone = "" if view.connected else view.texts("why_not.no_engine")
        if colleague is not None:
            self._show_ways_on(view, call, colleague, gone, asks=asks)
        party = who(view, call)
        self.back.show_action(
            view,
            view.texts("consult.back", who=first_name(call.name) or party),
            "",
            enabled=not gone,
            why=gone or self._what_back_does(view, ended),
            filled=ended is not None,
            means=f"back {call.id}",
        )

    def _what_back_does(self, view: View, ended: ConsultEnd | None) -> str:
        if self._colleague is not None:
            return view.texts("consult.back.why", who=self.name.text())
        return "" if ended is not None else view.texts("consult.back.hangs", target=self.name.text())

    def _name(self, view: View, call: CallState) -> str:
        if self._colleague is not None:
            return who(view, self._colleague)
        return readable(call.transfer.target) if call.transfer is not None else ""

    def _state(self, view: View, call: CallState, ended: ConsultEnd | None) -> str:
        colleague, texts = self._colleague, view.texts
        if call.transfer is not None and call.transfer.phase is not TransferPhase.FAILED:
            return texts(f"consult.transfer.{call.transfer.phase}")
        if colleague is None or ended is not None:
            return ""
        talks = colleague.phase is CallPhase.CONNECTED
        seconds = duration_of(colleague, view.now)
        lasts = duration(seconds) if seconds is not None else ""
        self._short = lasts
        word = "consult.conference" if colleague.conference else "consult.talks" if talks else "consult.rings"
        return " · ".join(part for part in (texts(word), lasts) if part)

    def _show_ways_on(self, view: View, call: CallState, colleague: CallState, gone: str, *, asks: bool) -> None:
        texts, name = view.texts, who(view, colleague)
        talks = colleague.phase is CallPhase.CONNECTED
        under_way = call.transfer is not None and call.transfer.phase is not TransferPhase.FAILED
        not_yet = gone or ("" if talks else texts("consult.not_answered", who=name))
        not_yet = not_yet or (texts(f"consult.transfer.{TransferPhase.ASKED}") if under_way else "")
        recorded = call.status is not None and bool(call.status.recordings)
        self.complete.show_action(
            view,
            texts("consult.complete"),
            not_yet or texts("consult.complete.recorded" if recorded else "consult.complete.sub"),
            enabled=not not_yet,
            why=not_yet,
            filled=asks,
            means=f"complete {colleague.id}",
        )
        first = upper_first(first_name(colleague.name)) or texts("consult.colleague")
        self.join.show_action(
            view,
            texts("consult.join"),
            not_yet or texts("consult.join.sub", who=first),
            enabled=not not_yet,
            why=not_yet,
            means=f"join {colleague.id}",
        )

    def _go_back(self) -> None:
        """Where the consultation has ended by itself, the party's call is named."""
        call = self._colleague or self._call
        if call is not None:
            self.command.emit(BackToParty(new_id(), call.id))

    def _send(self, command: type[CompleteTransfer] | type[Join]) -> None:
        if self._colleague is not None:
            self.command.emit(command(new_id(), self._colleague.id))


class AskedToCall(Card):
    """The party would have us call somebody in its place. Nobody is called without a press. command(FollowTransfer |
    DeclineTransfer)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("askedToCall", "box")
        self.words = TextLabel("askedToCallWords", size=BODY, wrap=True)
        self.follow, self.decline = (
            ActionButton("followTransfer", height=_PRESS),
            ActionButton("declineTransfer", height=_PRESS),
        )
        self._call: CallState | None = None
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.follow)
        row.addWidget(self.decline)
        inside = self._inside = QVBoxLayout(self)
        inside.setContentsMargins(*_USUAL)
        inside.setSpacing(_SPACE)
        inside.addWidget(self.words)
        inside.addLayout(row)
        self.follow.clicked.connect(self._follow)
        self.decline.clicked.connect(self._decline)
        self.hide()

    def be_low(self, wanted: bool) -> None:
        self._inside.setContentsMargins(*(_LOW if wanted else _USUAL))
        for button in (self.follow, self.decline):
            button.be_low(wanted)

    def saved(self) -> int:
        """px that it takes less when it is low."""
        edges = _USUAL[1] + _USUAL[3] - _LOW[1] - _LOW[3]
        return 0 if self.isHidden() else edges + px(_PRESS - ActionButton.LOW)

    def controls(self) -> list[Control]:
        """The buttons as they stand, in their order."""
        return [] if self.isHidden() else [self.follow, self.decline]

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        self.setVisible(bool(call.asked_to_call))
        if not call.asked_to_call:
            return
        texts, target = view.texts, readable(call.asked_to_call)
        gone = "" if view.connected else texts("why_not.no_engine")
        self.words.setText(texts("asked_to_call", Party=upper_first(view.party(call)), target=target))
        self.follow.show_action(
            view,
            texts("asked_to_call.follow"),
            texts("asked_to_call.follow.sub"),
            enabled=view.connected,
            why=gone,
            filled=True,
            means=f"follow {call.id} {target}",
        )
        self.decline.show_action(
            view,
            texts("asked_to_call.decline"),
            texts("asked_to_call.decline.sub"),
            enabled=view.connected,
            why=gone,
            means=f"decline {call.id} {target}",
        )

    def _follow(self) -> None:
        """With whom it names: the party may have asked for another since."""
        if self._call is not None:
            self.command.emit(FollowTransfer(new_id(), self._call.id, self._call.asked_to_call))

    def _decline(self) -> None:
        if self._call is not None:
            self.command.emit(DeclineTransfer(new_id(), self._call.id))
