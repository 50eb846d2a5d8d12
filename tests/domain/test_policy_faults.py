"""What is wrong with a policy is told all at once, each fault with its line, its key and its code."""

from __future__ import annotations

import re

import pytest

from softphone.domain.policy import PolicyError, PolicyFault, PolicyPartlyRead, fault_at
from tests.policies import KEYS, POLICY, line_of_text, policy_of


def faults_of(text: str) -> tuple[PolicyFault, ...]:
    with pytest.raises(PolicyError) as caught:
        policy_of(text)
    return caught.value.faults


SCORES = """
[[team]]
id = "salg"
name = "Salg"

[[score]]
id = "greeting"
name = "Greeting"

[[score]]
id = "tone"
name = "Tone"
points = 3
teams = ["salg"]

[[line]]"""
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
    ('"+4570102040"', '"salg"', "number", "line[2].numbers[1]", 'numbers = ["salg'),
    ('"+4570102040"', '"salg@pbx example"', "number", "line[2].numbers[1]", "pbx example"),
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
        'basis = "legitimate_interest"\nretention = "P3M"\nsample',
        'basis = "consent"\nspecial_circumstances = { why = "liv", decided_on = 2026-11-01, expires_on = 2027-11-01 }\nsample',
        "special_on_consent",
        "line[1].training.special_circumstances",
        "special_circumstances",
    ),
    ('id = "salg"', 'id = "salg"\nopt_out_key = "19"', "key_is_a_yes", "line[1].opt_out_key", "opt_out_key"),
    ('id = "support"', 'id = "salg"', "id_twice", "line[2].id", 'id = "salg"\nname = "Support"'),
    ('id = "lead-1"', 'id = "case-1"', "id_twice", "recipient[2].id", 'id = "case-1"\npurpose = "training"'),
    ('"+4570102040"', '"+45 70 10 20 31"', "number_twice", "line[2].numbers[1]", "+45 70 10 20 31"),
    ('"+4570102040"', '"+4570102040", "+45 70 10 20 40"', "number_again", "line[2].numbers[2]", "+45 70 10 20 40"),
    ('"+4570102031"', '"100", "sip:100@pbx.example"', "number_again", "line[1].numbers[3]", "100@"),
    ('"+4570102040"', '"+4570102031@pbx.example"', "number_twice", "line[2].numbers[1]", "31@pbx"),
    (
        'numbers = ["+4570102040"]',
        'numbers = ["100"]\n[[team]]\nid = "t"\nname = "T"\nagents = ["1@a.example", "1@b.example"]',
        "extension_where",
        "line[2].numbers[1]",
        '"100"',
    ),
    ('purpose = "training"', 'purpose = "documentation"', "no_recipient", "line[1].training", "[line.training]"),
    (
        KEYS["training"],
        KEYS["documentation"],
        "key_of_another_purpose",
        "recipient[2].public_key",
        f'public_key = "{KEYS["documentation"]}"\n\n[[recipient]]\nid = "protection-1"',
    ),
    ('purpose = "custody"', 'purpose = "training"', "no_custody", "recipient", "[[recipient]]"),
    ('time_zone = "Europe/Copenhagen"', 'time_zone = "Europe/Atlantis"', "time_zone", "time_zone", "Atlantis"),
    ("2020-10-01", '"1 October"', "day", "employees_informed_on", "1 October"),
    ("2020-10-01", "2020-10-01T08:00:00", "day", "employees_informed_on", "T08"),
    (
        'why_kept = "Til opfølgningen."',
        'why_kept = "Til opfølgningen."\nkeep_reviewed = "P4M"',
        "keep_reviewed_longer",
        "line[1].training.keep_reviewed",
        "keep_reviewed",
    ),
    (
        'why_kept = "Til opfølgningen."',
        'why_kept = "Til opfølgningen."\nat_end = "ask"',
        "not_one_of",
        "line[1].training.at_end",
        "at_end",
    ),
    ("[controller]", 'judge_within = "PT12H"\n[controller]', "judge_within_none", "judge_within", "judge_within"),
    ("[controller]", 'judge_within = "P1M"\n[controller]', "period_of_days", "judge_within", "judge_within"),
    ("[controller]", 'audit_retention = "P0D"\n[controller]', "audit_short", "audit_retention", "audit_retention"),
    ("[controller]", 'audit_retention = "P365D"\n[controller]', "audit_short", "audit_retention", "audit_retention"),
    ("[controller]", 'audit_retention = "P11M"\n[controller]', "audit_short", "audit_retention", "audit_retention"),
    ("[controller]", 'own_calls = "a week"\n[controller]', "period", "own_calls", "own_calls"),
    (
        "[[line]]",
        SCORES.replace('id = "tone"', 'id = "greeting"'),
        "id_twice",
        "score[2].id",
        'id = "greeting"\nname = "Tone"',
    ),
    ("[[line]]", SCORES.replace("points = 3", "points = 1"), "points", "score[2].points", "points = 1"),
    ("[[line]]", SCORES.replace("points = 3", "points = 11"), "points", "score[2].points", "points = 11"),
    ("[[line]]", SCORES.replace('["salg"]', '["nobody"]'), "no_team", "score[2].teams[1]", "nobody"),
    ('id = "salg"', 'id = "salg"\ncalls = []', "no_entry", "line[1].calls", "calls"),
    ('id = "salg"', 'id = "salg"\ncalls = ["ud"]', "not_one_of", "line[1].calls[1]", "calls"),
    ('id = "salg"', 'id = "salg"\nlanguage_key = "99"', "one_key", "line[1].language_key", "language_key"),
    ('id = "salg"', 'id = "salg"\nlanguage_key = "2"', "key_is_a_yes", "line[1].language_key", "language_key"),
    ('id = "salg"', 'id = "salg"\nlanguage_key = "*"', "key_taken", "line[1].language_key", "language_key"),
    ('id = "salg"', 'id = "salg"\nanswer_time = "PT1S"', "answer_time_none", "line[1].answer_time", "answer_time"),
    ('id = "salg"', 'id = "salg"\nwarning_tone = "PT0S"', "tone_too_often", "line[1].warning_tone", "warning_tone"),
    ('id = "salg"', 'id = "salg"\nsensitive = { pause = "PT0S" }', "pause_none", "line[1].sensitive.pause", "pause"),
    (
        'id = "salg"',
        'id = "salg"\nsensitive = { expected = ["race"] }',
        "not_one_of",
        "line[1].sensitive.expected[1]",
        "race",
    ),
    (
        'id = "salg"',
        'id = "salg"\nsensitive = { expected = ["special_categories"], special_categories_ground = { documentation = { ground = "art_9_2_h", why = "plejen" }, training = { ground = "art_9_2_a", why = "ja" } } }',  # noqa: E501
        "sensitive_training",
        "line[1].sensitive.expected",
        "art_9_2_h",
    ),
    ("capacity = 20", "capacity = 0", "capacity", "line[1].training.capacity", "capacity"),
    ('retention = "P5Y"', 'retention = "PT12H"', "retention_none", "line[2].documentation.retention", "PT12H"),
    (
        'opt_out = "stop"',
        'special_circumstances = { why = "liv", decided_on = 2026-11-01, expires_on = 2026-10-31 }',
        "special_dates",
        "line[1].training.special_circumstances.expires_on",
        "2026-10-31",
    ),
    (
        'opt_out = "stop"',
        'special_circumstances = { why = "liv", decided_on = 2026-11-01 }',
        "missing",
        "line[1].training.special_circumstances.expires_on",
        "decided_on",
    ),
    ('id = "salg"', 'id = "salg"\ncontroller = "anden"', "no_controller", "line[1].controller", "anden"),
    (
        '[[line]]\nid = "salg"',
        '[upstream]\nhosts = ["10.0.0.500"]\n\n[[line]]\nid = "salg"',
        "host",
        "upstream.hosts[1]",
        "10.0.0.500",
    ),
    *(
        (
            '[[line]]\nid = "salg"',
            f'[[team]]\nid = "hold"\nname = "Hold"\n{wrong}\n\n[[line]]\nid = "salg"',
            code,
            f"team[1].{key}",
            wrong,
        )
        for wrong, code, key in (
            ('agents = ["Mette"]', "address", "agents[1]"),
            ('lines = ["salg", "fax"]', "no_line", "lines[2]"),
            ('leads = ["boss"]', "no_lead", "leads[1]"),
            ('leads = ["case-1"]', "lead_cannot_open", "leads[1]"),
        )
    ),
    (
        'id = "salg"',
        'id = "salg"\nwording = { N7 = { da = { facts = "x" } } }',
        "missing",
        "line[1].wording.N7.da.essentials",
        "N7",
    ),
    (
        'id = "salg"',
        'id = "salg"\nwording = { N7 = { da = { essentials = "Vi optager", question = "Må vi?" } } }',
        "question_not_asked",
        "line[1].wording.N7.da.question",
        "Må vi?",
    ),
    (
        'id = "salg"',
        'id = "salg"\nwording = { N6 = { da = { essentials = "Vi optager" } } }',
        "question_needed",
        "line[1].wording.N6.da.question",
        "N6",
    ),
    (
        'id = "salg"',
        'id = "salg"\nwording = { N1 = { en = { essentials = "See {site}" } } }',
        "place",
        "line[1].wording.N1.en.essentials",
        "{site}",
    ),
    (
        '[[line]]\nid = "salg"',
        '[[confirmed]]\nhash = "abc"\non = 2026-11-20\nby = "Mette"\n\n[[line]]\nid = "salg"',
        "hash",
        "confirmed[1].hash",
        '"abc"',
    ),
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


