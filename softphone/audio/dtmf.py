"""Keys as sound (ITU-T Q.23): made for a party whose phone takes them no other way, and found in what a party says.

Speech can sound like a key for a moment (talk-off), so what is found says how sure it is. What it may mean is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477)
_KEYS = ("123", "456", "789", "*0#")
_HOP = RATE // 100
_WINDOW = 208
"""13 ms: long enough to part the rows, short enough for a telephone that is 1.5 % off (ITU-T Q.24)"""
_QUIETEST = 10 ** (-45 / 20) * 32768
_ONE_LOUDER = 10 ** (9 / 10)
"""how much more power one of the two tones may have"""
_LIKE = 0.6
"""share of the power that the two tones must have for it to be a key at all"""
_PURE = 0.9
"""… and for there to be no speech beside it"""
_SHORTEST = 4
_SURE = 8
"""hops of 10 ms"""
_BREAK = 2

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeardKey:
    """`sure`: 80 ms of it without speech."""

    key: str
    sure: bool


class KeyListener:
    """Fed with 16-bit sound of 16 kHz, frame by frame; it gives each key once: a sure one after 80 ms, another at its end."""

    def __init__(self) -> None:
        self._rest = np.zeros(_WINDOW - _HOP)
        self._key = ""
        self._long = self._pure = self._away = 0
        self._said = False

    def hear(self, pcm: bytes) -> list[HeardKey]:
        fresh = np.frombuffer(pcm, "<i2").astype(np.float64)
        if not self._key and np.abs(fresh).max(initial=0.0) < _QUIETEST:
            self._rest = fresh[len(fresh) - len(self._rest) :]
            return []
        sound = np.concatenate([self._rest, fresh])
        self._rest = sound[len(sound) - len(self._rest) :]
        return [found for one in _looked_at(sound) if (found := self._step(*one)) is not None]

    def _step(self, key: str, share: float) -> HeardKey | None:
        if not self._key or (key and key != self._key and not self._long):
            self._key, self._long, self._pure, self._away, self._said = key, 0, 0, 0, False
        if key and key == self._key:
            self._away = 0
            self._long += 1
            self._pure = self._pure + 1 if share >= _PURE else 0
            if self._pure >= _SURE and not self._said:
                self._said = True
                return HeardKey(key, sure=True)
            return None
        self._pure = 0
        self._away += 1
        if self._key and (key or self._away >= _BREAK):
            return self._end(key)
        return None

    def _end(self, following: str) -> HeardKey | None:
        ended, said, long = self._key, self._said, self._long
        self._key, self._long, self._pure, self._away, self._said = following, int(bool(following)), 0, 0, False
        return HeardKey(ended, sure=False) if long >= _SHORTEST and not said else None


def keys_as_sound(keys: str, seconds: float = 0.12, pause: float = 0.08, level_db: float = -12.0) -> bytes:
    """16 bit, mono, 16 kHz; `level_db` of each of the two tones. Signs that are no keys are left out."""
    times = np.arange(int(seconds * RATE)) / RATE
    edge = np.minimum(1.0, np.minimum(times, times[::-1]) / 0.004)
    parts: list[bytes] = []
    for key in keys:
        if (pair := _pairs().get(key)) is not None:
            wave = sum(np.sin(2 * np.pi * hertz * times) for hertz in pair) * edge * 10 ** (level_db / 20) * 32767
            parts.append(np.rint(wave).astype("<i2").tobytes() + bytes(int(pause * RATE) * 2))
    return b"".join(parts)


@cache
def _pairs() -> dict[str, tuple[int, int]]:
    found = {
        key: (row, column)
        for row, keys in zip(_ROWS, _KEYS, strict=True)
        for key, column in zip(keys, _COLUMNS, strict=True)
    }
    return found | {key: (row, 1633) for key, row in zip("ABCD", _ROWS, strict=True)}


def _looked_at(sound: Samples) -> Iterator[tuple[str, float]]:
    """For each hop the key it is like, empty for none, and the two tones' share of the power."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    power = np.einsum("ij,ij->i", windows, windows)
    tones = np.abs(windows @ _waves()) ** 2
    for window, total, levels in zip(windows, power, tones, strict=True):
        row, column = int(levels[:4].argmax()), int(levels[4:].argmax())
        low, high = levels[row], levels[4 + column]
        if total < _WINDOW * _QUIETEST**2 or low > high * _ONE_LOUDER or high > low * _ONE_LOUDER:
            yield "", 0.0
            continue
        share = float(np.sum((_basis(row, column) @ window) ** 2) / total)
        yield (_KEYS[row][column] if share >= _LIKE else ""), share


@cache
def _waves() -> NDArray[np.complex128]:
    times = np.arange(_WINDOW) / RATE
    return np.exp(2j * np.pi * np.outer(times, (*_ROWS, *_COLUMNS)))


@cache
def _basis(row: int, column: int) -> Samples:
    """What the two tones can be, whatever their phases: four waves at right angles, of length one."""
    times = np.arange(_WINDOW) / RATE
    waves = [of(2 * np.pi * hertz * times) for hertz in (_ROWS[row], _COLUMNS[column]) for of in (np.sin, np.cos)]
    return np.linalg.qr(np.stack(waves, axis=1))[0].T
