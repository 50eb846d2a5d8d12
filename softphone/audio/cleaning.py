"""The agent's microphone without the loudspeaker's echo and without the room's noise, where the agent asks for it.

WebRTC's own processing, in blocks of 10 ms on the sound devices' threads. Both are off from the start: they also take a
little of the voice, and what is recorded is what was said.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pywebrtc_audio

RATE = 16_000
BLOCK = RATE // 100 * 2
_BEHIND = 20
"""blocks of the loudspeaker that wait at most: the library finds the echo's delay by itself, but not an ever longer one"""
_NOISE_LEVEL = 1
"""the library's second of four; the others took more from the voice than they took from the noise"""


class Cleaner:
    """`heard` gets what the loudspeaker plays, `clean` what the microphone gives, in step; each on its own thread."""

    def __init__(self, *, echo: bool, noise: bool) -> None:
        self._echo = echo
        self._played: deque[bytes] = deque(maxlen=_BEHIND)
        self._processor = _processor(echo, noise) if echo or noise else None

    @property
    def works(self) -> bool:
        return self._processor is not None

    def heard(self, pcm: bytes) -> None:
        if self._echo and self._processor is not None:
            self._played.extend(pcm[at : at + BLOCK] for at in range(0, len(pcm), BLOCK))

    def clean(self, pcm: bytes) -> bytes:
        """Of the same length. 6 to 8 ms of it come with the next."""
        if self._processor is None:
            return pcm
        near = np.frombuffer(pcm, "<i2")
        if not self._echo:
            return self._processor.process(near).tobytes()
        far = bytearray()
        while len(far) < len(pcm) and self._played:
            far += self._played.popleft()
        return self._processor.process(
            near, np.frombuffer(bytes(far[: len(pcm)]).ljust(len(pcm), b"\0"), "<i2")
        ).tobytes()


def _processor(echo: bool, noise: bool) -> pywebrtc_audio.AudioProcessor | None:
    """None where the library is missing: the voice is as it is."""
    try:
        import pywebrtc_audio
    except (ImportError, OSError):
        return None
    return pywebrtc_audio.AudioProcessor(
        sample_rate=RATE, echo_cancellation=echo, noise_suppression=noise, ns_level=_NOISE_LEVEL
    )
