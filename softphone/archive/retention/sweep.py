"""The sweep: what has reached its day goes; what a hold needs stays. An open case keeps nothing (G10, G23, G36).

First a purpose's wraps, and with them the ability to listen; then, where nothing keeps a recording, all of it. What the policy
wants judged first is listed on its day, and goes when nobody has judged it in time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from softphone.archive.archive import Archive
from softphone.archive.catalog.clock import Steady, believe, last_seen, whole_sweep
from softphone.archive.catalog.condemned import remove_condemned
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.ending import discard, end_purpose, is_case, waits_for_case
from softphone.archive.changes.holds import lift
from softphone.archive.changes.sealing import drop_wraps, is_held, list_to_judge
from softphone.archive.folder.disk import FULL, NOT_DUE
from softphone.archive.folder.room import AT_ONCE
from softphone.archive.log import audit
from softphone.archive.log.audit import HOLD
from softphone.archive.log.checkpoint import begins
from softphone.archive.retention import cases, due, forgetting
from softphone.archive.retention.forgetting import LOG_KEPT
from softphone.archive.retention.found import AnyRow, FoundPurpose, StoredRecording, UnreadableError, read, row_of
from softphone.archive.retention.listed import clear_listed, finish_listed
from softphone.archive.schema.tables import (
    call_backs,
    party_languages,
    past_calls,
    purposes,
    refusals,
    sample_runs,
    sample_tallies,
    upheld,
)
from softphone.domain import retention
from softphone.domain.changes import AuditEntry, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import JUDGE_WITHIN, Due, Ended, HoldStanding, hold_is_void, is_kept

BATCH = 50
"""recordings looked at before the files of what went go, and the catalog log of pages is emptied"""
_UNFINISHED = timedelta(days=1)
"""a recording that is younger and not closed may still be running"""


class Swept(StrEnum):
    PURPOSE_EXPIRED = "purpose_expired"
    TO_JUDGE = "to_judge"
    """its day has come, and custody is to judge it: told when it is listed, by one sweep"""
    NOT_JUDGED = "not_judged"
    """nobody has judged it in time: it ends"""
    DISCARDED = "discarded"
    HOLD_VOID = "hold_void"
    """a hold of ours against a refusal, undecided past its days: discarded, and reported"""
    HOLD_OVERDUE = "hold_overdue"
    """nobody confirmed it in time: reported, never silently deleted"""
    ACCESS_OVERDUE = "access_overdue"
    """a request for access that nobody has answered in time"""
    CASE_OVERDUE = "case_overdue"
    """an objection, or grounds, that nobody has decided within a month"""
    HOLD_LOOK_AGAIN = "hold_look_again"
    """the day has come on which custody wanted to judge it again"""
    UNREADABLE = "unreadable"
    """its rows hold what the program never writes: somebody changed them, and nothing is deleted by what nobody can read"""
    CLOCK_DOUBTFUL = "clock_doubtful"
    """it has jumped, as far as can be told: nothing was deleted by it"""
    REFUSALS_FORGOTTEN = "refusals_forgotten"
    LANGUAGES_FORGOTTEN = "languages_forgotten"
    UPHELD_FORGOTTEN = "upheld_forgotten"
    """an objection that was upheld so long ago that the log no longer proves it"""
    PAST_CALLS_FORGOTTEN = "past_calls_forgotten"
    """an agent's own list goes no further back than the policy's `own_calls`"""
    CALL_BACKS_FORGOTTEN = "call_backs_forgotten"
    """nobody called back in the time that such an entry may be kept"""
    SAMPLE_RUNS_FORGOTTEN = "sample_runs_forgotten"
    """an agent has taken no call on a line for a year: how far their sample had come is nobody's concern"""
    TALLIES_FORGOTTEN = "tallies_forgotten"
    """what became of an agent's sample, month by month, when a month is a year back"""
    LOG_CUT = "log_cut"
    """the audit log's own period is over for its first entries"""


