"""What comes in and goes out of the routes of reviews. Words are sealed: the service passes them on."""

from __future__ import annotations

import base64
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, PlainValidator, WithJsonSchema

from softphone.archive.crypto.wraps import SUITE
from softphone.domain.archive.reviews import SampleFilter
from softphone.domain.policy.period import Period
from softphone.team.api.bodies import Line
from softphone.team.upload.told import Id, Moment, Told

_MOST_WORDS = 16_000
"""bytes of a sealed comment: 1,000 characters, and what seals them"""
Agent = Annotated[str, Field(min_length=1, max_length=320, pattern=r"^[^\x00-\x20\x7f]+$")]
Item = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Span = Annotated[str, Field(pattern=r"^\d{4}-\d\d$")]
Sought = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Suite = Annotated[str, Field(pattern=f"^{SUITE}$")]


def _sealed(value: object) -> bytes:
    if isinstance(value, str) and len(value) <= _MOST_WORDS * 4 // 3:
        return base64.b64decode(value, validate=True)
    raise ValueError("no base64")


Sealed = Annotated[bytes, PlainValidator(_sealed), WithJsonSchema({"type": "string", "contentEncoding": "base64"})]


def _period(value: object) -> Period:
    if isinstance(value, str) and len(value) <= 20:
        return Period.parse(value)
    raise ValueError("no period")


Length = Annotated[Period, PlainValidator(_period), WithJsonSchema({"type": "string", "format": "duration"})]


class Team(Told):
    """Its lines and agents, as the policy has them. Another team's is refused."""

    lines: Annotated[list[Line], Field(max_length=1_000)]
    agents: Annotated[list[Agent], Field(max_length=10_000)]


class Sample(Team):
    """`sought`: part of an agent's address or a line's id; `spoken`: of the name that the address is read as."""

    shown: SampleFilter = SampleFilter.ALL
    sought: Sought = ""
    spoken: Sought = ""
    named: Annotated[list[Line], Field(max_length=1_000)] = Field(default_factory=list[str])
    since: Moment | None = None
    until: Moment | None = None


class After(Told):
    opened_at: Moment
    recording: Id


class PageAsked(Told):
    sample: Sample
    after: After | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 200


class Row(Told):
    """A call of the sample. It has no number."""

    recording: UUID
    agent: str
    line: str | None
    opened_at: datetime
    closed_at: datetime
    time_zone: str
    expires_on: date | None
    reviewed_at: datetime | None
    kept_reviewed: bool
    comments: int


class Rows(Told):
    rows: list[Row]


class Day(Told):
    expires_on: date | None
    time_zone: str
    reviewed: bool
    number: int


class Days(Told):
    days: list[Day]


class FiguresAsked(Told):
    team: Team
    since: Span
    since_day: date


class Figure(Told):
    what: str
    span: str
    number: int


class FiguresTold(Told):
    figures: list[Figure]


class These(Told):
    recordings: Annotated[list[Id], Field(max_length=1_000)]


class Living(Told):
    recordings: list[UUID]


class WrapTold(Told):
    segment: int
    key_id: str
    suite: str
    sealed: str
    """base64"""


class Opened(Told):
    """The data keys as they are sealed for whoever asks. The log has the opening."""

    row: Row | None = None
    bytes: int = 0
    wraps: list[WrapTold]


class ReviewTold(Told):
    """All that is said of it. Its ETag changes with any of it."""

    review: dict[str, Any]


class Still(Told):
    tag: str


class SealTold(Told):
    """`key_id`: a training key's, or the thumbprint of the desk's key."""

    role: Literal["training", "agent"]
    key_id: Annotated[str, Field(pattern="^[0-9A-Za-z_-]{32,43}$")]
    suite: Suite
    sealed: Sealed


class ForDesk(Told):
    """Sealed for the reading key of a desk of the call's agent."""

    desk: Id
    suite: Suite
    sealed: Sealed


class WrapForDesk(ForDesk):
    segment: Annotated[int, Field(ge=0, le=100_000)]


class SealForDesk(ForDesk):
    comment: Id


class ForDesks(Told):
    wraps: Annotated[list[WrapForDesk], Field(max_length=2_000)] = Field(default_factory=list[WrapForDesk])
    seals: Annotated[list[SealForDesk], Field(max_length=2_000)] = Field(default_factory=list[SealForDesk])


class CommentTold(Told):
    """Sealed for training keys, and where it is shared for desks of its agent."""

    sample: Annotated[int, Field(ge=0, le=2**31 - 1)]
    answers: Id | None = None
    seals: Annotated[list[SealTold], Field(min_length=1, max_length=100)]


class Removed(Told):
    removed: bool


class ScoreTold(Told):
    """`seen`: the version that they saw, 0 for none. Somebody was faster: 409, and nothing is lost."""

    points: Annotated[int, Field(ge=0, le=10)]
    seen: Annotated[int, Field(ge=0, lt=1 << 31)]


class ShareTold(ForDesks):
    """`vouched`: by a data key of the recording, so that other leads' desks need not believe the service that it is shared."""

    on: bool
    seen: Annotated[int, Field(ge=0, lt=1 << 31)]
    vouched: Annotated[str, Field(pattern="^[0-9A-Za-z+/]{43}=$")] | None = None


class Version(Told):
    version: int


class MarkTold(Told):
    """`id`: whole, or a beginning that no other has. `heard`: whole seconds. `keep` can only shorten what the policy says."""

    id: Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]
    heard: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    keep: Length | None = None


class Marked(Told):
    """`before`: when it was reviewed before, and by whomever; then nothing has changed."""

    before: datetime | None = None
    time_zone: str = "UTC"


class Mark(Told):
    """Of an agent, or of a team, in a month: how many calls had points for this item, and how many points in all."""

    who: str
    month: str
    item: str
    calls: int
    points: int


class Marks(Told):
    """`agents`: of living reviews alone. `teams`: of ended ones, once five agents are in it."""

    agents: list[Mark]
    teams: list[Mark]


class Tally(Told):
    line: Line
    agent: Agent
    month: Span
    what: Annotated[str, Field(pattern="^(drawn|recorded|declined|reviewed|expired_unseen)$")]
    count: Annotated[int, Field(ge=0, le=1_000_000_000)]


class Tallies(Told):
    tallies: Annotated[list[Tally], Field(max_length=1_000)]


class ReadingKey(Told):
    """X25519, signed (Ed25519) by the key that the desk's tokens are bound to."""

    public_key: Sealed
    signature: Sealed


class SharedRow(Row):
    shared_at: datetime


class SharedRows(Told):
    rows: list[SharedRow]
