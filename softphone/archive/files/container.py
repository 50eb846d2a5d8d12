"""The bytes of one recording's file: a header, then sealed chunks of about a second. See docs/container.md.

Pure bytes in, bytes out: no file is opened here and no sound is coded. A chunk can be opened without the others; its
recording, segment, index and finality are authenticated, and the nonce is the index, under a key that one segment has alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from softphone.domain.errors import ArchiveError

VERSION = 2
MAGIC = b"KLARTONE"
CHUNK_MAGIC = b"KTCH"
SUFFIX = ".ktr"
RATE = 16_000
FRAME = 320
"""samples of 20 ms, a side: one Opus packet"""
KEY_BYTES = 32

_PREFIX = struct.Struct(">8sHI")  # magic, version, length of the header's JSON
_HEAD = struct.Struct(">4sIIBI")  # magic, segment, index, final, length of the sealed part
_CRC = struct.Struct(">I")
_BODY = struct.Struct(">QQQHH")  # origin, first packet, samples, gaps, packets
_GAP = struct.Struct(">qI")
_LENGTH = struct.Struct(">H")
PREFIX_BYTES, HEAD_BYTES = _PREFIX.size, _HEAD.size
SEAL = "AES-256-GCM"
CODEC = "opus"
_MAPPING = 255
LONGEST = 36 * 3600 * RATE // FRAME
"""frames from a call's first to a recording's last, at most: a file that says more is not one of ours"""
_MOST_PACKETS = 100
"""of a chunk: one has a second of sound, and the last a little more"""
_AHEAD = 5
"""frames that an encoder may still hold back"""
_HEADER_LIMIT = 65_536
_CHUNK_LIMIT = 1 << 20
UNKNOWN = frozenset({"error.archive.unknown_version", "error.container.unknown_seal", "error.container.unknown_codec"})
"""by these codes `read_header` refuses what may be whole, and another version's: it is left as it is"""
_SHOWN = 40
"""characters, of what a file says, that a sentence repeats"""


@dataclass(frozen=True, slots=True)
class Header:
    """What a reader must know before any key: not whose call it is, nor what was said.

    `opus_head` is the codec's own header (RFC 7845); `delay` the encoder's delay in samples at 16 kHz. `time_zone` (IANA) is
    where the call's days are counted.
    """

    recording: str
    opened_at: datetime
    opus_head: bytes
    delay: int
    time_zone: str

    def pack(self) -> bytes:
        told = {
            "recording": self.recording,
            "codec": {
                "name": CODEC,
                "channels": ["agent", "party"],
                "mapping_family": _MAPPING,
                "rate": RATE,
                "frame": FRAME,
                "delay": self.delay,
                "head": base64.b64encode(self.opus_head).decode("ascii"),
            },
            "clock": {
                "opened_at": self.opened_at.isoformat(),
                "unit": "frames since the call's first",
                "frame_ms": 20,
                "time_zone": self.time_zone,
            },
            "seal": SEAL,
        }
        body = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
        return _PREFIX.pack(MAGIC, VERSION, len(body)) + body


@dataclass(frozen=True, slots=True)
class Chunk:
    """One second, sealed. `offset` is where it lies in the file."""

    segment: int
    index: int
    final: bool
    sealed: bytes
    offset: int = -1

    @property
    def end(self) -> int:
        """where the next begins"""
        return self.offset + HEAD_BYTES + len(self.sealed) + _CRC.size

    def pack(self) -> bytes:
        """The whole record, as it stands in the file."""
        head = _HEAD.pack(CHUNK_MAGIC, self.segment, self.index, self.final, len(self.sealed))
        return head + self.sealed + _CRC.pack(zlib.crc32(self.sealed, zlib.crc32(head)))


