"""The team lead's comments on moments of the recording: their list, and the line to write one. Stores nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from softphone.domain.archive.recordings import RATE
from softphone.domain.archive.reviews import Comment
from softphone.ui.controls import Control, QuietButton
from softphone.ui.fields import Card, ScrollArea, TextLabel
from softphone.ui.review import words
from softphone.ui.review.waveform import draw_mark
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.style import BODY, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View

LONGEST = 1_000
"""characters"""


class _Moment(Control):
    """A comment's number and its time: a press jumps there."""

    def __init__(self, number: int, seconds: float) -> None:
        super().__init__(f"moment_{number}")
        self._number, self._told = number, words.length(seconds)
        self.setFixedSize(QSize(74, 28))

    def draw(self, painter: QPainter, theme: Theme, _icons: Icons) -> None:
        draw_mark(painter, theme, QPointF(12, self.height() / 2), self._number)
        painter.setFont(font(BODY, tabular=True))
        painter.setPen(QColor(theme.muted))
        box = self.rect().adjusted(28, 0, 0, 0)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self._told)


class _Line(QLineEdit):
    """Where a comment is written. Every key is its own but Escape, which leaves it."""

    def event(self, event: QEvent) -> bool:
        override = event.type() is QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() != Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)


_Row = tuple[Comment, _Moment, TextLabel, QuietButton]


