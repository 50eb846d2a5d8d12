"""A test call to oneself: the notice as a caller hears it, a tone, five seconds to speak, and then oneself as a caller hears it.

By turns, so that a loudspeaker does not feed the microphone. No SIP, no call and no recording: what was said is forgotten when
it has been heard.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

import numpy as np

from softphone.audio.cleaning import Cleaner
from softphone.audio.devices import SoundFault, list_devices
from softphone.audio.narrow import as_callers_hear
from softphone.audio.player import RATE, Player, tone
from softphone.audio.ringing import louder
from softphone.audio.streams import open_microphone
from softphone.domain.errors import SoundError

Step = Literal["", "notice", "speak", "listen"]
SPEAK_SECONDS = 5.0
_BEGIN = tone(880, 0.15, level_db=-24)


class OwnCall:
    """`run` takes its time, and `stop` ends it from another thread. `stepped` hears of each step, and of its end ("")."""

    def __init__(
        self,
        microphone: str,
        speaker: str,
        *,
        volumes: tuple[int, int],
        cleaner: Cleaner,
        stepped: Callable[[Step], None],
    ) -> None:
        self._microphone = microphone
        self._volumes = volumes
        self._cleaner = cleaner
        self._stepped = stepped
        self._player = Player(speaker)
        self._over = threading.Event()

    def run(self, notice: bytes) -> None:
        """Raises SoundError as the devices do."""
        try:
            if notice:
                self._stepped("notice")
                self._play(_narrow(notice))
            self._play(_BEGIN)
            if not self._over.is_set():
                self._stepped("speak")
                said = self._listen()
                self._stepped("listen")
                self._play(_narrow(louder(said, self._volumes[0])))
        finally:
            self._player.stop()
            self._stepped("")

    def stop(self) -> None:
        self._over.set()
        self._player.stop()

    def _play(self, pcm: bytes) -> None:
        if not self._over.is_set():
            self._player.play(louder(pcm, self._volumes[1]))
            if self._over.is_set():
                self._player.stop()
            self._player.wait(len(pcm) / 2 / RATE + 5)

    def _listen(self) -> bytes:
        device = list_devices().find("microphone", self._microphone)
        if isinstance(device, SoundFault):
            raise SoundError(device.code, device=self._microphone, detail=device.detail)
        said = bytearray()
        stream = open_microphone(device, lambda pcm: said.extend(self._cleaner.clean(pcm)))
        try:
            self._over.wait(SPEAK_SECONDS)
        finally:
            stream.close()
        return bytes(said)


def _narrow(pcm: bytes) -> bytes:
    if not pcm:
        return b""
    return as_callers_hear(np.frombuffer(pcm, "<i2")).astype("<i2").tobytes()
