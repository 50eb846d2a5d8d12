"""What a rulebook is asked while a call rings, and what it may answer. It chooses; the session enforces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason


class NoticeId(StrEnum):
    """The situations that the guideline's table of notices tells apart."""

    N1 = "N1"
    N2 = "N2"
    N3 = "N3"
    N4 = "N4"
    N5 = "N5"
    N6 = "N6"
    N7 = "N7"
    N8 = "N8"
    N2_N3 = "N2+N3"
    N2_N4 = "N2+N4"
    N2_N5 = "N2+N5"


class NoticeDelivery(StrEnum):
    """How the notice reaches the party."""

    PLAY = "play"
    READ = "read"
    UPSTREAM = "upstream"
    NONE = "none"


class PlanState(StrEnum):
    PLANNED = "planned"
    """becomes active when the party has been informed (obligation, interest, public task)"""
    ASKED = "asked"
    """needs the party's active yes (G03)"""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a call while it rings. `number` is E.164, or None where it is withheld.

    `at` is aware; a rulebook gets it in the policy's time zone.
    """

    line: str | None
    direction: Direction
    number: str | None
    language: Language
    declined_earlier: bool
    at: datetime
    reviewers_have_enough: bool = False
    """as many wait for review as can be reviewed before they expire (G33)"""


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What the archive knows while a call rings: of its party, by a keyed hash of the number, and of its line's sample."""

    declined_earlier: bool = False
    """on the do-not-sample list (G31)"""
    upheld: frozenset[Purpose] = frozenset()
    """purposes whose objection by this party on this line custody upheld: they are not recorded again (G23)"""
    language: Language | None = None
    """the party chose it in an earlier call"""
    call_back: bool = False
    """on this line the party was promised a call back without recording (N4)"""
    recorded_before: bool | None = None
    """a recording of an earlier call with this number is there, whoever had it; None: not known"""
    drawn: bool = False
    """this call is in the line's sample (G34)"""
    reviewers_have_enough: bool = False
    """no more is recorded for training for now (G33)"""
    keyless: frozenset[Purpose] = frozenset()
    """the line's purposes for which nothing could be sealed: no valid key of theirs, or none of custody's"""
    looked_up: bool = True
    """False: the archive failed, so nothing is known and the call is in no sample"""
    house_silent: bool = False
    """the house did not answer in time: a no at another desk could be unknown, so the call is in no sample (G31)"""


@dataclass(frozen=True, slots=True)
class PurposePlan:
    state: PlanState
    basis: Basis | None
    reason: Reason
    """why it is planned, asked or off"""


@dataclass(frozen=True, slots=True)
class Decision:
    """A rulebook's whole answer for one call. `reasons` holds at least one; the first is the headline's."""

    documentation: PurposePlan
    training: PurposePlan
    notice: NoticeId | None
    how: NoticeDelivery
    reasons: tuple[Reason, ...]


def not_recorded(reason: Reason) -> Decision:
    """The decision where nothing may be recorded, and why."""
    off = PurposePlan(PlanState.OFF, None, reason)
    return Decision(off, off, None, NoticeDelivery.NONE, (reason,))


def unless_keyless(decision: Decision, known: LookupResult) -> Decision:
    """A call that nobody could open is not announced as recorded."""
    plans = {Purpose.DOCUMENTATION: decision.documentation, Purpose.TRAINING: decision.training}
    wanted = {purpose for purpose, plan in plans.items() if plan.state is not PlanState.OFF}
    return not_recorded(Reason.NO_KEY) if wanted & known.keyless else decision


def out_of_the_sample(decision: Decision, because: Reason) -> Decision:
    """The sample leaves it out for this reason, not by the draw."""

    def why(reason: Reason) -> Reason:
        return because if reason is Reason.NOT_IN_SAMPLE else reason

    documentation, training = (replace(it, reason=why(it.reason)) for it in (decision.documentation, decision.training))
    reasons = tuple(why(reason) for reason in decision.reasons)
    return replace(decision, documentation=documentation, training=training, reasons=reasons)
