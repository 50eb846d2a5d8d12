"""The sound of calls for the rest of the program: frames on their way out, and a sound end.

Sound ends themselves (devices, files, silence) live elsewhere. This folder has the ports, the notice and the wires between
them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from softphone.engine.sip.settings import CLOCK_RATE, FRAME_MS

FRAME_BYTES = CLOCK_RATE * FRAME_MS // 1000 * 2
SILENCE = bytes(FRAME_BYTES)

Frames = Callable[[str, int, bytes, bytes], None]
"""call, index, agent, party: one 20 ms frame of both sides, 640 bytes each (16 kHz, 16 bit, mono).

Called on pjmedia's thread; it must neither block nor raise. The index counts from 0 at the call's
establishing, one a tick, and those that were lost while the process stood still. A side that is held,
missing, muted or not open is silence.
"""


class SoundEnd(Protocol):
    """Where a call's sound comes from and goes to on this machine. 16 kHz, 16 bit, mono.

    Both are called on pjmedia's thread every 20 ms and return at once, whatever the device does.
    """

    def pull(self, n_bytes: int, /) -> bytes:
        """The microphone's next `n_bytes`; silence if there is nothing."""
        ...

    def push(self, data: bytes, /) -> None:
        """What the speaker plays next."""
        ...
