"""Signals that come while modules are being loaded.

An exception during an import leaves libraries half made: some abort the process, some swallow it, some report it and go on.
So it waits for the import's end. If it was raised where nobody can catch it, it comes again.
"""

from __future__ import annotations

import signal
import sys
import threading
from _thread import interrupt_main
from types import FrameType

_SOON = 0.02


def is_loading(frame: FrameType | None) -> bool:
    """Whether a module is being loaded where a signal has met the program."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def again(number: int) -> None:
    """The signal comes once more in a moment: to the first thread, if the system can, which ends its wait."""
    soon = threading.Timer(_SOON, _come, (number,))
    soon.daemon = True
    soon.start()


def _come(number: int) -> None:
    first = threading.main_thread().ident
    if sys.platform == "win32" or first is None:
        interrupt_main(signal.Signals(number))
    else:
        signal.pthread_kill(first, number)
