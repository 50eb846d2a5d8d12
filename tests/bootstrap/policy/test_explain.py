"""`klartone policy explain` as a person types it: what a policy means, in sentences that can be read aloud."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from softphone.domain.purpose import Language
from tests.bootstrap.policy.conftest import DRAFT, LACKING, UNSURE, Captured, checked, klartone
from tests.policies import KEYS, POLICY


@pytest.mark.parametrize("language", list(Language))
def test_each_line_is_explained_in_sentences_with_the_words_that_the_party_hears(
    home: Path, file: Path, capsys: Captured, language: Language
) -> None:
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "--language", language) == 0

    told = " ".join(capsys.readouterr().out.split())
    sales, support = (
        {Language.DA: "Salgslinjen (salg)", Language.EN: "Sales line (salg)"}[language],
        "Support (support)",
    )
    assert told.index(sales) < told.index(support)
    first, second = told[told.index(sales) : told.index(support)], told[told.index(support) :]
    for written in (
        "10 %",
        "(N7)",
        "(N1)",
        "nordlys.example/telefonsamtaler",
        "*9",
        "Begge parter har gavn af, at det aftalte kan vises.",
        "case-1",
        "lead-1",
    ):
        assert written in first, written
    assert "N7" not in second
    assert {Language.DA: "5 år", Language.EN: "5 years"}[language] in second
    assert not re.search(r"explain\.|party=|\{|None|…", told)


@pytest.mark.parametrize(
    ("agents", "told"),
    [
        ('["sip:anna@pbx.example"]', "Teamet »Kundehold« har én medarbejder og ledes af lead-1."),
        ('["sip:anna@pbx.example", "sip:bo@pbx.example"]', "Teamet »Kundehold« har 2 medarbejdere og ledes af lead-1."),
    ],
)
def test_a_team_of_agents_alone_is_told_without_lines(
    home: Path, file: Path, capsys: Captured, agents: str, told: str
) -> None:
    team = f'[[team]]\nid = "k"\nname = {{da = "Kundehold", en = "Customers"}}\nagents = {agents}\nleads = ["lead-1"]\n'
    file.write_text(f"{POLICY}\n{team}", encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "--language", "da") == 0
    assert told in " ".join(capsys.readouterr().out.split())


@pytest.mark.rule("G02")
def test_the_rule_that_obliges_is_told_with_the_line(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "support", "--language", "da") == 0
    assert "Reglen er: Lov om prøver, § 1." in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("sample", "heard"), [("0 %", {"N1"}), ("100 %", {"N7"}), ("10 %", {"N1", "N7"})])
def test_only_what_a_party_can_hear_is_told(
    home: Path, file: Path, capsys: Captured, sample: str, heard: set[str]
) -> None:
    file.write_text(POLICY.replace('sample = "10 %"', f'sample = "{sample}"'), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg", "--language", "en") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert set(re.findall(r"\((N\d)\)", told)) == heard
    assert ("can decline training" in told) is ("N7" in heard)


@pytest.mark.rule("G05")
@pytest.mark.parametrize("both", ["", 'language_key = "8"', "language_by_country = true"])
def test_what_others_hear_in_the_other_language_is_quoted_too(
    home: Path, file: Path, capsys: Captured, both: str
) -> None:
    file.write_text(POLICY.replace('id = "salg"', f'id = "salg"\n{both}'), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg", "--language", "en") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "(N7): “Vi optager og gemmer" in told
    for notice in ("N7", "N1"):
        assert (f"In English the caller hears ({notice}): “We record and keep" in told) is bool(both)


@pytest.mark.rule("G22")
def test_a_line_that_falls_back_to_consent_is_explained_as_one_that_asks(
    home: Path, file: Path, capsys: Captured
) -> None:
    file.write_text(POLICY.replace('conclusion = "Behovet er der."\n', ""), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0

    told = " ".join(capsys.readouterr().out.split())
    assert "recorded only if the caller says yes" in told
    assert "on legitimate interest, but the assessment is not finished (missing: a conclusion)." in told
    assert "(N2+N4)" in told
    assert "(N2)" in told
    assert "(G22)" in told
    assert "Support" not in told


def test_what_an_assessment_lacks_is_told_in_words(home: Path, file: Path, capsys: Captured) -> None:
    unfinished = POLICY.replace(', c = "Aftalen kan ikke vises på anden måde."', "").replace(
        'conclusion = "Behovet er der."\n', ""
    )
    file.write_text(unfinished, encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "(missing: why it cannot be done in another way and a conclusion)." in told
    assert "G20.c" not in told


@pytest.mark.rule("G32")
def test_special_circumstances_that_are_over_are_explained_as_over(home: Path, file: Path, capsys: Captured) -> None:
    special = 'special_circumstances = { why = "Liv", decided_on = 2020-01-01, expires_on = 2020-12-31 }'
    file.write_text(POLICY.replace('opt_out = "stop"', special), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0

    told = " ".join(capsys.readouterr().out.split())
    assert "applied until 31 Dec 2020 and no longer apply" in told
    assert "can decline without giving a reason" in told
    assert "(N7)" in told
    assert "N8" not in told


@pytest.mark.rule("G05")
def test_own_words_are_quoted_once_a_person_has_confirmed_them_and_never_where_they_must_not_be_used(
    home: Path, file: Path, capsys: Captured
) -> None:
    text = UNSURE.replace('id = "salg"', 'id = "salg"\nlanguage = "en"')
    (waiting,) = checked(home, file, text, capsys, status=0)["to_confirm"]
    assert klartone(home, "policy", "explain", file, "salg") == 0
    before = " ".join(capsys.readouterr().out.split())
    assert "stored for documentation" not in before.partition("To consider.")[0]

    confirmation = f'\n[[confirmed]]\nhash = "{waiting["hash"]}"\non = 2020-10-01\nby = "Mette"\n'
    file.write_text(text + confirmation, encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0
    assert "“This call is recorded and stored for documentation." in " ".join(capsys.readouterr().out.split())

    file.write_text(POLICY + LACKING, encoding="utf-8")
    assert klartone(home, "policy", "explain", file) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "line[2].wording.N1.da" in said.err


def test_a_line_that_is_not_there_is_told_which_are(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "fax") == 1
    assert "“fax”. Write one of these: salg, support." in capsys.readouterr().err


def test_what_a_terminal_would_obey_is_shown_as_a_dot(home: Path, file: Path, capsys: Captured) -> None:
    hostile = POLICY.replace('conclusion = "Behovet er der."', 'conclusion = "Behovet \\u001b[2Jer der."')
    file.write_text(hostile, encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0
    assert "Behovet ·[2Jer der." in " ".join(capsys.readouterr().out.split())
    file.write_text(hostile.replace('sample = "10 %"', 'sample = "\\u001b[31m"'), encoding="utf-8")
    assert klartone(home, "policy", "check", file) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_a_faulty_policy_is_not_explained_but_its_faults_are_told(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY.replace('sample = "10 %"', "sample = 10"), encoding="utf-8")
    assert klartone(home, "policy", "explain", file) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "line[1].training.sample" in said.err


def test_a_draft_whose_keys_are_yet_to_come_is_explained_and_says_so(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(DRAFT, encoding="utf-8")
    assert klartone(home, "policy", "explain", file) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("Some keys are still missing") == 1
    assert "case-1" in told

    file.write_text(POLICY.replace(next(iter(KEYS.values())), "mine"), encoding="utf-8")
    assert klartone(home, "policy", "explain", file) == 1


SHORTER = POLICY.replace('retention = "P3M"\n\n', 'retention = "P1M"\n\n', 1)


@pytest.mark.rule("G11")
@pytest.mark.rule("G31")
@pytest.mark.rule("G33")
def test_what_is_told_of_a_line_is_true_of_both_its_purposes(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(
        SHORTER.replace('d = "nuancer afgør, hvad der er aftalt"', 'd = "nuancer", x = "børsen kræver det"'),
        encoding="utf-8",
    )
    assert klartone(home, "policy", "explain", file, "salg", "--language", "da") == 0
    told = " ".join(capsys.readouterr().out.split())
    for sentence in (
        "a) notater viser ikke, hvad der blev lovet. d) nuancer. x) en anden grund, den dataansvarliges egen: børsen kræver det.",
        "Som dokumentation gemmes optagelserne i én måned fra den dag, de er optaget. De, der også bruges til uddannelse,",
        "på grund af en tvist, eller nogen har bedt om indsigt.",
        "Grundlaget er interesseafvejning.",
        "Hver computer tæller kun sine egne.",
        "Til dokumentation kan sagsbehandlingen åbne optagelserne: case-1.",
        "mundtligt eller ved at trykke *9. Så bruges samtalen ikke til det; dokumentationen berøres ikke.",
    ):
        assert sentence in told, sentence

    # documentation on consent, and a tenth that is recorded on interest whatever is answered
    file.write_text(POLICY.replace('conclusion = "Behovet er der."\n', ""), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg", "--language", "da") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Samtalerne optages kun, hvis" not in told
    assert "Til dokumentation gemmes samtalerne kun, hvis kunden siger ja." in told
    assert "10 % af samtalerne optages for at uddanne medarbejderne, også hvis kunden ikke siger ja til" in told


@pytest.mark.rule("G11")
@pytest.mark.rule("L1")
def test_a_confirmed_doubt_stays_with_who_confirmed_it_and_when(home: Path, file: Path, capsys: Captured) -> None:
    later = POLICY.replace('id = "support"', 'id = "support"\nemployees_informed_on = 2999-12-01')
    (fault,) = checked(home, file, later, capsys, status=1)["faults"]
    assert (fault["rule"], fault["code"]) == ("L1", "policy.fault.informed_unconfirmed")
    assert fault["hash"][:8] in fault["sentence"]

    assert klartone(home, "policy", "check", file, "--confirm", fault["hash"][:8], "--by", "MH") == 1
    assert "first and a last name" in capsys.readouterr().err
    assert klartone(home, "policy", "check", file, "--confirm", fault["hash"][:8], "--by", "Mette Holm") == 0
    said = capsys.readouterr()
    assert "aren't told until" in said.err
    file.write_text(f"{later}\n{said.out}", encoding="utf-8")

    assert klartone(home, "policy", "check", file) == 0
    told = capsys.readouterr().out
    assert re.search(r"(?m)^✓ Line \d+, line\[2\]\.employees_informed_on: .* Confirmed by Mette Holm on ", told)
    assert klartone(home, "policy", "explain", file, "support") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert re.search(r"Confirmed\. The line “support” is recorded .* Confirmed by Mette Holm on ", told)
    assert "Until then only what the law requires is recorded." in told
