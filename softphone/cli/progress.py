"""A command that takes longer than a second: a line on the terminal shows how far it is.

In a command that changes something, Ctrl-C ends it after its current step, and it says what was done. Others end at once.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Self

STOPPED = 130
"""the status of a command that somebody ended"""
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_EVERY = 1.0
"""seconds between two lines, and before the first"""


class Progress:
    """`stopped`: somebody wants it to end. On its own a context in which Ctrl-C works as ever; else `progress`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.stopped = False
        self._clock = clock
        self._told_at = clock()
        self._shown = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def tell(self, sentence: Callable[[], str]) -> None:
        """Shown when it is time, over the one before, and only on a terminal."""
        now = self._clock()
        if not sys.stderr.isatty() or now - self._told_at < _EVERY:
            return
        self._told_at = now
        line = sentence()
        print(f"\r{line.ljust(self._shown)}", end="", file=sys.stderr, flush=True)  # noqa: T201
        self._shown = len(line)

    def clear(self) -> None:
        """Before something else is written on the terminal."""
        if self._shown:
            print(f"\r{' ' * self._shown}\r", end="", file=sys.stderr, flush=True)  # noqa: T201
            self._shown = 0


@contextmanager
def progress() -> Generator[Progress]:
    """Ctrl-C, or a closed terminal, then sets `stopped`; the second one ends the command as always."""
    made = Progress()
    if threading.current_thread() is not threading.main_thread():
        yield made  # only the main thread may set a signal's handler
        return

    def stop(_number: int, _frame: object) -> None:
        if made.stopped:
            raise KeyboardInterrupt
        made.stopped = True

    # A signal that is ignored, as under nohup, stays ignored.
    heard = [one for one in _ENDING if one == signal.SIGINT or signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, stop) for one in heard}
    try:
        yield made
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        made.clear()