def test_what_the_whole_file_lacks_is_not_asked_for_at_a_line_that_there_is_not() -> None:
    def told(text: str) -> list[tuple[str, int | None, str]]:
        found = faults_of(text)
        return [(one.code.removeprefix("policy.fault."), one.line, str(*one.params.values())) for one in found]

    sections = [("missing_section", None, name) for name in ("[controller]", "[[line]]", "[[recipient]]")]
    assert told("version = 1\n") == sections
    assert told('time_zone = "Europe/Copenhagen"\n') == [*sections, ("missing_at_top", None, "version")]


@pytest.mark.rule("G35")
def test_the_number_of_calls_for_training_comes_with_its_reason() -> None:
    (fault,) = faults_of(POLICY.replace('why_this_number = "Så mange gennemgås hver uge."\n', ""))
    assert (fault.code, fault.key) == ("policy.fault.missing", "line[1].training.why_this_number")


FIBER = """\
[[controller]]
id = "fiber"
name = "Fiber A/S"
page = "https://fiber.example/opkald"
contact = "gdpr@fiber.example"

[[controller]]
id = "el"
"""
TWO_CONTROLLERS = POLICY.replace("[controller]\n", FIBER)


def test_where_there_are_several_controllers_each_line_says_whose_it_is() -> None:
    faults = faults_of(TWO_CONTROLLERS)
    assert [(fault.code, fault.key) for fault in faults] == [
        ("policy.fault.which_controller", "line[1].controller"),
        ("policy.fault.which_controller", "line[2].controller"),
    ]
    assert faults[0].line == line_of_text(TWO_CONTROLLERS, '[[line]]\nid = "salg"')
    assert faults[0].params["known"] == "fiber, el"

    text = TWO_CONTROLLERS.replace('id = "salg"', 'id = "salg"\ncontroller = "fiber"')
    policy = policy_of(text.replace('id = "support"', 'id = "support"\ncontroller = "el"')).policy
    assert [policy.controller_of(line).name for line in policy.line] == ["Fiber A/S", "Nordlys El A/S"]


