"""The small window in the corner, for a person who works in another program. It never takes the focus.

While somebody rings: who, which line, how long. While a call goes on and the desk is out of sight: what is recorded, the two
buttons, hang up.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.call.buttons import RightsButtons
from softphone.ui.call.card import StatusCard
from softphone.ui.call.tools import hanging_up
from softphone.ui.controls import Control, FilledButton
from softphone.ui.fields import Card, TextLabel
from softphone.ui.theme.style import BODY, NAME, SMALL
from softphone.ui.view import View, duration, new_id, readable, who
from softphone.ui.words.card import card_words
from softphone.ui.words.kept import duration_of
from softphone.wire.snapshot import CallPhase, CallState
from softphone.wire.to_engine import Answer, Decline

_WIDTH, _FROM_EDGE = 336, 16


class Ringing(QWidget):
    """Who rings, and the two presses. command(Answer | Decline)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.waited = TextLabel("incomingWaited", size=SMALL, role="muted", tabular=True)
        self.name = TextLabel("incomingName", size=NAME, strong=True)
        self.line = TextLabel("incomingLine", size=SMALL, role="muted")
        self.recording = TextLabel("incomingRecording", size=SMALL, role="muted", wrap=True)
        self.answer = FilledButton("popupAnswer", "ok", 42)
        self.decline = FilledButton("popupDecline", "danger", 42)
        self._call = ""
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.answer)
        buttons.addWidget(self.decline)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 4)
        inside.setSpacing(3)
        inside.addWidget(self.waited)
        inside.addWidget(self.name)
        inside.addWidget(self.line)
        inside.addWidget(self.recording)
        inside.addSpacing(8)
        inside.addLayout(buttons)
        self.answer.clicked.connect(lambda: self.command.emit(Answer(new_id(), self._call)))
        self.decline.clicked.connect(lambda: self.command.emit(Decline(new_id(), self._call)))

    def render_view(self, view: View, call: CallState) -> None:
        self._call, view = call.id, view.of(call)
        words = card_words(view, call)
        self.waited.setText(f"{words.title} · {words.sub}")
        self.name.setText(who(view, call))
        lines = [readable(call.number) if call.name else "", view.name_of_line(call)]
        self.line.setText(" · ".join(part for part in lines if part))
        self.recording.setText(words.body)
        self.answer.show_as(view, view.texts("call.answer"), icon="phone")
        self.decline.show_as(view, view.texts("call.decline"), icon="hang_up")


class Talking(QWidget):
    """The call at a glance. command(OptOut | RaiseDispute | UndoDispute | HangUp), opened(): the desk is wanted."""

    command = Signal(object)
    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = TextLabel("cornerName", size=BODY, strong=True)
        self.timer = TextLabel("cornerTimer", size=SMALL, role="muted", tabular=True)
        self.timer.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.card = StatusCard(low=True)
        self.card.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rights = RightsButtons("corner")
        self.open = FilledButton("cornerOpen", "plain", 40)
        self.hang_up = FilledButton("cornerHangUp", "danger", 40)
        self._call: CallState | None = None
        self._heard_alone: CallState | None = None
        who, buttons = QHBoxLayout(), QHBoxLayout()
        who.addWidget(self.name, 1)
        who.addWidget(self.timer)
        buttons.setSpacing(8)
        buttons.addWidget(self.open)
        buttons.addWidget(self.hang_up)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(8)
        inside.addLayout(who)
        inside.addWidget(self.card)
        inside.addWidget(self.rights)
        inside.addLayout(buttons)
        self.rights.command.connect(self.command)
        self.open.clicked.connect(lambda: self.opened.emit())
        self.hang_up.clicked.connect(self._hang_up)

    def render_view(self, view: View, call: CallState) -> None:
        self._call, self._heard_alone, view = call, view.heard_alone(call), view.of(call)
        self.name.setText(who(view, call))
        seconds = duration_of(call, view.now)
        self.timer.setText(duration(seconds) if seconds is not None else "")
        self.card.render_view(view, card_words(view, call))
        self.rights.render_view(view, call)
        self.open.show_as(view, view.texts("corner.open"))
        whose = view.texts("call.hang_up.with", who=who(view, self._heard_alone)) if self._heard_alone else ""
        self.hang_up.show_as(view, whose or view.texts("call.hang_up"), icon="hang_up")

    def _hang_up(self) -> None:
        if self._call:
            self.rights.propose(hanging_up(self._call, self._heard_alone))


class IncomingWindow(QWidget):
    """command(…): of the call that it shows; opened(): the desk is wanted."""

    command = Signal(object)
    opened = Signal()

    def __init__(self) -> None:
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags | Qt.WindowType.WindowDoesNotAcceptFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setObjectName("incoming")
        self.card = Card("incomingCard")
        self.ringing, self.talking = Ringing(), Talking()
        inside = self._inside = QVBoxLayout(self.card)
        inside.setContentsMargins(16, 12, 16, 12)
        inside.setSpacing(0)
        for part in (self.ringing, self.talking):
            inside.addWidget(part)
            part.hide()
            part.command.connect(self.command)
            for control in part.findChildren(Control):
                control.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the desk's window has all of it by keyboard
        self.talking.opened.connect(self.opened)
        layout = self._outside = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.card)
        self.setFixedWidth(_WIDTH)

    def render_view(self, view: View, *, in_sight: bool = False) -> None:
        """`in_sight`: the desk is on the screen, and shows an answered call itself."""
        call = view.waiting or view.call
        rings = call is not None and call.phase is CallPhase.INCOMING
        if call is None or not view.connected or (in_sight and not rings):
            self.hide()
            return
        wanted, other = (self.ringing, self.talking) if rings else (self.talking, self.ringing)
        wanted.render_view(view, call)
        if wanted.isHidden():
            other.hide()
            wanted.show()
        who = (self.ringing if rings else self.talking).name.text()
        words = card_words(view, call)
        self.setWindowTitle(f"{words.title if rings else words.sentence}: {who}")
        self._fit()
        self.show()

    def _fit(self) -> None:
        """As high as its words need, even if more come: the rules decide while it rings."""
        for widget in (self, *self.findChildren(QWidget)):
            widget.ensurePolished()
        # The card's layout knows the new words at once, the window's only when asked.
        for part in (self.ringing, self.talking):
            if (layout := part.layout()) is not None and not part.isHidden():
                layout.invalidate()
                layout.activate()
        for layout in (self._inside, self._outside):
            layout.invalidate()
            layout.activate()
        height = self._outside.totalHeightForWidth(_WIDTH)
        if height < 0:
            height = self._outside.totalSizeHint().height()
        if self.isVisible() and height == self.height():
            return
        self.resize(_WIDTH, height)
        corner = self.screen().availableGeometry().bottomRight()
        self.move(corner.x() + 1 - _WIDTH - _FROM_EDGE, corner.y() + 1 - height - _FROM_EDGE)