_LISTS: Mapping[Swept, Table] = {
    Swept.REFUSALS_FORGOTTEN: refusals,
    Swept.LANGUAGES_FORGOTTEN: party_languages,
    Swept.UPHELD_FORGOTTEN: upheld,
    Swept.PAST_CALLS_FORGOTTEN: past_calls,
    Swept.CALL_BACKS_FORGOTTEN: call_backs,
    Swept.SAMPLE_RUNS_FORGOTTEN: sample_runs,
    Swept.TALLIES_FORGOTTEN: sample_tallies,
}
"""what is remembered of parties and agents, each with its last day or its month"""
_OF_THE_SAMPLE = frozenset({Swept.SAMPLE_RUNS_FORGOTTEN, Swept.TALLIES_FORGOTTEN})
_TOLD_AGAIN = frozenset(
    {Swept.HOLD_OVERDUE, Swept.ACCESS_OVERDUE, Swept.CASE_OVERDUE, Swept.HOLD_LOOK_AGAIN, Swept.UNREADABLE}
)
"""by every sweep until somebody decides: told to whoever sweeps, and not in the log each time"""
REPORTS = frozenset({Swept.HOLD_VOID, Swept.CLOCK_DOUBTFUL, Swept.TO_JUDGE}) | _TOLD_AGAIN
"""what is told and is no deletion; one that follows from a void hold is told by itself"""
_ENDS = {Due.ENDS: Swept.PURPOSE_EXPIRED, Due.NOT_JUDGED: Swept.NOT_JUDGED, Due.TO_JUDGE: Swept.TO_JUDGE}
VOID = "void"
"""why a hold was lifted that nobody decided in time"""
_REASONS = {Swept.PURPOSE_EXPIRED: "expired", Swept.NOT_JUDGED: "not_judged"}
"""of a purpose that a sweep ended"""


@dataclass(frozen=True, slots=True)
class SweepTerms:
    """What the policy says of the sweep."""

    judge_within: Period = JUDGE_WITHIN
    log_kept: Period = LOG_KEPT


DEFAULT_TERMS = SweepTerms()


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
    """the recording has no purpose left, and stays for its hold alone"""
    undecided: bool = False
    """it ends while an objection, or grounds, have yet to be decided"""
    until: date | None = None
    """the day on which it ends unjudged"""
    hold: str | None = None
    """the one that is void"""


def sweep(archive: Archive, now: datetime, **how: Any) -> list[SweptItem]:
    """`sweeping` to its end: for what is known to be little."""
    return list(sweeping(archive, now, **how))


def sweeping(
    archive: Archive,
    now: datetime,
    *,
    clock: datetime,
    steady: Steady | None = None,
    witness: datetime | None = None,
    dry_run: bool = False,
    terms: SweepTerms | None = DEFAULT_TERMS,
    go_on: Callable[[], bool] = lambda: True,
) -> Generator[SweptItem]:
    """Everything due at `now` (UTC), told as it is done. `clock` is the true time: a later `now` is for a dry run or a demo's
    archive alone. `terms` None: it is not known which policy holds, so that nothing is listed and no log is cut by another's.

    Where the clock may have jumped since it was last believed, nothing is deleted unless a `witness` of the time agrees with it.
    `steady`: what the clock that nobody sets says beside it.
    `go_on` is asked before each recording, and after a look that found none, and may take its time; once it says no, what is left
    is for another time.
    On a full disk files go before their rows (ADR 019), so that there is room for the rest.
    Raises ArchiveError: on a full disk also where nothing is due.
    """
    if now > clock and not dry_run and not archive.demo:
        archive.note_refusal("refused", "G10", clock, deed="sweep_in_future")
        raise ArchiveError("error.archive.sweep_in_future")
    if dry_run:
        yield from _would(archive, now, terms, go_on)
        return
    try:
        finish_listed(archive, now)
        yield from _sweep(archive, now, clock, steady, witness, terms, go_on, BATCH)
        archive.room.keep()
    except ArchiveError as error:
        if error.code != FULL:
            raise
        due_now = (item for item in _would(archive, now, terms, go_on) if item.what not in _TOLD_AGAIN)
        if next(due_now, None) is None:
            raise ArchiveError(NOT_DUE, **error.params) from error
        archive.room.give()
        if doubt := _doubt(archive, clock, steady, witness):
            yield doubt
            return
        finish_listed(archive, now)
        yield from _files_first(archive, now, terms, go_on)
        yield from _sweep(archive, now, clock, steady, witness, terms, go_on, 1)
        archive.room.keep()


