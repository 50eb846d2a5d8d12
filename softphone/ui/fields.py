"""The quiet parts of the desk: labels, cards, lists to pick from, what scrolls. They know no call and send nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QLinearGradient,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QScrollArea, QScrollBar, QSizePolicy, QWidget

from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BODY, BUTTON_RADIUS, label_font
from softphone.ui.view import View


class ComboBox(QComboBox):
    """A choice from a list. It draws the look's own arrow: with a style sheet it would have none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self._view: View | None = None

    def render_view(self, view: View) -> None:
        before, self._view = self._view, view
        if before is None or before.theme is not view.theme:
            self.update()

    def show_entries(self, view: View, wanted: list[tuple[str, str | None]], current: str | None) -> None:
        """Show these entries (text, data) and mark the current one. Nothing is touched while the list is open."""
        self.render_view(view)
        if self.view().isVisible():
            return
        shown = [(self.itemText(i), self.itemData(i)) for i in range(self.count())]
        if shown != wanted:
            self.clear()
            for text, data in wanted:
                self.addItem(text, data)
        position = next((i for i, (_, data) in enumerate(wanted) if data == current), 0)
        if position != self.currentIndex():
            self.setCurrentIndex(position)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls; a choice does not change in passing

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._view is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            colour = self._view.theme.muted if self.isEnabled() else self._view.theme.disabled
            self._view.icons.draw(
                painter, "down", colour, QRectF(self.width() - px(28), self.height() / 2 - px(8), px(16), px(16))
            )
            painter.end()


class TextLabel(QLabel):
    """A label of one role (`""`, `muted`, `danger`, `warning`, `ok`) that elides a single line, or wraps if `wrap` is set."""

    def __init__(
        self,
        name: str = "",
        *,
        size: int = BODY,
        strong: bool = False,
        role: str = "",
        wrap: bool = False,
        tabular: bool = False,
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self._size, self._strong, self._tabular = size, strong, tabular
        self.rescale()
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        self._wrap = wrap
        if not wrap:
            self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def rescale(self) -> None:
        """The text size has changed."""
        self.setFont(label_font(self._size, strong=self._strong, tabular=self._tabular))

    def set_size(self, size: int) -> None:
        if size != self._size:
            self._size = size
            self.rescale()

    def set_role(self, role: str) -> None:
        if self.property("role") != role:
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)

    def minimumSizeHint(self) -> QSize:
        """A single line can always be shortened."""
        least = super().minimumSizeHint()
        return least if self._wrap else QSize(0, least.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._wrap or self.textFormat() is not Qt.TextFormat.PlainText:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()

    def elided(self) -> bool:
        """Whether it is shown shortened."""
        return not self._wrap and self.fontMetrics().horizontalAdvance(self.text()) > self.width()


class _Ring(QWidget):
    """The focus's mark, over what scrolls, untouched by the mouse."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), BUTTON_RADIUS, BUTTON_RADIUS)
        painter.end()


_FADE = 24
"""px, about a line"""


class _Fade(QWidget):
    """What goes on below the edge fades out there: a line that is cut through could be the last one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("fade")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        ground = self.palette().color(QPalette.ColorRole.Window)
        clear = QColor(ground)
        clear.setAlpha(0)
        fading = QLinearGradient(0, 0, 0, self.height())
        fading.setColorAt(0, clear)
        fading.setColorAt(1, ground)
        painter = QPainter(self)
        painter.fillRect(self.rect(), fading)
        painter.end()


class ScrollArea(QScrollArea):
    """Content that may be longer than its place. Then Tab reaches it and the arrow keys move it, since text alone takes no
    focus.

    The content leaves a margin at its right edge for the bar, so nothing shifts when the bar appears, and it covers nothing.
    within_reach(): whether Tab stops here has changed. resized(px): it is so high now.
    """

    within_reach = Signal()
    resized = Signal(int)

    def __init__(self, name: str, inside: QWidget) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(inside)
        self._over = QScrollBar(Qt.Orientation.Vertical, self)
        self._fade, self._ring = _Fade(self), _Ring(self)
        own = self.verticalScrollBar()
        own.rangeChanged.connect(self._range)
        own.valueChanged.connect(self._over.setValue)
        own.valueChanged.connect(self._look_below)
        self._over.valueChanged.connect(own.setValue)
        self._over.hide()

    def render_view(self, view: View) -> None:
        self.setAccessibleName(view.texts("reel.name"))

    def _range(self, low: int, high: int) -> None:
        wanted = Qt.FocusPolicy.TabFocus if high > low else Qt.FocusPolicy.NoFocus
        if wanted is not self.focusPolicy():
            self.setFocusPolicy(wanted)
            if self.hasFocus():
                self.window().setFocus()
            self.within_reach.emit()
        self._over.setRange(low, high)
        self._over.setPageStep(self.verticalScrollBar().pageStep())
        self._over.setSingleStep(self.verticalScrollBar().singleStep())
        self._look_below()
        self._over.setVisible(high > low)
        self._over.raise_()

    def _look_below(self) -> None:
        own = self.verticalScrollBar()
        # A line that lacks a few pixels can be read as it is.
        high = min(px(_FADE), own.maximum() - own.value())
        self._fade.setGeometry(0, self.height() - high, self.width(), high)
        self._fade.setVisible(high > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._over.setGeometry(self.width() - 9, 2, 6, self.height() - 4)
        self._over.setPageStep(self.height())
        self._look_below()
        self._ring.setGeometry(self.rect())
        self.resized.emit(self.height())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._ring.show()
        self._ring.raise_()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._ring.hide()


class Card(QFrame):
    """A surface with a thin edge; `fault` outlines it."""

    def __init__(self, name: str = "", role: str = "card") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", role)

    def set_role(self, role: str) -> None:
        """Its style is computed anew."""
        if role != self.property("role"):
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)


def high_at(widget: QWidget, width: int) -> int:
    """px that its layout takes at that width."""
    layout = widget.layout()
    assert layout is not None
    return layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()


def chain(widgets: Sequence[QWidget]) -> None:
    """Make Tab go through these in this order, the page's."""
    for one, other in pairwise(widgets):
        QWidget.setTabOrder(one, other)
