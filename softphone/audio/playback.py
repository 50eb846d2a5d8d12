"""A long sound played from a source that is pulled block by block: from any moment, faster, without its silences.

Never more than half a second lies ready, and nothing is written anywhere. The caller has the source and pulls it on its own
thread (`fill`). The device's thread takes what is ready and never waits.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from softphone.audio.devices import Devices, SoundFault, list_devices
from softphone.audio.filters import Mono, Stretcher
from softphone.audio.streams import FIRST_WITHIN, LOST_AFTER, RATE, Ask, open_speaker
from softphone.domain.errors import SoundError

SPEEDS = (1.0, 1.25, 1.5, 2.0)
READY = RATE // 2
"""samples that lie ready at most, and a block more"""
PIECE = RATE // 5
"""samples of the source at a time, so that a long block keeps nobody waiting"""
TAIL = RATE // 5
"""the device holds some sound back: the silence after it lets the last words be heard"""
QUIET = 260
"""as loud as this or less (-42 dBFS) is silence"""
PAUSE = 3 * RATE // 10
"""samples that are left of a skipped silence"""
_CELL = RATE // 50

Source = Callable[[int], Iterator[NDArray[np.int16]]]
"""from a sample on: blocks of (n, 2)"""


class Loudspeaker(Protocol):
    @property
    def active(self) -> bool: ...
    @property
    def called_at(self) -> float:
        """the monotonic moment at which it last asked, or was opened"""
        ...

    @property
    def has_begun(self) -> bool:
        """whether it has asked yet"""
        ...

    def close(self) -> None: ...


Speaker = Callable[[Ask], Loudspeaker]
"""opens a device that asks for sound: 16 kHz, 16 bit, mono. Raises SoundError"""


def speaker(device: str = "") -> Speaker:
    """The output with that id, or the system's, even if it was plugged in a moment ago."""

    def open_it(ask: Ask) -> Loudspeaker:
        try:
            return _opened(list_devices(), device, ask)
        except SoundError:
            # The last look's output may be another by now; a new look takes a while.
            return _opened(list_devices(refresh=True), device, ask)

    return open_it


def _opened(devices: Devices, device: str, ask: Ask) -> Loudspeaker:
    found = devices.find("speaker", device)
    if isinstance(found, SoundFault):
        raise SoundError(found.code, device=device, detail=found.detail)
    return open_speaker(found, ask)


@dataclass(slots=True)
class _Ready:
    """Sound for the device, and its beginning and end in the source."""

    pcm: bytes
    begin: int
    end: int
    taken: int = 0

    @property
    def place(self) -> int:
        """How far in the source it has been taken."""
        return self.begin + (self.end - self.begin) * self.taken // len(self.pcm)


