"""What the review is plugged into, and what its parts tell each other. No widget, no thread, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive.access import Viewer
from softphone.archive.archive import Archive
from softphone.archive.files.seeking import SeekingReader
from softphone.archive.review.sample import SampleRow
from softphone.archive.review.session import Comment, Reviewing
from softphone.audio.playback import Speaker
from softphone.domain.policy import LocalText, ScoreItem
from softphone.wire import Said, Settings


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class TeamLed:
    """A team whose training recordings may be reviewed here."""

    id: str
    name: LocalText | None
    """None: everybody's, where the policy has no teams"""
    lines: tuple[str, ...]
    agents: tuple[str, ...]
    """empty: all who work on these lines"""
    capacity: int | None = None
    """calls that its reviewers can review in a week, as the policy says; None where it does not"""
    card: tuple[ScoreItem, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewDependencies:
    """`archive` is opened anew for each thread (`beside`), and closed by whoever gave it; None where `refusal` says why there is
    nothing to show."""

    archive: Archive | None
    teams: tuple[TeamLed, ...]
    by: str
    """the id of the key that opens it"""
    viewer: Viewer | None
    """who is here, for the archive to judge by"""
    speaker: Speaker
    texts: Path
    icons: Path
    themes: Path
    lines: Mapping[str, LocalText] = field(default_factory=dict[str, LocalText])
    """their names"""
    parties: Mapping[str, LocalText] = field(default_factory=dict[str, LocalText])
    """what the person at the other end of a line is called"""
    time_zone: str = "Europe/Copenhagen"
    """the policy's: a day that is searched for is one of it"""
    refusal: Said | None = None
    settings: Settings = field(default_factory=Settings)
    now: Callable[[], datetime] = utc_now
    show: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording that has been opened, as it stood then. `reader` is for the thread of the sound alone."""

    reviewing: Reviewing = field(repr=False)
    reader: SeekingReader = field(repr=False)
    row: SampleRow
    comments: tuple[Comment, ...]
    scores: Mapping[str, int]
    shared: bool
    length: int
    """samples a side"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the archive has of what is said of the open recording."""

    comments: tuple[Comment, ...]
    scores: Mapping[str, int]
    shared: bool
