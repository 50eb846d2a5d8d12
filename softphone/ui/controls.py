"""The desk's controls: buttons that paint themselves from the look. They know no call and no command.

Each has `show_as(view, …)` for what it says now, and `clicked` for a press that was meant. A control that is off says why,
in its tooltip and to a screen reader.
"""

from __future__ import annotations

from time import monotonic

from PySide6.QtCore import SIGNAL, QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFont,
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
from softphone.ui.theme.style import BODY, BUTTON_RADIUS, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View


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
        self._means = ""
        self._change = Change()
        self._place = QPoint()
        self._every_press = False
        self.connect(self, SIGNAL("clicked(bool)"), self._take)

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
        return self._every_press or not self._change.is_fresh

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
    ) -> None:
        """`name` is what a screen reader says if that is more than `title`; `why` says why it is off, or what it does.

        `means`: what a press does, if `name` does not say exactly that.
        """
        if (means := means or name or title) != self._means:
            self._means = means
            self._changed()
        resized = title != self.text() or icon != self._icon_name
        self._theme, self._icons, self._icon_name = view.theme, view.icons, icon
        self.setText(title)
        self.setAccessibleName(name or title)
        self.setAccessibleDescription(why)
        tip = (name or title) + (f" ({self._keys})" if self._keys else "") + (f"\n{why}" if why else "")
        self.setToolTip(tip)
        if self.isEnabled() and not enabled and self.hasFocus():
            # Focus must not slide on to the neighbour: a second press would do something else.
            self.window().setFocus()
        self.setEnabled(enabled)
        if resized:
            self.updateGeometry()
        self.update()

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
        self.draw(painter, self._theme, self._icons)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), BUTTON_RADIUS, BUTTON_RADIUS)
        painter.end()

    def draw(self, _painter: QPainter, _theme: Theme, _icons: Icons, /) -> None:
        raise AssertionError("each control draws itself")

    def _plate(self, painter: QPainter, theme: Theme, fill: str, edge: str | None) -> None:
        colour = QColor(fill)
        if self.isEnabled() and (self.isDown() or self._hover):
            shade = 104 if not self.isDown() else 108
            colour = colour.lighter(shade + 8) if theme.dark else colour.darker(shade)
        painter.setPen(QPen(QColor(edge), 1) if edge else Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        inset = 0.5 if edge else 0.0  # a line of one pixel lies on whole pixels
        box = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(box, BUTTON_RADIUS, BUTTON_RADIUS)


class ActionButton(Control):
    """Icon, name, and in a small second line what a press will do to this call. Its size never changes."""

    HEIGHT = 76

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._sub = ""
        self._violet = False
        self.setFixedHeight(self.HEIGHT)
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
        means: str = "",
    ) -> None:
        self._sub, self._violet = sub, violet
        name = f"{title}: {sub}" if sub else title
        self.show_as(view, title, icon=icon, name=name, enabled=enabled, why=why, means=means or title)

    def sub(self) -> str:
        """The second line as it stands."""
        return self._sub

    def sizeHint(self) -> QSize:
        return QSize(160, self.HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, self.HEIGHT)

    def text_width(self) -> float:
        return self.width() - (34 if self._icon_name else 12) - 9

    def overflows(self) -> bool:
        """Whether the words do not fit. A test fails on it, before an agent sees it."""
        title, sub = self._heights(self.text_width())
        return title + sub > self.HEIGHT - 4 or self._widest() > self.text_width()

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        on = self.isEnabled()
        self._plate(painter, theme, theme.surface if on else theme.window, theme.line)
        colour = (theme.lock_ink if self._violet else theme.accent) if on else theme.disabled
        left = 12.0
        if self._icon_name:
            icons.draw(painter, self._icon_name, colour, QRectF(9, self.height() / 2 - 9.5, 19, 19))
            left = 34.0
        width = self.text_width()
        title, sub = self._heights(width)
        top = (self.height() - title - sub) / 2
        wrap = self._wrap(width) | int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        painter.setFont(font(BODY, strong=True))
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(left, top, width, title), wrap, self.text())
        painter.setFont(font(SMALL - 1, tabular=True))
        painter.setPen(QColor(theme.muted))  # also when off: the reason is there to be read
        painter.drawText(QRectF(left, top + title, width, sub), wrap, self._sub)

    def _heights(self, width: float) -> tuple[float, float]:
        def height(text: str, used: QFont) -> float:
            box = QFontMetricsF(used).boundingRect(QRectF(0, 0, width, 500), self._wrap(width), text)
            return box.height() if text else 0.0

        return height(self.text(), font(BODY, strong=True)), height(self._sub, font(SMALL - 1, tabular=True))

    def _wrap(self, width: float) -> int:
        """Between words; within a word only if a policy's word for the party is wider than the button."""
        flag = Qt.TextFlag.TextWordWrap if self._widest() <= width else Qt.TextFlag.TextWrapAnywhere
        return int(flag)

    def _widest(self) -> float:
        title = [QFontMetricsF(font(BODY, strong=True)).horizontalAdvance(word) for word in self.text().split()]
        sub = [QFontMetricsF(font(SMALL - 1, tabular=True)).horizontalAdvance(word) for word in self._sub.split()]
        return max([*title, *sub, 0.0])


