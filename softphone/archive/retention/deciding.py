"""Custody decides a case, each recording by itself and with a reason (G23, G32). Upheld: that purpose ends, and the number is
remembered, so that later calls on the line are not recorded for it. Rejected: the restriction ends, and the original dates hold.

Nobody's recording lives longer for a case: which are open, and until when, `cases` tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select, update

from softphone.archive.archive import Archive
from softphone.archive.catalog.changes import HOLD_ONLY, CatalogWriter
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.log import audit
from softphone.archive.log.policies import name_keys
from softphone.archive.retention.cases import Case, CaseKind, open_cases
from softphone.archive.retention.sweep import discard_what_nothing_keeps, finish
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
    """`recipients`: whom the policy lets open it, where a case is rejected. `purpose` None: each case of the recording.

    `reason` stands in the audit log, which holds no name and no number. Raises ArchiveError: no such case, nobody to open it for,
    and whoever is not custody is refused, which the log tells of.
    """
    row = archive.find(recording, now)
    _, data_keys = archive.keys_for(row, KeyRole.CUSTODY, now, refusal=REFUSED, what="decide")
    decided = archive.decided_on(row.recording)
    name_keys(archive, recipients, now)
    with archive.catalog.writing() as connection:
        tables = CatalogWriter(connection, archive.desk, archive.secrets)
        cases = [one for one in open_cases(connection, now, row.recording) if purpose in (None, one.kind.purpose)]
        if not cases:
            raise ArchiveError("error.cases.none", id=row.recording)
        entries: list[AuditEntry] = []
        for one in cases:
            if uphold:
                _uphold(tables, one, now)
            else:
                _reject(tables, one, row, data_keys, recipients, now)
            told = {"purpose": one.kind.purpose.value, "why": reason}
            event = UPHELD if uphold else REJECTED
            entries.append(decided(AuditEntry(event, one.kind.rule, now, row.call, row.recording, told)))
        facts = tables.facts(row.call)
        audit.append(connection, archive.desk, entries)
        gone = bool(discard_what_nothing_keeps(connection, archive, row.recording, now)) if uphold else False
        held = not gone and tables.is_held(row.recording) and not _keeps(tables, row.recording)
        if held:
            tables.restrict(row.recording, HOLD_ONLY)
            told = {"why": HOLD_ONLY}
            audit.append(
                connection, archive.desk, [AuditEntry("restricted", "G10", now, row.call, row.recording, told)]
            )
    finish(archive)
    return Decided(tuple(cases), gone, held, uphold and facts is not None and facts.number is not None)


def _uphold(tables: CatalogWriter, case: Case, now: datetime) -> None:
    of, purpose = case.recording, case.kind.purpose
    tables.drop_wraps(of, KeyRole(purpose.value))
    tables.end_purpose(of, purpose, Ended.UPHELD, Ended.UPHELD.value)
    _settle(tables, case, stands=Ended.UPHELD, reason=Ended.UPHELD.value)
    if (facts := tables.facts(case.call)) is not None:
        tables.remember_upheld(facts, purpose, now)


def _reject(
    tables: CatalogWriter,
    case: Case,
    row: RecordingRow,
    data_keys: Mapping[int, bytes],
    recipients: Sequence[Recipient],
    now: datetime,
) -> None:
    """What has come to its day meanwhile is the sweep's: it is sealed for nobody again."""
    _settle(tables, case, stands=Ended.KEEPS, reason=None)
    here = (purposes.c.recording == row.recording) & (purposes.c.stands == Ended.KEEPS.value)
    for one in tables.connection.execute(select(purposes.c.purpose, purposes.c.expires_on).where(here)).all():
        day = date.fromisoformat(one.expires_on) if one.expires_on else None
        if day is None or not has_expired(day, now, row.time_zone):
            tables.wrap_again(row.recording, Purpose(one.purpose), data_keys, recipients)


def _settle(tables: CatalogWriter, case: Case, *, stands: Ended, reason: str | None) -> None:
    """It is restricted by this case no longer; and what grounds had taken out of training is so for good, or is in it again."""
    here = recordings.c.recording == case.recording
    of_case = here & (recordings.c.restricted == case.kind.value)
    tables.connection.execute(update(recordings).where(of_case).values(restricted=None))
    if case.kind is CaseKind.GROUNDS:
        given = (purposes.c.recording == case.recording) & (purposes.c.reason == CaseKind.GROUNDS.value)
        tables.connection.execute(update(purposes).where(given).values(stands=stands.value, reason=reason))


def _keeps(tables: CatalogWriter, recording: str) -> bool:
    asked = select(purposes.c.stands).where(purposes.c.recording == recording)
    return Ended.KEEPS.value in set(tables.connection.execute(asked).scalars())
