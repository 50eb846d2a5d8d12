"""The demo with buttons unplugged: their `clicked` reaches nothing, while the director presses them as ever.

    python -m tests.demo.unplugged_demo optOut,dispute demo --headless --json …

It shows that the demo's agent acts through those widgets and in no other way. And its hand is a nervous one: it clicks twice
where it answers, the second time on what stands there once the call is answered: a tool of the call.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from softphone import cli
from softphone.demo import director
from softphone.demo.director import Director
from softphone.ui.app import Desk
from softphone.ui.window import DeskWindow
from softphone.wire.snapshot import CallPhase, CallState


class _Unplugged(Director):
    buttons: Sequence[str] = ()
    _window: DeskWindow
    _answered_at: QPoint | None = None

    def start(self, desk: Desk) -> None:
        for top in (desk.window, desk.incoming):
            for name in self.buttons:
                for button in top.findChildren(QAbstractButton, name):
                    button.clicked.disconnect()
        self._window = desk.window
        super().start(desk)

    def _press(self, name: str) -> bool:
        if name == "answer":
            button = self._window.call.answer
            self._answered_at = button.mapTo(self._window, button.rect().center())
        return super()._press(name)

    def _call(self, call: CallState) -> None:
        super()._call(call)
        if call.muted or call.held_by_us:
            raise AssertionError("the second click reached the tool that stands where the call was answered")
        if call.phase is CallPhase.CONNECTED and self._answered_at and self._first("pressed again"):
            self._after(0.15, self._press_again)

    def _act(self) -> None:
        for name in self.buttons:
            self._press(name)

    def _press_again(self) -> None:
        at = self._answered_at or QPoint()
        there = self._window.childAt(at)
        if there is None or there.objectName() not in ("mute", "hold"):
            raise AssertionError("no tool stands where the call was answered")
        self._tell("pressed_again", {"button": there.objectName()})
        none = Qt.KeyboardModifier.NoModifier
        QTest.mouseClick(there, Qt.MouseButton.LeftButton, none, there.mapFrom(self._window, at))


def main() -> int:
    _Unplugged.buttons = sys.argv.pop(1).split(",")
    director.Director = _Unplugged
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
