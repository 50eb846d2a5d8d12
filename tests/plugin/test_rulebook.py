"""What the engine accepts from a rulebook: it may be stricter than the policy, never looser."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from softphone.domain.decision import Decision, NoticeDelivery, NoticeId, PlanState, PurposePlan, not_recorded
from softphone.domain.policy import Line
from softphone.domain.purpose import Basis, Direction, Reason
from softphone.plugin.rulebook import carried
from tests.plugin.test_client import FACTS
from tests.policies import POLICY, policy_of

OFF = PurposePlan(PlanState.OFF, None, Reason.NOT_IN_SAMPLE)
DOCUMENTED = PurposePlan(PlanState.PLANNED, Basis.LEGITIMATE_INTEREST, Reason.ASSESSMENT)
TRAINED = PurposePlan(PlanState.PLANNED, Basis.LEGITIMATE_INTEREST, Reason.TRAINING_SAMPLE)
ASKED = PurposePlan(PlanState.ASKED, Basis.CONSENT, Reason.CONSENT)
WHY = (Reason.ASSESSMENT,)

BOTH, OBLIGED = policy_of().policy.line
CONSENTING = policy_of(POLICY.replace('"legitimate_interest"', '"consent"')).policy.line[0]


@pytest.mark.parametrize(
    ("decision", "line"),
    [
        (Decision(DOCUMENTED, TRAINED, NoticeId.N7, NoticeDelivery.PLAY, WHY), BOTH),
        (Decision(DOCUMENTED, OFF, NoticeId.N1, NoticeDelivery.READ, WHY), BOTH),
        (Decision(ASKED, ASKED, NoticeId.N2_N3, NoticeDelivery.PLAY, WHY), BOTH),
        (Decision(DOCUMENTED, ASKED, NoticeId.N6, NoticeDelivery.PLAY, WHY), BOTH),
        (Decision(ASKED, OFF, NoticeId.N2, NoticeDelivery.PLAY, WHY), CONSENTING),
        (not_recorded(Reason.PRIVATE), BOTH),
    ],
)
def test_a_rulebook_may_choose_what_the_policy_carries_or_less(decision: Decision, line: Line) -> None:
    assert carried(decision, FACTS, line, drawn=True)


@pytest.mark.rule("G02")
@pytest.mark.parametrize(
    ("decision", "line"),
    [
        # a purpose that the line does not have
        (Decision(DOCUMENTED, TRAINED, NoticeId.N7, NoticeDelivery.PLAY, WHY), OBLIGED),
        # a looser basis than the line's
        (Decision(DOCUMENTED, OFF, NoticeId.N1, NoticeDelivery.PLAY, WHY), CONSENTING),
        (Decision(replace(DOCUMENTED, basis=Basis.LEGAL_OBLIGATION), OFF, NoticeId.N1, NoticeDelivery.PLAY, WHY), BOTH),
        # consent that is not asked for, and a question where none is needed
        (Decision(replace(ASKED, state=PlanState.PLANNED), OFF, NoticeId.N2, NoticeDelivery.PLAY, WHY), CONSENTING),
        (Decision(replace(DOCUMENTED, state=PlanState.ASKED), OFF, NoticeId.N1, NoticeDelivery.PLAY, WHY), BOTH),
        # a notice that does not tell of what is recorded, or asks for something else
        (Decision(DOCUMENTED, TRAINED, NoticeId.N1, NoticeDelivery.PLAY, WHY), BOTH),
        (Decision(DOCUMENTED, OFF, NoticeId.N7, NoticeDelivery.PLAY, WHY), BOTH),
        (Decision(ASKED, OFF, NoticeId.N1, NoticeDelivery.PLAY, WHY), CONSENTING),
        (Decision(DOCUMENTED, ASKED, NoticeId.N7, NoticeDelivery.PLAY, WHY), BOTH),
        (Decision(DOCUMENTED, OFF, None, NoticeDelivery.NONE, WHY), BOTH),
        (Decision(DOCUMENTED, OFF, NoticeId.N1, NoticeDelivery.NONE, WHY), BOTH),
        (Decision(OFF, OFF, NoticeId.N1, NoticeDelivery.PLAY, WHY), BOTH),
        # no reason
        (Decision(DOCUMENTED, OFF, NoticeId.N1, NoticeDelivery.PLAY, ()), BOTH),
    ],
)
def test_a_decision_that_the_policy_does_not_carry_is_nonsense(decision: Decision, line: Line) -> None:
    assert not carried(decision, FACTS, line, drawn=True)


@pytest.mark.rule("G31")
@pytest.mark.rule("G34")
def test_training_outside_the_sample_or_after_a_refusal_is_nonsense() -> None:
    both = Decision(DOCUMENTED, TRAINED, NoticeId.N7, NoticeDelivery.PLAY, WHY)
    assert not carried(both, FACTS, BOTH, drawn=False)
    assert not carried(both, replace(FACTS, declined_earlier=True), BOTH, drawn=True)


@pytest.mark.rule("G33")
def test_training_beyond_what_the_reviewers_can_do_is_nonsense() -> None:
    both = Decision(DOCUMENTED, TRAINED, NoticeId.N7, NoticeDelivery.PLAY, WHY)
    assert not carried(both, replace(FACTS, reviewers_have_enough=True), BOTH, drawn=True)


@pytest.mark.rule("G01")
def test_a_recording_of_a_call_that_the_line_does_not_record_is_nonsense() -> None:
    documented = Decision(DOCUMENTED, OFF, NoticeId.N1, NoticeDelivery.PLAY, WHY)
    assert not carried(documented, replace(FACTS, direction=Direction.INTERNAL, number="204"), BOTH, drawn=True)
    assert carried(
        not_recorded(Reason.INTERNAL), replace(FACTS, direction=Direction.INTERNAL, number="204"), BOTH, drawn=True
    )


@pytest.mark.rule("G32")
@pytest.mark.rule("G39")
@pytest.mark.parametrize(
    ("day", "held"), [("2026-01-14", False), ("2026-01-15", True), ("2026-11-30", True), ("2026-12-01", False)]
)
def test_a_notice_without_its_opt_out_is_nonsense_where_no_special_circumstances_hold(day: str, held: bool) -> None:
    special = """opt_out = "stop"

[line.training.special_circumstances]
why = "Liv og helbred"
decided_on = "2026-01-15"
expires_on = "2026-11-30"
"""
    line = policy_of(POLICY.replace('opt_out = "stop"\n', special)).policy.line[0]
    facts = replace(FACTS, at=datetime.fromisoformat(f"{day}T12:00:00+01:00"))
    without = Decision(DOCUMENTED, TRAINED, NoticeId.N8, NoticeDelivery.PLAY, WHY)
    assert carried(without, facts, line, drawn=True) is held
    assert carried(replace(without, notice=NoticeId.N7), facts, line, drawn=True)
    assert not carried(without, facts, BOTH, drawn=True)
