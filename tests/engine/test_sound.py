"""The level meters of the settings: what the speaker is given moves its meter, while somebody looks at it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from softphone.audio.files import write_wav
from softphone.audio.player import tone
from softphone.domain.effects import Tone
from softphone.engine.sound import SILENT_DBFS, TONES, End, Sound


def test_the_speakers_meter_shows_what_is_heard_while_it_is_watched(tmp_path: Path) -> None:
    ends: list[End] = []
    inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    sound = Sound(ends.append, inbox.put, lambda: None)
    voice = tmp_path / "voice.wav"
    write_wav(voice, bytes(32_000))
    sound.use(f"file:{voice}", "none")
    sound.talking(on=True)
    heard = tone(440, 0.5, level_db=-30)[8_000:8_640]
    ends[-1].push(heard)
    assert sound.levels() == (SILENT_DBFS, SILENT_DBFS)
    sound.watch(on=True)
    ends[-1].push(heard)
    assert sound.levels()[1] == pytest.approx(-30, abs=1.5)
    # The agent's own tone is heard by the agent, so that it counts.
    sound.tone(Tone.WARNING)
    for at in range(0, len(TONES[Tone.WARNING]) // 2, 640):
        ends[-1].push(bytes(640))
        assert at >= 0
    assert sound.levels()[1] > -30
    ends[-1].push(bytes(640))
    sound.talking(on=False)
    assert sound.levels()[1] == SILENT_DBFS
    sound.close()
