"""What the policy wants judged when its day has come: listed for custody, who keeps it a while longer or lets it go (G10).

Meanwhile only custody opens it: others' wraps go with its day, and are made anew for what is kept. The sweep deletes what
nobody judges in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select, update

from softphone.archive.archive import Archive
from softphone.archive.changes.ending import end_purpose
from softphone.archive.changes.sealing import drop_wraps, wrap_again
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.log.policies import name_keys
from softphone.archive.retention.deleting import discard_what_nothing_keeps
from softphone.archive.retention.due import last_day
from softphone.archive.retention.sweep import finish
from softphone.archive.retention.swept import SweptItem
from softphone.archive.schema.readable import read_row
from softphone.archive.schema.tables import calls, holds, purposes, recordings
from softphone.domain.archive.deciding import check_keep, to_judge
from softphone.domain.archive.decisions import ToJudge
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import JUDGE_WITHIN, Ended

REFUSED = "judging_refused"
JUDGED = "judged"
"""the reason of a purpose that custody let go"""


def waiting(archive: Archive, now: datetime, within: Period = JUDGE_WITHIN) -> list[ToJudge]:
    """Oldest first. `within`: the policy's, for what no sweep has listed yet. Raises ArchiveError, as do all below."""
    now = _as_of(archive, now)
    with archive.catalog.reading() as connection:
        held = set(connection.execute(select(holds.c.recording).where(holds.c.lifted_at.is_(None))).scalars())
        rows = connection.execute(of_day(now)).all()
    found = (read_row(row, partial(_to_judge, now=now, within=within, held=row.recording in held)) for row in rows)
    return [one for one in found if one is not None]


def keep(
    archive: Archive,
    recording: str,
    until: date,
    reason: str,
    recipients: Sequence[Recipient],
    now: datetime,
    *,
    purpose: Purpose | None = None,
    within: Period = JUDGE_WITHIN,
) -> RecordingRow:
    """It is needed until then: those whom the policy lets open it (`recipients`) can again.

    No longer than its own period once more, so that it is judged at fixed intervals. `reason` stands in the audit log, which
    holds no name and no number. `purpose` None: each that waits.
    """
    row, data_keys = _for_custody(archive, recording, "keep", now)
    name_keys(archive, recipients, now)
    decided, then = archive.decided_on(row.recording), _as_of(archive, now)
    with archive.catalog.writing() as tx:
        for one in _still(tx.connection, row, purpose, then, within):
            check_keep(one, until, then)
            tx.execute(update(purposes).where(_this(one)).values(expires_on=until.isoformat(), judge_by=None))
            wrap_again(tx, row.recording, one.purpose, data_keys, recipients)
            tx.log(decided(_entry("judged_kept", row, one, now, until=until.isoformat(), why=reason)))
    return archive.find(row.recording, now)


def let_go(
    archive: Archive,
    recording: str,
    now: datetime,
    *,
    reason: str = "",
    purpose: Purpose | None = None,
    within: Period = JUDGE_WITHIN,
) -> list[SweptItem]:
    """It is no longer needed: the purpose ends, and with the last one all of it goes, unless a hold or a case keeps it.
    Returns what went as well."""
    row, _ = _for_custody(archive, recording, "delete", now)
    decided, then = archive.decided_on(row.recording), _as_of(archive, now)
    with archive.catalog.writing() as tx:
        for one in _still(tx.connection, row, purpose, then, within):
            drop_wraps(tx, row.recording, KeyRole(one.purpose.value))
            end_purpose(tx, row.recording, one.purpose, Ended.EXPIRED, JUDGED)
            tx.log(decided(_entry("judged_ended", row, one, now, **({"why": reason} if reason else {}))))
        went = discard_what_nothing_keeps(tx, row.recording, now)
    finish(archive)
    return went


def _as_of(archive: Archive, now: datetime) -> datetime:
    """The day it is judged on: today, or for a demo, which may be swept as of a later day, the last that a sweep listed."""
    if not archive.demo:
        return now
    asked = _select().where(purposes.c.judge_by.is_not(None)).with_only_columns(func.max(purposes.c.expires_on))
    with archive.catalog.reading() as connection:
        day = connection.execute(asked).scalar()
    return max(now, datetime.combine(date.fromisoformat(day), time(12), UTC)) if day else now


def _select() -> Select[Any]:
    """By the index of what is to be judged, which SQLite takes for literals only. What a case restricts is decided with the
    case (`deciding`): judging it would prolong it."""
    return (
        select(purposes, calls.c.line, calls.c.time_zone, recordings.c.opened_at)
        .join(recordings, recordings.c.recording == purposes.c.recording)
        .join(calls, calls.c.call == recordings.c.call)
        .where(purposes.c.stands == literal_column("'keeps'"), purposes.c.at_end == literal_column("'review'"))
        .where(recordings.c.restricted.is_(None))
    )


def of_day(now: datetime) -> Select[Any]:
    """What has reached its day."""
    order = (purposes.c.expires_on, purposes.c.recording, purposes.c.purpose)
    return _select().where(purposes.c.expires_on <= last_day(now)).order_by(*order)


def _to_judge(row: Any, now: datetime, within: Period, *, held: bool) -> ToJudge | None:
    opened, ended = datetime.fromisoformat(row.opened_at), date.fromisoformat(row.expires_on)
    listed = date.fromisoformat(row.judge_by) if row.judge_by else None
    purpose, zone = Purpose(row.purpose), row.time_zone
    return to_judge(
        row.recording, purpose, row.line, opened, zone, ended, row.retention, listed, now, within, held=held
    )


def _for_custody(
    archive: Archive, recording: str, what: str, now: datetime
) -> tuple[RecordingRow, Mapping[int, bytes]]:
    """With the data keys, by segment."""
    row = archive.find(recording, now)
    _, data_keys = archive.keys_for(row, KeyRole.CUSTODY, now, refusal=REFUSED, what=what)
    return row, data_keys


def _still(
    connection: Connection, row: RecordingRow, purpose: Purpose | None, now: datetime, within: Period
) -> list[ToJudge]:
    """What of it waits for judgement at this moment: a sweep, or another person, may have been quicker."""
    asked = _select().where(purposes.c.recording == row.recording, purposes.c.expires_on.is_not(None))
    found = [_to_judge(one, now, within, held=bool(row.holds)) for one in connection.execute(asked).all()]
    those = [one for one in found if one is not None and purpose in (None, one.purpose)]
    if not those:
        raise ArchiveError("error.archive.nothing_to_judge", id=row.recording)
    return those


def _this(one: ToJudge) -> Any:
    return (purposes.c.recording == one.recording) & (purposes.c.purpose == one.purpose.value)


def _entry(event: str, row: RecordingRow, one: ToJudge, now: datetime, **told: str) -> AuditEntry:
    rule = "G36" if one.purpose is Purpose.TRAINING else "G10"
    params: Mapping[str, str] = {"purpose": one.purpose.value, **told}
    return AuditEntry(event, rule, now, row.call, row.recording, params)
