"""The last call, in its wrap-up: who it was, what is kept of it, and the rights still in reach."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.call.earlier import why_not
from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.note_field import NoteField
from softphone.ui.ready.rights import KeptRights
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, duration, new_id, readable, readable_target
from softphone.ui.words.kept import duration_of
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import EndWrapUp


class WrapUp(Card):
    """command(OptOut | RaiseDispute | UndoDispute | Choose | Act | LockEarlier | EndWrapUp | SaveNote)."""

    command = Signal(object)
    called = Signal(str)
    """this number is to be called again"""

    def __init__(self) -> None:
        super().__init__("wrapUp")
        self.caption = TextLabel("wrapUpCaption", size=SMALL, role="muted")
        self.finish = QuietButton("endWrapUp", size=16)
        self.name = TextLabel("wrapUpName", size=BODY, strong=True)
        self.when = TextLabel("wrapUpWhen", size=SMALL, role="muted", tabular=True)
        self.when.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.again = QuietButton("lastCallAgain", size=16)
        self.instead = FilledButton("lastCallInstead", "plain", 40)
        """its server said where else the called person is"""
        self.note = NoteField("lastNote")
        self.rights = KeptRights("last")
        self._call: CallState | None = None

        top, who = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.caption, 1)
        top.addWidget(self.finish)
        who.addWidget(self.name, 1)
        who.addWidget(self.when)
        who.addWidget(self.again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 14, 14)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(who)
        layout.addWidget(self.instead)
        layout.addWidget(self.rights)
        layout.addSpacing(4)
        layout.addWidget(self.note)
        self.note.command.connect(self.command)
        self.rights.command.connect(self.command)
        self.finish.clicked.connect(self._finish)
        self.instead.clicked.connect(lambda: self.called.emit(self._call.redirected_to if self._call else ""))
        self.again.clicked.connect(lambda: self.called.emit(self._call.number if self._call else ""))

    def render_view(self, view: View, call: CallState) -> None:
        self._call, view = call, view.of(call)
        texts = view.texts
        self.caption.setText(texts("wrap_up.caption"))
        self.finish.show_as(
            view, texts("wrap_up.finish"), icon="check", enabled=view.connected, why=texts("wrap_up.finish.why")
        )
        self.name.setText(call.name or readable(call.number) or texts("party.unknown"))
        seconds = duration_of(call, view.now)
        at = texts.clock(call.answered_at or call.arrived_at)
        self.when.setText(f"{at} · {duration(seconds)}" if seconds is not None else at)
        why = why_not(view, call)
        name = texts("wrap_up.again", who=self.name.text())
        self.again.show_as(view, "", icon="phone", name=name, enabled=not why, why=texts(why) if why else "")
        instead = texts("wrap_up.instead", target=readable_target(call.redirected_to))
        self.instead.show_as(view, instead, icon="phone", enabled=not why, why=texts(why) if why else "")
        self.instead.setVisible(bool(call.redirected_to))
        self.note.render_view(view, call.id, call.note, self.name.text())
        self.rights.render_view(view, call)

    def tab_chain(self) -> list[QWidget]:
        """All that can have the focus here, in order."""
        return [self.finish, self.again, self.instead, *self.rights.tab_chain(), self.note]

    def _finish(self) -> None:
        if self._call:
            self.command.emit(EndWrapUp(new_id(), self._call.id))