def test_a_fault_of_one_of_several_controllers_stands_at_its_own_line() -> None:
    text = TWO_CONTROLLERS.replace('id = "salg"', 'id = "salg"\ncontroller = "fiber"')
    text = text.replace('id = "support"', 'id = "support"\ncontroller = "el"')

    (fault,) = faults_of(text.replace('page = "https://nordlys', 'page = "nordlys'))
    assert (fault.code, fault.key) == ("policy.fault.page", "controller[2].page")
    assert fault.line == line_of_text(text, "nordlys.example")

    (fault,) = faults_of(text.replace('id = "el"\n', ""))
    assert (fault.code, fault.key) == ("policy.fault.missing", "controller[2].id")

    (fault,) = faults_of(text.replace('controller = "el"', 'controller = "vand"'))
    assert (fault.code, fault.key, fault.rule) == ("policy.fault.no_controller", "line[2].controller", "G13")


TASK = POLICY.replace('basis = "legitimate_interest"', 'basis = "public_task"')
"""both purposes of the first line"""


@pytest.mark.rule("G02")
def test_a_task_in_the_public_interest_is_for_authorities_alone() -> None:
    faults = faults_of(TASK)
    assert [(one.code, one.key, one.rule) for one in faults] == [
        ("policy.fault.no_authority", "line[1].documentation.basis", "G02"),
        ("policy.fault.no_authority", "line[1].training.basis", "G02"),
    ]
    assert faults[0].line == line_of_text(TASK, 'basis = "public_task"')

    assert faults_of(TASK.replace("[controller]", "[controller]\nauthority = false")) != ()
    assert policy_of(TASK.replace("[controller]", "[controller]\nauthority = true")).remarks == ()


