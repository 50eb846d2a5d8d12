"""What is chosen or answered in place, never in a dialog: a remaining choice, and the answers to open questions."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from softphone.domain.purpose import Purpose
from softphone.domain.status import Action, Choice
from softphone.ui.controls import Chip
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, new_id, upper_first
from softphone.ui.words.moment import answer_label, answers_wanted
from softphone.wire import Act, CallState, Choose


class ChoiceRow(QWidget):
    """A choice that remains, as buttons in place. chosen(choice, option)."""

    chosen = Signal(str, str)

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.setObjectName(f"choice_{choice.id}")
        self._choice = choice
        self.question = TextLabel(size=SMALL, role="muted", wrap=True)
        self.options = {option: Chip(f"choice_{choice.id}_{option}") for option in choice.options}
        row = self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(8)
        for option, chip in self.options.items():
            chip.setCheckable(True)
            chip.clicked.connect(lambda _checked=False, option=option: self._press(option))
            row.addWidget(chip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.question)
        layout.addLayout(row)

    def render_view(self, view: View, choice: Choice, party: str) -> None:
        self._choice = choice
        words = {"party": party, "Party": upper_first(party)}
        self.question.setText(view.texts(f"choice.{choice.id}", **words))
        for option, chip in self.options.items():
            chip.setChecked(option == (choice.chosen or choice.default))
            text = "" if option != choice.default else view.texts("choice.default")
            chip.show_as(view, view.texts(f"choice.{choice.id}.{option}", **words), enabled=view.connected, why=text)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Side by side if both can be read so, else one below the other."""
        needed = sum(chip.sizeHint().width() for chip in self.options.values()) + 8 * (len(self.options) - 1)
        narrow = needed > self.width()
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def _press(self, option: str) -> None:
        # The engine decides what is chosen: the mark moves with the next snapshot.
        for name, chip in self.options.items():
            chip.setChecked(name == (self._choice.chosen or self._choice.default))
        self.chosen.emit(self._choice.id, option)


class Choices(QWidget):
    """All choices of a call. command(Choose)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[tuple[str, tuple[str, ...]], ChoiceRow] = {}
        self._call: CallState | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        wanted = {(choice.id, choice.options): choice for choice in call.status.choices} if call.status else {}
        for key in [key for key in self._rows if key not in wanted]:
            row = self._rows.pop(key)
            self._layout.removeWidget(row)
            row.setParent(None)
            row.deleteLater()
        for key, choice in wanted.items():
            if key not in self._rows:
                row = self._rows[key] = ChoiceRow(choice)
                row.chosen.connect(self._choose)
                self._layout.addWidget(row)
                row.show()
            self._rows[key].render_view(view, choice, view.party(call))
        self.setVisible(bool(wanted))

    def chips(self) -> list[Chip]:
        """The buttons as they stand, in their order."""
        return [chip for row in self._rows.values() for chip in row.options.values()]

    def _choose(self, choice: str, option: str) -> None:
        if self._call and self._call.status:
            self.command.emit(Choose(new_id(), self._call.id, self._call.status.version, choice, option))


class Answers(Card):
    """The party's answer to each open question by itself: a line for each purpose, *yes* and *no*. command(Act)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("answers")
        self.question = TextLabel("answersQuestion", size=SMALL, role="muted", wrap=True)
        self.labels = {purpose: TextLabel(size=BODY, wrap=True) for purpose in Purpose}
        self.yes = {purpose: Chip(f"saidYes{purpose.value.capitalize()}") for purpose in Purpose}
        self.no = {purpose: Chip(f"saidNo{purpose.value.capitalize()}") for purpose in Purpose}
        self._call: CallState | None = None
        self._shown: tuple[Purpose, ...] = ()
        self._rows: dict[Purpose, QWidget] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 12, 12)
        layout.setSpacing(8)
        layout.addWidget(self.question)
        for purpose in Purpose:
            row = self._rows[purpose] = QWidget()
            inside = QHBoxLayout(row)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.setSpacing(8)
            inside.addWidget(self.labels[purpose], 1, Qt.AlignmentFlag.AlignVCenter)
            for said, chip in ((True, self.yes[purpose]), (False, self.no[purpose])):
                chip.setFixedWidth(60)
                inside.addWidget(chip)
                chip.clicked.connect(lambda _checked=False, yes=said, purpose=purpose: self._answer(purpose, yes=yes))
            layout.addWidget(row)
        self.hide()

    def chips(self) -> list[Chip]:
        """The buttons as they stand, in their order."""
        return [chip for purpose in self._shown for chip in (self.yes[purpose], self.no[purpose])]

    def render_view(self, view: View, call: CallState) -> None:
        self._call = call
        self._shown = answers_wanted(call)
        for i, chip in enumerate(self.chips()):
            chip.set_keys(f"Ctrl+{i + 1}")  # the first of the moment's buttons
        party = view.party(call)
        words = {"party": party, "Party": upper_first(party)}
        self.question.setText(view.texts("answer.question", **words))
        spoken = call.status is not None and Action.SAID_YES in call.status.actions
        for purpose in Purpose:
            self._rows[purpose].setVisible(purpose in self._shown)
            if purpose not in self._shown:
                continue
            self.labels[purpose].setText(answer_label(view, call, purpose))
            able = spoken and view.connected
            why = "" if able else view.texts("answer.by_key_alone" if view.connected else "why_not.no_engine")
            name = view.texts(f"answer.yes.{purpose}", **words)
            self.yes[purpose].show_as(view, view.texts("answer.yes"), name=name, enabled=able, why=why)
            name = view.texts(f"answer.no.{purpose}", **words)
            self.no[purpose].show_as(view, view.texts("answer.no"), name=name, enabled=view.connected)
        self.setVisible(bool(self._shown))

    def _answer(self, purpose: Purpose, *, yes: bool) -> None:
        if self._call and self._call.status:
            action = Action.SAID_YES if yes else Action.SAID_NO
            self.command.emit(Act(new_id(), self._call.id, self._call.status.version, action, purpose))
