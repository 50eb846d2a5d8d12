"""The policy as a contract: who records which line, for what, on which basis, for how long, and who may open it.

Plain frozen data. `reading` makes it from a file's contents and finds the faults; `calls` applies it to a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from softphone.domain.decision import NoticeId
from softphone.domain.policy.fields import (
    BothLanguages,
    DayLength,
    Id,
    Keys,
    Length,
    LocalText,
    Number,
    Page,
    PolicyPart,
    PublicKey,
    Share,
    ShortNumber,
    Text,
    ZoneName,
)
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Basis, KeyRole, Language, Purpose

THREE_MONTHS = Period(months=3)
"""the general limit where a policy says nothing (G10, G36)"""


class OptOut(StrEnum):
    """What an opt-out of training does (N4)."""

    STOP = "stop"
    CALL_BACK = "call_back"


class Controller(PolicyPart):
    """Who records. `page` leads directly to what it says about the recording of calls (G06)."""

    name: Text
    page: Page
    contact: Text
    party: BothLanguages = LocalText(da="kunden", en="the caller")
    """what the person at the other end is called: kunden, borgeren, patienten"""


class Recipient(PolicyPart):
    """Somebody who may open recordings of one purpose, or have custody. The private key is elsewhere."""

    id: Id
    purpose: KeyRole
    public_key: PublicKey


class Need(PolicyPart):
    """The three conditions of G20, each answered in the controller's own words."""

    a: Text | None = None
    b: Text | None = None
    c: Text | None = None


class Factors(PolicyPart):
    """What weighs in, of G21's list."""

    a: Text | None = None
    b: Text | None = None
    c: Text | None = None
    d: Text | None = None
    e: Text | None = None
    f: Text | None = None


class Assessment(PolicyPart):
    """The need to record without consent, shown and documented (G22). It may be unfinished: then consent is asked."""

    why: BothLanguages
    """one sentence for the agent's status card"""
    G20: Need = Need()
    G21: Factors = Factors()
    conclusion: Text | None = None

    @property
    def lacks(self) -> tuple[str, ...]:
        """What keeps it from being whole: `G20.a` …, `G21`, `conclusion`. Empty: consent is not needed (G20–G22)."""
        answers = {"a": self.G20.a, "b": self.G20.b, "c": self.G20.c}
        lacking = [f"G20.{name}" for name, answer in answers.items() if answer is None]
        if not any(factor for factor in (getattr(self.G21, name) for name in "abcdef")):
            lacking.append("G21")
        if self.conclusion is None:
            lacking.append("conclusion")
        return tuple(lacking)


class Documentation(PolicyPart):
    """Recording for documentation. `retention` has no default on obligation: the other law's own period holds (G10)."""

    basis: Basis
    retention: Length | None = None
    assessment: Assessment | None = None

    @property
    def keeps(self) -> Period:
        return self.retention or THREE_MONTHS

    @property
    def lacks_assessment(self) -> bool:
        """On interest or public task without a whole assessment: G22 makes it consent."""
        return self.basis.can_be_objected_to and (self.assessment is None or bool(self.assessment.lacks))

    @property
    def effective_basis(self) -> Basis:
        """The basis it is really recorded on (G22)."""
        return Basis.CONSENT if self.lacks_assessment else self.basis


class Training(PolicyPart):
    """Recording to train staff. Never on obligation (G30)."""

    basis: Literal[Basis.CONSENT, Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK]
    sample: Share
    """how many of the line's calls (G33, G34)"""
    why_this_number: Text
    """G35"""
    retention: Length = THREE_MONTHS
    why_longer: Text | None = None
    """the special reason for more than three months (G36)"""
    opt_out: OptOut = OptOut.STOP
    special_circumstances: BothLanguages | None = None
    """why running training is clearly in the party's own interest (G32): an objection with grounds, no opt-out"""

    @property
    def effective_basis(self) -> Basis:
        return self.basis


class Outbound(PolicyPart):
    """Calls that the agent makes: the notice waits for *A person answered* and is read aloud, unless this says otherwise."""

    notice: Literal["play", "read"] = "read"
    starts_by_itself: StrictBool = False


class Line(PolicyPart):
    """One line: its numbers, its notice, its purposes. Without a purpose it is not recorded."""

    id: Id
    name: BothLanguages
    numbers: tuple[Number, ...] = ()
    notice: Literal["play", "read", "upstream"] = "play"
    language: Language | None = None
    """of its notices; the policy's `notice_language` where left out"""
    answer_time: DayLength = Period(seconds=8)
    repeat: Annotated[StrictInt, Field(ge=0, le=1)] = 1
    sound: Mapping[NoticeId, Mapping[Language, Text]] = Field(default_factory=dict[NoticeId, Mapping[Language, str]])
    """a recorded notice instead of a spoken one: a file's path, relative to the policy's folder"""
    opt_out_key: Keys = "*9"
    objection_in_call: Literal["stop", "go_on"] = "stop"
    on_failure: Literal["warn", "end", "go_on"] = "warn"
    spoken_consent: StrictBool = True
    sensitive_pause: DayLength = Period(seconds=60)
    sensitive_ground: Text | None = None
    """the exception on which special categories are recorded here (G09); without one a pause never ends by itself"""
    wrap_up: DayLength = Period()
    internal: StrictBool = False
    """whether calls between our own extensions are recorded too"""
    never_record: tuple[ShortNumber, ...] = ()
    outbound: Outbound = Outbound()
    documentation: Documentation | None = None
    training: Training | None = None

    def basis(self, purpose: Purpose) -> Basis | None:
        """The basis this purpose is really recorded on, None where the line does not have it."""
        part = self.documentation if purpose is Purpose.DOCUMENTATION else self.training
        return part.effective_basis if part else None

    def why(self, purpose: Purpose) -> LocalText | None:
        """The controller's one sentence for the status card, where it has written one."""
        if purpose is Purpose.TRAINING:
            return self.training.special_circumstances if self.training else None
        assessment = self.documentation.assessment if self.documentation else None
        return assessment.why if assessment else None

    def retention(self, purpose: Purpose) -> Period | None:
        if purpose is Purpose.TRAINING:
            return self.training.retention if self.training else None
        return self.documentation.keeps if self.documentation else None

    @property
    def special_circumstances(self) -> bool:
        """G32: training on interest, with its reason written down."""
        return self.training is not None and self.training.special_circumstances is not None


class Policy(PolicyPart):
    """The whole file."""

    version: Literal[1]
    time_zone: ZoneName = "Europe/Copenhagen"
    notice_language: Language = Language.DA
    hold_after_refusal: DayLength = Period(days=14)
    hold_unconfirmed: DayLength = Period(days=30)
    never_record: tuple[ShortNumber, ...] = ()
    emergency: tuple[ShortNumber, ...] = ("112",)
    """called numbers that are never recorded and never delayed"""
    controller: Controller
    recipient: tuple[Recipient, ...]
    line: tuple[Line, ...]

    def line_named(self, line: str | None) -> Line | None:
        return next((one for one in self.line if one.id == line), None)

    def language_of(self, line: Line) -> Language:
        return line.language or self.notice_language

    def recipients(self, role: KeyRole) -> tuple[Recipient, ...]:
        return tuple(one for one in self.recipient if one.purpose is role)
