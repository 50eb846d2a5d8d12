"""A recording as the archive shows it, what can be searched for, and what is heard. Plain values."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Direction, KeyRole, Purpose, Reason
from softphone.domain.retention import has_expired

ROLES = (KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY)
RATE = 16_000
"""samples per second and side of what is heard"""
BATCH = 5_000
"""entries of the log read at one look"""


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold that stands."""

    hold: str
    raised_for: str
    at: datetime
    provisional_until: datetime | None
    """after that the sweep discards, unless custody has decided"""
    confirm_by: datetime | None
    why: str
    look_again: date | None = None
    """custody has confirmed it, and looks at it again then"""
    raised_by: str = ""
    """a call's account, or the machine's user: never in the audit log"""


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One recording, as the list shows it. `opens_for`: roles that have wraps and whose day has not come; training only
    while nothing holds it."""

    recording: str
    call: str
    line: str | None
    direction: Direction
    number: str | None = field(repr=False)
    opened_at: datetime
    closed_at: datetime | None
    """of a recording that broke off, the last moment up to which it certainly goes, once that is known"""
    opens_for: tuple[KeyRole, ...]
    expires: Mapping[Purpose, date]
    holds: tuple[HoldRow, ...]
    restricted: str | None
    bytes: int
    time_zone: str
    """the policy's, when the call came: it counts the call's days and shows its times"""
    agent: str | None = None
    """the address of the account that took or made the call"""
    broke_off: bool = False
    """a crash ended it: what was not on the disk by then is missing"""
    stored: int | None = field(default=None, compare=False)
    """whole seconds of sound that can be played, segment by segment; None while it is written"""
    kept: bool = field(default=False, compare=False)
    """a purpose keeps it, whether or not anybody can open it for that"""

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """documentation and training, as far as they can open it"""
        return tuple(purpose for purpose in Purpose if KeyRole(purpose.value) in self.opens_for)

    @property
    def seconds(self) -> float | None:
        """By the clock, pauses included. None while it runs, or if it broke off and its end is not known."""
        return (self.closed_at - self.opened_at).total_seconds() if self.closed_at else None

    @property
    def is_case(self) -> bool:
        """Data protection still has to decide on it."""
        return self.restricted is not None and self.restricted != Reason.HOLD_ONLY.value


def opens_for(
    sealed: Container[str],
    keeps: Mapping[Purpose, date | None],
    now: datetime,
    time_zone: str,
    *,
    held: bool,
    waits: bool,
    restricted: str | None,
) -> tuple[KeyRole, ...]:
    """The roles that open it at `now`.

    `sealed`: those it is sealed for; `keeps`: the day of each purpose that stands; `waits`: it is to be judged, or a case of
    its training to be decided.

    What has expired is over, even before a sweep has taken its wraps. What is held opens for no training. Custody opens what
    something keeps: a purpose, a hold, or a judgement to come. It also opens what only a hold kept, until that goes.
    """
    living = {str(one) for one, on in keeps.items() if on is None or not has_expired(on, now, time_zone)}
    if living or held or waits or restricted == Reason.HOLD_ONLY.value:
        living.add(KeyRole.CUSTODY.value)
    if held:
        living.discard(KeyRole.TRAINING.value)
    return tuple(role for role in ROLES if role.value in sealed and role.value in living)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A line of the audit log, read back. If somebody made it unreadable, `at` is None and `params` empty."""

    number: int
    at: datetime | None
    event: str
    rule: str
    params: Mapping[str, Any]
    recording: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are meant; nothing said: all."""

    since: datetime | None = None
    until: datetime | None = None
    events: tuple[str, ...] = ()
    refusals: bool = False
    recording: str = ""
    """an id, or how it begins"""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. None: anything. An empty tuple finds nothing.

    `number` is E.164, found by its keyed hash, so a withheld one is in no answer. `since` (inclusive) and `until`
    (exclusive) are aware times of the call's beginning. `opens_for`: living for that role at the moment of asking.
    """

    number: str | None = field(default=None, repr=False)
    since: datetime | None = None
    until: datetime | None = None
    lines: tuple[str, ...] | None = None
    agents: tuple[str | None, ...] | None = None
    """with None among them: also a call that names no agent"""
    opens_for: KeyRole | None = None
    sealed_for: tuple[KeyRole, tuple[str, ...]] | None = None
    """a role and key ids: sealed for one of them in that role"""
    held: bool | None = None
    begins: str = ""
    """how its id begins"""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends. The next begins after this recording, even if it has gone."""

    opened_at: datetime
    recording: str

    def __str__(self) -> str:
        return f"{self.opened_at.isoformat()}_{self.recording}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises ArchiveError."""
        at, _, recording = text.partition("_")
        try:
            opened_at = datetime.fromisoformat(at).astimezone(UTC)
        except ValueError:
            raise ArchiveError("error.archive.no_cursor", cursor=text) from None
        if not recording:
            raise ArchiveError("error.archive.no_cursor", cursor=text)
        return cls(opened_at, recording)


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is None on the last page."""

    rows: tuple[RecordingRow, ...]
    next: Cursor | None
    unreadable: frozenset[str] = frozenset()
    """recordings that belong here but whose rows hold what the program never writes: `verify` reports them"""


@dataclass(frozen=True, slots=True)
class OwnReview:
    """What an agent may read of a review: (item, points), and (sample at 16 kHz, text) in the call's order."""

    scores: tuple[tuple[str, int], ...] = ()
    comments: tuple[tuple[int, str], ...] = ()


class MarkKind(StrEnum):
    PAUSE = "pause"
    """nothing was recorded, or nothing that this key opens"""
    GAP = "gap"
    """frames that never came from the call"""
    DAMAGED = "damaged"
    """a chunk that is missing or was changed"""
    BROKE_OFF = "broke_off"
    """the segment has no final chunk: its end is missing, a second after a crash, or all that was cut off"""
    LOST = "lost"
    """a segment that cannot be opened at all, in a damaged file; its length is not known"""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to know about `samples` samples from `at` on."""

    kind: MarkKind
    at: int
    samples: int


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording to be heard. `pull` gives blocks of (n, 2) 16-bit samples, agent and party, at `RATE` per second, from a
    sample on. If it was opened at its beginning, it starts there. For its `marks` all of it is read through."""

    samples: int
    pull: Callable[[int], Iterator[Any]]
    marks: Callable[[], tuple[Mark, ...]]


@dataclass(frozen=True, slots=True)
class Exported:
    """A written WAV. `seconds` includes pauses, unless they were left out."""

    seconds: float
    marks: tuple[Mark, ...]
