"""Which purposes, on which basis, with which notice, and why: the guideline's cases as one table.

Reads a call's facts and its line; writes nothing and remembers nothing.
"""

from __future__ import annotations

from enum import Enum

from softphone.domain.decision import Decision, Facts, NoticeId, PlanState, PurposePlan, not_recorded
from softphone.domain.policy.calls import notice_way
from softphone.domain.policy.model import Line
from softphone.domain.purpose import Basis, Direction, Purpose, Reason


class _Ground(Enum):
    """A purpose's basis as the table of notices tells them apart."""

    NONE = "none"
    CONSENT = "consent"
    WITHOUT = "without"
    """obligation, interest or public task: no consent"""
    SPECIAL = "special"
    """training on interest under special circumstances (G32)"""


_NOTICES: dict[tuple[_Ground, _Ground], NoticeId] = {
    # documentation, training
    (_Ground.WITHOUT, _Ground.NONE): NoticeId.N1,
    (_Ground.CONSENT, _Ground.NONE): NoticeId.N2,
    (_Ground.NONE, _Ground.CONSENT): NoticeId.N3,
    (_Ground.NONE, _Ground.WITHOUT): NoticeId.N4,
    (_Ground.NONE, _Ground.SPECIAL): NoticeId.N5,
    (_Ground.WITHOUT, _Ground.CONSENT): NoticeId.N6,
    (_Ground.WITHOUT, _Ground.WITHOUT): NoticeId.N7,
    (_Ground.WITHOUT, _Ground.SPECIAL): NoticeId.N8,
    (_Ground.CONSENT, _Ground.CONSENT): NoticeId.N2_N3,
    (_Ground.CONSENT, _Ground.WITHOUT): NoticeId.N2_N4,
    (_Ground.CONSENT, _Ground.SPECIAL): NoticeId.N2_N5,
}

_WHY: dict[Basis, Reason] = {
    Basis.LEGAL_OBLIGATION: Reason.OBLIGATION,
    Basis.LEGITIMATE_INTEREST: Reason.ASSESSMENT,
    Basis.PUBLIC_TASK: Reason.PUBLIC_TASK,
    Basis.CONSENT: Reason.CONSENT,
}


def decision_for(facts: Facts, line: Line, *, drawn: bool) -> Decision:
    """The guideline's answer for one call. `drawn`: it is in the training sample (G33, G34). What holds for a while only, holds
    on the day of `facts.at` in the zone that it is given in."""
    if facts.number is not None and facts.number in line.never_record:
        return not_recorded(Reason.NEVER_RECORD)
    if facts.direction not in line.calls:
        internal = facts.direction is Direction.INTERNAL
        return not_recorded(Reason.INTERNAL if internal else Reason.LINE_NOT_RECORDED)
    special = line.special_circumstances_on(facts.at.date())
    documentation = _documentation(line)
    training = _training(facts, line, drawn=drawn, special=special)
    notice = _NOTICES.get((_ground(documentation), _ground(training, special=special)))
    if notice is None:
        # Training alone, and this call is not for it: neither announced nor recorded.
        return not_recorded(training.reason)
    return Decision(
        documentation, training, notice, notice_way(line, facts.direction), _reasons(line, documentation, training)
    )


def _documentation(line: Line) -> PurposePlan:
    basis = line.basis(Purpose.DOCUMENTATION)
    if basis is None:
        return PurposePlan(PlanState.OFF, None, Reason.LINE_NOT_RECORDED)
    return _planned(basis, _WHY[basis])


def _training(facts: Facts, line: Line, *, drawn: bool, special: bool) -> PurposePlan:
    """Off with the reason that would hold longest: a party's own no, then the reviewers' capacity, then the draw."""
    basis = line.basis(Purpose.TRAINING)
    if basis is None:
        return PurposePlan(PlanState.OFF, None, Reason.LINE_NOT_RECORDED)
    if line.sensitive.recorded and basis is not Basis.CONSENT and not special:
        # Health is on the line, and the special circumstances that allowed to train on it have expired (G09).
        return PurposePlan(PlanState.OFF, basis, Reason.LINE_NOT_RECORDED)
    if facts.declined_earlier:
        return PurposePlan(PlanState.OFF, basis, Reason.DECLINED_EARLIER)
    if facts.reviewers_have_enough:
        return PurposePlan(PlanState.OFF, basis, Reason.REVIEWERS_HAVE_ENOUGH)
    if not drawn:
        return PurposePlan(PlanState.OFF, basis, Reason.NOT_IN_SAMPLE)
    if basis is Basis.CONSENT:
        return _planned(basis, Reason.CONSENT)
    return _planned(basis, Reason.SPECIAL_CIRCUMSTANCES if special else Reason.TRAINING_SAMPLE)


def _planned(basis: Basis, why: Reason) -> PurposePlan:
    return PurposePlan(PlanState.ASKED if basis is Basis.CONSENT else PlanState.PLANNED, basis, why)


def _ground(plan: PurposePlan, *, special: bool = False) -> _Ground:
    if plan.state is PlanState.OFF:
        return _Ground.NONE
    if plan.basis is Basis.CONSENT:
        return _Ground.CONSENT
    return _Ground.SPECIAL if special else _Ground.WITHOUT


def _reasons(line: Line, documentation: PurposePlan, training: PurposePlan) -> tuple[Reason, ...]:
    """The headline's reason first; then why training is or is not part of it; that an assessment is missing stands last (G22)."""
    reasons: list[Reason] = []
    if documentation.state is not PlanState.OFF:
        reasons.append(documentation.reason)
    if line.training is not None:
        reasons.append(training.reason)
    if line.documentation is not None and line.documentation.lacks_assessment:
        reasons.append(Reason.NO_ASSESSMENT)
    return tuple(dict.fromkeys(reasons))
