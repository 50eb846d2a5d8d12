"""In a process with windows, objects in circles end on Qt's own thread. Such a process looks after all its garbage so."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import threading
from softphone.ui.application import make_application

ended_on = []

class Circle:
    def __init__(self):
        self.me = self

    def __del__(self):
        ended_on.append(threading.current_thread())

app = make_application()
def make():
    Circle()
    # Two thousand that live: Python would look for garbage here, more than once.
    kept.extend([[] for _ in range(2000)])

kept = []
worker = threading.Thread(target=make)
worker.start()
worker.join()
assert not ended_on, "ended on another thread"
from PySide6.QtCore import QTimer
watch = QTimer(app)
watch.timeout.connect(lambda: app.exit(0) if ended_on else None)
watch.start(50)
QTimer.singleShot(10_000, app, lambda: app.exit(3))
status = app.exec()
assert ended_on == [threading.main_thread()], (status, ended_on)
"""


def test_what_is_in_a_circle_ends_on_qts_thread_and_no_worker_ends_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
