"""Python's own record of pjmedia's clock thread, kept from one tick to the next while there are calls.

That thread is not Python's. Each callback on it would make such a record, map memory for its stack, and throw both away at
its end: some three hundred times a second in a call. No sound is known here.
"""

from __future__ import annotations

import ctypes
import threading

_ensure = ctypes.pythonapi["PyGILState_Ensure"]
_ensure.argtypes, _ensure.restype = (), ctypes.c_int
_release = ctypes.pythonapi["PyGILState_Release"]
_release.argtypes, _release.restype = (ctypes.c_int,), None
_LOCKED = 0
"""PyGILState_LOCKED: what the matching `_ensure` gave, inside a callback"""


class ClockThread:
    """`keep` is called in each tick, on the clock's thread.

    Let go before the clock ends: it ends some time after the last call, and what it still holds then stays until the end of
    the process.
    """

    def __init__(self) -> None:
        # It lies in the record itself, so that each new thread, and each new record, begins without.
        self._here = threading.local()

    def keep(self, on: bool) -> None:
        if on is getattr(self._here, "kept", False):
            return
        self._here.kept = on
        if on:
            _ensure()
        else:
            _release(_LOCKED)
