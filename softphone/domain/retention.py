"""How long a recording may be kept: the day a purpose ends on, and the one rule of what is kept.

Pure. Counted in calendar days of the policy's time zone from the day of the recording (G10, G36), never in seconds:
three months are three months, whether a summer time begins in them or not. It deletes nothing; the archive's sweep does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from softphone.domain.policy.period import Period


def local_day(at: datetime, time_zone: str) -> date:
    """The calendar day at which `at` (aware) lies in the policy's time zone."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def expires_on(recorded_at: datetime, period: Period, time_zone: str) -> date:
    """The day on which a purpose ends: *at the latest* this period from the day of recording (G36), so from its start on."""
    return period.after(local_day(recorded_at, time_zone))


def has_expired(on: date, now: datetime, time_zone: str) -> bool:
    return local_day(now, time_zone) >= on


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
    """A hold that has not been lifted. `provisional_until`: ours, against a refusal, and then void unless custody decides."""

    by_party: bool
    provisional_until: datetime | None = None


def hold_is_void(hold: HoldStanding, now: datetime) -> bool:
    """Not decided within its days (`hold_after_refusal`). Every other overdue hold is reported, never silently deleted."""
    return not hold.by_party and hold.provisional_until is not None and now >= hold.provisional_until


def is_kept(purposes: Iterable[Ended], holds: Iterable[HoldStanding], *, case_open: bool, now: datetime) -> bool:
    """A recording is kept exactly when a purpose keeps it, or a hold that the rules allow stands, or an open case needs it."""
    return (
        case_open
        or any(purpose is Ended.KEEPS for purpose in purposes)
        or any(not hold_is_void(hold, now) for hold in holds)
    )
