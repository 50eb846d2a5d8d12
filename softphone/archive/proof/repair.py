"""What a crash left half-done, set right before anything new is recorded: a half-written chunk is cut off, a recording that
broke off is marked so, a file that no row knows of is kept aside. Nothing that somebody could open is deleted.

Only for whoever writes alone, before it records: a recording that is still running would look as if it had broken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update

from softphone.archive.catalog import Catalog
from softphone.archive.files.reader import read_structure
from softphone.archive.files.vault import Vault
from softphone.archive.finding.rows import unlisted
from softphone.archive.proof import audit
from softphone.archive.tables import condemned, recordings
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError

_ONE_CHUNK = 64 * 1024
"""bytes; a second of two voices is a tenth of it"""
_BEHIND = timedelta(minutes=10)
"""how long before a crash a call may have ended whose last sound was still being written: ten times what the recorder allows"""
_LONGEST = timedelta(days=2)
"""no call lasts longer"""
_ROWS = select(recordings.c.recording, recordings.c.call, recordings.c.closed_at)


class Repair(StrEnum):
    BROKE_OFF = "recording_broke_off"
    """never closed, or its last sound was half written: it ends where it was last written to, and what was sealed stands"""
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
    done: list[Repaired] = []
    with catalog.reading() as connection:
        of = recordings.c.recording
        found = [connection.execute(_ROWS.where(of == one)).first() for one in vault.aside()]
    for row in found:
        if row is not None and vault.bring_back(row.recording):
            item = Repaired(Repair.BROUGHT_BACK, row.recording)
            with catalog.writing() as connection:
                audit.append(connection, desk, [_entry(item, row.call, now)])
            done.append(item)
    for row in _unfinished(catalog, desk):
        cut, ended = _cut(vault, row.recording, now)
        if row.closed_at is not None and not cut:
            continue
        item = Repaired(Repair.BROKE_OFF, row.recording, cut)
        with catalog.writing() as connection:
            this = recordings.c.recording == row.recording
            connection.execute(update(recordings).where(this).values(broke_off_at=ended.isoformat()))
            audit.append(connection, desk, [_entry(item, row.call, now)])
        done.append(item)
    with catalog.reading() as connection:
        gone = set(connection.execute(select(condemned.c.recording)).scalars())
        strays = [one for one in unlisted(connection, vault.recordings()) if one not in gone]
    for recording in strays:
        item = Repaired(Repair.SET_ASIDE, recording)
        with catalog.writing() as connection:
            # A file comes before its row is committed: here nobody is between the two.
            audit.append(connection, desk, [_entry(item, "", now)])
            vault.set_aside(recording)
        done.append(item)
    return done


def _unfinished(catalog: Catalog, desk: str) -> list[Any]:
    """What never ended, and what ended so lately that its last sound may be missing: found without a look at all the rest."""
    open_still = _ROWS.where(recordings.c.closed_at.is_(None), recordings.c.broke_off_at.is_(None))
    with catalog.reading() as connection:
        found = list(connection.execute(open_still.order_by(recordings.c.recording)))
        if last := audit.last(connection, desk):
            lately = datetime.fromisoformat(last.at) - _BEHIND
            begun = recordings.c.opened_at >= (lately - _LONGEST).isoformat()
            ended = (recordings.c.closed_at >= lately.isoformat()) & recordings.c.broke_off_at.is_(None)
            found += connection.execute(_ROWS.where(begun, ended).order_by(recordings.c.recording))
    return found


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
