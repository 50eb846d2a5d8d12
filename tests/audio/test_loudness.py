"""Loudness, checked with sounds whose loudness is known; levelling, trimming, and a telephone's narrow band."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from softphone.audio.loudness import PEAK, RATE, TARGET, levelled, loudness, trimmed
from softphone.audio.narrow import as_callers_hear
from softphone.domain.errors import SoundError

Samples = NDArray[np.int16]


def sine(hertz: float, seconds: float, dbfs: float) -> Samples:
    """`dbfs`: of its peak."""
    times = np.arange(round(seconds * RATE)) / RATE
    return np.rint(np.sin(2 * np.pi * hertz * times) * 32767 * 10 ** (dbfs / 20)).astype(np.int16)


def noise(seconds: float, dbfs: float, seed: int = 1) -> Samples:
    """`dbfs`: of its root mean square."""
    drawn = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), round(seconds * RATE))
    return np.clip(np.rint(drawn), -32768, 32767).astype(np.int16)


def babble(seconds: float, dbfs: float) -> Samples:
    """Four syllables a second, with a pause each second: loud and quiet as speech is."""
    times = np.arange(round(seconds * RATE)) / RATE
    shape = np.abs(np.sin(2 * np.pi * 2 * times)) * (times % 1.0 < 0.75)
    carrier = sum(np.sin(2 * np.pi * hertz * times) / n for n, hertz in enumerate((180, 540, 1260, 2500), 1))
    return np.rint(carrier * shape * 10 ** (dbfs / 20) * 16_000).astype(np.int16)


def level(samples: Samples) -> float:
    return 20 * np.log10(np.sqrt(np.mean((samples.astype(np.float64) / 32768) ** 2)) + 1e-9)


@pytest.mark.parametrize("dbfs", [-20.0, -33.0, -45.0])
def test_a_tone_of_1_khz_is_as_loud_as_its_mean_square(dbfs: float) -> None:
    """ITU-R BS.1770: a sine of 997 Hz on one channel, 0 dBFS in its peak, is -3.01 LUFS."""
    found = loudness(sine(997, 5, dbfs))
    assert found.integrated == pytest.approx(dbfs - 3.01, abs=0.15)
    assert found.peak == pytest.approx(dbfs, abs=0.7)
    assert found.seconds == 5.0


def test_pauses_do_not_make_speech_less_loud() -> None:
    tone, quiet = sine(997, 3, -23), np.zeros(6 * RATE, np.int16)
    together = loudness(np.concatenate([tone, quiet, tone])).integrated
    assert together == pytest.approx(loudness(tone).integrated, abs=0.7)


@pytest.mark.parametrize("dbfs", [-40.0, -25.0, -12.0, 0.0])
def test_whatever_is_recorded_ends_as_loud_as_the_voice_and_below_the_peak(dbfs: float) -> None:
    found = loudness(levelled(babble(8, dbfs)))
    assert found.integrated == pytest.approx(TARGET, abs=0.5)
    assert found.peak <= PEAK


def test_a_single_clap_does_not_make_the_speech_quiet() -> None:
    speech = babble(8, -25)
    speech[RATE : RATE + 40] = 32767
    found = loudness(levelled(speech))
    assert found.integrated == pytest.approx(TARGET, abs=0.7)
    assert found.peak <= PEAK


def test_a_microphone_with_an_offset_loses_it() -> None:
    assert abs(float(np.mean(levelled((babble(5, -20) // 2 + 2000).astype(np.int16))))) < 60


@pytest.mark.parametrize("floor", [-90.0, -62.0])
def test_the_silence_around_speech_goes_and_the_speech_stays(floor: float) -> None:
    speech = babble(5, -14)
    around = np.concatenate([np.zeros(2 * RATE, np.int16), speech, np.zeros(3 * RATE, np.int16)])
    kept = trimmed((around + noise(10, floor)).astype(np.int16))
    assert 4.6 < len(kept) / RATE < 5.6
    assert kept[0] == kept[-1] == 0


def test_the_click_of_the_key_that_ends_a_recording_goes_with_the_silence() -> None:
    click = np.zeros(RATE, np.int16)
    click[RATE // 2 : RATE // 2 + 300] = noise(300 / RATE, -12)
    kept = trimmed(np.concatenate([click, babble(5, -14), np.zeros(RATE, np.int16), click]))
    assert 4.6 < len(kept) / RATE < 5.6


@pytest.mark.parametrize("samples", [np.zeros(3 * RATE, np.int16), noise(3, -80), np.zeros(10, np.int16)])
def test_where_nothing_is_said_there_is_nothing_to_level(samples: Samples) -> None:
    with pytest.raises(SoundError) as caught:
        levelled(trimmed(samples))
    assert caught.value.code == "error.recording_silent"


def test_a_caller_hears_the_telephones_band_and_no_more() -> None:
    for hertz, passes in ((100, False), (500, True), (1000, True), (3000, True), (5000, False), (7000, False)):
        tone = sine(hertz, 2, -12)
        heard = as_callers_hear(tone)
        assert len(heard) == pytest.approx(len(tone), abs=64)
        assert bool(level(heard) > level(tone) - 4) is passes, hertz
        if not passes:
            assert level(heard) < level(tone) - 25, hertz


def test_a_line_coarsens_what_passes_but_not_beyond_hearing() -> None:
    """G.711 keeps about 38 dB between a signal and what its steps add."""
    tone = sine(1013, 2, -12)
    heard = as_callers_hear(tone).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))) ** 2
    at = round(1013 * len(heard) / RATE)
    signal = spectrum[at - 10 : at + 10].sum()
    assert 30 < 10 * np.log10(signal / (spectrum.sum() - signal)) < 45
