"""What is good to know beside a call: the earlier ones with this party, and the agent's note. It takes room that nothing else
needs, and none that anything does."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.ui.days import day_of
from softphone.ui.fields import Card, TextLabel
from softphone.ui.note_field import NoteField
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BODY, SMALL
from softphone.ui.view import View, duration, who
from softphone.wire.snapshot import CallState

_MOST = 4
_SPACE = 10
_GAP, _BETWEEN = 6, 4
"""between the rows and what stands around them, and between two of them"""
_TOP = 5
_INSET = 8
"""of the note's words in their field, which is seen only while the pointer or the keyboard is there"""


class Beside(QWidget):
    """Its own height is nothing: the layout gives it what is left over, and it shows what fits there whole.

    command(SaveNote).
    """

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("beside")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.card = Card("earlierCalls", "box")
        self.card.setParent(self)
        self.title = TextLabel("earlierTitle", size=SMALL, role="muted")
        self.rule = Card("rule", "")
        self.rule.setFixedHeight(1)
        self.note = NoteField("callNote")
        self._days = [TextLabel(size=SMALL, role="muted", tabular=True) for _ in range(_MOST)]
        self._lines = [TextLabel(size=BODY) for _ in range(_MOST)]
        self._outcomes = [TextLabel(size=SMALL, role="muted") for _ in range(_MOST)]
        self._rows = grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(_BETWEEN)
        grid.setColumnStretch(1, 1)
        for row, parts in enumerate(zip(self._days, self._lines, self._outcomes, strict=True)):
            for column, part in enumerate(parts):
                if column != 1:
                    part.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
                grid.addWidget(part, row, column)
            parts[2].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(14 - _INSET, _TOP, 14 - _INSET, _TOP)
        inside.setSpacing(0)
        self._above = above = QVBoxLayout()
        above.setContentsMargins(_INSET, _TOP, _INSET, 0)
        above.setSpacing(_GAP)
        above.addWidget(self.title)
        above.addLayout(grid)
        above.addWidget(self.rule)
        inside.addLayout(above)
        inside.addWidget(self.note)
        self.note.command.connect(self.command)
        self.note.resized.connect(self._fit)
        self._wanted, self._placed = 0, -1
        self._gives_way = False
        self.card.hide()

    def sizeHint(self) -> QSize:
        return QSize(0, 0)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)

    def rescale(self) -> None:
        self._fit()

    def give_way(self, needed: bool) -> None:
        """The room is needed for something else, even if there is some."""
        self._gives_way = needed
        self._fit()
        self.setVisible(not needed)  # else it keeps its distance to what stands above

    def render_view(self, view: View, call: CallState) -> None:
        past = call.earlier[:_MOST]
        self.title.setText(view.texts("earlier_calls.title"))
        for i, one in enumerate(past):
            self._days[i].setText(day_of(view, one.at, short=True))
            line, way = view.name_of_line(one), view.texts(f"direction.{one.direction}")
            talked = duration(one.seconds) if one.seconds else ""
            noted = one.note.partition("\n")[0]
            self._lines[i].setText(noted or " · ".join(part for part in (line or way, talked) if part))
            self._lines[i].setToolTip(one.note)
            code = f"earlier_calls.{one.outcome}"
            self._outcomes[i].setText(view.texts(code if code in view.texts else f"outcome.{one.outcome}"))
        self.note.render_view(view, call.id, call.note, who(view, call))
        self._wanted = len(past)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @property
    def shown(self) -> int:
        """How many of the earlier calls can be seen."""
        return 0 if self.card.isHidden() else sum(not label.isHidden() for label in self._days)

    def _fit(self) -> None:
        """The note, and as many rows above it as there is room for; with room for neither, nothing."""
        room = -1 if self._gives_way else self.height() - px(_SPACE)
        rows = next((rows for rows in range(self._wanted, -1, -1) if self._needs(rows) <= room), -1)
        if rows >= 0:
            self._place(rows)
            self.card.setGeometry(0, 0, self.width(), self._needs(rows))
            self.card.show()
            return
        if self.note.hasFocus():
            # Not to the neighbour: the next key would press something.
            self.window().setFocus()
        self.card.hide()

    def _needs(self, rows: int) -> int:
        """The card's height with so many rows. Asked of each part: whoever shows them to measure them has all laid out anew."""
        layout = self.card.layout()
        assert layout is not None
        edge, margins = self.card.contentsMargins(), layout.contentsMargins()
        needs = edge.top() + margins.top() + self.note.sizeHint().height() + margins.bottom() + edge.bottom()
        if rows:
            row = max(parts[0].sizeHint().height() for parts in (self._days, self._lines, self._outcomes))
            needs += self.title.sizeHint().height() + rows * row + (rows - 1) * _BETWEEN + 2 * _GAP
            needs += _TOP + self.rule.height()
        return needs

    def _place(self, rows: int) -> None:
        if rows == self._placed:
            return
        self._placed = rows
        for part in (self.title, self.rule):
            part.setVisible(rows > 0)
        for i, parts in enumerate(zip(self._days, self._lines, self._outcomes, strict=True)):
            for part in parts:
                part.setVisible(i < rows)
        # An empty layout keeps its margins.
        self._above.setContentsMargins(_INSET, _TOP if rows else 0, _INSET, 0)
        for layout in (self._rows, self._above, self.card.layout()):
            assert layout is not None
            layout.invalidate()
