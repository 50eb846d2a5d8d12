"""The sweep: what has reached its day goes; what a hold or an open case needs stays (G10, G36).

First a purpose's wraps, and with them the ability to listen; then, where nothing keeps a recording, all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, delete, func, or_, select

from softphone.archive import audit, forgetting
from softphone.archive.archive import Archive
from softphone.archive.changes import Tables, is_case
from softphone.archive.clock import believe, last_seen
from softphone.archive.forgetting import LOG_KEPT
from softphone.archive.ledger import remove_condemned
from softphone.archive.tables import call_backs, calls, holds, party_languages, purposes, recordings, refusals
from softphone.domain.changes import AuditEntry, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose, Reason
from softphone.domain.retention import Ended, HoldStanding, has_expired, hold_is_void, is_kept

_Row = Row[*tuple[Any, ...]]
BATCH = 50
"""recordings found at once"""
_EAST = timedelta(hours=14)
"""how far ahead of UTC a day begins, at most"""
_TRIES = 3
"""at pages that a reader holds"""
_UNFINISHED = timedelta(days=1)
"""a recording that is younger and not closed may still be running"""


class Swept(StrEnum):
    PURPOSE_EXPIRED = "purpose_expired"
    DISCARDED = "discarded"
    HOLD_VOID = "hold_void"
    """a hold of ours against a refusal, undecided past its days: discarded, and reported"""
    HOLD_OVERDUE = "hold_overdue"
    """nobody confirmed it in time: reported, never silently deleted"""
    HOLD_LOOK_AGAIN = "hold_look_again"
    """the day has come on which custody wanted to judge it again"""
    CLOCK_DOUBTFUL = "clock_doubtful"
    """it has jumped, as far as can be told: nothing was deleted by it"""
    REFUSALS_FORGOTTEN = "refusals_forgotten"
    LANGUAGES_FORGOTTEN = "languages_forgotten"
    CALL_BACKS_FORGOTTEN = "call_backs_forgotten"
    """nobody called back in the time that such an entry may be kept"""
    LOG_CUT = "log_cut"
    """the audit log's own period is over for its first entries"""


_LISTS: Mapping[Swept, Table] = {
    Swept.REFUSALS_FORGOTTEN: refusals,
    Swept.LANGUAGES_FORGOTTEN: party_languages,
    Swept.CALL_BACKS_FORGOTTEN: call_backs,
}
"""what is remembered of parties, each with its last day"""
_TOLD_AGAIN = frozenset({Swept.HOLD_OVERDUE, Swept.HOLD_LOOK_AGAIN})
"""by every sweep until somebody decides: told to whoever sweeps, and not in the log each time"""
REPORTS = frozenset({Swept.HOLD_VOID, Swept.CLOCK_DOUBTFUL}) | _TOLD_AGAIN
"""what is told and is no deletion; one that follows from a void hold is told by itself"""


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


def sweep(
    archive: Archive,
    now: datetime,
    *,
    clock: datetime,
    witness: datetime | None = None,
    dry_run: bool = False,
    log_kept: Period = LOG_KEPT,
    go_on: Callable[[], bool] = lambda: True,
) -> list[SweptItem]:
    """Everything due at `now` (UTC). `clock` is the true time: a later `now` is for a dry run or a demo's archive alone.

    Where the clock has jumped since it was last believed, nothing is deleted unless a `witness` of the time agrees with it.
    `go_on` is asked before each recording and may take its time; once it says no, what is left is for another time.
    Raises ArchiveError.
    """
    if now > clock and not dry_run and not archive.demo:
        raise ArchiveError("error.archive.sweep_in_future")
    done: list[SweptItem] = []
    if dry_run:
        with archive.catalog.reading() as connection:
            for rows in _batches(connection, now):
                for row in rows:
                    done += _judge(connection, row, now)[0]
            done += _stale(connection, now)
            if past := forgetting.past(connection, archive.signer, now, log_kept):
                done.append(SweptItem(Swept.LOG_CUT, None, "G10", count=past[1]))
        return done
    if doubt := _doubt(archive, clock, witness):
        return [doubt]
    after, whole = "", False
    while not whole and go_on():
        with archive.catalog.reading() as connection:
            rows = _next(connection, now, after)
            due = [row.recording for row in rows if _judge(connection, row, now)[0]]
        for recording in due:
            if not go_on():
                break
            # One transaction a recording: an engine that is writing meanwhile waits for no more than that.
            with archive.catalog.writing() as connection:
                done += take_due(connection, archive, recording, now)
        finish(archive, scour=_deleted(done))
        whole = not rows
        after = rows[-1].recording if rows else after
    if whole:
        done += _forget(archive, now)
        done += _cut_log(archive, now, log_kept)
        finish(archive, scour=_deleted(done))
    if done:
        archive.head(clock)
    return done


def take_due(connection: Connection, archive: Archive, recording: str, now: datetime) -> list[SweptItem]:
    """What is due of one recording goes, within this transaction. It may have changed since it was found, and is judged here."""
    row = connection.execute(_ask().where(recordings.c.recording == recording)).first()
    if row is None:
        return []
    items, kept = _judge(connection, row, now)
    tables = Tables(connection, archive.desk, archive.secrets)
    for item in items:
        if item.what is Swept.PURPOSE_EXPIRED and item.purpose is not None:
            tables.drop_wraps(row.recording, KeyRole(item.purpose.value))
            tables.end_purpose(row.recording, item.purpose, Ended.EXPIRED, "expired")
    if not kept:
        tables.discard(row.recording, now)
    told = [item for item in items if item.what not in _TOLD_AGAIN]
    audit.append(connection, archive.desk, [_entry(item, row, now) for item in told])
    return items


