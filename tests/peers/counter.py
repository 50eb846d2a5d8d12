"""A frame counter coded into sound: each 20 ms frame of 16 kHz says its own number, 0..1023.

Ten pairs of tones 125 Hz apart, one of each pair sounding: orthogonal over the frame's middle 16 ms and inside the telephone
band. The two of a pair are compared, so that a codec may colour them. It survives G.711, G.722 and Opus as long as frames
stay aligned to 20 ms (give or take 2 ms).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RATE = 16_000
FRAME = 320
BITS = 10
CYCLE = 1 << BITS

_FIRST_HZ = 500
_STEP_HZ = 125
_TONES = np.arange(2 * BITS) * _STEP_HZ + _FIRST_HZ
_TIMES = np.arange(FRAME) / RATE
# Fixed phases keep the sum of ten tones from peaking at the frame's start.
_PHASES = np.random.default_rng(4733).uniform(0, 2 * np.pi, 2 * BITS)
_WAVES = np.sin(2 * np.pi * np.outer(_TONES, _TIMES) + _PHASES[:, None])
_EDGE = np.minimum(1.0, np.minimum(_TIMES, _TIMES[::-1]) / 0.001)
_MIDDLE = slice(32, 288)
_BINS = _TONES * 256 // RATE


def counter_frame(number: int, level: float = 0.06) -> bytes:
    bits = (number % CYCLE) >> np.arange(BITS) & 1
    wave = _WAVES[2 * np.arange(BITS) + bits].sum(axis=0) * _EDGE * level
    return (wave * 32767).astype("<i2").tobytes()


def counter_sound(frames: int, first: int = 0) -> bytes:
    return b"".join(counter_frame(first + index) for index in range(frames))


def read_counter(frame: bytes | npt.NDArray[np.int16], shift: int = 0) -> int | None:
    """The number a frame says, or None where it says none (silence, speech, a torn frame).

    `shift` moves the window by samples, for a codec's known delay.
    """
    samples = np.frombuffer(frame, "<i2") if isinstance(frame, bytes) else frame
    window = samples[_MIDDLE.start + shift : _MIDDLE.stop + shift].astype(float)
    if len(window) < 256 or np.sqrt(np.mean(window**2)) < 100:
        return None
    strength = np.abs(np.fft.rfft(window))[_BINS].reshape(BITS, 2)
    weak, strong = np.sort(strength, axis=1).T
    if np.any(strong < 2 * weak + 1e-9):
        return None
    return int((strength.argmax(axis=1) << np.arange(BITS)).sum())


def read_counters(pcm: bytes, shift: int = 0) -> list[int | None]:
    """One number per 20 ms of `pcm`; `shift` in samples delays the frames' borders."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
    samples = np.concatenate([samples[shift:], np.zeros(shift, "<i2")])
    whole = len(samples) // FRAME
    return [read_counter(samples[index * FRAME : (index + 1) * FRAME]) for index in range(whole)]


def gaps(numbers: Sequence[int | None]) -> list[tuple[int, int | None, int | None]]:
    """Where a run of numbers does not go up by one: (position, before, there). Empty when it is whole.

    Frames before the first and after the last number are not looked at.
    """
    told = [index for index, number in enumerate(numbers) if number is not None]
    if not told:
        return [(0, None, None)]
    found: list[tuple[int, int | None, int | None]] = []
    for index in range(told[0] + 1, told[-1] + 1):
        before, there = numbers[index - 1], numbers[index]
        if before is None or there is None or (before + 1) % CYCLE != there:
            found.append((index, before, there))
    return found
