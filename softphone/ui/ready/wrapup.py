"""The last call, in its wrap-up: what is kept of it, and opt-out, dispute and withdrawal still in reach."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.call.buttons import RightsButtons
from softphone.ui.call.choices import Choices
from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import Card, Words
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, duration, new_id, readable, version
from softphone.ui.words.kept import duration_of, kept_words, lock_words
from softphone.ui.words.rights import ended_by_opt_out
from softphone.wire import Act, CallState, EndWrapUp

_WITHDRAWALS = (("withdraw_documentation", "withdrawDocumentation"), ("withdraw_training", "withdrawTraining"))


class WrapUp(Card):
    """command(OptOut | RaiseDispute | UndoDispute | Choose | Act | EndWrapUp)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("wrapUp")
        self.caption = Words("wrapUpCaption", size=SMALL, role="muted")
        self.finish = QuietButton("endWrapUp", size=16)
        self.name = Words("wrapUpName", size=BODY, strong=True)
        self.when = Words("wrapUpWhen", size=SMALL, role="muted", tabular=True)
        self.when.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.kept = Words("wrapUpKept", size=SMALL, role="muted", wrap=True)
        self.lock = Words("wrapUpLock", size=SMALL, wrap=True)
        self.rights = RightsButtons("last")
        self.choices = Choices()
        self.withdraw = {action: FilledButton(name, "plain", 40) for action, name in _WITHDRAWALS}
        self._call: CallState | None = None

        top, who = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.caption, 1)
        top.addWidget(self.finish)
        who.addWidget(self.name, 1)
        who.addWidget(self.when)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 14, 14)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(who)
        layout.addWidget(self.kept)
        layout.addWidget(self.lock)
        layout.addSpacing(6)
        layout.addWidget(self.rights)
        layout.addWidget(self.choices)
        below = QVBoxLayout()
        below.setContentsMargins(0, 4, 0, 0)
        below.setSpacing(8)
        for button in self.withdraw.values():
            below.addWidget(button)
        layout.addLayout(below)
        for part in (self.rights, self.choices):
            part.command.connect(self.command)
        self.finish.clicked.connect(self._finish)
        for action, button in self.withdraw.items():
            button.clicked.connect(lambda _checked=False, action=action: self._act(action))

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        texts = view.texts
        self.caption.setText(texts("wrap_up.caption"))
        self.finish.show_as(
            view, texts("wrap_up.finish"), icon="check", enabled=view.connected, why=texts("wrap_up.finish.why")
        )
        self.name.setText(call.name or readable(call.number) or texts("party.unknown"))
        seconds = duration_of(call, view.now)
        at = texts.clock(call.answered_at or call.arrived_at)
        self.when.setText(f"{at} · {duration(seconds)}" if seconds is not None else at)
        self.kept.setText(kept_words(view, call))
        lock = lock_words(view, call)
        self.lock.setText(lock)
        self.lock.setVisible(bool(lock))
        self.lock.setStyleSheet(
            f"background: {view.theme.lock_fill}; color: {view.theme.lock_ink}; border-radius: 6px; padding: 5px 8px;"
        )
        self.rights.render_view(view, call)
        self.choices.render_view(view, call)
        for action, button in self.withdraw.items():
            able = call.status is not None and action in call.status.actions
            if call.status is not None and action == f"withdraw_{ended_by_opt_out(call.status)}":
                able = False  # the opt-out button does just that
            button.setVisible(able)
            button.show_as(view, texts(f"action.{action}", party=view.party(call)), enabled=view.connected)

    def tab_chain(self) -> list[QWidget]:
        """All that can have the focus here, in order."""
        return [
            self.finish,
            self.rights.opt_out,
            self.rights.dispute,
            *self.choices.chips(),
            *self.withdraw.values(),
        ]

    def _act(self, action: str) -> None:
        if self._call:
            self.command.emit(Act(new_id(), self._call.id, version(self._call.status), action))

    def _finish(self) -> None:
        if self._call:
            self.command.emit(EndWrapUp(new_id(), self._call.id))
