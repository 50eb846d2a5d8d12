"""What `klartone keys` and `klartone archive` do, as functions that give data; a command line or a window shows it.

Times are given, never taken; sound is given back as samples, never played.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from softphone.archive.archive import Archive, AuditRow, RecordingRow
from softphone.archive.container import RATE
from softphone.archive.keys import KeyStore, create_key_pair, fingerprint
from softphone.archive.opus import Pcm
from softphone.archive.reader import Mark
from softphone.archive.sweep import SweptItem
from softphone.archive.sweep import sweep as run_sweep
from softphone.archive.verify import Proof
from softphone.archive.verify import verify as run_verify
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.fields import Id
from softphone.domain.purpose import KeyRole

_id: TypeAdapter[str] = TypeAdapter(Id)


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new pair. The private key lies in the store; `public_key` (base64) goes into the policy."""

    id: str
    purpose: KeyRole
    public_key: str
    key_id: str

    def as_policy(self) -> str:
        """The policy file's table for this recipient."""
        return f'[[recipient]]\nid = "{self.id}"\npurpose = "{self.purpose.value}"\npublic_key = "{self.public_key}"\n'


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


def create_keys(store: KeyStore, id: str, purpose: KeyRole) -> CreatedKey:
    """Raises KeyringError, and ArchiveError where no policy could name a recipient `id`: then no key is made."""
    try:
        _id.validate_python(id)
    except ValidationError:
        raise ArchiveError("error.archive.recipient_id", id=id) from None
    public = create_key_pair(store)
    return CreatedKey(id, purpose, base64.b64encode(public).decode("ascii"), fingerprint(public))


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


def sweep(archive: Archive, now: datetime, *, clock: datetime, dry_run: bool = False) -> list[SweptItem]:
    """`clock` is the true time; a later `now` is for a dry run or a demo's archive alone."""
    return run_sweep(archive, now, clock=clock, dry_run=dry_run)


def verify(archive: Archive) -> Proof:
    """`Proof.as_json()` is the answer to `--json`."""
    return run_verify(archive)
