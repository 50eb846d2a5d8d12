"""What is done with a recording after its call, and what came of it: holds, withdrawals, judgements, cases. Plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from softphone.domain.archive.recordings import AuditRow, HoldRow, OwnReview, RecordingRow
from softphone.domain.purpose import Purpose
from softphone.domain.retention import HoldState, local_day

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold that has not been lifted. `alone`: no purpose keeps the recording, so only custody opens it."""

    recording: str
    hold: HoldRow
    state: HoldState
    alone: bool
    time_zone: str
    """the call's, which counts its days"""

    @property
    def decide_by(self) -> date | None:
        """The last day to decide, confirm or answer it, or the day to look at it again."""
        moment = self.hold.provisional_until or self.hold.confirm_by
        return local_day(moment, self.time_zone) if moment else self.hold.look_again


@dataclass(frozen=True, slots=True)
class HoldShown:
    """A hold as one person may see it."""

    standing: Standing
    named: bool
    """empty if they may not see which recording it is on"""
    whole: bool
    """with its reason and its raiser, if they may see these"""


@dataclass(frozen=True, slots=True)
class RecordingShown:
    """One recording, as far as one person may see it."""

    row: RecordingRow
    holds: tuple[HoldShown, ...]
    numbers: bool
    """false: they may see no number, so an empty one says nothing about the call"""
    log: tuple[AuditRow, ...] | None
    """what happened to it; None: they may not see that"""
    review: OwnReview | None
    """of an own call; None: it is not one"""


@dataclass(frozen=True, slots=True)
class AgentNote:
    """What an agent wrote about a call. `agent`: the account's address. `until`: the day on which it goes by itself."""

    call: str
    agent: str
    at: datetime
    until: date
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HoldsShown:
    """`others`: how many more there are, which custody's own keys do not open. `all_of`: custody, who sees everybody's."""

    holds: tuple[HoldShown, ...]
    others: int
    all_of: bool


@dataclass(frozen=True, slots=True)
class Raised:
    """`named`: those shown one by one; `unnamed`: how many more there are. `already`: what stood before.

    `found`: how many recordings were looked at. Fewer are held if one has gone since. `unreadable`: those that nobody can
    read.
    """

    named: tuple[Standing, ...]
    unnamed: int
    already: frozenset[str]
    found: int
    unreadable: int
    first_day: date | None
    """the first of them is to be decided by then"""
    untold: bool = False
    """by a number, to somebody who may not learn what there is of it: all of that is held, and none of it is counted here"""

    @property
    def raised(self) -> int:
        return len(self.named) + self.unnamed


@dataclass(frozen=True, slots=True)
class Lifted:
    """`training_ended`: the policy names nobody who could open it for training."""

    row: RecordingRow
    training_ended: bool = False


class Right(StrEnum):
    OPT_OUT = "opt_out"
    WITHDRAW = "withdraw"
    OBJECT = "object"
    """to documentation, by letter: what it is about is restricted, and a case until custody has decided it"""

    ERASE = "erase"
    """by letter: what needs no ground ends at once, and the rest is a case. What the law obliges to keep stays"""

    @property
    def rule(self) -> str:
        return {Right.OPT_OUT: "G31", Right.WITHDRAW: "G04", Right.OBJECT: "G23", Right.ERASE: "G37"}[self]


@dataclass(frozen=True, slots=True)
class PurposesEnded:
    """What became of one recording. `gone`: nothing of it is left; `restricted`: why only data protection opens it."""

    recording: str
    purposes: tuple[Purpose, ...]
    gone: bool
    restricted: str | None


@dataclass(frozen=True, slots=True)
class WithdrawalResult:
    """`unnamed`: how many more there were that this person may not see one by one.

    `running`: calls that are still on, of which nothing was ended. `unreadable`: recordings whose rows nobody can read.
    """

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
    """the last day until which it may be kept, judged today"""
    held: bool


class CaseKind(StrEnum):
    """The name that the session's entries give it (`why`)."""

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
    """A case of one recording, which names the case."""

    recording: str
    call: str
    kind: CaseKind
    line: str | None
    received_at: datetime
    deadline: date
    """the last day on which it is decided in time"""
    goes_on: date | None
    """undecided, only a hold keeps the recording from then on; None: its purpose has no day"""
    overdue: bool
    held: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """By which days the holds, and the cases, were to be decided by whoever asks."""

    holds: tuple[date | None, ...] = ()
    cases: tuple[date, ...] = ()

    def with_those(self, other: Overdue) -> Overdue:
        return Overdue(self.holds + other.holds, self.cases + other.cases)


@dataclass(frozen=True, slots=True)
class Decided:
    """`gone`: nothing of the recording is left. `held`: only a hold keeps it. `remembered`: the number, for later calls."""

    cases: tuple[Case, ...]
    gone: bool
    held: bool
    remembered: bool


@dataclass(frozen=True, slots=True)
class VisibleRows(Generic[T]):
    """A list as custody sees it. `others`: how many more there are, which its keys do not open."""

    rows: Sequence[T]
    others: int
