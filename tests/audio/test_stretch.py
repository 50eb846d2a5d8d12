"""Speech faster or slower: as long as asked for, at the same pitch, and without a seam between blocks."""

from __future__ import annotations

import numpy as np
import pytest

from softphone.audio.stretch import Stretcher

RATE = 16_000


def tone(seconds: float, pitch: float = 220.0) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return (8_000 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


@pytest.mark.parametrize("speed", [0.8, 1.25, 1.5, 2.0])
def test_it_lasts_as_long_as_asked_for_and_keeps_its_pitch_and_loudness(speed: float) -> None:
    stretch = Stretcher(speed)
    sound = tone(4)
    made = np.concatenate([*(stretch(sound[at : at + 3_200]) for at in range(0, len(sound), 3_200)), stretch.flush()])
    assert abs(len(made) / len(sound) - 1 / speed) < 0.03
    middle = made[RATE // 2 : RATE // 2 + RATE]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(int(np.argmax(spectrum)) - 220) <= 1
    assert 0.8 < float(np.std(middle)) / float(np.std(sound)) < 1.1
    # A seam would be a jump: between two samples a tone of 220 Hz moves less than this.
    assert int(np.max(np.abs(np.diff(middle.astype(int))))) < 1_400


def test_ordinary_speed_leaves_every_sample_as_it_is() -> None:
    stretch, sound = Stretcher(1.0), tone(0.5)
    assert np.array_equal(np.concatenate([stretch(sound), stretch.flush()]), sound)
    assert stretch.pending == 0


def test_it_keeps_no_more_of_the_sound_than_it_needs() -> None:
    stretch = Stretcher(1.5)
    for _ in range(100):
        stretch(tone(1))
    assert len(stretch._kept) < RATE
