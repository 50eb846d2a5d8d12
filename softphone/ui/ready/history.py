"""The agent's own calls, day by day. A row puts its number into the dial field, and opens on what is kept of the call, or
why nothing is.

It shows what is kept as the engine has taken it up again, and remembers nothing of it.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.domain.purpose import Direction
from softphone.ui.controls import Control, QuietButton
from softphone.ui.days import day_of
from softphone.ui.fields import Card, TextLabel
from softphone.ui.note_field import NoteField
from softphone.ui.ready.rights import KeptRights
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BODY, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View, duration, new_id, readable
from softphone.ui.words.kept import nothing_words, recorded_words
from softphone.wire.snapshot import PastCall
from softphone.wire.to_engine import EndWrapUp, Reopen

_OUTCOME_COLOURS = {"missed": "text", "call_back": "accent", "locked": "lock_ink"}
_HEIGHT = 44
_BELOW = 10
"""px from an opened row's card to the line below it"""


class HistoryLine(Control):
    """Direction, who, what became of it, when. A press puts its number into the dial field."""

    def __init__(self, call: PastCall) -> None:
        super().__init__(f"past_{call.id}")
        self.past = call
        self._outcome = self._short = ""
        self._time = ""
        self.fix_height(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def render_view(self, view: View) -> None:
        call = self.past
        self._outcome = view.texts(f"outcome.{call.outcome}")
        short = f"outcome.{call.outcome}.short"
        self._short = view.texts(short) if short in view.texts else self._outcome
        self._time = view.texts.clock(call.at)
        title = call.name or readable(call.number) or view.texts("party.unknown")
        way = view.texts(f"direction.{call.direction}")
        talked = f", {duration(call.seconds)}" if call.seconds else ""
        self.show_as(
            view,
            title,
            icon=_way(call),
            name=f"{title}, {self._outcome}, {day_of(view, call.at)} {self._time}",
            why=f"{way}{talked}. {view.texts('history.press')}",
        )

    def sizeHint(self) -> QSize:
        return QSize(px(200), self.height())

    def _looks(self) -> tuple[object, ...]:
        return self._outcome, self._time, self.past.outcome, self.past.unseen

    def shown(self) -> tuple[str, str]:
        """Who and what became of it, as far as there is room: a name gives up half, the last digits of a number nothing."""
        strong, small = QFontMetricsF(self._font()), QFontMetricsF(font(SMALL, tabular=True))
        room = self.wide - 30 - small.horizontalAdvance(self._time) - 24
        least = min(small.horizontalAdvance(self._short), room * (0.5 if self.past.name else 0.2))
        who = strong.elidedText(self.text(), Qt.TextElideMode.ElideRight, max(60.0, room - least))
        left = room - strong.horizontalAdvance(who)
        text = self._outcome if small.horizontalAdvance(self._outcome) <= left else self._short
        return who, small.elidedText(text, Qt.TextElideMode.ElideRight, left)

    def _font(self) -> QFont:
        return font(BODY, strong=self.past.unseen)

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        if self._hover or self.isDown():
            self._plate(painter, theme, theme.neutral.fill, None)
        outcome = self.past.outcome
        colour: str = getattr(theme, _OUTCOME_COLOURS.get(outcome, "muted"))
        icons.draw(painter, self._icon_name, colour, QRectF(2, 13, 18, 18))
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        small, strong = font(SMALL, tabular=True), self._font()
        name, text = self.shown()
        wide = QFontMetricsF(strong).horizontalAdvance(name)
        painter.setFont(strong)
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(30, 0, wide + 2, self.high), int(middle), name)
        painter.setFont(small)
        painter.setPen(QColor(theme.text if self.past.unseen else theme.muted))
        left = 30 + wide + 10
        painter.drawText(QRectF(left, 0, self.wide - left, self.high), int(middle), text)
        painter.setPen(QColor(theme.muted))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, self.wide - 4, self.high), int(right), self._time)


