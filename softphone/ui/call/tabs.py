"""Several calls at once: a tab for each, who and how long, with a red dot while it is recorded and a ring while it is held.

They stand in the account's line, so that a call that comes moves nothing.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from softphone.domain.purpose import Headline
from softphone.ui.controls import Control
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import BUTTON_RADIUS, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View, duration, first_name, new_id, who
from softphone.ui.words.card import card_words
from softphone.ui.words.kept import duration_of
from softphone.wire.snapshot import CallPhase, CallState
from softphone.wire.to_engine import Activate

MOST = 4


class CallTab(Control):
    """One call. Its name is shortened, never its time."""

    HEIGHT = 44

    def __init__(self, place: int) -> None:
        super().__init__(f"callTab_{place}")
        self.call: CallState | None = None
        self._below = self._clock = ""
        self._recording = self._held = self._rings = self._shown = False
        self.fix_height(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_keys(f"Ctrl+{place + 1}")

    def render_view(self, view: View, call: CallState) -> None:
        self.call, texts = call, view.texts
        self._shown = call is view.call
        self._rings = call.phase is CallPhase.INCOMING
        self._held = call.held_by_us or (not call.active and call.phase is CallPhase.CONNECTED)
        self._recording = call.status is not None and call.status.headline is Headline.RECORDING
        seconds = duration_of(call, view.now)
        clock = self._clock = duration(seconds) if seconds is not None else ""
        word = "tab.rings" if self._rings else "tab.dials" if not clock else "tab.held" if self._held else ""
        self._below = " ".join(part for part in (texts(word) if word else "", clock) if part)
        name, card = who(view, call), card_words(view, call).sentence
        self.show_as(
            view,
            name,
            name=f"{name}, {self._below}. {card}",
            enabled=view.connected,
            why="" if view.connected else texts("why_not.no_engine"),
            means=f"to {call.id}",
        )

    def _looks(self) -> tuple[object, ...]:
        return self._below, self._clock, self._recording, self._held, self._rings, self._shown

    def sizeHint(self) -> QSize:
        return QSize(px(110), self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(px(40), self.height())

    def draw(self, painter: QPainter, theme: Theme, _icons: Icons) -> None:
        edge = theme.ok if self._rings else theme.accent if self._shown else theme.line
        thick = 2.0 if self._rings or self._shown else 1.0
        painter.setBrush(QColor(theme.surface if self._shown or self._rings or self._hover else theme.window))
        painter.setPen(QPen(QColor(theme.muted if self._hover and thick < 2 else edge), thick))
        painter.drawRoundedRect(
            self._whole().adjusted(thick / 2, thick / 2, -thick / 2, -thick / 2), BUTTON_RADIUS, BUTTON_RADIUS
        )
        mark = 12.0 if self._recording or self._held else 0.0
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(SMALL, strong=True))
        painter.setPen(QColor(theme.text))
        room = self.wide - 19 - mark
        name = self._name(QFontMetricsF(painter.font()), room)
        painter.drawText(QRectF(10, 5, room, 17), int(middle), name)
        painter.setFont(font(SMALL, strong=self._rings, tabular=True))
        painter.setPen(QColor(theme.ok if self._rings else theme.muted))
        room, metrics = self.wide - 18, QFontMetricsF(painter.font())
        below = self._below if metrics.horizontalAdvance(self._below) <= room else self._clock or self._below
        below = metrics.elidedText(below, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(10, 22, self.wide - 14, 17), int(middle), below)
        spot = QRectF(self.wide - 18, 9.5, 8, 8)
        if self._recording:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.red.mark))
            painter.drawEllipse(spot)
        elif self._held:
            painter.setPen(QPen(QColor(theme.muted), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(spot.adjusted(0.75, 0.75, -0.75, -0.75))

    def _name(self, metrics: QFontMetricsF, room: float) -> str:
        """As much as tells it from the others: a first name whole, a number's last digits."""
        whole, first = self.text(), first_name(self.text())
        if metrics.horizontalAdvance(whole) <= room:
            return whole
        if first and metrics.horizontalAdvance(first) <= room:
            return first
        way = Qt.TextElideMode.ElideRight if first else Qt.TextElideMode.ElideLeft
        return metrics.elidedText(whole, way, room)


class CallTabs(QWidget):
    """command(Activate), wanted(): the call that rings is to be looked at; what answers it stands below."""

    command = Signal(object)
    wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("callTabs")
        self.tabs = [CallTab(place) for place in range(MOST)]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(6)
        for tab in self.tabs:
            row.addWidget(tab)
            tab.clicked.connect(lambda _checked=False, tab=tab: self._press(tab))
        self.hide()

    def shown(self) -> list[CallTab]:
        return [] if self.isHidden() else [tab for tab in self.tabs if not tab.isHidden()]

    def render_view(self, view: View) -> None:
        calls = view.parties[:MOST]
        several = len(calls) > 1
        for i, tab in enumerate(self.tabs):
            if several and i < len(calls):
                tab.render_view(view, calls[i])
            tab.setVisible(several and i < len(calls))
        self.setVisible(several)

    def _press(self, tab: CallTab) -> None:
        if tab.call is None:
            return
        if tab.call.phase is CallPhase.INCOMING:
            self.wanted.emit()
        else:
            self.command.emit(Activate(new_id(), tab.call.id))
