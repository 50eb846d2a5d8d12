"""The voice: real speech at a speaking rate, level for a telephone, with the times of its words."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest
from numpy.typing import NDArray

from plugins.espeak_voice import speak
from plugins.espeak_voice.espeak import Espeak, EspeakError
from plugins.espeak_voice.sound import telephone_wav
from softphone.domain.purpose import Language
from softphone.plugin.sounds import RATE, read_wav
from softphone.plugin.spec import Speech

TEXTS = {
    Language.DA: "Vi optager samtalen. Du kan gøre indsigelse, hvis du ikke vil have det. Læs mere på siden.",
    Language.EN: "We record this call. You can object if you don't want that, and we won't. Read more on the page.",
}


def heard(speech: Speech) -> NDArray[np.float64]:
    return read_wav(speech.wav).astype(np.float64) / 32768


def silences(samples: NDArray[np.float64]) -> list[float]:
    """Lengths of the pauses, in seconds."""
    gaps = np.diff(np.flatnonzero(np.abs(samples) > 0.01)) / RATE
    return [float(gap) for gap in gaps if gap > 0.2]


@pytest.mark.parametrize("language", list(Language))
def test_it_speaks_at_a_speaking_rate_with_a_pause_after_each_sentence(language: Language) -> None:
    samples = heard(speak(TEXTS[language], language))
    rate = len(TEXTS[language].split()) / (len(samples) / RATE) * 60
    assert 130 < rate < 190
    pauses = silences(samples)
    assert len([pause for pause in pauses if pause > 0.3]) == 2
    assert max(pauses) < 0.6


@pytest.mark.parametrize("language", list(Language))
def test_it_is_level_for_a_telephone(language: Language) -> None:
    samples = heard(speak(TEXTS[language], language))
    blocks = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    power: NDArray[np.float64] = np.mean(blocks**2, axis=1)
    spoken: NDArray[np.float64] = power[power > 10**-4.5]
    assert 10 * np.log10(float(np.mean(spoken))) == pytest.approx(-20, abs=1)
    assert 20 * np.log10(np.max(np.abs(samples))) < -3


@pytest.mark.parametrize("language", list(Language))
def test_every_word_has_its_time_in_order(language: Language) -> None:
    text = TEXTS[language]
    speech = speak(text, language)
    said = [text[word.start : word.end] for word in speech.words]
    assert " ".join(said).split() == text.replace(".", "").replace(",", "").split()
    times = [time for word in speech.words for time in (word.at, word.until)]
    assert times == sorted(times)
    assert times[-1] <= len(heard(speech)) / RATE
    assert all(0.02 < word.until - word.at < 1.2 for word in speech.words)


def test_a_word_is_heard_when_it_is_said_to_be() -> None:
    text = "Vi optager. Samtalen."
    speech = speak(text, Language.DA)
    samples = np.abs(heard(speech))
    last = speech.words[-1]
    assert text[last.start : last.end] == "Samtalen"
    before = samples[round((last.at - 0.3) * RATE) : round((last.at - 0.02) * RATE)]
    during = samples[round(last.at * RATE) : round(last.until * RATE)]
    assert float(np.max(before)) < 0.01 < 0.1 < float(np.max(during))


def test_the_languages_sound_different() -> None:
    text = "Press 1."
    assert heard(speak(text, Language.DA)).shape != heard(speak(text, Language.EN)).shape


def test_a_tone_keeps_its_pitch_when_it_is_brought_to_a_telephones_rate() -> None:
    tone = (np.sin(np.arange(22_050) * 2 * np.pi * 1000 / 22_050) * 8000).astype(np.int16)
    high = (np.sin(np.arange(22_050) * 2 * np.pi * 10_000 / 22_050) * 8000).astype(np.int16)
    samples = read_wav(telephone_wav([tone, high], 22_050)).astype(np.float64)
    assert len(samples) == 2 * RATE
    first, second = samples[:RATE], samples[RATE + 200 : -200]
    assert np.argmax(np.abs(np.fft.rfft(first))) == 1000
    assert np.max(np.abs(second)) < np.max(np.abs(first)) / 100


def test_nothing_to_say_and_no_such_voice_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        speak("  ", Language.DA)
    with pytest.raises(EspeakError):
        Espeak().speak("text", "no-such-voice")


def test_the_library_speaks_on_after_another_instance_has_come_and_gone() -> None:
    first = Espeak()
    with pytest.raises(EspeakError):
        Espeak().speak("text", "no-such-voice")
    gc.collect()
    assert first.speak("One sentence.", "en").samples.size


@pytest.mark.parametrize("folder", ["a folder that somebody gave a name, " * 4, "Bjørn Ægård"])
def test_it_speaks_from_a_folder_whose_path_the_library_cannot_keep(tmp_path: Path, folder: str) -> None:
    """The library is begun once a process, so each folder has one of its own."""
    data = tmp_path / folder / "espeak-ng-data"
    data.parent.mkdir()
    data.symlink_to(espeakng_loader.get_data_path(), target_is_directory=True)
    words = (
        "import sys, espeakng_loader as loader; loader.get_data_path = lambda: sys.argv[1];"
        "from plugins.espeak_voice import speak; from softphone.domain.purpose import Language;"
        "print(len(speak('Vi optager samtalen.', Language.DA).wav))"
    )
    root = Path(__file__).parents[3]
    spoken = subprocess.run(
        [sys.executable, "-c", words, data],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        check=False,
    )
    assert spoken.returncode == 0, spoken.stderr.decode()
    assert int(spoken.stdout) > RATE
