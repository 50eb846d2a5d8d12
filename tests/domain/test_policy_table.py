"""Thirty and more policies, lawful and not, and what is said of each: what a data-protection officer would ask about, written from the
guideline and the law. Each is the tests' sound policy with one thing changed.
"""  # noqa: E501

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest

from softphone.domain.policy import PolicyError, PolicyPartlyRead, key_lines, policy_from
from softphone.domain.policy.purposes import Factors
from softphone.domain.purpose import KeyRole
from tests.policies import KEYS, NOW, POLICY, policy_of

PAGE = "https://nordlys.example/telefonsamtaler"
INTEREST = 'basis = "legitimate_interest"\nretention = "P3M"\n\n'
TRAINED = 'basis = "legitimate_interest"\nretention = "P3M"\nsample'
C = "Aftalen kan ikke vises på anden måde."
SALES = 'id = "salg"'
CATEGORIES = 'sensitive.expected = ["special_categories"]\nsensitive.special_categories_ground'
RESCUE = 'emergency_service = true\nnotice = "read"'
SPECIAL = 'special_circumstances = { why = "Liv og helbred", decided_on = 2026-06-01, expires_on = 2027-05-31 }\nopt_out = "stop"'
ANOTHER = f"""
[[recipient]]
id = "case-2"
purpose = "documentation"
public_key = "{KEYS["custody"].replace("3p", "4p", 1)}"
"""

