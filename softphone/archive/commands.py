"""What `klartone archive` does, as functions that give data; a command line or a window shows it.

Times are given, never taken; sound is given back as samples, never played.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from softphone.archive.archive import Archive, AuditRow, RecordingRow
from softphone.archive.checkpoint import Head
from softphone.archive.files.container import RATE
from softphone.archive.files.opus import Pcm
from softphone.archive.files.reader import Mark
from softphone.archive.files.seeking import SeekingReader
from softphone.archive.sweep import SweptItem
from softphone.archive.sweep import sweep as run_sweep
from softphone.archive.verify import Proof
from softphone.archive.verify import verify as run_verify
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is known of one recording without listening to it."""

    row: RecordingRow
    audit: tuple[AuditRow, ...]


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording to be heard: blocks of (n, 2) 16-bit samples, agent and party, at `rate` per second."""

    rate: int
    samples: int
    blocks: Iterator[Pcm]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """A WAV that was written. `seconds` with its pauses, unless they were left out."""

    path: Path
    seconds: float
    marks: tuple[Mark, ...]


def list_recordings(archive: Archive) -> list[RecordingRow]:
    """Newest first. Raises ArchiveError, as do all below."""
    return archive.list()


def show(archive: Archive, recording: str) -> Shown:
    row = archive.find(recording)
    return Shown(row, tuple(archive.audit_of(row.recording)))


def play(
    archive: Archive, recording: str, now: datetime, *, role: KeyRole | None = None, joined: bool = False
) -> Sound:
    """The audit log tells of it before the first block can be taken."""
    opened = archive.open_recording(recording, now, role=role)
    marks = tuple(opened.marks(joined=joined))
    return Sound(RATE, opened.length(joined=joined), opened.pcm(joined=joined), marks)


@contextmanager
def play_from(archive: Archive, recording: str, now: datetime, seconds: float) -> Generator[SeekingReader]:
    """From so many seconds on: `pcm` gives it. The audit log has told of it by then."""
    reader = archive.open_seeking(recording, now)
    try:
        if not 0 <= seconds * RATE < reader.length:
            raise ArchiveError("error.container.past_end", id=recording, length=f"{reader.length / RATE:.2f}")
        yield reader
    finally:
        reader.close()


def export(
    archive: Archive,
    recording: str,
    path: Path,
    now: datetime,
    *,
    role: KeyRole | None = None,
    joined: bool = False,
) -> Exported:
    """A WAV: agent left, party right, 16 kHz. Pauses are silence of their length with a mark, or left out (`joined`)."""
    opened = archive.open_recording(recording, now, role=role, event="recording_exported")
    samples = opened.export_wav(path, joined=joined)
    return Exported(path, samples / RATE, tuple(opened.marks(joined=joined)))


def sweep(
    archive: Archive, now: datetime, *, clock: datetime, clock_is_right: bool = False, dry_run: bool = False
) -> list[SweptItem]:
    """`clock` is the true time; a later `now` is for a dry run or a demo's archive alone. `clock_is_right`: a person says so."""
    witness = clock if clock_is_right else None
    return run_sweep(archive, now, clock=clock, witness=witness, dry_run=dry_run)


def head(archive: Archive, now: datetime) -> Head | None:
    """The audit log's signed end, a line to keep elsewhere; None of an empty log."""
    return archive.head(now)


def verify(archive: Archive, head: str | None = None) -> Proof:
    """`head`: a line kept elsewhere, which the log must still bear out. `Proof.as_json()` is the answer to `--json`."""
    return run_verify(archive, Head.parse(head) if head is not None else None)
