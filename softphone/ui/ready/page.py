"""The page between calls: dial field, what is wrong, the last call, who is to be called back, today's calls."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from softphone.domain.purpose import Direction
from softphone.ui.controls import Control, FilledButton
from softphone.ui.fields import Card, Reel, Words, chain
from softphone.ui.ready.callbacks import CallBacks
from softphone.ui.ready.dial import DialField
from softphone.ui.ready.wrapup import WrapUp
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.style import BODY, MARGIN, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View, duration, readable
from softphone.wire import PastCall, PolicyPhase, Registration, Said

_NO_POLICY = (PolicyPhase.MISSING, PolicyPhase.FAULTY, PolicyPhase.UNSIGNED)
_OUTCOME_COLOURS = {"missed": "danger", "call_back": "accent", "locked": "lock_ink"}


class HistoryRow(Control):
    """One of today's calls: way, who, what became of it, when. A press puts its number into the dial field."""

    def __init__(self, call: PastCall) -> None:
        super().__init__(f"past_{call.id}")
        self.past = call
        self._outcome = ""
        self._time = ""
        self.setFixedHeight(44)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def render_view(self, view: View) -> None:
        call = self.past
        self._outcome = view.texts(f"outcome.{call.outcome}")
        self._time = view.texts.clock(call.at)
        title = call.name or readable(call.number) or view.texts("party.unknown")
        way = view.texts(f"direction.{call.direction}")
        talked = f", {duration(call.seconds)}" if call.seconds else ""
        self.show_as(
            view,
            title,
            icon=_way(call),
            name=f"{title}, {self._outcome}, {self._time}",
            why=f"{way}{talked}. {view.texts('history.press')}",
        )

    def sizeHint(self) -> QSize:
        return QSize(200, 44)

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        if self._hover or self.isDown():
            self._plate(painter, theme, theme.neutral.fill, None)
        outcome = self.past.outcome
        colour: str = getattr(theme, _OUTCOME_COLOURS.get(outcome, "muted"))
        icons.draw(painter, self._icon_name, colour, QRectF(2, 13, 18, 18))
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        small, strong = font(SMALL, tabular=True), font(BODY)
        time = QFontMetricsF(small).horizontalAdvance(self._time)
        room = self.width() - 30 - time - 16
        told = QFontMetricsF(small).horizontalAdvance(self._outcome)
        name = QFontMetricsF(strong).elidedText(
            self.text(), Qt.TextElideMode.ElideRight, max(60.0, room - min(told, room * 0.5) - 10)
        )
        wide = QFontMetricsF(strong).horizontalAdvance(name)
        painter.setFont(strong)
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(30, 0, wide + 2, self.height()), int(middle), name)
        painter.setFont(small)
        painter.setPen(QColor(theme.muted))
        left = 30 + wide + 10
        shown = QFontMetricsF(small).elidedText(
            self._outcome, Qt.TextElideMode.ElideRight, self.width() - left - time - 14
        )
        painter.drawText(QRectF(left, 0, self.width() - left, self.height()), int(middle), shown)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, self.width() - 4, self.height()), int(right), self._time)
        painter.setPen(QColor(theme.line))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)


