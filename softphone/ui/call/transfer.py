"""*Transfer*: who to, in place. Talk to them first, or hand the call over at once. What becomes of it the engine tells.

What is typed is about the call that it was opened in, whichever the window shows by then.
"""

from __future__ import annotations

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from softphone.ui.call.tiles import ActionButton
from softphone.ui.controls import QuietButton
from softphone.ui.fields import TextLabel
from softphone.ui.targets import colleague_of, colleagues, spelled
from softphone.ui.theme.style import BODY, MARGIN, SMALL
from softphone.ui.view import View, new_id
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import Consult, Transfer


class TransferPanel(QWidget):
    """command(Consult | Transfer), closed()."""

    command = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transferPanel")
        self.title = TextLabel("transferTitle", size=BODY, strong=True)
        self.close_button = QuietButton("closeTransfer", size=16)
        self.target = QLineEdit()
        self.target.setObjectName("transferTarget")
        self.problem = TextLabel("transferProblem", size=SMALL, role="danger", wrap=True)
        self.problem.hide()
        self.consult = ActionButton("consult", height=58)
        self.blind = ActionButton("transferNow", height=58)
        self._view: View | None = None
        self._call: CallState | None = None
        self._known: dict[str, str] = {}
        """colleagues' numbers by how they are offered"""
        self._for = ""
        """the call that it was opened in; empty while it is away"""
        self._kept: dict[str, str] = {}
        """what was typed for calls that another one took the place of"""
        completer = QCompleter(QStringListModel(self), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.target.setCompleter(completer)
        top, presses = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button)
        presses.setSpacing(8)
        presses.addWidget(self.consult)
        presses.addWidget(self.blind)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.target)
        layout.addWidget(self.problem)
        layout.addLayout(presses)
        layout.addStretch(1)
        self.consult.clicked.connect(lambda: self._send(Consult))
        self.blind.clicked.connect(lambda: self._send(Transfer))
        self.target.returnPressed.connect(self.consult.click)
        self.target.textEdited.connect(self._typed)
        self.close_button.clicked.connect(lambda: self.closed.emit())

    def controls(self) -> list[QWidget]:
        """All that can have the focus here, in order."""
        return [self.close_button, self.target, self.consult, self.blind]

    def opened(self, call: str) -> None:
        self._for = call
        self.target.setText(self._kept.pop(call, ""))
        self._typed()
        self.target.setFocus(Qt.FocusReason.OtherFocusReason)

    def keep(self) -> None:
        """Another call takes the place of this one, which may come back."""
        if self._for:
            self._kept[self._for] = self.target.text()

    def put_away(self) -> None:
        self._for = ""
        if (names := self.target.completer().popup()) is not None:
            names.hide()  # Return in it would still be heard

    def render_view(self, view: View, call: CallState) -> None:
        self._view, self._call = view, call
        going = {one.id for one in view.calls}
        self._kept = {id: typed for id, typed in self._kept.items() if id in going}
        texts, party = view.texts, view.party(call)
        self.title.setText(texts("transfer.title", party=party))
        self.close_button.show_as(view, "", icon="close", name=texts("transfer.close"))
        self.target.setPlaceholderText(texts("transfer.placeholder"))
        self.target.setAccessibleName(texts("transfer.target"))
        known = colleagues(view, call)
        model = self.target.completer().model()
        if known != self._known and isinstance(model, QStringListModel):
            self._known = known
            model.setStringList([*known])
        self._show_presses(view)

    def _show_presses(self, view: View) -> None:
        texts = view.texts
        gone = "" if view.connected else texts("why_not.no_engine")
        why = gone or ("" if self.target.text().strip() else texts("transfer.no_target"))
        recorded = self._call is not None and self._call.status is not None and bool(self._call.status.recordings)
        party = view.party(self._call) if self._call else ""
        self.consult.show_action(
            view,
            texts("transfer.consult"),
            texts("transfer.consult.sub", party=party),
            enabled=not why,
            why=why,
            filled=True,
        )
        self.blind.show_action(
            view,
            texts("transfer.blind"),
            texts("consult.complete.recorded" if recorded else "consult.complete.sub"),
            enabled=not why,
            why=why,
        )

    def _typed(self) -> None:
        self.problem.hide()
        if self._view is not None:
            self._show_presses(self._view)

    def _send(self, command: type[Consult] | type[Transfer]) -> None:
        view = self._view
        if view is None or not self._for or self._call is None:
            return
        typed = self.target.text().strip()
        target = colleague_of(typed, self._known)
        is_party = target == spelled(self._call.number)
        self.problem.setVisible(not target or is_party)
        if not target or is_party:
            code = "transfer.party" if is_party and target else "transfer.unknown"
            self.problem.setText(view.texts(code, typed=typed, party=view.party(self._call)))
            return
        self.command.emit(command(new_id(), self._for, target))
        self.closed.emit()
