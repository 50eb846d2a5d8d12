"""Sound through filters: the same tone at another rate, whatever the blocks; and speech faster, at the same pitch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from softphone.audio.filters import RATE, Resampler, Stretcher, resampled
from softphone.audio.player import tone

RATES = [(48_000, 16_000), (16_000, 48_000), (44_100, 16_000), (16_000, 44_100)]


def spectrum(pcm: bytes, rate: int, hertz: float) -> tuple[float, float]:
    """The level of that tone and of all the rest, in dB below full scale."""
    samples = np.frombuffer(pcm, "<i2").astype(float)[rate // 10 : -rate // 10] / 32768
    times = np.arange(len(samples)) / rate
    basis = np.stack([np.sin(2 * np.pi * hertz * times), np.cos(2 * np.pi * hertz * times)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, samples, rcond=None)
    rest = samples - basis @ weights
    power = float(np.sqrt(np.mean((basis @ weights) ** 2)))
    return 20 * np.log10(power + 1e-9), 20 * np.log10(float(np.sqrt(np.mean(rest**2))) + 1e-9)


@pytest.mark.parametrize(("source", "target"), RATES)
@pytest.mark.parametrize("hertz", [300, 1000, 3400, 7000])
def test_a_tone_keeps_its_level_and_pitch_in_any_blocks(source: int, target: int, hertz: float) -> None:
    pcm = tone(hertz, 1.0, rate=source)
    cuts = [0, *np.cumsum(np.random.default_rng(7).integers(1, 700, 400)) * 2, len(pcm)]
    cuts = sorted(min(int(cut), len(pcm)) for cut in cuts)
    resample = Resampler(source, target)
    out = b"".join(resample(pcm[a:b]) for a, b in pairwise(cuts))
    level, rest = spectrum(out, target, hertz)
    assert level == pytest.approx(-20, abs=0.4)
    assert rest < -90
    late = 2 * round(0.0015 * target)
    assert abs(len(out) // 2 - target) <= 2
    assert out[late + 1_000 :] in resampled(pcm, source, target)  # sample for sample


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_device_gets_as_much_in_each_block_as_it_lasts(source: int, target: int) -> None:
    """10 ms for 10 ms, for a minute: no gap, nothing that lies ready beside it, and a delay that stays as it is."""
    resample, sound = Resampler(source, target), np.zeros(60 * source, "<i2")
    sound[59 * source :] = 10_000
    blocks = [resample(block.tobytes()) for block in sound.reshape(-1, source // 100)]
    assert {len(block) // 2 for block in blocks} == {target // 100}
    rises = int(np.argmax(np.frombuffer(b"".join(blocks), "<i2") > 5_000)) / target
    assert 0.001 < rises - 59 < 0.002


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_whole_sound_keeps_its_length_its_end_and_each_moment_where_it_was(source: int, target: int) -> None:
    sound = np.zeros(source, "<i2")
    moments = [source // 2, source - source // 1_000]
    sound[moments] = 30_000
    out = np.frombuffer(resampled(sound.tobytes(), source, target), "<i2").astype(float)
    assert len(out) == target
    halves = out[: 3 * target // 4], out[3 * target // 4 :]
    for moment, offset, half in zip(moments, (0, 3 * target // 4), halves, strict=True):
        assert (int(np.argmax(half)) + offset) / target == pytest.approx(moment / source, abs=0.6 / min(source, target))


def test_what_16_khz_cannot_hold_is_filtered_out() -> None:
    for hertz in (8_500, 11_000):
        out = resampled(tone(hertz, 1.0, rate=48_000), 48_000, 16_000)
        assert np.sqrt(np.mean(np.frombuffer(out, "<i2").astype(float) ** 2)) < 3


def wave(seconds: float, hertz: float = 220.0) -> NDArray[np.int16]:
    return (8_000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


@pytest.mark.parametrize("speed", [0.8, 1.25, 1.5, 2.0])
def test_faster_it_lasts_as_long_as_asked_for_and_keeps_its_pitch_and_loudness(speed: float) -> None:
    stretch, sound, made = Stretcher(speed), wave(4), list[NDArray[np.int16]]()
    for at in range(0, len(sound), 3_200):
        made.append(stretch(sound[at : at + 3_200]))
        assert stretch.pending <= 3_200 + RATE // 8  # no more of the sound is kept than is needed
    out = np.concatenate([*made, stretch.flush()])
    assert abs(len(out) / len(sound) - 1 / speed) < 0.03
    middle = out[RATE // 2 : RATE // 2 + RATE]
    heard = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(int(np.argmax(heard)) - 220) <= 1
    assert 0.8 < float(np.std(middle)) / float(np.std(sound)) < 1.1
    # A seam would be a jump: between two samples a tone of 220 Hz moves less than this.
    assert int(np.max(np.abs(np.diff(middle.astype(int))))) < 1_400


def test_ordinary_speed_leaves_every_sample_as_it_is() -> None:
    stretch, sound = Stretcher(1.0), wave(0.5)
    assert np.array_equal(np.concatenate([stretch(sound), stretch.flush()]), sound)
    assert stretch.pending == 0
