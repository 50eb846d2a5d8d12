"""What a policy says of a call: its line, whether it is exempt, its basis, and the terms of its session."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from softphone.domain.decision import How, NoticeId
from softphone.domain.policy import Policy, exempt, notice_way, terms, which_line
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason
from tests.policies import POLICY, line_of_text, policy_of


@pytest.fixture(scope="module")
def policy() -> Policy:
    return policy_of().policy


@pytest.mark.parametrize(
    ("direction", "called", "account", "chosen", "line"),
    [
        (Direction.INBOUND, "+4570102040", "+4570102030", None, "support"),
        (Direction.INBOUND, "+4570102031", None, None, "salg"),
        (Direction.INBOUND, None, "+4570102030", None, "salg"),
        (Direction.INBOUND, "+4599999999", "+4570102030", None, "salg"),
        (Direction.INBOUND, "+4599999999", None, None, None),
        (Direction.OUTBOUND, "+4570102040", "+4570102030", "support", "salg"),
        (Direction.OUTBOUND, "+4570102040", None, "support", "support"),
        (Direction.OUTBOUND, "+4570102040", None, None, None),
        (Direction.OUTBOUND, None, "+4599999999", "nowhere", None),
    ],
)
def test_a_call_belongs_to_the_line_of_its_number_else_of_its_account_else_as_chosen(
    policy: Policy, direction: Direction, called: str | None, account: str | None, chosen: str | None, line: str | None
) -> None:
    found = which_line(policy, direction, called=called, account_number=account, chosen=chosen)
    assert (found.id if found else None) == line


@pytest.mark.rule("G01")
@pytest.mark.parametrize(
    ("direction", "number", "line", "reason"),
    [
        (Direction.OUTBOUND, "112", "salg", Reason.EMERGENCY),
        (Direction.INBOUND, "112", "salg", None),
        (Direction.INBOUND, "+4520000000", "salg", Reason.NEVER_RECORD),
        (Direction.OUTBOUND, "+4521000000", "salg", Reason.NEVER_RECORD),
        (Direction.OUTBOUND, "+4521000000", "support", None),
        (Direction.INTERNAL, "204", "salg", Reason.INTERNAL),
        (Direction.INTERNAL, "204", "support", None),
        (Direction.INBOUND, None, "salg", None),
        (Direction.INBOUND, "+4520123456", None, Reason.LINE_NOT_RECORDED),
        (Direction.INBOUND, "+4520123456", "tavs", Reason.LINE_NOT_RECORDED),
    ],
)
def test_what_is_exempt_is_never_recorded_and_says_why(
    direction: Direction, number: str | None, line: str | None, reason: Reason | None
) -> None:
    text = POLICY.replace("[controller]", 'never_record = ["+45 20 00 00 00"]\n[controller]')
    text = text.replace('id = "salg"', 'id = "salg"\nnever_record = ["+4521000000"]')
    text = text.replace('id = "support"', 'id = "support"\ninternal = true') + '[[line]]\nid = "tavs"\nname = "Tavs"\n'
    policy = policy_of(text).policy

    assert exempt(policy, policy.line_named(line), direction, number) is reason


@pytest.mark.rule("G20")
@pytest.mark.rule("G21")
@pytest.mark.rule("G22")
@pytest.mark.parametrize(
    ("gone", "lacking"),
    [
        ('a = "opvejer", ', "G20.a"),
        ('b = "sædvanligt", ', "G20.b"),
        (', c = "ikke på anden måde"', "G20.c"),
        ('G21 = { a = "notater er ikke nok", d = "nuancer" }\n', "G21"),
        ('conclusion = "Behovet er der."\n', "conclusion"),
    ],
)
def test_documentation_on_interest_without_a_whole_assessment_needs_consent_and_says_so(
    gone: str, lacking: str
) -> None:
    text = POLICY.replace(gone, "", 1)
    assert text != POLICY

    loaded = policy_of(text)

    assert loaded.policy.line[0].basis(Purpose.DOCUMENTATION) is Basis.CONSENT
    (remark,) = loaded.remarks
    assert (remark.code, remark.params["lacking"]) == ("policy.fault.no_assessment", lacking)
    assert remark.line == line_of_text(text, "[line.documentation]")


@pytest.mark.rule("G21")
@pytest.mark.parametrize("factor", "abcdef")
def test_one_factor_is_enough_for_a_whole_assessment(factor: str) -> None:
    loaded = policy_of(POLICY.replace('{ a = "notater er ikke nok", d = "nuancer" }', f'{{ {factor} = "vejer" }}'))
    assert loaded.remarks == ()
    assert loaded.policy.line[0].basis(Purpose.DOCUMENTATION) is Basis.LEGITIMATE_INTEREST


@pytest.mark.rule("G02")
def test_public_task_is_judged_as_interest_is_and_obligation_needs_no_assessment() -> None:
    authority = POLICY.replace('"legitimate_interest"', '"public_task"', 1)
    assert policy_of(authority).policy.line[0].basis(Purpose.DOCUMENTATION) is Basis.PUBLIC_TASK
    unfinished = authority.replace('conclusion = "Behovet er der."\n', "")
    assert policy_of(unfinished).policy.line[0].basis(Purpose.DOCUMENTATION) is Basis.CONSENT
    assert policy_of().policy.line[1].basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION


def test_terms_are_those_of_the_line_and_its_defaults(policy: Policy) -> None:
    plain = terms(policy, policy.line[0], NoticeId.N7, reading_time=17.0)

    assert (plain.answer_time, plain.repeat, plain.reading_time, plain.opt_out_key) == (8.0, 1, 17.0, "*9")
    assert (plain.hold_after_refusal, plain.hold_unconfirmed) == (timedelta(days=14), timedelta(days=30))
    assert plain.consent_keys == ()
    assert not plain.obligation
    assert terms(policy, policy.line[1], NoticeId.N1).obligation

    text = POLICY.replace(
        'opt_out = "stop"', 'opt_out = "call_back"\nspecial_circumstances = "liv og helbred"'
    ).replace(
        'id = "salg"',
        'id = "salg"\nanswer_time = "PT4S"\nrepeat = 0\nopt_out_key = ""\nobjection_in_call = "go_on"\non_failure = "end"\n'
        'spoken_consent = false\nsensitive_pause = "PT2M"\nsensitive_ground = "art. 9"\nwrap_up = "PT30S"\n'
        "outbound = { starts_by_itself = true }",
    )
    told = policy_of(
        text.replace("[controller]", 'hold_after_refusal = "P7D"\nhold_unconfirmed = "P10D"\n[controller]')
    ).policy
    terms_told = terms(told, told.line[0], NoticeId.N8)
    assert (terms_told.answer_time, terms_told.repeat, terms_told.opt_out_key) == (4.0, 0, "")
    assert (terms_told.opt_out_calls_back, terms_told.objection_stops, terms_told.on_failure) == (True, False, "end")
    assert (terms_told.spoken_consent, terms_told.special_circumstances) == (False, True)
    assert (terms_told.sensitive_pause, terms_told.sensitive_resumes, terms_told.wrap_up) == (120.0, True, 30.0)
    assert (terms_told.hold_after_refusal, terms_told.hold_unconfirmed) == (timedelta(days=7), timedelta(days=10))
    assert terms_told.starts_by_itself


@pytest.mark.rule("G03")
@pytest.mark.parametrize(
    ("notice", "keys"),
    [
        (NoticeId.N1, ()),
        (NoticeId.N2, (("1", Purpose.DOCUMENTATION),)),
        (NoticeId.N3, (("1", Purpose.TRAINING),)),
        (NoticeId.N6, (("1", Purpose.TRAINING),)),
        (NoticeId.N2_N3, (("1", Purpose.DOCUMENTATION), ("2", Purpose.TRAINING))),
        (NoticeId.N2_N4, (("1", Purpose.DOCUMENTATION),)),
    ],
)
def test_each_purpose_that_is_asked_for_has_a_key_of_its_own(
    policy: Policy, notice: NoticeId, keys: tuple[tuple[str, Purpose], ...]
) -> None:
    assert terms(policy, policy.line[0], notice).consent_keys == keys


def test_our_own_calls_are_read_to_unless_the_policy_says_otherwise(policy: Policy) -> None:
    line = policy.line[0]
    assert notice_way(line, Direction.INBOUND) is How.PLAY
    assert notice_way(line, Direction.OUTBOUND) is How.READ
    played = policy_of(POLICY.replace('id = "salg"', 'id = "salg"\noutbound = { notice = "play" }')).policy.line[0]
    assert notice_way(played, Direction.OUTBOUND) is How.PLAY


def test_a_line_speaks_the_policys_language_unless_it_has_its_own() -> None:
    english = policy_of(
        POLICY.replace("[controller]", 'notice_language = "en"\n[controller]', 1).replace(
            'id = "support"', 'id = "support"\nlanguage = "da"'
        )
    ).policy
    assert english.language_of(english.line[0]) is Language.EN
    assert english.language_of(english.line[1]) is Language.DA


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("10 %", Fraction(1, 10)),
        ("2.5%", Fraction(1, 40)),
        ("2,5 %", Fraction(1, 40)),
        ("0 %", Fraction(0)),
        ("100 %", Fraction(1)),
    ],
)
def test_a_share_is_exactly_what_is_written(text: str, share: Fraction) -> None:
    training = policy_of(POLICY.replace('"10 %"', f'"{text}"')).policy.line[0].training
    assert training is not None
    assert training.sample == share
    assert type(training).model_validate_json(training.model_dump_json()).sample == share
