"""The training sample as its reviewers see it, and what they say of a call (G33, G34, G38). Plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from softphone.domain.errors import ArchiveError
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

    `waiting` is counted as of now, `reviewed_a_week` over the last four weeks. `drawn` and `recorded` are what the desks have
    told, which may come later than a recording, or never; whatever waits was drawn and recorded all the same.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "recorded", max(self.recorded, self.waiting))
        object.__setattr__(self, "drawn", max(self.drawn, self.recorded))


@dataclass(frozen=True, slots=True)
class Comment:
    """`sample` is the moment it is about, counted at 16 kHz from the beginning of what is played.

    `by`: the id of its reviewer in the policy, where several may speak. `answers`: the comment that the call's agent, or
    another, answers with it. Whose it is not cannot remove it. `text` is empty where no key here opens it.
    """

    id: str
    sample: int
    text: str
    at: datetime
    by: str = ""
    answers: str = ""
    of_agent: bool = False
    mine: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """Points for one item of the card in a month: of an agent's reviews, or of a team's (`who`)."""

    who: str
    month: str
    """2026-11: when the calls were"""
    item: str
    calls: int
    points: int


@dataclass(frozen=True, slots=True)
class Marks:
    """`agents`: of living reviews alone, so they fall with them. `teams`: of those that have ended, once five agents of the
    team are among them (L2, L4)."""

    agents: tuple[Mark, ...]
    teams: tuple[Mark, ...] = ()


COMMENT_LENGTH = 1_000
"""characters of a comment, at most"""


def checked_comment(text: str) -> str:
    """Without what stands around it. Raises ArchiveError where nothing is left, or too much."""
    text = text.strip()
    if not text:
        raise ArchiveError("error.review.comment_empty")
    if len(text) > COMMENT_LENGTH:
        raise ArchiveError("error.review.comment_too_long", length=len(text), most=COMMENT_LENGTH)
    return text


def check_points(items: Mapping[str, int], item: str, points: int) -> None:
    """`items`: the card, each with its most points. Raises ArchiveError."""
    if not 0 <= points <= items.get(item, -1):
        raise ArchiveError("error.review.not_on_the_card", item=item, points=points)


def sought_of(search: str) -> tuple[str, str]:
    """What is looked for in addresses and ids, and in the names that addresses are read as (`SampleQuery`)."""
    sought = search.strip().lower()
    # An extension's number may be told in groups.
    together = "".join(sought.split())
    sought = together if together.isdigit() else sought
    return sought, " ".join(_APART.sub(" ", sought).split())


_APART = re.compile(r"[._-]")
