"""Sound files of notices: read whatever a controller recorded, write what the phone plays (WAV, 16 kHz, mono, 16 bit).

No sound of a call ever passes here.
"""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from softphone.domain.errors import SoundError
from softphone.domain.notice import LEAD
from softphone.plugin.sound_file import bytes_of

Samples = NDArray[np.int16]

RATE = 16_000
SHORTEST = 0.5
LONGEST = 90.0
"""seconds that a notice may last"""


def read_any(path: Path) -> Samples:
    """A sound file of any common format as 16 kHz mono samples. Raises SoundError if it is missing, not a sound, or too
    short or long."""
    return samples_of(bytes_of(path), path)


def samples_of(raw: bytes, path: Path) -> Samples:
    """The sound in these bytes, and in nothing that they refer to. `path` is for the SoundError, as in `read_any`."""
    try:
        samples = _decoded(raw)
    except (av.error.FFmpegError, OSError, ValueError, IndexError):
        raise SoundError("policy.fault.sound_unreadable", path=str(path)) from None
    seconds = len(samples) / RATE
    if not SHORTEST <= seconds <= LONGEST:
        raise SoundError("policy.fault.sound_length", path=str(path), seconds=round(seconds, 1))
    if not np.any(np.abs(samples.astype(np.int32)) > 100):
        raise SoundError("policy.fault.sound_silent", path=str(path))
    return samples


def _decoded(raw: bytes) -> Samples:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    parts: list[Samples] = []
    most = int((LONGEST + 1) * RATE)
    with av.open(io.BytesIO(raw), mode="r", options={"protocol_whitelist": "none"}) as container:
        for frame in container.decode(container.streams.audio[0]):
            parts += [_samples(part) for part in resampler.resample(frame)]
            if sum(len(part) for part in parts) > most:
                break
    parts += [_samples(part) for part in resampler.resample(None)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def _samples(frame: av.AudioFrame) -> Samples:
    return frame.to_ndarray().reshape(-1).astype(np.int16)


def read_wav(raw: bytes) -> Samples:
    """Samples of a WAV file of our own format. ValueError for anything else."""
    try:
        with wave.open(io.BytesIO(raw)) as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
                raise ValueError("not 16 kHz mono 16 bit")
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(str(error)) from None
    return np.frombuffer(frames[: len(frames) // 2 * 2], dtype="<i2").astype(np.int16)


def wav_with_lead(samples: Samples, lead: float = LEAD) -> bytes:
    """A WAV file of our own format that begins with `lead` seconds of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(bytes(2 * round(lead * RATE)) + samples.astype("<i2").tobytes())
    return file.getvalue()