@pytest.mark.rule("G02")
def test_of_several_controllers_it_is_the_lines_own_that_must_be_an_authority() -> None:
    text = TWO_CONTROLLERS.replace("public_task", "").replace(
        'basis = "legitimate_interest"', 'basis = "public_task"', 1
    )
    text = text.replace('id = "salg"', 'id = "salg"\ncontroller = "fiber"')
    text = text.replace('id = "support"', 'id = "support"\ncontroller = "el"')

    (fault,) = faults_of(text.replace('id = "el"', 'id = "el"\nauthority = true'))
    assert (fault.code, fault.key) == ("policy.fault.no_authority", "line[1].documentation.basis")
    told = policy_of(text.replace('id = "fiber"', 'id = "fiber"\nauthority = true')).remarks
    assert {one.code for one in told} == {"policy.warning.shared_key", "policy.warning.authority_interest"}


def test_what_is_no_yes_and_no_no_is_told_once() -> None:
    (fault,) = faults_of(TASK.replace("[controller]", '[controller]\nauthority = "ja"'))
    assert (fault.code, fault.key) == ("policy.fault.wanted_yes_no", "controller.authority")


@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    ("sound", "code", "key"),
    [
        ('{ file = "n7.wav", hsah = "x" }', "unknown_key_near", "hsah"),
        ('{ file = "n7.wav", hash = "0123" }', "hash", "hash"),
        (f'{{ hash = "{"0" * 64}" }}', "missing", "file"),
        ('{ file = "" }', "empty", "file"),
        ("7", "wanted_table", ""),
    ],
)
def test_a_recording_is_a_file_and_the_hash_of_what_it_says(sound: str, code: str, key: str) -> None:
    (fault,) = faults_of(POLICY.replace('id = "salg"', f'id = "salg"\nsound = {{ N7 = {{ da = {sound} }} }}'))
    assert (fault.code, fault.rule) == (f"policy.fault.{code}", "G05")
    assert fault.key == f"line[1].sound.N7.da{'.' if key else ''}{key}"


@pytest.mark.rule("G03")
@pytest.mark.parametrize(
    ("notice", "marks", "code", "key"),
    [
        ("N6", 'essentials = "7"', "mark", "essentials"),
        ("N6", "essentials = true", "mark", "essentials"),
        ("N6", "essentials = -1", "mark", "essentials"),
        ("N6", "question = inf", "mark", "question"),
        ("N6", "question = nan", "mark", "question"),
        ("N6", "essentials = 15.5, question = 15", "mark_order", "question"),
        ("N7", "essentials = 7, question = 15", "mark_not_asked", "question"),
        ("N6", "essentials = 7, question = 15", "", ""),
        ("N6", "essentials = 7.25, question = 7.25", "", ""),
        ("N7", "essentials = 0", "", ""),
    ],
)
def test_a_recordings_marks_are_seconds_in_order_and_a_question_stands_only_where_one_is_asked(
    notice: str, marks: str, code: str, key: str
) -> None:
    sound = f'sound = {{ {notice} = {{ da = {{ file = "own.wav", {marks} }} }} }}'
    text = POLICY.replace('id = "salg"', f'id = "salg"\n{sound}')
    if not code:
        assert policy_of(text).policy.line[0].sound
        return
    (fault,) = faults_of(text)
    assert (fault.code, fault.key, fault.rule) == (f"policy.fault.{code}", f"line[1].sound.{notice}.da.{key}", "G03")


