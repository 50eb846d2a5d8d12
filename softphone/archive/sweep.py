"""The sweep: what has reached its day goes; what a hold or an open case needs stays (G10, G36).

First a purpose's wraps, and with them the ability to listen; then, where nothing keeps a recording, all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from softphone.archive import audit
from softphone.archive.archive import Archive
from softphone.archive.changes import Tables, is_case
from softphone.archive.ledger import remove_condemned
from softphone.archive.tables import calls, holds, purposes, recordings, refusals
from softphone.domain.changes import AuditEntry, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose, Reason
from softphone.domain.retention import Ended, HoldStanding, has_expired, hold_is_void, is_kept

_Row = Row[*tuple[Any, ...]]
_UNFINISHED = timedelta(days=1)
"""a recording that is younger and not closed may still be running"""


class Swept(StrEnum):
    PURPOSE_EXPIRED = "purpose_expired"
    DISCARDED = "discarded"
    HOLD_VOID = "hold_void"
    """a hold of ours against a refusal, undecided past its days: discarded, and reported"""
    HOLD_OVERDUE = "hold_overdue"
    """nobody confirmed it in time: reported, never silently deleted"""
    REFUSALS_FORGOTTEN = "refusals_forgotten"


REPORTS = frozenset({Swept.HOLD_VOID, Swept.HOLD_OVERDUE})
"""what is told of a hold; a deletion that follows from it is told by itself"""


@dataclass(frozen=True, slots=True)
class SweptItem:
    """One thing that the sweep did, or would do."""

    what: Swept
    recording: str | None
    rule: str
    purpose: Purpose | None = None
    since: date | None = None
    count: int = 1
    locked: bool = False
    """the recording has no purpose left, and stays for its hold or its open case alone"""


def sweep(archive: Archive, now: datetime, *, clock: datetime, dry_run: bool = False) -> list[SweptItem]:
    """Everything due at `now` (UTC). `clock` is the true time: a later `now` is for a dry run or a demo's archive alone.

    Raises ArchiveError.
    """
    if now > clock and not dry_run and not archive.demo:
        raise ArchiveError("error.archive.sweep_in_future")
    done: list[SweptItem] = []
    if dry_run:
        with archive.catalog.reading() as connection:
            for row in _all(connection):
                done += _judge(connection, row, now)[0]
            done += _stale_refusals(connection, now)
        return done
    with archive.catalog.reading() as connection:
        due = [row.recording for row in _all(connection) if _judge(connection, row, now)[0]]
    for recording in due:
        # One transaction a recording: an engine that is writing meanwhile waits for no more than that. It may have
        # changed what is due, so that it is judged again.
        with archive.catalog.writing() as connection:
            row = next(iter(_all(connection, recording)), None)
            if row is None:
                continue
            items, kept = _judge(connection, row, now)
            tables = Tables(connection, archive.desk, archive.secrets)
            for item in items:
                if item.what is Swept.PURPOSE_EXPIRED and item.purpose is not None:
                    tables.drop_wraps(row.recording, KeyRole(item.purpose.value))
                    tables.end_purpose(row.recording, item.purpose, Ended.EXPIRED, "expired")
            if not kept:
                tables.discard(row.recording, now)
            told = [item for item in items if item.what is not Swept.HOLD_OVERDUE]
            audit.append(connection, archive.desk, [_entry(item, row, now) for item in told])
        done += items
    with archive.catalog.writing() as connection:
        stale = _stale_refusals(connection, now)
        if stale:
            connection.execute(delete(refusals).where(refusals.c.until <= now.date().isoformat()))
        done += stale
    if any(item.what is not Swept.HOLD_OVERDUE for item in done):
        archive.catalog.scour()
    remove_condemned(archive.catalog, archive.vault)
    return done


def _all(connection: Connection, recording: str | None = None) -> Sequence[_Row]:
    asked = (
        select(
            recordings.c.recording,
            recordings.c.call,
            recordings.c.opened_at,
            recordings.c.closed_at,
            recordings.c.restricted,
            calls.c.time_zone,
        )
        .join(calls, calls.c.call == recordings.c.call)
        .order_by(recordings.c.opened_at)
    )
    if recording is not None:
        asked = asked.where(recordings.c.recording == recording)
    return connection.execute(asked).all()


def _judge(connection: Connection, row: _Row, now: datetime) -> tuple[list[SweptItem], bool]:
    """What is due for one recording, and whether it is kept."""
    items: list[SweptItem] = []
    stand: list[Ended] = []
    case_open = is_case(row.restricted)
    for purpose in connection.execute(select(purposes).where(purposes.c.recording == row.recording)):
        stands = Ended(purpose.stands)
        # Grounds given under special circumstances end training alone, and custody has yet to judge them (G32).
        case_open = case_open or purpose.reason == Reason.GROUNDS_GIVEN
        end = date.fromisoformat(purpose.expires_on) if purpose.expires_on else None
        if stands is Ended.KEEPS and end is not None and has_expired(end, now, row.time_zone):
            which = Purpose(purpose.purpose)
            rule = "G36" if which is Purpose.TRAINING else "G10"
            items.append(SweptItem(Swept.PURPOSE_EXPIRED, row.recording, rule, which, end))
            stands = Ended.EXPIRED
        stand.append(stands)
    standing: list[HoldStanding] = []
    for hold in connection.execute(
        select(holds).where(holds.c.recording == row.recording, holds.c.lifted_at.is_(None))
    ):
        until, confirm = _time(hold.provisional_until), _time(hold.confirm_by)
        one = HoldStanding(hold.raised_for == HoldBy.PARTY, until)
        standing.append(one)
        if hold_is_void(one, now) and until is not None:
            items.append(SweptItem(Swept.HOLD_VOID, row.recording, "G10", since=until.date()))
        elif confirm is not None and now >= confirm:
            items.append(SweptItem(Swept.HOLD_OVERDUE, row.recording, "G10", since=confirm.date()))
    kept = is_kept(stand, standing, case_open=case_open, now=now)
    if kept and Ended.KEEPS not in stand:
        items = [replace(item, locked=True) for item in items]
    if row.closed_at is None and now - datetime.fromisoformat(row.opened_at) < _UNFINISHED:
        kept = True
    if not kept:
        items.append(SweptItem(Swept.DISCARDED, row.recording, "G10"))
    return items, kept


def _stale_refusals(connection: Connection, now: datetime) -> list[SweptItem]:
    asked = select(func.count()).select_from(refusals).where(refusals.c.until <= now.date().isoformat())
    count = int(connection.execute(asked).scalar_one())
    return [SweptItem(Swept.REFUSALS_FORGOTTEN, None, "G10", count=count)] if count else []


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _entry(item: SweptItem, row: _Row, now: datetime) -> AuditEntry:
    params: dict[str, str | int | bool | None] = {}
    if item.purpose is not None:
        params["purpose"] = item.purpose.value
    if item.since is not None:
        params["since"] = item.since.isoformat()
    return AuditEntry(f"sweep_{item.what.value}", item.rule, now, row.call, row.recording, params)
