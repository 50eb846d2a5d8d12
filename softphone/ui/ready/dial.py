"""The dial field: a number, an address, or a name of one's own calls; the account, and the line, if the user may choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from softphone.domain.purpose import Direction
from softphone.ui.controls import FilledButton
from softphone.ui.fields import ComboBox, TextLabel
from softphone.ui.note import announcement
from softphone.ui.ready.offered import Offered
from softphone.ui.segments import Chip
from softphone.ui.targets import target_of
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, new_id, readable
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import Account, LineState
from softphone.wire.to_engine import Dial, SaveSettings

_NO_LINE, _NOT_CHOSEN = "\0none", ""
"""choices beside the lines' ids: no line, for this call alone; nothing chosen yet"""
_FEW = 4
"""lines that each have a button of their own when it is asked"""


class LineQuestion(QWidget):
    """The line to call on, if none has been chosen: a button for each of a few; of more, the list to choose from opens.
    chosen(line's id, or _NO_LINE); listed(): the list is asked for."""

    chosen = Signal(str)
    listed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("lineQuestion")
        self.question = TextLabel("lineQuestionText", size=SMALL, role="muted", wrap=True)
        self.chips: list[Chip] = []
        self._ids: tuple[str, ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 2, 0, 0)
        self._layout.setSpacing(6)
        self._layout.addWidget(self.question)
        self.hide()

    def render_view(self, view: View, entries: Sequence[tuple[str, str]]) -> None:
        self.question.setText(view.texts("dial.which_line"))
        entries = entries if len(entries) <= _FEW + 1 else ()
        ids = tuple(id for _, id in entries)
        if ids != self._ids:
            self._ids = ids
            for chip in self.chips:
                self._layout.removeWidget(chip)
                chip.setParent(None)
                chip.deleteLater()
            self.chips = [Chip(f"onLine_{place}") for place in range(len(ids))]
            for chip, id in zip(self.chips, ids, strict=True):
                self._layout.addWidget(chip)
                chip.clicked.connect(lambda _checked=False, id=id: self.chosen.emit(id))
        for chip, (name, _) in zip(self.chips, entries, strict=True):
            chip.show_as(view, name, name=view.texts("dial.on_line", line=name), enabled=view.connected)

    def ask(self) -> None:
        """Shown in place and said to a screen reader; the keyboard is at the answer."""
        self.show()
        QAccessible.updateAccessibility(announcement(self, self.question.text()))
        if self.chips:
            self.chips[0].setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.listed.emit()


