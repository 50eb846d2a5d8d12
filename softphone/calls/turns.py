"""What every loop of this program does in its turns: it reads the clock, and does what was posted to it, whatever becomes of it.

What is waited for meanwhile, and for how long, is each loop's own.
"""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from softphone.domain.events import Now
from softphone.system.logbook import log, log_bug

_log = log.getChild("engine")

Post = Callable[[Callable[[], None]], None]
"""has something done on the loop's thread, in a later turn"""
TURN = 0.01
"""seconds of posted jobs in one turn, of which the last may take longer: half a frame, so that SIP has its turn with each"""


if sys.platform == "linux":

    def seconds() -> float:
        """What every duration in the engine is measured by: it goes on while the machine sleeps, and nobody sets it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    seconds = time.monotonic


def of_monotonic(at: float) -> float:
    """A moment of another process's monotonic clock, as `seconds` has it: that one stands still while the machine sleeps."""
    return at + seconds() - time.monotonic()


def clock() -> Now:
    return Now(datetime.now(UTC), seconds())


def guarded(job: Callable[[], None], *, passes: tuple[type[Exception], ...] = ()) -> None:
    """A bug in one job must not take the calls with it: it is logged, without its message, and the loop goes on. `passes`:
    what ends the loop."""
    try:
        job()
    except passes:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is
        log_bug(_log, error)


class Inbox:
    """What threads want done on the loop's thread, in the order in which they said so. `passes`: as of `guarded`. `wake`: called
    for each, on its thread, where the loop may be waiting for something else."""

    def __init__(self, *, passes: tuple[type[Exception], ...] = (), wake: Callable[[], None] = lambda: None) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._passes = passes
        self._wake = wake

    @property
    def waiting(self) -> bool:
        return not self._waiting.empty()

    def post(self, job: Callable[[], None]) -> None:
        self._waiting.put(job)
        self._wake()

    def drain(self, wait: float = 0.0) -> None:
        """What waits, for as long as a turn may take: whoever posts without end has the rest in the turns after it. Where nothing
        waits, the first that comes within `wait` seconds."""
        try:
            action = self._waiting.get(timeout=wait) if wait > 0 else self._waiting.get_nowait()
            until = seconds() + TURN
            while True:
                guarded(action, passes=self._passes)
                if seconds() >= until:
                    return
                action = self._waiting.get_nowait()
        except queue.Empty:
            return
