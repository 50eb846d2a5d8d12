"""What is lawful and yet to be thought about is told as a warning, with its row of the guideline's list, and refuses nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from softphone.domain.decision import NoticeId
from softphone.domain.policy import AtEnd, LoadedPolicy, PolicyFault, key_lines, warning_at
from softphone.domain.policy.doubts import long_notice
from softphone.domain.purpose import Language, Purpose
from tests.policies import NOW, POLICY, line_of_text, policy_of

SPECIAL = """
[line.training.special_circumstances]
why = "Liv og helbred"
decided_on = 2026-06-01
expires_on = 2027-05-31
"""
RESCUE = (
    POLICY.replace("Salgslinjen", "Alarmlinjen")
    .replace('opt_out = "stop"\n', f'opt_out = "stop"\n{SPECIAL}')
    .replace('id = "salg"', 'id = "salg"\nemergency_service = true\nnotice = "read"')
)


def warned(text: str, now: datetime = NOW) -> tuple[PolicyFault, ...]:
    return policy_of(text, now=now).remarks


@pytest.mark.timeout(20)
def test_a_policy_with_thirty_thousand_numbers_is_looked_through_in_a_second() -> None:
    """Each name against each other number would take minutes, at every reading."""
    full = ", ".join(f'"+45{20_000_000 + n}"' for n in range(15_000))
    users = ", ".join(f'"{39_999_999 + n}@pbx.example"' for n in range(14_999))
    text = POLICY.replace('"+4570102031"]', f'"+4570102031", {full}]').replace(
        'numbers = ["+4570102040"]', f'numbers = ["+4570102040", {users}, "20000007@pbx.example"]'
    )
    assert [one.params["other"] for one in warned(text)] == ["+4520000007"]


def test_a_policy_that_leaves_no_doubt_has_no_warning() -> None:
    assert warned(POLICY) == ()
    assert warned(RESCUE) == ()


DOUBTFUL = [
    # what is replaced, by what, the code, its row, the key, and a text on the line that is named
    (
        'page = "https://nordlys.example/telefonsamtaler"',
        'page = "https://nordlys.example/privatlivspolitik"',
        "page_general",
        "G06",
        "controller.page",
        "privatlivspolitik",
    ),
    (
        'page = "https://nordlys.example/telefonsamtaler"',
        'page = "https://nordlys.example/en/privacy-policy"',
        "page_general",
        "G06",
        "controller.page",
        "privacy-policy",
    ),
    (
        'page = "https://nordlys.example/telefonsamtaler"',
        'page = "https://nordlys.example/persondatapolitik.html"',
        "page_general",
        "G06",
        "controller.page",
        "persondatapolitik",
    ),
    (
        'retention = "P3M"\n\n',
        'retention = "P4M"\n\n',
        "documentation_longer",
        "G10",
        "line[1].documentation.retention",
        "P4M",
    ),
    (
        'retention = "P3M"\nsample',
        'retention = "P90D"\nsample',
        "training_longer",
        "G36",
        "line[1].training.retention",
        "P90D",
    ),
    ('sample = "10 %"', 'sample = "100 %"', "capacity_all", "G33", "line[1].training.capacity", "capacity"),
    ("capacity = 20\n", "", "no_capacity", "G33", "line[1].training.capacity", "[line.training]"),
    (
        'opt_out = "stop"\n',
        f'opt_out = "stop"\n{SPECIAL}',
        "special_elsewhere",
        "G32",
        "line[1].training.special_circumstances",
        "[line.training.special",
    ),
    ('sample = "10 %"', 'sample = "25 %"', "large_sample", "G33", "line[1].training.sample", "25 %"),
    ('sample = "10 %"', 'sample = "99.9 %"', "large_sample", "G33", "line[1].training.sample", "99.9 %"),
    ('why_kept = "Til opfølgningen."\n', "", "no_why_kept", "G11", "line[1].training.why_kept", "[line.training]"),
    (
        'why_kept = "Indsigelser kommer inden for tre måneder."\n',
        "",
        "no_why_kept",
        "G11",
        "line[1].documentation.why_kept",
        "[line.documentation]",
    ),
    (
        'rule = "Lov om prøver, § 1"\n',
        "",
        "no_rule",
        "G02",
        "line[2].documentation.rule",
        '[line.documentation]\nbasis = "legal',
    ),
    (
        'id = "support"',
        'id = "support"\ncalls = ["inbound", "internal"]',
        "obligation_calls",
        "G02",
        "line[2].calls",
        "calls = [",
    ),
    (
        'numbers = ["+4570102030", "+4570102031"]',
        'numbers = ["+4570102030", "+4570102031", "70102040@pbx.example"]',
        "number_two_names",
        "G01",
        "line[1].numbers[3]",
        "numbers = [",
    ),
    (
        'numbers = ["+4570102030", "+4570102031"]',
        'numbers = ["+4570102030", "+4570102031", "1813"]',
        "extension_emergency",
        "G01",
        "line[1].numbers[3]",
        "numbers = [",
    ),
    (
        'id = "support"',
        'id = "support"\nnever_record = ["+4570102099"]',
        "obligation_numbers",
        "G02",
        "line[2].never_record",
        "never_record",
    ),
    (
        "[controller]",
        'never_record = ["+4570102099", "204"]\n[controller]',
        "obligation_numbers",
        "G02",
        "never_record",
        "never_record",
    ),
    (
        'id = "support"',
        'id = "support"\nwhistle_blower = true\n'
        'training = { basis = "consent", sample = "5 %", capacity = 2, why_this_number = "to hver uge for hver rådgiver", why_kept = "øvelse" }',  # noqa: E501
        "whistle_blower_training",
        "G30",
        "line[2].training",
        "training = {",
    ),
    ("employees_informed_on = 2020-10-01\n", "", "not_informed", "L1", "employees_informed_on", None),
    (
        'id = "salg"',
        'id = "salg"\nemployees_informed_on = 2027-01-01',
        "informed_later",
        "L1",
        "line[1].employees_informed_on",
        "2027-01-01",
    ),
    ('id = "support"', 'id = "support"\nnotice = "upstream"', "no_hosts", "G05", "line[2].notice", "upstream"),
    (
        'id = "support"',
        'id = "support"\nopt_out_key = "9"',
        "opt_out_digit",
        "G31",
        "line[2].opt_out_key",
        'opt_out_key = "9"',
    ),
    (
        'id = "support"',
        'id = "support"\nsensitive = { cpr_ground = { documentation = { ground = "section_11_2_1", why = "loven" } } }',
        "ground_for_nothing",
        "G09",
        "line[2].sensitive.cpr_ground.documentation",
        "section_11",
    ),
    (
        'id = "support"',
        'id = "samtykke"\nname = "Samtykke"\ndocumentation = { basis = "consent", why_kept = "planen" }\nsensitive = { expected ='
        ' ["special_categories"], special_categories_ground = { documentation = { ground = "art_9_2_a", why = "ja" } } }\n\n[[line]]\nid = "support"',  # noqa: E501
        "consent_names_nothing",
        "G09",
        "line[2].sensitive.expected",
        "special_categories",
    ),
    (
        "[controller]",
        'hold_after_refusal = "P60D"\n[controller]',
        "long_hold_after_refusal",
        "G04",
        "hold_after_refusal",
        "P60D",
    ),
    (
        "[controller]",
        'hold_unconfirmed = "P200D"\n[controller]',
        "long_hold_unconfirmed",
        "G10",
        "hold_unconfirmed",
        "P200D",
    ),
    (
        "[controller]",
        'judge_within = "P100D"\n[controller]',
        "long_judge_within",
        "G10",
        "judge_within",
        "P100D",
    ),
    ("[controller]", 'own_calls = "P60D"\n[controller]', "long_own_calls", "L2", "own_calls", "P60D"),
    (
        'id = "salg"',
        'id = "salg"\nanswer_time = "PT31S"',
        "long_answer_time",
        "G03",
        "line[1].answer_time",
        'answer_time = "PT31S"',
    ),
    ('id = "salg"', 'id = "salg"\nwrap_up = "P30D"', "long_wrap_up", "G31", "line[1].wrap_up", "P30D"),
    (
        'id = "salg"',
        'id = "salg"\nwarning_tone = "P1D"',
        "long_warning_tone",
        "G05",
        "line[1].warning_tone",
        'warning_tone = "P1D"',
    ),
    (
        'id = "salg"',
        'id = "salg"\nemergency_service = true',
        "emergency_played",
        "G05",
        "line[1].notice",
        "[[line]]",
    ),
    (
        'id = "salg"',
        'id = "salg"\nemergency_service = true\nnotice = "read"\noutbound = { notice = "play" }',
        "emergency_played",
        "G05",
        "line[1].outbound.notice",
        'outbound = { notice = "play" }',
    ),
    (
        "[controller]",
        'audit_retention = "P59M"\n[controller]',
        "audit_shorter",
        "G11",
        "audit_retention",
        "P59M",
    ),
    ("[controller]", "emergency = []\n[controller]", "no_emergency", "G01", "emergency", "emergency = []"),
    (
        "[controller]",
        'emergency = ["112", "70102030"]\n[controller]',
        "emergency_number",
        "G01",
        "emergency[2]",
        "70102030",
    ),
    (
        'd = "nuancer afgør',
        'd = "ja", e = "nuancer afgør',
        "need_short",
        "G20",
        "line[1].documentation.assessment.G21.d",
        "G21",
    ),
    (
        'conclusion = "Behovet er der."',
        'conclusion = "OK"',
        "need_short",
        "G20",
        "line[1].documentation.assessment.conclusion",
        "OK",
    ),
    (
        "[[line]]",
        f'[[confirmed]]\nhash = "{"0" * 64}"\non = 2026-12-24\nby = "Mette Holm"\n\n[[line]]',
        "confirmed_later",
        "G11",
        "confirmed[1].on",
        "2026-12-24",
    ),
    ('conclusion = "Behovet er der."\n', "", "no_assessment", "G22", "line[1].documentation", "[line.documentation]"),
    (
        'page = "https://nordlys.example/telefonsamtaler"',
        'page = "http://nordlys.example/telefonsamtaler"',
        "page_http",
        "G06",
        "controller.page",
        "http:",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "code", "rule", "key", "on_line"),
    [pytest.param(*case, id=f"{case[3]} {case[2]}", marks=pytest.mark.rule(case[3])) for case in DOUBTFUL],
)
def test_what_is_doubtful_is_told_with_its_line_its_key_and_its_row(
    old: str, new: str, code: str, rule: str, key: str, on_line: str | None
) -> None:
    text = POLICY.replace(old, new, 1)
    assert text != POLICY
    if "emergency" in code:
        text = text.replace("Salgslinjen", "Alarmlinjen")

    (warning,) = warned(text)

    assert (warning.code, warning.rule, warning.key) == (f"policy.warning.{code}", rule, key)
    assert warning.line == (line_of_text(text, on_line) if on_line else None)


@pytest.mark.rule("G20")
@pytest.mark.rule("G30")
def test_on_a_whistle_blower_line_neither_interest_nor_training_goes_unremarked() -> None:
    told = warned(POLICY.replace('id = "salg"', 'id = "salg"\nwhistle_blower = true'))
    assert [(one.rule, one.code, one.key) for one in told] == [
        ("G20", "policy.warning.whistle_blower", "line[1].documentation.basis"),
        ("G30", "policy.warning.whistle_blower_training", "line[1].training"),
    ]


@pytest.mark.rule("G33")
@pytest.mark.parametrize(
    ("basis", "sample", "code"),
    [
        ("legitimate_interest", "24.9 %", None),
        ("legitimate_interest", "25 %", "large_sample"),
        ("legitimate_interest", "100 %", "capacity_all"),
        ("public_task", "25 %", "large_sample"),
        ("consent", "25 %", None),
        ("consent", "99 %", None),
        ("consent", "100 %", "capacity_all"),
    ],
)
def test_the_need_for_many_calls_is_judged_more_strictly_without_consent(
    basis: str, sample: str, code: str | None
) -> None:
    text = POLICY.replace(
        'basis = "legitimate_interest"\nretention = "P3M"\nsample = "10 %"', f'basis = "{basis}"\nsample = "{sample}"'
    )
    authority = "true" if basis == "public_task" else "false"
    if basis == "public_task":
        text = text.replace("legitimate_interest", basis)
    told = warned(text.replace("[controller]", f"[controller]\nauthority = {authority}"))
    assert [one.code for one in told] == ([f"policy.warning.{code}"] if code else [])


@pytest.mark.rule("G11")
@pytest.mark.parametrize("basis", ["legitimate_interest", "public_task", "consent"])
def test_each_purpose_says_what_it_is_kept_for_unless_a_law_does_or_nothing_is_kept(basis: str) -> None:
    bare = POLICY.replace('why_kept = "Indsigelser kommer inden for tre måneder."\n', "")
    bare = bare.replace('why_kept = "Til opfølgningen."\n', "").replace('"legitimate_interest"', f'"{basis}"')
    bare = bare.replace("[controller]", f"[controller]\nauthority = {str(basis == 'public_task').lower()}")
    assert [(one.code, one.key) for one in warned(bare)] == [
        ("policy.warning.no_why_kept", "line[1].documentation.why_kept"),
        ("policy.warning.no_why_kept", "line[1].training.why_kept"),
    ]
    unused = bare.replace('sample = "10 %"', 'sample = "0 %"')
    assert [one.key for one in warned(unused)] == ["line[1].documentation.why_kept"]


@pytest.mark.rule("G02")
def test_what_an_obligation_leaves_out_is_told_and_calls_between_our_own_are_not() -> None:
    assert warned(POLICY.replace('id = "support"', 'id = "support"\ncalls = ["inbound", "outbound"]')) == ()
    assert warned(POLICY.replace('id = "salg"', 'id = "salg"\nnever_record = ["204"]\ncalls = ["inbound"]')) == ()
    (warning,) = warned(POLICY.replace("[controller]", 'never_record = ["204"]\n[controller]'))
    assert warning.params == {"lines": "support", "left": "204"}


@pytest.mark.rule("G10")
@pytest.mark.rule("G36")
def test_a_written_reason_takes_the_doubt_of_a_longer_retention_away() -> None:
    longer = POLICY.replace(
        'retention = "P3M"\n', 'retention = "P6M"\nwhy_longer = "Forløbet varer som regel 6 måneder"\n'
    )
    assert warned(longer) == ()
    line = policy_of(longer).policy.line[0]
    assert [str(line.retention(purpose)) for purpose in Purpose] == ["P6M", "P6M"]


@pytest.mark.rule("G10")
def test_on_obligation_the_other_laws_period_needs_no_reason() -> None:
    assert 'basis = "legal_obligation"\nretention = "P5Y"' in POLICY
    assert warned(POLICY) == ()


@pytest.mark.rule("G11")
def test_a_log_that_goes_before_the_recordings_names_the_lines_whose_are_kept_longer() -> None:
    (warning,) = warned(POLICY.replace("[controller]", 'audit_retention = "P4Y"\n[controller]'))
    assert warning.params == {"value": "P4Y", "lines": "support"}
    assert [one.params["lines"] for one in warned(POLICY.replace('"P5Y"', '"P61M"'))] == ["support"]
    two_years = 'retention = "P2Y"\nwhy_longer = "Sagerne løber så længe hos nævnet"\n'
    longer = POLICY.replace('retention = "P3M"\n', two_years)
    both = warned(longer.replace("[controller]", 'audit_retention = "P1Y"\n[controller]'))
    assert [one.params["lines"] for one in both] == ["salg, support"]


@pytest.mark.rule("G10")
@pytest.mark.rule("G36")
def test_to_be_judged_on_its_day_is_lawful_for_either_purpose_and_of_training_needs_a_written_reason() -> None:
    judged = POLICY.replace('retention = "P3M"\n', 'retention = "P3M"\nat_end = "review"\n')
    (doubt,) = warned(judged)
    assert (doubt.code, doubt.rule, doubt.key) == ("policy.warning.training_judged", "G36", "line[1].training.at_end")
    assert (
        warned(
            judged.replace('at_end = "review"\n', 'at_end = "review"\nwhy_longer = "Uddannelsen varer et halvt år"\n')
        )
        == ()
    )
    line = policy_of(judged).policy.line[0]
    assert line.documentation is not None
    assert line.training is not None
    assert [line.documentation.at_end, line.training.at_end] == [AtEnd.REVIEW, AtEnd.REVIEW]


@pytest.mark.rule("G32")
@pytest.mark.parametrize(
    ("now", "code"),
    [
        (datetime(2026, 5, 31, 21, 59, tzinfo=UTC), "special_not_yet"),
        (datetime(2026, 5, 31, 22, 0, tzinfo=UTC), None),
        (datetime(2027, 5, 31, 21, 59, tzinfo=UTC), None),
        (datetime(2027, 5, 31, 22, 0, tzinfo=UTC), "special_expired"),
    ],
)
def test_special_circumstances_that_do_not_hold_today_are_told(now: datetime, code: str | None) -> None:
    told = warned(RESCUE, now)
    assert [one.code for one in told] == ([f"policy.warning.{code}"] if code else [])


@pytest.mark.rule("G32")
@pytest.mark.parametrize(
    ("decided", "expires", "told"),
    [
        ("1999-01-01", "2099-12-31", True),
        ("2026-06-01", "2028-06-02", True),
        ("2026-06-01", "2028-06-01", False),
        ("2026-01-01", "9999-12-31", True),
    ],
)
def test_a_decision_that_nobody_has_to_take_anew_is_told(decided: str, expires: str, told: bool) -> None:
    text = RESCUE.replace("2026-06-01", decided).replace("2027-05-31", expires)
    found = [(one.code, one.key) for one in warned(text)]
    key = "line[1].training.special_circumstances.expires_on"
    assert found == ([("policy.warning.special_long", key)] if told else [])


@pytest.mark.rule("G03")
@pytest.mark.rule("G05")
def test_times_of_the_usual_length_and_a_notice_that_is_read_or_vouched_for_leave_no_doubt() -> None:
    times = 'answer_time = "PT30S"\nwrap_up = "PT1H"\nwarning_tone = "PT5M"'
    assert warned(POLICY.replace('id = "salg"', f'id = "salg"\n{times}')) == ()
    vouched = POLICY.replace("[controller]", '[upstream]\nhosts = ["10.0.0.5"]\n[controller]', 1)
    vouched = vouched.replace("Salgslinjen", "Alarmlinjen")
    for notice in ("read", "upstream"):
        line = f'id = "salg"\nemergency_service = true\nnotice = "{notice}"'
        assert warned(vouched.replace('id = "salg"', line)) == ()


@pytest.mark.rule("G06")
@pytest.mark.parametrize(
    "page",
    [
        "https://nordlys.example/privatlivspolitik/telefonsamtaler",
        "https://nordlys.example/opkald",
        "https://optagelser.nordlys.example/information",
        "https://nordlys.example/privacy/call-recording",
    ],
)
def test_a_page_about_calls_is_direct_wherever_it_lies(page: str) -> None:
    assert warned(POLICY.replace("https://nordlys.example/telefonsamtaler", page)) == ()


@pytest.mark.rule("L1")
def test_each_line_without_its_own_date_is_told_where_some_have_one() -> None:
    text = POLICY.replace("employees_informed_on = 2020-10-01\n", "")
    text = text.replace('id = "salg"', 'id = "salg"\nemployees_informed_on = 2026-11-01')
    assert [(one.code, one.key) for one in warned(text)] == [
        ("policy.warning.not_informed", "line[2].employees_informed_on")
    ]


def test_all_doubts_are_told_at_once_in_the_order_of_the_file() -> None:
    text = POLICY
    for old, new, *_ in (DOUBTFUL[0], DOUBTFUL[3], DOUBTFUL[5], DOUBTFUL[6]):
        text = text.replace(old, new, 1)
    told = warned(text)
    assert [one.rule for one in told] == ["G06", "G10", "G33", "G33"]
    assert [one.line for one in told] == sorted(one.line or 0 for one in told)


@pytest.mark.rule("G05")
def test_a_notice_longer_than_a_caller_listens_is_told_at_its_own_words_or_its_line() -> None:
    text = POLICY + '\n[line.wording.N1.da]\nessentials = "Vi optager."\n'
    loaded = policy_of(text)

    assert long_notice(loaded.policy, "support", NoticeId.N1, Language.DA, 25.0) is None
    own = _told(loaded, "support", NoticeId.N1, Language.DA, 25.4)
    assert (own.key, own.line, own.rule) == ("line[2].wording.N1.da", line_of_text(text, "[line.wording.N1.da]"), "G05")
    ours = _told(loaded, "salg", NoticeId.N7, Language.EN, 31.0)
    assert (ours.key, ours.params["seconds"]) == ("line[1]", 31)


def _told(loaded: LoadedPolicy, line: str, notice: NoticeId, language: Language, seconds: float) -> PolicyFault:
    finding = long_notice(loaded.policy, line, notice, language, seconds)
    assert finding is not None
    return warning_at(loaded, finding.path, finding.code, **finding.params)


def test_what_is_doubtful_depends_on_the_day_it_is_read_and_on_nothing_else() -> None:
    interest = POLICY[: POLICY.index('[[line]]\nid = "support"')]
    loaded = policy_of(interest.replace("2020-10-01", "2026-11-26"), now=datetime(2026, 11, 25, 23, 30, tzinfo=UTC))
    assert loaded.remarks == ()
    assert loaded.policy.employees_informed_on == date(2026, 11, 26)
    assert key_lines(interest) == loaded.lines


def test_a_line_that_is_named_as_an_agent_has_that_agent_s_private_calls_too() -> None:
    team = '[[team]]\nid = "salg"\nname = "Salg"\nagents = ["204@nordlys.example"]\nlines = ["salg"]\n'
    named = POLICY.replace('"+4570102031"]', '"+4570102031", "204"]', 1) + team
    assert [one.code for one in warned(named)] == ["policy.warning.extension_is_agent"]
    assert warned(POLICY + team) == ()