def _files_first(
    archive: Archive, now: datetime, terms: SweepTerms | None, go_on: Callable[[], bool]
) -> Iterator[SweptItem]:
    """Of what is due as a whole the list is written, then the files go, then the rows: nobody else writes meanwhile, and holds
    are read anew. Where it is cut off in between, or there is no room for the rows either, the next start finishes it."""
    for page in due.pages(archive.catalog, now, AT_ONCE):
        if not go_on():
            return
        with archive.catalog.writing() as tx:
            goes = [recording for recording in page if _goes(tx.connection, recording, now, terms)]
            if not goes:
                continue
            archive.room.list(goes)
            archive.vault.delete(*goes)
            items = [item for one in goes for item in take_due(tx, one, now, terms)]
        clear_listed(archive, goes)
        remove_condemned(archive.catalog, archive.vault)
        yield from items


def _goes(connection: Connection, recording: str, now: datetime, terms: SweepTerms | None) -> bool:
    """Whether nothing keeps it. What a void hold kept is for the next sweep, once there is room."""
    try:
        found = read(connection, recording, now)
    except UnreadableError:
        return False
    items = _judge(found, now, terms)[0] if found else []
    return any(item.what is Swept.DISCARDED for item in items) and all(item.hold is None for item in items)


def _sweep(
    archive: Archive,
    now: datetime,
    clock: datetime,
    steady: Steady | None,
    witness: datetime | None,
    terms: SweepTerms | None,
    go_on: Callable[[], bool],
    batch: int,
) -> Iterator[SweptItem]:
    if doubt := _doubt(archive, clock, steady, witness):
        yield doubt
        return
    changed = stopped = False
    for page in due.pages(archive.catalog, now, batch):
        deleted = False
        # A page of none is a look at thousands.
        stopped = not page and not go_on()
        for recording in page:
            if stopped := not go_on():
                break
            items = _taken(archive, recording, now, terms)
            deleted = deleted or any(item.what not in _TOLD_AGAIN for item in items)
            yield from items
        finish(archive, deleted=deleted)
        changed = changed or deleted
        if stopped:
            break
    else:
        last = [*_forget(archive, now), *(_cut_log(archive, now, terms.log_kept, go_on) if terms else ())]
        finish(archive, deleted=bool(last))
        with archive.catalog.writing() as tx:
            whole_sweep(tx, clock)
        changed = changed or bool(last)
        yield from last
        yield from _overdue(archive, now)
    if changed:
        archive.head(clock)


def _would(archive: Archive, now: datetime, terms: SweepTerms | None, go_on: Callable[[], bool]) -> Iterator[SweptItem]:
    for page in due.pages(archive.catalog, now, BATCH):
        if not go_on():
            return
        items: list[SweptItem] = []
        with archive.catalog.reading() as connection:
            for recording in page:
                try:
                    found = read(connection, recording, now)
                except UnreadableError:
                    items.append(SweptItem(Swept.UNREADABLE, recording, "G10"))
                else:
                    items += _judge(found, now, terms)[0] if found else ()
        yield from items
    with archive.catalog.reading() as connection:
        stale = _stale(connection, now)
        past = forgetting.past(connection, archive.signer, now, terms.log_kept, whole=True) if terms else None
    yield from stale
    yield from _overdue(archive, now)
    if past:
        yield SweptItem(Swept.LOG_CUT, None, "G10", count=past.count)


def _overdue(archive: Archive, now: datetime) -> list[SweptItem]:
    with archive.catalog.reading() as connection:
        late = [one for one in cases.open_cases(connection, now) if one.overdue]
    return [
        SweptItem(Swept.CASE_OVERDUE, one.recording, one.kind.rule, one.kind.purpose, since=one.deadline)
        for one in late
    ]


def _taken(archive: Archive, recording: str, now: datetime, terms: SweepTerms | None) -> list[SweptItem]:
    """One transaction a recording: an engine that is writing meanwhile waits for no more than that."""
    try:
        with archive.catalog.writing() as tx:
            return take_due(tx, recording, now, terms)
    except UnreadableError:
        return [SweptItem(Swept.UNREADABLE, str(recording), "G10")]


