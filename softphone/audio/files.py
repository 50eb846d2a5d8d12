"""Sound ends without a device: a WAV file as microphone, memory as speaker, or nothing at all.

Used by the demo, by tests, and on machines without sound. Each has the phone's `pull` and `push`: 16 kHz, 16 bit, mono,
never waiting. No device is touched here.
"""

from __future__ import annotations

import threading
import wave
from pathlib import Path

from softphone.domain.errors import SoundError

RATE = 16_000


def read_wav(path: Path) -> bytes:
    """The samples of a 16 kHz, 16-bit, mono WAV file. Raises SoundError `sound_file`."""
    try:
        with wave.open(str(path), "rb") as sound:
            shape = (sound.getframerate(), sound.getsampwidth(), sound.getnchannels())
            pcm = sound.readframes(sound.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise SoundError("sound_file", path=str(path), reason=str(error)) from None
    if shape != (RATE, 2, 1):
        reason = f"{shape[0]} Hz, {8 * shape[1]} bit, {shape[2]} channels"
        raise SoundError("sound_file", path=str(path), reason=reason)
    return pcm


def write_wav(path: Path, pcm: bytes, rate: int = RATE) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(pcm)


class Silence:
    """No device at all: a silent microphone and a speaker that nobody hears."""

    def pull(self, n_bytes: int, /) -> bytes:
        return bytes(n_bytes)

    def push(self, data: bytes, /) -> None:
        del data


class FileSound:
    """A microphone that plays `pcm`, once or over and over, and a speaker that may remember.

    `say` replaces what is played from the next frame on; `heard` is all that came since `forget`.
    """

    def __init__(self, pcm: bytes = b"", *, loop: bool = False, remember: bool = False) -> None:
        self._lock = threading.Lock()
        self._pcm = pcm
        self._at = 0
        self._loop = loop
        self._heard: bytearray | None = bytearray() if remember else None

    @classmethod
    def from_wav(cls, path: Path, *, loop: bool = False, remember: bool = False) -> FileSound:
        """Raises SoundError `sound_file`."""
        return cls(read_wav(path), loop=loop, remember=remember)

    def say(self, pcm: bytes, *, loop: bool = False) -> None:
        with self._lock:
            self._pcm, self._at, self._loop = pcm, 0, loop

    @property
    def said_all(self) -> bool:
        with self._lock:
            return not self._loop and self._at >= len(self._pcm)

    def pull(self, n_bytes: int, /) -> bytes:
        with self._lock:
            taken = self._pcm[self._at : self._at + n_bytes]
            self._at += len(taken)
            while self._loop and self._pcm and len(taken) < n_bytes:
                more = self._pcm[: n_bytes - len(taken)]
                self._at = len(more)
                taken += more
        return taken.ljust(n_bytes, b"\0")

    def push(self, data: bytes, /) -> None:
        with self._lock:
            if self._heard is not None:
                self._heard += data

    def heard(self) -> bytes:
        with self._lock:
            return bytes(self._heard or b"")

    def forget(self) -> None:
        with self._lock:
            if self._heard is not None:
                self._heard.clear()
