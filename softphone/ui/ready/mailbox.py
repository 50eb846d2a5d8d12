"""Messages that wait in an account's mailbox: a lamp with their number. A press calls the mailbox."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from softphone.ui.controls import Control, FilledButton
from softphone.ui.view import View, new_id
from softphone.wire.snapshot import AccountState
from softphone.wire.to_engine import Dial


class Mailboxes(QWidget):
    """One line for each account with messages. command(Dial)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.lamps: dict[str, FilledButton] = {}
        self._targets: dict[str, str] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)

    def controls(self) -> list[Control]:
        return [*self.lamps.values()]

    def render_view(self, view: View) -> None:
        states = view.snapshot.accounts if view.snapshot and view.connected else ()
        wanted = {state.account.id: state for state in states if state.mailbox is not None and state.mailbox.waiting}
        for gone in [one for one in self.lamps if one not in wanted]:
            lamp = self.lamps.pop(gone)
            self._layout.removeWidget(lamp)
            lamp.setParent(None)
            lamp.deleteLater()
        several = len(states) > 1
        for id, state in wanted.items():
            if id not in self.lamps:
                lamp = self.lamps[id] = FilledButton(f"mailbox_{id}", "plain", 40)
                lamp.clicked.connect(lambda _checked=False, id=id: self._call(id))
                self._layout.addWidget(lamp)
                lamp.show()
            self._show(view, state, several=several)
        self.setVisible(bool(wanted))

    def _show(self, view: View, state: AccountState, *, several: bool) -> None:
        texts, box, account = view.texts, state.mailbox, state.account
        self._targets[account.id] = target = account.mailbox or (box.target if box else "")
        count = box.new if box else None
        said = texts("mailbox.new", count=count) if count else texts("mailbox.some")
        if several:
            said = texts("mailbox.of", said=said, address=account.address)
        why = "mailbox.call.why" if target else "mailbox.call.no_number"
        if view.call is not None:
            why = "mailbox.call.busy"
        self.lamps[account.id].show_as(
            view,
            said,
            icon="voicemail",
            name=texts("mailbox.call", said=said),
            enabled=bool(target) and view.call is None,
            why=texts(why),
        )

    def _call(self, account: str) -> None:
        self.command.emit(Dial(new_id(), account, self._targets[account]))
