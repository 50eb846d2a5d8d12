"""The window's first line: the account, or the tabs of several calls; in the compact window who is on the line. Then the look,
compact and the settings."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from softphone.ui.call.tabs import CallTabs
from softphone.ui.controls import Control, QuietButton
from softphone.ui.fields import TextLabel
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import MARGIN, SMALL, font
from softphone.ui.theme.tokens import Theme
from softphone.ui.view import View, duration, who
from softphone.ui.words import account
from softphone.ui.words.card import CardWords
from softphone.ui.words.kept import duration_of
from softphone.wire.snapshot import AccountState, CallPhase, Registration

HEIGHT, LOW = 52, 40
_FINE = (Registration.REGISTERED, Registration.UNREGISTERED)


class Dot(QWidget):
    """The account's state as a spot of colour; the word stands beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._colour = "#808080"
        self.rescale()

    def rescale(self) -> None:
        self.setFixedSize(px(10), px(10))

    def show_colour(self, colour: str) -> None:
        if colour != self._colour:
            self._colour = colour
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colour))
        edge = self.width() / 10
        painter.drawEllipse(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge))
        painter.end()


class TopLine(QWidget):
    """It has one height, whatever stands in it; less in the compact window."""

    def __init__(self) -> None:
        super().__init__()
        self.dot = Dot()
        self.account = TextLabel("accountLine", size=SMALL, role="muted")
        self.account.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.tabs = CallTabs()
        self.look = QuietButton("toggleLook")
        self.compact = QuietButton("toggleCompact")
        self.on_top = QuietButton("stayOnTop", lit=True)
        self.on_top.setCheckable(True)
        self.hang_up = QuietButton("compactHangUp")
        self.settings = QuietButton("openSettings")
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, 0, MARGIN - 7, 0)
        row.setSpacing(6)
        for part in (self.dot, self.account, self.tabs):
            row.addWidget(part, 0 if part is self.dot else 1)
        for button in (self.look, self.on_top, self.hang_up, self.compact, self.settings):
            row.addWidget(button)
        self._low = False
        self._words = self._short = ""
        """of the account: with its whole address, and with its user's name alone"""
        self.rescale()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """An address that is cut off tells less than its user's name."""
        room = self.account.contentsRect().width()
        fits = QFontMetricsF(self.account.font()).horizontalAdvance(self._words) <= room
        self.account.setText(self._words if fits else self._short)

    def rescale(self) -> None:
        """The text size has changed."""
        self.setFixedHeight(px(LOW if self._low else HEIGHT))

    def render_view(self, view: View, *, is_compact: bool, asks: bool) -> None:
        """`asks`: something that the compact window does not show waits for a press."""
        if is_compact != self._low:
            self._low = is_compact
            self.rescale()
        self.tabs.render_view(view)
        several = bool(self.tabs.shown()) and not is_compact
        self.tabs.setVisible(several)
        for part in (self.dot, self.account):
            part.setVisible(not several)
        self._show_words(view, is_compact=is_compact)
        self._show_buttons(view, is_compact=is_compact, asks=asks)

    def _show_words(self, view: View, *, is_compact: bool) -> None:
        call = view.call
        if is_compact and call is not None:
            seconds = duration_of(call, view.now)
            short = words = " · ".join(
                part for part in (who(view, call), duration(seconds) if seconds is not None else "") if part
            )
        else:
            words, short = account_words(view), account_words(view, short=True)
        others = other_accounts(view)
        self.dot.show_colour(_dot_colour(view))
        self.dot.setToolTip("\n".join((account_words(view), *others)))
        self._words, self._short = words, short
        self._fit()
        self.account.setAccessibleName(words)
        cut = self.account.text() != words or self.account.elided()
        self.account.setToolTip("\n".join((words, *others)) if others or cut else "")

    def _show_buttons(self, view: View, *, is_compact: bool, asks: bool) -> None:
        texts, theme = view.texts, view.theme
        gone = "" if view.connected else texts("why_not.no_engine")
        call = view.call
        in_call = call is not None and call.phase is not CallPhase.INCOMING
        locked = view.snapshot.locked.get("look", "") if view.snapshot else ""
        self.look.show_as(
            view,
            "",
            icon="sun" if theme.dark else "moon",
            name=texts("look.to_light" if theme.dark else "look.to_dark"),
            enabled=view.connected and not locked,
            why=gone or (texts("settings.managed", place=locked) if locked else ""),
        )
        self.compact.show_as(
            view,
            "",
            icon="expand" if is_compact else "compact",
            name=texts("compact.leave" if is_compact else "compact.enter"),
            why=texts("compact.asks") if is_compact and asks else "",
        )
        self.compact.call_for_attention(wanted=is_compact and asks)
        self.on_top.show_as(view, "", icon="pin", name=texts("compact.on_top"))
        self.hang_up.show_as(
            view.of(call) if call is not None else view,
            "",
            icon="hang_up",
            name=texts("call.hang_up"),
            enabled=view.connected,
            why=gone,
        )
        self.settings.show_as(view, "", icon="settings", name=texts("settings.open"))
        shown = {
            self.look: not in_call,
            self.compact: in_call,
            self.on_top: is_compact,
            self.hang_up: is_compact,
            self.settings: not is_compact,
        }
        for button, wanted in shown.items():
            button.setVisible(wanted)


