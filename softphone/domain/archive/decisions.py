"""What is done with a recording after its call, and what came of it: holds, withdrawals, judgements, cases. Plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from softphone.domain.archive.recordings import AuditRow, HoldRow, OwnReview, RecordingRow
from softphone.domain.purpose import Purpose
from softphone.domain.retention import HoldState, local_day

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold that has not been lifted. `alone`: no purpose keeps the recording, so that custody alone opens it."""

    recording: str
    hold: HoldRow
    state: HoldState
    alone: bool
    time_zone: str
    """the call's, in which its days are counted"""

    @property
    def decide_by(self) -> date | None:
        """The last day on which it is to be decided, confirmed or answered, or the one on which it is looked at again."""
        moment = self.hold.provisional_until or self.hold.confirm_by
        return local_day(moment, self.time_zone) if moment else self.hold.look_again


@dataclass(frozen=True, slots=True)
class HoldShown:
    """A hold as somebody is told of it."""

    standing: Standing
    named: bool
    """they are told which recording it is on; else there is none here"""
    whole: bool
    """and why it was raised, and by whom"""


@dataclass(frozen=True, slots=True)
class RecordingShown:
    """One recording, as far as a person is told of it."""

    row: RecordingRow
    holds: tuple[HoldShown, ...]
    numbers: bool
    """false: they are told no number, so that none stands here for another reason than that it was withheld"""
    log: tuple[AuditRow, ...] | None
    """what happened to it; None: they are not told"""
    review: OwnReview | None
    """of an own call; None: it is none"""


@dataclass(frozen=True, slots=True)
class HoldsShown:
    """`others`: how many more there are, which custody's own keys do not open. `all_of`: custody, told of everybody's."""

    holds: tuple[HoldShown, ...]
    others: int
    all_of: bool


@dataclass(frozen=True, slots=True)
class Raised:
    """`named`: those that are told one by one; `unnamed`: how many more there are. `already`: what stood before.

    `found`: how many recordings were looked at; fewer are held where one has gone since. `unreadable`: those nobody can read."""

    named: tuple[Standing, ...]
    unnamed: int
    already: frozenset[str]
    found: int
    unreadable: int
    first_day: date | None
    """by which the first of them is to be decided"""

    @property
    def raised(self) -> int:
        return len(self.named) + self.unnamed


@dataclass(frozen=True, slots=True)
class Lifted:
    """`training_ended`: nobody is named who could open it for that."""

    row: RecordingRow
    training_ended: bool = False


class Right(StrEnum):
    OPT_OUT = "opt_out"
    WITHDRAW = "withdraw"

    @property
    def rule(self) -> str:
        return "G31" if self is Right.OPT_OUT else "G04"


@dataclass(frozen=True, slots=True)
class PurposesEnded:
    """What became of one recording. `gone`: nothing of it is left; `restricted`: why data protection alone opens it."""

    recording: str
    purposes: tuple[Purpose, ...]
    gone: bool
    restricted: str | None


@dataclass(frozen=True, slots=True)
class WithdrawalResult:
    """`unnamed`: how many more there were, that this person is not told of one by one. `running`: calls that are still on, of
    which nothing was ended. `unreadable`: recordings whose rows nobody can read."""

    ended: tuple[PurposesEnded, ...]
    running: int = 0
    unreadable: int = 0
    unnamed: int = 0


@dataclass(frozen=True, slots=True)
class ToJudge:
    """One purpose of a recording whose day has come."""

    recording: str
    purpose: Purpose
    line: str | None
    opened_at: datetime
    time_zone: str
    ended_on: date
    judge_by: date
    """the day on which it ends unjudged"""
    keep_at_most: date
    """the last day that it may be kept until, judged today"""
    held: bool


class CaseKind(StrEnum):
    """As the session's entries name it (`why`)."""

    OBJECTION = "objection"
    GROUNDS = "grounds_given"

    @property
    def purpose(self) -> Purpose:
        return Purpose.DOCUMENTATION if self is CaseKind.OBJECTION else Purpose.TRAINING

    @property
    def rule(self) -> str:
        return "G23" if self is CaseKind.OBJECTION else "G32"


@dataclass(frozen=True, slots=True)
class Case:
    """One of a recording, which is what names it."""

    recording: str
    call: str
    kind: CaseKind
    line: str | None
    received_at: datetime
    deadline: date
    """the last day on which it is decided in time"""
    goes_on: date | None
    """undecided, nothing but a hold keeps the recording from then on; None: its purpose has no day"""
    overdue: bool
    held: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class Decided:
    """`gone`: nothing of the recording is left. `held`: only a hold keeps it. `remembered`: the number, for later calls."""

    cases: tuple[Case, ...]
    gone: bool
    held: bool
    remembered: bool


@dataclass(frozen=True, slots=True)
class VisibleRows(Generic[T]):
    """A list as custody is told of it. `others`: how many more there are, which its keys do not open."""

    rows: Sequence[T]
    others: int
