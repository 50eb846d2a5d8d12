"""What is chosen or answered in place, never in a dialog: a remaining choice, and the answers to open questions."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from softphone.domain.purpose import Purpose
from softphone.domain.status import Action, Choice, OptOutKind
from softphone.ui.fields import TextLabel
from softphone.ui.segments import Asked, Chip, Segments
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, new_id, upper_first
from softphone.ui.words.moment import answer_label, answers_wanted
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import Act, Choose, OptOut


class ChoiceRow(QWidget):
    """A choice that remains, as buttons in place. chosen(choice, option)."""

    chosen = Signal(str, str)

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.setObjectName(f"choice_{choice.id}")
        self._choice = choice
        self.question = TextLabel(size=SMALL, role="muted", wrap=True)
        self.options = {option: Chip(f"choice_{choice.id}_{option}") for option in choice.options}
        for option, chip in self.options.items():
            chip.setCheckable(True)
            chip.clicked.connect(lambda _checked=False, option=option: self._press(option))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._asked = Asked(self.question, Segments(tuple(self.options.values())))
        layout.addWidget(self._asked)

    def render_view(self, view: View, choice: Choice, party: str) -> None:
        self._choice = choice
        words = {"party": party, "Party": upper_first(party)}
        self.question.setText(view.texts(f"choice.{choice.id}", **words))
        for option, chip in self.options.items():
            chip.setChecked(option == (choice.chosen or choice.default))
            text = "" if option != choice.default else view.texts("choice.default")
            whole = view.texts(f"choice.{choice.id}.{option}", **words)
            code = f"choice.{choice.id}.{option}.short"
            short = view.texts(code, **words) if code in view.texts else whole
            chip.show_as(view, short, name=whole, enabled=view.connected, why=text)
        self._asked.arrange()

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


class Answers(QWidget):
    """The party's answer to each open question, yes or no. Two questions have a line each, under what is asked. command(Act |
    OptOut)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("answers")
        self.question = TextLabel("answersQuestion", size=SMALL, role="muted", wrap=True)
        self.labels = {purpose: TextLabel(size=BODY, wrap=True) for purpose in Purpose}
        self.yes = {purpose: Chip(f"saidYes{purpose.value.capitalize()}") for purpose in Purpose}
        self.no = {purpose: Chip(f"saidNo{purpose.value.capitalize()}") for purpose in Purpose}
        self._call: CallState | None = None
        self._shown: tuple[Purpose, ...] = ()
        self._rows: dict[Purpose, Asked] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.question)
        for purpose in Purpose:
            chips = (self.yes[purpose], self.no[purpose])
            row = self._rows[purpose] = Asked(self.labels[purpose], Segments(chips))
            for said, chip in zip((True, False), chips, strict=True):
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
            chip.set_keys(f"Alt+{i + 1}")  # the first of the moment's buttons
        party = view.party(call)
        words = {"party": party, "Party": upper_first(party)}
        question, several = view.texts("answer.question", **words), len(self._shown) > 1
        self.question.setText(question)
        self.question.setVisible(several)
        spoken = call.status is not None and Action.SAID_YES in call.status.actions
        for purpose in Purpose:
            self._rows[purpose].setVisible(purpose in self._shown)
            if purpose not in self._shown:
                continue
            self.labels[purpose].setText(answer_label(view, call, purpose) if several else question)
            sayable = call.status.yes_by_agent if call.status is not None else ()
            able = spoken and view.connected and (not sayable or purpose in sayable)
            why = "" if able else view.texts("answer.by_key_alone" if view.connected else "why_not.no_engine")
            name = view.texts(f"answer.yes.{purpose}", **words)
            self.yes[purpose].show_as(view, view.texts("answer.yes"), name=name, enabled=able, why=why)
            name = view.texts(f"answer.no.{purpose}", **words)
            self.no[purpose].show_as(
                view,
                view.texts("answer.no"),
                name=name,
                enabled=view.connected,
                why="" if view.connected else view.texts("why_not.no_engine"),
            )
            self._rows[purpose].arrange()
        self.setVisible(bool(self._shown))

    def _answer(self, purpose: Purpose, *, yes: bool) -> None:
        if self._call is None or self._call.status is None:
            return
        status = self._call.status
        if not yes and Action.SAID_NO not in status.actions and status.opt_out.kind == OptOutKind.SAID_NO:
            button = status.opt_out  # the same no, by its other name
            self.command.emit(OptOut(new_id(), self._call.id, status.version, button.kind, button.stays))
            return
        action = Action.SAID_YES if yes else Action.SAID_NO
        self.command.emit(Act(new_id(), self._call.id, status.version, action, purpose))
