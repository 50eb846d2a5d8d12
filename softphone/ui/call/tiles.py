"""The buttons of a call: the two that never move, the presses of the moment, and the dock's tiles. They know no call."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from softphone.ui.controls import Control
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.scale import factor, px
from softphone.ui.theme.style import BODY, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View

_LEFT, _BARE, _RIGHT, _ICON = 38.0, 12.0, 6.0, 20.0


class ActionButton(Control):
    """Icon, name, and in a second line what a press will do to this call. Its size never changes by what it says.

    `filled`: it is the one press that the moment asks for.
    """

    HEIGHT, LOW = 72, 40
    """LOW: where there is no room for a second line; then it stands behind the first, if it fits there, else in the tooltip"""

    def __init__(self, name: str, parent: QWidget | None = None, *, height: int = HEIGHT) -> None:
        super().__init__(name, parent)
        self._sub = ""
        self._usual, self._low = height, False
        self._violet = self._filled = False
        self.fix_height(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_action(
        self,
        view: View,
        title: str,
        sub: str,
        *,
        icon: str = "",
        enabled: bool = True,
        why: str = "",
        violet: bool = False,
        filled: bool = False,
        means: str = "",
        named: str = "",
    ) -> None:
        """`named`: what a screen reader calls it, where the second line changes with every second."""
        self._sub, self._violet, self._filled = sub, violet, filled
        name = f"{title}: {sub}" if sub else title
        name = named or name
        self.show_as(view, title, icon=icon, name=name, enabled=enabled, why=why, means=means or title, shown=name)

    def usually(self, height: int) -> None:
        """So high where there is room."""
        self._usual = height
        if not self._low:
            self.fix_height(height)

    def be_low(self, wanted: bool) -> None:
        if wanted != self._low:
            self._low = wanted
            self.fix_height(self.LOW if wanted else self._usual)
            self.update()

    def _looks(self) -> tuple[object, ...]:
        return self._sub, self._violet, self._filled, self._low

    def sub(self) -> str:
        """The second line as it stands."""
        return self._sub

    @property
    def is_filled(self) -> bool:
        return self._filled

    def sizeHint(self) -> QSize:
        return QSize(px(160), self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(px(96), self.height())

    def text_width(self) -> float:
        return self.wide - (_LEFT if self._icon_name else _BARE) - _RIGHT

    def overflows(self) -> bool:
        """Whether the words do not fit. A test fails on it, before an agent sees it."""
        title, sub = self._heights(self.text_width())
        return title + (0.0 if self._low else sub) > self.high - 2 or self._widest() > self.text_width()

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        on = self.isEnabled()
        if on and self._filled:
            self._plate(painter, theme, theme.accent, None, hair=theme.text)
            colour = below = theme.on_accent
        else:
            self._plate(painter, theme, theme.surface if on else theme.window, theme.line)
            colour = (theme.lock_ink if self._violet else theme.accent) if on else theme.disabled
            below = theme.muted  # also when off: the reason is there to be read
        left = _BARE
        if self._icon_name:
            icons.draw(painter, self._icon_name, colour, QRectF(10, self.high / 2 - _ICON / 2, _ICON, _ICON))
            left = _LEFT
        width = self.text_width()
        title, sub = self._heights(width)
        top = (self.high - title - (0.0 if self._low else sub)) / 2
        wrap = self._wrap(width) | int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        painter.setFont(font(BODY, strong=True))
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(left, top, width, title), wrap, self.text())
        behind = QFontMetricsF(painter.font()).horizontalAdvance(self.text()) + 10
        painter.setFont(font(SMALL, tabular=True))
        painter.setPen(QColor(below))
        if not self._low:
            painter.drawText(QRectF(left, top + title, width, sub), wrap, self._sub)
        elif behind + QFontMetricsF(painter.font()).horizontalAdvance(self._sub) <= width:
            middle = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(QRectF(left + behind, 0, width - behind, self.high), middle, self._sub)

    def _heights(self, width: float) -> tuple[float, float]:
        def height(text: str, used: QFont) -> float:
            box = QFontMetricsF(used).boundingRect(QRectF(0, 0, width, 500), self._wrap(width), text)
            return box.height() if text else 0.0

        return height(self.text(), font(BODY, strong=True)), height(self._sub, font(SMALL, tabular=True))

    def _wrap(self, width: float) -> int:
        """Between words; within a word only if a policy's word for the party is wider than the button."""
        flag = Qt.TextFlag.TextWordWrap if self._widest() <= width else Qt.TextFlag.TextWrapAnywhere
        return int(flag)

    def _widest(self) -> float:
        title = [QFontMetricsF(font(BODY, strong=True)).horizontalAdvance(word) for word in self.text().split()]
        below = "" if self._low else self._sub
        sub = [QFontMetricsF(font(SMALL, tabular=True)).horizontalAdvance(word) for word in below.split()]
        return max([*title, *sub, 0.0])