def take_due(tx: Transaction, recording: str, now: datetime, terms: SweepTerms | None = None) -> list[SweptItem]:
    """What is due of one recording goes, within this transaction. It may have changed since it was found, and is judged here.

    Raises UnreadableError, and has done nothing then.
    """
    found = read(tx.connection, recording, now)
    if found is None:
        return []
    row, (items, kept) = found.row, _judge(found, now, terms)
    if void := [item for item in items if item.hold is not None]:
        for item in void:
            lift(tx, str(item.hold), VOID, now)
        if not is_held(tx.connection, row.recording):
            # What it kept out of training nobody here can seal for training again.
            end_purpose(tx, row.recording, Purpose.TRAINING, Ended.TAKEN_BACK, VOID)
        again = read(tx.connection, recording, now)
        items, kept = _judge(again, now, terms) if again else ([], True)
        items = [*void, *items]
    for item in items:
        if item.purpose is None:
            continue
        if reason := _REASONS.get(item.what):
            drop_wraps(tx, row.recording, KeyRole(item.purpose.value))
            end_purpose(tx, row.recording, item.purpose, Ended.EXPIRED, reason)
        elif item.what is Swept.TO_JUDGE and item.until is not None:
            list_to_judge(tx, row.recording, item.purpose, item.until)
    if not kept:
        discard(tx, row.recording, now)
    tx.log(*(_entry(item, row, now) for item in items if item.what not in _TOLD_AGAIN))
    return items


def discard_what_nothing_keeps(tx: Transaction, recording: str, now: datetime) -> list[SweptItem]:
    """After a deed that ended a purpose. No date counts here, neither a purpose's nor a hold's: only a sweep, which doubts the
    clock first, deletes by one."""
    row = row_of(tx.connection, recording)
    if row is None or (row.closed_at is None and row.broke_off_at is None) or is_held(tx.connection, recording):
        return []
    found = tx.execute(select(purposes.c.stands, purposes.c.reason).where(purposes.c.recording == recording)).all()
    if any(one.stands == Ended.KEEPS or waits_for_case(one.stands, one.reason) for one in found):
        return []
    discard(tx, recording, now)
    item = SweptItem(Swept.DISCARDED, recording, "G10")
    tx.log(_entry(item, row, now))
    return [item]


def _forget(archive: Archive, now: datetime) -> list[SweptItem]:
    """What is remembered past its day."""
    with archive.catalog.writing() as tx:
        stale = _stale(tx.connection, now)
        for item in stale:
            tx.execute(delete(_LISTS[item.what]).where(_is_past(item.what, now)))
            tx.log(_entry(item, None, now))
    return stale


def _cut_log(archive: Archive, now: datetime, kept: Period, go_on: Callable[[], bool]) -> list[SweptItem]:
    """A part at a time: what is left where it is stopped, another sweep cuts."""
    count = 0
    while go_on():
        with archive.catalog.reading() as connection:
            past = forgetting.past(connection, archive.signer, now, kept)
        if past is None:
            break
        with archive.catalog.writing() as tx:
            # Another may have cut it meanwhile, and further: nothing begins earlier again. What has been proved stays so.
            begin = begins(tx.connection).get(archive.desk)
            gone = begin.number if begin else 0
            if gone >= past.head.number:
                break
            cut = past.head.number - gone
            told = {"count": cut, "kept": str(past.kept), "begins": past.head.number + 1}
            event = f"sweep_{Swept.LOG_CUT.value}"
            tx.log(AuditEntry(event, "G10", now, "", params=told))
            forgetting.cut(tx, archive.signer, past.head, now)
        count += cut
    return [SweptItem(Swept.LOG_CUT, None, "G10", count=count)] if count else []


def finish(archive: Archive, *, deleted: bool = True) -> None:
    """The files of what was deleted go, and its rows from the catalog's log of pages."""
    if deleted:
        archive.catalog.empty_log()
    remove_condemned(archive.catalog, archive.vault)


def _doubt(archive: Archive, clock: datetime, steady: Steady | None, witness: datetime | None) -> SweptItem | None:
    with archive.catalog.writing() as tx:
        if believe(tx, clock, steady=steady, witness=witness):
            return None
        seen = last_seen(tx.connection) or clock
        item = SweptItem(Swept.CLOCK_DOUBTFUL, None, "G10", since=seen.date())
        entry = _entry(item, None, clock)
        last = audit.last(tx.connection, archive.desk)
        if last is None or last.event != entry.event:
            # Tried again and again, it is told once.
            tx.log(entry)
        return item


