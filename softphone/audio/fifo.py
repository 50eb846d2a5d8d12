"""A queue of sound between two clocks that never quite agree.

It fills to a target before it gives anything, then holds its averaged level there by giving one or
two samples more or fewer a pull, stretched over the block. No device and no thread of its own.
"""

from __future__ import annotations

import threading

import numpy as np

RATE = 16_000
_SMOOTHING = 1 / 64
_DEAD_BAND = 24
_MOST = 2


class ElasticFifo:
    """16 kHz, 16 bit, mono. `put` and `get` are called on different threads and never wait long.

    `underruns` and `overruns` count what a listener would notice.
    """

    def __init__(self, target_ms: int) -> None:
        self._lock = threading.Lock()
        self._samples = bytearray()
        self._target = target_ms * RATE // 1000
        self._average = float(self._target)
        self._primed = False
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
            if len(self._samples) // 2 > 4 * self._target + RATE // 10:
                # A stalled reader: what is too old to say is dropped at once, not bit by bit.
                del self._samples[: len(self._samples) - 2 * self._target]
                self._average = float(self._target)
                if self._primed:
                    self.overruns += 1

    def get(self, n_bytes: int) -> bytes:
        wanted = n_bytes // 2
        with self._lock:
            level = len(self._samples) // 2
            if not self._primed:
                if level < self._target:
                    return bytes(n_bytes)
                self._primed = True
                self._average = float(self._target)
            self._average += (level - self._average) * _SMOOTHING
            take = wanted + self._correction()
            if level < take:
                self.underruns += 1
                self._primed = False
                rest = bytes(self._samples)
                self._samples.clear()
                return rest[:n_bytes].ljust(n_bytes, b"\0")
            taken = bytes(self._samples[: 2 * take])
            del self._samples[: 2 * take]
        return taken if take == wanted else stretched(taken, wanted)

    def _correction(self) -> int:
        away = self._average - self._target
        if abs(away) < _DEAD_BAND:
            return 0
        most = 1 if abs(away) < 4 * _DEAD_BAND else _MOST
        return most if away > 0 else -most


def stretched(pcm: bytes, count: int) -> bytes:
    """The same sound in `count` samples, by linear interpolation."""
    samples = np.frombuffer(pcm, "<i2")
    places = np.linspace(0, len(samples) - 1, count)
    return np.rint(np.interp(places, np.arange(len(samples)), samples)).astype("<i2").tobytes()
