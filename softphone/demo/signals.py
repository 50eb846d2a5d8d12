"""Ctrl+C and SIGTERM while the demo runs, outside the desk's loop: nothing that it has started is left behind.

The desk takes the signals itself while its loop runs (`ui.app.run_desk`). Around that loop they are only kept: an exception
in a slot would be printed and lost.
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

from softphone.system.loading import again, is_loading

ENDING = (signal.SIGINT, signal.SIGTERM)


class InterruptedDemo(KeyboardInterrupt):
    """Told to end. `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """Entered for as long as the demo runs: a signal raises InterruptedDemo. Afterwards signals do what they did before."""

    def __init__(self) -> None:
        self._late: int | None = None
        self._ending = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Signals:
        for number in ENDING:
            self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @property
    def came(self) -> bool:
        """Whether one is kept for later."""
        return self._late is not None

    def wait(self) -> None:
        """From here on one is kept for later: Qt is at work, or processes are being ended."""
        self._ending = True

    def go_on(self) -> None:
        """Raises InterruptedDemo for one that came meanwhile."""
        self._ending = False
        if self._late:
            raise InterruptedDemo(self._late)

    def _came(self, number: int, frame: FrameType | None) -> None:
        if self._ending:
            self._late = number
        elif is_loading(frame):
            again(number)
        else:
            raise InterruptedDemo(number)
