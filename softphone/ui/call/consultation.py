"""A call to a colleague while the party waits: how far it is, and what can become of it; a transfer that is under way; and whom
a party would have us call. In place, never in a dialog."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout

from softphone.ui.call.tiles import ActionButton
from softphone.ui.controls import Control
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, PURPOSES, SMALL
from softphone.ui.view import View, duration, first_name, new_id, readable, upper_first, who
from softphone.ui.words.kept import duration_of
from softphone.ui.words.moment import consultation_over
from softphone.wire.snapshot import CallPhase, CallState, ConsultEnd, TransferPhase
from softphone.wire.to_engine import BackToParty, CompleteTransfer, DeclineTransfer, FollowTransfer, Join

_PRESS, _BACK = 58, 44
"""heights of the presses"""


class ConsultationBox(Card):
    """command(CompleteTransfer | Join | BackToParty): each is about the consultation's call."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("consultation", "box")
        self.name = TextLabel("colleagueName", size=PURPOSES, strong=True)
        self.words = TextLabel("colleagueGone", size=BODY, wrap=True)
        self.state = TextLabel("colleagueState", size=SMALL, role="muted", tabular=True)
        self.state.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.complete = ActionButton("completeTransfer", height=_PRESS)
        self.join = ActionButton("joinAll", height=_PRESS)
        self.back = ActionButton("backToParty", height=_BACK)
        self._colleague: CallState | None = None
        self._call: CallState | None = None
        first, grid = QHBoxLayout(), QGridLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.state)
        self._grid = grid
        grid.setSpacing(8)
        grid.addWidget(self.complete, 0, 0)
        grid.addWidget(self.join, 0, 1)
        grid.addWidget(self.back, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(12, 10, 12, 12)
        inside.setSpacing(9)
        inside.addLayout(first)
        inside.addWidget(self.words)
        inside.addLayout(grid)
        self.complete.clicked.connect(lambda: self._send(CompleteTransfer))
        self.join.clicked.connect(lambda: self._send(Join))
        self.back.clicked.connect(self._go_back)
        self.hide()

    def _arrange(self, *, together: bool) -> None:
        """Who is together needs no *Join*: the way back has its place."""
        self._grid.addWidget(self.back, *((0, 1, 1, 1) if together else (1, 0, 1, 2)))
        self.back.fix_height(_PRESS if together else _BACK)

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
        for label, text in ((self.name, self._name(view, call)), (self.state, self._state(view, call, ended))):
            label.setText(text)
            label.setVisible(ended is None)
        self.complete.setVisible(colleague is not None)
        self._arrange(together=colleague is not None and colleague.conference)
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
        word = "consult.conference" if colleague.conference else "consult.talks" if talks else "consult.rings"
        return " · ".join(part for part in (texts(word), duration(seconds) if seconds is not None else "") if part)

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
        inside = QVBoxLayout(self)
        inside.setContentsMargins(12, 10, 12, 12)
        inside.setSpacing(9)
        inside.addWidget(self.words)
        inside.addLayout(row)
        self.follow.clicked.connect(self._follow)
        self.decline.clicked.connect(self._decline)
        self.hide()

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
