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
from softphone.ui.view import View, duration
from softphone.wire.snapshot import CallState

_MOST = 4
_SPACE = 10


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
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, parts in enumerate(zip(self._days, self._lines, self._outcomes, strict=True)):
            for column, part in enumerate(parts):
                if column != 1:
                    part.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
                grid.addWidget(part, row, column)
            parts[2].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(14, 10, 14, 11)
        inside.setSpacing(6)
        inside.addWidget(self.title)
        inside.addLayout(grid)
        inside.addWidget(self.rule)
        inside.addWidget(self.note)
        self.note.command.connect(self.command)
        self.note.resized.connect(self._fit)
        self._wanted = 0
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
        self.note.render_view(view, call.id, call.note)
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
        for rows in range(self._wanted, -1, -1):
            for part in (self.title, self.rule):
                part.setVisible(rows > 0)
            for i, parts in enumerate(zip(self._days, self._lines, self._outcomes, strict=True)):
                for part in parts:
                    part.setVisible(i < rows)
            layout = self.card.layout()
            assert layout is not None
            self._rows.invalidate()
            layout.invalidate()
            needs = self.card.sizeHint().height()
            if needs + px(_SPACE) <= self.height() and not self._gives_way:
                self.card.setGeometry(0, 0, self.width(), needs)
                self.card.show()
                return
        if self.note.hasFocus():
            # Not to the neighbour: the next key would press something.
            self.window().setFocus()
        self.card.hide()