def account_words(view: View, *, short: bool = False) -> str:
    """The account's state and its address, or what stands before its @; of several accounts the one that needs somebody."""
    texts, snapshot, state = view.texts, view.snapshot, _account(view)
    if not view.connected:
        words = texts(
            "account.cannot_start" if view.trouble else "account.no_engine" if snapshot else "account.starting"
        )
    elif state is None:
        words = texts("account.none")
    else:
        words = _said(view, state, short=short)
    return f"{texts('account.demo')} · {words}" if snapshot and snapshot.store.demo else words


def other_accounts(view: View) -> list[str]:
    """What it means and what to do about the one that is shown; then the rest of them, each in a line."""
    states = view.snapshot.accounts if view.snapshot and view.connected else ()
    shown = _account(view)
    others = [_said(view, one) for one in states if one is not shown]
    first = account.sentence(view.texts, shown) if shown is not None and states else ""
    return [first, *others] if first else others


def _account(view: View) -> AccountState | None:
    states = view.snapshot.accounts if view.snapshot else ()
    return next((one for one in states if one.registration not in _FINE), next(iter(states), None))


def _said(view: View, state: AccountState, *, short: bool = False) -> str:
    address = state.account.address
    return f"{account.short(view.texts, state)} · {address.partition('@')[0] if short else address}"


def _dot_colour(view: View) -> str:
    """Green or amber: red is for recording, and the words say what is wrong."""
    state = _account(view)
    fine = view.connected and state is not None and state.registration in _FINE
    return view.theme.ok if fine else view.theme.amber.mark


class CallStrip(Control):
    """While the settings are open in a call: the card in one line. A press goes back to the call."""

    def __init__(self) -> None:
        super().__init__("callStrip")
        self.fix_height(38)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._tone = "neutral"

    def show_words(self, view: View, words: CardWords) -> None:
        self._tone = words.tone
        back = view.texts("call.back")
        self.show_as(view, words.sentence, icon=words.icon, why=back, means=back)

    def sizeHint(self) -> QSize:
        return QSize(px(200), self.height())

    def draw(self, painter: QPainter, theme: Theme, icons: Icons) -> None:
        tone = theme.card(self._tone)
        self._plate(painter, theme, tone.fill, tone.edge)
        icons.draw(painter, self._icon_name, tone.mark, QRectF(10, 10, 18, 18))
        painter.setFont(font(SMALL, strong=True, tabular=True))
        painter.setPen(QColor(tone.ink))
        metrics = QFontMetricsF(painter.font())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.wide - 46)
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(36, 0, self.wide - 44, self.high), int(middle), shown)
