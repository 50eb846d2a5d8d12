"""A call to a colleague while the party waits: how far it is, and what can become of it. In place, never in a dialog."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout

from softphone.ui.call.tiles import ActionButton
from softphone.ui.controls import Control
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import PURPOSES, SMALL
from softphone.ui.view import View, duration, new_id, upper_first, who
from softphone.ui.words.kept import duration_of
from softphone.wire import BackToParty, CallPhase, CallState, CompleteTransfer, Join


class ConsultationBox(Card):
    """command(CompleteTransfer | Join | BackToParty): each is about the consultation's call."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("consultation", "box")
        self.name = TextLabel("colleagueName", size=PURPOSES, strong=True)
        self.state = TextLabel("colleagueState", size=SMALL, role="muted", tabular=True)
        self.state.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.complete = ActionButton("completeTransfer", height=58)
        self.join = ActionButton("joinAll", height=58)
        self.back = ActionButton("backToParty", height=44)
        self._colleague: CallState | None = None
        first, grid = QHBoxLayout(), QGridLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.state)
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
        inside.addLayout(grid)
        self.complete.clicked.connect(lambda: self._send(CompleteTransfer))
        self.join.clicked.connect(lambda: self._send(Join))
        self.back.clicked.connect(lambda: self._send(BackToParty))
        self.hide()

    def controls(self) -> list[Control]:
        """The buttons as they stand, in their order."""
        return [] if self.isHidden() else [self.complete, self.join, self.back]

    def render_view(self, view: View, call: CallState) -> None:
        colleague = self._colleague = view.consultation(call)
        self.setVisible(colleague is not None)
        if colleague is None:
            return
        texts, name, party = view.texts, who(view, colleague), who(view, call)
        self.name.setText(name)
        talks = colleague.phase is CallPhase.CONNECTED
        seconds = duration_of(colleague, view.now)
        since = duration(seconds) if seconds is not None else ""
        word = "consult.conference" if colleague.conference else "consult.talks" if talks else "consult.rings"
        self.state.setText(" · ".join(part for part in (texts(word), since) if part))
        gone = "" if view.connected else texts("why_not.no_engine")
        not_yet = gone or ("" if talks else texts("consult.not_answered", who=name))
        recorded = call.status is not None and bool(call.status.recordings)
        self.complete.show_action(
            view,
            texts("consult.complete"),
            not_yet or texts("consult.complete.recorded" if recorded else "consult.complete.sub"),
            enabled=not not_yet,
            why=not_yet,
            filled=True,
            means=f"complete {colleague.id}",
        )
        together = colleague.conference
        off = not_yet or (texts("consult.join.on") if together else "")
        self.join.show_action(
            view,
            texts("consult.join"),
            off or texts("consult.join.sub", who=upper_first(name.partition(" ")[0])),
            enabled=not off,
            why=off,
            means=f"join {colleague.id}",
        )
        self.back.show_action(
            view,
            texts("consult.back", who=party.partition(" ")[0] if call.name else party),
            "",
            enabled=view.connected,
            why=gone or texts("consult.back.why", who=name),
            means=f"back {colleague.id}",
        )

    def _send(self, command: type[CompleteTransfer] | type[Join] | type[BackToParty]) -> None:
        if self._colleague is not None:
            self.command.emit(command(new_id(), self._colleague.id))
