"""The real desk in a process of its own, driven by words on stdin; what it shows, it tells on stdout.

    python -m tests.journeys.process_desk --home DIR

It finds or starts the engine as the program does. Words: `press NAME` clicks a widget or an entry of an open menu, `type
NAME TEXT` writes into a field, `leave` closes the window. `stumble` is a bug that comes upon all that the window knows. Each
change of what a person sees is one object: {"t", "title", "account", "attached", "note", "lost": [calls that broke off],
"say", "can": [buttons and entries that can be pressed]}.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QMenu

from softphone.bootstrap.desk import desk_dependencies
from softphone.bootstrap.home import Home
from softphone.system.logbook import start_log
from softphone.ui.app import Desk
from softphone.ui.application import make_application
from softphone.ui.call.earlier import EarlierMenu
from softphone.ui.driver import DeskDriver, NotThereError, can_be_pressed

_LOOK_EVERY = 10


class _Words(QObject):
    said = Signal(str)


class _Show:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last: dict[str, Any] = {}

    def __call__(self) -> None:
        window = self._desk.window
        buttons = [*window.findChildren(QAbstractButton), *self._desk.incoming.findChildren(QAbstractButton)]
        now = {
            "title": window.windowTitle(),
            "account": window.account.text(),
            "attached": self._desk.bridge.attached,
            "note": "" if window.note.isHidden() else window.note.text.text(),
            "lost": [f"{one.caption.text()}: {one.name.text()}" for one in window.ready.lost.cards.values()],
            "say": "" if window.call.moment.to_say.isHidden() else window.call.moment.to_say_text.text(),
            "can": sorted(
                {one.objectName() for one in buttons if one.isVisibleTo(one.window()) and can_be_pressed(one)}
                | entries(self._desk).keys()
            ),
        }
        if now != self._last:
            self._last = now
            tell(**now)


def tell(**said: Any) -> None:
    print(json.dumps({"t": time.monotonic(), **said}), flush=True)


def entries(desk: Desk) -> dict[str, tuple[QMenu, QAction]]:
    """Of the menus that are open, what can be pressed."""
    open_ones = [menu for menu in desk.window.findChildren(QMenu) if menu.isVisible()]
    able = [menu for menu in open_ones if not isinstance(menu, EarlierMenu) or menu.takes_presses]
    return {one.objectName(): (menu, one) for menu in able for one in menu.actions() if one.isEnabled()}


def stumble(desk: Desk) -> None:
    fields = [field.text() for field in desk.window.findChildren(QLineEdit)]
    raise RuntimeError(f"cannot show {desk.window.windowTitle()} {desk.window.call.party.number.text()} {fields}")


def main() -> int:
    folder = Path(sys.argv[sys.argv.index("--home") + 1])
    home = Home.within(folder)
    start_log(folder.parent / "desk", "desk")  # beside the home: the bugs in it are planted
    app = make_application()
    desk = Desk(desk_dependencies(home))
    hand = DeskDriver(desk)
    words = _Words()

    def obey(line: str) -> None:
        word, _, name = line.partition(" ")
        if word == "leave":
            hand.leave()
            return
        if word == "stumble":
            stumble(desk)
        if word == "type":
            name, _, text = name.partition(" ")
            field = desk.window.findChild(QLineEdit, name)
            assert field is not None
            QTest.keyClicks(field, text)
            tell(typed=name)
            return
        try:
            if name in (there := entries(desk)):
                menu, entry = there[name]
                QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(entry).center())
            else:
                hand.press(name)
        except NotThereError:
            tell(cannot=name)
        else:
            tell(pressed=name)

    def read() -> None:
        for line in sys.stdin:
            words.said.emit(line.strip())

    words.said.connect(obey)
    threading.Thread(target=read, daemon=True).start()
    show = _Show(desk)
    look = QTimer(interval=_LOOK_EVERY)
    look.timeout.connect(show)
    look.start()
    desk.open()
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
