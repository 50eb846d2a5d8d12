"""Speech faster or slower at the same pitch, block by block: waveform-similarity overlap-add (WSOLA, Verhelst and Roelands 1993).

16 kHz, mono. It knows no device and no recording.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME = 480
"""samples of a piece, 30 ms: some periods of the lowest voice"""
HOP = FRAME // 2
SEARCH = 160
"""samples to either side within which the piece is looked for that joins best"""

Mono = NDArray[np.int16]


class Stretcher:
    """Keeps its state from block to block: the blocks' outputs join without a seam. `speed` 1.5 is half as fast again.

    Where `speed` is 1 the sound goes through untouched.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
        self._kept = np.zeros(0, np.float32)
        self._at = 0.0
        """where the next piece is expected in `_kept`"""
        self._follows: int | None = None
        """where the last piece would go on in `_kept`"""
        self._tail = np.zeros(HOP, np.float32)

    @property
    def pending(self) -> int:
        """Samples that came in and are not yet in what went out, about."""
        return max(0, len(self._kept) - round(self._at)) if self._speed != 1 else 0

    def __call__(self, block: Mono) -> Mono:
        if self._speed == 1:
            return block
        self._kept = np.concatenate([self._kept, block.astype(np.float32)])
        out: list[NDArray[np.float32]] = []
        while len(self._kept) >= self._needed():
            out.append(self._piece())
        self._forget()
        if not out:
            return np.zeros(0, np.int16)
        return np.clip(np.rint(np.concatenate(out)), -32768, 32767).astype(np.int16)

    def flush(self) -> Mono:
        """The end of the sound, which is held back until it is known what comes next."""
        return self(np.zeros(FRAME + 2 * SEARCH, np.int16)) if self._speed != 1 else np.zeros(0, np.int16)

    def _needed(self) -> int:
        return max(round(self._at) + SEARCH, self._follows or 0) + FRAME

    def _piece(self) -> NDArray[np.float32]:
        """The next HOP samples."""
        middle = round(self._at)
        start = middle if self._follows is None else self._best(middle, self._follows)
        piece = self._kept[start : start + FRAME] * self._window
        made: NDArray[np.float32] = (self._tail + piece[:HOP]).astype(np.float32)
        self._tail = piece[HOP:]
        self._follows = start + HOP
        self._at += HOP * self._speed
        return made

    def _best(self, middle: int, follows: int) -> int:
        """Where near `middle` the sound is most like what would have come next."""
        low = max(0, middle - SEARCH)
        wanted = self._kept[follows : follows + FRAME]
        room = self._kept[low : middle + SEARCH + FRAME]
        likeness = np.correlate(room, wanted, "valid")
        squares = np.concatenate([[0.0], np.cumsum(room.astype(np.float64) ** 2)])
        power = squares[FRAME:] - squares[:-FRAME]
        return low + int(np.argmax(likeness / np.sqrt(power[: len(likeness)] + 1.0)))

    def _forget(self) -> None:
        """What no later piece can reach."""
        over = min(round(self._at) - SEARCH, self._follows if self._follows is not None else 0)
        over = min(over, len(self._kept))
        if over > 0:
            self._kept = self._kept[over:]
            self._at -= over
            if self._follows is not None:
                self._follows -= over
