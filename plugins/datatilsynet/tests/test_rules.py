"""The guideline's decisions: every combination of bases, in the sample and not, declined earlier, exempt."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plugins.datatilsynet.rules import decision_for
from plugins.datatilsynet.tests.lines import facts, line
from softphone.domain.decision import NoticeDelivery, NoticeId, PlanState, not_recorded
from softphone.domain.purpose import Basis, Direction, Reason
from softphone.plugin.rulebook import carried

INTEREST, OBLIGATION, CONSENT, TASK = "legitimate_interest", "legal_obligation", "consent", "public_task"
PLANNED, ASKED, OFF = PlanState.PLANNED, PlanState.ASKED, PlanState.OFF

TABLE = [
    # documentation, training, the notice in the sample, the notice outside it, why the headline says so
    (INTEREST, None, NoticeId.N1, NoticeId.N1, Reason.ASSESSMENT),
    (OBLIGATION, None, NoticeId.N1, NoticeId.N1, Reason.OBLIGATION),
    (TASK, None, NoticeId.N1, NoticeId.N1, Reason.PUBLIC_TASK),
    (CONSENT, None, NoticeId.N2, NoticeId.N2, Reason.CONSENT),
    (None, CONSENT, NoticeId.N3, None, Reason.CONSENT),
    (None, INTEREST, NoticeId.N4, None, Reason.TRAINING_SAMPLE),
    (None, TASK, NoticeId.N4, None, Reason.TRAINING_SAMPLE),
    (None, "special", NoticeId.N5, None, Reason.SPECIAL_CIRCUMSTANCES),
    (INTEREST, CONSENT, NoticeId.N6, NoticeId.N1, Reason.ASSESSMENT),
    (OBLIGATION, CONSENT, NoticeId.N6, NoticeId.N1, Reason.OBLIGATION),
    (INTEREST, INTEREST, NoticeId.N7, NoticeId.N1, Reason.ASSESSMENT),
    (OBLIGATION, INTEREST, NoticeId.N7, NoticeId.N1, Reason.OBLIGATION),
    (TASK, TASK, NoticeId.N7, NoticeId.N1, Reason.PUBLIC_TASK),
    (INTEREST, "special", NoticeId.N8, NoticeId.N1, Reason.ASSESSMENT),
    (OBLIGATION, "special", NoticeId.N8, NoticeId.N1, Reason.OBLIGATION),
    (CONSENT, CONSENT, NoticeId.N2_N3, NoticeId.N2, Reason.CONSENT),
    (CONSENT, INTEREST, NoticeId.N2_N4, NoticeId.N2, Reason.CONSENT),
    (CONSENT, "special", NoticeId.N2_N5, NoticeId.N2, Reason.CONSENT),
]


@pytest.mark.rule("G01")
@pytest.mark.rule("G02")
@pytest.mark.rule("G30")
@pytest.mark.parametrize(("documentation", "training", "notice", "outside", "why"), TABLE)
def test_each_combination_of_bases_has_its_notice(
    documentation: str | None, training: str | None, notice: NoticeId, outside: NoticeId | None, why: Reason
) -> None:
    asked = line(documentation, training)
    decision = decision_for(facts(), asked, drawn=True)

    assert decision.notice is notice
    assert decision.reasons[0] is why
    for plan, basis in ((decision.documentation, documentation), (decision.training, training)):
        assert plan.state is (OFF if basis is None else ASKED if basis == CONSENT else PLANNED)
    assert carried(decision, facts(), asked, drawn=True)


@pytest.mark.rule("G31")
@pytest.mark.rule("G33")
@pytest.mark.rule("G34")
@pytest.mark.parametrize("way", ["not drawn", "declined earlier"])
@pytest.mark.parametrize(("documentation", "training", "notice", "outside", "why"), TABLE)
def test_outside_the_sample_or_declined_earlier_leaves_the_documentation_notice_alone(
    documentation: str | None,
    training: str | None,
    notice: NoticeId,
    outside: NoticeId | None,
    why: Reason,
    way: str,
) -> None:
    asked = line(documentation, training)
    call = facts(declined_earlier=way == "declined earlier")
    drawn = way != "not drawn"
    decision = decision_for(call, asked, drawn=drawn)

    assert decision.notice is outside
    assert decision.training.state is OFF
    assert carried(decision, call, asked, drawn=drawn)
    if training is not None:
        reason = Reason.DECLINED_EARLIER if call.declined_earlier else Reason.NOT_IN_SAMPLE
        assert decision.training.reason is reason
        assert reason in decision.reasons
        if documentation is None:
            assert decision == not_recorded(reason)


@pytest.mark.rule("G22")
@pytest.mark.parametrize("training", [None, CONSENT, INTEREST, "special"])
def test_documentation_without_a_whole_assessment_asks_for_consent_and_says_so(training: str | None) -> None:
    decision = decision_for(facts(), line("unfinished", training), drawn=True)

    assert (decision.documentation.state, decision.documentation.basis) == (ASKED, Basis.CONSENT)
    assert decision.notice in (NoticeId.N2, NoticeId.N2_N3, NoticeId.N2_N4, NoticeId.N2_N5)
    assert decision.reasons[-1] is Reason.NO_ASSESSMENT
    assert decision.reasons[0] is Reason.CONSENT


@pytest.mark.rule("G01")
def test_what_is_exempt_is_not_recorded() -> None:
    asked = line(INTEREST, INTEREST, never_record=["+4520123456"])
    assert decision_for(facts(), asked, drawn=True) == not_recorded(Reason.NEVER_RECORD)
    assert decision_for(facts(number=None), asked, drawn=True).notice is NoticeId.N7
    assert decision_for(facts(), line(), drawn=True) == not_recorded(Reason.LINE_NOT_RECORDED)


@pytest.mark.rule("G01")
@pytest.mark.parametrize(
    ("calls", "recorded"),
    [
        (None, ["inbound", "outbound"]),
        (["inbound"], ["inbound"]),
        (["outbound", "internal"], ["outbound", "internal"]),
        (["inbound", "outbound", "internal"], ["inbound", "outbound", "internal"]),
    ],
)
def test_a_line_records_the_calls_it_says(calls: list[str] | None, recorded: list[str]) -> None:
    asked = line(INTEREST, INTEREST, **({"calls": calls} if calls else {}))
    for direction in Direction:
        call = facts(direction, "204" if direction is Direction.INTERNAL else "+4520123456")
        decision = decision_for(call, asked, drawn=True)
        if direction in recorded:
            assert decision.notice is NoticeId.N7
            assert carried(decision, call, asked, drawn=True)
        else:
            internal = direction is Direction.INTERNAL
            assert decision == not_recorded(Reason.INTERNAL if internal else Reason.LINE_NOT_RECORDED)


@pytest.mark.rule("G32")
@pytest.mark.parametrize(
    ("at", "special"),
    [
        # decided on 15 January 2026, holds to the end of 14 January 2027
        ("2026-01-14T23:59:59+01:00", False),
        ("2026-01-15T00:00:00+01:00", True),
        ("2027-01-14T23:59:59+01:00", True),
        ("2027-01-15T00:00:00+01:00", False),
    ],
)
@pytest.mark.parametrize(
    ("documentation", "held", "expired"),
    [
        (None, NoticeId.N5, NoticeId.N4),
        (INTEREST, NoticeId.N8, NoticeId.N7),
        (OBLIGATION, NoticeId.N8, NoticeId.N7),
        (CONSENT, NoticeId.N2_N5, NoticeId.N2_N4),
    ],
)
def test_special_circumstances_hold_to_their_last_day_and_then_the_party_can_decline(
    documentation: str | None, held: NoticeId, expired: NoticeId, at: str, special: bool
) -> None:
    asked = line(documentation, "special")
    call = replace(facts(), at=datetime.fromisoformat(at))
    decision = decision_for(call, asked, drawn=True)
    assert decision.notice is (held if special else expired)
    assert decision.training.reason is (Reason.SPECIAL_CIRCUMSTANCES if special else Reason.TRAINING_SAMPLE)
    assert carried(decision, call, asked, drawn=True)


@pytest.mark.rule("G32")
@pytest.mark.rule("G39")
def test_a_notice_without_the_opt_out_is_not_accepted_once_the_circumstances_have_expired() -> None:
    asked = line(INTEREST, "special")
    held = decision_for(facts(), asked, drawn=True)
    assert held.notice is NoticeId.N8
    assert carried(held, facts(), asked, drawn=True)
    assert not carried(held, replace(facts(), at=datetime(2027, 1, 15, 12, tzinfo=UTC)), asked, drawn=True)


@pytest.mark.rule("G33")
@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize(("documentation", "training", "notice", "outside", "why"), TABLE)
def test_when_the_reviewers_have_enough_nothing_more_is_recorded_for_training_and_the_reason_says_so(
    documentation: str | None,
    training: str | None,
    notice: NoticeId,
    outside: NoticeId | None,
    why: Reason,
    drawn: bool,
) -> None:
    call = replace(facts(), reviewers_have_enough=True)
    asked = line(documentation, training)
    decision = decision_for(call, asked, drawn=drawn)
    assert decision.notice is outside
    assert decision.training.state is OFF
    if training is not None:
        assert decision.training.reason is Reason.REVIEWERS_HAVE_ENOUGH
        assert Reason.REVIEWERS_HAVE_ENOUGH in decision.reasons
        in_the_sample = decision_for(facts(), asked, drawn=True)
        assert not carried(in_the_sample, call, asked, drawn=True)


@pytest.mark.rule("G31")
def test_a_partys_own_no_is_the_reason_before_any_other() -> None:
    call = replace(facts(declined_earlier=True), reviewers_have_enough=True)
    decision = decision_for(call, line(INTEREST, INTEREST), drawn=False)
    assert decision.training.reason is Reason.DECLINED_EARLIER


@pytest.mark.rule("G05")
def test_a_withheld_number_is_told_as_everybody_is() -> None:
    for documentation, training, *_ in TABLE:
        asked = line(documentation, training)
        assert decision_for(facts(number=None), asked, drawn=True) == decision_for(facts(), asked, drawn=True)


@pytest.mark.rule("G05")
def test_outgoing_calls_are_read_to_and_incoming_ones_played_to_as_the_line_says() -> None:
    outgoing = facts(Direction.OUTBOUND)
    assert decision_for(outgoing, line(INTEREST), drawn=True).how is NoticeDelivery.READ
    assert decision_for(outgoing, line(INTEREST, outbound={"notice": "play"}), drawn=True).how is NoticeDelivery.PLAY
    assert decision_for(facts(), line(INTEREST), drawn=True).how is NoticeDelivery.PLAY
    assert decision_for(facts(), line(INTEREST, notice="upstream"), drawn=True).how is NoticeDelivery.UPSTREAM


@pytest.mark.rule("G03")
@pytest.mark.rule("G32")
def test_over_every_combination_nothing_on_consent_is_planned_and_nothing_is_on_without_its_notice() -> None:
    bases = [None, INTEREST, OBLIGATION, CONSENT, TASK, "unfinished"]
    trainings = [None, INTEREST, CONSENT, TASK, "special", "call_back"]
    yes_no = (True, False)
    for documentation, training, drawn, declined, enough, direction in itertools.product(
        bases, trainings, yes_no, yes_no, yes_no, Direction
    ):
        asked = line(documentation, training, calls=["outbound", "internal"])
        call = replace(facts(direction, declined_earlier=declined), reviewers_have_enough=enough)
        decision = decision_for(call, asked, drawn=drawn)
        assert carried(decision, call, asked, drawn=drawn)
        assert decision.reasons
        assert len(set(decision.reasons)) == len(decision.reasons)


@pytest.mark.rule("G09")
def test_a_line_with_health_trains_no_longer_than_its_special_circumstances_hold() -> None:
    grounds = {
        "documentation": {"ground": "art_9_2_c", "why": "liv"},
        "training": {"ground": "art_9_2_h", "why": "hjælp"},
    }
    sensitive = {"expected": ["special_categories"], "special_categories_ground": grounds}
    asked = line(INTEREST, "special", emergency_service=True, sensitive=sensitive)
    on = [replace(facts(), at=datetime(2027, 1, day, 12, tzinfo=UTC)) for day in (14, 15)]
    held, expired = (decision_for(one, asked, drawn=True) for one in on)
    assert (held.notice, expired.notice) == (NoticeId.N8, NoticeId.N1)
    assert expired.training.state is PlanState.OFF
