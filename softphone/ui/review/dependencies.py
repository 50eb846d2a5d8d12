"""What the review is connected to, and the messages between its parts. No widget, no thread, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from softphone.audio.playback import Speaker
from softphone.domain.archive.interface import Reader, SeenArchive
from softphone.domain.archive.reviews import Comment, SampleQuery, SampleRow, TeamLed
from softphone.domain.policy import LocalText
from softphone.wire.snapshot import CodedText, Settings

COLUMNS = 1_200
"""values drawn for each voice of a recording, however long it is"""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ReviewDependencies:
    """Each thread opens `archive` anew (`beside`); whoever gave it closes it. None if `refusal` says why there is nothing to
    show."""

    archive: SeenArchive | None
    """as its user sees it"""
    teams: tuple[TeamLed, ...]
    speaker: Speaker
    texts: Path
    icons: Path
    themes: Path
    lines: Mapping[str, LocalText] = field(default_factory=dict[str, LocalText])
    """their names"""
    parties: Mapping[str, LocalText] = field(default_factory=dict[str, LocalText])
    """the word for the person at the other end of a line"""
    time_zone: str = "Europe/Copenhagen"
    """the policy's: a day in a search is one of this zone"""
    refusal: CodedText | None = None
    settings: Settings = field(default_factory=Settings)
    now: Callable[[], datetime] = utc_now
    show: bool = True
    house: bool = False
    """it is the house's archive, of all its desks"""
    agent: bool = False
    """for the calls' agent: what is shared with them, to be heard and answered"""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the list shows. `turn` counts the lists: answers for an earlier one are dropped."""

    turn: int
    query: SampleQuery
    capacity: int | None = None
    items: tuple[tuple[str, int], ...] = ()
    """the score card: each question's id, and how many points there are"""


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording that has been opened, as it stood then. Only the sound's thread uses `reader`."""

    number: int
    """which opening it is, for whatever is asked of it"""
    reader: Reader = field(repr=False)
    row: SampleRow
    comments: tuple[Comment, ...]
    scores: Mapping[str, int]
    shared: bool
    length: int
    """samples a side"""
    others: tuple[str, ...] = ()
    """who else has it open"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the archive has stored of the open recording's review."""

    comments: tuple[Comment, ...]
    scores: Mapping[str, int]
    shared: bool
    others: tuple[str, ...] = ()