def test_a_path_alone_stands_for_a_recording_without_a_hash() -> None:
    given = [
        policy_of(POLICY.replace('id = "salg"', f'id = "salg"\nsound = {{ N7 = {{ da = {sound} }} }}')).policy
        for sound in ('"n7.wav"', '{ file = "n7.wav" }')
    ]
    assert given[0] == given[1]


def partly(text: str) -> PolicyPartlyRead:
    with pytest.raises(PolicyPartlyRead) as caught:
        policy_of(text)
    return caught.value


def test_a_fault_hides_no_doubt_about_the_lines_that_could_be_read_whole() -> None:
    text = POLICY.replace('sample = "10 %"', 'sample = "110 %"').replace('rule = "Lov om prøver, § 1"\n', "")
    error = partly(text)

    assert [fault.key for fault in error.faults] == ["line[1].training.sample"]
    assert [line.id for line in error.readable.policy.line] == ["support"]
    (doubt,) = error.readable.remarks
    # as the file counts its lines, of which the first could not be read
    assert (doubt.key, doubt.line) == (
        "line[2].documentation.rule",
        line_of_text(text, '[line.documentation]\nbasis = "leg'),
    )


def test_a_line_that_could_be_read_whole_is_judged_though_it_breaks_a_rule() -> None:
    text = POLICY.replace('id = "salg"', 'id = "salg"\nanswer_time = "PT0S"').replace("capacity = 20\n", "")
    error = partly(text)
    assert [fault.key for fault in error.faults] == ["line[1].answer_time"]
    assert [doubt.key for doubt in error.readable.remarks] == ["line[1].training.capacity"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("employees_informed_on = 2020-10-01", 'employees_informed_on = "i går"'),
        ('[[line]]\nid = "salg"', '[upstream]\nhosts = ["!"]\n\n[[line]]\nid = "salg"\nnotice = "upstream"'),
        ('page = "https://nordlys', 'page = "nordlys'),
        ("[controller]", "emergency = [1]\n[controller]"),
    ],
)
def test_no_doubt_is_told_that_a_fault_has_caused(old: str, new: str) -> None:
    text = POLICY.replace(old, new, 1)
    with pytest.raises(PolicyError) as caught:
        policy_of(text)
    assert len(caught.value.faults) == 1
    if isinstance(caught.value, PolicyPartlyRead):
        assert [one.code for one in caught.value.readable.remarks if one.rule in ("L1", "G05", "G06", "G01")] == []


def test_the_lines_of_a_controller_that_could_not_be_read_are_not_judged() -> None:
    text = TWO_CONTROLLERS.replace('id = "salg"', 'id = "salg"\ncontroller = "fiber"')
    text = text.replace('id = "support"', 'id = "support"\ncontroller = "el"')
    error = partly(text.replace('page = "https://nordlys', 'page = "nordlys'))
    assert [line.id for line in error.readable.policy.line] == ["salg"]

    with pytest.raises(PolicyError) as caught:
        policy_of(POLICY.replace('page = "https://nordlys', 'page = "nordlys'))
    assert not isinstance(caught.value, PolicyPartlyRead)


def test_lines_left_out_leave_the_others_their_places() -> None:
    loaded = policy_of(POLICY).without({0})
    assert [line.id for line in loaded.policy.line] == ["support"]
    assert fault_at(loaded, ("line", 0, "sound"), "sound_missing", path="x").key == "line[2].sound"
    assert loaded.without({1}).policy.line == ()


RULES = re.compile(r"G\d\d|L\d|N\d")


