"""The list of the training sample: a model that gets page after page, and how it draws a row. It asks nobody itself."""

from __future__ import annotations

import gc
from bisect import bisect_left
from collections.abc import Callable, Collection
from functools import cache

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from softphone.domain.archive.reviews import SamplePage, SampleRow
from softphone.ui.review import words
from softphone.ui.theme.style import BODY, SMALL, font
from softphone.ui.view import View, duration

Index = QModelIndex | QPersistentModelIndex
ROW = int(Qt.ItemDataRole.UserRole)
AHEAD = 600
"""rows loaded below those in sight, so that a scroll finds them there"""
SETTLED = 10_000
"""loaded rows after which Python's garbage collection leaves them out: with 80,000 one look takes 50 to 100 ms"""


class SampleModel(QAbstractListModel):
    """wanted(after): the next page. Rows are newest first, as pages come."""

    wanted = Signal(object)

    def __init__(self, *, own: bool = False) -> None:
        """`own`: all are calls of who looks at them, and each is named by its line."""
        super().__init__()
        self.own = own
        self.rows: list[SampleRow] = []
        self._places: dict[str, int] = {}
        """the row of each, as far as it was looked up"""
        self._next: str | None = None
        self._asked = False
        self._view: View | None = None
        self._line: Callable[[str | None], str] = lambda line: line or ""
        self.leaving: tuple[str, str] = ("", "")
        """the recording about to be erased, and its row's words about that"""

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == ROW:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole) and self._view is not None:
            left = self.leaving[1] if row.recording == self.leaving[0] else ""
            return spoken_row(self._view, row, self.named(self._view, row, self._line(row.line)), left)
        return None

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and self._next is not None and not self._asked

    def fetchMore(self, parent: Index) -> None:
        if self.canFetchMore(parent):
            self._asked = True
            self.wanted.emit(self._next)

    def render_view(self, view: View, line: Callable[[str | None], str]) -> None:
        self._view, self._line = view, line
        if self.rows:
            self.dataChanged.emit(self.index(0), self.index(len(self.rows) - 1))

    def named(self, view: View, row: SampleRow, line: str) -> tuple[str, str]:
        """What the row is called, and what it says below."""
        agent = words.agent_name(row.agent) if row.agent else view.texts("review.no_agent")
        return (line, "") if self.own and line else (agent, line)

    @property
    def whole(self) -> bool:
        """Whether the last page has come."""
        return self._next is None and not self._asked

    def begin(self) -> None:
        """Another list is on its way."""
        self.beginResetModel()
        self.rows, self._places, self._next, self._asked = [], {}, None, True
        self.endResetModel()

    def take(self, page: SamplePage) -> None:
        if page.rows:
            first = len(self.rows)
            self.beginInsertRows(QModelIndex(), first, first + len(page.rows) - 1)
            self.rows += page.rows
            self.endInsertRows()
            if len(self.rows) // SETTLED > first // SETTLED:
                gc.freeze()
        self._next, self._asked = page.next, False

    def take_new(self, page: SamplePage) -> None:
        """New recordings, each at its place among those shown."""
        known = {row.recording for row in self.rows[: 2 * len(page.rows) + 1]}
        for row in page.rows:
            later = not self.whole and self.rows and _newest(row) > _newest(self.rows[-1])
            if row.recording in known or later:
                continue
            at = bisect_left(self.rows, _newest(row), key=_newest)
            self.beginInsertRows(QModelIndex(), at, at)
            self.rows.insert(at, row)
            self._places = {}
            self.endInsertRows()

    def drop(self, recordings: Collection[str]) -> list[SampleRow]:
        """Remove rows, from below, and neighbours at once: the view counts its rows anew each time."""
        gone: list[SampleRow] = []
        last: int | None = None
        for at in sorted((at for one in set(recordings) if (at := self.find(one)) is not None), reverse=True):
            last = at if last is None else last
            if at and self.rows[at - 1].recording in recordings:
                continue
            self.beginRemoveRows(QModelIndex(), at, last)
            gone += self.rows[at : last + 1]
            del self.rows[at : last + 1]
            self._places, last = {}, None
            self.endRemoveRows()
        return gone

    def renew(self, row: SampleRow) -> None:
        """As it stands now, if it is shown."""
        where = self.find(row.recording)
        if where is not None:
            self.rows[where] = row
            self.dataChanged.emit(self.index(where), self.index(where))

    def show_leaving(self, recording: str, words: str) -> None:
        """In its row; empty: none is."""
        before, self.leaving = self.leaving[0], (recording, words)
        for one in {before, recording} - {""}:
            if (where := self.find(one)) is not None:
                self.dataChanged.emit(self.index(where), self.index(where))

    def find(self, recording: str) -> int | None:
        if len(self._places) != len(self.rows):
            self._places = {row.recording: at for at, row in enumerate(self.rows)}
        return self._places.get(recording)

    def next_waiting(self, after: int, used: Collection[str] = ()) -> int | None:
        """The first below row `after` that nobody has reviewed, or the first of all; `used` are being marked as reviewed."""
        for at in (*range(after + 1, len(self.rows)), *range(min(after + 1, len(self.rows)))):
            recording = self.rows[at].recording
            if self.rows[at].reviewed_at is None and recording != self.leaving[0] and recording not in used:
                return at
        return None


