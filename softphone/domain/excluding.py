"""A rulebook's decision, without the purposes for which this call must not be recorded, whatever the rulebook says.

The rest gets the notice for just that. It adds nothing and chooses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from softphone.domain.decision import Decision, LookupResult, PlanState, PurposePlan, not_recorded
from softphone.domain.notice import MENTIONS, PurposeMention
from softphone.domain.purpose import Basis, Purpose, Reason

_NOTICES = {mentions: notice for notice, mentions in MENTIONS.items()}


def without(decision: Decision, out: Mapping[Purpose, Reason]) -> Decision:
    """`out`: the purposes to leave out, and why. If nothing is left: not recorded, for the first one's reason."""
    plans = {Purpose.DOCUMENTATION: decision.documentation, Purpose.TRAINING: decision.training}
    why = {one: reason for one, reason in out.items() if plans[one].state is not PlanState.OFF}
    if not why or decision.notice is None:
        return decision
    left = {one: _off(plan, why[one]) if one in why else plan for one, plan in plans.items()}
    documentation, training = left[Purpose.DOCUMENTATION], left[Purpose.TRAINING]
    mentions = MENTIONS[decision.notice]
    still = tuple(
        PurposeMention.NOT if it.state is PlanState.OFF else how
        for it, how in zip(left.values(), mentions, strict=True)
    )
    notice = _NOTICES.get((still[0], still[1]))
    if notice is None:
        alone = not_recorded(next(iter(why.values())))
        return replace(alone, documentation=documentation, training=training)
    reasons = (*(it.reason for it in left.values() if it.state is not PlanState.OFF), *why.values())
    beside = (one for one in decision.reasons if one is Reason.NO_ASSESSMENT and Purpose.DOCUMENTATION not in why)
    return Decision(documentation, training, notice, decision.how, (*dict.fromkeys((*reasons, *beside)),))


def _off(plan: PurposePlan, reason: Reason) -> PurposePlan:
    return PurposePlan(PlanState.OFF, plan.basis, reason)


def unless_upheld(decision: Decision, known: LookupResult) -> Decision:
    """An objection that custody upheld binds every later call of that number on the line (G23). Not if a law now obliges to
    record: there is no objection to that (G02)."""
    obliged = decision.documentation.basis is Basis.LEGAL_OBLIGATION
    upheld = known.upheld - {Purpose.DOCUMENTATION} if obliged else known.upheld
    return without(decision, dict.fromkeys(upheld, Reason.DECLINED_EARLIER))


def until_employees_are_informed(decision: Decision) -> Decision:
    """The line's agents are recorded too, and have not been told yet: only what the law obliges to is recorded (L1)."""
    obliged = decision.documentation.basis is Basis.LEGAL_OBLIGATION
    documentation = {} if obliged else {Purpose.DOCUMENTATION: Reason.EMPLOYEES_NOT_INFORMED}
    return without(decision, {**documentation, Purpose.TRAINING: Reason.EMPLOYEES_NOT_INFORMED})
