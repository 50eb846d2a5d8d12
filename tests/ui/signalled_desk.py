"""A desk in a process of its own, in a call: says `drawn` once that is drawn.

Ended by a signal, it says what it told the engine of the note that was being written.

`--storing`, without a call: its window is closed while a password is on its way to a keyring that answers only once the desk has
gone. `--quit`: Qt quits, without a call; `--quit-in-call`: in one; `--session-ends`: the session does, in a call.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from softphone.ui.app import Desk, run_desk
from softphone.ui.dependencies import DeskDependencies
from softphone.wire.from_engine import Done
from softphone.wire.to_engine import SaveNote
from tests.ui.fake_engine import FakeEngine
from tests.ui.states import ROWS, snapshot

LAST = QObject()


def app() -> QApplication:
    there = QApplication.instance()
    assert isinstance(there, QApplication)
    return there


def take_note(engine: FakeEngine) -> None:
    """As an engine does."""
    engine.wait_for(lambda: any(isinstance(one, SaveNote) for one in engine.received), 30)
    note = next(one for one in engine.received if isinstance(one, SaveNote))
    print("noted", note.text, flush=True)
    engine.tell(Done(note.id))


def main(resources: Path, *more: str) -> int:
    storing = "--storing" in more
    calls = () if storing or "--quit" in more else (ROWS["recording"][0],)
    engine = FakeEngine(snapshot(*calls))
    asked, gone = threading.Event(), threading.Event()

    def store(_account: str, _password: str) -> None:
        asked.set()
        gone.wait()

    def ready(desk: Desk) -> None:
        if not more or "--deaf" in more:
            desk.window.call.moment.beside.note.setPlainText("Ring mandag")
        if not more:
            threading.Thread(target=take_note, args=(engine,), daemon=True).start()
        print("drawn", flush=True)
        if storing:
            desk.window.password.emit("a", "x")
            asked.wait()
            desk.window.quit()
        if "--session-ends" in more:
            app().commitDataRequest.emit(None)  # as each platform does before it asks the windows to close
        if {"--quit", "--quit-in-call", "--session-ends"} & set(more):
            app().quit()
        if "--quit-in-call" in more:
            print(desk.window.note.text.text(), flush=True)
            desk.window.leave()

    try:
        return run_desk(
            DeskDependencies(
                find_endpoint=lambda: engine.endpoint,
                start_engine=engine.start,
                store_password=store,
                texts=resources / "translations",
                icons=resources / "icons",
                themes=resources / "themes",
                on_ready=ready,
                keep_notes=lambda notes: print("kept", *notes.values(), flush=True),
            )
        )
    finally:
        # At its end Qt takes all objects of this process with it, the desk and this one.
        LAST.destroyed.connect(gone.set)
        engine.close()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), *sys.argv[2:]))
