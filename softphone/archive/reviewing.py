"""A training recording that was reviewed: it counts as used, and what was kept for that alone goes (G33, G38).

Who reviews has a training key that opens it. A recording under a hold or a case opens for no training, so none is reviewed.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select, update

from softphone.archive import audit
from softphone.archive.archive import Archive
from softphone.archive.changes import Tables
from softphone.archive.sweep import finish, take_due
from softphone.archive.tables import calls, purposes, recordings, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended, expires_on

USED = "reviewed"
"""the reason of a training that ended by having been used"""


def review(archive: Archive, recording: str, by: str, now: datetime, *, keep: Period | None = None) -> bool:
    """Notes that `by` (a key's id; no name) has reviewed it. False where it was reviewed before: then nothing changes.

    Training ends at once, or after `keep`, and never later than it would have; with it goes a recording that nothing else
    keeps. Raises ArchiveError, and KeyringError where the keys' store fails.
    """
    row = archive.find(recording, now)
    archive.keys_for(row, KeyRole.TRAINING, now, refusal="review_refused")
    this = (purposes.c.recording == row.recording) & (purposes.c.purpose == Purpose.TRAINING.value)
    with archive.catalog.writing() as connection:
        training = connection.execute(
            select(purposes, calls.c.time_zone, recordings.c.closed_at, recordings.c.broke_off_at)
            .join(recordings, recordings.c.recording == purposes.c.recording)
            .join(calls, calls.c.call == recordings.c.call)
            .where(this)
        ).first()
        opens = select(wraps.c.segment).where(
            wraps.c.recording == row.recording, wraps.c.role == KeyRole.TRAINING.value
        )
        if training is None or training.stands != Ended.KEEPS or not connection.execute(opens.limit(1)).first():
            # An opt-out, or a hold, was quicker.
            raise ArchiveError("error.archive.closed_to_role", id=row.recording, role=KeyRole.TRAINING.value)
        if training.closed_at is None and training.broke_off_at is None:
            raise ArchiveError("error.archive.still_running", id=row.recording)
        if training.reviewed_at is not None:
            return False
        params: dict[str, str | int | bool | None] = {"by": by, "line": row.line}
        told = [AuditEntry("recording_reviewed", "G33", now, row.call, row.recording, params)]
        if keep is None:
            tables = Tables(connection, archive.desk, archive.secrets)
            tables.drop_wraps(row.recording, KeyRole.TRAINING)
            tables.end_purpose(row.recording, Purpose.TRAINING, Ended.EXPIRED, USED)
            told.append(AuditEntry("training_used", "G38", now, row.call, row.recording))
        else:
            ends = expires_on(now, keep, training.time_zone)
            if training.expires_on is not None:
                ends = min(ends, date.fromisoformat(training.expires_on))
            connection.execute(update(purposes).where(this).values(expires_on=ends.isoformat()))
        connection.execute(update(purposes).where(this).values(reviewed_at=now.isoformat()))
        audit.append(connection, archive.desk, told)
        if keep is None:
            take_due(connection, archive, row.recording, now)
    finish(archive)
    return True
