"""Custody decides a case, each recording by itself and with a reason (G23, G32).

Upheld: that purpose ends, and the number is remembered, so that later calls on the line are not recorded for it. Rejected:
the restriction ends, and the original dates hold. No recording lives longer because of a case; `cases` says which are open,
and until when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select, update

from softphone.archive.archive import Archive
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import facts_of
from softphone.archive.changes.ending import end_purpose, restrict
from softphone.archive.changes.execution import HOLD_ONLY, held_alone
from softphone.archive.changes.party import remember_upheld
from softphone.archive.changes.sealing import drop_wraps, is_held, wrap_again
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.log.policies import name_keys
from softphone.archive.retention.cases import Case, CaseKind, open_cases
from softphone.archive.retention.deleting import discard_what_nothing_keeps
from softphone.archive.retention.sweep import finish
from softphone.archive.schema.tables import purposes, recordings
from softphone.domain.archive.decisions import Decided
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended, has_expired

UPHELD, REJECTED = "case_upheld", "case_rejected"
REFUSED = "case_refused"


def decide(
    archive: Archive,
    recording: str,
    now: datetime,
    *,
    uphold: bool,
    reason: str,
    recipients: Sequence[Recipient] = (),
    purpose: Purpose | None = None,
) -> Decided:
    """`recipients`: those whom the policy lets open it, if a case is rejected. `purpose` None: each case of the recording.

    `reason` stands in the audit log, which holds no name and no number. Raises ArchiveError: no such case, or nobody to open
    it for. Anybody but custody is refused, which the log notes.
    """
    row = archive.find(recording, now)
    _, data_keys = archive.keys_for(row, KeyRole.CUSTODY, now, refusal=REFUSED, what="decide")
    decided = archive.decided_on(row.recording)
    name_keys(archive, recipients, now)
    with archive.catalog.writing() as tx:
        cases = [one for one in open_cases(tx.connection, now, row.recording) if purpose in (None, one.kind.purpose)]
        if not cases:
            raise ArchiveError("error.cases.none", id=row.recording)
        facts = facts_of(tx.connection, archive.secrets, row.call)
        for one in cases:
            _settle(tx, one, Ended.UPHELD if uphold else Ended.KEEPS)
            if uphold:
                drop_wraps(tx, one.recording, KeyRole(one.kind.purpose.value))
                end_purpose(tx, one.recording, one.kind.purpose, Ended.UPHELD, Ended.UPHELD.value)
                if facts is not None:
                    remember_upheld(tx, archive.secrets, facts, one.kind.purpose, now)
            else:
                _wrap_again(tx, row, data_keys, recipients, now)
            stated = {"purpose": one.kind.purpose.value, "why": reason}
            event = UPHELD if uphold else REJECTED
            tx.log(decided(AuditEntry(event, one.kind.rule, now, row.call, row.recording, stated)))
        gone = uphold and bool(discard_what_nothing_keeps(tx, row.recording, now))
        held = not gone and is_held(tx.connection, row.recording) and not _keeps(tx, row.recording)
        if held:
            restrict(tx, row.recording, HOLD_ONLY)
            tx.log(held_alone(row.recording, row.call, now))
    finish(archive)
    return Decided(tuple(cases), gone, held, uphold and facts is not None and facts.number is not None)


def _wrap_again(
    tx: Transaction,
    row: RecordingRow,
    data_keys: Mapping[int, bytes],
    recipients: Sequence[Recipient],
    now: datetime,
) -> None:
    """The sweep takes what has reached its day meanwhile: it is sealed for nobody again."""
    here = (purposes.c.recording == row.recording) & (purposes.c.stands == Ended.KEEPS.value)
    for one in tx.execute(select(purposes.c.purpose, purposes.c.expires_on).where(here)).all():
        day = date.fromisoformat(one.expires_on) if one.expires_on else None
        if day is None or not has_expired(day, now, row.time_zone):
            wrap_again(tx, row.recording, Purpose(one.purpose), data_keys, recipients)


def _settle(tx: Transaction, case: Case, stands: Ended) -> None:
    """This case no longer restricts it. What grounds had taken out of training is out for good, or in again."""
    here = recordings.c.recording == case.recording
    tx.execute(update(recordings).where(here, recordings.c.restricted == case.kind.value).values(restricted=None))
    if case.kind is CaseKind.GROUNDS:
        given = (purposes.c.recording == case.recording) & (purposes.c.reason == CaseKind.GROUNDS.value)
        reason = None if stands is Ended.KEEPS else stands.value
        tx.execute(update(purposes).where(given).values(stands=stands.value, reason=reason))


def _keeps(tx: Transaction, recording: str) -> bool:
    asked = select(purposes.c.stands).where(purposes.c.recording == recording)
    return Ended.KEEPS.value in set(tx.execute(asked).scalars())
