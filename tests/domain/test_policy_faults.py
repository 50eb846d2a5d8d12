"""What is wrong with a policy is told all at once, each fault with its line, its key and its code."""

from __future__ import annotations

import pytest

from softphone.domain.policy import PolicyError, PolicyFault
from tests.policies import KEYS, POLICY, line_of_text, policy_of


def faults_of(text: str) -> tuple[PolicyFault, ...]:
    with pytest.raises(PolicyError) as caught:
        policy_of(text)
    return caught.value.faults


SPOILED = [
    # what is replaced, by what, the code, the key, and a text on the line that is named
    ('name = "Nordlys El A/S"', "", "missing", "controller.name", "[controller]"),
    ('contact = "', 'contakt = "', "unknown_key_near", "controller.contakt", "contakt"),
    ('contact = "', 'phone = 1\ncontact = "', "unknown_key", "controller.phone", "phone"),
    ("version = 1", "version = 2", "not_one_of", "version", "version"),
    ('purpose = "custody"', 'purpose = "lawyer"', "not_one_of", "recipient[3].purpose", "lawyer"),
    ('name = "Nordlys El A/S"', 'name = " "', "empty", "controller.name", 'name = " "'),
    ('name = "Nordlys El A/S"', f'name = "{"x" * 2001}"', "too_long", "controller.name", "xxxx"),
    ('id = "salg"', 'id = "Salg!"', "id", "line[1].id", "Salg!"),
    ('name = "Nordlys El A/S"', "name = 3", "wanted_text", "controller.name", "name = 3"),
    ('id = "salg"', 'id = "salg"\nrepeat = "1"', "wanted_number", "line[1].repeat", "repeat"),
    ('id = "salg"', 'id = "salg"\nrepeat = 2', "not_one_of", "line[1].repeat", "repeat"),
    ('id = "salg"', 'id = "salg"\nspoken_consent = "no"', "wanted_yes_no", "line[1].spoken_consent", "spoken_consent"),
    ('numbers = ["+4570102040"]', 'numbers = "+4570102040"', "wanted_list", "line[2].numbers", 'numbers = "'),
    ('id = "salg"', 'id = "salg"\noutbound = true', "wanted_table", "line[1].outbound", "outbound"),
    ('retention = "P5Y"', 'retention = "5 years"', "period", "line[2].documentation.retention", "5 years"),
    ('id = "salg"', 'id = "salg"\nanswer_time = "P1M"', "period_of_days", "line[1].answer_time", "answer_time"),
    ('"10 %"', '"101 %"', "share", "line[1].training.sample", "101 %"),
    ('"10 %"', '"ten"', "share", "line[1].training.sample", '"ten"'),
    ('"10 %"', "10", "share", "line[1].training.sample", "sample = 10"),
    ('"+4570102040"', '"70102040"', "number", "line[2].numbers[1]", "70102040"),
    ('id = "salg"', 'id = "salg"\nnever_record = ["chef"]', "short_number", "line[1].never_record[1]", "chef"),
    (KEYS["training"], "abc", "public_key", "recipient[2].public_key", '"abc"'),
    (KEYS["training"], "A" * 43 + "=", "public_key", "recipient[2].public_key", "AAAA"),
    ('"https://nordlys', '"nordlys', "page", "controller.page", "page"),
    ('id = "salg"', 'id = "salg"\nopt_out_key = "nine"', "keys", "line[1].opt_out_key", "nine"),
    ("Europe/Copenhagen", "CET +1", "time_zone", "time_zone", "time_zone"),
    (
        'basis = "legitimate_interest"\nretention = "P3M"\nsample',
        'basis = "legal_obligation"\nsample',
        "obligation_training",
        "line[1].training.basis",
        'basis = "legal_obligation"\nsample',
    ),
    (
        'retention = "P5Y"',
        "",
        "retention_needed",
        "line[2].documentation.retention",
        '[line.documentation]\nbasis = "legal_obligation"',
    ),
    (
        'retention = "P3M"\nsample',
        'retention = "P4M"\nsample',
        "why_longer",
        "line[1].training.retention",
        'retention = "P4M"',
    ),
    (
        'basis = "legitimate_interest"\nretention = "P3M"\nsample',
        'basis = "consent"\nspecial_circumstances = "liv og helbred"\nsample',
        "special_on_consent",
        "line[1].training.special_circumstances",
        "special_circumstances",
    ),
    ('id = "salg"', 'id = "salg"\nopt_out_key = "19"', "key_is_a_yes", "line[1].opt_out_key", "opt_out_key"),
    ('id = "support"', 'id = "salg"', "id_twice", "line[2].id", 'id = "salg"\nname = "Support"'),
    ('id = "lead-1"', 'id = "case-1"', "id_twice", "recipient[2].id", 'id = "case-1"\npurpose = "training"'),
    ('"+4570102040"', '"+45 70 10 20 31"', "number_twice", "line[2].numbers[1]", "+45 70 10 20 31"),
    ('purpose = "training"', 'purpose = "documentation"', "no_recipient", "line[1].training", "[line.training]"),
    ('purpose = "custody"', 'purpose = "training"', "no_custody", "recipient", "[[recipient]]"),
]


@pytest.mark.parametrize(("old", "new", "code", "key", "on_line"), SPOILED, ids=lambda value: str(value)[:24])
def test_a_fault_is_told_with_its_line_and_key(old: str, new: str, code: str, key: str, on_line: str) -> None:
    text = POLICY.replace(old, new, 1)
    assert text != POLICY

    (fault,) = faults_of(text)

    assert (fault.code, fault.key) == (f"policy.fault.{code}", key)
    assert fault.line == line_of_text(text, on_line)


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    text = POLICY
    for old, new in (
        ('"10 %"', '"110 %"'),
        ('retention = "P5Y"', 'retenion = "P5Y"'),
        ('id = "case-1"', 'id = "case-1"\nnote = "x"'),
        ('purpose = "custody"', 'purpose = "training"'),
        ('"+4570102040"', '"+4570102030"'),
    ):
        text = text.replace(old, new, 1)

    faults = faults_of(text)

    assert [fault.code.removeprefix("policy.fault.") for fault in faults] == [
        "no_custody",
        "unknown_key",
        "share",
        "number_twice",
        "unknown_key_near",
    ]
    assert [fault.line for fault in faults] == sorted(fault.line or 0 for fault in faults)


@pytest.mark.rule("G10")
def test_obligation_states_its_own_period_and_the_rest_has_three_months() -> None:
    faults = faults_of(POLICY.replace('retention = "P5Y"\n', ""))
    assert [fault.code for fault in faults] == ["policy.fault.retention_needed"]

    loaded = policy_of(POLICY.replace('basis = "legitimate_interest"\nretention = "P3M"\n', 'basis = "consent"\n', 1))
    assert str(loaded.policy.line[0].documentation.keeps) == "P3M"  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.rule("G35")
def test_the_number_of_calls_for_training_comes_with_its_reason() -> None:
    (fault,) = faults_of(POLICY.replace('why_this_number = "Så mange gennemgås."\n', ""))
    assert (fault.code, fault.key) == ("policy.fault.missing", "line[1].training.why_this_number")


@pytest.mark.rule("G36")
def test_training_is_kept_longer_than_three_months_only_for_a_written_reason() -> None:
    longer = POLICY.replace(
        'retention = "P3M"\nsample', 'retention = "P4M"\nwhy_longer = "Forløbet varer 4 måneder"\nsample'
    )
    assert str(policy_of(longer).policy.line[0].training.retention) == "P4M"  # pyright: ignore[reportOptionalMemberAccess]
