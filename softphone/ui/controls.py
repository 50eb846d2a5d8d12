"""The desk's controls: buttons that paint themselves from the look. They know no call and no command.

They measure in units of their own, which are pixels at the usual text size, and are scaled as a whole. Each has
`show_as(view, …)` for what it says now, and `clicked` for a press that was meant. A control that is off says why, in its
tooltip and to a screen reader.
"""

from __future__ import annotations

import textwrap
from time import monotonic

from PySide6.QtCore import SIGNAL, QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetricsF,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QMoveEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QSizePolicy, QWidget

from softphone.ui.theme.icons import Icons
from softphone.ui.theme.scale import factor, px
from softphone.ui.theme.style import BODY, BUTTON_RADIUS, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View

_TOOLTIP = 64
"""letters in a line"""


class Change:
    """When what a press does last changed under the hand. What follows within a double click was not meant for it."""

    def __init__(self) -> None:
        self._at = -float("inf")

    def happened(self) -> None:
        self._at = monotonic()

    @property
    def is_fresh(self) -> bool:
        return monotonic() - self._at < QApplication.doubleClickInterval() / 1000


class Control(QAbstractButton):
    """A button that paints itself. It takes the focus by keyboard alone, so a click leaves the focus where it was.

    A double press never does the next thing: the engine answers within milliseconds, long before the second press. A double
    click is one press. A control that has just come or changed its meaning takes no press for as long as a double click may
    last, from mouse, keyboard or screen reader. The same holds for one that has moved among its neighbours and in the
    window. It does not notice a move of all that stands around it.

    What it does it does to one call (`View.about`). Another call in its place is another meaning, whatever its words.
    """

    clicked = Signal(object)
    """Qt's own signal of this name goes through `_take`, so that no press bypasses it"""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._theme: Theme | None = None
        self._icons: Icons | None = None
        self._icon_name = ""
        self._hover = False
        self._keys = ""
        self._means = self._about = ""
        self._change, self._other_call = Change(), Change()
        self._place = QPoint()
        self._every_press = False
        self._drawn: tuple[object, ...] = ()
        self._tooltip: tuple[str, ...] = ()
        self._units = 0.0
        """its height, if that is fixed"""
        self.connect(self, SIGNAL("clicked(bool)"), self._take)

    # --- its size -------------------------------------------------------------------------------

    def fix_height(self, units: float) -> None:
        self._units = units
        self.setFixedHeight(px(units))

    def rescale(self) -> None:
        """The text size has changed."""
        if self._units:
            self.setFixedHeight(px(self._units))
        self.updateGeometry()
        self.update()

    @property
    def wide(self) -> float:
        return self.width() / factor()

    @property
    def high(self) -> float:
        return self.height() / factor()

    # --- what it says, and when it takes a press ------------------------------------------------

    def set_keys(self, keys: str) -> None:
        """The shortcut as a person reads it, for the tooltip."""
        if keys != self._keys:
            self._keys = keys
            self._changed()

    def take_every_press(self) -> None:
        """Each of several fast presses is meant: digits, steps forward and back."""
        self._every_press = True

    @property
    def takes_presses(self) -> bool:
        """Whether it has stood there with this meaning for longer than a double click lasts."""
        return not self._other_call.is_fresh and (self._every_press or not self._change.is_fresh)

    def _take(self, checked: bool = False) -> None:
        if self.takes_presses:
            self.clicked.emit(checked)

    def _changed(self) -> None:
        self._change.happened()
        if self.isDown() and not self._every_press:
            self.setDown(False)  # the press was meant for something else

    def show_as(
        self,
        view: View,
        title: str,
        *,
        icon: str = "",
        name: str = "",
        enabled: bool = True,
        why: str = "",
        means: str = "",
        shown: str = "",
    ) -> None:
        """`name` is what a screen reader says if that is more than `title`; `why` says why it is off, or what it does.

        `means`: what a press does, if `name` does not say exactly that. `shown`: what can be read on it, if that is more than
        `title`. The tooltip repeats none of it.
        """
        if view.about != self._about:
            self._about = view.about
            self._other_call.happened()
            self.setDown(False)  # however often it may be pressed
        if (means := means or name or title) != self._means:
            self._means = means
            self._changed()
        resized = title != self.text() or icon != self._icon_name
        looks = (title, icon, view.theme, *self._looks())
        redrawn, self._drawn = looks != self._drawn, looks
        self._theme, self._icons, self._icon_name = view.theme, view.icons, icon
        self.setText(title)
        self.setAccessibleName(name or title)
        self.setAccessibleDescription(why)
        more = "" if (name or title) in (title, shown) else name
        first = " · ".join(part for part in (more, self._keys) if part)
        lines = (first, why if why != more else "")
        if lines != self._tooltip:
            self._tooltip = lines
            # A tooltip breaks no line by itself, however long.
            self.setToolTip("\n".join(textwrap.fill(line, _TOOLTIP, break_on_hyphens=False) for line in lines if line))
        if self.isEnabled() and not enabled and self.hasFocus():
            # Focus must not slide on to the neighbour: a second press would do something else.
            self.window().setFocus()
        self.setEnabled(enabled)
        if resized:
            self.updateGeometry()
        if redrawn:
            self.update()

    def _looks(self) -> tuple[object, ...]:
        """What is drawn beside title, icon and what Qt knows: only what has changed is drawn anew. Who says nothing is
        drawn anew each time."""
        return (object(),)

    def nextCheckState(self) -> None:
        if self.takes_presses:
            super().nextCheckState()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._every_press:
            super().mouseDoubleClickEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            self._changed()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        if (place := self.mapTo(self.window(), QPoint())) != self._place:
            self._place = place
            self._changed()

    def hideEvent(self, event: QHideEvent) -> None:
        if self.hasFocus() and not event.spontaneous():
            self.window().setFocus()  # otherwise the neighbour would have it, and get the second press
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
            return
        super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover = True
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = False
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._theme is None or self._icons is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(factor(), factor())
        self.draw(painter, self._theme, self._icons)
        if self.hasFocus():
            self._ring(painter, self._theme)
        painter.end()

    def _ring(self, painter: QPainter, theme: Theme) -> None:
        """The focus: in the accent, and with a gap of the surface around what is filled with it."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.accent), 2))
        painter.drawRoundedRect(self._whole().adjusted(1, 1, -1, -1), BUTTON_RADIUS, BUTTON_RADIUS)
        painter.setPen(QPen(QColor(theme.surface), 1.5))
        painter.drawRoundedRect(self._whole().adjusted(2.75, 2.75, -2.75, -2.75), BUTTON_RADIUS - 2, BUTTON_RADIUS - 2)

    def _whole(self) -> QRectF:
        return QRectF(0, 0, self.wide, self.high)

    def draw(self, _painter: QPainter, _theme: Theme, _icons: Icons, /) -> None:
        raise AssertionError("each control draws itself")

    def _plate(self, painter: QPainter, theme: Theme, fill: str, edge: str | None, *, hair: str | None = None) -> None:
        """The ground. A hand over it draws a hairline (`hair`), pressed it darkens: neither looks as if it were on."""
        colour, line = QColor(fill), edge
        if self.isEnabled() and self.isDown():
            colour = colour.lighter(120) if theme.dark else colour.darker(108)
        if self.isEnabled() and self._hover:
            line = hair or theme.muted
        painter.setPen(QPen(QColor(line), 1) if line else Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        inset = 0.5 if line else 0.0  # a line of one pixel lies on whole pixels
        painter.drawRoundedRect(self._whole().adjusted(inset, inset, -inset, -inset), BUTTON_RADIUS, BUTTON_RADIUS)


class FilledButton(Control):
    """The one thing to press in its place: answer, call, save. `tone`: accent, ok, danger (tinted), or plain."""

    def __init__(self, name: str, tone: str = "accent", height: int = 44, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._tone = tone
        self.fix_height(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        words = QFontMetricsF(font(BODY, strong=True)).horizontalAdvance(self.text())
        return QSize(px(round(words) + (28 if self._icon_name else 0) + 28), self.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        ink, fill, edge = self._colours(theme)
        self._plate(painter, theme, fill, edge, hair=theme.text if fill in (theme.accent, theme.ok) else None)
        metrics = QFontMetricsF(font(BODY, strong=True))
        words = metrics.horizontalAdvance(self.text())
        icon = 20.0 if self._icon_name else 0.0
        gap = 8.0 if self._icon_name and self.text() else 0.0
        left = (self.wide - words - icon - gap) / 2
        if self._icon_name:
            icons.draw(painter, self._icon_name, ink, QRectF(left, self.high / 2 - 10, 20, 20))
        painter.setFont(font(BODY, strong=True))
        painter.setPen(QColor(ink))
        box = QRectF(left + icon + gap, 0, words + 2, self.high)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())

    def _looks(self) -> tuple[object, ...]:
        return (self._tone,)

    def _colours(self, theme: Theme) -> tuple[str, str, str | None]:
        if not self.isEnabled():
            return theme.disabled, theme.window, theme.line
        if self._tone == "danger":
            return theme.hang_up.ink, theme.hang_up.fill, None
        if self._tone == "ok":
            return ("#0B1B13" if theme.dark else "#FFFFFF"), theme.ok, None
        if self._tone == "plain":
            return theme.accent, theme.surface, theme.line
        return theme.on_accent, theme.accent, None


class QuietButton(Control):
    """An icon, or a word with an icon behind it, without a plate: settings, copy, the notice's fold."""

    def __init__(
        self, name: str, parent: QWidget | None = None, *, size: int = 18, lit: bool = False, warns: bool = False
    ) -> None:
        super().__init__(name, parent)
        self._size = size
        self._lit = lit
        """drawn as a filled tile while it is checked"""
        self._warns = warns
        """its word says that something is not as it should be"""
        self._calls = False

    def call_for_attention(self, wanted: bool) -> None:
        """Filled with the accent: what it leads to is asked for."""
        if wanted != self._calls:
            self._calls = wanted
            self.update()

    def _looks(self) -> tuple[object, ...]:
        return (self._calls,)

    def sizeHint(self) -> QSize:
        words = round(QFontMetricsF(font(SMALL, tabular=True)).horizontalAdvance(self.text()))
        icon = self._size + (6 if words else 0) if self._icon_name else 0
        return QSize(px(words + icon + 4 if words else 32), px(32))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint().boundedTo(QSize(px(32), px(32)))

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        on = self._lit and self.isChecked()
        if on or self._calls:
            self._plate(painter, theme, theme.text if on else theme.accent, None)
        elif self.isEnabled() and (self._hover or self.isDown()):
            self._plate(painter, theme, theme.window, None, hair=theme.neutral.edge)
        colour = (
            theme.window
            if on
            else theme.on_accent
            if self._calls
            else theme.disabled
            if not self.isEnabled()
            else theme.amber.mark
            if self._warns
            else theme.muted
        )
        used = font(SMALL, tabular=True)
        metrics = QFontMetricsF(used)
        room = self.wide - 2 - (self._size + 6 if self._icon_name and self.text() else 0)
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        words = metrics.horizontalAdvance(shown)
        left = 0.0 if self.text() else (self.wide - self._size) / 2
        painter.setFont(used)
        painter.setPen(QColor(colour))
        box = QRectF(left, 0, words + 2, self.high)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
        if self._icon_name:
            at = left + (words + 6 if self.text() else 0)
            icons.draw(
                painter, self._icon_name, colour, QRectF(at, (self.high - self._size) / 2, self._size, self._size)
            )