def test_every_fault_names_a_row_of_the_guidelines_list() -> None:
    for old, new, _code, _key, _line in SPOILED:
        (fault,) = faults_of(POLICY.replace(old, new, 1))
        assert RULES.fullmatch(fault.rule), fault


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        pytest.param(old, new, rule, marks=pytest.mark.rule(rule))
        for old, new, rule in (
            ('basis = "legitimate_interest"\nretention = "P3M"\nsample', 'basis = "legal_obligation"\nsample', "G02"),
            ('id = "salg"', 'id = "salg"\nopt_out_key = "1"', "G03"),
            ('id = "salg"', 'id = "salg"\nanswer_time = "PT0S"', "G03"),
            ('page = "https://nordlys.example/telefonsamtaler"\n', "", "G06"),
            ('purpose = "custody"', 'purpose = "training"', "G08"),
            (
                'id = "salg"',
                'id = "salg"\nsensitive = { expected = ["cpr"], cpr_ground = { documentation = { ground = "section_11_2_4", why = "§ 7" } } }',  # noqa: E501
                "G09",
            ),
            ('retention = "P5Y"', "", "G10"),
            ('contact = "databeskyttelse@nordlys.example"\n', "", "G13"),
            ('basis = "legitimate_interest"\nretention = "P3M"\nsample', "sample", "G30"),
            ('opt_out = "stop"', 'opt_out = "never"', "G31"),
            (
                'opt_out = "stop"',
                "special_circumstances = { decided_on = 2026-01-01, expires_on = 2027-01-01 }",
                "G32",
            ),
            ('sample = "10 %"\n', "", "G34"),
            ('why_this_number = "Så mange gennemgås hver uge."\n', "", "G35"),
        )
    ],
)
def test_what_the_guideline_would_not_allow_is_refused_with_its_row(old: str, new: str, rule: str) -> None:
    text = POLICY.replace(old, new, 1)
    assert text != POLICY
    (fault,) = faults_of(text)
    assert fault.rule == rule


GROUNDS = (
    '{ documentation = { ground = "art_9_2_h", why = "plejen" }, training = { ground = "art_9_2_a", why = "ja" } }'
)
HEALTH = POLICY.replace(
    'basis = "legitimate_interest"\nretention = "P3M"\nsample', 'basis = "consent"\nsample'
).replace(
    'id = "salg"',
    f'id = "salg"\nsensitive = {{ expected = ["special_categories"], special_categories_ground = {GROUNDS} }}',
)
WORDS = '{ essentials = "Vi optager.", question = "Må vi bruge det, du siger om dit helbred? Tast 1." }'


def worded(notice: str, *languages: str) -> str:
    words = "".join(f'wording."{notice}".{language} = {WORDS}\n' for language in languages)
    return HEALTH.replace('id = "salg"\n', f'id = "salg"\n{words}')


@pytest.mark.rule("G09")
@pytest.mark.parametrize(
    ("text", "notice", "languages"),
    [
        (HEALTH, "N6", "da, en"),
        (worded("N6", "da"), "N6", "en"),
        (worded("N3", "da", "en"), "N6", "da, en"),
        (worded("N6", "da", "en").replace('conclusion = "Behovet er der."\n', ""), "N2+N3", "da, en"),
        (HEALTH[: HEALTH.index("[line.documentation]")] + HEALTH[HEALTH.index("[line.training]") :], "N3", "da, en"),
    ],
)
def test_a_consent_to_train_on_health_is_refused_where_the_question_cannot_name_it(
    text: str, notice: str, languages: str
) -> None:
    (fault,) = faults_of(text)
    assert (fault.code, fault.rule, fault.key) == ("policy.fault.explicit_consent", "G09", "line[1].sensitive.expected")
    assert dict(fault.params) == {"notice": notice, "languages": languages}
    assert fault.line == line_of_text(text, "special_categories")


@pytest.mark.rule("G09")
@pytest.mark.parametrize(
    "text",
    [
        worded("N6", "da", "en"),
        HEALTH.replace('sample = "10 %"', 'sample = "0 %"'),
        HEALTH.replace(f", special_categories_ground = {GROUNDS}", ""),
    ],
)
def test_own_words_in_both_languages_or_nothing_to_train_on_leave_no_fault(text: str) -> None:
    policy_of(text)
