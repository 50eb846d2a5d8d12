"""Whether a file is a whole recording, as far as it shows without a key: read once, a block at a time, in little memory.

The layout is docs/container.md's. What a chunk holds stays sealed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from softphone.archive.files.container import (
    HEAD_BYTES,
    PREFIX_BYTES,
    UNKNOWN,
    header_size,
    length_of,
    read_header,
    record_at,
)
from softphone.domain.errors import ArchiveError, TeamError

DIGEST = 32
"""hex digits of a segment's, as the desk's log says it"""


@dataclass(frozen=True, slots=True)
class SegmentTold:
    """`chunks` and `digest` as the desk says them; None where a crash left nobody to say."""

    chunks: int | None
    digest: str | None


@dataclass(slots=True)
class _Segment:
    told: SegmentTold
    digest: Any
    chunks: int = 0
    final: bool = False


@dataclass(slots=True)
class Structure:
    """Feed it the file from its first byte; `end` says the SHA-256 of all. Both raise TeamError `container_wrong`, with a
    `reason` from a closed list."""

    recording: str
    opened_at: datetime
    time_zone: str
    segments: Mapping[int, SegmentTold]
    broke_off: bool = False
    """a crash ended it: its last sound may have no end, and of a segment may be nothing"""
    _sha256: Any = field(default_factory=hashlib.sha256)
    _kept: bytearray = field(default_factory=bytearray)
    _header: bytes = b""
    _seen: dict[int, _Segment] = field(default_factory=dict[int, "_Segment"])

    def feed(self, block: bytes) -> None:
        self._sha256.update(block)
        self._kept += block
        if not self._header and not self._read_header():
            return
        at = 0
        data = bytes(self._kept)
        while len(data) - at >= HEAD_BYTES:
            length = length_of(data, at)
            if length is None:
                raise _wrong("no_chunk")
            if len(data) - at < length:
                break
            self._record(data, at, length)
            at += length
        del self._kept[:at]

    def end(self) -> bytes:
        if not self._header:
            raise _wrong("no_header")
        if self._kept:
            raise _wrong("cut_off")
        for number, told in self.segments.items():
            # Opened, and ended before a sound came, or before it was on the disk.
            if number not in self._seen and told.chunks == 0:
                self._seen[number] = _Segment(told, hashlib.sha256(self._header), final=True)
        if self._seen.keys() != self.segments.keys():
            raise _wrong("segments")
        for one in self._seen.values():
            if one.told.chunks is not None and (one.told.chunks != one.chunks or not (one.final or self.broke_off)):
                raise _wrong("chunks_missing")
            if one.told.digest is not None and one.digest.hexdigest()[:DIGEST] != one.told.digest:
                raise _wrong("sound_differs")
        return self._sha256.digest()

    def chunks(self) -> dict[int, int]:
        """How many each segment has, whoever said so."""
        return {number: one.chunks for number, one in self._seen.items()}

    def _read_header(self) -> bool:
        """False: more of it must come."""
        if len(self._kept) < PREFIX_BYTES:
            return False
        size = header_size(bytes(self._kept[:PREFIX_BYTES]))
        if len(self._kept) < size:
            return False
        raw = bytes(self._kept[:size])
        try:
            header, end = read_header(raw)
        except ArchiveError as error:
            raise _wrong("unknown_version" if error.code in UNKNOWN else "no_header") from error
        if (header.recording, header.opened_at, header.time_zone) != (self.recording, self.opened_at, self.time_zone):
            raise _wrong("another_recording")
        self._header = raw[:end]
        del self._kept[:end]
        return True

    def _record(self, data: bytes, at: int, length: int) -> None:
        chunk = record_at(data, at)
        if chunk is None:
            raise _wrong("damaged")
        segment = self._seen.get(chunk.segment)
        if segment is None:
            told = self.segments.get(chunk.segment)
            if told is None or any(before >= chunk.segment for before in self._seen):
                raise _wrong("segments")
            segment = self._seen[chunk.segment] = _Segment(told, hashlib.sha256(self._header))
        elif chunk.segment != next(reversed(self._seen)):
            raise _wrong("segments")
        if segment.final or chunk.index != segment.chunks:
            raise _wrong("order")
        segment.chunks += 1
        segment.final = chunk.final
        segment.digest.update(data[at : at + length])


def _wrong(reason: str) -> TeamError:
    return TeamError("error.team.container_wrong", reason=reason)
