"""What is kept of an ended call, and the rights still in reach: in wrap-up, and in an earlier call's row.

It says what the engine's status says, and sends presses. It does not know what they do.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from softphone.domain.status import Action, OptOutKind, Status
from softphone.ui.call.buttons import RightsButtons
from softphone.ui.call.choices import Choices
from softphone.ui.call.earlier import EarlierMenu, why_not_lock
from softphone.ui.controls import FilledButton
from softphone.ui.fields import TextLabel
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, new_id, upper_first, version
from softphone.ui.words.kept import kept_words, lock_words
from softphone.ui.words.rights import ended_by_opt_out
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import Act

_BESIDE = (Action.WITHDRAW_DOCUMENTATION, Action.WITHDRAW_TRAINING, Action.OBJECT)
"""what stands below the two buttons, if it is possible and they do something else"""


class KeptRights(QWidget):
    """command(OptOut | RaiseDispute | UndoDispute | Choose | Act | LockEarlier)."""

    command = Signal(object)

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.kept = TextLabel(f"{prefix}Kept", size=SMALL, role="muted", wrap=True)
        self.lock = TextLabel(f"{prefix}Lock", size=SMALL, wrap=True)
        # With a margin of its own, the style's padding and the indent together broke a line that fits.
        self.lock.setIndent(0)
        self.buttons = RightsButtons(prefix)
        self.choices = Choices()
        self.beside = {action: FilledButton(f"{prefix}_{action}", "plain", 40) for action in _BESIDE}
        self.earlier = FilledButton(f"{prefix}LockEarlier", "plain", 40)
        self.who = EarlierMenu(prefix, self)
        self._call: CallState | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.kept)
        layout.addWidget(self.lock)
        layout.addSpacing(6)
        layout.addWidget(self.buttons)
        layout.addWidget(self.choices)
        below = QVBoxLayout()
        below.setContentsMargins(0, 4, 0, 0)
        below.setSpacing(8)
        for action, button in self.beside.items():
            below.addWidget(button)
            button.clicked.connect(lambda _checked=False, action=action: self._act(action))
        below.addWidget(self.earlier)
        self.earlier.clicked.connect(lambda: self.who.popup(self.earlier.mapToGlobal(self.earlier.rect().bottomLeft())))
        layout.addLayout(below)
        for part in (self.buttons, self.who):
            part.command.connect(self.command)
        self.choices.command.connect(self.buttons.propose)

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        self.kept.setText(kept_words(view, call))
        lock = lock_words(view, call)
        self.lock.setText(lock)
        self.lock.setVisible(bool(lock))
        self.lock.setStyleSheet(
            f"background: {view.theme.lock_fill}; color: {view.theme.lock_ink}; border-radius: 6px; padding: 5px 8px;"
        )
        self.buttons.render_view(view, call)
        self.choices.render_view(view, call)
        for action, button in self.beside.items():
            button.setVisible(call.status is not None and _stands(call.status, action))
            party = view.party(call)
            whole = view.texts(f"action.{action}", party=party, Party=upper_first(party))
            short = f"action.{action}.short"
            shown = view.texts(short) if short in view.texts else whole
            button.show_as(view, shown, name=whole, enabled=view.connected)
        self.who.render_view(view, call)
        why, name = why_not_lock(view, call), view.texts("earlier.lock.name")
        self.earlier.setVisible(call.recorded_before)
        self.earlier.show_as(
            view, view.texts("earlier.lock"), name=name, enabled=not why, why=view.texts(why or "earlier.lock.why")
        )

    def tab_chain(self) -> list[QWidget]:
        """All that can have the focus here, in order."""
        return [*self.buttons.controls(), *self.choices.chips(), *self.beside.values(), self.earlier]

    def _act(self, action: Action) -> None:
        if self._call:
            self.buttons.propose(Act(new_id(), self._call.id, version(self._call.status), action))


def _stands(status: Status, action: Action) -> bool:
    """Not what the opt-out button does already."""
    if action not in status.actions or action == f"withdraw_{ended_by_opt_out(status)}":
        return False
    return action != Action.OBJECT or status.opt_out.kind != OptOutKind.OBJECTION
