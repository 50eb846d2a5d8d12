"""The ring of a call that comes in: a few sounds of our own, how loud, and on which loudspeaker.

Its device is not the headset's where the agent has chosen another. If that one is missing it rings where speech would be
heard: a call that nobody hears is lost. No call's own sound is known here.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from softphone.audio.devices import list_devices
from softphone.audio.files import read_wav
from softphone.audio.player import RATE, Player, tone
from softphone.domain.errors import KlartoneError

FILE = "file:"
NONE = "none"
PAUSE = 2.0
"""seconds of silence after each ring"""


@dataclass(frozen=True, slots=True)
class Ring:
    """`device`: an id, empty for `instead`, where speech is heard. `sound`: a name of `RINGS`, or `file:<path>` of a WAV
    file. `volume` is per cent."""

    device: str = ""
    sound: str = ""
    volume: int = 100
    instead: str = ""


class Ringer:
    """`ring` returns at once: a loudspeaker takes its time to open."""

    def __init__(self, chosen: Callable[[], Ring]) -> None:
        self._chosen = chosen
        self._on = False
        self._free = threading.Lock()
        self._player: Player | None = None

    @property
    def ringing(self) -> bool:
        return self._on

    def ring(self, on: bool) -> None:
        if on != self._on:
            self._on = on
            threading.Thread(target=self._follow, name="ring", daemon=True).start()

    def _follow(self) -> None:
        with self._free:
            if self._player is not None:
                self._player.stop()
                self._player = None
            ring = self._chosen()
            if not self._on or not ring.volume:
                return
            # The call's own sound opens while this is being closed, and finds what is found here.
            list_devices(refresh=True)
            pcm = sound_of(ring)
            for device in dict.fromkeys((ring.device or ring.instead, ring.instead)):
                if not device.startswith((FILE, NONE)):
                    with suppress(KlartoneError):
                        player = Player(device)
                        player.play(pcm, loop=True)
                        self._player = player
                        return


def sound_of(ring: Ring) -> bytes:
    """A file that is no sound rings as if none were chosen."""
    pcm = b""
    if ring.sound.startswith(FILE):
        with suppress(KlartoneError):
            pcm = read_wav(Path(ring.sound.removeprefix(FILE)))
    pcm = pcm or RINGS.get(ring.sound, RINGS["classic"])()
    return louder(pcm, ring.volume) + bytes(int(PAUSE * RATE) * 2)


def louder(pcm: bytes, per_cent: int) -> bytes:
    """Per cent of the voltage; what would be beyond the scale stays at its end."""
    if per_cent == 100:
        return pcm
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) * (per_cent / 100)
    return np.rint(samples).clip(-32768, 32767).astype("<i2").tobytes()


@cache
def classic() -> bytes:
    """As a Danish exchange rings: 425 Hz."""
    return tone(425, 0.9, level_db=-20)


@cache
def chime() -> bytes:
    """Two struck notes, a third apart, and once more."""
    return _struck((659.3, 523.3), 0.38) * 2


@cache
def bell() -> bytes:
    """A clear bell that is let ring."""
    return _struck((784.0,), 1.6, partials=((1, 1.0), (2.76, 0.4), (5.4, 0.2)))


@cache
def rise() -> bytes:
    """Four notes that rise."""
    return _struck((392.0, 493.9, 587.3, 784.0), 0.22)


@cache
def low() -> bytes:
    """Deep and soft, for a quiet room."""
    return _struck((220.0, 277.2), 0.6, partials=((1, 1.0), (2, 0.25)), level_db=-22)


RINGS: dict[str, Callable[[], bytes]] = {"classic": classic, "chime": chime, "bell": bell, "rise": rise, "low": low}


def _struck(
    notes: tuple[float, ...],
    seconds: float,
    *,
    partials: tuple[tuple[float, float], ...] = ((1, 1.0), (2, 0.35), (4, 0.12)),
    level_db: float = -16.0,
) -> bytes:
    """Notes as of something that is struck: each rings on under the next. `level_db` is the peak's."""
    tail = seconds * 2
    length = int((seconds * len(notes) + tail) * RATE)
    wave = np.zeros(length)
    for place, hertz in enumerate(notes):
        begins = int(place * seconds * RATE)
        times = np.arange(length - begins) / RATE
        decay = np.exp(-times * 3.2 / seconds) * np.minimum(1.0, times / 0.004)
        for times_as_high, strength in partials:
            wave[begins:] += strength * decay * np.sin(2 * math.pi * hertz * times_as_high * times)
    ends = np.minimum(1.0, np.arange(length)[::-1] / (0.02 * RATE))
    wave *= ends * 10 ** (level_db / 20) / np.abs(wave).max()
    return np.rint(wave * 32767).astype("<i2").tobytes()
