"""What a policy says of a call: its line, whether it is exempt, its basis, and the terms of its session."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.domain.decision import NoticeDelivery, NoticeId
from softphone.domain.events import Terms
from softphone.domain.lines import Found, Names, find, names
from softphone.domain.policy import (
    Line,
    Policy,
    day_of,
    exempt,
    language_for,
    notice_way,
    which_line,
)
from softphone.domain.policy.terms import terms
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason
from tests.policies import POLICY, line_of_text, policy_of

DAY = date(2026, 11, 25)


def terms_on(
    policy: Policy, line: Line, notice: NoticeId, day: date = DAY, language: Language = Language.DA, **times: float
) -> Terms:
    return terms(policy, line, notice, language=language, day=day, **times)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return policy_of().policy


def numbered(number: str | None) -> Names:
    return Names((number,) if number else ())


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
    found = which_line(policy, direction, called=numbered(called), account=numbered(account), chosen=chosen)
    assert (found.line.id if found.line else None) == line
    assert not found.unclear


EXTENSIONS = POLICY.replace('"+4570102031"', '"100", "sip:salg@PBX.example"').replace(
    '"+4570102040"', '"+4570102040", "17@pbx.example"'
)
HERE, THERE, PORT = "pbx.example", "other.example", "pbx.example:5070"


@pytest.mark.rule("G01")
@pytest.mark.parametrize(
    ("user", "exchange", "others", "line"),
    [
        ("100", HERE, [], "salg"),
        ("salg", HERE, [], "salg"),
        ("17", HERE, [], "support"),
        ("17", PORT, [], "support"),
        ("17", HERE, [THERE], "support"),
        ("salg", THERE, [], None),
        ("Salg", HERE, [], None),
        ("101", HERE, [], None),
        ("", HERE, [], None),
        # the extension alone, and accounts at two exchanges: either could be meant
        ("100", HERE, [THERE], "unclear"),
        ("100", HERE, [PORT], "unclear"),
        ("17", HERE, [PORT], "unclear"),
    ],
)
def test_a_line_is_found_by_extension_and_user_too_unless_another_exchange_could_be_meant(
    user: str, exchange: str, others: list[str], line: str | None
) -> None:
    policy = policy_of(EXTENSIONS).policy
    named = names(user, None, exchange, others)

    for direction, called, account in (
        (Direction.INBOUND, named, Names()),
        (Direction.INBOUND, Names(("+4599999999",)), named),
        (Direction.OUTBOUND, Names(("+4570102040",)), named),
    ):
        found = which_line(policy, direction, called=called, account=account)
        assert (found.line.id if found.line else "unclear" if found.unclear else None) == line
    if line == "unclear":  # who is called decides nothing, so the account does not either; the agent's choice does
        account = numbered("+4570102030")
        assert which_line(policy, Direction.INBOUND, called=named, account=account) == Found(unclear=True)
        chosen = which_line(policy, Direction.OUTBOUND, called=Names(), account=named, chosen="support").line
        assert chosen is policy.line_named("support")


_AT = [f"{user}@{at}" for user in ("+4570102030", "17", "70102030", "salg") for at in (HERE, THERE, PORT)]
ENTRY = st.sampled_from(["+4570102030", "+4570102040", "17", *_AT])


@pytest.mark.rule("G01")
@given(
    st.lists(st.lists(ENTRY, max_size=3, unique=True), min_size=1, max_size=4),
    st.sampled_from(["+4570102030", "70102040", "70102030", "17", "salg", "18", ""]),
    st.sampled_from([HERE, THERE, PORT, ""]),
    st.lists(st.sampled_from([HERE, THERE, PORT]), max_size=3),
)
def test_no_call_is_ever_taken_for_a_line_that_is_not_surely_and_solely_meant(
    numbers: list[list[str]], user: str, exchange: str, others: list[str]
) -> None:
    """Whatever the policy says, also one that its check would refuse: judged anew, entry by entry, at each exchange."""
    number = {"70102040": "+4570102040", "70102030": "+4570102030", "+4570102030": "+4570102030"}.get(user)
    found = find(names(user, number, exchange, others), numbers, lambda line: line)
    every = {one for one in (exchange, *others) if one}

    def means(entry: str) -> str:
        """How an entry names the user, looked at by itself: surely, perhaps, or not at all."""
        name, _, host = entry.partition("@")
        if "@" not in entry:
            bare = len(every) < 2 and not number
            return "surely" if entry == number or (entry == user and bare) else "perhaps" if entry == user else ""
        if name != user or not exchange or host not in (exchange, exchange.partition(":")[0]):
            return ""
        elsewhere = any(one != exchange and one.partition(":")[0] == host for one in every)
        return "surely" if ":" in host or not elsewhere else "perhaps"

    meant = [line for line in numbers if any(means(one) for one in line)]
    if len(meant) == 1 and any(means(one) == "surely" for one in meant[0]):
        assert found == Found(meant[0])
    else:
        assert found == Found(unclear=bool(meant))


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
    text = (
        text.replace('id = "support"', 'id = "support"\ncalls = ["inbound", "outbound", "internal"]')
        + '[[line]]\nid = "tavs"\nname = "Tavs"\n'
    )
    policy = policy_of(text).policy

    assert exempt(policy, policy.line_named(line), direction, number) is reason


@pytest.mark.rule("G01")
def test_what_is_never_recorded_is_so_on_our_side_as_well_and_an_emergency_number_only_at_the_other_end() -> None:
    text = POLICY.replace("[controller]", 'never_record = ["204"]\n[controller]')
    policy = policy_of(text.replace('id = "salg"', 'id = "salg"\nnever_record = ["+4570102030"]')).policy
    salg, support = (policy.line_named(line) for line in ("salg", "support"))

    assert exempt(policy, salg, Direction.OUTBOUND, "+4520123456", ["205"]) is None
    assert exempt(policy, salg, Direction.OUTBOUND, "+4520123456", ["205", "204"]) is Reason.NEVER_RECORD
    assert exempt(policy, salg, Direction.INBOUND, None, ["+4570102030"]) is Reason.NEVER_RECORD
    assert exempt(policy, support, Direction.INBOUND, None, ["+4570102030"]) is None
    assert exempt(policy, salg, Direction.OUTBOUND, "+4520123456", ["112"]) is None


@pytest.mark.rule("G20")
@pytest.mark.rule("G21")
@pytest.mark.rule("G22")
@pytest.mark.parametrize(
    ("gone", "lacking"),
    [
        ('a = "Begge parter har gavn af, at det aftalte kan vises.", ', "G20.a"),
        ('b = "Næsten alle opkald ender med en aftale.", ', "G20.b"),
        (', c = "Aftalen kan ikke vises på anden måde."', "G20.c"),
        ('G21 = { a = "notater viser ikke, hvad der blev lovet", d = "nuancer afgør, hvad der er aftalt" }\n', "G21"),
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
    assert (remark.code, remark.params["lacking"]) == ("policy.warning.no_assessment", lacking)
    assert remark.line == line_of_text(text, "[line.documentation]")


@pytest.mark.rule("G21")
@pytest.mark.parametrize("factor", "abcdef")
def test_one_factor_is_enough_for_a_whole_assessment(factor: str) -> None:
    loaded = policy_of(
        POLICY.replace(
            '{ a = "notater viser ikke, hvad der blev lovet", d = "nuancer afgør, hvad der er aftalt" }',
            f'{{ {factor} = "det vejer tungt i disse opkald" }}',
        )
    )
    assert loaded.remarks == ()
    assert loaded.policy.line[0].basis(Purpose.DOCUMENTATION) is Basis.LEGITIMATE_INTEREST


@pytest.mark.rule("G02")
def test_public_task_is_judged_as_interest_is_and_obligation_needs_no_assessment() -> None:
    authority = POLICY.replace('"legitimate_interest"', '"public_task"', 1)
    authority = authority.replace("[controller]", "[controller]\nauthority = true")
    assert policy_of(authority).policy.line[0].basis(Purpose.DOCUMENTATION) is Basis.PUBLIC_TASK
    unfinished = authority.replace('conclusion = "Behovet er der."\n', "")
    assert policy_of(unfinished).policy.line[0].basis(Purpose.DOCUMENTATION) is Basis.CONSENT
    assert policy_of().policy.line[1].basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION


def test_terms_are_those_of_the_line_and_its_defaults(policy: Policy) -> None:
    plain = terms_on(policy, policy.line[0], NoticeId.N7, reading_time=17.0)

    assert (plain.answer_time, plain.repeat, plain.reading_time, plain.opt_out_key) == (8.0, 1, 17.0, "*9")
    assert (plain.hold_after_refusal, plain.hold_unconfirmed) == (timedelta(days=14), timedelta(days=30))
    assert plain.consent_keys == ()
    assert not plain.obligation
    assert terms_on(policy, policy.line[1], NoticeId.N1).obligation

    text = POLICY.replace(
        'opt_out = "stop"',
        'opt_out = "call_back"\n'
        'special_circumstances = { why = "liv", decided_on = 2026-11-01, expires_on = 2027-11-01 }',
    ).replace(
        'id = "salg"',
        'id = "salg"\nanswer_time = "PT4S"\nrepeat = 0\nopt_out_key = ""\nobjection_in_call = "go_on"\non_failure = "end"\n'
        'spoken_consent = false\nsensitive = { pause = "PT2M" }\n'
        'warning_tone = "PT15S"\nagent_tones = false\nlanguage_key = "9"\nwrap_up = "PT30S"\n'
        "outbound = { starts_by_itself = true }",
    )
    told = policy_of(
        text.replace("[controller]", 'hold_after_refusal = "P7D"\nhold_unconfirmed = "P10D"\n[controller]')
    ).policy
    terms_told = terms_on(told, told.line[0], NoticeId.N8)
    assert (terms_told.answer_time, terms_told.repeat, terms_told.opt_out_key) == (4.0, 0, "")
    assert (terms_told.opt_out_calls_back, terms_told.objection_stops, terms_told.on_failure) == (True, False, "end")
    assert (terms_told.spoken_consent, terms_told.special_circumstances) == (False, True)
    assert (terms_told.sensitive_pause, terms_told.sensitive_resumes, terms_told.wrap_up) == (120.0, False, 30.0)
    assert (terms_told.warning_tone, terms_told.agent_tones) == (15.0, False)
    assert (terms_told.language_key, terms_told.other_language) == ("9", Language.EN)
    assert (plain.warning_tone, plain.agent_tones, plain.other_language) == (0.0, True, None)
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
    assert terms_on(policy, policy.line[0], notice).consent_keys == keys


def test_our_own_calls_are_read_to_unless_the_policy_says_otherwise(policy: Policy) -> None:
    line = policy.line[0]
    assert notice_way(line, Direction.INBOUND) is NoticeDelivery.PLAY
    assert notice_way(line, Direction.OUTBOUND) is NoticeDelivery.READ
    played = policy_of(POLICY.replace('id = "salg"', 'id = "salg"\noutbound = { notice = "play" }')).policy.line[0]
    assert notice_way(played, Direction.OUTBOUND) is NoticeDelivery.PLAY


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


@pytest.mark.rule("G01")
def test_a_line_records_the_calls_that_it_names_and_no_others() -> None:
    text = POLICY.replace('id = "salg"', 'id = "salg"\ncalls = ["outbound"]')
    policy = policy_of(text).policy
    line = policy.line[0]
    assert exempt(policy, line, Direction.OUTBOUND, "+4520123456") is None
    assert exempt(policy, line, Direction.INBOUND, "+4520123456") is Reason.LINE_NOT_RECORDED
    assert exempt(policy, line, Direction.INTERNAL, "204") is Reason.INTERNAL


SPECIAL = POLICY.replace(
    'opt_out = "stop"',
    'why = { da = "Vi lærer af det", en = "We learn from it" }\n\n'
    "[line.training.special_circumstances]\n"
    'why = { da = "Hjælpen når frem", en = "Help arrives" }\ndecided_on = 2026-06-01\nexpires_on = 2027-05-31',
)


@pytest.mark.rule("G32")
@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (date(2026, 5, 31), False),
        (date(2026, 6, 1), True),
        (date(2027, 5, 31), True),
        (date(2027, 6, 1), False),
    ],
)
def test_special_circumstances_hold_from_their_decision_to_their_last_day(day: date, holds: bool) -> None:
    policy = policy_of(SPECIAL).policy
    line = policy.line[0]
    assert line.special_circumstances_on(day) is holds
    assert terms_on(policy, line, NoticeId.N8 if holds else NoticeId.N7, day).special_circumstances is holds
    why = line.why(Purpose.TRAINING, day)
    assert why is not None
    assert why.da == ("Hjælpen når frem" if holds else "Vi lærer af det")


def test_the_day_of_a_call_is_the_one_in_the_policys_time_zone() -> None:
    policy = policy_of().policy
    assert day_of(policy, datetime(2027, 5, 31, 21, 59, tzinfo=UTC)) == date(2027, 5, 31)
    assert day_of(policy, datetime(2027, 5, 31, 22, 0, tzinfo=UTC)) == date(2027, 6, 1)


@pytest.mark.parametrize(
    ("by_country", "number", "chosen", "language"),
    [
        (True, "+4520123456", None, Language.DA),
        (True, "+298201234", None, Language.DA),
        (True, "+299201234", None, Language.DA),
        (True, "+4620123456", None, Language.EN),
        (True, "+2972012345", None, Language.EN),
        (True, None, None, Language.DA),
        (True, "204", None, Language.DA),
        (True, "+4620123456", Language.DA, Language.DA),
        (False, "+4620123456", None, Language.DA),
        (False, "+4520123456", Language.EN, Language.EN),
    ],
)
def test_the_notice_begins_in_the_partys_language_then_its_countrys_then_the_lines(
    by_country: bool, number: str | None, chosen: Language | None, language: Language
) -> None:
    text = POLICY.replace('id = "salg"', f'id = "salg"\nlanguage_by_country = {str(by_country).lower()}')
    policy = policy_of(text).policy
    assert language_for(policy, policy.line[0], number, chosen) is language


def test_the_other_language_is_the_one_that_the_notice_is_not_in() -> None:
    policy = policy_of(POLICY.replace('id = "salg"', 'id = "salg"\nlanguage_key = "9"')).policy
    for language, other in ((Language.DA, Language.EN), (Language.EN, Language.DA)):
        assert terms_on(policy, policy.line[0], NoticeId.N7, language=language).other_language is other


def test_the_party_is_called_as_the_line_says_else_as_its_controller() -> None:
    text = POLICY.replace("[controller]", '[controller]\nparty = { da = "borgeren", en = "the citizen" }')
    text = text.replace('id = "support"', 'id = "support"\nparty = { da = "den pårørende", en = "the relative" }')
    policy = policy_of(text).policy
    assert [policy.party_of(line).da for line in policy.line] == ["borgeren", "den pårørende"]


@pytest.mark.rule("G09")
@pytest.mark.parametrize(
    ("sensitive", "resumes"),
    [
        ("", False),
        ('expected = ["cpr"]', False),
        ('expected = ["cpr"]\ncpr_ground.documentation = { ground = "section_11_2_4", why = "§ 7" }', True),
        (
            'expected = ["cpr", "special_categories"]\ncpr_ground.documentation = { ground = "section_11_2_4", why = "§ 7" }',
            False,
        ),
        (
            'expected = ["cpr", "special_categories"]\ncpr_ground.documentation = { ground = "section_11_2_4", why = "§ 7" }\nspecial_categories_ground.documentation = { ground = "art_9_2_h", why = "plejen" }',  # noqa: E501
            True,
        ),
        ('cpr_ground.documentation = { ground = "section_11_2_4", why = "§ 7" }', False),
    ],
)
def test_a_pause_ends_by_itself_only_with_a_ground_for_all_that_is_expected(sensitive: str, resumes: bool) -> None:
    policy = policy_of(f"{POLICY}\n[line.sensitive]\n{sensitive}\n").policy
    assert terms_on(policy, policy.line[1], NoticeId.N1).sensitive_resumes is resumes


@pytest.mark.rule("L1")
def test_employees_are_informed_as_the_line_says_else_as_the_policy_does() -> None:
    policy = policy_of(POLICY.replace('id = "salg"', 'id = "salg"\nemployees_informed_on = 2026-11-01')).policy
    assert [policy.informed_on(line) for line in policy.line] == [date(2026, 11, 1), date(2020, 10, 1)]


def test_a_line_crosses_to_the_rulebook_as_it_is() -> None:
    text = SPECIAL.replace('id = "salg"', 'id = "salg"\nlanguage_key = "9"\nwarning_tone = "PT15S"')
    text += '\n[line.wording.N1.da]\nessentials = "Vi optager."\n\n[line.sensitive]\nexpected = ["cpr"]\n'
    for line in policy_of(text).policy.line:
        assert Line.model_validate_json(line.model_dump_json()) == line
