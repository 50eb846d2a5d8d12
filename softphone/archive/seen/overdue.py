"""What custody should have decided by now, told to it alone: holds, requests for access and cases."""

from __future__ import annotations

from datetime import datetime

from softphone.archive.archive import Archive
from softphone.archive.retention import holding
from softphone.archive.retention.cases import open_cases
from softphone.archive.seen.access import sealed, viewer_of
from softphone.domain.archive.decisions import Overdue
from softphone.domain.archive.permission import opens
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import HoldState
from softphone.domain.roles import Permission


def overdue(archive: Archive, now: datetime) -> Overdue:
    """Of those whose recordings this keyring opens for custody. The keyring is asked only where something is overdue; whoever is
    not custody was not refused, for nobody has asked. Raises ArchiveError, KeyringError."""
    holds = [one for one in holding.standing(archive, now) if one.state is HoldState.OVERDUE]
    with archive.catalog.reading() as connection:
        cases = [one for one in open_cases(connection, now) if one.overdue]
    viewer = viewer_of(archive, None, ()) if holds or cases else None
    if viewer is None or not viewer.may(Permission.DECIDE_HOLD):
        return Overdue()

    def own(recording: str) -> bool:
        return opens(viewer, KeyRole.CUSTODY, sealed(archive, recording))

    return Overdue(
        tuple(one.decide_by for one in holds if own(one.recording)),
        tuple(one.deadline for one in cases if own(one.recording)),
    )
