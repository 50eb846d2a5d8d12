"""Streams of 16 kHz, 16 bit, mono in blocks of 10 ms, whatever the device speaks: a sound server's go to it, all others through
PortAudio.

If such a device knows neither 16 kHz nor one channel, its own rate and two channels are used and converted here. The caller
decides what becomes of the sound.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from softphone.audio.devices import PULSE, Device, Side, steady, stream_closed, stream_opens
from softphone.audio.filters import Resampler
from softphone.audio.pulse_streams import PulseStream
from softphone.domain.errors import SoundError

if TYPE_CHECKING:
    import sounddevice

RATE = 16_000
BLOCK_MS = 10
LOST_AFTER = 1.0
"""seconds without a block after which a device is gone"""
FIRST_WITHIN = 10.0
"""seconds that a device may take until its first block: a headset that sleeps, a slow machine"""

Give = Callable[[bytes], None]
Ask = Callable[[int], bytes]


class Stream(Protocol):
    """An open stream. `called_at` is the monotonic moment of its last block, for a watcher. Before the first block it is
    that of its beginning, and `has_begun` is false."""

    device: Device
    called_at: float
    has_begun: bool

    @property
    def active(self) -> bool: ...

    def close(self) -> None: ...


class _PortAudioStream:
    def __init__(self, device: Device) -> None:
        self.device = device
        self.called_at = time.monotonic()
        self.has_begun = False
        self._raw: sounddevice._RawStream | None = None

    def begin(self, raw: sounddevice._RawStream) -> None:
        self._raw = raw
        stream_opens()
        self.called_at = time.monotonic()
        raw.start()

    @property
    def active(self) -> bool:
        return self._raw is not None and bool(self._raw.active)

    def close(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.abort(ignore_errors=True)
            raw.close(ignore_errors=True)
            stream_closed()


def open_microphone(device: Device, give: Give) -> Stream:
    """`give` gets each block on the stream's thread. Raises SoundError `microphone_failed`, or `no_such_microphone` if it has
    gone."""
    if device.host_api == PULSE:
        return PulseStream("microphone", device, give)
    with steady("microphone", device) as there:
        rate, channels = _shape("microphone", there)
        resample = Resampler(rate, RATE) if rate != RATE else None
        stream = _PortAudioStream(there)

        def block(indata: Any, frames: int, times: Any, status: object) -> None:  # noqa: ARG001
            stream.called_at, stream.has_begun = time.monotonic(), True
            pcm = bytes(indata)
            if channels == 2:
                pcm = np.frombuffer(pcm, "<i2").reshape(-1, 2).mean(axis=1).astype("<i2").tobytes()
            give(resample(pcm) if resample is not None else pcm)

        import sounddevice

        _begin(stream, sounddevice.RawInputStream, "microphone", rate, channels, block)
        return stream


def open_speaker(device: Device, ask: Ask) -> Stream:
    """`ask(n_bytes)` is called on the stream's thread and gives that many. Raises SoundError `speaker_failed`, or
    `no_such_speaker` if it has gone."""
    if device.host_api == PULSE:
        return PulseStream("speaker", device, ask)
    with steady("speaker", device) as there:
        rate, channels = _shape("speaker", there)
        resample = Resampler(RATE, rate) if rate != RATE else None
        stream = _PortAudioStream(there)
        ready = bytearray()

        def block(outdata: Any, frames: int, times: Any, status: object) -> None:  # noqa: ARG001
            stream.called_at, stream.has_begun = time.monotonic(), True
            wanted = frames * 2
            if resample is None:
                pcm = ask(wanted)
            else:
                while len(ready) < wanted:
                    ready.extend(resample(ask(RATE * BLOCK_MS // 1000 * 2)))
                pcm = bytes(ready[:wanted])
                del ready[:wanted]
            if channels == 2:
                pcm = np.repeat(np.frombuffer(pcm, "<i2"), 2).tobytes()
            outdata[:] = pcm

        import sounddevice

        _begin(stream, sounddevice.RawOutputStream, "speaker", rate, channels, block)
        return stream


def _begin(
    stream: _PortAudioStream,
    kind: type[sounddevice._RawStream],
    side: Side,
    rate: int,
    channels: int,
    block: Callable[[Any, int, Any, Any], None],
) -> None:
    import sounddevice

    reason = ""
    try:
        raw = kind(
            samplerate=rate,
            blocksize=rate * BLOCK_MS // 1000,
            device=stream.device.index,
            channels=channels,
            dtype="int16",
            latency="low",
            callback=block,
        )
        stream.begin(raw)
    except (sounddevice.PortAudioError, OSError, ValueError) as error:
        reason = str(error)
    if reason:
        stream.close()
        raise SoundError(f"{side}_failed", device=stream.device.id, detail=reason)


def _shape(side: Side, device: Device) -> tuple[int, int]:
    """The rate and channels to open with: the wanted ones if the device (or ALSA for it) can."""
    import sounddevice

    check = sounddevice.check_input_settings if side == "microphone" else sounddevice.check_output_settings
    reason = ""
    for rate in (RATE, int(device.rate), 48_000, 44_100):
        for channels in (1, 2):
            try:
                check(device=device.index, channels=channels, dtype="int16", samplerate=rate)
            except (sounddevice.PortAudioError, ValueError) as error:
                reason = str(error)
            else:
                return rate, channels
    raise SoundError(f"{side}_failed", device=device.id, detail=reason)
