"""Signals that come while modules are being loaded.

An exception in the middle of that leaves libraries half made: some abort the process, some swallow it, some tell of it and go on.
So it waits until what is being loaded has been; and what was raised where nobody can catch it comes again.
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
    """The signal comes once more in a moment: where a thread can be sent one, to the first, which ends what that waits for."""
    soon = threading.Timer(_SOON, _come, (number,))
    soon.daemon = True
    soon.start()


def _come(number: int) -> None:
    first = threading.main_thread().ident
    if sys.platform == "win32" or first is None:
        interrupt_main(signal.Signals(number))
    else:
        signal.pthread_kill(first, number)