@dataclass(frozen=True, slots=True)
class Gap:
    """From the segment's frame `at` on, `frames` frames never came, of the party or of both sides: silence stands there. Below
    zero it began before the segment: a loss is known once it is over, and a segment that has ended is written to no more."""

    at: int
    frames: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a chunk holds.

    `origin`: the call's frame number at which the segment begins; the distance between two segments is the pause between them.
    `first`: the number of its first packet in the segment. `samples`: of the segment up to here, and in the final chunk, in all.
    """

    origin: int
    first: int
    samples: int
    packets: tuple[bytes, ...]
    gaps: tuple[Gap, ...] = ()

    def is_possible(self, index: int) -> bool:
        """Whether it says no more than its packets, and those that can stand before it, bear out: whoever has a house's public
        keys can seal a file to them that speaks of a year."""
        frames = self.first + len(self.packets)
        return (
            len(self.packets) <= _MOST_PACKETS
            and self.first <= index * _MOST_PACKETS
            and self.origin + frames <= LONGEST
            and self.samples <= (frames + _AHEAD) * FRAME
            and all(-self.origin <= gap.at <= frames + _AHEAD and gap.frames <= LONGEST for gap in self.gaps)
        )

    def pack(self) -> bytes:
        parts = [_BODY.pack(self.origin, self.first, self.samples, len(self.gaps), len(self.packets))]
        parts += [_GAP.pack(gap.at, gap.frames) for gap in self.gaps]
        for packet in self.packets:
            parts += (_LENGTH.pack(len(packet)), packet)
        return b"".join(parts)

    @classmethod
    def unpack(cls, data: bytes) -> Content:
        origin, first, samples, gap_count, packet_count = _BODY.unpack_from(data)
        at = _BODY.size
        gaps: list[Gap] = []
        for _ in range(gap_count):
            gaps.append(Gap(*_GAP.unpack_from(data, at)))
            at += _GAP.size
        packets: list[bytes] = []
        for _ in range(packet_count):
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            packets.append(data[at : at + length])
            at += length
        return cls(origin, first, samples, tuple(packets), tuple(gaps))


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no whole chunk. `torn` at the end of the file is what a crash leaves: at most the last second."""

    offset: int
    length: int
    torn: bool
    segment: int | None = None
    index: int | None = None