TABLE = {
    # what it is: what is changed (old, new, old, new …), what it is refused for, what is doubtful
    "as it is": ((), (), ()),
    "a page with a query": ((PAGE, f"{PAGE}?id=7"), ("page_spoken",), ()),
    "a page with a fragment": ((PAGE, "https://nordlys.example/privatliv#telefonsamtaler"), ("page_spoken",), ()),
    "a page behind a port": ((PAGE, "https://nordlys.example:8443/opkald"), ("page_spoken",), ()),
    "the host alone": ((PAGE, "https://nordlys.example"), ("page_front",), ()),
    "the host of a firm that sells phones": ((PAGE, "https://www.telefonhuset.example"), ("page_front",), ()),
    "a host of its own for calls": ((PAGE, "https://opkald.nordlys.example"), (), ("page_host",)),
    "the privacy policy": ((PAGE, "https://nordlys.example/telefonsamtaler/privatlivspolitik"), (), ("page_general",)),
    "an about page": ((PAGE, "https://nordlys.example/om-os"), (), ("page_about",)),
    "a shortener": ((PAGE, "https://bit.ly/opkald"), (), ("page_short",)),
    "an answer of one word": ((C, "Ja."), (), ("need_short",)),
    "an answer that says it can be met otherwise": (
        (C, "Vi kan også bekræfte aftalen skriftligt bagefter, men det tager længere tid."),
        (),
        ("need_otherwise",),
    ),
    "an answer that says a letter would do": (
        (C, "Vi kunne sende en mail eller et brev bagefter."),
        (),
        ("need_otherwise",),
    ),
    "an answer that says no letter would do": ((C, "Et brev kan ikke vise, hvad der blev sagt."), (), ()),
    "another reason as the only factor": (
        (
            'G21 = { a = "notater viser ikke, hvad der blev lovet", d = "nuancer afgør, hvad der er aftalt" }',
            'G21 = { x = "Børsen kræver et spor af hver handel." }',
        ),
        (),
        (),
    ),
    "no factor at all": (
        (
            'G21 = { a = "notater viser ikke, hvad der blev lovet", d = "nuancer afgør, hvad der er aftalt" }',
            "G21 = {}",
        ),
        (),
        ("no_assessment",),
    ),
    "a number without a reason": (("Så mange gennemgås hver uge.", "Fordi."), (), ("reason_short",)),
    "a longer period without a reason": (
        (INTEREST, INTEREST.replace("P3M", "P6M") + 'why_longer = "Sager"\n\n'),
        (),
        ("reason_short",),
    ),
    "a law that is not named": (("Lov om prøver, § 1", "Loven"), (), ("reason_short",)),
    "an authority on legitimate interest": (
        ("[controller]", "[controller]\nauthority = true"),
        (),
        ("authority_interest", "authority_interest"),
    ),
    "reviewers who can review anything": (("capacity = 20", "capacity = 1000000"), (), ("capacity_large",)),
    "every call, and few reviewers": (('"10 %"', '"100 %"'), (), ("capacity_all",)),
    "a notice in English on Danish numbers": ((SALES, f'{SALES}\nlanguage = "en"'), (), ("notice_foreign",)),
    "the same with a key for Danish": ((SALES, f'{SALES}\nlanguage = "en"\nlanguage_key = "8"'), (), ()),
    "called back beside documentation": (('opt_out = "stop"', 'opt_out = "call_back"'), (), ("call_back_beside",)),
    "ended where a consent is not given": (
        (TRAINED, TRAINED.replace("legitimate_interest", "consent"), SALES, f'{SALES}\non_failure = "end"'),
        (),
        ("end_on_consent",),
    ),
    "colleagues asked for consent": (
        (TRAINED, TRAINED.replace("legitimate_interest", "consent"), SALES, f'{SALES}\ncalls = ["internal"]'),
        (),
        ("internal_consent",),
    ),
    "an emergency service that is none": ((SALES, f"{SALES}\n{RESCUE}"), (), ("emergency_doubtful",)),
    "an emergency service": ((SALES, f"{SALES}\n{RESCUE}", "Salgslinjen", "Alarmlinjen"), (), ()),
    "an objection that stops nothing": ((SALES, f'{SALES}\nobjection_in_call = "go_on"'), (), ("go_on_elsewhere",)),
    "CPR paused, training on interest": (
        (SALES, f'{SALES}\nsensitive.expected = ["cpr"]'),
        (),
        ("sensitive_interest",),
    ),
    "health recorded, training on interest": (
        (SALES, f'{SALES}\n{CATEGORIES}.documentation = {{ ground = "art_9_2_h", why = "plejen" }}'),
        ("sensitive_training",),
        (),
    ),
    "a ground that is not on the list": (
        (SALES, f'{SALES}\n{CATEGORIES}.documentation = {{ ground = "god grund", why = "plejen" }}'),
        ("not_one_of",),
        (),
    ),
    "a legal claim as the ground for training": (
        (SALES, f'{SALES}\n{CATEGORIES}.training = {{ ground = "art_9_2_f", why = "klager" }}'),
        ("not_one_of",),
        (),
    ),
    "health on explicit consent that nobody is asked for": (
        ('id = "support"', f'id = "support"\n{CATEGORIES}.documentation = {{ ground = "art_9_2_a", why = "ja" }}'),
        (),
        ("ground_without_consent",),
    ),
    "CPR on the authorities' section": (
        (
            'id = "support"',
            'id = "support"\nsensitive.expected = ["cpr"]\n'
            'sensitive.cpr_ground.documentation = { ground = "section_11_1", why = "entydigt" }',
        ),
        (),
        ("ground_authority",),
    ),
    "AMK: health, special circumstances, each on its own exception": (
        (
            SALES,
            f'{SALES}\n{RESCUE}\n{CATEGORIES} = {{ documentation = {{ ground = "art_9_2_c", why = "liv" }}, '
            'training = { ground = "art_9_2_h", why = "sundhedshjælp" } }',
            'opt_out = "stop"',
            SPECIAL,
            "Salgslinjen",
            "AMK-vagtcentralen",
        ),
        (),
        (),
    ),
    "the same where it is no emergency service": (
        (
            SALES,
            f'{SALES}\n{CATEGORIES} = {{ documentation = {{ ground = "art_9_2_c", why = "liv" }}, '
            'training = { ground = "art_9_2_h", why = "sundhedshjælp" } }',
            'opt_out = "stop"',
            SPECIAL,
        ),
        ("sensitive_training",),
        (),
    ),
    "a recipient of one line, and nobody for the other": (
        ('id = "case-1"', 'id = "case-1"\nlines = ["salg"]'),
        ("no_recipient_here",),
        (),
    ),
    "a recipient for each line": (
        ('id = "case-1"', 'id = "case-1"\nlines = ["salg"]', "[[line]]", f'{ANOTHER}lines = ["support"]\n\n[[line]]'),
        (),
        (),
    ),
    "a recipient of a line that is not there": (
        ('id = "lead-1"', 'id = "lead-1"\nlines = ["salg", "fax"]'),
        ("no_line",),
        (),
    ),
    "a recipient of a controller that is not there": (
        ('id = "lead-1"', 'id = "lead-1"\ncontroller = "el"'),
        ("no_controller", "no_recipient_here"),
        (),
    ),
    "employees told later, on interest": (
        (SALES, f"{SALES}\nemployees_informed_on = 2026-12-01"),
        (),
        ("informed_later",),
    ),
    "employees told later, on obligation": (
        ('id = "support"', 'id = "support"\nemployees_informed_on = 2026-12-01'),
        ("informed_unconfirmed",),
        (),
    ),
    "confirmed by initials": (
        ("[[line]]", f'[[confirmed]]\nhash = "{"0" * 64}"\non = 2026-10-01\nby = "MH"\n\n[[line]]'),
        (),
        ("confirmed_name",),
    ),
}


