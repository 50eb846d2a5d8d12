"""Who is to be called back without recording (N4), each with *Call* and *Done*. What a call back records is not decided
here."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.controls import Control, FilledButton, QuietButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, new_id, readable
from softphone.wire.snapshot import Account, CallBack
from softphone.wire.to_engine import Dial, EndCallBack

_ROOM_FOR_ALL = 320
"""px"""


class CallBackRow(Card):
    """One of them. command(Dial | EndCallBack)."""

    command = Signal(object)

    def __init__(self, entry: CallBack) -> None:
        super().__init__(f"callBack_{entry.id}")
        self.entry = entry
        self.who = TextLabel(f"callBackWho_{entry.id}", size=BODY, strong=True)
        self.when = TextLabel(size=SMALL, role="muted", tabular=True)
        self.when.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.number = TextLabel(size=SMALL, role="muted", tabular=True)
        self.done = QuietButton(f"callBackDone_{entry.id}", size=16)
        self.call = FilledButton(f"callBackCall_{entry.id}", "plain", 36)
        self.call.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.done.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._account = ""
        self._view: View | None = None
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.who, 1)
        first.addWidget(self.when)
        second.setSpacing(6)
        second.addWidget(self.number, 1)
        second.addWidget(self.done)
        second.addWidget(self.call)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 10, 10)
        layout.setSpacing(2)
        layout.addLayout(first)
        layout.addLayout(second)
        self.call.clicked.connect(self._dial)
        self.done.clicked.connect(lambda: self.command.emit(EndCallBack(new_id(), self.entry.id)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._view is not None:
            self._show_done(self._view)

    def render_view(self, view: View) -> None:
        self._view = view
        texts, entry, snapshot = view.texts, self.entry, view.snapshot
        account = _account(view, entry.line)
        self._account = account.id if account else ""
        known = [past.name for past in snapshot.history if past.number == entry.number] if snapshot else []
        named = next((name for name in known if name), "") if entry.number else ""
        who = named or readable(entry.number) or texts("party.unknown")
        self.who.setText(who)
        self.number.setText(readable(entry.number) if named else "")
        day = entry.at.astimezone(texts.zone).date()
        today = day == view.now.astimezone(texts.zone).date()
        when = texts.clock(entry.at) if today else texts.day(day)
        self.when.setText(" · ".join(part for part in (view.line_name(entry.line), when) if part))
        why_not = _why_not(view) or ("" if entry.number else "call_backs.call.withheld")
        if not why_not and account is None:
            why_not = "call_backs.call.no_account" if view.line(entry.line) else "call_backs.call.no_line"
        why = texts(why_not or "call_backs.call.why", line=view.line_name(entry.line))
        name = texts("call_backs.call.name", who=who)
        self.call.show_as(view, texts("call_backs.call"), icon="phone", name=name, enabled=not why_not, why=why)
        self._show_done(view)

    def _show_done(self, view: View) -> None:
        """Without room for its word beside the number, its mark is enough."""
        gone = "" if view.connected else view.texts("why_not.no_engine")
        name = view.texts("call_backs.done.name", who=self.who.text())
        word = "" if self.number.text() and self.width() < _ROOM_FOR_ALL else view.texts("call_backs.done")
        self.done.show_as(view, word, icon="check", name=name, enabled=view.connected, why=gone)

    def _dial(self) -> None:
        self.command.emit(Dial(new_id(), self._account, self.entry.number, self.entry.line))


class CallBacks(QWidget):
    """The list, oldest first. command(Dial | EndCallBack)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.title = TextLabel("callBacksTitle", size=SMALL, role="muted")
        self.rows: dict[CallBack, CallBackRow] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._layout.addWidget(self.title)

    def controls(self) -> list[Control]:
        """The buttons as they stand, in their order."""
        return [button for row in self.rows.values() for button in (row.done, row.call)]

    def render_view(self, view: View) -> None:
        wanted = view.snapshot.call_backs if view.snapshot else ()
        if tuple(self.rows) != wanted:
            for entry in [entry for entry in self.rows if entry not in wanted]:
                row = self.rows.pop(entry)
                self._layout.removeWidget(row)
                row.setParent(None)
                row.deleteLater()
            for entry in wanted:
                if entry not in self.rows:
                    row = self.rows[entry] = CallBackRow(entry)
                    row.command.connect(self.command)
                    self._layout.addWidget(row)
                    row.show()
        self.title.setText(view.texts("call_backs.title"))
        for row in self.rows.values():
            row.render_view(view)
        self.setVisible(bool(wanted))


def _account(view: View, line: str | None) -> Account | None:
    """The account to call from on `line`, which alone has promised not to record: an account's own number overrides any
    choice."""
    accounts = [state.account for state in view.snapshot.accounts] if view.snapshot else []
    decided = {account.id: view.line_of(account) for account in accounts}
    own = [account for account in accounts if (there := decided[account.id]) is not None and there.id == line]
    free = [account for account in accounts if decided[account.id] is None]
    return next(iter(own + free), None)


def _why_not(view: View) -> str:
    if not view.connected:
        return "why_not.no_engine"
    if not (view.snapshot and view.snapshot.accounts):
        return "why_not.no_account"
    return "call_backs.busy" if view.call is not None else ""
