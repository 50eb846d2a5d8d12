"""Other sample rates: the same tone, without seams, whatever the blocks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from softphone.audio.player import tone
from softphone.audio.resample import Resampler


def spectrum(pcm: bytes, rate: int, hertz: float) -> tuple[float, float]:
    """The level of that tone and of all the rest, in dB below full scale."""
    samples = np.frombuffer(pcm, "<i2").astype(float)[rate // 10 : -rate // 10] / 32768
    times = np.arange(len(samples)) / rate
    basis = np.stack([np.sin(2 * np.pi * hertz * times), np.cos(2 * np.pi * hertz * times)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, samples, rcond=None)
    rest = samples - basis @ weights
    power = float(np.sqrt(np.mean((basis @ weights) ** 2)))
    return 20 * np.log10(power + 1e-9), 20 * np.log10(float(np.sqrt(np.mean(rest**2))) + 1e-9)


@pytest.mark.parametrize(("source", "target"), [(48_000, 16_000), (16_000, 48_000), (44_100, 16_000), (16_000, 44_100)])
@pytest.mark.parametrize("hertz", [300, 1000, 3400, 6500])
def test_a_tone_keeps_its_level_and_pitch_in_any_blocks(source: int, target: int, hertz: float) -> None:
    pcm = tone(hertz, 1.0, rate=source)
    resample = Resampler(source, target)
    cuts = [0, *np.cumsum(np.random.default_rng(7).integers(1, 700, 400)) * 2, len(pcm)]
    cuts = sorted(min(int(cut), len(pcm)) for cut in cuts)
    out = b"".join(resample(pcm[a:b]) for a, b in pairwise(cuts))
    assert abs(len(out) / 2 - target) < target // 100
    level, rest = spectrum(out, target, hertz)
    assert level == pytest.approx(-20, abs=0.3)
    assert rest < -70


def test_what_16_khz_cannot_hold_is_filtered_out() -> None:
    out = Resampler(48_000, 16_000)(tone(11_000, 1.0, rate=48_000))
    assert np.sqrt(np.mean(np.frombuffer(out, "<i2").astype(float) ** 2)) < 10
