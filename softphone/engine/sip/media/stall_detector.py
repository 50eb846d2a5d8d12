"""A call's frames held against the clock: whether ticks were lost while the process was stopped or the machine slept.

pjmedia catches up with a clock that was late for less than half a second, and leaves out what is more. It does not notice
sleep at all.
"""

from __future__ import annotations

TICK = 0.02
LOST = 0.4
"""seconds behind from which ticks may be lost"""
SETTLED = 5
"""ticks in a row that catch nothing up, after which ticks are lost"""
_DRIFT = TICK / 1000
"""seconds of a tick: two clocks need not agree to the thousandth"""


class StallDetector:
    """`lost` is called at each tick."""

    def __init__(self) -> None:
        self._due: float | None = None
        """when this tick was due, without delays and losses"""
        self._behind = 0.0
        self._settled = 0

    def lost(self, now: float) -> int:
        """How many ticks have not come, and never will: reported once."""
        if self._due is None:
            self._due = now
        behind = now - self._due
        self._due += TICK
        if behind < LOST:
            # This is as punctual as it gets, and counts as on time.
            self._due += min(behind, _DRIFT)
            self._settled = 0
            return 0
        if self._settled == 0 or behind < self._behind - TICK / 4:
            self._behind, self._settled = behind, 1
            return 0
        self._settled += 1
        if self._settled < SETTLED:
            return 0
        ticks = round(behind / TICK)
        self._due += ticks * TICK
        self._settled = 0
        return ticks
