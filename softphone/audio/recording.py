"""A notice recorded with the microphone. Not for calls: those are the engine's."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from softphone.audio.devices import Device, SoundFault, list_devices
from softphone.audio.streams import RATE, Stream, open_microphone
from softphone.domain.errors import SoundError

LONGEST = 90.0
"""seconds; after that it takes no more"""


class MicrophoneRecorder:
    """`start` opens the microphone with that id (empty: the system's), `stop` closes it and gives what it heard.

    ::

        recorder = MicrophoneRecorder()
        recorder.start()
        samples = recorder.stop()   # 16 kHz, mono, 16 bit
    """

    def __init__(self, device: str = "") -> None:
        self._device = device
        self._lock = threading.Lock()
        self._heard = bytearray()
        self._stream: Stream | None = None

    def find(self) -> Device:
        """Raises SoundError `no_microphone`, `no_such_microphone` or `sound_missing`."""
        found = list_devices().find("microphone", self._device)
        if isinstance(found, SoundFault):
            raise SoundError(found.code, device=self._device, detail=found.detail)
        return found

    def start(self) -> None:
        """Raises SoundError as `find`, or `microphone_failed`."""
        self._stream = open_microphone(self.find(), self._take)

    def stop(self) -> NDArray[np.int16]:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        with self._lock:
            return np.frombuffer(bytes(self._heard), dtype="<i2").astype(np.int16)

    def _take(self, pcm: bytes) -> None:
        """On PortAudio's thread."""
        with self._lock:
            if len(self._heard) < LONGEST * RATE * 2:
                self._heard += pcm
