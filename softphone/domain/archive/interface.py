"""The archive as one person sees it: the interface of the local archive, and later of a house's.

Each method checks by itself whether this person may. A refusal is in the audit log before it raises ArchiveError, and an
answer says no more than they may know. Times are the archive's own. `id`: a recording's whole id, or a beginning that fits
only one of those that this person finds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Protocol

from softphone.domain.archive.decisions import (
    AgentNote,
    Case,
    Decided,
    HoldsShown,
    Lifted,
    Raised,
    RecordingShown,
    Right,
    Standing,
    ToJudge,
    VisibleRows,
    WithdrawalResult,
)
from softphone.domain.archive.recordings import (
    AuditRow,
    Cursor,
    Exported,
    Mark,
    Page,
    Query,
    RecordingRow,
    Sound,
    Wanted,
)
from softphone.domain.archive.reviews import (
    Comment,
    Figures,
    Marks,
    SampleFilter,
    SamplePage,
    SampleQuery,
    SampleRow,
    TeamLed,
)
from softphone.domain.changes import HoldBy
from softphone.domain.events import Terms
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose

Progress = Callable[[int, int], object]
"""called with how much is done, of how much"""


class Finding(Protocol):
    def page(self, query: Query, after: Cursor | None = None, limit: int = 100) -> Page:
        """What this person finds, newest first; with numbers only where they may see them."""
        ...

    def count(self, query: Query, progress: Progress | None = None) -> int:
        """How many `page` finds in all, with those that cannot be read."""
        ...

    def only_own(self) -> Period | None:
        """How far back an agent finds own calls, if that is all they find."""
        ...

    def others(self, query: Query) -> int:
        """How many more there are that custody does not see: they are sealed for another custody key."""
        ...

    def show(self, id: str) -> RecordingShown: ...


class Opening(Protocol):
    """A recording that this person may hear. The log notes it when it is heard."""

    @property
    def row(self) -> RecordingRow: ...
    @property
    def role(self) -> KeyRole:
        """the role as which it is heard, for the log"""
        ...

    def sound(self, seconds: float | None = None) -> AbstractContextManager[Sound]:
        """From its beginning, or from so many seconds on."""
        ...

    def export(self, file: str, go_on: Progress) -> Exported:
        """A WAV: agent left, party right. `go_on` raises to end it; then nothing of it is left."""
        ...


class Holds(Protocol):
    def standing(self) -> HoldsShown:
        """Custody gets those on what its keys open, others those that they raised themselves."""
        ...

    def place(self, id: str, by: HoldBy, why: str, within: Period) -> Raised:
        """On one recording. The person who takes the complaint need not be able to open it."""
        ...

    def place_on_number(self, number: str, by: HoldBy, why: str, within: Period) -> Raised:
        """On all of a party's; `number` in E.164. Only a person who may search by number sees which they are."""
        ...

    def confirm(self, hold: str, look_again: date) -> Standing: ...

    def lift(self, hold: str, reason: str, policy: Policy | None, *, training_may_end: bool = False) -> Lifted:
        """The original dates count again, and those whom `policy` names may open it for training again."""
        ...

    def close(
        self,
        hold: str,
        policy: Policy | None,
        *,
        answered: date | None = None,
        reason: str = "",
        training_may_end: bool = False,
    ) -> Lifted:
        """A request for access was answered on that day, or will not be, for a reason (G08). Then as `lift`."""
        ...


class Rights(Protocol):
    def take_back(
        self, id: str, right: Right, terms: Terms, purpose: Purpose | None = None, received: date | None = None
    ) -> WithdrawalResult:
        """In all recordings of its call (G04, G23, G31, G37). `received`: the day of the letter, from which the month to decide
        runs; None: today."""
        ...

    def take_back_of_number(
        self, number: str, right: Right, terms: Terms, purpose: Purpose | None = None, received: date | None = None
    ) -> WithdrawalResult: ...

    def notes(self, number: str) -> Sequence[AgentNote]:
        """Agents' notes about calls with the number, newest first: part of what its owner has access to."""
        ...

    def erase_notes(self, number: str, reason: str) -> int:
        """How many there were."""
        ...


