"""What is due of one recording, and that it goes: its purposes, then, where nothing keeps it, all of it (G10, G36).

Which recordings are looked at, and whether the clock is believed, is the sweep's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.ending import discard, end_purpose, is_case, waits_for_case
from softphone.archive.changes.holds import lift
from softphone.archive.changes.sealing import drop_wraps, is_held, list_to_judge
from softphone.archive.retention.found import FoundPurpose, StoredRecording, read, row_of
from softphone.archive.retention.swept import TOLD_AGAIN, SweepTerms, Swept, SweptItem, entry_of
from softphone.archive.schema.tables import purposes
from softphone.domain import retention
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Due, Ended, HoldStanding, hold_is_void, is_kept

_UNFINISHED = timedelta(days=1)
"""a recording that is younger and not closed may still be running"""
_ENDS = {Due.ENDS: Swept.PURPOSE_EXPIRED, Due.NOT_JUDGED: Swept.NOT_JUDGED, Due.TO_JUDGE: Swept.TO_JUDGE}
VOID = "void"
"""why a hold was lifted that nobody decided in time"""
_REASONS = {Swept.PURPOSE_EXPIRED: "expired", Swept.NOT_JUDGED: "not_judged"}
"""of a purpose that a sweep ended"""


def take_due(tx: Transaction, recording: str, now: datetime, terms: SweepTerms | None = None) -> list[SweptItem]:
    """What is due of one recording goes, within this transaction. It may have changed since it was found, and is judged here.

    Raises UnreadableError, and has done nothing then.
    """
    found = read(tx.connection, recording, now)
    if found is None:
        return []
    row, (items, kept) = found.row, judge(found, now, terms)
    if void := [item for item in items if item.hold is not None]:
        for item in void:
            lift(tx, str(item.hold), VOID, now)
        if not is_held(tx.connection, row.recording):
            # What it kept out of training nobody here can seal for training again.
            end_purpose(tx, row.recording, Purpose.TRAINING, Ended.TAKEN_BACK, VOID)
        again = read(tx.connection, recording, now)
        items, kept = judge(again, now, terms) if again else ([], True)
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
    tx.log(*(entry_of(item, row, now) for item in items if item.what not in TOLD_AGAIN))
    return items


def discard_what_nothing_keeps(tx: Transaction, recording: str, now: datetime) -> list[SweptItem]:
    """After an operation that ended a purpose. No date counts here, a purpose's or a hold's: only a sweep, which doubts the
    clock first, deletes by one."""
    row = row_of(tx.connection, recording)
    if row is None or (row.closed_at is None and row.broke_off_at is None) or is_held(tx.connection, recording):
        return []
    found = tx.execute(select(purposes.c.stands, purposes.c.reason).where(purposes.c.recording == recording)).all()
    if any(one.stands == Ended.KEEPS or waits_for_case(one.stands, one.reason) for one in found):
        return []
    discard(tx, recording, now)
    item = SweptItem(Swept.DISCARDED, recording, "G10")
    tx.log(entry_of(item, row, now))
    return [item]


def judge(found: StoredRecording, now: datetime, terms: SweepTerms | None) -> tuple[list[SweptItem], bool]:
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
    for by, hold in found.holds:
        one = HoldStanding(by.by_party, hold.provisional_until)
        standing.append(one)
        overdue, again, rule = Swept.HOLD_OVERDUE, Swept.HOLD_LOOK_AGAIN, "G10"
        if by is HoldBy.ACCESS:
            # Its answer was put off to that day (G08).
            overdue, again, rule = Swept.ACCESS_OVERDUE, Swept.ACCESS_OVERDUE, "G08"
        if hold_is_void(one, now) and hold.provisional_until is not None:
            since = hold.provisional_until.date()
            items.append(SweptItem(Swept.HOLD_VOID, row.recording, "G10", since=since, hold=hold.hold))
        elif hold.confirm_by is not None and now >= hold.confirm_by:
            since = retention.local_day(hold.confirm_by, row.time_zone)
            items.append(SweptItem(overdue, row.recording, rule, since=since))
        elif hold.look_again is not None and found.today >= hold.look_again:
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
    """What a purpose has come to that has not been carried out yet."""
    if purpose.stands is not Ended.KEEPS or purpose.expires_on is None:
        return None
    until, listed = None, purpose.judge_by is not None
    # An objection asks for its end: judging it after its date would prolong it.
    if purpose.to_be_judged and (listed or not is_case(found.row.restricted)):
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