class ReadyPage(QWidget):
    """command(…): dialling and the wrap-up's. settings(): the settings are asked for; faults_wanted(): the policy's
    faults in them."""

    command = Signal(object)
    settings = Signal()
    faults_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.dial = DialField()
        self.faults = Card("standingFaults", "fault")
        self.fault_text = Words("standingFaultText", size=SMALL, wrap=True)
        self.to_settings = FilledButton("toSettings", "plain", 36)
        self.policy = Card("policyNews")
        self.policy_text = Words("policyNewsText", size=SMALL, wrap=True)
        self.see_faults = FilledButton("seeFaults", "plain", 36)
        self.wrap_up = WrapUp()
        self.call_backs = CallBacks()
        self.today = Words("todayCaption", size=SMALL, role="muted")
        self.nothing = Words("noCallsToday", size=SMALL, role="muted", wrap=True)
        self.rows: list[HistoryRow] = []
        self._history: tuple[PastCall, ...] = ()
        self._chained: list[QWidget] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._inside = QWidget()
        inner = QVBoxLayout(self._inside)
        inner.setContentsMargins(MARGIN, 4, MARGIN, MARGIN)
        inner.setSpacing(12)
        faults = QVBoxLayout(self.faults)
        faults.setContentsMargins(14, 10, 14, 12)
        faults.setSpacing(8)
        faults.addWidget(self.fault_text)
        faults.addWidget(self.to_settings)
        policy = QVBoxLayout(self.policy)
        policy.setContentsMargins(14, 10, 14, 12)
        policy.setSpacing(8)
        policy.addWidget(self.policy_text)
        policy.addWidget(self.see_faults)
        inner.addWidget(self.dial)
        inner.addWidget(self.faults)
        inner.addWidget(self.policy)
        inner.addWidget(self.wrap_up)
        inner.addWidget(self.call_backs)
        inner.addWidget(self.today)
        inner.addWidget(self.nothing)
        inner.addLayout(self._list)
        inner.addStretch(1)
        layout = self._outer = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.reel = Reel("readyReel", self._inside)
        layout.addWidget(self.reel)
        self.dial.command.connect(self.command)
        self.wrap_up.command.connect(self.command)
        self.call_backs.command.connect(self.command)
        self.to_settings.clicked.connect(self.settings)
        self.see_faults.clicked.connect(self.faults_wanted)

    def take_note(self, note: QWidget) -> None:
        """What a person is told once, at the foot."""
        self._outer.addWidget(note)

    def render_view(self, view: View) -> None:
        self.dial.render_view(view)
        self.reel.render_view(view)
        self._render_faults(view)
        last = view.last
        self.wrap_up.setVisible(last is not None)
        if last:
            self.wrap_up.render_view(view, last)
        self.call_backs.render_view(view)
        self.today.setText(view.texts("history.today"))
        history = view.snapshot.history if view.snapshot else ()
        self.nothing.setVisible(not history)
        self.nothing.setText(view.texts("history.none_but_last" if last else "history.none"))
        if history != self._history:
            self._history = history
            for row in self.rows:
                self._list.removeWidget(row)
                row.setParent(None)
                row.deleteLater()
            self.rows = [HistoryRow(call) for call in history]
            for row in self.rows:
                self._list.addWidget(row)
                row.show()
                row.clicked.connect(lambda _checked=False, row=row: self.dial.fill(row.past.number))
        for row in self.rows:
            row.render_view(view)
        self._chain_tabs()

    def _chain_tabs(self) -> None:
        dial = (self.dial.target, self.dial.call, self.dial.line)
        calls = (*self.wrap_up.tab_chain(), *self.call_backs.controls(), *self.rows)
        wanted: list[QWidget] = [*dial, self.to_settings, self.see_faults, *calls]
        if wanted != self._chained:
            self._chained = wanted
            chain(wanted)

    def _render_faults(self, view: View) -> None:
        said = [view.texts(fault.code, **fault.params) for fault in _standing(view)]
        if not view.connected:
            said = [f"{view.texts('card.no_engine.sub')}. {view.texts('card.no_engine.body')}"] if view.snapshot else []
        snapshot = view.snapshot
        if view.connected and snapshot and snapshot.policy.phase in _NO_POLICY and not view.last_good:
            said.insert(0, view.texts(f"ready.policy.{snapshot.policy.phase}", count=len(snapshot.policy.faults)))
        if view.connected and snapshot:
            said += [
                view.texts(f"ready.registration.{state.registration}", address=state.account.address)
                for state in snapshot.accounts
                if state.registration in (Registration.NO_PASSWORD, Registration.REFUSED)
            ]
        self.faults.setVisible(bool(said))
        self.fault_text.setText("\n\n".join(dict.fromkeys(said)))
        self.to_settings.setVisible(view.connected)
        self.to_settings.show_as(view, view.texts("settings.open"))
        # No alarm: what was in force still is. Who wrote the file needs to know, and agents that nothing has changed.
        self.policy.setVisible(view.connected and view.last_good)
        if view.last_good and snapshot:
            self.policy_text.setText(view.texts("ready.policy.last_good", count=len(snapshot.policy.faults)))
        self.see_faults.show_as(view, view.texts("ready.policy.see"))


def _standing(view: View) -> list[Said]:
    snapshot = view.snapshot
    if snapshot is None:
        return []
    return [*(said for said in (snapshot.store.fault, snapshot.sound.fault) if said), *snapshot.faults]


def _way(call: PastCall) -> str:
    if call.outcome == "missed":
        return "phone_missed"
    return "phone_out" if call.direction is Direction.OUTBOUND else "phone_in"
