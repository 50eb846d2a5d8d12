"""Earlier calls with a party's number: what a dispute about them locks, whoever had them. It needs no key and opens nothing.

It finds them on an archive of its own, beside the loop. The ledger writes the locks, all or none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from uuid_utils import uuid7

from softphone.archive.archive import Archive
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.retention.holding import with_number
from softphone.domain.changes import DISPUTED_BY, AuditEntry, Commit, HoldBy, PlaceHold
from softphone.wire.snapshot import CodedText

NONE = CodedText("refused.earlier.none")
LOCKED = CodedText("refused.earlier.locked")
FAILED = CodedText("refused.earlier.failed")
NO_ARCHIVE = CodedText("refused.earlier.no_archive")
UNREADABLE = "refused.earlier.unreadable"


@dataclass(frozen=True, slots=True)
class LockRequest:
    """`number` in E.164; `but`: calls to leave as they are; `agent`: who asks, as a session's hold names them."""

    number: str = field(repr=False)
    but: frozenset[str]
    by: HoldBy
    agent: str
    why: str
    now: datetime
    confirm_by: datetime


@dataclass(frozen=True, slots=True)
class LockCandidates:
    """The changes, the calls that they lock, and how many recordings are left out because nobody can read their rows."""

    commit: Commit
    calls: frozenset[str]
    unreadable: int = 0


Answer = Callable[[LockCandidates | CodedText], None]
"""gets what was locked, once that is written, or why nothing was"""


def find(archive: Archive, asked: LockRequest) -> LockCandidates | CodedText:
    """A refusal if nothing is to be locked. Raises ArchiveError."""
    unreadable: set[str] = set()
    there = [row for row in with_number(archive, asked.number, asked.now, unreadable) if row.call not in asked.but]
    rows = [row for row in there if _is_to_be_locked(row, asked.by)]
    if unreadable and not rows:
        return CodedText(UNREADABLE, {"count": len(unreadable)})
    if not rows:
        return LOCKED if there else NONE
    holds = (
        PlaceHold(
            str(uuid7()), row.recording, asked.by, asked.agent, asked.now, None, asked.why, confirm_by=asked.confirm_by
        )
        for row in rows
    )
    entry = partial(AuditEntry, "hold_placed", "G10", asked.now, params={"by": asked.by.value})
    entries = (entry(call=row.call, recording=row.recording) for row in rows)
    return LockCandidates(Commit(0, tuple(holds), tuple(entries)), frozenset(row.call for row in rows), len(unreadable))


def _is_to_be_locked(row: RecordingRow, by: HoldBy) -> bool:
    """A party's hold stands beside ours. Ours adds nothing to another, and keeps nothing that no purpose keeps."""
    stand = {HoldBy(hold.raised_for) for hold in row.holds} & set(DISPUTED_BY)
    if by is HoldBy.PARTY:
        return HoldBy.PARTY not in stand
    return not stand and bool(row.expires)
