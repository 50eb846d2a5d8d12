"""A thread whose reading and writing give way to everybody else's on this disk.

Its computing does not: a thread that waits for a processor while it has the interpreter keeps a call's sound waiting with it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
"""the system call's number: no library has it"""
_WHO_PROCESS, _BEST_EFFORT, _LAST = 1, 2 << 13, 7


def give_way_on_disk() -> None:
    """The calling thread. Where the system does not let it, it stays as it is."""
    if sys.platform != "linux":
        return
    number = _IOPRIO_SET.get(os.uname().machine)
    if number is not None:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).syscall(number, _WHO_PROCESS, threading.get_native_id(), _BEST_EFFORT | _LAST)