def _forget(archive: Archive, now: datetime) -> list[SweptItem]:
    """What is remembered of parties past its day."""
    with archive.catalog.writing() as connection:
        stale = _stale(connection, now)
        for item in stale:
            connection.execute(delete(_LISTS[item.what]).where(_LISTS[item.what].c.until <= now.date().isoformat()))
        audit.append(connection, archive.desk, [_entry(item, None, now) for item in stale])
    return stale


def _cut_log(archive: Archive, now: datetime, kept: Period) -> list[SweptItem]:
    with archive.catalog.reading() as connection:
        past = forgetting.past(connection, archive.signer, now, kept)
    if past is None:
        return []
    item = SweptItem(Swept.LOG_CUT, None, "G10", count=past[1])
    with archive.catalog.writing() as connection:
        audit.append(connection, archive.desk, [_entry(item, None, now)])
        forgetting.cut(connection, archive.signer, past[0], now)
    return [item]


def finish(archive: Archive, *, scour: bool = True) -> None:
    """What was deleted is in no page and in no file."""
    if scour:
        any(archive.catalog.scour() for _ in range(_TRIES))
    remove_condemned(archive.catalog, archive.vault)


def _doubt(archive: Archive, clock: datetime, witness: datetime | None) -> SweptItem | None:
    with archive.catalog.writing() as connection:
        if believe(connection, clock, witness):
            return None
        seen = last_seen(connection) or clock
        item = SweptItem(Swept.CLOCK_DOUBTFUL, None, "G10", since=seen.date())
        entry = _entry(item, None, clock)
        last = audit.last(connection, archive.desk)
        if last is None or last.event != entry.event:
            # Tried again and again, it is told once.
            audit.append(connection, archive.desk, [entry])
        return item


def _ask() -> Select[*tuple[Any, ...]]:
    return select(
        recordings.c.recording,
        recordings.c.call,
        recordings.c.opened_at,
        recordings.c.closed_at,
        recordings.c.restricted,
        calls.c.time_zone,
    ).join(calls, calls.c.call == recordings.c.call)


def _next(connection: Connection, now: datetime, after: str) -> Sequence[_Row]:
    """The next recordings, by their id, that something may be due for: found by the database, judged one by one."""
    of_it = purposes.c.recording == recordings.c.recording
    stands = purposes.c.stands == Ended.KEEPS.value
    moment = now.isoformat()
    asked = _ask().where(
        recordings.c.recording > after,
        or_(
            select(purposes.c.purpose)
            .where(of_it, stands, purposes.c.expires_on <= (now + _EAST).date().isoformat())
            .exists(),
            ~select(purposes.c.purpose).where(of_it, stands).exists(),
            select(holds.c.hold)
            .where(
                holds.c.recording == recordings.c.recording,
                holds.c.lifted_at.is_(None),
                or_(
                    holds.c.provisional_until <= moment,
                    holds.c.confirm_by <= moment,
                    holds.c.look_again <= (now + _EAST).date().isoformat(),
                ),
            )
            .exists(),
        ),
    )
    return connection.execute(asked.order_by(recordings.c.recording).limit(BATCH)).all()


def _batches(connection: Connection, now: datetime) -> Generator[Sequence[_Row]]:
    after = ""
    while rows := _next(connection, now, after):
        yield rows
        after = rows[-1].recording


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
        elif hold.look_again and has_expired(again := date.fromisoformat(hold.look_again), now, row.time_zone):
            items.append(SweptItem(Swept.HOLD_LOOK_AGAIN, row.recording, "G10", since=again))
    kept = is_kept(stand, standing, case_open=case_open, now=now)
    if kept and Ended.KEEPS not in stand:
        items = [replace(item, locked=True) for item in items]
    if row.closed_at is None and now - datetime.fromisoformat(row.opened_at) < _UNFINISHED:
        kept = True
    if not kept:
        items.append(SweptItem(Swept.DISCARDED, row.recording, "G10"))
    return items, kept


def _stale(connection: Connection, now: datetime) -> list[SweptItem]:
    items: list[SweptItem] = []
    for what, table in _LISTS.items():
        asked = select(func.count()).select_from(table).where(table.c.until <= now.date().isoformat())
        if count := int(connection.execute(asked).scalar_one()):
            items.append(SweptItem(what, None, "G10", count=count))
    return items


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _deleted(done: Sequence[SweptItem]) -> bool:
    return any(item.what not in _TOLD_AGAIN for item in done)


def _entry(item: SweptItem, row: _Row | None, now: datetime) -> AuditEntry:
    params: dict[str, str | int | bool | None] = {}
    if item.purpose is not None:
        params["purpose"] = item.purpose.value
    if item.since is not None:
        params["since"] = item.since.isoformat()
    if row is None:
        if item.what in _LISTS or item.what is Swept.LOG_CUT:
            params["count"] = item.count
        return AuditEntry(f"sweep_{item.what.value}", item.rule, now, "", params=params)
    return AuditEntry(f"sweep_{item.what.value}", item.rule, now, row.call, row.recording, params)
