"""What custody may decide of a hold, and of what has reached its day, and by when: the same for every archive.

Pure. Whoever asks has been found to be custody before; these raise ArchiveError for what is not to be decided so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from softphone.domain.archive.decisions import Raised, Standing, ToJudge
from softphone.domain.archive.recordings import HoldRow
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from softphone.domain.retention import HoldState, answer_by, has_expired, hold_state, judge_by, keep_at_most, local_day

LOOK_AGAIN = Period(months=12)
"""a confirmed hold is judged again by then"""


def standing_of(recording: str, hold: HoldRow, time_zone: str, now: datetime, *, alone: bool) -> Standing:
    """`alone`: no purpose keeps the recording."""
    state = hold_state(
        provisional_until=hold.provisional_until,
        confirm_by=hold.confirm_by,
        look_again=hold.look_again,
        now=now,
        today=local_day(now, time_zone),
    )
    return Standing(recording, hold, state, alone, time_zone)


def due_by(by: HoldBy, time_zone: str, now: datetime, within: Period) -> datetime:
    """Until when custody is to confirm a hold that is raised now, or to answer the request for access behind it."""
    return answer_by(now, time_zone) if by is HoldBy.ACCESS else now + within.length()


def raised(
    standing: Sequence[Standing],
    named: Collection[str],
    already: Collection[str],
    by: HoldBy,
    found: int,
    unreadable: int,
) -> Raised:
    """`named`: the recordings that are told; `already`: the holds that stood before."""
    told = tuple(one for one in standing if one.recording in named)
    # One of their own that stood before may have been confirmed.
    days = [
        one.decide_by
        for one in standing
        if one.decide_by and (by is HoldBy.ACCESS or one.state is not HoldState.CONFIRMED)
    ]
    before = frozenset(already)
    return Raised(told, len(standing) - len(told), before, found, unreadable, min(days, default=None))


def check_look_again(raised_for: str, at: datetime, time_zone: str, look_again: date, now: datetime) -> None:
    """A confirmed hold is looked at again within a year. A request for access is answered two months after its own month at
    the latest (art. 12(3) of the GDPR)."""
    if look_again <= now.date():
        raise ArchiveError("error.archive.look_again_past")
    last, code = LOOK_AGAIN.after(local_day(now, time_zone)), "error.archive.look_again_far"
    if raised_for == HoldBy.ACCESS:
        until = at
        for _ in range(3):
            until = answer_by(until, time_zone)
        last, code = local_day(until, time_zone), "error.archive.extended_far"
    if look_again > last:
        raise ArchiveError(code, last=last.isoformat())


def check_answered(answered: date, opened_at: datetime, time_zone: str, now: datetime) -> None:
    if not local_day(opened_at, time_zone) <= answered <= local_day(now, time_zone):
        raise ArchiveError("error.archive.answered_when")


def to_judge(
    recording: str,
    purpose: Purpose,
    line: str | None,
    opened_at: datetime,
    time_zone: str,
    ended_on: date,
    retention: str | None,
    listed_until: date | None,
    now: datetime,
    within: Period,
    *,
    held: bool,
) -> ToJudge | None:
    """None: its day has not come where the call was, or it is over by now. `listed_until`: the day on which it ends unjudged,
    once a sweep has listed it."""
    today = local_day(now, time_zone)
    by = listed_until or judge_by(ended_on, within, listed_on=today)
    if not has_expired(ended_on, now, time_zone) or has_expired(by, now, time_zone):
        return None
    most = keep_at_most(today, Period.parse(retention)) if retention else ended_on
    return ToJudge(recording, purpose, line, opened_at, time_zone, ended_on, by, most, held)


def check_keep(one: ToJudge, until: date, now: datetime) -> None:
    if not local_day(now, one.time_zone) < until <= one.keep_at_most:
        raise ArchiveError("error.archive.keep_until", last=one.keep_at_most.isoformat())