class HistoryRow(QWidget):
    """One call, under its day if it is the day's first.

    command(Reopen | EndWrapUp | OptOut | RaiseDispute | UndoDispute | Choose | Act | LockEarlier | SaveNote).
    """

    command = Signal(object)
    picked = Signal(str)
    """its number is wanted in the dial field"""

    def __init__(self, call: PastCall) -> None:
        super().__init__()
        self.day = TextLabel(size=SMALL, role="muted")
        self.day.setContentsMargins(0, 4, 0, 4)
        self.line = HistoryLine(call)
        self.toggle = QuietButton(f"pastOpen_{call.id}", size=16)
        self.toggle.setFixedSize(32, 36)
        self.opened = Card(f"pastOpened_{call.id}")
        self.what: TextLabel | None = None
        self.note: NoteField | None = None
        self.rights: KeptRights | None = None
        """made when it is first opened: most rows never are"""
        self._view: View | None = None
        self._taken_up = self._looked_at = False
        """whether the engine has its call here, or the row shows why nothing is kept"""
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self.line, 1)
        top.addWidget(self.toggle)
        layout = self._room = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.day)
        layout.addLayout(top)
        layout.addSpacing(1)
        layout.addWidget(self.opened)
        self.opened.hide()
        self.line.clicked.connect(lambda: self.picked.emit(self.line.past.number))
        self.toggle.clicked.connect(self._toggle)

    @property
    def _open(self) -> bool:
        return self._taken_up or self._looked_at

    def _inside(self) -> tuple[TextLabel, NoteField, KeptRights]:
        if self.what is None or self.note is None or self.rights is None:
            self.what, self.rights = TextLabel("pastWhat", size=SMALL, wrap=True), KeptRights("past")
            self.note = NoteField("pastNote")
            inside = QVBoxLayout(self.opened)
            inside.setContentsMargins(14, 10, 14, 14)
            inside.setSpacing(4)
            inside.addWidget(self.what)
            inside.addWidget(self.rights)
            inside.addSpacing(4)
            inside.addWidget(self.note)
            self.note.command.connect(self.command)
            self.rights.command.connect(self.command)
        return self.what, self.note, self.rights

    def render_view(self, view: View, past: PastCall, *, first: bool = True) -> None:
        """`first`: of its day."""
        self._view = view
        self.day.setText(day_of(view, past.at))
        self.day.setVisible(first)
        self.line.past = past
        self.line.render_view(view)
        call = view.reopened(past.id)
        self._taken_up = call is not None
        self._looked_at = self._looked_at and not past.kept
        code = "history.close" if self._open else "history.open"
        who, clock = self.line.text(), view.texts.clock(past.at)
        name = view.texts(f"{code}.name", who=who, time=clock)
        may = view.connected or not self._asks_engine
        why = (
            view.texts(code if self._open or past.kept else "history.open.nothing")
            if may
            else view.texts("why_not.no_engine")
        )
        icon = "up" if self._open else "down"
        self.toggle.show_as(view, "", icon=icon, name=name, enabled=may, why=why)
        if self._open:
            what, note, rights = self._inside()
            note.render_view(view, past.id, past.note, who)
            said = recorded_words(view, call, past.seconds) if call else nothing_words(view, past)
            what.setText(f"{view.texts('lost.title')}.\n{said}" if past.broke_off else said)
            rights.setVisible(call is not None)
            if call is not None:
                rights.render_view(view, call)
        self.opened.setVisible(self._open)
        self._room.setContentsMargins(0, 0, 0, _BELOW if self._open else 0)

    def tab_chain(self) -> list[QWidget]:
        """All that can have the focus here, in order."""
        rights = self.rights.tab_chain() if self._taken_up and self.rights else []
        return [self.line, self.toggle, *rights, *([self.note] if self._open and self.note else [])]

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._view is not None:
            painter = QPainter(self)
            painter.setPen(QColor(self._view.theme.line))
            below = self.height() - 1 if self._open else self.line.geometry().bottom() + 1
            painter.drawLine(0, below, self.width(), below)
            painter.end()

    @property
    def _asks_engine(self) -> bool:
        return self.line.past.kept or self._taken_up

    def _toggle(self) -> None:
        past = self.line.past
        if self._asks_engine:
            self.command.emit(EndWrapUp(new_id(), past.id) if self._taken_up else Reopen(new_id(), past.id))
        elif self._view is not None:
            self._looked_at = not self._looked_at
            self.render_view(self._view, past, first=not self.day.isHidden())


class History(QWidget):
    """The list, newest first. A row stays as long as its call, and keeps the keyboard's focus."""

    command = Signal(object)
    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[HistoryRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)

    def render_view(self, view: View) -> None:
        wanted = view.snapshot.history if view.snapshot else ()
        if [row.line.past.id for row in self.rows] != [past.id for past in wanted]:
            self._arrange(wanted)
        before = ""
        for row, past in zip(self.rows, wanted, strict=True):
            day = day_of(view, past.at)
            row.render_view(view, past, first=day != before)
            before = day

    def tab_chain(self) -> list[QWidget]:
        """All that can have the focus here, in order."""
        return [part for row in self.rows for part in row.tab_chain()]

    def _arrange(self, wanted: tuple[PastCall, ...]) -> None:
        there = {row.line.past.id: row for row in self.rows}
        for gone in there.keys() - {past.id for past in wanted}:
            row = there.pop(gone)
            self._layout.removeWidget(row)
            row.setParent(None)
            row.deleteLater()
        self.rows = []
        for place, past in enumerate(wanted):
            row = there.get(past.id) or self._new(past)
            self._layout.insertWidget(place, row)
            row.show()
            self.rows.append(row)

    def _new(self, past: PastCall) -> HistoryRow:
        row = HistoryRow(past)
        row.command.connect(self.command)
        row.picked.connect(self.picked)
        return row


def _way(call: PastCall) -> str:
    if call.outcome == "missed":
        return "phone_missed"
    return "phone_out" if call.direction is Direction.OUTBOUND else "phone_in"
