"""A recording's file while it is written: frames of a segment become sealed chunks, each on the disk before the next begins.

It holds one segment's key, and never writes a byte of plain sound. Where files lie, and how they go, is the vault's.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from softphone.archive.files.container import FRAME, Content, Gap, Sealer
from softphone.archive.files.opus import SILENCE, Encoder
from softphone.archive.folder.disk import refused
from softphone.domain.errors import ArchiveError

CHUNK_PACKETS = 50
"""a second"""
GAP_LIMIT = 50 * 60
"""frames of silence put in for missing ones; a longer absence is a fault of the clock, not a gap"""


class GoneError(Exception):
    """The recording was discarded while it was being written: what comes now is for nobody."""


@dataclass(frozen=True, slots=True)
class Written:
    """Of a segment whose writer has ended: how many chunks are on the disk, and their `container.digest`."""

    chunks: int
    digest: str


class RecordingFile:
    """One open file. Its lock is held for a write and its sync, never for the coding of sound."""

    def __init__(self, path: Path, descriptor: int, header: bytes) -> None:
        self.path = path
        self.header = header
        self.writers = 0
        self.settled = False
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._dead = False

    def append(self, record: bytes) -> None:
        """Raises OSError, after which the file is as before; GoneError."""
        with self._lock:
            if self._dead:
                raise GoneError
            before = os.lseek(self._descriptor, 0, os.SEEK_END)
            try:
                rest = memoryview(record)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
                if sys.platform == "win32":
                    os.fsync(self._descriptor)
                else:
                    os.fdatasync(self._descriptor)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, before)
                raise

    def kill(self) -> None:
        with self._lock:
            if not self._dead:
                self._dead = True
                os.close(self._descriptor)


class SegmentWriter:
    """Frames of one segment to sealed chunks. One thread; it keeps at most a second of packets, and those are coded.

    Methods raise ArchiveError where the disk refuses, and GoneError where the recording was discarded. After either the writer
    seals nothing more: what would be next raises the same again, since its nonce has been used.
    """

    def __init__(
        self,
        opened: RecordingFile,
        sealer: Sealer,
        origin: int,
        on_sealed: Callable[[int], None] | None,
        on_ended: Callable[[Written], None],
        on_fault: Callable[[str], None],
    ) -> None:
        self._object = opened
        self._sealer = sealer
        self._origin = origin
        self._on_sealed = on_sealed
        self._on_ended = on_ended
        self._on_fault = on_fault
        self._encoder = Encoder()
        self._packets: list[bytes] = []
        self._gaps: list[Gap] = []
        self._first = 0
        self._frames = 0
        self._digest = hashlib.sha256(opened.header)
        self._failed: ArchiveError | GoneError | None = None
        self.chunks = 0

    @property
    def samples(self) -> int:
        """fed so far, a side"""
        return self._frames * FRAME

    def write(self, index: int, agent: bytes, party: bytes) -> None:
        """One frame of each side. `index` counts the call's frames; those that are missing become silence, and are marked."""
        self._refuse_failed()
        missing = index - self._origin - self._frames
        if 0 < missing <= GAP_LIMIT:
            self._gaps.append(Gap(self._frames, missing))
            for _ in range(missing):
                self._encode(SILENCE, SILENCE)
        self._encode(agent or SILENCE, party or SILENCE)

    def mark_lost(self, frames: int) -> None:
        """The party's sound of the last so many frames never came. They may reach back before this segment, and not before the
        call."""
        lost = min(frames, self._origin + self._frames)
        if lost > 0:
            self._gaps.append(Gap(self._frames - lost, lost))

    def finish(self) -> None:
        """The encoder's end and the segment's sample count, in the final chunk. Nothing was fed: nothing is written."""
        try:
            self._refuse_failed()
            if self._frames:
                self._packets += self._encoder.flush()
                self._seal(final=True)
        finally:
            self._on_ended(self._written())

    def break_off(self) -> None:
        """What is coded already is sealed, with no final chunk: the recording broke off here."""
        try:
            self._refuse_failed()
            if self._packets:
                self._seal(final=False)
        finally:
            self._on_ended(self._written())

    def _refuse_failed(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _written(self) -> Written:
        return Written(self.chunks, self._digest.hexdigest())

    def _encode(self, agent: bytes, party: bytes) -> None:
        self._packets += self._encoder.encode(agent, party)
        self._frames += 1
        if len(self._packets) >= CHUNK_PACKETS:
            self._seal(final=False)

    def _seal(self, final: bool) -> None:
        content = Content(self._origin, self._first, self.samples, tuple(self._packets), tuple(self._gaps))
        record = self._sealer.seal(self.chunks, final, content)
        try:
            self._object.append(record)
        except GoneError as gone:
            self._failed = gone
            raise
        except OSError as error:
            self._failed = refused(self._object.path, error)
            self._on_fault(self._failed.code)
            raise self._failed from error
        self._digest.update(record)
        self._first += len(self._packets)
        self._packets.clear()
        self._gaps.clear()
        self.chunks += 1
        if self._on_sealed is not None:
            self._on_sealed(content.samples)
