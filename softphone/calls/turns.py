"""What every loop of this program does in its turns: it reads the clock, and runs posted jobs, whatever becomes of them.

Each loop decides what it waits for meanwhile, and for how long.
"""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from softphone.system.logbook import log, log_bug

if TYPE_CHECKING:
    from softphone.domain.events import Now

_log = log.getChild("engine")

Post = Callable[[Callable[[], None]], None]
"""run a job on the loop's thread, in a later turn"""
TURN = 0.01
"""seconds of posted jobs in one turn, of which the last may take longer: half a frame, so that SIP gets its turn with each"""


if sys.platform == "linux":

    def seconds() -> float:
        """The clock of every duration in the engine: it goes on while the machine sleeps, and nobody sets it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    seconds = time.monotonic


def of_monotonic(at: float) -> float:
    """A moment of another process's monotonic clock, in ours. That one stands still while the machine sleeps."""
    return at + seconds() - time.monotonic()


def clock() -> Now:
    from softphone.domain.events import Now  # a phone that registers needs no session yet

    return Now(datetime.now(UTC), seconds())


def guarded(job: Callable[[], None], *, passes: tuple[type[Exception], ...] = ()) -> None:
    """A bug in one job must not take the calls with it: it is logged, without its message, and the loop goes on.

    `passes`: the exceptions that end the loop.
    """
    try:
        job()
    except passes:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is
        log_bug(_log, error)


class Inbox:
    """Jobs of other threads for the loop's thread, in order. `passes`: as in `guarded`. `wake`: called for each, on its
    thread, if the loop may be waiting for something else."""

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
        """Run waiting jobs for as long as a turn may take; the rest wait for later turns. If none waits, run the first that
        comes within `wait` seconds."""
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