class Comments(Card):
    """written(sample, text): to be stored, and `stored` called; removed(Comment), jumped(sample), closed(): the line has
    been left. emptied(): the last one, which had the keyboard, has gone."""

    written = Signal(int, str)
    removed = Signal(object)
    jumped = Signal(int)
    closed = Signal()
    emptied = Signal()

    def __init__(self, *, agent: bool = False) -> None:
        """`agent`: the call's own, who answers."""
        super().__init__("comments")
        self._answers, self._agent = agent, ".shared" if agent else ""
        self.heading = TextLabel("commentsHeading", size=SMALL, role="muted")
        self.line = _Line()
        self.line.setObjectName("commentLine")
        self.line.setMaxLength(LONGEST)
        self.line.hide()
        self.empty = TextLabel("noComments", size=SMALL, role="muted", wrap=True)
        self._inside = QWidget()
        self._list = QVBoxLayout(self._inside)
        self._list.setContentsMargins(0, 0, 10, 0)
        self._list.setSpacing(4)
        self._list.addStretch(1)
        self.reel = ScrollArea("commentsReel", self._inside)
        self.reel.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 6, 10)
        layout.setSpacing(6)
        layout.addWidget(self.heading)
        lines = QHBoxLayout()
        lines.setContentsMargins(0, 0, 8, 0)
        lines.addWidget(self.line)
        layout.addLayout(lines)
        layout.addWidget(self.empty)
        layout.addWidget(self.reel, 1)
        self.comments: tuple[Comment, ...] = ()
        self._rows: list[_Row] = []
        self._at = 0
        self._view: View | None = None
        self.line.returnPressed.connect(self.write)

    @property
    def writing(self) -> bool:
        return not self.line.isHidden()

    @property
    def storing(self) -> bool:
        """Its text is on its way."""
        return self.line.isReadOnly()

    @property
    def unsaved(self) -> bool:
        return self.writing and bool(self.line.text().strip())

    @property
    def written_so_far(self) -> tuple[int, str]:
        """The moment, and the line's words."""
        return self._at, self.line.text()

    @property
    def may_write(self) -> bool:
        """The agent answers, so there must be something to answer."""
        return not self._answers or any(not one.mine for one in self.comments)

    @property
    def stops(self) -> list[QWidget]:
        """Where Tab stops in it, in order."""
        return [
            self.line,
            *(one for said, moment, _, remove in self._rows for one in (moment, *([remove] if said.mine else []))),
        ]

    def next_to(self, sample: int, *, after: bool) -> tuple[int, Comment] | None:
        """The first comment after that moment, or the last before it, with its number; it scrolls into sight."""
        rows = list(enumerate(self._rows, start=1))
        for number, (comment, moment, *_) in rows if after else reversed(rows):
            if comment.sample > sample if after else comment.sample < sample:
                self.reel.ensureWidgetVisible(moment, 0, 0)
                return number, comment
        return None

    def write_at(self, sample: int, text: str = "") -> None:
        """A comment on this moment, to be written; one in progress goes on. `text`: what there is of it."""
        if not self.writing:
            self._at = sample
            self._empty_line()
            self.line.setText(text)
        self.line.show()
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._draw()

    def leave(self) -> None:
        if self.writing:
            self.line.hide()
            self._empty_line()
            self.closed.emit()

    def stored(self, *, done: bool) -> None:
        """The outcome of `written`: the line is left only once its text is kept somewhere else."""
        if not self.storing:
            return
        if done:
            self.leave()
        else:
            self.line.setReadOnly(False)

    def _empty_line(self) -> None:
        # Not clear(): undo would bring one recording's text back in another.
        self.line.setText("")
        self.line.setReadOnly(False)

    def show_comments(self, comments: Sequence[Comment]) -> None:
        """The keyboard moves to the next one, or to what `emptied` leads to."""
        wanted = tuple(sorted(comments, key=lambda one: (one.sample, one.at)))
        if wanted == self.comments:
            return
        self.comments = wanted
        inside = [at for at, (_, moment, _, remove) in enumerate(self._rows) if moment.hasFocus() or remove.hasFocus()]
        while (item := self._list.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.hide()
                row.deleteLater()
        self._rows = [self._row(number, one) for number, one in enumerate(wanted, start=1)]
        self._list.addStretch(1)
        self._draw()
        if inside and self._rows:
            said, moment, _, remove = self._rows[min(inside[0], len(self._rows) - 1)]
            (remove if said.mine else moment).setFocus(Qt.FocusReason.OtherFocusReason)
        elif inside:
            self.emptied.emit()

    def _row(self, number: int, comment: Comment) -> _Row:
        moment = _Moment(number, comment.sample / RATE)
        moment.set_keys(", .")
        text = TextLabel(f"comment_{number}", wrap=True)
        remove = QuietButton(f"removeComment_{number}", size=14)
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(moment, 0, Qt.AlignmentFlag.AlignTop)
        text.setContentsMargins(0, 4, 0, 4)
        layout.addWidget(text, 1)
        layout.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)
        moment.clicked.connect(lambda: self.jumped.emit(comment.sample))
        remove.clicked.connect(lambda: self.removed.emit(comment))
        # What somebody else said, they alone remove.
        remove.setVisible(comment.mine)
        self._list.addWidget(row)
        return comment, moment, text, remove

    def render_view(self, view: View) -> None:
        self._view = view
        self._draw()

    def _draw(self) -> None:
        view = self._view
        if view is None:
            return
        texts = view.texts
        self.heading.setText(texts("review.comments"))
        self.reel.render_view(view)
        self.empty.setText(texts(f"review.comments.empty{self._agent}"))
        self.empty.setVisible(not self.comments and not self.writing)
        at = words.length(self._meant / RATE)
        self.line.setPlaceholderText(texts(f"review.comment.at{self._agent}", at=at))
        self.line.setAccessibleName(texts(f"review.comment.at{self._agent}", at=at))
        for number, (comment, moment, label, remove) in enumerate(self._rows, start=1):
            at = words.length(comment.sample / RATE)
            text = words.said(texts, comment)
            label.setText(text)
            label.set_role("" if comment.text else "muted")
            moment.show_as(view, "", name=texts("review.comment.jump", number=number, at=at, text=text))
            remove.show_as(view, "", icon="close", name=texts("review.comment.remove", number=number))

    @property
    def _meant(self) -> int:
        """The moment that is written about: an answer is to the last comment before it, or else to the first."""
        theirs = [one.sample for one in self.comments if not one.mine] if self._answers else []
        return max((one for one in theirs if one <= self._at), default=theirs[0] if theirs else self._at)

    def write(self) -> None:
        """Emits `written`, or nothing if the line is empty; `stored` gives the outcome."""
        if self.storing:
            return
        if self.unsaved:
            self.line.setReadOnly(True)
            self.written.emit(self._at, self.line.text().strip())
        else:
            self.leave()
