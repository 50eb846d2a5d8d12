"""The closed lists: every reason is tied to a rule of the guideline's list, and the words are its own."""

import re

import pytest

from softphone.domain.purpose import Basis, Headline, Purpose, Reason

# the ids of the guideline's requirements, its notices and the other law beside it
GUIDELINE = "01 02 03 04 05 06 07 08 09 10 11 13 20 21 22 23 30 31 32 33 34 35 36 37 38 39"
RULES = frozenset(
    [f"G{it}" for it in GUIDELINE.split(" ")] + [f"N{it}" for it in range(1, 9)] + [f"L{it}" for it in range(1, 6)],
)

# the closed list, in its own order
LISTED = """
    obligation assessment public_task consent training_sample special_circumstances
    waiting_for_notice no_person_confirmed waiting_for_answer no_answer declined_by_key declined_by_voice declined_by_sip
    declined_earlier withdrawn kept_out_of_training objection grounds_given not_understood not_in_sample reviewers_have_enough
    call_back voicemail internal private never_record emergency line_not_recorded line_unclear
    employees_not_informed house_unreachable
    held sensitive not_told no_agent no_desk no_sound source_changed
    policy_missing policy_faulty policy_unsigned rulebook_failed notice_failed no_key storage_failed recorder_failed broke_off
    dispute_party dispute_controller hold_only case_open
    past_its_date
    no_assessment
"""


def test_the_reasons_are_the_closed_list_and_nothing_else() -> None:
    assert {reason.value for reason in Reason} == set(LISTED.split())


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_tied_to_a_rule_that_exists(reason: Reason) -> None:
    assert reason.rule in RULES


@pytest.mark.parametrize(
    ("reason", "rule"),
    [
        (Reason.CONSENT, "G03"),
        (Reason.NO_ANSWER, "G03"),
        (Reason.WITHDRAWN, "G04"),
        (Reason.WAITING_FOR_NOTICE, "G05"),
        (Reason.SENSITIVE, "G09"),
        (Reason.ASSESSMENT, "G20"),
        (Reason.NO_ASSESSMENT, "G22"),
        (Reason.OBJECTION, "G23"),
        (Reason.DECLINED_BY_KEY, "G31"),
        (Reason.GROUNDS_GIVEN, "G32"),
        (Reason.NOT_IN_SAMPLE, "G34"),
        (Reason.HELD, "L5"),
    ],
)
def test_a_reason_cites_the_row_it_follows(reason: Reason, rule: str) -> None:
    assert reason.rule == rule


@pytest.mark.rule("G23")
def test_an_objection_exists_on_interest_and_public_task_only() -> None:
    assert {basis for basis in Basis if basis.can_be_objected_to} == {Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK}


@pytest.mark.rule("G01")
def test_there_are_two_purposes_and_six_headlines() -> None:
    assert {it.value for it in Purpose} == {"documentation", "training"}
    assert {it.value for it in Headline} == {"not_recording", "notice", "asked", "recording", "paused", "failed"}


def test_rule_ids_look_like_the_pages() -> None:
    assert all(re.fullmatch(r"G\d\d|[LN]\d", rule) for rule in RULES)
