"""The part of a line that says why it records: documentation and training, each with its basis and its reasons (G11).

`calls` decides what that means for one call.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from softphone.domain.policy.fields import BothLanguages, Day, DayLength, Length, PolicyPart, Share, Text
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Basis, Purpose

THREE_MONTHS = Period(months=3)
"""the general limit where a policy says nothing (G10, G36)"""


class OptOut(StrEnum):
    """What an opt-out of training does (N4)."""

    STOP = "stop"
    CALL_BACK = "call_back"


class AtEnd(StrEnum):
    """What happens when a purpose has reached its day (G10, G36)."""

    DELETE = "delete"
    REVIEW = "review"
    """custody judges whether it is still needed; what is not judged in time is deleted"""


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
    x: Text | None = None
    """another reason: the guideline's list is open"""


FACTORS = "abcdefx"


class Assessment(PolicyPart):
    """The need to record without consent, shown and documented (G22). It may be unfinished: then the line asks for consent."""

    why: BothLanguages
    """one sentence for the agent's status card"""
    G20: Need = Need()
    G21: Factors = Factors()
    conclusion: Text | None = None

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is missing: `G20.a` …, `G21`, `conclusion`. Empty: consent is not needed (G20–G22)."""
        answers = {"a": self.G20.a, "b": self.G20.b, "c": self.G20.c}
        lacking = [f"G20.{name}" for name, answer in answers.items() if answer is None]
        if not any(factor for factor in (getattr(self.G21, name) for name in FACTORS)):
            lacking.append("G21")
        if self.conclusion is None:
            lacking.append("conclusion")
        return tuple(lacking)


class Documentation(PolicyPart):
    """Recording for documentation. `retention` has no default on obligation: the other law's own period holds (G10)."""

    basis: Basis
    rule: Text | None = None
    """which rule requires it, on obligation: the law and its paragraph (G02)"""
    retention: Length | None = None
    why_longer: Text | None = None
    """what makes more than three months necessary (G10)"""
    why_kept: Text | None = None
    """what it is kept for at all (G11)"""
    at_end: AtEnd = AtEnd.DELETE
    assessment: Assessment | None = None

    @property
    def keeps(self) -> Period:
        return self.retention or THREE_MONTHS

    @property
    def lacks_assessment(self) -> bool:
        """On interest or public task with an unfinished assessment: G22 turns it into consent."""
        return self.basis.can_be_objected_to and (self.assessment is None or bool(self.assessment.lacks))

    @property
    def effective_basis(self) -> Basis:
        """The basis it is really recorded on (G22)."""
        return Basis.CONSENT if self.lacks_assessment else self.basis


class SpecialCircumstances(PolicyPart):
    """Why training is clearly in the party's own interest, as in rescue services (G32).

    As long as the decision holds, an objection with grounds takes the place of the opt-out.
    """

    why: BothLanguages
    decided_on: Day
    expires_on: Day
    """the last day on which it holds; afterwards the line trains on ordinary interest"""

    def hold_on(self, day: date) -> bool:
        return self.decided_on <= day <= self.expires_on


class Training(PolicyPart):
    """Recording to train staff. Never on obligation (G30)."""

    basis: Literal[Basis.CONSENT, Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK]
    sample: Share
    """how many of the line's calls (G33, G34)"""
    why_this_number: Text
    """G35"""
    capacity: Annotated[StrictInt, Field(ge=1, le=1_000_000)] | None = None
    """calls that the reviewers can review in a week (G33); None: nobody has said"""
    retention: Length = THREE_MONTHS
    why_longer: Text | None = None
    """the special reason for more than three months (G36)"""
    why_kept: Text | None = None
    """what it is kept for after it has been reviewed (G11)"""
    keep_reviewed: Length | None = None
    """how long after its review (G38), never longer than `retention`; None: it goes at once"""
    at_end: AtEnd = AtEnd.DELETE
    why: BothLanguages | None = None
    """one sentence for the agent's status card"""
    opt_out: OptOut = OptOut.STOP
    special_circumstances: SpecialCircumstances | None = None

    @property
    def effective_basis(self) -> Basis:
        return self.basis


SensitiveKind = Literal["cpr", "special_categories"]
"""national identity numbers; health and the like (art. 9)"""


class DocumentedCategories(PolicyPart):
    """Why special categories may be recorded for documentation."""

    ground: Literal["art_9_2_a", "art_9_2_b", "art_9_2_c", "art_9_2_f", "art_9_2_g", "art_9_2_h", "art_9_2_i"]
    """which letter of article 9(2)"""
    why: Text
    """why it applies here"""


class TrainedCategories(PolicyPart):
    """Why special categories may be recorded for training: not for a legal claim, nor to save a life."""

    ground: Literal["art_9_2_a", "art_9_2_g", "art_9_2_h", "art_9_2_i"]
    """which letter of article 9(2)"""
    why: Text
    """why it applies here"""


class NumbersGround(PolicyPart):
    """Why national identity numbers may be recorded."""

    ground: Literal["section_11_1", "section_11_2_1", "section_11_2_2", "section_11_2_4"]
    """which part of section 11 of the Danish data protection act: 11(1) for authorities, 11(2) for everybody else"""
    why: Text
    """why it applies here"""


class CategoriesGrounds(PolicyPart):
    """Purpose by purpose."""

    documentation: DocumentedCategories | None = None
    training: TrainedCategories | None = None


class NumbersGrounds(PolicyPart):
    """Purpose by purpose."""

    documentation: NumbersGround | None = None
    training: NumbersGround | None = None


Ground = DocumentedCategories | TrainedCategories | NumbersGround
EXPLICIT_CONSENT = "art_9_2_a"


class Sensitive(PolicyPart):
    """Special categories and CPR numbers on the line, and the exception on which they may be recorded (G09)."""

    expected: tuple[SensitiveKind, ...] = ()
    cpr_ground: NumbersGrounds = NumbersGrounds()
    special_categories_ground: CategoriesGrounds = CategoriesGrounds()
    pause: DayLength = Period(seconds=60)

    def ground(self, kind: SensitiveKind, purpose: Purpose) -> Ground | None:
        grounds = self.cpr_ground if kind == "cpr" else self.special_categories_ground
        return grounds.documentation if purpose is Purpose.DOCUMENTATION else grounds.training

    @property
    def recorded(self) -> tuple[SensitiveKind, ...]:
        """What is expected and has a ground: recorded like everything else."""
        return tuple(kind for kind in self.expected if any(self.ground(kind, one) for one in Purpose))

    @property
    def resumes(self) -> bool:
        """Whether a pause may end by itself: only with a ground for all that is expected."""
        return bool(self.expected) and self.recorded == self.expected
