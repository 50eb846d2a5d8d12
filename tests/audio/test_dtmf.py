"""Keys as tones: each is found once, and speech is not taken for one (talk-off)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from plugins.espeak_voice.espeak import Espeak
from softphone.audio import dtmf
from softphone.audio.dtmf import HeardKey, KeyListener, keys_as_sound
from softphone.audio.filters import resampled
from softphone.audio.narrow import as_callers_hear

KEYS = "123456789*0#"
FRAME = 640
SPEECH = (
    "Goddag, du taler med Anna fra Nordlys. Samtalen bliver optaget, hvis du siger ja. Et, to, tre, fire, fem, seks. "
    "Jeg har et spørgsmål til min regning fra sidste måned, for den er alt for høj, og jeg forstår ikke hvorfor. "
    "Uh ja, øh, nej, åh, iih, det ved jeg ikke rigtig. Kan du høre mig? Hallo? Mit nummer er otte seks fire to nul ni. "
) * 2


def heard(pcm: bytes) -> list[HeardKey]:
    listener = KeyListener()
    return [key for at in range(0, len(pcm) - FRAME + 1, FRAME) for key in listener.hear(pcm[at : at + FRAME])]


def sound(keys: str, seconds: float = 0.12, *, off: float = 1.0, level_db: float = -12.0) -> bytes:
    pcm = keys_as_sound(keys, seconds, level_db=level_db)
    if off != 1.0:
        samples = np.frombuffer(pcm, "<i2")
        at = np.arange(0, len(samples) - 1, off)
        pcm = np.interp(at, np.arange(len(samples)), samples).astype("<i2").tobytes()
    return bytes(1_000) + pcm + bytes(3_200)


@pytest.mark.parametrize("how", ["as it is", "on a telephone line", "quiet", "with noise"])
def test_each_key_is_found_once_and_surely_when_it_lasts_80_ms(how: str) -> None:
    pcm = sound(KEYS, level_db=-36 if how == "quiet" else -12)
    samples = np.frombuffer(pcm, "<i2")
    if how == "on a telephone line":
        pcm = as_callers_hear(samples).astype("<i2").tobytes()
    elif how == "with noise":
        pcm = (
            (samples + np.random.default_rng(7).normal(0, 1_000, len(samples)))
            .clip(-32768, 32767)
            .astype("<i2")
            .tobytes()
        )
    assert heard(pcm) == [HeardKey(key, sure=True) for key in KEYS]


def test_a_short_key_is_found_and_is_not_sure() -> None:
    assert heard(sound("19*", 0.06)) == [HeardKey(key, sure=False) for key in "19*"]
    assert heard(sound("19*", 0.02)) == []


@pytest.mark.parametrize("lost", [20, 40, 60])
def test_a_tone_in_which_packets_were_lost_is_one_key_and_two_presses_are_two(lost: int) -> None:
    samples = np.frombuffer(sound("4", 0.4), "<i2").copy()
    for ms in range(150, 170, 5):
        cut = samples.copy()
        cut[ms * 16 : (ms + lost) * 16] = 0
        assert [one.key for one in heard(cut.tobytes())] == ["4"], ms
    # As quick as a dialler is, and quicker than any hand.
    assert [one.key for one in heard(sound("44", 0.1))] == ["4", "4"]
    assert [one.key for one in heard(sound("44") + bytes(len(samples)) + sound("4"))] == ["4", "4", "4"]


def test_a_key_under_speech_is_never_sure() -> None:
    # Without its pauses, in which a key would be one.
    frames = np.frombuffer(_speech("da"), "<i2")[: 160 * 2_000].reshape(-1, 160).astype(float)
    voice = frames[np.abs(frames).max(axis=1) > 4_000].reshape(-1) * 0.4
    tones = np.frombuffer(keys_as_sound("2" * 10, 0.2, 0.1), "<i2")
    mixed = voice[: len(tones)] + tones[: len(voice)] * 0.2
    assert not any(one.sure for one in heard(mixed.astype("<i2").tobytes()))


@pytest.mark.parametrize(
    ("mixed", "quieter_db", "found"),
    [(False, 0, True), (True, 12, True), (True, 6, False)],
    ids=["the telephone is silent for its key", "over soft talk", "under talk"],
)
def test_a_key_pressed_into_talk_is_heard_where_the_telephone_makes_room_for_it(
    mixed: bool, quieter_db: float, found: bool
) -> None:
    """A voice of 120 Hz, so much quieter than the key's tones."""
    tone, at, hush = np.frombuffer(keys_as_sound("9"), "<i2").astype(float), dtmf.RATE // 2, dtmf.RATE // 25
    times, phases = np.arange(dtmf.RATE) / dtmf.RATE, np.random.default_rng(1).random(27) * 6
    harmonics = np.arange(1, 28)[:, None]
    voice = (np.sin(2 * np.pi * 120 * harmonics * times + phases[:, None]) / harmonics).sum(0)
    voice *= np.std(tone[: dtmf.RATE // 10]) / np.std(voice) / 10 ** (quieter_db / 20)
    if not mixed:
        voice[at - hush : at + len(tone) + hush] = 0
    voice[at : at + len(tone)] += tone
    assert [one.key for one in heard(voice.clip(-32768, 32767).astype("<i2").tobytes())] == ["9"] * found


def test_a_telephone_that_is_a_little_off_is_heard_and_one_that_is_far_off_is_none() -> None:
    """ITU-T Q.24: to be taken within 1.5 %, not to be taken beyond 3.5 %."""
    for off in (0.985, 1.015):
        assert [one.key for one in heard(sound("1590#", off=off))] == list("1590#")
    for off in (0.96, 1.04):
        assert heard(sound("1590#", off=off)) == []


@pytest.mark.rule("G03")
def test_speech_is_not_taken_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four voices, some straight and some by telephone. A more credulous ear does hear keys in them."""
    voices = [_speech(voice) for voice in ("da", "da+f3", "da+m3", "en+croak")]
    lines = [as_callers_hear(np.frombuffer(one, "<i2")).astype("<i2").tobytes() for one in voices[:2]]
    print(f"{sum(map(len, (*voices, *lines))) / 32_000:.0f} s of speech")
    assert [key for one in (*voices, *lines) for key in heard(one)] == []
    for name, value in (("_LIKE", 0.35), ("_CLEAN", 0.35), ("_EDGE", 0.0), ("_ONE_LOUDER", 100.0), ("_SHORTEST", 2)):
        monkeypatch.setattr(dtmf, name, value)
    assert [key for one in voices for key in heard(one)] != []


@pytest.mark.rule("G31")
def test_hold_music_is_not_taken_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Melodies in two tones that die away, which have keys' very tones in them: it refuses for nobody."""
    music = as_callers_hear(_melodies(600)).astype("<i2").tobytes()
    print(f"{len(music) / 32_000:.0f} s of music")
    assert heard(music) == []
    monkeypatch.setattr(dtmf, "_EDGE", 0.0)
    assert heard(music) != []


def test_a_long_key_is_told_once_at_its_end_with_how_long_it_lasted() -> None:
    (key,) = heard(sound("5", 2.0))
    assert (key.key, key.sure) == ("5", True)
    assert key.lasted == pytest.approx(2.0, abs=0.05)


def _melodies(notes: int) -> NDArray[np.int16]:
    rng = np.random.default_rng(3)
    parts: list[NDArray[np.float64]] = []
    for _ in range(notes):
        times = np.arange(int(rng.uniform(0.12, 0.5) * 16_000)) / 16_000
        low = 440 * 2 ** (rng.integers(0, 24) / 12)
        high = low * 2 ** (rng.choice([3, 4, 5, 7, 8, 9, 12]) / 12)
        wave = np.sin(2 * np.pi * low * times) + rng.uniform(0.4, 1) * np.sin(2 * np.pi * high * times)
        parts.append(wave * 7_000 * np.exp(-times * 3))
    return np.concatenate(parts).astype(np.int16)


def _speech(voice: str) -> bytes:
    spoken = Espeak().speak(SPEECH, voice)
    return resampled(spoken.samples.tobytes(), spoken.rate, 16_000)