class Heard:
    """How much of a sound of `length` samples has been played, each moment of it counted once."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._cells = bytearray(-(-length // _CELL))

    def add(self, begin: int, end: int) -> None:
        first, last = begin // _CELL, -(-end // _CELL)
        self._cells[first:last] = b"\1" * (last - first)

    @property
    def samples(self) -> int:
        """To 20 ms."""
        return min(self._length, self._cells.count(1) * _CELL)


class Playback:
    """Plays `source`, `length` samples a side, both voices together on one loudspeaker.

    Several threads may call it, but only one calls `fill`. `wake` is called when there is something for it to do; `heard`
    gets what is played.
    """

    def __init__(
        self,
        source: Source,
        length: int,
        speaker: Speaker,
        wake: Callable[[], None] = lambda: None,
        heard: Heard | None = None,
    ) -> None:
        self._source, self._length, self._speaker, self._wake = source, length, speaker, wake
        self._heard = heard or Heard(length)
        self._lock = threading.Lock()
        self._ready: deque[_Ready] = deque()
        self._samples = 0
        self._at = 0
        """what is heard now"""
        self._turn = 0
        """counts the jumps: blocks from before one are not played after it"""
        self._pulled_turn = -1
        self._blocks: Iterator[NDArray[np.int16]] | None = None
        self._rest = np.zeros((0, 2), np.int16)
        self._next = 0
        """where in the source the next block begins"""
        self._stretch = Stretcher(1.0)
        self._silent_for = 0
        self._through = False
        """all of the source has been pulled"""
        self._playing = False
        self._stream: Loudspeaker | None = None
        self.speed = 1.0
        self.skips_silence = False

    @property
    def position(self) -> int:
        """The sample that is heard now."""
        with self._lock:
            return self._at

    @property
    def has_sound(self) -> bool:
        """Whether something lies ready for the device."""
        with self._lock:
            return bool(self._ready)

    @property
    def playing(self) -> bool:
        with self._lock:
            return self._playing

    def play(self) -> None:
        """Go on from where it is, or from the beginning if that is the end. Raises SoundError, and does not play then."""
        if self.playing:
            return
        if self._at >= self._length:
            self.seek(0)
        with self._lock:
            self._playing = True
        try:
            stream = self._speaker(self._give)
        except SoundError:
            with self._lock:
                self._playing = False
            raise
        with self._lock:
            self._stream = stream
        self._wake()

    def pause(self) -> None:
        with self._lock:
            stream, self._stream, self._playing = self._stream, None, False
        # Not under the lock: the device may be asking for its last block.
        if stream is not None:
            stream.close()

    def seek(self, at: int) -> None:
        """Sample `at` is heard next; what lay ready is dropped."""
        with self._lock:
            self._at = min(max(at, 0), self._length)
            self._turn += 1
            self._ready.clear()
            self._samples = 0
            self._through = False
        self._wake()

    def set_speed(self, speed: float) -> None:
        self.speed = speed
        self.seek(self.position)

    def set_skips_silence(self, *, on: bool) -> None:
        self.skips_silence = on
        self.seek(self.position)

    def hush(self) -> None:
        """Silent at once, and for good. The device is closed later, where that may take its time."""
        with self._lock:
            self._playing = False
            self._turn += 1
            self._ready.clear()
            self._samples = 0

    def close(self) -> None:
        """Nothing of the sound is left here."""
        self.pause()
        self.seek(0)
        self._blocks, self._rest = None, np.zeros((0, 2), np.int16)

    def fill(self) -> bool:
        """Pull a piece, if one is wanted. False if there is nothing to do for now: all is ready, or it is over.

        Raises whatever the source raises, and SoundError `speaker_lost` if the device has gone; then it has paused.
        """
        with self._lock:
            turn, at, playing, stream = self._turn, self._at, self._playing, self._stream
            wanted = self._samples < READY and not self._through
            over = self._through and not self._ready
        if not playing:
            return False
        if stream is not None and _is_lost(stream):
            self.pause()
            raise SoundError("speaker_lost", device="", detail="")
        if over:
            self.pause()
            return False
        if not wanted:
            return False
        if turn != self._pulled_turn:
            self._begin(turn, at)
        try:
            piece = self._pull()
        except Exception:
            self.pause()
            raise
        self._take(turn, piece)
        return True

    # --- on the thread that fills ---------------------------------------------------------------

    def _begin(self, turn: int, at: int) -> None:
        self._pulled_turn, self._next, self._silent_for = turn, at, 0
        self._blocks, self._rest = self._source(at), np.zeros((0, 2), np.int16)
        self._stretch = Stretcher(self.speed)

    def _pull(self) -> _Ready | None:
        """The next piece, maybe without sound; None at the end."""
        if not len(self._rest):
            block = next(self._blocks, None) if self._blocks is not None else None
            if block is None:
                self._blocks = None
                return None
            self._rest = block
        piece, self._rest = self._rest[:PIECE], self._rest[PIECE:]
        begin, self._next = self._next, self._next + len(piece)
        # Half as loud each, so that they never clip together.
        mixed: Mono = ((piece[:, 0].astype(np.int32) + piece[:, 1]) // 2).astype(np.int16)
        if self.skips_silence:
            mixed = self._without_silence(mixed)
        lag = self._stretch.pending
        made = self._stretch(mixed)
        return _Ready(made.tobytes(), max(0, begin - lag), max(0, self._next - self._stretch.pending))

    def _without_silence(self, sound: Mono) -> Mono:
        """The first of each silence is left, so that sentences stay apart."""
        kept: list[Mono] = []
        for at in range(0, len(sound), _CELL):
            cell = sound[at : at + _CELL]
            loud = int(np.abs(cell.astype(np.int32)).max(initial=0)) > QUIET
            self._silent_for = 0 if loud else self._silent_for + len(cell)
            if self._silent_for <= PAUSE:
                kept.append(cell)
        return np.concatenate(kept) if kept else np.zeros(0, np.int16)

    def _take(self, turn: int, piece: _Ready | None) -> None:
        if piece is None:
            begin = max(0, self._length - self._stretch.pending)
            end = self._stretch.flush().tobytes() + bytes(2 * TAIL)
            piece, last = _Ready(end, begin, self._length), True
        else:
            last = False
        with self._lock:
            if turn != self._turn:
                return
            if piece.pcm:
                self._ready.append(piece)
                self._samples += len(piece.pcm) // 2
            self._through = last

    # --- on the device's thread -----------------------------------------------------------------

    def _give(self, n_bytes: int) -> bytes:
        out = bytearray()
        with self._lock:
            while self._ready and len(out) < n_bytes:
                first = self._ready[0]
                more = first.pcm[first.taken : first.taken + n_bytes - len(out)]
                out += more
                begin = first.place
                first.taken += len(more)
                self._samples -= len(more) // 2
                self._at = first.place
                self._heard.add(begin, self._at)
                if first.taken >= len(first.pcm):
                    self._ready.popleft()
            hungry = self._samples < READY
        if hungry:
            self._wake()
        return bytes(out).ljust(n_bytes, b"\0")


def _is_lost(stream: Loudspeaker) -> bool:
    """It has fallen silent; or it never began, for which a slow machine has longer."""
    patience = LOST_AFTER if stream.has_begun else FIRST_WITHIN
    return not stream.active or time.monotonic() - stream.called_at >= patience
