"""A recording played back to the person at the desk: until its end, or until the device goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from softphone.audio import player
from softphone.audio.devices import Device, Devices
from softphone.audio.player import Player
from softphone.audio.streams import RATE
from softphone.domain.errors import SoundError

HEADSET = Device("ALSA: headset", "headset", "ALSA", 0, 0, 2, 48_000, False, True)


class Speaker:
    """Asks for a second of sound at once, and `goes` away or goes on."""

    def __init__(self, ask: Callable[[int], bytes], *, goes: bool) -> None:
        self.device = HEADSET
        self.active = True
        self.called_at = time.monotonic()
        self.closed = threading.Event()
        self._ask, self._goes = ask, goes
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self._ask(2 * RATE)
        if self._goes:
            self.active = False
            return
        while not self.closed.is_set():
            self._ask(2 * RATE)

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("goes", [True, False], ids=["it goes away", "it plays on"])
def test_nobody_waits_for_a_speaker_that_has_gone(goes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Speaker] = []

    def open_it(_: Device, ask: Callable[[int], bytes]) -> Speaker:
        opened.append(Speaker(ask, goes=goes))
        return opened[-1]

    monkeypatch.setattr(player, "list_devices", lambda: Devices((HEADSET,), ()))
    monkeypatch.setattr(player, "open_speaker", open_it)
    playing = Player(HEADSET.id)
    playing.play(bytes(2 * RATE * 10))
    if goes:
        with pytest.raises(SoundError, match="speaker_lost"):
            playing.wait()
        assert playing.seconds == pytest.approx(1.0)
    else:
        assert playing.wait()
        assert playing.seconds == pytest.approx(10.0)
    assert opened[0].closed.is_set()


def test_what_is_played_again_and_again_has_no_end_and_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Callable[[int], bytes]] = []

    def open_it(_: Device, ask: Callable[[int], bytes]) -> Speaker:
        asked.append(ask)
        return Speaker(lambda _n: b"", goes=True)

    monkeypatch.setattr(player, "list_devices", lambda: Devices((HEADSET,), ()))
    monkeypatch.setattr(player, "open_speaker", open_it)
    ringing = Player(HEADSET.id)
    ringing.play(bytes(range(1, 6)), loop=True)
    heard = b"".join(asked[0](4) for _ in range(5)) + asked[0](12)
    assert heard == (bytes(range(1, 6)) * 7)[:32]
    assert not ringing._over.is_set()
    ringing.stop()
    assert asked[0](4) == bytes(4)