def _judge(found: StoredRecording, now: datetime, terms: SweepTerms | None) -> tuple[list[SweptItem], bool]:
    """What is due for one recording, and whether it is kept."""
    items: list[SweptItem] = []
    stand: list[Ended] = []
    row = found.row
    for purpose in found.purposes:
        stands, item = purpose.stands, _due(found, purpose, terms)
        if item is not None:
            items.append(item)
            stands = stands if item.what is Swept.TO_JUDGE else Ended.EXPIRED
        if waits_for_case(stands, purpose.reason) and (purpose.expires_on is None or found.today < purpose.expires_on):
            stands = Ended.KEEPS
        stand.append(stands)
    standing: list[HoldStanding] = []
    for hold in found.holds:
        one = HoldStanding(hold.by.by_party, hold.until)
        standing.append(one)
        if hold_is_void(one, now) and hold.until is not None:
            items.append(SweptItem(Swept.HOLD_VOID, row.recording, "G10", since=hold.until.date(), hold=hold.hold))
        elif hold.confirm is not None and now >= hold.confirm:
            access = hold.by is HoldBy.ACCESS
            overdue, rule = (Swept.ACCESS_OVERDUE, "G08") if access else (Swept.HOLD_OVERDUE, "G10")
            since = retention.local_day(hold.confirm, row.time_zone)
            items.append(SweptItem(overdue, row.recording, rule, since=since))
        elif hold.look_again is not None and found.today >= hold.look_again:
            # Of a request for access it is the day to which its answer was put off (G08).
            access = hold.by is HoldBy.ACCESS
            again, rule = (Swept.ACCESS_OVERDUE, "G08") if access else (Swept.HOLD_LOOK_AGAIN, "G10")
            items.append(SweptItem(again, row.recording, rule, since=hold.look_again))
    kept = is_kept(stand, standing, now=now)
    if kept and Ended.KEEPS not in stand:
        items = [replace(item, locked=True) for item in items]
    ended = row.closed_at or row.broke_off_at
    if ended is None and now - found.opened_at < _UNFINISHED:
        kept = True
    if not kept:
        undecided = is_case(row.restricted) or any(waits_for_case(one.stands, one.reason) for one in found.purposes)
        items.append(SweptItem(Swept.DISCARDED, row.recording, "G10", undecided=undecided))
    return items, kept


def _due(found: StoredRecording, purpose: FoundPurpose, terms: SweepTerms | None) -> SweptItem | None:
    """What a purpose has come to that has not been done yet."""
    if purpose.stands is not Ended.KEEPS or purpose.expires_on is None:
        return None
    until, listed = None, purpose.judge_by is not None
    # Whoever objects asks for its end: to judge it after its date would prolong it.
    if purpose.reviewed and (listed or not is_case(found.row.restricted)):
        if not listed and terms is None:
            return None
        until = purpose.judge_by
        if until is None and terms is not None:
            until = retention.judge_by(purpose.expires_on, terms.judge_within, listed_on=found.today)
    came_to = retention.due(purpose.expires_on, found.today, judge_by=until)
    if came_to is Due.NOT_YET or (came_to is Due.TO_JUDGE and listed):
        return None
    rule = "G36" if purpose.which is Purpose.TRAINING else "G10"
    return SweptItem(_ENDS[came_to], found.row.recording, rule, purpose.which, purpose.expires_on, until=until)


def _stale(connection: Connection, now: datetime) -> list[SweptItem]:
    items: list[SweptItem] = []
    for what, table in _LISTS.items():
        asked = select(func.count()).select_from(table).where(_is_past(what, now))
        if count := int(connection.execute(asked).scalar_one()):
            rule = "G33" if what in _OF_THE_SAMPLE else "G10"
            items.append(SweptItem(what, None, rule, count=count))
    return items


def _is_past(what: Swept, now: datetime) -> ColumnElement[bool]:
    today = now.date()
    if what is Swept.TALLIES_FORGOTTEN:
        # The month of a year ago is the last that stays; a day of it stands in the same column (`tally`).
        return sample_tallies.c.month < f"{today.year - 1:04}-{today.month:02}"
    return _LISTS[what].c.until <= today.isoformat()


def _entry(item: SweptItem, row: AnyRow | None, now: datetime) -> AuditEntry:
    params: dict[str, str | int | bool | None] = {}
    if item.purpose is not None:
        params["purpose"] = item.purpose.value
    if item.since is not None:
        params["since"] = item.since.isoformat()
    if item.what is Swept.TO_JUDGE and item.until is not None:
        params["judge_by"] = item.until.isoformat()
    if item.hold is not None:
        params[HOLD] = item.hold
    if item.undecided:
        params["undecided"] = True
    if row is None:
        if item.what in _LISTS:
            params["count"] = item.count
        return AuditEntry(f"sweep_{item.what.value}", item.rule, now, "", params=params)
    return AuditEntry(f"sweep_{item.what.value}", item.rule, now, row.call, row.recording, params)