def _newest(row: SampleRow) -> tuple[float, tuple[int, ...]]:
    return -row.opened_at.timestamp(), tuple(-ord(letter) for letter in row.recording)


def spoken_row(view: View, row: SampleRow, named: tuple[str, str], leaving: str = "") -> str:
    """A row as a screen reader says it."""
    texts = view.texts
    parts = [
        *named,
        words.when(texts, row, view.now),
        words.spoken_length(texts, round(row.seconds)),
        leaving or words.left(texts, row, view.now),
        texts("review.row.reviewed") if row.reviewed_at else "",
        texts("review.row.comments", count=row.comments) if row.comments else "",
    ]
    return ", ".join(part for part in parts if part)


class SampleDelegate(QStyledItemDelegate):
    """Who and which line, when and how long; a check mark where it has been reviewed; a bar at the one that is open."""

    HEIGHT = 50

    def __init__(self, model: SampleModel) -> None:
        super().__init__()
        self._model = model
        self.view: View | None = None
        self.line: Callable[[str | None], str] = lambda line: line or ""
        self.open = ""
        """the recording that is open"""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(240, self.HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW)
        if self.view is None or not isinstance(row, SampleRow):
            return
        theme, texts = self.view.theme, self.view.texts
        box = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
        state = option.state  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(theme.blue.fill))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, QColor(theme.window))
        if row.recording == self.open:
            painter.fillRect(QRectF(box.left(), box.top(), 3, box.height()), QColor(theme.accent))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        if row.reviewed_at is not None:
            self.view.icons.draw(painter, "check", theme.ok, QRectF(box.left() + 10, box.center().y() - 8, 16, 16))
        inside = box.adjusted(36, 6, -12, -6)
        upper = QRectF(inside.left(), inside.top(), inside.width(), inside.height() / 2)
        lower = QRectF(inside.left(), inside.center().y(), inside.width(), inside.height() / 2)
        called, line = self._model.named(self.view, row, self.line(row.line))
        leaving, leaves = self._model.leaving
        goes = row.recording == leaving
        ends = leaves if goes else words.left(texts, row, self.view.now)
        length, when = duration(round(row.seconds)), words.when(texts, row, self.view.now)
        _pair(painter, upper, called, when, theme.text, BODY, strong=row.reviewed_at is None)
        below, *more = [one for one in (line, length, ends) if one]
        _pair(painter, lower, below, " · ".join(more), theme.danger if goes else theme.muted, SMALL)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(2, 2, -2, -3), 6, 6)
        painter.restore()


@cache
def _fonts(size: int, *, strong: bool) -> tuple[QFont, QFontMetricsF, QFont, QFontMetricsF]:
    """Of the left word and of the right one."""
    left = font(size, strong=strong)
    right = font(size if size == SMALL else size - 1, tabular=True)
    return left, QFontMetricsF(left), right, QFontMetricsF(right)


def _pair(
    painter: QPainter, box: QRectF, left: str, right: str, colour: str, size: int, *, strong: bool = False
) -> None:
    """Two words on one line; the left one gives way."""
    named, named_metrics, plain, plain_metrics = _fonts(size, strong=strong)
    painter.setPen(QColor(colour))
    painter.setFont(plain)
    wide = plain_metrics.horizontalAdvance(right)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), right)
    painter.setFont(named)
    shown = named_metrics.elidedText(left, Qt.TextElideMode.ElideRight, box.width() - wide - 10)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)


class SampleList(QTableView):
    """asked(recording): open it. Moving through the list opens nothing: the audit log notes each opening.

    A table of one column: a list view lays out each of its rows anew whenever some are added.
    """

    asked = Signal(str)

    def __init__(self, model: SampleModel) -> None:
        super().__init__()
        self.setObjectName("sampleList")
        self.samples = model
        self.delegate = SampleDelegate(model)
        self.setModel(model)
        self.setItemDelegate(self.delegate)
        self.setMouseTracking(True)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setMinimumSectionSize(SampleDelegate.HEIGHT)
        down.setDefaultSectionSize(SampleDelegate.HEIGHT)
        for header in (across, down):
            header.hide()
        self.clicked.connect(self._open)
        self.verticalScrollBar().valueChanged.connect(self.look_ahead)
        model.rowsInserted.connect(self.look_ahead)

    def render_view(self, view: View, line: Callable[[str | None], str]) -> None:
        self.delegate.view, self.delegate.line = view, line
        self.setAccessibleName(view.texts("review.list"))
        self.samples.render_view(view, line)

    def show_open(self, recording: str) -> None:
        self.delegate.open = recording
        self.viewport().update()

    def look_ahead(self) -> None:
        """Ask for the pages below before they are seen."""
        last = self.indexAt(self.viewport().rect().bottomLeft()).row()
        seen = last if last >= 0 else len(self.samples.rows)
        if len(self.samples.rows) - seen < AHEAD:
            self.samples.fetchMore(QModelIndex())

    def _open(self, index: Index) -> None:
        row = index.data(ROW)
        if isinstance(row, SampleRow):
            self.asked.emit(row.recording)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens; keys that do not move in the list are the page's."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._open(self.currentIndex())
            return
        moves = {
            Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End,
        }  # fmt: skip
        if event.key() in moves:
            super().keyPressEvent(event)
        else:
            event.ignore()
