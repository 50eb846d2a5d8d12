"""What two phones said and heard in a call, as numbers: counters, tones, silence. 20 ms frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from softphone.audio.files import read_wav
from tests.peers.counter import FRAME, RATE, gaps, read_counters
from tests.peers.second_phone import SecondPhone


@dataclass(frozen=True)
class Pairs:
    """A call's frames at one phone, paired by index: its own microphone, and the party."""

    own: bytes
    heard: bytes

    @property
    def frames(self) -> int:
        return len(self.own) // 2 // FRAME


def pairs(phone: SecondPhone, folder: Path, call: str = "") -> Pairs:
    own, heard = folder / "own.wav", folder / "heard.wav"
    phone.ask("save", "Saved", own=str(own), heard=str(heard), **({"call": call} if call else {}))
    return Pairs(read_wav(own), read_wav(heard))


def ear(phone: SecondPhone, folder: Path) -> bytes:
    wav = folder / "ear.wav"
    phone.ask("ear", "Saved", wav=str(wav))
    return read_wav(wav)


def counters(pcm: bytes) -> list[int | None]:
    """The counters of a decoded side, at the delay (of codec and concealment) that reads best."""
    return max(
        (read_counters(pcm, shift) for shift in range(0, FRAME, 10)),
        key=lambda numbers: (sum(number is not None for number in numbers), -len(gaps(numbers))),
    )


def loudness(pcm: bytes) -> list[float]:
    """The root mean square of each frame."""
    samples = np.frombuffer(pcm[: len(pcm) // (2 * FRAME) * 2 * FRAME], "<i2").astype(float)
    return [float(level) for level in np.sqrt((samples.reshape(-1, FRAME) ** 2).mean(axis=1))]


def tone_frames(pcm: bytes, hertz: float) -> list[bool]:
    """Which frames are mostly that tone."""
    samples = np.frombuffer(pcm[: len(pcm) // (2 * FRAME) * 2 * FRAME], "<i2").astype(float)
    wave = np.exp(-2j * np.pi * hertz * np.arange(FRAME) / RATE)
    found: list[bool] = []
    for frame in samples.reshape(-1, FRAME):
        power = float(np.sum(frame**2))
        share = 2 * abs(np.dot(frame, wave)) ** 2 / FRAME / power if power > FRAME * 100**2 else 0.0
        found.append(share > 0.6)
    return found
