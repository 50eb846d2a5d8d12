"""A queue of sound between two clocks that never quite agree.

It fills to its depth before it gives anything, then comes down to what this machine's unevenness really takes. It stays
there by giving one or two samples more or fewer a pull, stretched over the block. No device and no thread of its own.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
_MARGIN = 14 * RATE // 1000
"""samples that must be left after the hungriest pull of the last seconds"""
_WINDOW = 3 * RATE
"""samples of sound for which a pull's rest is remembered"""
_NEAR = 10 * RATE // 1000
"""samples: within this of its place twice over, it is moved gently"""
_EVERY = 20 * RATE // 1000
"""samples of sound between two corrections"""
_EASE = 4
"""once it has come to its place, the queue is shortened only at every fourth of them: what it forgets comes again"""
_NEVER = 1 << 30
_CALM = 60 * RATE
"""samples of sound without a gap after which a margin that had to grow shrinks by a tenth"""


class ElasticFifo:
    """16 kHz, 16 bit, mono. `put` and `get` are called on different threads and never wait long.

    `depth_ms`: how full it is before it gives anything, and how full it gets again after a gap. `underruns` and `overruns`
    count what a listener would notice.
    """

    def __init__(self, depth_ms: int) -> None:
        self._lock = threading.Lock()
        self._samples = bytearray()
        self._depth = depth_ms * RATE // 1000
        self._primed = False
        self._settled = False
        """it has come to its place since it was filled"""
        self._margin = _MARGIN
        self._rests = [_NEVER, _NEVER]
        """the smallest rest after a pull, in this half of the window and in the one before"""
        self._given = 0
        self._corrected = 0
        self._since_gap = 0
        self.underruns = 0
        self.overruns = 0

    @property
    def level_ms(self) -> float:
        with self._lock:
            return len(self._samples) / 2 * 1000 / RATE

    def clear(self) -> None:
        with self._lock:
            self._samples.clear()
            self._primed = False

    def put(self, pcm: bytes) -> None:
        with self._lock:
            self._samples += pcm
            if len(self._samples) // 2 > 4 * self._depth + RATE // 10:
                # A stalled reader: sound that is too old is dropped at once, not bit by bit.
                del self._samples[: len(self._samples) - 2 * self._depth]
                self._forget()
                if self._primed:
                    self.overruns += 1

    def get(self, n_bytes: int) -> bytes:
        wanted = n_bytes // 2
        with self._lock:
            level = len(self._samples) // 2
            if not self._primed:
                if level < self._depth:
                    return bytes(n_bytes)
                # A device that ran before anybody listened has filled the queue with old sound that nobody waits for.
                del self._samples[: 2 * (level - self._depth)]
                level = self._depth
                self._primed = True
                self._forget()
            more = self._correction(wanted)
            take = wanted + more
            if level < take:
                return self._run_dry(n_bytes)
            # Each later pull finds as much less. Without that in mind, the queue would overshoot what it remembers.
            self._rests = [rest if rest == _NEVER else rest - more for rest in self._rests]
            self._remember(level - take, wanted)
            taken = bytes(self._samples[: 2 * take])
            del self._samples[: 2 * take]
        return taken if take == wanted else stretched(taken, wanted)

    def _run_dry(self, n_bytes: int) -> bytes:
        """A gap. The margin that was too small grows."""
        self.underruns += 1
        self._primed = False
        self._since_gap = 0
        self._margin = min(self._margin * 3 // 2, self._depth)
        rest = bytes(self._samples)
        self._samples.clear()
        return rest[:n_bytes].ljust(n_bytes, b"\0")

    def _forget(self) -> None:
        self._settled = False
        self._rests = [_NEVER, _NEVER]
        self._given = 0

    def _remember(self, rest: int, wanted: int) -> None:
        self._rests[0] = min(self._rests[0], rest)
        self._given += wanted
        if self._given >= _WINDOW // 2:
            self._rests = [_NEVER, self._rests[0]]
            self._given = 0
        self._since_gap += wanted
        if self._since_gap >= _CALM:
            self._since_gap = 0
            self._margin = max(_MARGIN, self._margin * 9 // 10)

    def _correction(self, wanted: int) -> int:
        """Samples to take beyond what is wanted (negative: fewer)."""
        self._corrected += wanted
        rest = min(self._rests)
        if rest == _NEVER:
            return 0
        away = rest - self._margin
        if 0 <= away <= _NEAR // 5:
            self._settled = True
            return 0
        near = self._settled and 0 < away <= 2 * _NEAR
        if self._corrected < (_EASE * _EVERY if near else _EVERY):
            return 0
        self._corrected = 0
        if away < 0:
            return -1 if away > -_NEAR // 4 else -2
        return 1 if away < 4 * _NEAR else 2


def stretched(pcm: bytes, count: int) -> bytes:
    """The same sound in `count` samples, by linear interpolation."""
    samples = np.frombuffer(pcm, "<i2")
    return np.rint(np.interp(*_places(count, len(samples)), samples)).astype("<i2").tobytes()


@lru_cache
def _places(count: int, given: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The positions of `count` samples among the given ones, and those ones' own: the same few sizes, many times a second."""
    return np.linspace(0, given - 1, count), np.arange(given, dtype=np.float64)
