"""The ring: which loudspeaker gets it, how loud, and that nothing keeps it from being heard. Loudspeakers are made up here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from softphone.audio import ringing
from softphone.audio.files import write_wav
from softphone.audio.player import level_dbfs, tone
from softphone.audio.ringing import RINGS, Ring, Ringer, louder, sound_of
from softphone.domain.errors import SoundError
from softphone.system.settings_schema import RINGS as NAMED
from tests.peers.processes import until


class _Loudspeaker:
    there: ClassVar = {"headset", "loudspeaker"}
    sounding: ClassVar[dict[str, bytes]] = {}

    def __init__(self, device: str) -> None:
        self._device = device

    def play(self, pcm: bytes, *, loop: bool) -> None:
        assert loop
        if self._device not in self.there:
            raise SoundError("no_such_speaker", device=self._device)
        self.sounding[self._device] = pcm

    def stop(self) -> None:
        self.sounding.pop(self._device, None)


def _look(*, refresh: bool) -> None:
    assert refresh, "what was plugged in just now counts"


@pytest.fixture(autouse=True)
def _made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "Player", _Loudspeaker)
    monkeypatch.setattr(ringing, "list_devices", _look)
    _Loudspeaker.sounding = {}


def test_it_rings_on_the_chosen_loudspeaker_or_where_speech_is_heard_if_that_one_is_missing() -> None:
    now = Ring("loudspeaker", "bell", 100, "headset")
    ringer = Ringer(lambda: now)
    ringer.ring(on=True)
    until(lambda: set(_Loudspeaker.sounding) == {"loudspeaker"}, 15, "the ring")
    ringer.ring(on=False)
    until(lambda: not _Loudspeaker.sounding, 15, "its end")
    now = Ring("pulled out", "bell", 100, "headset")
    ringer.ring(on=True)
    until(lambda: set(_Loudspeaker.sounding) == {"headset"}, 15, "the ring elsewhere")
    ringer.ring(on=False)
    until(lambda: not _Loudspeaker.sounding, 15, "its end")


def test_each_ring_is_another_and_none_is_too_loud(tmp_path: Path) -> None:
    assert tuple(RINGS) == NAMED
    sounds = {name: sound_of(Ring(sound=name)) for name in RINGS}
    assert len(set(sounds.values())) == len(RINGS)
    for pcm in sounds.values():
        assert -45 < level_dbfs(pcm) < -18
        assert not any(pcm[-32_000:]), "a pause"
        assert np.abs(np.frombuffer(pcm, "<i2").astype(int)).max() < 32_767
    soft = sound_of(Ring(sound="bell", volume=50))
    assert level_dbfs(soft) == pytest.approx(level_dbfs(sounds["bell"]) - 6, abs=0.1)
    # A sound of one's own; a file that is none rings all the same.
    own = tmp_path / "own.wav"
    write_wav(own, tone(500, 1))
    assert sound_of(Ring(sound=f"file:{own}")).startswith(tone(500, 1))
    own.write_text("no sound")
    assert sound_of(Ring(sound=f"file:{own}")) == sounds["classic"]


def test_louder_than_the_scale_stays_on_it() -> None:
    loud = np.array([20_000, -20_000, 100], "<i2").tobytes()
    assert np.frombuffer(louder(loud, 200), "<i2").tolist() == [32_767, -32_768, 200]
    assert louder(loud, 100) is loud
