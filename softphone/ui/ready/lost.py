"""The calls in which the phone itself broke off: whom the agent has lost, and the press that calls back.

Nobody told the party anything. It stands there until the agent has called, was called, or says that it is done.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.call.earlier import why_not
from softphone.ui.controls import Control, FilledButton, QuietButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, new_id, readable
from softphone.wire.snapshot import PastCall
from softphone.wire.to_engine import Seen


class LostCall(Card):
    """One of them. command(Seen); called(its number)."""

    command = Signal(object)
    called = Signal(str)

    def __init__(self, past: PastCall) -> None:
        super().__init__(f"lost_{past.id}", "fault")
        self.past = past
        self.caption = TextLabel(f"lostCaption_{past.id}", size=SMALL, strong=True)
        self.name = TextLabel(f"lostName_{past.id}", size=BODY, strong=True)
        self.number = TextLabel(size=SMALL, role="muted", tabular=True)
        self.when = TextLabel(size=SMALL, role="muted", tabular=True)
        self.when.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.done = QuietButton(f"lostDone_{past.id}", size=16)
        self.again = FilledButton(f"lostCall_{past.id}", height=40)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.caption, 1)
        first.addWidget(self.done)
        second.addWidget(self.name, 1)
        second.addWidget(self.when)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 14, 14)
        layout.setSpacing(4)
        layout.addLayout(first)
        layout.addLayout(second)
        layout.addWidget(self.number)
        layout.addSpacing(4)
        layout.addWidget(self.again)
        self.again.clicked.connect(lambda: self.called.emit(self.past.number))
        self.done.clicked.connect(lambda: self.command.emit(Seen(new_id(), (self.past.id,))))

    def render_view(self, view: View, past: PastCall) -> None:
        self.past = past
        texts, who = view.texts, past.name or readable(past.number) or view.texts("party.unknown")
        self.caption.setText(texts("lost.title"))
        self.name.setText(who)
        self.number.setText(" · ".join(part for part in (readable(past.number), view.name_of_line(past)) if part))
        if not past.name:
            self.number.setText(view.name_of_line(past))  # a number that is the name stands once
        self.number.setVisible(bool(self.number.text()))
        self.when.setText(texts.clock(past.at))
        gone = "" if view.connected else texts("why_not.no_engine")
        self.done.show_as(
            view, "", icon="close", name=texts("lost.done.name", who=who), enabled=view.connected, why=gone
        )
        why = why_not(view, past)
        self.again.show_as(
            view,
            texts("lost.call"),
            icon="phone",
            name=texts("wrap_up.again", who=who),
            enabled=not why,
            why=texts(why) if why else "",
        )


class LostCalls(QWidget):
    """The newest first. command(Seen), called(number)."""

    command = Signal(object)
    called = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.cards: dict[str, LostCall] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self.hide()

    def controls(self) -> list[Control]:
        """The buttons as they stand, in their order."""
        return [button for card in self.cards.values() for button in (card.done, card.again)]

    def render_view(self, view: View) -> None:
        wanted = {past.id: past for past in view.lost}
        for gone in self.cards.keys() - wanted.keys():
            card = self.cards.pop(gone)
            self._layout.removeWidget(card)
            card.setParent(None)
            card.deleteLater()
        for place, (id, past) in enumerate(wanted.items()):
            if id not in self.cards:
                card = self.cards[id] = LostCall(past)
                card.command.connect(self.command)
                card.called.connect(self.called)
                self._layout.insertWidget(place, card)
                card.show()
            self.cards[id].render_view(view, past)
        self.setVisible(bool(wanted))
