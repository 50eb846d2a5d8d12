"""What `klartone archive` does, as functions that give data; a command line or a window shows it.

Times are given, never taken; sound is given back as samples, never played.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from softphone.archive.archive import Archive
from softphone.archive.catalog.clock import Steady
from softphone.archive.examine.verify import Progress, Proof
from softphone.archive.examine.verify import verify as run_verify
from softphone.archive.files.container import RATE
from softphone.archive.files.opus import Pcm
from softphone.archive.files.reader import Mark
from softphone.archive.files.seeking import SeekingReader
from softphone.archive.folder.disk import rename_new
from softphone.archive.log.checkpoint import Head
from softphone.archive.retention.sweep import sweeping as run_sweep
from softphone.archive.retention.swept import DEFAULT_TERMS, SweepTerms, SweptItem
from softphone.archive.schema.tables import audit
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole

WAV_SAMPLE = 4
"""bytes, of both sides"""
MOST_OF_A_WAV = (1 << 32) - (1 << 20)
"""bytes: its header can say no more, and the marks stand behind the sound"""


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording to be heard: blocks of (n, 2) 16-bit samples, agent and party, at `rate` per second."""

    rate: int
    samples: int
    blocks: Iterator[Pcm]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """A WAV that was written. `seconds` with its pauses."""

    path: Path
    seconds: float
    marks: tuple[Mark, ...]


def play(
    archive: Archive,
    recording: str,
    now: datetime,
    *,
    role: KeyRole | None = None,
    told: Mapping[str, str] | None = None,
) -> Sound:
    """The audit log tells of it, and what is `told`, before the first block can be taken."""
    opened = archive.open_recording(recording, now, role=role, **(told or {}))
    return Sound(RATE, opened.length(), opened.pcm(), tuple(opened.marks()))


@contextmanager
def play_from(
    archive: Archive,
    recording: str,
    now: datetime,
    seconds: float,
    *,
    role: KeyRole | None = None,
    told: Mapping[str, str] | None = None,
) -> Generator[SeekingReader]:
    """From so many seconds on: `pcm` gives it. The audit log has told of it by then."""
    reader = archive.open_seeking(recording, now, role=role, **(told or {}))
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
    told: Mapping[str, str] | None = None,
    go_on: Callable[[int, int], object] = lambda _done, _samples: None,
) -> Exported:
    """A WAV: agent left, party right, 16 kHz. Pauses are silence of their length with a mark.

    The audit log tells of the opening first, and of the file once it is whole; then alone it has its name. `go_on` is told how
    many samples are written, of so many, and raises what is to end it: then there is nothing of it.
    """
    part = path.with_name(f"{path.name}.part")
    for one in (path, part):
        _refuse_what_is_there(one)
    if not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        detail = os.strerror(errno.EACCES if path.absolute().parent.is_dir() else errno.ENOENT)
        raise ArchiveError("error.archive.export_failed", path=str(path), detail=detail)
    row, given = archive.find(recording, now), dict(told or {})
    role, keys = archive.keys_for(row, role, now, refusal="opening_refused", **given)
    opened = archive.open_recording(row.recording, now, role=role, **given)
    length = opened.length()
    _refuse_without_room(path, length)
    params = {"role": role.value, "segments": len(keys), **archive.key_here(row.recording, role), **given}

    def whole() -> None:
        _refuse_what_is_there(path)
        archive.note(AuditEntry("recording_exported", "G11", now, row.call, row.recording, params))
        try:
            rename_new(part, path)
        except FileExistsError:
            raise _there(path) from None

    samples = opened.export_wav(part, go_on=lambda done: go_on(done, length), whole=whole)
    return Exported(path, samples / RATE, tuple(opened.marks()))


def _refuse_without_room(path: Path, samples: int) -> None:
    """Before the first byte: nobody can know by a file's size how long what is in it is."""
    bytes_wanted, free = WAV_SAMPLE * samples, shutil.disk_usage(path.absolute().parent).free
    if bytes_wanted > min(free, MOST_OF_A_WAV):
        seconds, megabytes = samples // RATE, bytes_wanted >> 20
        raise ArchiveError("error.archive.export_large", path=str(path), seconds=seconds, megabytes=megabytes)


def _refuse_what_is_there(path: Path) -> None:
    if os.path.lexists(path):
        raise _there(path)


def _there(path: Path) -> ArchiveError:
    return ArchiveError("error.archive.file_exists", path=str(path))


def sweep(archive: Archive, now: datetime, *, clock: datetime, **how: Any) -> list[SweptItem]:
    """`sweeping` to its end."""
    return list(sweeping(archive, now, clock=clock, **how))


def sweeping(
    archive: Archive,
    now: datetime,
    *,
    clock: datetime,
    steady: Steady | None = None,
    clock_is_right: bool = False,
    dry_run: bool = False,
    terms: SweepTerms | None = DEFAULT_TERMS,
    go_on: Callable[[], bool] = lambda: True,
) -> Generator[SweptItem]:
    """`clock` is the true time; a later `now` is for a dry run or a demo's archive alone. `clock_is_right`: a person says so."""
    witness = clock if clock_is_right else None
    if clock_is_right and not dry_run:
        archive.note(archive.decided_on()(AuditEntry("clock_believed", "G10", clock, "")))
    return run_sweep(
        archive, now, clock=clock, steady=steady, witness=witness, dry_run=dry_run, terms=terms, go_on=go_on
    )


def head(archive: Archive, now: datetime) -> Head | None:
    """The audit log's signed end, a line to keep elsewhere; None of an empty log."""
    return archive.head(now)


def entries_behind(archive: Archive, head: Head | None) -> int:
    """How many entries of this desk's log are newer than `head`, and are not covered by it."""
    with archive.catalog.reading() as connection:
        asked = select(func.count()).where(audit.c.desk == archive.desk, audit.c.number > (head.number if head else 0))
        return int(connection.execute(asked).scalar_one())


def verify(archive: Archive, head: str | None = None, progress: Progress | None = None) -> Proof:
    """`head`: a line kept elsewhere, which the log must still bear out. `Proof.as_json()` is the answer to `--json`."""
    return run_verify(archive, Head.parse(head) if head is not None else None, progress)
