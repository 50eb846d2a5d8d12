"""A thread that gives way: the system lets it compute, read and write when nobody else wants to."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

_NICE = 15
"""Linux takes the priority of a thread's reading and writing from this too"""
_BACKGROUND_BEGIN = 0x10000


def lower_priority() -> None:
    """Of the calling thread. Where the system does not let it, it stays as it is."""
    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        elif sys.platform == "win32":
            kernel = ctypes.WinDLL("kernel32")
            kernel.SetThreadPriority(kernel.GetCurrentThread(), _BACKGROUND_BEGIN)
