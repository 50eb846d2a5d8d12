"""A hold on one recording, as whoever takes a complaint raises it."""

from __future__ import annotations

from datetime import datetime

from softphone.archive.archive import Archive
from softphone.archive.retention.holding import raise_holds
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError


def raise_hold(archive: Archive, recording: str, by: HoldBy, why: str, raised_by: str, now: datetime) -> str:
    """Its id. Raises ArchiveError, also where the recording goes in between."""
    for one in raise_holds(archive, [archive.find(recording, now)], by, why, raised_by, now):
        return one.hold.hold
    raise ArchiveError("error.archive.no_such_recording", id=recording)
