"""Listening to a recording: its chunks opened with data keys, decoded, and laid out in time.

Pauses between segments become silence of their true length and are marked; a segment that no key opens is passed over.
Sound is written nowhere but to a WAV that was asked for.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from softphone.archive.files.container import (
    FRAME,
    PREFIX_BYTES,
    RATE,
    UNKNOWN,
    Chunk,
    Content,
    Damage,
    Header,
    Sealer,
    header_size,
    read_header,
    scan,
)
from softphone.archive.files.opus import Decoder, Pcm
from softphone.domain.archive.recordings import Mark, MarkKind
from softphone.domain.errors import ArchiveError

_FADE = RATE // 10
"""samples faded in where the chunk before is lost and cannot be decoded as preroll"""
_SILENT_BLOCK = RATE
NOTHING: Pcm = np.zeros((0, 2), np.int16)
UNREADABLE = "error.archive.recording_unreadable"


@dataclass(slots=True)
class Segment:
    """One opened segment. `origin` counts the call's frames; `samples` are those that an export holds, a side."""

    number: int
    origin: int
    samples: int
    complete: bool
    contents: Mapping[int, Content] = field(repr=False)
    refused: tuple[int, ...] = ()
    """indices of chunks that this segment's key does not open: changed, or moved here"""


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
        raise ArchiveError(UNREADABLE, path=str(path), detail=error.strerror or "") from error
    header, start = read_header(data)
    found = list(scan(data, start))
    return Structure(
        header,
        data[:start],
        tuple(item for item in found if isinstance(item, Chunk)),
        tuple(item for item in found if isinstance(item, Damage)),
    )


def unknown(path: Path) -> ArchiveError | None:
    """By what a file is refused that may be another version's; None of any other, and of one that cannot be read."""
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


class OpenedRecording:
    """A recording as far as the given data keys open it. `keys` maps segment numbers to data keys."""

    def __init__(self, structure: Structure, recording: str, keys: Mapping[int, bytes]) -> None:
        self.header = structure.header
        self.segments: list[Segment] = []
        self.lost = 0
        """segments that were sealed for these keys, and of which a damaged file gives nothing"""
        for number in sorted(keys):
            sealer = Sealer(structure.raw_header, recording, number, keys[number])
            segment = _open_segment(number, structure.chunks, sealer, structure.header.delay)
            if segment is not None:
                self.segments.append(segment)
            elif structure.damages or any(chunk.segment == number for chunk in structure.chunks):
                self.lost += 1
        self.segments.sort(key=lambda segment: segment.origin)

    def length(self) -> int:
        """samples a side that `pcm` gives"""
        if not self.segments:
            return 0
        first = self.segments[0].origin * FRAME
        return max(segment.origin * FRAME + segment.samples for segment in self.segments) - first

    def pcm(self) -> Iterator[Pcm]:
        """The whole, in blocks of (n, 2). Pauses are silence of their length."""
        at = self.segments[0].origin * FRAME if self.segments else 0
        for segment in self.segments:
            yield from _silence(segment.origin * FRAME - at)
            yield from self.segment_pcm(segment)
            at = max(at, segment.origin * FRAME + segment.samples)

    def marks(self) -> list[Mark]:
        """Positions in what `pcm` gives."""
        marks: list[Mark] = []
        out = 0
        at = self.segments[0].origin * FRAME if self.segments else 0
        for segment in self.segments:
            pause = max(segment.origin * FRAME - at, 0)
            if pause:
                marks.append(Mark(MarkKind.PAUSE, out, pause))
            out += pause
            contents = [content for _, content in sorted(segment.contents.items())]
            marks += marks_within(contents, self.header.delay, out)
            out += segment.samples
            if not segment.complete:
                marks.append(Mark(MarkKind.BROKE_OFF, out, 0))
            at = max(at, segment.origin * FRAME + segment.samples)
        return marks + [Mark(MarkKind.LOST, out, 0)] * self.lost

    def segment_pcm(self, segment: Segment) -> Iterator[Pcm]:
        """Exactly `segment.samples` samples, in blocks."""
        to_skip, left = self.header.delay, segment.samples
        for block in self._decoded(segment):
            skipped = min(to_skip, len(block))
            to_skip -= skipped
            wanted = block[skipped : skipped + left]
            left -= len(wanted)
            if len(wanted):
                yield wanted
        yield from _silence(left)

    def export_wav(
        self,
        path: Path,
        *,
        go_on: Callable[[int], object] = lambda _samples: None,
        whole: Callable[[], None] = lambda: None,
    ) -> int:
        """16-bit WAV at 16 kHz, agent left, party right; marks as cue points. Returns samples a side. Raises ArchiveError.

        This is plain sound, because a person asked for it by name; nothing else in the program writes any. `go_on` is told how
        far it is, and raises what is to end it; so may `whole`, called once all is written: then nothing of it stays.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        except FileExistsError as error:
            raise ArchiveError("error.archive.file_exists", path=str(path)) from error
        except OSError as error:
            raise ArchiveError("error.archive.export_failed", path=str(path), detail=error.strerror or "") from error
        with _gone_unless_done(path):
            with os.fdopen(descriptor, "wb") as file:
                file.write(_wav_head(0, 0))
                samples = 0
                for block in self.pcm():
                    file.write(np.ascontiguousarray(block, "<i2").tobytes())
                    samples += len(block)
                    go_on(samples)
                cues = _cues(self.marks())
                file.write(cues)
                file.seek(0)
                file.write(_wav_head(samples, len(cues)))
            whole()
        return samples

    def _decoded(self, segment: Segment) -> Iterator[Pcm]:
        decoder, expected, lost = Decoder(self.header.opus_head), 0, False
        for _, content in sorted(segment.contents.items()):
            if content.first > expected:
                yield from _silence((content.first - expected) * FRAME)
                decoder, lost = Decoder(self.header.opus_head), True
            sound = np.concatenate([NOTHING, *(decoder.decode(packet) for packet in content.packets)])
            yield _faded_in(sound) if lost else sound
            expected, lost = content.first + len(content.packets), False


@contextmanager
def _gone_unless_done(path: Path) -> Generator[None]:
    """Plain sound goes again, whatever ends what was to be done with it. Raises ArchiveError where the disk refuses."""
    try:
        yield
    except BaseException as error:
        try:
            path.unlink(missing_ok=True)
        except OSError as left:
            raise ArchiveError("error.archive.export_left", path=str(path), detail=left.strerror or "") from error
        if isinstance(error, OSError):
            raise ArchiveError("error.archive.export_failed", path=str(path), detail=error.strerror or "") from error
        raise


def marks_within(contents: Iterable[Content], delay: int, out: int) -> Iterator[Mark]:
    """Of one segment's contents, in order; its first sample is `out` in what is played."""
    expected = 0
    for content in contents:
        if content.first > expected:
            start = max(expected * FRAME - delay, 0)
            end = content.first * FRAME - delay
            yield Mark(MarkKind.DAMAGED, out + start, end - start)
        for gap in content.gaps:
            yield Mark(MarkKind.GAP, out + gap.at * FRAME, gap.frames * FRAME)
        expected = content.first + len(content.packets)


