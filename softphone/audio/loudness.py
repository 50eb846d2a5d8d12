"""How loud speech is, and made as loud as a telephone carries it: EBU R 128 by FFmpeg's meter, one gain, peaks rounded off.

Also trims the silence around it. 16 kHz, mono, 16 bit. No device is touched here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softphone.audio.filters import FilterChain
from softphone.domain.errors import SoundError

Samples = NDArray[np.int16]

RATE = 16_000
TARGET = -20.5
"""LUFS, integrated: as loud as the voice that speaks the other notices"""
PEAK = -3.0
"""dBFS that no sample, nor the curve between two, exceeds"""

_CEILING = 10 ** ((PEAK - 0.3) / 20)
_KNEE = 0.7 * _CEILING
_BLOCK = RATE // 50
_BEFORE, _AFTER = 0.1, 0.2
"""seconds of room kept around the speech"""
_BELOW_SPEECH = 30.0
"""dB below the loud parts: quieter sound is not speech"""
_QUIETEST = -60.0
"""dBFS: a quieter microphone was not spoken into"""


@dataclass(frozen=True, slots=True)
class Loudness:
    """`integrated` in LUFS, `peak` in dB of true peak, `seconds` long."""

    integrated: float
    peak: float
    seconds: float


def loudness(samples: Samples) -> Loudness:
    """As EBU R 128 measures it. Silence gives -70 LUFS, the meter's own floor."""
    meter = FilterChain(RATE, ("ebur128", "metadata=1:peak=true"))
    fields: dict[str, str] = {}
    for frame in (*meter.frames(samples), *meter.frames(None)):
        fields = dict(frame.metadata) or fields
    peak = float(fields.get("lavfi.r128.true_peak", 0.0))
    return Loudness(float(fields.get("lavfi.r128.I", -70.0)), 20 * math.log10(max(peak, 1e-5)), len(samples) / RATE)


def levelled(samples: Samples) -> Samples:
    """Speech at `TARGET`, no peak above `PEAK`. Raises SoundError `recording_silent` if there is nothing to be heard."""
    sound = samples.astype(np.float64) / 32768
    sound -= sound.mean()
    for _ in range(4):
        measured = loudness(_whole(sound)).integrated
        if measured <= _QUIETEST:
            raise SoundError("error.recording_silent")
        if abs(measured - TARGET) < 0.1:
            break
        sound = _rounded(sound * 10 ** ((TARGET - measured) / 20))
    sound = _rounded(sound)
    # Between two samples the curve may rise above both.
    over = loudness(_whole(sound)).peak - PEAK
    return _whole(sound * 10 ** (-max(0.0, over + 0.05) / 20))


def trimmed(samples: Samples) -> Samples:
    """Without the silence before and after the speech, except a little room, and with soft edges."""
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].astype(np.float64).reshape(-1, _BLOCK) / 32768
    power = 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-10)
    if not len(power) or float(np.max(power)) < _QUIETEST:
        raise SoundError("error.recording_silent")
    loud, quiet = float(np.percentile(power, 95)), float(np.percentile(power, 10))
    speech = power > max(loud - _BELOW_SPEECH, quiet + (loud - quiet) / 3)
    # The click of the key that ends a recording is short; speech has neighbours.
    spoken = np.flatnonzero(speech & (np.convolve(speech, np.ones(5), "same") >= 3))
    if not len(spoken):
        raise SoundError("error.recording_silent")
    first = max(0, int(spoken[0]) * _BLOCK - round(_BEFORE * RATE))
    last = min(len(samples), (int(spoken[-1]) + 1) * _BLOCK + round(_AFTER * RATE))
    kept = samples[first:last].astype(np.float64)
    edge = np.minimum(1.0, np.arange(len(kept)) / (0.01 * RATE))
    return np.rint(kept * edge * edge[::-1]).astype(np.int16)


def _rounded(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Peaks above the knee are bent towards the ceiling, not cut."""
    size = np.abs(sound)
    bent = np.sign(sound) * (_KNEE + (_CEILING - _KNEE) * np.tanh((size - _KNEE) / (_CEILING - _KNEE)))
    return np.where(size > _KNEE, bent, sound)


def _whole(sound: NDArray[np.float64]) -> Samples:
    return np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int16)
