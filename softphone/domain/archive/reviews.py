"""The training sample as its reviewers see it, and what they say of a call (G33, G34, G38). Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from softphone.domain.policy import LocalText, ScoreItem
from softphone.domain.sampling import Verdict


@dataclass(frozen=True, slots=True)
class TeamLed:
    """A team whose training recordings may be reviewed here."""

    id: str
    name: LocalText | None
    """None: everybody's, if the policy has no teams"""
    lines: tuple[str, ...]
    agents: tuple[str, ...]
    """empty: all who work on these lines"""
    capacity: int | None = None
    """calls that its reviewers can review in a week, by the policy; None: it does not say"""
    card: tuple[ScoreItem, ...] = ()


class NotReviewing(Exception):  # noqa: N818 - no error: a page that says so
    """Why a person has no sample to review, as a code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SampleFilter(StrEnum):
    WAITING = "waiting"
    REVIEWED = "reviewed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Whose calls, and which. A team's calls are those of its agents (account addresses) on its lines, if it names both. If
    it names only one of these, that alone counts; if it names nothing, there are none.

    `search`: part of an agent's address, of the name it is read as (its user, with . _ - as spaces), or of a line's id.
    `named`: further lines that it finds. `since` (inclusive) and `until` (exclusive) are aware times.
    """

    lines: tuple[str, ...]
    agents: tuple[str, ...]
    shown: SampleFilter = SampleFilter.WAITING
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One call of the sample. `expires_on` is the day its training ends, None if the policy of its time gave none."""

    recording: str
    agent: str | None
    line: str | None
    opened_at: datetime
    seconds: float
    time_zone: str
    expires_on: date | None
    reviewed_at: datetime | None
    comments: int
    kept_reviewed: bool = True
    """false: marking it as reviewed ends training at once, and its comments go too (G38)"""


@dataclass(frozen=True, slots=True)
class SamplePage:
    """`next` goes on from here; None: this is the end."""

    rows: tuple[SampleRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the sample in the last months. Each event counts when it happened: a call reviewed now may be older
    than those drawn.

    `waiting` is counted as of now, `reviewed_a_week` over the last four weeks.
    """

    drawn: int
    recorded: int
    declined: int
    waiting: int
    reviewed: int
    expired_unseen: int
    reviewed_a_week: float
    oldest_expires: date | None
    """the day on which the first of those that wait is gone"""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comment:
    """`sample` is the moment it is about, counted at 16 kHz from the beginning of what is played."""

    id: str
    sample: int
    text: str
    at: datetime
