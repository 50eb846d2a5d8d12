"""The edge's loop, watched: how often its work between two looks at its sockets took longer than a packet of sound lasts.

SIP is read on the same loop that passes sound on, so a turn that long would hold packets back. Time that the machine gave to
others does not count.
"""

from __future__ import annotations

import selectors
import time

SLOW = 0.02
"""seconds of work"""


class WatchedSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.slow_turns = 0
        self._woke = time.thread_time()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if time.thread_time() - self._woke > SLOW:
            self.slow_turns += 1
        try:
            return super().select(timeout)
        finally:
            self._woke = time.thread_time()
