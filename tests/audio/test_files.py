"""Sound ends without a device."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from softphone.audio.files import FileSound, Silence, read_wav, write_wav
from softphone.audio.player import level_dbfs, tone
from softphone.domain.errors import SoundError


def test_silence_is_silent_and_of_the_length_asked_for() -> None:
    silence = Silence()
    silence.push(b"\1" * 640)
    assert silence.pull(640) == bytes(640)


def test_a_file_is_said_once_and_then_silence(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    write_wav(path, b"\1\2" * 400)
    sound = FileSound.from_wav(path)
    assert sound.pull(640) == b"\1\2" * 320
    assert not sound.said_all
    assert sound.pull(640) == b"\1\2" * 80 + bytes(480)
    assert sound.said_all
    assert sound.pull(640) == bytes(640)


def test_a_looped_file_joins_its_end_to_its_beginning() -> None:
    pcm = bytes(range(100))
    sound = FileSound(pcm, loop=True)
    assert sound.pull(640) + sound.pull(640) == (pcm * 13)[:1280]


def test_what_is_heard_is_remembered_only_when_asked_for() -> None:
    deaf, attentive = FileSound(), FileSound(remember=True)
    for sound in (deaf, attentive):
        sound.push(b"\1" * 640)
        sound.push(b"\2" * 640)
    assert deaf.heard() == b""
    assert attentive.heard() == b"\1" * 640 + b"\2" * 640
    attentive.forget()
    assert attentive.heard() == b""


def test_new_words_replace_the_old_ones_while_another_thread_pulls() -> None:
    sound = FileSound(b"\1\1" * 100_000, loop=True)
    pulled: list[bytes] = []

    def pull() -> None:
        pulled.extend(sound.pull(640) for _ in range(500))

    thread = threading.Thread(target=pull)
    thread.start()
    sound.say(b"\2\2" * 320)
    thread.join()
    sound.pull(640)
    assert sound.said_all
    assert {len(frame) for frame in pulled} == {640}


@pytest.mark.parametrize("content", [b"", b"RIFF", bytes(range(256)) * 10])
def test_a_file_that_is_no_sound_is_a_sound_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(SoundError) as caught:
        read_wav(path)
    assert caught.value.code == "sound_file"


def test_a_file_of_another_rate_is_a_sound_error_that_says_which(tmp_path: Path) -> None:
    path = tmp_path / "cd.wav"
    write_wav(path, bytes(100), rate=44_100)
    with pytest.raises(SoundError) as caught:
        read_wav(path)
    assert "44100" in str(caught.value.params["reason"])


@pytest.mark.parametrize("level", [-40.0, -20.0, -6.0])
def test_a_level_is_measured_in_decibels_below_full_scale(level: float) -> None:
    assert level_dbfs(tone(440, 1.0, level_db=level)) == pytest.approx(level, abs=0.2)
    assert level_dbfs(bytes(640)) == level_dbfs(b"") == -96.0
