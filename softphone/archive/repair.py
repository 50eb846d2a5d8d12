"""What a crash left half-done, set right before anything new is recorded: a half-written chunk is cut off, a recording that
broke off is marked so, a file that no row knows of is kept aside. Nothing that somebody could open is deleted.

Only for whoever writes alone, before it records: a recording that is still running would look as if it had broken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select, update

from softphone.archive import audit
from softphone.archive.catalog import Catalog
from softphone.archive.files.reader import read_structure
from softphone.archive.files.vault import Vault
from softphone.archive.tables import condemned, recordings
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError

_ONE_CHUNK = 64 * 1024
"""bytes; a second of two voices is a tenth of it"""


class Repair(StrEnum):
    BROKE_OFF = "recording_broke_off"
    """never closed: it ends where it was last written to, and what was sealed stands"""
    SET_ASIDE = "object_set_aside"
    BROUGHT_BACK = "object_brought_back"
    """the catalog knows it again: one of an older day had been put in its place"""


@dataclass(frozen=True, slots=True)
class Repaired:
    """`cut`: bytes of a chunk that was never whole."""

    what: Repair
    recording: str
    cut: int = 0


def repair(catalog: Catalog, vault: Vault, desk: str, now: datetime) -> list[Repaired]:
    """Each with its entry in the audit log. Done again, it finds nothing to do. Raises ArchiveError."""
    with catalog.reading() as connection:
        rows = connection.execute(select(recordings)).all()
        gone = set(connection.execute(select(condemned.c.recording)).scalars())
    done: list[Repaired] = []
    for row in rows:
        if vault.bring_back(row.recording):
            item = Repaired(Repair.BROUGHT_BACK, row.recording)
            with catalog.writing() as connection:
                audit.append(connection, desk, [_entry(item, row.call, now)])
            done.append(item)
        if row.closed_at is None and row.broke_off_at is None:
            cut, ended = _cut(vault, row.recording, now)
            item = Repaired(Repair.BROKE_OFF, row.recording, cut)
            with catalog.writing() as connection:
                this = recordings.c.recording == row.recording
                connection.execute(update(recordings).where(this).values(broke_off_at=ended.isoformat()))
                audit.append(connection, desk, [_entry(item, row.call, now)])
            done.append(item)
    for recording in sorted({*vault.recordings()} - {row.recording for row in rows} - gone):
        item = Repaired(Repair.SET_ASIDE, recording)
        with catalog.writing() as connection:
            # A file comes before its row is committed: here nobody is between the two.
            audit.append(connection, desk, [_entry(item, "", now)])
            vault.set_aside(recording)
        done.append(item)
    return done


def _cut(vault: Vault, recording: str, now: datetime) -> tuple[int, datetime]:
    """How many bytes of a torn end were cut off, and when the file was last written to. More than one chunk's is no crash's work,
    and is left for `verify`, as all other damage."""
    path = vault.path(recording)
    try:
        ended = min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now)
        torn = [damage for damage in read_structure(path).damages if damage.torn and damage.length < _ONE_CHUNK]
    except (OSError, ArchiveError):
        return 0, now
    if torn:
        vault.cut(recording, torn[-1].offset)
    return sum(damage.length for damage in torn), ended


def _entry(item: Repaired, call: str, now: datetime) -> AuditEntry:
    return AuditEntry(item.what.value, "G10", now, call, item.recording, {"cut": item.cut} if item.cut else {})
