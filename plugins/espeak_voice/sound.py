"""Samples made fit for a telephone: trimmed, at 16 kHz, at an even level, as a WAV file. Knows nothing of speech."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE = 16_000
LOUDNESS = -20.0
"""dBFS RMS while somebody speaks"""
PEAK = -3.5
"""dBFS that no sample exceeds"""

_FLOOR = 10 ** (-45 / 20) * 32768
_MARGIN = 0.03
_BLOCK = 0.02
_EVEN = 64
"""a factor of every length that is transformed: one with a large prime in it takes up to twenty times as long"""


def silence(seconds: float, rate: int) -> Samples:
    return np.zeros(round(seconds * rate), dtype=np.int16)


def trimmed(samples: Samples, rate: int) -> tuple[Samples, float]:
    """Without the silence at both ends (all but 30 ms of it), and how many seconds were cut at the start."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _FLOOR)
    if not loud.size:
        return samples, 0.0
    margin = round(_MARGIN * rate)
    first = max(0, int(loud[0]) - margin)
    last = min(len(samples), int(loud[-1]) + margin)
    return samples[first:last], first / rate


def telephone_wav(parts: Sequence[Samples], rate: int) -> bytes:
    """One WAV file (16 kHz, mono, 16 bit) of the parts in a row."""
    whole = _levelled(_resampled(np.concatenate(parts).astype(np.float64) / 32768, rate))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.round(whole * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _resampled(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """To 16 kHz, all at once in the frequency domain: nothing above 8 kHz is left to fold back."""
    if rate == RATE:
        return samples
    step = int(rate // np.gcd(rate, RATE))
    padded = np.pad(samples, (0, -len(samples) % (step * _EVEN)))
    length = len(padded) * RATE // rate
    spectrum = np.fft.rfft(padded)[: length // 2 + 1]
    whole = np.fft.irfft(spectrum, length) * (length / len(padded))
    return whole[: (len(samples) + -len(samples) % step) * RATE // rate]


def _levelled(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Speech at `LOUDNESS`, pauses not counted. Peaks that would exceed `PEAK` are rounded off softly, not cut."""
    size = round(_BLOCK * RATE)
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    power: NDArray[np.float64] = np.mean(blocks**2, axis=1) if len(blocks) else np.mean(samples**2, keepdims=True)
    spoken = power[power > 10 ** (-45 / 10)]
    if not spoken.size:
        return samples
    levelled = samples * (10 ** (LOUDNESS / 20) / float(np.mean(spoken)) ** 0.5)
    knee, most = 10 ** (PEAK / 20) * 0.7, 10 ** (PEAK / 20)
    size_of = np.abs(levelled)
    rounded = np.sign(levelled) * (knee + (most - knee) * np.tanh((size_of - knee) / (most - knee)))
    levelled[size_of > knee] = rounded[size_of > knee]
    return levelled
