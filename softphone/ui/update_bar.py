"""The line that says that an update waits for the agent: what it waits for, and how to put it off or take it now.

It has a place of its own above the page, so it covers nothing. It ends nothing itself.
"""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from softphone.ui.controls import FilledButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import MARGIN, SMALL
from softphone.ui.view import View, new_id
from softphone.wire.snapshot import CallPhase, QuitAsked, QuitPhase
from softphone.wire.to_engine import PostponeQuit

POSTPONED = timedelta(hours=1)


class UpdateBar(QWidget):
    """command(PostponeQuit), taken(): the agent wants it now."""

    command = Signal(object)
    taken = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.card = Card("updateBar", "card")
        self.text = TextLabel("updateText", size=SMALL, wrap=True)
        self.later = FilledButton("postponeUpdate", "plain", 32)
        self.now = FilledButton("takeUpdate", "plain", 32)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.later, self.now):
            buttons.addWidget(button, 1)
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(14, 8, 14, 10)
        inside.setSpacing(8)
        inside.addWidget(self.text)
        inside.addLayout(buttons)
        around = QVBoxLayout(self)
        around.setContentsMargins(MARGIN, 2, MARGIN, 6)
        around.addWidget(self.card)
        self.later.clicked.connect(lambda: self.command.emit(PostponeQuit(new_id())))
        self.now.clicked.connect(self.taken)
        self.hide()

    def render_view(self, view: View, *, is_compact: bool) -> None:
        """The call comes first: while one is on there is one line less, and nothing to take."""
        asked = view.snapshot.quit_asked if view.snapshot and view.connected else None
        self.setVisible(asked is not None and not is_compact)
        if asked is None:
            return
        self.text.setText(_words(view, asked))
        sooner = asked.latest is not None and asked.latest < view.now + POSTPONED
        self.later.show_as(view, view.texts("update.postpone.until" if sooner else "update.postpone", at=asked.latest))
        self.later.setVisible(asked.phase is not QuitPhase.POSTPONED and not _over(view, asked))
        self.now.show_as(
            view,
            view.texts("update.now"),
            enabled=not in_call(view),
            why="" if not in_call(view) else view.texts("update.now.in_call"),
        )


def in_call(view: View) -> bool:
    return view.snapshot is not None and any(one.phase is not CallPhase.ENDED for one in view.snapshot.calls)


def _over(view: View, asked: QuitAsked) -> bool:
    return asked.latest is not None and asked.latest <= view.now


def _words(view: View, asked: QuitAsked) -> str:
    texts = view.texts
    latest = f" {texts('update.latest', at=asked.latest)}" if asked.latest else ""
    if asked.phase is QuitPhase.POSTPONED:
        return texts("update.postponed", until=asked.until) + latest
    if _over(view, asked):
        return texts("update.waits.call_alone")
    calls = view.snapshot.calls if view.snapshot else ()
    waits = texts("update.waits.call" if in_call(view) else "update.waits.wrap_up" if calls else "update.waits.typed")
    return waits + latest
