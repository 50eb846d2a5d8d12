"""Listening to a recording: its chunks opened with data keys, decoded, and laid out in time.

It reads no more of the file than what is heard. Pauses between segments are silence of their true length. A segment that no
key opens is passed over, and so is damage, which is silence of its length.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np

from softphone.archive.files.container import (
    CHUNK_MAGIC,
    FRAME,
    HEAD_BYTES,
    PREFIX_BYTES,
    RATE,
    UNKNOWN,
    Chunk,
    Content,
    Damage,
    Header,
    Sealer,
    header_size,
    length_of,
    read_header,
    record_at,
    scan,
)
from softphone.archive.files.opus import PREROLL, Decoder, Pcm
from softphone.domain.archive.recordings import Mark, MarkKind
from softphone.domain.errors import ArchiveError

BLOCK = 8_192
"""bytes that a search reads at a time; a chunk has about 5,000"""
_FADE = RATE // 10
"""samples faded in where the chunk before is lost and cannot be decoded as preroll"""
UNREADABLE = "error.archive.recording_unreadable"


@dataclass(frozen=True, slots=True)
class Structure:
    """What can be seen of a file without a key."""

    header: Header
    raw_header: bytes = field(repr=False)
    chunks: tuple[Chunk, ...] = field(repr=False)
    damages: tuple[Damage, ...] = ()


def read_structure(path: Path) -> Structure:
    """Raises ArchiveError: no such file, none of ours, or of a version that is not known here."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    header, start = read_header(data)
    found = list(scan(data, start))
    return Structure(
        header,
        data[:start],
        tuple(item for item in found if isinstance(item, Chunk)),
        tuple(item for item in found if isinstance(item, Damage)),
    )


def unknown(path: Path) -> ArchiveError | None:
    """Why a file is refused that may be another version's; None of any other, and of one that cannot be read."""
    if not path.is_file():  # who opens a pipe waits
        return None
    try:
        with path.open("rb") as file:
            prefix = file.read(PREFIX_BYTES)
            read_header(prefix + file.read(header_size(prefix) - len(prefix)))
    except ArchiveError as error:
        return error if error.code in UNKNOWN else None
    except OSError:
        return None
    return None


@dataclass(frozen=True, slots=True)
class Segment:
    """One that can be opened: `origin` in frames of the call, `samples` a side. Not `complete`: it broke off."""

    number: int
    origin: int
    samples: int
    complete: bool

    @property
    def begin(self) -> int:
        """in samples of the call"""
        return self.origin * FRAME

    @property
    def end(self) -> int:
        return self.begin + self.samples


