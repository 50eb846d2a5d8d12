"""The two buttons, opt-out and dispute, always in their place. They say what a press will do to *this* call.

Below them stands the one question: before a press of the opt-out that goes further than the one before it (`asks`), before any
press that would destroy what is recorded (`Status.destroys`), and before hanging up on a conference.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from softphone.domain.status import DisputeKind
from softphone.ui.call.tiles import ActionButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.note import announcement
from softphone.ui.segments import Chip, Segments
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, new_id, version
from softphone.ui.words.rights import ButtonWords, dispute_words, opt_out_words, sure_words
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import HangUp, OptOut, RaiseDispute, RecordingCommand, UndoDispute

_NARROW = 280
"""units: a page of a call is never narrower, a card between calls may be; there one stands below the other"""


class Confirmation(Card):
    """A question and its two answers. answered(yes). Escape is a no."""

    answered = Signal(bool)

    def __init__(self, prefix: str) -> None:
        super().__init__(_name(prefix, "optOutSure"))
        self.question = TextLabel(size=SMALL, wrap=True)
        self.yes, self.no = Chip(_name(prefix, "optOutYes")), Chip(_name(prefix, "optOutNo"))
        for said, chip in ((True, self.yes), (False, self.no)):
            chip.clicked.connect(lambda _checked=False, yes=said: self.answered.emit(yes))
        inside = QVBoxLayout(self)
        inside.setContentsMargins(12, 8, 12, 10)
        inside.setSpacing(8)
        inside.addWidget(self.question)
        inside.addWidget(Segments((self.yes, self.no)))
        self.hide()

    def render_view(self, view: View, code: str, **words: str) -> None:
        """`<code>.yes` is the answer that does it."""
        question = view.texts(code, **words)
        self.question.setText(question)
        self.yes.show_as(view, view.texts(f"{code}.yes", **words), enabled=view.connected, why=question)
        self.no.show_as(view, view.texts("answer.no"), why=question)

    def ask(self) -> None:
        self.show()
        QAccessible.updateAccessibility(announcement(self, self.question.text()))
        if self.no.focusPolicy() is not Qt.FocusPolicy.NoFocus:
            self.no.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.setAccepted(event.key() == Qt.Key.Key_Escape)  # the window's own Escape does something else
            return event.isAccepted()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.answered.emit(False)
        else:
            super().keyPressEvent(event)


class RightsButtons(QWidget):
    """command(RecordingCommand | …): with the version and kind that were shown when it was pressed."""

    command = Signal(object)

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.opt_out = ActionButton(_name(prefix, "optOut"))
        self.dispute = ActionButton(_name(prefix, "dispute"))
        self.sure = Confirmation(prefix)
        self._view: View | None = None
        self._call: CallState | None = None
        self._proposed: RecordingCommand | HangUp | None = None
        row = self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(8)
        row.addWidget(self.opt_out, 13)
        row.addWidget(self.dispute, 10)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(row)
        layout.addWidget(self.sure)
        self.opt_out.clicked.connect(self._opt_out)
        self.dispute.clicked.connect(self._dispute)
        self.sure.answered.connect(self._answered)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < px(_NARROW)
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def controls(self) -> list[QWidget]:
        """The buttons as they stand, in their order."""
        asked = [] if self.sure.isHidden() else [self.sure.yes, self.sure.no]
        return [self.opt_out, self.dispute, *asked]

    def render_view(self, view: View, call: CallState | None) -> None:
        self._view, self._call = view, call
        status = call.status if call is not None else None
        whose = call.id if call is not None else ""
        kind = status.opt_out.kind if status else ""
        words = opt_out_words(view, call)
        if words.enabled and status is not None and status.opt_out.asks:
            words = replace(words, sub=view.texts("opt_out.asks_first"))
        _show(self.opt_out, view, words, f"{whose} {kind}")
        undo = status is not None and status.dispute.kind == DisputeKind.UNDO
        _show(self.dispute, view, dispute_words(view, call), whose, violet=undo)
        if not self.sure.isHidden() and not self._ask():
            self.sure.hide()

    def propose(self, command: object) -> None:
        """A press elsewhere on this call. What would destroy something is asked about first; all else goes on at once."""
        self._proposed = command if isinstance(command, RecordingCommand | HangUp) else None
        if self._ask():
            self.sure.ask()
        else:
            self.sure.hide()
            self.command.emit(command)

    def _ask(self) -> bool:
        """Put the question, if what is proposed still needs one."""
        view, call, proposed = self._view, self._call, self._proposed
        if view is None or call is None or proposed is None or proposed.call != call.id:
            return False
        code, words = sure_words(view, call, proposed)
        if code:
            self.sure.render_view(view, code, **words)
        return bool(code)

    def _opt_out(self) -> None:
        if self._call and self._call.status:
            button = self._call.status.opt_out
            self.propose(OptOut(new_id(), self._call.id, self._call.status.version, button.kind, button.stays))

    def _answered(self, yes: bool) -> None:
        self.sure.hide()
        if not yes or self._call is None or self._proposed is None:
            return
        if not isinstance(self._proposed, HangUp):
            self._proposed = replace(self._proposed, version=version(self._call.status))
        self.command.emit(self._proposed)

    def _dispute(self) -> None:
        if self._call is None or self._call.status is None:
            return
        if self._call.status.dispute.kind == DisputeKind.UNDO:
            self.command.emit(UndoDispute(new_id(), self._call.id, version(self._call.status)))
        else:
            self.command.emit(RaiseDispute(new_id(), self._call.id, version(self._call.status)))


def _show(button: ActionButton, view: View, words: ButtonWords, does: str, *, violet: bool = False) -> None:
    """`does`: to which call, and what. Another kind may have the same words."""
    button.show_action(
        view,
        words.title,
        words.sub,
        icon=words.icon,
        enabled=words.enabled,
        why=words.why,
        violet=violet,
        means=f"{does} {words.title}",
        named=words.title if violet else "",  # the seconds that are left are no part of its name
    )


def _name(prefix: str, name: str) -> str:
    return f"{prefix}{name[0].upper()}{name[1:]}" if prefix else name
