"""Keys as sound (ITU-T Q.23): made for a party whose phone takes them no other way, and found in what a party says.

Speech can sound like a key for a moment (talk-off), so what is found says how sure it is. What it may mean is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
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
_CLEAN = 0.8
"""… and have for 40 ms, which music's other tones take away"""
_PURE = 0.9
"""… and for there to be no speech beside it"""
_EDGE = 10 ** (10 / 10)
"""how much quieter it is just before a key and just after it: notes of music run into each other"""
_EDGE_WITHIN = 4
_BREAK = 3
"""hops: less is a lost packet, not the end"""
_LOST = 7
"""hops between two tones of one key that are one press with packets lost in it: no hand and no dialler is so quick"""
_SHORTEST = 4
_SURE = 8
"""hops of 10 ms"""

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeardKey:
    """`sure`: 80 ms of it without speech. `lasted`: seconds from its beginning until it is told."""

    key: str
    sure: bool
    lasted: float = field(default=0.0, compare=False)


@dataclass(slots=True)
class _Tone:
    """What may be a key, in hops: how long it is like one, and how long at a stretch it is clean and pure."""

    key: str
    quietest_before: float
    loudest: float = 0.0
    hops: int = 0
    like: int = 0
    clean: int = 0
    pure: int = 0
    longest_clean: int = 0
    longest_pure: int = 0
    away: int = 0
    quietest_after: float = 0.0

    def goes_on(self, share: float, power: float) -> None:
        self.like += 1
        self.away = 0
        self.loudest = max(self.loudest, power)
        self.clean = self.clean + 1 if share >= _CLEAN else 0
        self.pure = self.pure + 1 if share >= _PURE else 0
        self.longest_clean = max(self.longest_clean, self.clean)
        self.longest_pure = max(self.longest_pure, self.pure)

    def is_away(self, power: float) -> None:
        self.clean = self.pure = 0
        self.away += 1
        self.quietest_after = power if self.away == 1 else min(self.quietest_after, power)

    @property
    def begins_sharply(self) -> bool:
        return self.quietest_before * _EDGE < self.loudest

    @property
    def has_ended(self) -> bool:
        return self.quietest_after * _EDGE < self.loudest

    @property
    def is_key(self) -> bool:
        return self.like >= _SHORTEST and self.longest_clean >= _SHORTEST and self.begins_sharply and self.has_ended


class KeyListener:
    """Fed with 16-bit sound of 16 kHz, frame by frame; it gives each key once, at its end: only then is it none of music's."""

    def __init__(self) -> None:
        self._rest = np.zeros(_WINDOW - _HOP)
        self._tone: _Tone | None = None
        self._powers = deque([0.0] * _EDGE_WITHIN, _EDGE_WITHIN)
        self._hops = 0
        self._last: str = ""
        self._ended: int = 0
        """the key that was told last, and in which hop it ended"""

    def hear(self, pcm: bytes) -> list[HeardKey]:
        fresh = np.frombuffer(pcm, "<i2").astype(np.float64)
        if self._tone is None and np.abs(fresh).max(initial=0.0) < _QUIETEST:
            self._rest = fresh[len(fresh) - len(self._rest) :]
            self._powers.append(0.0)
            self._hops += len(fresh) // _HOP
            return []
        sound = np.concatenate([self._rest, fresh])
        self._rest = sound[len(sound) - len(self._rest) :]
        return [found for one in _looked_at(sound) if (found := self._step(*one)) is not None]

    def _step(self, key: str, share: float, power: float) -> HeardKey | None:
        tone = self._tone
        found = None
        self._hops += 1
        if tone is not None:
            tone.hops += 1
            if key == tone.key:
                tone.goes_on(share, power)
            else:
                tone.is_away(power)
                if (tone.has_ended and tone.away >= _BREAK) or tone.away >= _EDGE_WITHIN:
                    self._tone = None
                    if tone.is_key:
                        gap = self._hops - tone.hops - self._ended - 1
                        if tone.key != self._last or gap > _LOST:
                            found = HeardKey(tone.key, tone.longest_pure >= _SURE, tone.hops * _HOP / RATE)
                        self._last, self._ended = tone.key, self._hops - tone.away
        if key and (self._tone is None or (key != self._tone.key and not self._tone.longest_clean)):
            self._tone = _Tone(key, min(self._powers))
            self._tone.goes_on(share, power)
        self._powers.append(power)
        return found


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


def _looked_at(sound: Samples) -> Iterator[tuple[str, float, float]]:
    """For each hop the key it is like, empty for none, the two tones' share of the power, and the power."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    power = np.einsum("ij,ij->i", windows, windows)
    tones = np.abs(windows @ _waves()) ** 2
    for window, total, levels in zip(windows, power, tones, strict=True):
        row, column = int(levels[:4].argmax()), int(levels[4:].argmax())
        low, high = levels[row], levels[4 + column]
        if total < _WINDOW * _QUIETEST**2 or low > high * _ONE_LOUDER or high > low * _ONE_LOUDER:
            yield "", 0.0, float(total)
            continue
        share = float(np.sum((_basis(row, column) @ window) ** 2) / total)
        yield (_KEYS[row][column] if share >= _LIKE else ""), share, float(total)


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
