"""Sound for the person at the desk alone: a recording played back, a short tone, a test tone, a level.

None of it comes near a call's sound. Everything here opens a device for itself and closes it again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import numpy as np

from softphone.audio.devices import Device, Side, SoundFault, list_devices
from softphone.audio.filters import resampled
from softphone.audio.streams import LOST_AFTER, RATE, Stream, open_microphone, open_speaker
from softphone.domain.errors import SoundError

SILENT_DBFS = -96.0
_TAIL = RATE // 5 * 2


class Player:
    """Plays PCM (16 bit, mono, any rate) on an output device. One sound at a time.

    ::

        player = Player()
        player.play(pcm, rate=48_000)   # returns at once
        player.wait()
    """

    def __init__(self, device: str = "") -> None:
        self._device = device
        self._lock = threading.Lock()
        self._pcm = b""
        self._at = self._length = 0
        self._loop = False
        self._over = threading.Event()
        self._over.set()
        self._stream: Stream | None = None

    def play(self, pcm: bytes, rate: int = RATE, *, loop: bool = False) -> None:
        """`loop`: again and again, until `stop`.

        Raises SoundError `no_speaker`, `no_such_speaker`, `sound_missing` or `speaker_failed`.
        """
        self.stop()
        if rate != RATE:
            pcm = resampled(pcm, rate, RATE)
        # The device holds some sound back: the silence after it lets the last words be heard.
        self._pcm, self._at, self._loop = pcm + bytes(0 if loop else _TAIL), 0, loop
        self._length = len(self._pcm)
        self._over.clear()
        try:
            self._stream = open_speaker(_found("speaker", self._device), self._next)
        except SoundError:
            self._over.set()
            raise

    def _next(self, n_bytes: int) -> bytes:
        with self._lock:
            taken = self._pcm[self._at : self._at + n_bytes]
            self._at += len(taken)
            while self._loop and self._pcm and len(taken) < n_bytes:
                again = self._pcm[: n_bytes - len(taken)]
                taken, self._at = taken + again, len(again)
            if self._at >= len(self._pcm) and not self._loop:
                self._over.set()
        return taken.ljust(n_bytes, b"\0")

    @property
    def seconds(self) -> float:
        """How far it has got."""
        with self._lock:
            return min(self._at, max(0, self._length - _TAIL)) / 2 / RATE

    def wait(self, seconds: float | None = None) -> bool:
        """Until it has been played; False when the time ran out first. Raises SoundError `speaker_lost`."""
        until = time.monotonic() + (math.inf if seconds is None else seconds)
        while not self._over.wait(max(0.0, min(LOST_AFTER / 4, until - time.monotonic()))):
            stream = self._stream
            if stream is not None and not (stream.active and time.monotonic() - stream.called_at < LOST_AFTER):
                self.stop()
                raise SoundError("speaker_lost", device=stream.device.id, detail="")
            if time.monotonic() >= until:
                return False
        self.stop()
        return True

    def stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        with self._lock:
            # Its position is still known; the sound itself does not stay.
            self._pcm = b""
        self._over.set()


class TestTone:
    """A tone for the settings page: 440 Hz at -20 dBFS, one second, on a chosen output."""

    __test__ = False

    def __init__(self, device: str = "") -> None:
        self._player = Player(device)

    def play(self, seconds: float = 1.0) -> None:
        """Raises SoundError as `Player.play`."""
        self._player.play(tone(440, seconds))

    def wait(self, seconds: float | None = None) -> bool:
        return self._player.wait(seconds)

    def stop(self) -> None:
        self._player.stop()


class LevelMeter:
    """How loud the microphone is, for the settings page.

    `changed` gets dBFS (0 is full scale, -96 silence) about ten times a second on PortAudio's thread.
    """

    def __init__(self, device: str = "", changed: Callable[[float], None] | None = None) -> None:
        self._device = device
        self._changed = changed
        self._gathered = bytearray()
        self._level = SILENT_DBFS
        self._stream: Stream | None = None

    def open(self) -> None:
        """Raises SoundError `no_microphone`, `no_such_microphone`, `sound_missing` or
        `microphone_failed`."""
        self.close()
        self._stream = open_microphone(_found("microphone", self._device), self._take)

    @property
    def level(self) -> float:
        return self._level

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _take(self, pcm: bytes) -> None:
        self._gathered += pcm
        if len(self._gathered) >= RATE // 10 * 2:
            self._level = level_dbfs(bytes(self._gathered))
            self._gathered.clear()
            if self._changed is not None:
                self._changed(self._level)


def level_dbfs(pcm: bytes) -> float:
    """The root mean square of 16-bit samples in dB below full scale."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    power = float(np.sqrt(np.mean(samples**2))) / 32768 if len(samples) else 0.0
    return max(SILENT_DBFS, 20 * math.log10(power)) if power > 0 else SILENT_DBFS


def tone(hertz: float, seconds: float, level_db: float = -20.0, rate: int = RATE) -> bytes:
    """A sine with soft edges of 10 ms; 16 bit, mono."""
    times = np.arange(int(seconds * rate)) / rate
    edge = np.minimum(1.0, np.minimum(times, times[::-1]) / 0.01)
    wave = np.sin(2 * np.pi * hertz * times) * edge * 10 ** (level_db / 20) * math.sqrt(2)
    return (np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes()


def _found(side: Side, device: str) -> Device:
    found = list_devices().find(side, device)
    if isinstance(found, SoundFault):
        raise SoundError(found.code, device=device, detail=found.detail)
    return found
