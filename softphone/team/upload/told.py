"""What a desk tells of a finished recording: the rows of its archive, and the file's parts by their digests.

Pure. Each value has its kind and its limits; what contradicts itself is refused before a byte of sound is asked for.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from softphone.archive.crypto.wraps import SUITE
from softphone.domain.archive.decisions import CaseKind
from softphone.domain.changes import HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.errors import TeamError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Basis, Direction, KeyRole, Language, Purpose
from softphone.domain.retention import Ended, expires_on
from softphone.team.objects import PART
from softphone.team.rows.arriving import Arrived, Call, Hold, KeptFor, Seal, Segment
from softphone.team.rows.arriving import Number as NumberOf
from softphone.team.rows.numbers import number_hash
from softphone.team.upload.structure import DIGEST, SegmentTold

LARGEST = 1 << 30
"""bytes of a file: 36 hours have two thirds of it"""
SKEW = timedelta(minutes=5)
"""by which a desk's clock may differ without a word"""
SHORTENS = timedelta(days=1)
"""by which a desk that is behind makes a life shorter than it is: custody looks first"""
WRAP_BYTES = 80


def _bytes(value: object, most: int = 200) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or len(value) > most:
        raise ValueError("no base64")
    return base64.b64decode(value, validate=True)


_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""what no desk's clock says, and no calendar of a machine can count on from"""


def _moment(at: datetime) -> datetime:
    if not _FIRST <= at < _LAST:
        raise ValueError("no such time")
    return at


