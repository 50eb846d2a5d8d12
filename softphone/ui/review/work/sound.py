"""The sound of the open recording, on a thread of its own: played from the sealed container, and drawn as it goes.

It alone reads the container. When it has let go, nothing of the sound is left in memory. It does not know the catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal

from softphone.audio.playback import Heard, Playback, Speaker
from softphone.domain.archive.recordings import RATE
from softphone.ui.review.dependencies import COLUMNS, Opened
from softphone.ui.review.work.thread import WorkerThread

TOLD = 12
"""blocks of sound between two reports"""
WATCH = 0.25
"""seconds between two looks at the device, while it plays"""


class Sound(WorkerThread):
    """marked(turn, list of Mark): all that there is to know of it. drawn(turn, first column, loudness (n, 2) of 0…1),
    changed(): it plays or stops."""

    marked = Signal(int, object)
    drawn = Signal(int, int, object)
    changed = Signal()

    def __init__(self, speaker: Speaker) -> None:
        super().__init__("review-sound")
        self._speaker = speaker
        self._playback: Playback | None = None
        self._starts: Playback | None = None
        """this one is to play, as soon as the thread comes to it"""
        self._drawing: Iterator[None] | None = None
        self._turn = 0
        self._speed, self._skips = 1.0, False

    def end_soon(self) -> None:
        self.let_go()
        super().end_soon()

    # --- what the window asks -------------------------------------------------------------------

    @property
    def position(self) -> int:
        playback = self._playback
        return playback.position if playback is not None else 0

    @property
    def has_sound(self) -> bool:
        """Whether something lies ready for the device."""
        playback = self._playback
        return playback is not None and playback.has_sound

    @property
    def playing(self) -> bool:
        playback = self._playback
        return playback is not None and playback.playing

    @property
    def waits(self) -> bool:
        """It is to play, and nothing lies ready for the device."""
        playback = self._playback
        starts = playback is not None and self._starts is playback
        return starts or (playback is not None and playback.playing and not playback.has_sound)

    @property
    def turn(self) -> int:
        """Counts the recordings: reports about an earlier one are not drawn."""
        return self._turn

    def take(self, opened: Opened, heard: Heard) -> None:
        """Another recording, silent until `play`. The one before was let go. `heard` gets what is played of it."""
        playback = Playback(opened.reader.pcm, opened.length, self._speaker, self._wake, heard)
        playback.set_speed(self._speed)
        playback.set_skips_silence(on=self._skips)
        self._turn += 1
        turn, self._playback = self._turn, playback

        def begin() -> None:
            if self._playback is playback:
                self._drawing = self._draw(turn, opened)

        self._do(begin)

    def let_go(self, then: Callable[[], None] = lambda: None) -> None:
        """Silent at once; `then` is called once nothing reads the container any more."""
        playback, self._playback = self._playback, None
        self._turn += 1
        if playback is not None:
            playback.hush()

        def drop() -> None:
            self._drawing = None
            if playback is not None:
                playback.close()
            then()
            self.changed.emit()

        self._do(drop)

    def play(self) -> None:
        playback = self._starts = self._playback

        def begin() -> None:
            self._starts = None
            if playback is None or playback is not self._playback:
                return
            try:
                playback.play()
            finally:
                self.changed.emit()

        self._do(begin)

    def pause(self) -> None:
        if self._playback is not None:
            self._do(self._playback.pause)
            self._do(self.changed.emit)

    def seek(self, at: int) -> None:
        if self._playback is not None:
            self._playback.seek(at)

    def set_speed(self, speed: float) -> None:
        self._speed = speed
        if self._playback is not None:
            self._playback.set_speed(speed)

    def set_skips_silence(self, *, on: bool) -> None:
        self._skips = on
        if self._playback is not None:
            self._playback.set_skips_silence(on=on)

    # --- on its thread --------------------------------------------------------------------------

    def _patience(self) -> float | None:
        """A device that has gone asks for nothing any more, so it must be watched."""
        if self._drawing is not None:
            return 0
        return WATCH if self.playing else None

    def _between(self) -> None:
        """Playing comes first; drawing has time."""
        playback = self._playback
        if playback is not None:
            played = playback.playing
            try:
                filled = playback.fill()
            finally:
                if played and not playback.playing:
                    self.changed.emit()
            if filled:
                self._rung = True
                return
        if self._drawing is not None and next(self._drawing, True):
            self._drawing = None

    def _draw(self, turn: int, opened: Opened) -> Iterator[None]:
        """The loudest of each voice in each column, reported piece by piece."""
        columns = min(COLUMNS, max(1, opened.length // (RATE // 50)))
        width = opened.length / columns
        loud: NDArray[np.float32] = np.zeros((columns, 2), np.float32)
        at = emitted = 0
        self.marked.emit(turn, opened.reader.marks())
        yield
        for number, block in enumerate(opened.reader.pcm(0)):
            which = ((at + np.arange(len(block))) / width).astype(np.int64).clip(0, columns - 1)
            first = int(which[0])
            starts = np.flatnonzero(np.diff(which, prepend=first - 1))
            peaks = np.maximum.reduceat(np.abs(block.astype(np.int32)), starts, axis=0).astype(np.float32) / 32768
            here = loud[first : first + len(peaks)]
            np.maximum(here, peaks, out=here)
            if turn != self._turn:
                return
            at += len(block)
            done = int(which[-1])
            if number % TOLD == 0 or at >= opened.length:
                self.drawn.emit(turn, emitted, loud[emitted : done + 1].copy())
                emitted = done
            yield
