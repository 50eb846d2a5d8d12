"""Echo and noise at the microphone, with speech and a room that are made here. How much goes, and how little of the voice."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from plugins.espeak_voice.espeak import Espeak
from softphone.audio.cleaning import BLOCK, RATE, Cleaner
from softphone.audio.filters import resampled

Sound = NDArray[np.float64]
TEXT = (
    "Jeg har et spørgsmål til min regning fra sidste måned, for den er alt for høj, og jeg forstår ikke hvorfor. " * 3
)


def speech(voice: str) -> Sound:
    spoken = Espeak().speak(TEXT, voice)
    sound = np.frombuffer(resampled(spoken.samples.tobytes(), spoken.rate, RATE), "<i2").astype(np.float64)[: 16 * RATE]
    return sound * 2_500 / np.std(sound)


def db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(sound**2) + 1e-9))


def through(cleaner: Cleaner, microphone: Sound, loudspeaker: Sound | None = None) -> Sound:
    near = microphone.clip(-32768, 32767).astype("<i2").tobytes()
    far = b"" if loudspeaker is None else loudspeaker.clip(-32768, 32767).astype("<i2").tobytes()
    out = bytearray()
    for at in range(0, len(near) - BLOCK + 1, BLOCK):
        cleaner.heard(far[at : at + BLOCK])
        out += cleaner.clean(near[at : at + BLOCK])
    return np.frombuffer(bytes(out), "<i2").astype(np.float64)


def test_the_loudspeakers_echo_goes_and_a_voice_without_one_stays() -> None:
    loudspeaker, voice = speech("da"), speech("da+f3")
    rng = np.random.default_rng(3)
    room = np.zeros(RATE // 4)
    way = RATE * 11 // 100
    room[way:] = rng.normal(0, 1, len(room) - way) * np.exp(-np.arange(len(room) - way) / (0.035 * RATE))
    echo: Sound = np.convolve(loudspeaker, room * 0.3 / np.sqrt(np.sum(room**2))).real[: len(loudspeaker)]
    left = through(Cleaner(echo=True, noise=False), echo, loudspeaker)
    later = slice(4 * RATE, len(left))
    print(
        f"echo {db(echo[:RATE]) - db(left[:RATE]):.0f} dB in the first second, {db(echo[later]) - db(left[later]):.0f} dB later"
    )
    assert db(echo[later]) - db(left[later]) > 30
    kept = through(Cleaner(echo=True, noise=False), voice, np.zeros(len(voice)))
    assert db(kept) - db(voice) == pytest.approx(0, abs=1.5)


def test_noise_goes_down_and_the_voice_stays() -> None:
    voice = speech("da+f3")
    noise = np.random.default_rng(5).normal(0, 250, 12 * RATE)
    left = through(Cleaner(echo=False, noise=True), noise)
    print(f"noise {db(noise[3 * RATE :]) - db(left[3 * RATE :]):.1f} dB")
    assert db(noise[3 * RATE :]) - db(left[3 * RATE :]) > 6
    assert db(through(Cleaner(echo=False, noise=True), voice)) - db(voice) == pytest.approx(0, abs=0.5)


def test_what_nobody_asked_for_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = speech("da")[: 2 * RATE]
    as_it_is = through(Cleaner(echo=False, noise=False), voice)
    assert np.abs(as_it_is - voice[: len(as_it_is)]).max() <= 1
    monkeypatch.setitem(__import__("sys").modules, "pywebrtc_audio", None)
    missing = Cleaner(echo=True, noise=True)
    assert not missing.works
    assert np.array_equal(through(missing, voice, voice), as_it_is)
