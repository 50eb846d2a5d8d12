"""A desk as `klartone` starts it, which tells on stdout when its window was drawn and when it shows what; then it ends all.

python -m tests.bench.watched_desk HOME
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

GIVE_UP = 20_000
"""ms"""


def main(home: Path) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from softphone.bootstrap.desk import desk_dependencies, start_early
    from softphone.bootstrap.home import Home

    where = Home.within(home)
    start = start_early(where)
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication

    from softphone.ui.app import Desk
    from softphone.ui.application import make_application
    from softphone.wire.from_engine import Snapshot
    from softphone.wire.snapshot import Registration
    from softphone.wire.to_engine import Quit

    def mark(name: str) -> None:
        print(json.dumps({"mark": name, "at": time.monotonic()}), flush=True)

    class Paint(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's own name
            if event.type() == QEvent.Type.Paint:
                watched.removeEventFilter(self)
                mark("window")
            return False

    app = make_application()
    desk = Desk(desk_dependencies(where, on_ready=lambda _: mark("engine"), start=start))
    paint = Paint()
    desk.window.installEventFilter(paint)

    def leave() -> None:
        desk.bridge.send(Quit("bench"))
        desk.bridge.disconnected.connect(QApplication.quit)
        QTimer.singleShot(3000, QApplication.quit)

    def look(snapshot: Snapshot) -> None:
        if any(one.registration is Registration.REGISTERED for one in snapshot.accounts):
            desk.bridge.snapshot.disconnect(look)
            QTimer.singleShot(0, lambda: (mark("registered"), leave()))

    desk.bridge.snapshot.connect(look)
    QTimer.singleShot(GIVE_UP, QApplication.quit)
    desk.open()
    app.exec()
    desk.bridge.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