class OpenedRecording:
    """A recording's file, open, as far as the given data keys open it. `keys` maps segment numbers to data keys.

    For one thread. `file` is closed with it.
    """

    def __init__(self, file: BinaryIO, keys: Mapping[int, bytes]) -> None:
        self._file = file
        self._closed = weakref.finalize(self, file.close)
        self._size = file.seek(0, os.SEEK_END)
        raw = self._read(0, header_size(self._read(0, PREFIX_BYTES)))
        self.header, self._start = read_header(raw)
        recording = self.header.recording
        self._sealers = {number: Sealer(raw, recording, number, key) for number, key in keys.items()}
        self.segments = list[Segment]()
        found = {number: self._segment(number) for number in sorted(keys)}
        self.segments = sorted((one for one in found.values() if one is not None), key=lambda one: one.origin)
        self._silent = [number for number, one in found.items() if one is None]
        """of which nothing can be opened: never recorded, or lost"""

    @classmethod
    def open(cls, path: Path, keys: Mapping[int, bytes]) -> OpenedRecording:
        """Raises ArchiveError as `read_structure` does."""
        try:
            file = path.open("rb", buffering=0)
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            return cls(file, keys)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        self._closed()

    @property
    def keys(self) -> int:
        """how many segments it has a key of"""
        return len(self._sealers)

    @property
    def length(self) -> int:
        """samples a side, pauses included"""
        return max((one.end for one in self.segments), default=0) - self._begin

    @property
    def _begin(self) -> int:
        return self.segments[0].begin if self.segments else 0

    def pcm(self, at: int = 0) -> Iterator[Pcm]:
        """From sample `at` on, in blocks of (n, 2)."""
        here = self._begin + at
        for one in self.segments:
            if one.end > here:
                yield from _silence(one.begin - here)
                yield from self.segment_pcm(one, max(here - one.begin, 0))
                here = one.end

    def segment_pcm(self, segment: Segment, at: int = 0) -> Iterator[Pcm]:
        """From the segment's sample `at` on."""
        delay, want = self.header.delay, segment.samples - at
        packet = max((at + delay) // FRAME - PREROLL, 0)
        decoder, expected = Decoder(self.header.opus_head), packet
        skip = at + delay - packet * FRAME
        for content in self.contents(segment.number, packet):
            missing = (content.first - expected) * FRAME
            if missing > 0:
                decoder = Decoder(self.header.opus_head)
                expected = content.first
            packets = content.packets[max(expected - content.first, 0) :]
            sound = np.concatenate([np.zeros((0, 2), np.int16), *(decoder.decode(one) for one in packets)])
            # Block by block: nobody can say how much is missing.
            for block in chain(_silence(missing), [_faded_in(sound) if missing > 0 else sound]):
                skipped = min(skip, len(block))
                skip -= skipped
                wanted = block[skipped : skipped + want]
                want -= len(wanted)
                if len(wanted):
                    yield wanted
                if want <= 0:
                    return
            expected = content.first + len(content.packets)
        yield from _silence(want)

    def marks(self) -> list[Mark]:
        """Pauses, gaps and what is damaged, at their places in what `pcm` gives. The file is read through, a chunk at a time."""
        marks: list[Mark] = []
        at = self._begin
        for one in self.segments:
            begin = one.begin - self._begin
            if one.begin > at:
                marks.append(Mark(MarkKind.PAUSE, at - self._begin, one.begin - at))
            marks += self._marks_within(one.number, begin)
            at = max(at, one.end)
            if not one.complete:
                marks.append(Mark(MarkKind.BROKE_OFF, begin + one.samples, 0))
        marks.sort(key=lambda mark: mark.at)  # a gap may begin in the segment before
        return marks + [Mark(MarkKind.LOST, at - self._begin, 0)] * self._lost()

    def _marks_within(self, number: int, out: int) -> Iterator[Mark]:
        """Of one segment, whose first sample is `out` in what is played."""
        expected, delay = 0, self.header.delay
        for content in self.contents(number):
            if content.first > expected:
                start = max(expected * FRAME - delay, 0)
                yield Mark(MarkKind.DAMAGED, out + start, content.first * FRAME - delay - start)
            for gap in content.gaps:
                yield from self._gap(out + gap.at * FRAME, gap.frames * FRAME, out)
            expected = content.first + len(content.packets)

    def _gap(self, at: int, samples: int, out: int) -> Iterator[Mark]:
        """What of it lies before its segment, which begins at `out`, is a gap in the segments before; a pause is none."""
        for one in self.segments:
            begin, end = max(at, one.begin - self._begin), min(at + samples, one.end - self._begin, out)
            if begin < end:
                yield Mark(MarkKind.GAP, begin, end - begin)
        if at + samples > out:
            yield Mark(MarkKind.GAP, max(at, out), at + samples - max(at, out))

    def _lost(self) -> int:
        """How many segments of a damaged file give nothing, or have chunks which their key does not open."""
        if not self._silent:
            return 0
        at, whole, sealed = self._start, True, set[int]()
        while (chunk := self._next(at)) is not None:
            whole = whole and chunk.offset == at
            at = chunk.end
            sealed.add(chunk.segment)
        whole = whole and at == self._size
        return sum(not whole or number in sealed for number in self._silent)

    def contents(self, segment: int, packet: int = 0) -> Iterator[Content]:
        """From the chunk on that holds the packet, as far as the segment goes. Those that its key does not open are left out."""
        opens = self._sealers[segment].open

        def reached(chunk: Chunk) -> bool:
            if chunk.segment != segment or not packet:
                return chunk.segment < segment
            content = opens(chunk)
            return content is None or content.first <= packet

        # Where the first of the file is lost, none is reached, and it begins with the next.
        at = self._last_where(reached, self._about(segment, packet)) or self._start
        while (chunk := self._next(at)) is not None and chunk.segment <= segment:
            at, content = chunk.end, opens(chunk)
            if content is not None and content.first + len(content.packets) > packet:
                yield content

    def _segment(self, number: int) -> Segment | None:
        at = self._last_where(
            lambda chunk: chunk.segment <= number, self._size - BLOCK if number == max(self._sealers) else None
        )
        last = None if at is None else self._at(at)
        content = self._sealers[number].open(last) if last is not None else None
        is_whole = content is not None and last is not None and last.final
        if content is None and last is not None and last.segment == number:
            # It is not what was sealed: the last that is counts.
            content = next(iter(deque(self.contents(number), 1)), None)
        if content is None:
            return None
        coded = max((content.first + len(content.packets)) * FRAME - self.header.delay, 0)
        return Segment(number, content.origin, content.samples if is_whole else min(coded, content.samples), is_whole)

    def _about(self, segment: int, packet: int) -> int | None:
        """Where a packet may lie, if each takes as much of the file as any other."""
        frames = {one.number: one.samples // FRAME for one in self.segments}
        before = sum(count for number, count in frames.items() if number < segment)
        if not sum(frames.values()):
            return None
        return self._start + (self._size - self._start) * (before + packet) // sum(frames.values())

    def _last_where(self, reached: Callable[[Chunk], bool], near: int | None = None) -> int | None:
        """Where the last chunk begins for which `reached` holds: it holds for all before it and for none behind.

        None where it holds for none. `near`: a guess, which saves looks where each is far away.
        """
        low, high, found = self._start, self._size, None
        step = BLOCK
        while high - low > BLOCK:
            middle = (low + high) // 2 if near is None else min(max(near, low), high - 1)
            chunk = self._next(middle)
            if chunk is None or chunk.offset >= high or not reached(chunk):
                high, turned = middle, found is not None
                near = None if turned or near is None else middle - step
            else:
                turned = high < self._size
                found, low = chunk.offset, chunk.end
                near = None if turned or near is None else low + step
            step *= 4
        while (chunk := self._next(low)) is not None and reached(chunk):
            found, low = chunk.offset, chunk.end
        return found

    def _next(self, at: int) -> Chunk | None:
        """The first whole chunk that begins at `at` or later."""
        while at < self._size:
            if chunk := self._at(at):
                return chunk
            block = self._read(at + 1, BLOCK)
            where = block.find(CHUNK_MAGIC)
            at += 1 + (where if where >= 0 else max(len(block) - len(CHUNK_MAGIC), 0))
        return None

    def _at(self, at: int) -> Chunk | None:
        size = length_of(self._read(at, HEAD_BYTES), 0)
        chunk = record_at(self._read(at, size), 0) if size is not None else None
        return replace(chunk, offset=at) if chunk is not None else None

    def _read(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        data = b""
        while len(data) < size and (more := self._file.read(size - len(data))):
            data += more
        return data


def behind(marks: Sequence[Mark], at: int) -> list[Mark]:
    """As far as they are of what comes from sample `at` on."""
    cut = (replace(mark, samples=mark.samples - max(at - mark.at, 0)) for mark in marks)
    return [mark for mark in cut if mark.samples > 0 or mark.at >= at]


def _unreadable(path: Path, error: OSError) -> ArchiveError:
    return ArchiveError(UNREADABLE, path=str(path), detail=error.strerror or "")


def _silence(samples: int) -> Iterator[Pcm]:
    while samples > 0:
        yield np.zeros((min(samples, RATE), 2), np.int16)
        samples -= RATE


def _faded_in(sound: Pcm) -> Pcm:
    faded = sound.astype(np.float32)
    length = min(_FADE, len(faded))
    faded[:length] *= np.linspace(0.0, 1.0, length, dtype=np.float32)[:, None]
    return faded.astype(np.int16)
