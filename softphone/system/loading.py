"""Signals that come while modules are being loaded.

An exception during an import leaves libraries half made: some abort the process, some swallow it, some report it and go on.
So it waits for the import's end. If it was raised where nobody can catch it, it comes again.
"""

from __future__ import annotations

import signal
import sys
import threading
from _thread import interrupt_main, start_new_thread
from time import sleep
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

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
    start_new_thread(_come, (number,))


def not_lost(unraisable: UnraisableHookArgs) -> None:
    """In a callback, Python would report a Ctrl+C and go on: raise it again. For `sys.unraisablehook`."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        again(getattr(unraisable.exc_value, "number", signal.SIGINT))
    else:
        sys.__unraisablehook__(unraisable)


def _come(number: int) -> None:
    first = threading.main_thread().ident
    sleep(_SOON)
    while first is not None and _is_here(sys._current_frames().get(first)):
        sleep(_SOON)  # raised in the hook it would be lost
    if sys.platform == "win32" or first is None:
        interrupt_main(signal.Signals(number))
    else:
        signal.pthread_kill(first, number)


def _is_here(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == __file__:
            return True
        frame = frame.f_back
    return False
