"""The engine's way to the rulebook: it always gets a decision, and never one that the line's policy does not allow.

A rulebook may only choose. It is never asked about an exempt call, and nonsense is not recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

from softphone.domain.decision import Decision, Facts, NoticeDelivery, PlanState, PurposePlan, not_recorded
from softphone.domain.notice import COVERS, SPECIAL, asks
from softphone.domain.policy import Line, Policy, exempt
from softphone.domain.purpose import Basis, Purpose, Reason
from softphone.plugin.client import PluginFailed, PluginHost
from softphone.plugin.contract import DECIDE, DecideParams

ANSWER_WITHIN = 2.0
"""seconds; it is asked while it rings"""


class RulebookClient:
    """Asks one plugin for decisions. Its callbacks come on the plugin host's thread and must only enqueue."""

    def __init__(self, host: PluginHost, plugin: str) -> None:
        self._host = host
        self.plugin = plugin

    def decide(
        self,
        policy: Policy,
        facts: Facts,
        *,
        drawn: bool,
        callback: Callable[[Decision], None],
        timeout: float = ANSWER_WITHIN,
    ) -> None:
        """The decision for a ringing call, within `timeout` seconds: the rulebook's, or that nothing is recorded, and why.

        The rulebook gets the moment in the policy's time zone, whose day counts.
        """
        line = policy.line_named(facts.line)
        reason = exempt(policy, line, facts.direction, facts.number)
        if reason is not None or line is None:
            callback(not_recorded(reason or Reason.LINE_NOT_RECORDED))
            return
        facts = replace(facts, at=facts.at.astimezone(ZoneInfo(policy.time_zone)))
        self._host.ask(
            self.plugin,
            DECIDE,
            DecideParams(facts, line, drawn),
            lambda answer: callback(
                not_recorded(Reason.RULEBOOK_FAILED) if isinstance(answer, PluginFailed) else answer
            ),
            timeout=timeout,
            urgent=True,
            sound=lambda decision: carried(decision, facts, line, drawn=drawn),
        )


def carried(decision: Decision, facts: Facts, line: Line, *, drawn: bool) -> bool:
    """Whether the line's policy allows a decision:

    - no call that it does not record, no purpose that it does not have, and no looser basis;
    - nobody recorded without the notice that says so;
    - no opt-out left out, except while special circumstances hold (G32, G39);
    - training only in the sample, for reviewers who have room, and not after a refusal (G31, G33, G34).
    """
    plans = {Purpose.DOCUMENTATION: decision.documentation, Purpose.TRAINING: decision.training}
    on: frozenset[Purpose] = frozenset(purpose for purpose, plan in plans.items() if plan.state is not PlanState.OFF)
    if (
        not decision.reasons
        or (decision.how is NoticeDelivery.NONE) != (not on)
        or (decision.notice is None) != (not on)
    ):
        return False
    if on and facts.direction not in line.calls:
        return False
    if Purpose.TRAINING in on and (facts.declined_earlier or facts.reviewers_have_enough or not drawn):
        return False
    if not all(_basis_carried(plans[purpose], line.basis(purpose)) for purpose in on):
        return False
    if decision.notice in SPECIAL and not line.special_circumstances_on(facts.at.date()):
        return False
    asked = {purpose for purpose in on if plans[purpose].state is PlanState.ASKED}
    return decision.notice is None or (COVERS[decision.notice] == on and set(asks(decision.notice)) == asked)


def _basis_carried(plan: PurposePlan, basis: Basis | None) -> bool:
    """The line's own basis, or consent instead of it. Consent is asked for, never planned (G03)."""
    if basis is None or plan.basis not in (basis, Basis.CONSENT):
        return False
    return (plan.state is PlanState.ASKED) == (plan.basis is Basis.CONSENT)