def _open_segment(number: int, chunks: tuple[Chunk, ...], sealer: Sealer, delay: int) -> Segment | None:
    contents: dict[int, Content] = {}
    refused: list[int] = []
    final: Content | None = None
    for chunk in chunks:
        if chunk.segment != number:
            continue
        content = sealer.open(chunk)
        if content is None:
            refused.append(chunk.index)
            continue
        contents[chunk.index] = content
        if chunk.final:
            final = content
    if not contents:
        return None
    last = contents[max(contents)]
    coded = max((last.first + len(last.packets)) * FRAME - delay, 0)
    samples = final.samples if final is not None else min(coded, last.samples)
    return Segment(number, last.origin, samples, final is not None, contents, tuple(refused))


def _silence(samples: int) -> Iterator[Pcm]:
    while samples > 0:
        yield np.zeros((min(samples, _SILENT_BLOCK), 2), np.int16)
        samples -= _SILENT_BLOCK


def _faded_in(sound: Pcm) -> Pcm:
    faded = sound.astype(np.float32)
    length = min(_FADE, len(faded))
    faded[:length] *= np.linspace(0.0, 1.0, length, dtype=np.float32)[:, None]
    return faded.astype(np.int16)


def _wav_head(samples: int, more: int) -> bytes:
    data = samples * 4
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + data + more,
        b"WAVE",
        b"fmt ",
        16,
        1,
        2,
        RATE,
        RATE * 4,
        4,
        16,
        b"data",
        data,
    )


def _cues(marks: list[Mark]) -> bytes:
    """A cue point and a label for each mark, as sound editors show them."""
    if not marks:
        return b""
    points = b"".join(
        struct.pack("<II4sIII", number, mark.at, b"data", 0, 0, mark.at) for number, mark in enumerate(marks, 1)
    )
    labels = b""
    for number, mark in enumerate(marks, 1):
        text = f"{mark.kind} {mark.samples / RATE:.2f} s".encode("ascii") + b"\0"
        labels += struct.pack("<4sII", b"labl", 4 + len(text), number) + text + b"\0" * (len(text) % 2)
    return (
        struct.pack("<4sII", b"cue ", 4 + len(points), len(marks))
        + points
        + struct.pack("<4sI4s", b"LIST", 4 + len(labels), b"adtl")
        + labels
    )
