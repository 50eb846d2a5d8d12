"""A menu whose entries have a second line: what a press would end for good, or why it is off. It knows no call."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget, QWidgetAction

from softphone.ui.theme.scale import factor, px
from softphone.ui.theme.style import BODY, SMALL, font
from softphone.ui.view import View

_LEFT, _RIGHT, _ICON = 31, 14, 18
"""units; text and icon stand where the menu's plain entries have theirs"""
_ONE_LINE, _TWO_LINES = 35, 48


class _Row(QWidget):
    """Paints one entry. Mouse and keyboard belong to the menu, as for every other entry."""

    def __init__(self, entry: Entry, menu: QMenu) -> None:
        super().__init__(menu)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._entry, self._menu = entry, menu

    def sizeHint(self) -> QSize:
        words = QFontMetricsF(font(BODY)).horizontalAdvance(self._entry.title)
        below = QFontMetricsF(font(SMALL)).horizontalAdvance(self._entry.below)
        return QSize(px(round(max(words, below)) + _LEFT + _RIGHT), px(_TWO_LINES if self._entry.below else _ONE_LINE))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        entry, view = self._entry, self._entry.view
        theme, enabled = view.theme, entry.isEnabled()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(factor(), factor())
        wide, high = self.width() / factor(), self.height() / factor()
        if enabled and self._menu.activeAction() is entry:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.neutral.fill))
            painter.drawRoundedRect(QRectF(0, 0, wide, high), 6, 6)
        middle = high / 2
        colour = theme.text if enabled else theme.disabled
        view.icons.draw(painter, entry.icon_name, colour, QRectF(4, middle - _ICON / 2, _ICON, _ICON))
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.setFont(font(BODY))
        painter.setPen(QColor(colour))
        room = wide - _LEFT
        painter.drawText(
            QRectF(_LEFT, middle - 19 if entry.below else 0, room, 20 if entry.below else high),
            left,
            entry.title,
        )
        painter.setFont(font(SMALL))
        painter.setPen(QColor(theme.muted))
        painter.drawText(QRectF(_LEFT, middle + 1, room, 17), left, entry.below)
        painter.end()


class Entry(QWidgetAction):
    """`title` over `below`. To a screen reader both are its text."""

    def __init__(self, menu: QMenu, name: str) -> None:
        super().__init__(menu)
        self.setObjectName(name)
        self.title = self.below = self.icon_name = ""
        self.view: View
        self._row = _Row(self, menu)
        self.setDefaultWidget(self._row)

    def show_as(self, view: View, title: str, below: str, *, icon: str, enabled: bool = True, more: str = "") -> None:
        self.view, self.title, self.below, self.icon_name = view, title, below, icon
        text = f"{title} – {below}" if below else title
        self.setText(text)
        self.setIcon(view.icons.icon(icon, view.theme.text, _ICON))
        self.setToolTip(more or text)
        self.setEnabled(enabled)
        self._row.updateGeometry()
        self._row.update()


class RowMenu(QMenu):
    """Its rows follow mouse and keyboard."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        # Its own round corners, in our look on every system.
        self.setWindowFlags(
            self.windowFlags() | Qt.WindowType.FramelessWindowHint | Qt.WindowType.NoDropShadowWindowHint
        )
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setToolTipsVisible(True)
        self.hovered.connect(self._renew)

    def _renew(self, _action: QAction | None = None) -> None:
        for row in self.findChildren(_Row, options=Qt.FindChildOption.FindDirectChildrenOnly):
            row.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._renew()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._renew()