class DialField(QWidget):
    """command(Dial | SaveSettings): the chosen line is remembered; *no line* holds for the next call alone."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.target = QLineEdit()
        self.target.setObjectName("dialTarget")
        self.call = FilledButton("dial", height=40)
        self.call.setFixedWidth(52)
        self.account = ComboBox("dialAccount")
        self.line = ComboBox("dialLine")
        self.which = LineQuestion()
        self.offered = Offered(self.target, self.call)
        self.problem = TextLabel("dialProblem", size=SMALL, role="danger", wrap=True)
        self.problem.hide()
        self._view: View | None = None
        self._names: tuple[str, ...] = ()
        self._picked = _NOT_CHOSEN
        """chosen since the window was opened; earlier choices are in the settings"""
        self._picked_account = ""
        """the same; the first account of the settings, if none"""
        self._dialled = ""
        """the command that the engine has not answered yet"""
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
        layout.addWidget(self.offered)
        layout.addWidget(self.account)
        layout.addWidget(self.line)
        layout.addWidget(self.which)
        layout.addWidget(self.problem)
        self.target.returnPressed.connect(self._entered)
        self.target.textEdited.connect(self._typed)
        self.call.clicked.connect(self.press)
        self.account.activated.connect(self._pick_account)
        self.line.activated.connect(self._line_activated)
        self.which.listed.connect(self._open_lines)
        self.which.chosen.connect(self._answered_which)
        self.offered.taken.connect(self.fill)

    def render_view(self, view: View) -> None:
        self._view = view
        texts, snapshot = view.texts, view.snapshot
        self.target.setPlaceholderText(texts("dial.placeholder"))
        self.target.setAccessibleName(texts("dial.placeholder"))
        account = self._account(snapshot)
        self._render_accounts(view, account)
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
        self.offered.render_view(view)

    def _render_accounts(self, view: View, account: Account | None) -> None:
        accounts = [state.account for state in view.snapshot.accounts] if view.snapshot else []
        self.account.setVisible(len(accounts) > 1)
        entries: list[tuple[str, str | None]] = [
            (view.texts("dial.by_account", address=one.address), one.id) for one in accounts
        ]
        self.account.show_entries(view, entries, account.id if account else None)
        self.account.setAccessibleName(view.texts("dial.account"))

    def _account(self, snapshot: Snapshot | None) -> Account | None:
        accounts = [state.account for state in snapshot.accounts] if snapshot else []
        return next((one for one in accounts if one.id == self._picked_account), next(iter(accounts), None))

    def _pick_account(self) -> None:
        self._picked_account = str(self.account.currentData())
        if self._view is not None:
            self.render_view(self._view)

    def _render_lines(self, view: View, account: Account | None) -> None:
        """The choice is shown only if the account's own number belongs to no line."""
        lines = view.snapshot.lines if view.snapshot else ()
        decided = account is not None and view.line_of(account) is not None
        self.line.setVisible(bool(lines) and not decided)
        named = [*_told_apart(view, lines), (view.texts("dial.no_line"), _NO_LINE)]
        chosen = self._chosen(view)
        first: list[tuple[str, str | None]] = [] if chosen else [(view.texts("dial.choose_line"), _NOT_CHOSEN)]
        self.line.show_entries(view, [*first, *named], chosen)
        self.line.setAccessibleName(view.texts("dial.line"))
        self.line.setToolTip(view.texts("dial.line.why"))
        self.which.render_view(view, named)
        if chosen or self.line.isHidden():
            self.which.hide()

    def _chosen(self, view: View) -> str:
        """The id of the line to call on, _NO_LINE, or _NOT_CHOSEN: the only line needs no choice."""
        lines = view.snapshot.lines if view.snapshot else ()
        before = view.snapshot.settings.line if view.snapshot else ""
        there = {line.id for line in lines} | {_NO_LINE}
        only = lines[0].id if len(lines) == 1 else _NOT_CHOSEN
        return next((one for one in (self._picked, before) if one in there), only)

    def tab_chain(self) -> list[QWidget]:
        """All that can have the focus here, in order."""
        return [self.target, self.call, self.offered.take, self.account, self.line, *self.which.chips]

    def fill(self, target: str) -> None:
        """Put a number that the agent has chosen into the field, and the focus behind it."""
        self.target.setText(target)
        self.offered.touched()
        self.target.setFocus(Qt.FocusReason.OtherFocusReason)
        self._typed()

    def offer(self, target: str) -> None:
        """Somebody else's number, which nobody here has chosen yet."""
        self.offered.offer(target, self._view)

    def go_to(self) -> None:
        """By the field's own key."""
        self.target.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.offered.touched()

    def call_again(self, target: str) -> None:
        """As if it had been typed."""
        self.fill(target)
        self.press()

    def put_away(self) -> None:
        """A call has come over it. The list of names is a window of its own."""
        if (names := self._completer.popup()) is not None:
            names.hide()

    def _entered(self) -> None:
        if self.target.isVisible() and not self.offered.untouched:
            self.press()

    def _typed(self) -> None:
        self.problem.hide()
        self.which.hide()

    def _pick(self, line: str) -> None:
        view, self._picked = self._view, line
        if view is None:
            return
        if view.snapshot is not None and line not in (_NO_LINE, view.snapshot.settings.line):
            self.command.emit(SaveSettings(new_id(), replace(view.snapshot.settings, line=line)))
        self.render_view(view)

    def _line_activated(self) -> None:
        line, is_asked = str(self.line.currentData()), not self.which.isHidden()
        if is_asked and line != _NOT_CHOSEN:
            self._answered_which(line)
        else:
            self._pick(line)

    def _open_lines(self) -> None:
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)
        self.line.showPopup()

    def _answered_which(self, line: str) -> None:
        self._pick(line)
        self.press()

    def press(self) -> None:
        """Call what stands in the field; once, until the engine has answered."""
        view = self._view
        if view is None or not self.call.isEnabled() or view.snapshot is None or self._dialled:
            return
        account = self._account(view.snapshot)
        typed = self.target.text().strip()
        target = target_of(typed, view.snapshot)
        if account is None or not target:
            self.problem.setText(view.texts("dial.unknown" if typed else "dial.empty", typed=typed))
            self.problem.show()
            return
        line = self._chosen(view)
        if not self.line.isHidden() and line == _NOT_CHOSEN:
            self.which.ask()
            return
        on = line if not self.line.isHidden() and line != _NO_LINE else None
        command = Dial(new_id(), account.id, target, on)
        self._dialled = command.id
        self.command.emit(command)

    def answered(self, command: str, *, taken: bool) -> None:
        """The engine's answer to the command with this id, or none will come. A number that was not called can be corrected."""
        if command and command == self._dialled:
            self._dialled = ""
            if taken:
                self.target.clear()
                if self._picked == _NO_LINE:
                    self._picked = _NOT_CHOSEN

    def given_up(self) -> None:
        """Nothing that was sent will be answered."""
        self._dialled = ""


def _told_apart(view: View, lines: Sequence[LineState]) -> list[tuple[str, str]]:
    """Their names and ids, the one that was last called out on first. Lines of one name have their numbers beside it."""
    history = view.snapshot.history if view.snapshot else ()
    used = [one.line for one in history if one.direction is Direction.OUTBOUND]
    names = Counter(view.line_name(line.id) for line in lines)

    def name(line: LineState) -> str:
        own = view.line_name(line.id)
        number = next((readable(one) for one in line.numbers), line.id)
        return own if names[own] == 1 else f"{own} · {number}"

    last = {line: place for place, line in reversed([*enumerate(used)])}
    return [(name(line), line.id) for line in sorted(lines, key=lambda line: last.get(line.id, len(used)))]