class Judging(Protocol):
    def waiting(self, within: Period) -> Iterator[ToJudge | None]:
        """What has reached its day, oldest first; None for one that another custody key opens."""
        ...

    def keep(self, id: str, until: date, reason: str, policy: Policy | None, purpose: Purpose | None = None) -> str:
        """The whole id of what is kept."""
        ...

    def let_go(self, id: str, reason: str, within: Period, purpose: Purpose | None = None) -> bool:
        """Whether all of the recording went with it."""
        ...


class Cases(Protocol):
    def open(self) -> VisibleRows[Case]: ...

    def show(self, id: str) -> tuple[RecordingRow, Sequence[Case], Sequence[AuditRow]]: ...

    def decide(
        self, id: str, *, uphold: bool, reason: str, policy: Policy | None, purpose: Purpose | None = None
    ) -> Decided: ...


class Log(Protocol):
    """All of it, for custody."""

    def look(self, wanted: Wanted, before: int | None, limit: int) -> tuple[Sequence[AuditRow], int | None]:
        """Of the `BATCH` entries before this number (None: the newest) those that are meant, newest first and at most `limit`;
        and before which number the next look begins. None: there is nothing before."""
        ...

    def events(self) -> Sequence[str]:
        """What it has entries of, by name."""
        ...


class Reader(Protocol):
    """Sound from any moment, for one thread."""

    @property
    def length(self) -> int:
        """samples a side, pauses included"""
        ...

    def pcm(self, at: int = 0) -> Iterator[Any]: ...
    def marks(self) -> list[Mark]: ...
    def close(self) -> None: ...


class Reviewing(Protocol):
    """A call that is open for review. All but `close` raise ArchiveError once it may no longer be heard."""

    @property
    def row(self) -> SampleRow: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def shared(self) -> bool:
        """Whether the agent of the call may read its review."""
        ...

    def comments(self) -> tuple[Comment, ...]: ...
    def comment(self, sample: int, text: str) -> Comment: ...
    def remove(self, comment_id: str) -> None: ...
    def scores(self) -> Mapping[str, int]: ...
    def score(self, item: str, points: int) -> None: ...
    def share(self, on: bool) -> None: ...
    def others(self) -> tuple[str, ...]:
        """Who else has it open now, by their ids in the policy."""
        ...

    def close(self) -> None: ...


class Reviews(Protocol):
    def teams(self, policy: Policy) -> tuple[TeamLed, ...]:
        """The teams whose samples this person reviews. Raises NotReviewing."""
        ...

    def page(self, query: SampleQuery, after: str | None = None, limit: int = 200) -> SamplePage:
        """The living training sample of an own team, newest first, without any number."""
        ...

    def counts(self, query: SampleQuery) -> Mapping[SampleFilter, int]: ...
    def figures(self, query: SampleQuery, capacity: int | None = None) -> Figures: ...
    def marks(self) -> Marks:
        """Points over time, of own teams alone."""
        ...

    def row(self, recording: str) -> SampleRow | None: ...

    def living(self, recordings: Iterable[str]) -> Collection[str]:
        """Which of these may still be listened to for training."""
        ...

    def open(self, recording: str, items: Iterable[tuple[str, int]] = ()) -> Reviewing:
        """To listen to it and to judge it, on this score card: each item with its most points."""
        ...

    def still(self, recording: str) -> bool:
        """Whether the open call may be listened to. Once it says no, or raises, nothing more may be played."""
        ...

    def mark(self, id: str, *, heard: int = 0, keep: Period | None = None) -> date | None:
        """It has been used to train: where that ends training, an open review of it is over.

        Returns the day on which it was reviewed before; None: it was not.
        """
        ...


class SeenArchive(Protocol):
    @property
    def find(self) -> Finding: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def rights(self) -> Rights: ...
    @property
    def judging(self) -> Judging: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def log(self) -> Log: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def looks(self) -> float:
        """Seconds that whoever watches leaves between two looks: a file is looked at for nothing, a service is asked."""
        ...

    def open(self, id: str, *, role: KeyRole | None = None, why: str = "", case: str = "") -> Opening:
        """Open it to listen, by the least role that opens it, unless `role` asks for one.

        Documentation needs a reason (`why`), custody a case by its number, training nothing but leading the call's team.
        """
        ...

    def written(self) -> Hashable:
        """Another value each time somebody has written."""
        ...

    def beside(self) -> SeenArchive:
        """The same archive for another thread, to be closed by itself."""
        ...

    def close(self) -> None: ...