class ToolTile(Control):
    """An icon over its word. `setCheckable` where it is a switch: pressed in, it keeps a plate."""

    HEIGHT = 56
    _other = ""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.setFixedHeight(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def make_room_for(self, word: str) -> None:
        """Its word in the other state: with that width, its neighbours stay where they are."""
        self._other = word

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(font(SMALL - 1))
        words = max(metrics.horizontalAdvance(word) for word in (self.text(), self._other))
        return QSize(max(48, round(words) + 4), self.HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(44, self.HEIGHT)

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        if self.isChecked():
            self._plate(painter, theme, theme.neutral.fill, theme.neutral.edge)
        elif self.isEnabled() and (self._hover or self.isDown()):
            self._plate(painter, theme, theme.window, None)
        colour = theme.text if self.isEnabled() else theme.disabled
        icons.draw(painter, self._icon_name, colour, QRectF(self.width() / 2 - 11, 7, 22, 22))
        painter.setFont(font(SMALL - 1))
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(0, 32, self.width(), 18), int(Qt.AlignmentFlag.AlignCenter), self.text())


class FilledButton(Control):
    """The one thing to press in its place: hang up, answer, call, save. `tone`: accent, danger, ok, or plain."""

    def __init__(self, name: str, tone: str = "accent", height: int = 44, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._tone = tone
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        words = QFontMetricsF(font(BODY, strong=True)).horizontalAdvance(self.text())
        return QSize(round(words) + (28 if self._icon_name else 0) + 28, self.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        ink, fill, edge = self._colours(theme)
        self._plate(painter, theme, fill, edge)
        metrics = QFontMetricsF(font(BODY, strong=True))
        words = metrics.horizontalAdvance(self.text())
        icon = 20.0 if self._icon_name else 0.0
        gap = 8.0 if self._icon_name and self.text() else 0.0
        left = (self.width() - words - icon - gap) / 2
        if self._icon_name:
            icons.draw(painter, self._icon_name, ink, QRectF(left, self.height() / 2 - 10, 20, 20))
        painter.setFont(font(BODY, strong=True))
        painter.setPen(QColor(ink))
        box = QRectF(left + icon + gap, 0, words + 2, self.height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())

    def _colours(self, theme: Theme) -> tuple[str, str, str | None]:
        if not self.isEnabled():
            return theme.disabled, theme.window, theme.line
        if self._tone == "danger":
            return "#FFFFFF", theme.hang_up, None
        if self._tone == "ok":
            return ("#0B1B13" if theme.dark else "#FFFFFF"), theme.ok, None
        if self._tone == "plain":
            return theme.accent, theme.surface, theme.line
        return theme.on_accent, theme.accent, None


class Chip(Control):
    """One of a few answers to a small question, in place. Checked: it is the current one."""

    HEIGHT = 34

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.setFixedHeight(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(round(QFontMetricsF(font(SMALL)).horizontalAdvance(self.text())) + 18, self.HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.HEIGHT)

    def fits(self) -> bool:
        """Whether all of the words are in sight."""
        return QFontMetricsF(font(SMALL, strong=True)).horizontalAdvance(self.text()) <= self.width() - 8

    def draw(self, painter: QPainter, theme: Theme, _icons: Icons) -> None:
        chosen = self.isChecked()
        self._plate(painter, theme, theme.surface, theme.accent if chosen else theme.neutral.edge)
        painter.setFont(font(SMALL, strong=chosen))
        painter.setPen(QColor((theme.accent if chosen else theme.text) if self.isEnabled() else theme.disabled))
        metrics = QFontMetricsF(painter.font())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width() - 8)
        painter.drawText(QRectF(self.rect()), int(Qt.AlignmentFlag.AlignCenter), shown)


class QuietButton(Control):
    """An icon, or a word with an icon behind it, without a plate: settings, copy, *Vis teksten*."""

    def __init__(self, name: str, parent: QWidget | None = None, *, size: int = 18) -> None:
        super().__init__(name, parent)
        self._size = size

    def sizeHint(self) -> QSize:
        words = round(QFontMetricsF(font(SMALL, tabular=True)).horizontalAdvance(self.text()))
        icon = self._size + (6 if words else 0) if self._icon_name else 0
        return QSize(max(32, words + icon + 4), 32)

    def minimumSizeHint(self) -> QSize:
        return QSize(32, 32)

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        if self.isEnabled() and (self._hover or self.isDown()):
            self._plate(painter, theme, theme.neutral.fill, None)
        colour = theme.muted if self.isEnabled() else theme.disabled
        used = font(SMALL, tabular=True)
        metrics = QFontMetricsF(used)
        room = self.width() - 2 - (self._size + 6 if self._icon_name and self.text() else 0)
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        words = metrics.horizontalAdvance(shown)
        left = 0.0 if self.text() else (self.width() - self._size) / 2
        painter.setFont(used)
        painter.setPen(QColor(colour))
        box = QRectF(left, 0, words + 2, self.height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
        if self._icon_name:
            at = left + (words + 6 if self.text() else 0)
            icons.draw(
                painter, self._icon_name, colour, QRectF(at, (self.height() - self._size) / 2, self._size, self._size)
            )
