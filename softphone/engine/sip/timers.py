"""Deadlines of the polling thread: a heap of moments, run at each poll. It owns no thread."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator

from softphone.calls.turns import seconds


class Timers:
    """Moments are of `turns.seconds`. An action that has become pointless must notice that itself."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, within: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (seconds() + within, next(self._order), action))

    def wait(self, at_most_ms: int) -> int:
        """Milliseconds until the next deadline, at most `at_most_ms`."""
        if not self._heap:
            return at_most_ms
        left = int((self._heap[0][0] - seconds()) * 1000) + 1
        return max(0, min(at_most_ms, left))

    def due(self) -> Iterator[Callable[[], None]]:
        """The actions whose moment has come, each once; those that they add, too."""
        while self._heap and self._heap[0][0] <= seconds():
            yield heapq.heappop(self._heap)[2]

    def clear(self) -> None:
        self._heap.clear()
