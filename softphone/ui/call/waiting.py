"""Somebody rings while the agent talks: who, and the two presses, in place. It answers nothing by itself."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout

from softphone.ui.controls import Control, FilledButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, duration, new_id, who
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import Answer, Decline


class WaitingCall(Card):
    """command(Answer | Decline)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("waitingCall", "ringing")
        self.name = TextLabel("waitingName", size=BODY, strong=True)
        self.since = TextLabel("waitingSince", size=SMALL, role="muted", tabular=True)
        self.since.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.answer = FilledButton("waitingAnswer", "ok", 40)
        self.decline = FilledButton("waitingDecline", "danger", 40)
        self._call: CallState | None = None
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.since)
        second.setSpacing(8)
        second.addWidget(self.answer)
        second.addWidget(self.decline)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(12, 9, 12, 11)
        inside.setSpacing(8)
        inside.addLayout(first)
        inside.addLayout(second)
        self.answer.clicked.connect(lambda: self._send(Answer))
        self.decline.clicked.connect(lambda: self._send(Decline))
        self.hide()

    def controls(self) -> list[Control]:
        """The buttons as they stand, in their order."""
        return [] if self.isHidden() else [self.answer, self.decline]

    def render_view(self, view: View) -> None:
        call = self._call = view.waiting
        self.setVisible(call is not None)
        if call is None:
            return
        view = view.of(call)
        texts, name = view.texts, who(view, call)
        self.name.setText(name)
        rung = duration((view.now - call.arrived_at).total_seconds())
        self.since.setText(" · ".join(part for part in (view.name_of_line(call), texts("tab.rings"), rung) if part))
        shown = view.call
        holds = texts("waiting.answer.why", who=who(view, shown)) if shown is not None else ""
        gone = "" if view.connected else texts("why_not.no_engine")
        self.answer.show_as(
            view,
            texts("call.answer"),
            icon="phone",
            name=texts("waiting.answer", who=name),
            enabled=view.connected,
            why=gone or holds,
            means="answer",
        )
        self.decline.show_as(
            view,
            texts("call.decline"),
            icon="hang_up",
            name=texts("waiting.decline", who=name),
            enabled=view.connected,
            why=gone,
            means="decline",
        )

    def _send(self, command: type[Answer] | type[Decline]) -> None:
        if self._call is not None:
            self.command.emit(command(new_id(), self._call.id))
