"""The agent's microphone and ear in a call: how loud they are, and the short sounds that the agent alone hears in them.

It opens no device and knows no call.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Protocol

from softphone.audio.player import level_dbfs, tone
from softphone.audio.ringing import louder
from softphone.domain.effects import Tone

SILENT_DBFS = -100.0


class End(Protocol):
    def pull(self, n_bytes: int, /) -> bytes: ...
    def push(self, data: bytes, /) -> None: ...


TONES: dict[Tone, bytes] = {
    Tone.STARTED: tone(880, 0.12, level_db=-26),
    Tone.STOPPED: tone(440, 0.12, level_db=-26),
    Tone.WARNING: tone(660, 0.25, level_db=-22),
}
"""what the agent alone hears; quiet enough to talk over"""


WAITING = (
    tone(425, 0.2, level_db=-30) + bytes(2 * 16_000 // 5) + tone(425, 0.2, level_db=-30) + bytes(2 * 16_000 * 34 // 10)
)
"""a call that waits beside another: softly, twice in four seconds"""


class SetEnd(Protocol):
    def __call__(self, sound: End, notices: Callable[[bytes], None] | None = None, /) -> None: ...


class Ear:
    """One end's microphone and another's speaker, with short tones mixed in for the agent. `level`: how loud the speaker is,
    in dBFS, while it is `watched`. `volumes`: per cent, of microphone and speaker."""

    def __init__(self, microphone: End, speaker: End, *, watched: bool, volumes: tuple[int, int] = (100, 100)) -> None:
        self.volumes = volumes
        self.watched = watched
        self._microphone = microphone
        self.level = SILENT_DBFS
        self._speaker = speaker
        self._tone = b""
        self._again = b""

    def sound(self, pcm: bytes) -> None:
        self._tone = pcm

    def beside(self, pcm: bytes) -> None:
        """A frame of something else that is heard over the speech; on pjmedia's thread."""
        self._tone += pcm

    def repeat(self, pcm: bytes) -> None:
        """From now on, again and again; empty: no more."""
        if not pcm and self._again:
            self._tone = b""
        self._again = pcm

    def pull(self, n_bytes: int, /) -> bytes:
        """On pjmedia's thread, as `push`."""
        return louder(self._microphone.pull(n_bytes), self.volumes[0])

    def push(self, data: bytes, /) -> None:
        data = louder(data, self.volumes[1])
        tone = self._tone or self._again
        taken = tone[: len(data)]
        if taken:
            self._tone = tone[len(taken) :]
            data = _mixed(data, taken)
        if self.watched:
            self.level = level_dbfs(data)
        self._speaker.push(data)


def _mixed(speech: bytes, over: bytes) -> bytes:
    """Two sounds of 16-bit samples as one of the first's length."""
    both, more = array("h", speech), array("h", over)
    for at, value in enumerate(more):
        both[at] = max(-32768, min(32767, both[at] + value))
    return both.tobytes()
