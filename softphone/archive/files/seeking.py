"""Listening from any moment of a recording without reading the file: a few blocks are read, then chunk after chunk.

For files that are in order. Where bytes are damaged or missing it plays silence of their length; every damage is told by the
reader alone, which reads the whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
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
    Chunk,
    Content,
    Sealer,
    header_size,
    length_of,
    read_header,
    record_at,
)
from softphone.archive.files.opus import PREROLL, Decoder, Pcm
from softphone.archive.files.reader import NOTHING, UNREADABLE, Mark, MarkKind, marks_within
from softphone.domain.errors import ArchiveError

BLOCK = 8_192
"""bytes that a search reads at a time; a chunk has about 5,000"""


@dataclass(frozen=True, slots=True)
class Span:
    """A segment that can be opened: `origin` in frames of the call, `samples` a side. Not `complete`: it broke off."""

    number: int
    origin: int
    samples: int
    complete: bool


class SeekingReader:
    """One recording's file, open. `keys` maps segment numbers to data keys. Raises ArchiveError as `read_structure` does.

    `file` is taken over, and closed with it.
    """

    def __init__(self, file: BinaryIO, keys: Mapping[int, bytes]) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        raw = self._read(0, header_size(self._read(0, PREFIX_BYTES)))
        self.header, self._start = read_header(raw)
        self.silenced = 0
        """samples a side that were damaged or missing, of what `pcm` has given so far"""
        recording = self.header.recording
        self._sealers = {number: Sealer(raw, recording, number, key) for number, key in keys.items()}
        found = {number: self._span(number) for number in sorted(keys)}
        self.spans = sorted((span for span in found.values() if span is not None), key=lambda span: span.origin)
        self._silent = [number for number, span in found.items() if span is None]
        """of which nothing can be opened: never recorded, or lost"""

    @classmethod
    def open(cls, path: Path, keys: Mapping[int, bytes]) -> SeekingReader:
        try:
            file = path.open("rb", buffering=0)
        except OSError as error:
            raise ArchiveError(UNREADABLE, path=str(path), detail=error.strerror or "") from error
        try:
            return cls(file, keys)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        self._file.close()

    @property
    def length(self) -> int:
        """samples a side, pauses included"""
        if not self.spans:
            return 0
        return max(span.origin * FRAME + span.samples for span in self.spans) - self.spans[0].origin * FRAME

    def pcm(self, at: int = 0) -> Iterator[Pcm]:
        """From sample `at` on, in blocks of (n, 2), as the reader's `pcm` gives it from there; pauses are silence."""
        if not self.spans:
            return
        begin = self.spans[0].origin * FRAME
        here = begin + at
        for span in self.spans:
            start, end = span.origin * FRAME, span.origin * FRAME + span.samples
            if end <= here:
                continue
            yield from _silence(start - here)
            inside = max(here - start, 0)
            yield from self._segment(span, inside)
            here = end

    def marks(self) -> list[Mark]:
        """Pauses, gaps and what is damaged, at their places in what `pcm` gives. The file is read through, a chunk at a time."""
        marks: list[Mark] = []
        begin = at = self.spans[0].origin * FRAME if self.spans else 0
        for span in self.spans:
            start = span.origin * FRAME
            if start > at:
                marks.append(Mark(MarkKind.PAUSE, at - begin, start - at))
            marks += marks_within(self._contents(span.number, 0), self.header.delay, start - begin)
            at = max(at, start + span.samples)
            if not span.complete:
                marks.append(Mark(MarkKind.BROKE_OFF, start - begin + span.samples, 0))
        return marks + [Mark(MarkKind.LOST, at - begin, 0)] * self._lost()

    def _lost(self) -> int:
        """As `OpenedRecording.lost`: segments of a damaged file, or that have chunks which their key does not open."""
        if not self._silent:
            return 0
        at, whole, sealed = self._start, True, set[int]()
        while (chunk := self._next(at)) is not None:
            whole = whole and chunk.offset == at
            at = chunk.end
            sealed.add(chunk.segment)
        whole = whole and at == self._size
        return sum(not whole or number in sealed for number in self._silent)

    def _segment(self, span: Span, at: int) -> Iterator[Pcm]:
        """From the segment's sample `at` on."""
        delay, want = self.header.delay, span.samples - at
        packet = max((at + delay) // FRAME - PREROLL, 0)
        decoder, expected = Decoder(self.header.opus_head), packet
        skip = at + delay - packet * FRAME
        for content in self._contents(span.number, packet):
            missing = (content.first - expected) * FRAME
            if missing > 0:
                self.silenced += missing
                decoder = Decoder(self.header.opus_head)
                expected = content.first
            sound = [decoder.decode(one) for one in content.packets[max(expected - content.first, 0) :]]
            # Block by block: nobody can say how much is missing.
            for block in chain(_silence(missing), [np.concatenate([NOTHING, *sound])]):
                skipped = min(skip, len(block))
                skip -= skipped
                wanted = block[skipped : skipped + want]
                want -= len(wanted)
                if len(wanted):
                    yield wanted
                if want <= 0:
                    return
            expected = content.first + len(content.packets)
        self.silenced += want
        yield from _silence(want)

    def _contents(self, segment: int, packet: int) -> Iterator[Content]:
        """From the chunk on that holds the packet, as far as the segment goes."""

        def reached(chunk: Chunk) -> bool:
            if chunk.segment != segment:
                return chunk.segment < segment
            content = self._sealers[segment].open(chunk)
            return content is None or content.first <= packet

        # Where the first of the file is lost, none is reached, and it begins with the next.
        at = self._last_where(reached) or self._start
        while (chunk := self._next(at)) is not None and chunk.segment <= segment:
            if chunk.segment == segment:
                content = self._sealers[segment].open(chunk)
                if content is not None and content.first + len(content.packets) > packet:
                    yield content
            at = chunk.end

    def _span(self, number: int) -> Span | None:
        last = self._chunk(self._last_where(lambda chunk: chunk.segment <= number))
        content = self._sealers[number].open(last) if last is not None else None
        if last is None or content is None:
            return None
        coded = max((content.first + len(content.packets)) * FRAME - self.header.delay, 0)
        return Span(number, content.origin, content.samples if last.final else min(coded, content.samples), last.final)

    def _last_where(self, reached: Callable[[Chunk], bool]) -> int | None:
        """Where the last chunk begins for which `reached` holds: it holds for all before it and for none behind.

        None where it holds for none.
        """
        low, high, found = self._start, self._size, None
        while high - low > BLOCK:
            middle = (low + high) // 2
            chunk = self._next(middle)
            if chunk is None or chunk.offset >= high or not reached(chunk):
                high = middle
            else:
                found, low = chunk.offset, chunk.end
        while (chunk := self._next(low)) is not None and reached(chunk):
            found, low = chunk.offset, chunk.end
        return found

    def _chunk(self, at: int | None) -> Chunk | None:
        return None if at is None else self._at(at)

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


def _silence(samples: int) -> Iterator[Pcm]:
    while samples > 0:
        yield np.zeros((min(samples, RATE), 2), np.int16)
        samples -= RATE
