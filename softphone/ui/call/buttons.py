"""The two buttons, opt-out and dispute: always in their place, saying what a press will do to *this* call."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from softphone.domain.status import DisputeKind
from softphone.ui.controls import ActionButton
from softphone.ui.view import View, new_id, version
from softphone.ui.words.rights import ButtonWords, dispute_words, opt_out_words
from softphone.wire import CallState, OptOut, RaiseDispute, UndoDispute


class RightsButtons(QWidget):
    """command(OptOut | RaiseDispute | UndoDispute): with the version and kind that were shown when it was pressed."""

    command = Signal(object)

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.opt_out = ActionButton(_name(prefix, "optOut"))
        self.dispute = ActionButton(_name(prefix, "dispute"))
        self._call: CallState | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.opt_out, 13)
        layout.addWidget(self.dispute, 10)
        self.opt_out.clicked.connect(self._opt_out)
        self.dispute.clicked.connect(self._dispute)

    def render_view(self, view: View, call: CallState | None) -> None:
        self._call = call
        status = call.status if call is not None else None
        whose = call.id if call is not None else ""
        _show(self.opt_out, view, opt_out_words(view, call), f"{whose} {status.opt_out.kind if status else ''}")
        undo = status is not None and status.dispute.kind == DisputeKind.UNDO
        _show(self.dispute, view, dispute_words(view, call), whose, violet=undo)

    def _opt_out(self) -> None:
        if self._call and self._call.status:
            status = self._call.status
            self.command.emit(OptOut(new_id(), self._call.id, status.version, status.opt_out.kind))

    def _dispute(self) -> None:
        if self._call is None or self._call.status is None:
            return
        if self._call.status.dispute.kind == DisputeKind.UNDO:
            self.command.emit(UndoDispute(new_id(), self._call.id, version(self._call.status)))
        else:
            self.command.emit(RaiseDispute(new_id(), self._call.id, version(self._call.status)))


def _show(button: ActionButton, view: View, words: ButtonWords, does: str, *, violet: bool = False) -> None:
    """`does`: to which call, and what. The words may be the same for another kind."""
    button.show_action(
        view,
        words.title,
        words.sub,
        icon=words.icon,
        enabled=words.enabled,
        why=words.why,
        violet=violet,
        means=f"{does} {words.title}",
    )


def _name(prefix: str, name: str) -> str:
    return f"{prefix}{name[0].upper()}{name[1:]}" if prefix else name