class Sealer:
    """Seals and opens the chunks of one segment of one recording, under that segment's data key.

    The index is the nonce, so one sealer seals an index once, and none below it.
    """

    def __init__(self, header: bytes, recording: str, segment: int, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(len(key))
        self._aead = AESGCM(key)
        self._bound = hashlib.sha256(header).digest() + hashlib.sha256(recording.encode("utf-8")).digest()
        self.segment = segment
        self._next = 0

    def seal(self, index: int, final: bool, content: Content) -> bytes:
        """The whole record, as it goes to the file. Raises ValueError where an index comes a second time, or too late."""
        if index < self._next:
            raise ValueError(index)
        self._next = index + 1
        return Chunk(
            self.segment, index, final, self._aead.encrypt(_nonce(index), content.pack(), self._aad(index, final))
        ).pack()

    def open(self, chunk: Chunk) -> Content | None:
        """None where the chunk is not this segment's, not what was sealed, or nothing that the program seals."""
        if chunk.segment != self.segment:
            return None
        try:
            content = Content.unpack(
                self._aead.decrypt(_nonce(chunk.index), chunk.sealed, self._aad(chunk.index, chunk.final))
            )
        except (InvalidTag, struct.error):
            return None
        return content if content.is_possible(chunk.index) else None

    def _aad(self, index: int, final: bool) -> bytes:
        return self._bound + struct.pack(">IIB", self.segment, index, final)


def digest(header: bytes, chunks: Iterable[Chunk]) -> str:
    """SHA-256 of the header and a segment's records, in the order of their writing: the log says it of each."""
    told = hashlib.sha256(header)
    for chunk in chunks:
        told.update(chunk.pack())
    return told.hexdigest()


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def header_size(prefix: bytes) -> int:
    """How many bytes the header has, by the file's first `PREFIX_BYTES`; where that is nothing of ours, those alone."""
    if len(prefix) < PREFIX_BYTES or not prefix.startswith(MAGIC):
        return len(prefix)
    return PREFIX_BYTES + min(_PREFIX.unpack_from(prefix)[2], _HEADER_LIMIT)


def read_header(data: bytes) -> tuple[Header, int]:
    """The header and where the chunks begin.

    Raises ArchiveError: no recording of ours; of a version, a seal or a codec that is not known here.
    """
    if len(data) < _PREFIX.size or not data.startswith(MAGIC):
        raise ArchiveError("error.archive.no_recording_file")
    _, version, length = _PREFIX.unpack_from(data)
    if version != VERSION:
        raise ArchiveError("error.archive.unknown_version", found=version, known=VERSION)
    end = _PREFIX.size + length
    if length > _HEADER_LIMIT or len(data) < end:
        raise ArchiveError("error.archive.no_recording_file")
    try:
        told: dict[str, Any] = json.loads(data[_PREFIX.size : end])
        codec: dict[str, Any] = told["codec"]
        seal, name = str(told["seal"]), f"{codec['name']} {codec['mapping_family']}"
        if seal != SEAL:
            raise ArchiveError("error.container.unknown_seal", found=seal[:_SHOWN], known=SEAL)
        if name != f"{CODEC} {_MAPPING}":
            raise ArchiveError("error.container.unknown_codec", found=name[:_SHOWN], known=f"{CODEC} {_MAPPING}")
        header = Header(
            str(told["recording"]),
            datetime.fromisoformat(told["clock"]["opened_at"]),
            base64.b64decode(codec["head"], validate=True),
            int(codec["delay"]),
            str(told["clock"]["time_zone"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveError("error.archive.no_recording_file") from error
    if header.pack() != data[:end] or not 0 <= header.delay <= RATE:
        raise ArchiveError("error.archive.no_recording_file")
    return header, end


def scan(data: bytes, start: int) -> Iterator[Chunk | Damage]:
    """Every record from `start` on, in the file's order. A damaged one is passed over, and the next is found again."""
    at, size = start, len(data)
    while at < size:
        chunk = record_at(data, at)
        if chunk is not None:
            yield chunk
            at += _HEAD.size + len(chunk.sealed) + _CRC.size
            continue
        following = _resync(data, at + 1)
        if following is None:
            yield Damage(at, size - at, torn=not _is_whole(data, at))
            return
        segment, index = _claimed(data, at)
        yield Damage(at, following - at, False, segment, index)
        at = following


def length_of(data: bytes, at: int) -> int | None:
    """How long the record at `at` says that it is, with its checksum; None: no record's beginning stands there, whole."""
    if at + _HEAD.size > len(data):
        return None
    magic, _, _, final, length = _HEAD.unpack_from(data, at)
    if magic != CHUNK_MAGIC or length > _CHUNK_LIMIT or final > 1:
        return None
    return _HEAD.size + length + _CRC.size


def record_at(data: bytes, at: int) -> Chunk | None:
    """The record that stands there, whole and by its checksum undamaged."""
    size = length_of(data, at)
    if size is None or at + size > len(data):
        return None
    _, segment, index, final, _ = _HEAD.unpack_from(data, at)
    end = at + size - _CRC.size
    if _CRC.unpack_from(data, end)[0] != zlib.crc32(data[at:end]):
        return None
    return Chunk(segment, index, bool(final), data[at + _HEAD.size : end], at)


def _resync(data: bytes, at: int) -> int | None:
    """Where the next whole record begins. The magic may occur by chance in sealed bytes; its checksum hardly can."""
    while (at := data.find(CHUNK_MAGIC, at)) >= 0:
        if record_at(data, at) is not None:
            return at
        at += 1
    return None


def _is_whole(data: bytes, at: int) -> bool:
    """A last record of full length whose bytes are wrong was changed, not cut off."""
    if at + _HEAD.size > len(data):
        return False
    length: int = _HEAD.unpack_from(data, at)[4]
    return at + _HEAD.size + length + _CRC.size <= len(data)


def _claimed(data: bytes, at: int) -> tuple[int | None, int | None]:
    if at + _HEAD.size > len(data) or data[at : at + 4] != CHUNK_MAGIC:
        return None, None
    _, segment, index, _, _ = _HEAD.unpack_from(data, at)
    return segment, index
