"""Messages that wait in an account's mailbox: a lamp with their number, and whom a press calls.

The exchange says who that is. What is not of the account's own domain is put into the dial field, for a person to judge.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from softphone.ui.controls import Control, FilledButton
from softphone.ui.fields import TextLabel
from softphone.ui.targets import within
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, new_id, readable_target
from softphone.wire.snapshot import AccountState
from softphone.wire.to_engine import Dial


class Mailboxes(QWidget):
    """A lamp and a line for each account with messages. command(Dial); picked(an address that is elsewhere)."""

    command = Signal(object)
    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.lamps: dict[str, FilledButton] = {}
        self.callees: dict[str, TextLabel] = {}
        self._targets: dict[str, tuple[str, bool]] = {}
        """whom to call, and whether that is elsewhere"""
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)

    def controls(self) -> list[Control]:
        return [*self.lamps.values()]

    def render_view(self, view: View) -> None:
        states = view.snapshot.accounts if view.snapshot and view.connected else ()
        wanted = {state.account.id: state for state in states if state.mailbox is not None and state.mailbox.waiting}
        for gone in [one for one in self.lamps if one not in wanted]:
            for widget in (self.lamps.pop(gone), self.callees.pop(gone)):
                self._layout.removeWidget(widget)
                widget.setParent(None)
                widget.deleteLater()
        several = len(states) > 1
        for id, state in wanted.items():
            if id not in self.lamps:
                lamp = self.lamps[id] = FilledButton(f"mailbox_{id}", "plain", 40)
                lamp.clicked.connect(lambda _checked=False, id=id: self._call(id))
                self._layout.addWidget(lamp)
                lamp.show()
                self.callees[id] = TextLabel(f"mailboxCallee_{id}", size=SMALL, role="muted")
                self._layout.addWidget(self.callees[id])
            self._show(view, state, several=several)
        self.setVisible(bool(wanted))

    def _show(self, view: View, state: AccountState, *, several: bool) -> None:
        texts, box, account = view.texts, state.mailbox, state.account
        target = account.mailbox or (box.target if box else "")
        number = account.mailbox or within(target, account.address)
        elsewhere = bool(target) and not number
        self._targets[account.id] = target, elsewhere
        count = box.new if box else None
        said = texts("mailbox.new", count=count) if count else texts("mailbox.some")
        if several:
            said = texts("mailbox.of", said=said, address=account.address)
        why = "mailbox.call.why" if target else "mailbox.call.no_number"
        if elsewhere:
            why = "mailbox.call.elsewhere"
        if view.call is not None:
            why = "mailbox.call.busy"
        callee = texts("mailbox.elsewhere" if elsewhere else "mailbox.callee", number=readable_target(number or target))
        line = self.callees[account.id]
        line.setText(callee)
        line.setToolTip(callee if line.elided() else "")
        line.setVisible(bool(target))
        self.lamps[account.id].show_as(
            view,
            said,
            icon="voicemail",
            name=texts("mailbox.call", said=said),
            enabled=bool(target) and view.call is None,
            why=texts(why),
            means=f"{said} {callee}",
        )

    def _call(self, account: str) -> None:
        target, elsewhere = self._targets[account]
        if elsewhere:
            self.picked.emit(target)
        else:
            self.command.emit(Dial(new_id(), account, target))