@pytest.mark.rule("G02")
@pytest.mark.rule("G06")
@pytest.mark.rule("G09")
@pytest.mark.rule("G20")
@pytest.mark.rule("G21")
@pytest.mark.rule("G33")
@pytest.mark.rule("L1")
@pytest.mark.parametrize("what", TABLE)
def test_of_each_policy_is_said_what_an_officer_would_ask(what: str) -> None:
    changes, refused, doubtful = TABLE[what]
    text = POLICY
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in text
        text = text.replace(old, new, 1)
    faults: list[str] = []
    try:
        remarks = policy_of(text).remarks
    except PolicyError as error:
        faults, remarks = [one.code for one in error.faults], ()
    assert sorted(faults) == sorted(f"policy.fault.{code}" for code in refused)
    assert sorted(one.code for one in remarks) == sorted(f"policy.warning.{code}" for code in doubtful)


OWNED = POLICY.replace(SALES, f'{SALES}\ncontroller = "el"').replace(
    'id = "support"', 'id = "support"\ncontroller = "fiber"'
)
TWO = OWNED.replace("[controller]", '[[controller]]\nid = "el"', 1).replace(
    "[[recipient]]",
    f'[[controller]]\nid = "fiber"\nname = "Fiber A/S"\npage = "{PAGE}"\ncontact = "x@fiber.example"\n\n[[recipient]]',
    1,
)


@pytest.mark.rule("G10")
def test_one_key_of_two_controllers_is_doubtful_and_a_key_for_each_is_not() -> None:
    told = [(one.code, one.key) for one in policy_of(TWO).remarks]
    assert told == [
        ("policy.warning.shared_key", "recipient[1].public_key"),
        ("policy.warning.shared_key", "recipient[3].public_key"),
    ]
    apart = TWO.replace('id = "case-1"', 'id = "case-1"\ncontroller = "el"')
    apart = apart.replace('id = "protection-1"', 'id = "protection-1"\ncontroller = "el"')
    theirs = ANOTHER.replace("case-2", "fiber-1") + 'controller = "fiber"\n'
    custody = theirs.replace("fiber-1", "fiber-2").replace("documentation", "custody").replace("4p", "5p", 1)
    policy = policy_of(apart.replace("[[line]]", f"{theirs}{custody}\n[[line]]", 1))
    assert policy.remarks == ()
    opened = [
        [one.id for role in KeyRole for one in policy.policy.recipients(role, line)] for line in policy.policy.line
    ]
    assert [sorted(ids) for ids in opened] == [["case-1", "lead-1", "protection-1"], ["fiber-1", "fiber-2", "lead-1"]]


LATER = POLICY.replace("2020-10-01", "2026-12-01")


@pytest.mark.rule("L1")
@pytest.mark.rule("G11")
def test_an_obliged_line_is_taken_up_before_its_employees_are_told_only_once_confirmed() -> None:
    with pytest.raises(PolicyPartlyRead) as caught:
        policy_of(LATER)
    (fault,) = caught.value.faults
    assert (fault.code, fault.rule, fault.params["line"]) == ("policy.fault.informed_unconfirmed", "L1", "support")
    confirmed = f'\n[[confirmed]]\nhash = "{fault.hash}"\non = 2026-11-24\nby = "Mette Holm"\n'
    loaded = policy_of(LATER + confirmed)
    told = {one.code.removeprefix("policy.warning."): (one.by, str(one.on)) for one in loaded.remarks}
    assert told == {"informed_later": ("", "None"), "informed_obliged": ("Mette Holm", "2026-11-24")}
    # on another date it is another doubt, and on the day itself none
    with pytest.raises(PolicyError):
        policy_of(LATER.replace("2026-12-01", "2027-01-01") + confirmed)
    assert policy_from(tomllib.loads(LATER), key_lines(LATER), datetime(2026, 12, 1, 8, tzinfo=UTC)).remarks == ()


@pytest.mark.rule("G11")
def test_a_confirmation_holds_for_that_doubt_wherever_its_line_stands_and_for_no_other_answer() -> None:
    short = POLICY.replace(C, "Ja.")
    (doubt,) = policy_of(short).remarks
    confirmed = f'\n[[confirmed]]\nhash = "{doubt.hash}"\non = 2026-11-24\nby = "Mette Holm"\n'
    head, first, second = short.partition("[[line]]")[0], *short.split("[[line]]")[1:]
    for text in (short, f"{head}[[line]]{second}\n[[line]]{first}"):
        (settled,) = policy_of(text + confirmed, now=NOW).remarks
        assert (settled.code, settled.by) == ("policy.warning.need_short", "Mette Holm")
    (other,) = policy_of(short.replace('c = "Ja."', 'c = "Jo."') + confirmed).remarks
    assert other.by == ""


def test_every_factor_of_the_guideline_and_another_reason_can_be_named() -> None:
    assert set(Factors.model_fields) == set("abcdefx")
