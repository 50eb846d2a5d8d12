"""How long a recording may be kept: the day on which a purpose ends, and the one rule of what is kept.

Pure. It counts calendar days of the policy's time zone from the day of the recording, never seconds (G10, G36): three months
are three months across a change to summer time. It deletes nothing; the archive's sweep does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from softphone.domain.policy.period import Period


def local_day(at: datetime, time_zone: str) -> date:
    """The calendar day at which `at` (aware) lies in the policy's time zone."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def expires_on(recorded_at: datetime, period: Period, time_zone: str) -> date:
    """The day on which a purpose ends: *at the latest* this period from the day of recording (G36), so it ends as that day
    begins."""
    return period.after(local_day(recorded_at, time_zone))


def kept_reviewed(
    at: datetime, said: Period | None, keep: Period | None, ends_on: date | None, time_zone: str
) -> date | None:
    """Until when a recording that was reviewed `at` is still used for training; None: that ends at once (G38).

    `said`: the period of its line's policy when it rang. `keep` can only shorten it, and its own day, `ends_on`, too.
    """
    if said is None:
        return None
    days = [expires_on(at, one, time_zone) for one in (said, keep) if one is not None]
    return min([*days, *([ends_on] if ends_on is not None else [])])


def has_expired(on: date, now: datetime, time_zone: str) -> bool:
    return local_day(now, time_zone) >= on


def day_begins(day: date, time_zone: str) -> datetime:
    """UTC: the moment from which it is that day, or a later one, in the zone. An archive that compares moments keeps this one:
    `has_expired(day, now, zone)` is `now >= day_begins(day, zone)`."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


CONFIRM_WITHIN = Period(days=30)
"""custody is to look at a hold by then (`hold_unconfirmed`); overdue ones are reported"""
JUDGE_WITHIN = Period(days=30)
"""how long custody has to judge what has reached its day, where no policy says"""


class Due(StrEnum):
    """How far a purpose that still stands has come."""

    NOT_YET = "not_yet"
    ENDS = "ends"
    TO_JUDGE = "to_judge"
    """its day has come, and custody is to judge whether it is still needed (G10)"""
    NOT_JUDGED = "not_judged"
    """nobody has judged it in time: it ends"""


def due(ends_on: date | None, today: date, *, judge_by: date | None = None) -> Due:
    """`ends_on`: the purpose's day, None where it has none. `today`: in the policy's time zone.

    `judge_by`: the day after the last one to judge it; None where it is simply deleted.
    """
    if ends_on is None or today < ends_on:
        return Due.NOT_YET
    if judge_by is None:
        return Due.ENDS
    return Due.TO_JUDGE if today < judge_by else Due.NOT_JUDGED


def judge_by(ends_on: date, within: Period, *, listed_on: date) -> date:
    """The day on which it ends unjudged: so long after its own day, and after the day on which custody first sees it listed."""
    return within.after(max(ends_on, listed_on))


def keep_at_most(judged_on: date, retention: Period) -> date:
    """The last day until which custody may keep it: at most the purpose's own period again, so that it is judged at fixed
    intervals (G10)."""
    return retention.after(judged_on)


REMEMBERED = Period(months=12)
"""of a party: that it declined, and its language; of an agent: how far their sample had come"""
UPHELD_FOR = Period(months=60)
"""how long an upheld objection binds later calls: as long as the log keeps the decision's proof"""
LOG_KEPT = Period(months=60)
"""how long an entry of the log is kept, where no policy says: five years, in which most claims and complaints lapse"""
ANSWER_WITHIN = Period(months=1)
"""a request for access is answered within a month of its receipt (GDPR art. 12(3))"""


def last_day_past(kept: Iterable[Period], today: date) -> date:
    """The last day whose entries of the log are past each of these periods."""
    return min(_last_day(one, today) for one in kept)


def _last_day(kept: Period, today: date) -> date:
    day = today - timedelta(days=31 * kept.months + kept.days)
    while kept.after(day + timedelta(days=1)) <= today:
        day += timedelta(days=1)
    return day


def answer_by(asked_at: datetime, time_zone: str) -> datetime:
    """UTC: the last second of the last day on which a request for access is answered in time."""
    last = ANSWER_WITHIN.after(local_day(asked_at, time_zone))
    # Where the clock goes back at midnight the day's last hour comes twice, so take the next day's first moment.
    return day_begins(last + timedelta(days=1), time_zone) - timedelta(seconds=1)


class Ended(StrEnum):
    """How one purpose of a recording stands."""

    KEEPS = "keeps"
    TAKEN_BACK = "taken_back"
    """opted out, withdrawn, declined, kept out"""
    EXPIRED = "expired"
    UPHELD = "upheld"
    """an objection to it was upheld"""


@dataclass(frozen=True, slots=True)
class HoldStanding:
    """A hold that has not been lifted. `provisional_until`: it is ours, against a refusal, and void unless custody decides
    by then."""

    by_party: bool
    provisional_until: datetime | None = None


class HoldState(StrEnum):
    """How a hold stands. `PROVISIONAL`: ours, against a refusal, and gone unless custody decides in time."""

    PROVISIONAL = "provisional"
    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    OVERDUE = "overdue"
    """not decided, not confirmed or not looked at again by its day"""


def hold_state(
    *,
    provisional_until: datetime | None,
    confirm_by: datetime | None,
    look_again: date | None,
    now: datetime,
    today: date,
) -> HoldState:
    """`today` is the policy's day. `look_again` is the day set by the person who confirmed it."""
    moments = [one for one in (provisional_until, confirm_by) if one is not None]
    if any(now >= one for one in moments) or (look_again is not None and today >= look_again):
        return HoldState.OVERDUE
    if provisional_until is not None:
        return HoldState.PROVISIONAL
    return HoldState.CONFIRMED if look_again is not None else HoldState.UNCONFIRMED


def hold_is_void(hold: HoldStanding, now: datetime) -> bool:
    """Not decided within its days (`hold_after_refusal`). Every other overdue hold is reported, never silently deleted."""
    return not hold.by_party and hold.provisional_until is not None and now >= hold.provisional_until


def is_kept(purposes: Iterable[Ended], holds: Iterable[HoldStanding], *, now: datetime) -> bool:
    """A recording is kept exactly when a purpose keeps it, or a hold stands that the rules allow.

    A request for access is a hold until it is answered. A case restricts and prolongs nothing: undecided, its purpose ends
    on its own date (G10, G23).
    """
    return any(purpose is Ended.KEEPS for purpose in purposes) or any(not hold_is_void(hold, now) for hold in holds)
