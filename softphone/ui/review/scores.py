"""The policy's score card, and whether the agent may see the review. Stores nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from softphone.domain.policy import ScoreItem
from softphone.ui.fields import Card, ScrollArea, TextLabel
from softphone.ui.review.pills import Rings, Switch
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View

_LEAST = 88
"""px of the questions in sight in the smallest window: three, of one line each"""


class _Questions(ScrollArea):
    """As tall as its questions if there is room, else scrolled."""

    def __init__(self, name: str, inside: QWidget) -> None:
        super().__init__(name, inside)
        self._inside = inside
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")

    def sizeHint(self) -> QSize:
        return self._inside.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, min(_LEAST, self._inside.minimumSizeHint().height()))

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().event(event)


class Scores(Card):
    """given(item, points), shared(on)."""

    given = Signal(str, int)
    shared = Signal(bool)

    def __init__(self, *, agent: bool = False) -> None:
        """`agent`: the call's own, who reads it."""
        super().__init__("scores")
        self._reads = agent
        self.house = False
        """whether the agent of the call hears what is shared"""
        self.heading = TextLabel("scoresHeading", size=SMALL, role="muted")
        self.none = TextLabel("noScores", size=SMALL, role="muted", wrap=True)
        self.share = Switch("share")
        self.share.set_keys("D")
        self._rule = QFrame()
        self._rule.setObjectName("rule")
        self._rule.setFixedHeight(1)
        inside = QWidget()
        self._questions = QVBoxLayout(inside)
        self._questions.setContentsMargins(0, 0, 6, 0)
        self._questions.setSpacing(0)
        self.reel = _Questions("scoresReel", inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 4, 8)
        layout.setSpacing(2)
        above = QHBoxLayout()
        above.setContentsMargins(6, 0, 0, 4)
        above.addWidget(self.heading)
        below = QHBoxLayout()
        below.setContentsMargins(6, 0, 0, 0)
        below.addWidget(self.none)
        layout.addLayout(above)
        layout.addLayout(below)
        layout.addWidget(self.reel)
        layout.addSpacing(6)
        rule = QHBoxLayout()
        rule.setContentsMargins(6, 0, 12, 0)
        rule.addWidget(self._rule)
        layout.addLayout(rule)
        layout.addSpacing(2)
        layout.addWidget(self.share)
        layout.addStretch(1)
        self.rings: list[Rings] = []
        self._items: tuple[ScoreItem, ...] = ()
        self._points: dict[str, int] = {}
        self._next = 0
        self.share.clicked.connect(lambda: self.shared.emit(self.share.isChecked()))
        for widget in (self.share, self._rule):
            widget.setVisible(not agent)

    def show_card(self, items: Sequence[ScoreItem]) -> None:
        """The questions of the reviewed team."""
        if tuple(items) == self._items:
            return
        for rings in self.rings:
            self._questions.removeWidget(rings)
            rings.hide()
            rings.deleteLater()
        self._items, self.rings = tuple(items), []
        for number, item in enumerate(items):
            rings = Rings(f"score_{item.id}")
            self._questions.addWidget(rings)
            if not self._reads:
                rings.given.connect(partial(self._give, number))
                rings.stepped.connect(partial(self._step, number))
                rings.chosen.connect(partial(self._choose, number))
            self.rings.append(rings)

    def forget(self) -> None:
        self.begin({}, shared=False)
        self._draw()

    def begin(self, scores: Mapping[str, int], *, shared: bool) -> None:
        """Another recording, and its earlier points; the next digit is for the first question without points."""
        self._points = {item.id: scores[item.id] for item in self._items if item.id in scores}
        self._next = next((number for number, item in enumerate(self._items) if item.id not in self._points), 0)
        self.share.setChecked(shared)

    def show_stored(self, scores: Mapping[str, int], *, shared: bool) -> None:
        """What is stored of this recording; the next question stays."""
        self._points = {item.id: scores[item.id] for item in self._items if item.id in scores}
        self.share.setChecked(shared)
        self._draw()

    @property
    def points(self) -> Mapping[str, int]:
        return self._points

    def give_next(self, points: int) -> str:
        """A digit was pressed. Returns the outcome in words; none if there is no question, or it has fewer points."""
        focused = next((number for number, rings in enumerate(self.rings) if rings.hasFocus()), None)
        number = self._next if focused is None else focused
        if self._reads or number >= len(self._items) or points > self._items[number].points:
            return ""
        self._give(number, points)
        return self.rings[number].accessibleName()

    def press_share(self) -> str:
        """By the keyboard, wherever the focus is. Returns the outcome in words."""
        self.share.click()
        assert self._view is not None
        return self._view.texts(f"review.share.is_{'on' if self.share.isChecked() else 'off'}", agent=self._agent)

    def _choose(self, number: int) -> None:
        self._next = number
        self._draw()

    def _give(self, number: int, points: int) -> None:
        """And on to the next question. Zero takes the points back, and stays where it is."""
        self._next = (number + 1) % len(self._items) if points else number
        if self.rings[number].hasFocus():
            self.rings[self._next].setFocus()
        self._set(number, points)

    def _step(self, number: int, by: int) -> None:
        """Some more or fewer, without moving on: there may be many to go."""
        item = self._items[number]
        self._next = number
        self._set(number, min(item.points, max(0, self._points.get(item.id, 0) + by)))

    def _set(self, number: int, points: int) -> None:
        item = self._items[number]
        if points:
            self._points[item.id] = points
        else:
            self._points.pop(item.id, None)
        self._draw()
        self.given.emit(item.id, points)

    def render_view(self, view: View, agent: str) -> None:
        self._view, self._agent = view, agent
        self.heading.setText(view.texts("review.scores"))
        self.reel.render_view(view)
        self.none.setText(view.texts("review.scores.none"))
        self.none.setVisible(not self._items)
        self.share.show_as(
            view,
            view.texts("review.share", agent=agent),
            why=view.texts("review.share.why.house" if self.house else "review.share.why", agent=agent),
        )
        self._draw()

    _view: View | None = None
    _agent = ""

    def _draw(self) -> None:
        if self._view is None:
            return
        for number, (item, rings) in enumerate(zip(self._items, self.rings, strict=True)):
            question = item.name[self._view.texts.language]
            points = self._points.get(item.id, 0)
            is_next = number == self._next and not self._reads
            rings.show_score(self._view, question, points, item.points, is_next=is_next, reads=self._reads)
        if self._next < len(self.rings) and not self._reads:
            self.reel.ensureWidgetVisible(self.rings[self._next], 0, 0)
