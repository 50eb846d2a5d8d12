"""The compact window: the card and the two buttons, over other windows if wanted. It holds a size, and knows no call's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt, QTimer

from softphone.ui.theme.scale import px
from softphone.ui.view import View
from softphone.wire.snapshot import CallPhase

if TYPE_CHECKING:
    from softphone.ui.window import DeskWindow

WIDTH, HEIGHT = 376, 290
"""units at most; a question that asks first needs more for as long as it stands there"""


class Compact(QObject):
    """It ends with the call: what rings next needs the whole window."""

    def __init__(self, window: DeskWindow) -> None:
        super().__init__(window)
        self._window = window
        self.on = False
        self.before = QRect()
        self._call = ""

    def follow(self, view: View) -> None:
        call = view.call
        if self.on and (call is None or call.id != self._call or view.waiting is not None or not view.connected):
            self.leave()
        if not self.on:
            self._call = call.id if call is not None and call.phase is not CallPhase.INCOMING else ""
        elif self.on:
            QTimer.singleShot(0, self, self._fit)

    def toggle(self) -> None:
        if self.on:
            self.leave()
        elif self._call:
            self.on, self.before = True, self._window.geometry()
            self._dress()
            self._fit()

    def leave(self) -> None:
        if not self.on:
            return
        self.on = False
        self.stay_on_top(wanted=False)
        self._window.top.on_top.setChecked(False)
        self._dress()
        self._window.resize(self.before.size())

    def stay_on_top(self, wanted: bool) -> None:
        window = self._window
        if bool(window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint) == wanted:
            return
        shown, place = window.isVisible(), window.pos()
        window.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint, wanted)
        if shown:
            window.move(place)
            window.show()  # the flag makes it a new window to the system

    def _dress(self) -> None:
        self._window.call.be_compact(self.on)
        self._window.again()

    def _fit(self) -> None:
        if not self.on:
            return
        layout = self._window.layout()
        assert layout is not None
        layout.invalidate()
        layout.activate()
        wide = min(self._window.width(), px(WIDTH))
        # A question's lines need what they need at this width.
        high = max(self._window.minimumSizeHint().height(), layout.totalMinimumHeightForWidth(wide))
        self._window.resize(wide, high)
