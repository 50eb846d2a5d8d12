"""The dial field: a number, an address, or a name of today's calls; and the line, where it is the user's to choose."""

from __future__ import annotations

import re

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from softphone.ui.controls import FilledButton
from softphone.ui.fields import Pick, Words
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, new_id
from softphone.wire import Account, Dial, Snapshot

_NUMBER = re.compile(r"\+?[\d\s().\-/*#]{2,}")


class DialField(QWidget):
    """command(Dial)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.target = QLineEdit()
        self.target.setObjectName("dialTarget")
        self.call = FilledButton("dial", height=40)
        self.call.setFixedWidth(52)
        self.line = Pick("dialLine")
        self.problem = Words("dialProblem", size=SMALL, role="danger", wrap=True)
        self.problem.hide()
        self._view: View | None = None
        self._names: tuple[str, ...] = ()
        self._dialled = ""
        """the command that the engine has yet to answer"""
        self._completer = QCompleter(QStringListModel(self), self)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.target.setCompleter(self._completer)

        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.target, 1)
        row.addWidget(self.call)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row)
        layout.addWidget(self.line)
        layout.addWidget(self.problem)
        self.target.returnPressed.connect(self.press)
        self.target.textEdited.connect(self.problem.hide)
        self.call.clicked.connect(self.press)

    def render_view(self, view: View) -> None:
        self._view = view
        texts, snapshot = view.texts, view.snapshot
        self.target.setPlaceholderText(texts("dial.placeholder"))
        self.target.setAccessibleName(texts("dial.placeholder"))
        account = _account(snapshot)
        why = (
            "" if view.connected and account else texts("why_not.no_account" if view.connected else "why_not.no_engine")
        )
        self.call.show_as(view, "", icon="phone", name=texts("dial.call"), enabled=not why, why=why)
        names = tuple(dict.fromkeys(call.name for call in snapshot.history if call.name)) if snapshot else ()
        if names != self._names:
            self._names = names
            model = self._completer.model()
            assert isinstance(model, QStringListModel)
            model.setStringList(list(names))
        self._render_lines(view, account)

    def _render_lines(self, view: View, account: Account | None) -> None:
        """The choice is shown only where the account's own number belongs to no line."""
        lines = view.snapshot.lines if view.snapshot else ()
        decided = account is not None and view.line_of(account) is not None
        self.line.setVisible(bool(lines) and not decided)
        wanted: list[tuple[str, str | None]] = [(view.texts("dial.no_line"), None)]
        wanted += [(view.line_name(line.id), line.id) for line in lines]
        fresh = self.line.count() == 0
        self.line.show_entries(view, wanted, lines[0].id if fresh and len(lines) == 1 else self.line.currentData())
        self.line.setAccessibleName(view.texts("dial.line"))
        self.line.setToolTip(view.texts("dial.line.why"))

    def fill(self, target: str) -> None:
        """Put a number into the field and the focus behind it."""
        self.target.setText(target)
        self.target.setFocus(Qt.FocusReason.OtherFocusReason)
        self.problem.hide()

    def press(self) -> None:
        """Call what stands in the field; once, until the engine has answered."""
        view = self._view
        if view is None or not self.call.isEnabled() or view.snapshot is None or self._dialled:
            return
        account = _account(view.snapshot)
        typed = self.target.text().strip()
        target = _target(typed, view.snapshot)
        if account is None or not target:
            self.problem.setText(view.texts("dial.unknown" if typed else "dial.empty", typed=typed))
            self.problem.show()
            return
        line: str | None = self.line.currentData() if not self.line.isHidden() else None
        command = Dial(new_id(), account.id, target, line)
        self._dialled = command.id
        self.command.emit(command)

    def answered(self, command: str, *, taken: bool) -> None:
        """The engine's answer to the command with this id, or none will come: a number that was not called can be mended."""
        if command and command == self._dialled:
            self._dialled = ""
            if taken:
                self.target.clear()

    def given_up(self) -> None:
        """Nothing that was sent will be answered."""
        self._dialled = ""


def _account(snapshot: Snapshot | None) -> Account | None:
    return snapshot.accounts[0].account if snapshot and snapshot.accounts else None


def _target(typed: str, snapshot: Snapshot) -> str:
    """The number or address that `typed` means, or nothing: a name is one of today's calls."""
    if "@" in typed:
        return typed
    if _NUMBER.fullmatch(typed):
        return re.sub(r"[\s().\-/]", "", typed)
    if not typed:
        return ""
    named = [call for call in snapshot.history if call.name and call.number]
    exact = [call.number for call in named if call.name.casefold() == typed.casefold()]
    begins = {call.number for call in named if call.name.casefold().startswith(typed.casefold())}
    return exact[0] if exact else next(iter(begins)) if len(begins) == 1 else ""
