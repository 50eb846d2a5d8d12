"""A sound as a caller hears it on an ordinary telephone line: 8 kHz through G.711 A-law, and back to 16 kHz to be played
here.

It does not imitate what else a line adds (loss, echo, a bad headset).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from softphone.audio.filters import resampled

Samples = NDArray[np.int16]

RATE = 16_000
_NARROW = 8_000
_LOWEST = 300
"""Hz: lower frequencies do not pass an ordinary line"""


def as_callers_hear(samples: Samples) -> Samples:
    """Of the same length."""
    narrow = _without_lows(np.frombuffer(resampled(samples.astype("<i2").tobytes(), RATE, _NARROW), dtype="<i2"))
    return np.frombuffer(resampled(_through_a_law(narrow), _NARROW, RATE), dtype="<i2").astype(np.int16)


def _without_lows(samples: Samples) -> Samples:
    spectrum = np.fft.rfft(samples.astype(np.float64))
    hertz = np.fft.rfftfreq(len(samples), 1 / _NARROW)
    # 24 dB an octave, as the filters at both ends of a line have it.
    with np.errstate(divide="ignore"):
        spectrum *= 1 / np.sqrt(1 + (_LOWEST / np.maximum(hertz, 1e-3)) ** 8)
    return np.rint(np.fft.irfft(spectrum, len(samples))).clip(-32768, 32767).astype(np.int16)


def _through_a_law(samples: Samples) -> bytes:
    # PyAV's own types leave encode and decode half unknown.
    encoder = cast("Any", av.CodecContext.create("pcm_alaw", "w"))
    encoder.sample_rate, encoder.format, encoder.layout = _NARROW, "s16", "mono"
    encoder.time_base = Fraction(1, _NARROW)
    decoder = cast("Any", av.CodecContext.create("pcm_alaw", "r"))
    decoder.sample_rate, decoder.layout = _NARROW, "mono"
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts = _NARROW, 0
    heard = [
        part.to_ndarray().reshape(-1).astype("<i2").tobytes()
        for packet in (*encoder.encode(frame), *encoder.encode(None))
        for part in decoder.decode(packet)
    ]
    return b"".join(heard)