class ToolTile(Control):
    """An icon over its word. `setCheckable` where it is a switch: on, it is a dark tile (light in the dark look).

    `tinted`: hang up. Its colour is quiet, and not the card's red.
    """

    HEIGHT = 58

    def __init__(self, name: str, parent: QWidget | None = None, *, tinted: bool = False) -> None:
        super().__init__(name, parent)
        self._tinted = tinted
        self._worded = True
        self._whose = ""
        self.fix_height(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _looks(self) -> tuple[object, ...]:
        return self._worded, self._whose

    def say_whose(self, name: str) -> None:
        """Whom it concerns, below its word, when that is not whom the page is about."""
        if name != self._whose:
            self._whose = name
            self.update()

    def show_word(self, wanted: bool) -> None:
        """Or the icon alone, where the dock is too narrow; then the tooltip has its name."""
        if wanted != self._worded:
            self._worded = wanted
            self.updateGeometry()
            self.update()

    def word_width(self) -> float:
        """In units, with what air it needs."""
        return QFontMetricsF(font(SMALL)).horizontalAdvance(self.text()) + 6

    def sizeHint(self) -> QSize:
        return QSize(px(max(36.0, self.word_width() if self._worded else 0)), self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(px(34), self.height())

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        colour = theme.text if self.isEnabled() else theme.disabled
        if self.isEnabled() and self.isChecked():
            self._plate(painter, theme, theme.text, None, hair=theme.accent)
            colour = theme.window
        elif self._tinted and self.isEnabled():
            self._plate(painter, theme, theme.hang_up.fill, None, hair=theme.hang_up.ink)
            colour = theme.hang_up.ink
        elif self.isEnabled() and (self._hover or self.isDown()):
            self._plate(
                painter, theme, theme.neutral.fill if self.isDown() else theme.surface, None, hair=theme.neutral.edge
            )
        top = 9.0 if self._worded else self.high / 2 - 11
        if self._whose:
            top = 2.0 if self._worded else 8.0
        icons.draw(painter, self._icon_name, colour, QRectF(self.wide / 2 - 11, top, 22, 22))
        if self._worded:
            painter.setFont(font(SMALL, strong=self._tinted))
            painter.setPen(QColor(colour))
            word = QRectF(-4, 22 if self._whose else 33, self.wide + 8, 19)
            painter.drawText(word, int(Qt.AlignmentFlag.AlignCenter), self.text())
        if self._whose:
            painter.setFont(font(SMALL))
            painter.setPen(QColor(colour))
            name = painter.fontMetrics().elidedText(self._whose, Qt.TextElideMode.ElideRight, int(self.wide))
            painter.drawText(
                QRectF(0, 38 if self._worded else 32, self.wide, 17), int(Qt.AlignmentFlag.AlignCenter), name
            )


def words_fit(tiles: list[ToolTile], pixels: int) -> bool:
    """Whether all of these can show their words side by side."""
    return sum(tile.word_width() for tile in tiles) <= pixels / factor()
