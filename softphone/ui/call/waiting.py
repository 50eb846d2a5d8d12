"""Somebody rings while the agent talks: who, and the two presses, in place. It answers nothing by itself."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout

from softphone.ui.controls import Control, FilledButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, duration, new_id, who
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import Answer, Decline

_ASIDE, _BETWEEN = 12, 8
"""px beside the words, and between them"""
_USUAL, _LOW = (_ASIDE, 9, _ASIDE, 11), (_ASIDE, 4, _ASIDE, 5)
"""px around them, in a low window too"""


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
        self._whole = self._short = ""
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.since)
        second.setSpacing(8)
        second.addWidget(self.answer)
        second.addWidget(self.decline)
        inside = self._inside = QVBoxLayout(self)
        inside.setContentsMargins(*_USUAL)
        inside.setSpacing(8)
        inside.addLayout(first)
        inside.addLayout(second)
        self.answer.clicked.connect(lambda: self._send(Answer))
        self.decline.clicked.connect(lambda: self._send(Decline))
        self.hide()

    def be_low(self, wanted: bool) -> None:
        left, top, right, bottom = _LOW if wanted else _USUAL
        self._inside.setContentsMargins(left, top, right, bottom)

    def saved(self) -> int:
        """px that it takes less when it is low."""
        return 0 if self.isHidden() else _USUAL[1] + _USUAL[3] - _LOW[1] - _LOW[3]

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
        rings = f"{texts('tab.rings')} · {duration((view.now - call.arrived_at).total_seconds())}"
        line = view.name_of_line(call)
        self._whole, self._short = f"{line} · {rings}" if line else rings, rings
        self._fit()
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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Who it is stays whole: the line's name gives way."""
        room = self.contentsRect().width() - 2 * _ASIDE - _BETWEEN
        words = self.name.fontMetrics().horizontalAdvance(self.name.text())
        fits = words + self.since.fontMetrics().horizontalAdvance(self._whole) <= room
        self.since.setText(self._whole if fits else self._short)
        self.since.setToolTip("" if fits else self._whole)

    def _send(self, command: type[Answer] | type[Decline]) -> None:
        if self._call is not None:
            self.command.emit(command(new_id(), self._call.id))
