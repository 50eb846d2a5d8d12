"""Sound through FFmpeg's filters, block by block: at another sample rate, or faster at the same pitch. 16 bit, mono.

No device and no recording is known here. FFmpeg is loaded with the first filter, not with this module.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import AudioFrame

Mono = NDArray[np.int16]

RATE = 16_000
_SHARP = "filter_size=48:cutoff=0.94"
"""of a change of rate: whole up to 7 kHz, nothing folded back from above 8; it holds back 1.5 ms"""


class FilterChain:
    """Filters by name and arguments, as FFmpeg has them. Keeps their state: the blocks' outputs join without a seam."""

    def __init__(self, rate: int, *filters: tuple[str, str]) -> None:
        import av.error
        import av.filter

        self._frame, self._nothing_more = av.AudioFrame, (av.error.BlockingIOError, av.error.EOFError)
        self._rate, self._fed = rate, 0
        self._graph = av.filter.Graph()
        self._graph.threads = 1
        source = self._graph.add_abuffer(sample_rate=rate, format="s16", layout="mono", time_base=Fraction(1, rate))
        between = [self._graph.add(name, arguments) for name, arguments in filters]
        self._graph.link_nodes(source, *between, self._graph.add("abuffersink")).configure()

    def frames(self, block: Mono | None) -> list[AudioFrame]:
        """What is ready once it has that block; None: it was the last, and what was held back comes."""
        if block is None:
            self._graph.push(None)
        elif len(block):
            frame = self._frame.from_ndarray(np.ascontiguousarray(block).reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts = self._rate, self._fed
            self._fed += len(block)
            self._graph.push(frame)
        ready: list[AudioFrame] = []
        while True:
            try:
                frame = self._graph.pull()
            except self._nothing_more:
                return ready
            assert isinstance(frame, self._frame)
            ready.append(frame)

    def __call__(self, block: Mono | None) -> Mono:
        """As `frames`, as samples."""
        ready = [np.asarray(frame.to_ndarray(), np.int16).reshape(-1) for frame in self.frames(block)]
        return np.concatenate(ready) if ready else np.zeros(0, np.int16)


class Resampler:
    """A sound that goes on, at another rate, as bytes: 1.5 ms late, so that from the first each block is as long as it was."""

    def __init__(self, source: int, target: int) -> None:
        self._chain = _at_rate(source, target)
        self._source, self._target = source, target
        self._fed = self._made = 0
        self._begun = False

    def __call__(self, pcm: bytes) -> bytes:
        self._fed += len(pcm) // 2
        made = self._chain(np.frombuffer(pcm, "<i2")).tobytes()
        if not self._begun:
            self._begun = bool(made)
            made = bytes(max(0, 2 * (self._fed * self._target // self._source - self._made) - len(made))) + made
            self._made += len(made) // 2
        return made


def resampled(pcm: bytes, source: int, target: int) -> bytes:
    """A whole sound: each moment of it where it was."""
    chain = _at_rate(source, target)
    made = np.concatenate([chain(np.frombuffer(pcm, "<i2")), chain(None)]).tobytes()
    length = 2 * round(len(pcm) // 2 * target / source)
    return made[:length].ljust(length, b"\0")


def _at_rate(source: int, target: int) -> FilterChain:
    return FilterChain(source, ("aresample", f"{target}:{_SHARP}"), ("aformat", "sample_fmts=s16"))


class Stretcher:
    """Speech faster or slower at the same pitch. `speed` 1.5 is half as fast again; at 1 it goes through untouched."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._chain = FilterChain(RATE, ("atempo", str(speed))) if speed != 1 else None
        self._fed = self._made = 0

    @property
    def pending(self) -> int:
        """Samples that came in and are not yet in what went out, about."""
        return max(0, self._fed - round(self._made * self._speed))

    def __call__(self, block: Mono) -> Mono:
        return self._through(block) if self._chain else block

    def flush(self) -> Mono:
        """The end of the sound, which is held back until it is known what comes next."""
        return self._through(None)

    def _through(self, block: Mono | None) -> Mono:
        made = self._chain(block) if self._chain else np.zeros(0, np.int16)
        self._fed += 0 if block is None else len(block)
        self._made += len(made)
        return made