def _day(day: date) -> date:
    if not _FIRST.date() <= day < _LAST.date():
        raise ValueError("no such day")
    return day


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such zone") from None
    return name


Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
Day = Annotated[date, AfterValidator(_day)]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Zone = Annotated[Word, AfterValidator(_zone)]
Id = Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
HoldId = Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-h[0-9]{1,6})?$")]
"""a desk counts the holds that a call raises on a recording, and adds the count to its id"""
Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{3,14}$")]
"""E.164"""
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
KeyId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Suite = Annotated[str, Field(pattern=f"^{SUITE}$")]
Sealed = Annotated[
    bytes,
    PlainValidator(lambda value: _bytes(value)),
    PlainSerializer(lambda raw: base64.b64encode(raw).decode("ascii"), return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "maxLength": 200}),
]
LONGEST_NOTE = 16_000
"""bytes of an agent's words, sealed"""
LongSealed = Annotated[
    bytes,
    PlainValidator(lambda value: _bytes(value, LONGEST_NOTE * 4 // 3 + 4)),
    PlainSerializer(lambda raw: base64.b64encode(raw).decode("ascii"), return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "maxLength": LONGEST_NOTE * 4 // 3 + 4}),
]


class Told(BaseModel):
    """Nothing unknown stands in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SealRow(Told):
    """The party's number, sealed for a key that may read it."""

    role: KeyRole
    key_id: KeyId
    suite: Suite
    sealed: Sealed

    def seal(self) -> Seal:
        return Seal(self.role, self.key_id, self.suite, self.sealed)


class CallTold(Told):
    call: Id
    call_group: Id
    """the first call's of those that were transferred one into the next"""
    line: Word | None = None
    direction: Direction
    number: Number | None = Field(None, repr=False)
    """travels here alone, and the service keeps its keyed hash"""
    number_seals: Annotated[list[SealRow], Field(max_length=100)] = []
    started_at: Moment
    notice: NoticeId | None = None
    language: Language
    time_zone: Word
    agent: Word


class FileTold(Told):
    """A file that is to come."""

    recording: Id
    bytes: Annotated[int, Field(ge=1, le=LARGEST)]
    sha256: Sha256

    @property
    def parts(self) -> int:
        return -(-self.bytes // PART)

    def part_bytes(self, number: int) -> int:
        """Of the part with this number, from 1."""
        return min(PART, self.bytes - (number - 1) * PART)


class SegmentRow(Told):
    segment: Annotated[int, Field(ge=0, le=100_000)]
    opened_at: Moment
    purposes: Annotated[list[Purpose], Field(max_length=2)]
    chunks: Annotated[int, Field(ge=0, le=200_000)] | None = None
    sound: Annotated[str, Field(pattern=f"^[0-9a-f]{{{DIGEST}}}$")] | None = None
    """as the desk's log says it"""


class PurposeRow(Told):
    purpose: Purpose
    basis: Basis | None = None
    retention: Word | None = None
    expires_on: Day | None = None
    stands: Ended
    reason: Word | None = None
    reviewed_at: Moment | None = None
    at_end: Annotated[str, Field(pattern="^(delete|review)$")] = "delete"
    keep_reviewed: Word | None = None
    judge_by: Day | None = None


class WrapRow(SealRow):
    """A segment's data key, sealed."""

    segment: Annotated[int, Field(ge=0, le=100_000)]


class HoldRow(Told):
    """`provisional_until`: one of ours against a refusal, which counts no longer than the house's policy says. `raised_by` and
    `confirm_by` are read no more: the house knows who asks, and its policy says by when it is decided."""

    hold: HoldId
    raised_for: HoldBy
    raised_by: Word = ""
    at: Moment
    provisional_until: Moment | None = None
    confirm_by: Moment | None = None
    why: Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00]*$", repr=False)] = ""

    def hold_on(self, recording: UUID) -> Hold:
        return Hold(self.hold, recording, self.raised_for, self.why, self.at, self.provisional_until)


class RecordingTold(FileTold):
    """One recording. `clock`: the desk's, as it tells this."""

    clock: Moment
    opened_at: Moment
    closed_at: Moment | None = None
    broke_off_at: Moment | None = None
    restricted: Word | None = None
    call: CallTold
    segments: Annotated[list[SegmentRow], Field(min_length=1, max_length=2_000)]
    purposes: Annotated[list[PurposeRow], Field(min_length=1, max_length=2)]
    wraps: Annotated[list[WrapRow], Field(min_length=1, max_length=10_000)]
    holds: Annotated[list[HoldRow], Field(max_length=20)] = []

    def structure(self) -> dict[int, SegmentTold]:
        return {one.segment: SegmentTold(one.chunks, one.sound) for one in self.segments}

    def cases(self) -> list[CaseKind]:
        """Those that were opened in the call. When they were received counts from its beginning: no later than it was."""
        given = {one.reason for one in self.purposes if one.stands is Ended.TAKEN_BACK}
        return [
            one for one in CaseKind if one.value == self.restricted or (one is CaseKind.GROUNDS and one.value in given)
        ]

    def check(self) -> None:
        """Raises TeamError `rows_wrong`, with the first contradiction's name."""
        for wrong in self._contradictions():
            raise TeamError("error.team.rows_wrong", reason=wrong)

    def _contradictions(self) -> Iterator[str]:
        numbers = {one.segment for one in self.segments}
        sealed = {(one.segment, one.role, one.key_id) for one in self.wraps}
        if len(numbers) != len(self.segments) or len({one.purpose for one in self.purposes}) != len(self.purposes):
            yield "twice"
        if len(sealed) != len(self.wraps) or len({one.hold for one in self.holds}) != len(self.holds):
            yield "twice"
        if any(len(one.sealed) != WRAP_BYTES for one in self.wraps):
            yield "wraps"
        if any(one.role is KeyRole.TRAINING for one in self.call.number_seals):
            yield "number_seals"
        # Custody opens every segment; a purpose no more than it was recorded for.
        recorded = {one.segment: {purpose.value for purpose in one.purposes} for one in self.segments}
        if {one.segment for one in self.wraps if one.role is KeyRole.CUSTODY} != numbers:
            yield "custody"
        for one in self.wraps:
            if one.role is not KeyRole.CUSTODY and one.role.value not in recorded.get(one.segment, ()):
                yield "wraps"
        keeps = {one.purpose.value for one in self.purposes if one.stands is Ended.KEEPS}
        roles = {one.role.value for one in self.wraps} - {KeyRole.CUSTODY.value}
        if roles - keeps or (self.holds and KeyRole.TRAINING.value in roles):
            yield "ended"
        if not keeps and not self.holds:
            yield "nothing_keeps_it"
        # One that broke off is closed too, by whoever found it: there it was last heard.
        if self.closed_at is None and self.broke_off_at is None:
            yield "not_finished"
        yield from self._times()

    def _times(self) -> Iterator[str]:
        try:
            ZoneInfo(self.call.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield "time_zone"
            return
        end = self.closed_at or self.broke_off_at
        if self.call.started_at > self.opened_at + SKEW or (end is not None and end < self.opened_at):
            yield "times"
        for one in self.purposes:
            try:
                period = Period.parse(one.retention) if one.retention is not None else None
                if one.keep_reviewed is not None:
                    Period.parse(one.keep_reviewed)
            except ValueError:
                yield "retention"
                continue
            day = expires_on(self.call.started_at, period, self.call.time_zone) if period else None
            # A desk may have shortened a life, and has no say in a longer one.
            if (one.expires_on is None) != (day is None) or (day and one.expires_on and one.expires_on > day):
                yield "expires_on"

    def arrived(self, version: str, chunks: Mapping[int, int], number_key: bytes, now: datetime) -> Arrived:
        """As the rows have it. What a desk says counts no further than it may: no moment lies after the arrival."""

        def by_now(at: datetime) -> datetime:
            return min(at, now)

        call, wraps = self.call, defaultdict[int, list[Seal]](list)
        for one in self.wraps:
            wraps[one.segment].append(one.seal())
        number = None
        if call.number is not None:
            number = NumberOf(number_hash(number_key, call.number), tuple(one.seal() for one in call.number_seals))
        return Arrived(
            recording=UUID(self.recording),
            call=Call(
                *(UUID(call.call), UUID(call.call_group), call.line, call.direction, by_now(call.started_at)),
                *(call.notice.value if call.notice else None, call.language.value, call.time_zone, call.agent),
            ),
            number=number,
            opened_at=by_now(self.opened_at),
            closed_at=by_now(self.closed_at or self.broke_off_at or now),
            broke_off=self.broke_off_at is not None,
            restricted=self.restricted,
            object_version=version,
            size=self.bytes,
            digest=bytes.fromhex(self.sha256),
            purposes=tuple(self._kept_for(one, now) for one in self.purposes),
            segments=tuple(
                Segment(
                    one.segment,
                    by_now(one.opened_at),
                    tuple(one.purposes),
                    chunks[one.segment],
                    tuple(wraps[one.segment]),
                )
                for one in self.segments
            ),
            holds=tuple(one.hold_on(UUID(self.recording)) for one in self.holds),
        )

    def _kept_for(self, one: PurposeRow, now: datetime) -> KeptFor:
        """It ends by the earlier of the desk's time and the arrival. What a desk that is far behind would end too early waits for
        custody."""
        day = one.expires_on
        if day is not None and one.retention is not None:
            start = min(self.call.started_at, now)
            day = min(day, expires_on(start, Period.parse(one.retention), self.call.time_zone))
        judged = one.at_end == "review" or now - self.clock > SHORTENS
        return KeptFor(
            *(one.purpose, one.basis, one.retention, day, one.stands, one.reason),
            *(one.reviewed_at, judged, one.keep_reviewed, one.judge_by),
        )


def wraps_digest(wraps: list[WrapRow]) -> str:
    """Of all that is sealed, for the receipt: whoever holds it can show which wraps the house had."""
    told = sorted((one.segment, one.role.value, one.key_id, one.suite, one.sealed.hex()) for one in wraps)
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode("ascii")).hexdigest()
