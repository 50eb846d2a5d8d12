"""The policy's commands as a person types them, through the real rulebook in its own process. What a policy means is
tests/domain's; which outcome the examples must have is tests/test_policy_examples.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.bootstrap.home import DEMO_KEYS, texts
from softphone.domain.policy import PolicyUnsigned
from softphone.domain.purpose import KeyRole, Language
from softphone.system.policy_file import filled, load_policy
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.wire import Settings
from tests.policies import KEYS, POLICY, line_of_text

PUBLIC = {KeyRole(role): key for role, key in KEYS.items()}
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its keys lie in a file, as a demo's do: no keyring is asked."""
    home = tmp_path_factory.mktemp("home")
    (home / "archive").mkdir()
    DemoKeyFile(home / "archive" / DEMO_KEYS).set("known", b"to be one")
    return home


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def klartone(home: Path, *words: object) -> int:
    return cli.main(["--home", str(home), *(str(word) for word in words)])


def checked(home: Path, file: Path, text: str, capsys: Captured, *, status: int) -> dict[str, Any]:
    file.write_text(text, encoding="utf-8")
    assert klartone(home, "policy", "check", file, "--json") == status
    return json.loads(capsys.readouterr().out)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


# --- check ----------------------------------------------------------------------------------------------


def test_a_sound_policy_is_told_so_with_its_notices_and_their_length(home: Path, file: Path, capsys: Captured) -> None:
    told = checked(home, file, POLICY, capsys, status=0)

    assert (told["ok"], told["faults"], told["warnings"], told["to_confirm"]) == (True, [], [], [])
    assert {(one["line"], one["notice"], one["language"]) for one in told["notices"]} == {
        (line, notice, language)
        for line, notice in (("salg", "N7"), ("salg", "N1"), ("support", "N1"))
        for language in ("da", "en")
    }
    assert all(5 < one["seconds"] <= 25 for one in told["notices"])


@pytest.mark.parametrize("language", list(Language))
def test_every_fault_is_told_with_line_key_rule_and_what_to_do(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    text = POLICY.replace('sample = "10 %"', 'sample = "110 %"').replace('retention = "P5Y"\n', "")
    file.write_text(text, encoding="utf-8")

    assert klartone(home, "policy", "check", file) == 1

    shown = capsys.readouterr().out.splitlines()
    tell = texts(language)
    assert len(shown) == 3
    assert shown[0].startswith("✗ ")
    for line, key, rule, code, params in (
        (line_of_text(text, "110 %"), "line[1].training.sample", "G34", "share", {"value": "110 %"}),
        (
            line_of_text(text, '[line.documentation]\nbasis = "legal'),
            "line[2].documentation.retention",
            "G10",
            "retention_needed",
            {},
        ),
    ):
        (said,) = [one for one in shown if key in one]
        assert f" {line}, {key}: {tell(f'policy.fault.{code}', **params)} ({rule})" in said
    assert tell("policy.check.faults", count=2) in shown[-1]


def test_what_is_doubtful_is_told_and_is_no_fault(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY.replace('conclusion = "Behovet er der."\n', ""), encoding="utf-8")

    assert klartone(home, "policy", "check", file) == 0

    shown = capsys.readouterr().out
    assert "· Line " in shown
    assert "asks for consent to documentation" in shown
    assert "(G22)" in shown
    assert "0 faults, one thing to consider" in shown


LACKING = """
[line.wording.N1.da]
essentials = "Vi optager samtalen."
facts = "Læs mere på {page}."
"""


@pytest.mark.rule("G05")
def test_own_words_that_lack_a_fact_are_a_fault_at_their_line(home: Path, file: Path, capsys: Captured) -> None:
    text = POLICY + LACKING
    told = checked(home, file, text, capsys, status=1)

    assert told["ok"] is False
    assert {fault["key"] for fault in told["faults"]} == {"line[2].wording.N1.da"}
    assert {fault["line"] for fault in told["faults"]} == {line_of_text(text, "[line.wording.N1.da]")}
    assert all(re.fullmatch(r"[GLN]\d+", fault["rule"]) for fault in told["faults"])
    assert not any(fault["sentence"] == fault["code"] for fault in told["faults"])


@pytest.mark.rule("G05")
def test_faults_of_the_file_faults_of_the_notices_and_doubts_are_told_at_once(
    home: Path, file: Path, capsys: Captured
) -> None:
    third = """
[[line]]
id = "raad"
name = "Råd"

[line.documentation]
basis = "legal_obligation"
retention = "P1Y"
"""
    text = POLICY.replace('sample = "10 %"', 'sample = "110 %"') + LACKING + third
    told = checked(home, file, text, capsys, status=1)

    assert {one["key"] for one in told["faults"]} == {"line[1].training.sample", "line[2].wording.N1.da"}
    assert [(one["key"], one["rule"], one["line"]) for one in told["warnings"]] == [
        ("line[3].documentation.rule", "G02", line_of_text(text, third.strip()) + 4)
    ]
    assert {one["line"] for one in told["notices"]} == {"raad"}


def test_the_faults_of_a_file_are_told_where_no_rulebook_answers(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = POLICY.replace('sample = "10 %"', 'sample = "110 %"')
    monkeypatch.setattr("softphone.bootstrap.rules.RULEBOOK", "nobody")
    told = checked(home, file, text, capsys, status=1)
    assert [one["key"] for one in told["faults"]] == ["line[1].training.sample"]


@pytest.mark.rule("G02")
def test_the_rule_that_obliges_is_told_with_the_line(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "support", "--language", "da") == 0
    assert "Reglen er: Lov om prøver, § 1." in " ".join(capsys.readouterr().out.split())


OWN = """
[line.wording.N1.en]
essentials = "This call is recorded and stored for documentation."
facts = "You can object to the recording, and you can have access to it. See how at {page}."
"""
UNSURE = POLICY.replace('[[line]]\nid = "support"', f'{OWN}\n[[line]]\nid = "support"')


@pytest.mark.rule("G05")
def test_what_the_check_is_not_sure_of_waits_for_a_person_whose_confirmation_is_kept(
    home: Path, file: Path, capsys: Captured, tmp_path: Path
) -> None:
    told = checked(home, file, UNSURE, capsys, status=0)
    (waiting,) = told["to_confirm"]
    assert (waiting["line"], waiting["notice"], waiting["language"]) == ("salg", "N1", "en")
    assert told["warnings"]

    assert klartone(home, "policy", "check", file, "--confirm", waiting["hash"]) == 1
    assert "--by" in capsys.readouterr().err
    assert klartone(home, "policy", "check", file, "--confirm", "0" * 64, "--by", "Mette") == 1
    assert "0" * 64 in capsys.readouterr().err

    assert klartone(home, "policy", "check", file, "--confirm", waiting["hash"], "--by", "Mette Holm") == 0
    said = capsys.readouterr()
    assert "stored for documentation" in said.err
    block = tomllib.loads(said.out)["confirmed"]
    assert [(one["hash"], one["by"]) for one in block] == [(waiting["hash"], "Mette Holm")]

    after = checked(home, file, f"{UNSURE}\n{said.out}", capsys, status=0)
    assert (after["to_confirm"], after["warnings"]) == ([], [])
    altered = UNSURE.replace("for documentation", "as documentation")
    again = checked(home, file, f"{altered}\n{said.out}", capsys, status=0)
    assert len(again["to_confirm"]) == 1


def test_the_command_that_confirms_is_told_once_with_the_file_and_the_hash(
    home: Path, file: Path, capsys: Captured
) -> None:
    (waiting,) = checked(home, file, UNSURE, capsys, status=0)["to_confirm"]
    assert klartone(home, "policy", "check", file) == 0
    told = capsys.readouterr().out
    assert told.count(waiting["hash"]) == 1
    assert f"klartone policy check {file} --confirm {waiting['hash']} --by NAME" in told


def test_a_confirmation_stands_in_the_audit_log_where_there_is_an_archive_and_names_nobody(
    file: Path, capsys: Captured, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    keys = DemoKeyFile(home / "archive" / DEMO_KEYS)
    (home / "archive").mkdir(parents=True)
    keys.set("known", b"to be one")
    Archive.create(home / "archive", keys, demo=True).close()
    (waiting,) = checked(home, file, UNSURE, capsys, status=0)["to_confirm"]

    assert klartone(home, "policy", "check", file, "--confirm", waiting["hash"], "--by", "Mette Holm") == 0

    archive = Archive.open(home / "archive", keys)
    try:
        (entry,) = [one for one in archive.audit_of(call="") if one.event == "notice_confirmed"]
    finally:
        archive.close()
    assert (entry.rule, entry.params["hash"]) == ("G05", waiting["hash"])
    assert "Mette" not in str(entry)


def test_a_file_that_is_not_there_is_one_sentence(home: Path, file: Path, capsys: Captured) -> None:
    assert klartone(home, "policy", "check", file) == 1
    shown = capsys.readouterr().out.splitlines()
    assert [str(file) in one for one in shown] == [True, True]


def test_without_a_file_the_phones_own_policy_is_meant_and_it_must_be_signed_where_the_settings_say_so(
    file: Path, capsys: Captured, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    assert klartone(home, "policy", "check") == 1
    assert "No policy has been chosen" in capsys.readouterr().err

    file.write_text(POLICY, encoding="utf-8")
    save_settings(home / "config", Settings(policy=str(file), policy_signer="A" * 43 + "="))
    assert klartone(home, "policy", "check") == 1
    assert "There is no signature" in capsys.readouterr().out
    assert klartone(home, "policy", "check", file) == 0
    assert "will not use it: it is not signed" in capsys.readouterr().out
    file.with_name(f"{file.name}.sig").write_text("A" * 86 + "==", encoding="ascii")
    assert klartone(home, "policy", "check", file, "--json") == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert (warning["code"], warning["rule"]) == ("policy.warning.signed_otherwise", "G11")


# --- explain ------------------------------------------------------------------------------------------------


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
    for written in ("10 %", "(N7)", "(N1)", "nordlys.example/telefonsamtaler", "*9", "opvejer", "case-1", "lead-1"):
        assert written in first, written
    assert "N7" not in second
    assert {Language.DA: "5 år", Language.EN: "5 years"}[language] in second
    assert not re.search(r"explain\.|party=|\{|None|…", told)


@pytest.mark.rule("G22")
def test_a_line_that_falls_back_to_consent_is_explained_as_one_that_asks(
    home: Path, file: Path, capsys: Captured
) -> None:
    file.write_text(POLICY.replace('conclusion = "Behovet er der."\n', ""), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0

    told = " ".join(capsys.readouterr().out.split())
    assert "recorded only if the caller says yes" in told
    assert "The policy rests on legitimate interest, but this is still missing: a conclusion." in told
    assert "(N2+N4)" in told
    assert "(N2)" in told
    assert "(G22)" in told
    assert "Support" not in told


@pytest.mark.rule("G32")
def test_special_circumstances_that_are_over_are_explained_as_over(home: Path, file: Path, capsys: Captured) -> None:
    special = 'special_circumstances = { why = "Liv", decided_on = 2020-01-01, expires_on = 2020-12-31 }'
    file.write_text(POLICY.replace('opt_out = "stop"', special), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0

    told = " ".join(capsys.readouterr().out.split())
    assert "held until 31 Dec 2020, and hold no longer" in told
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
    draft = POLICY
    for role, key in KEYS.items():
        draft = draft.replace(key, f"${role}_key")
    file.write_text(draft, encoding="utf-8")
    assert klartone(home, "policy", "explain", file) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("Keys are still to be put in") == 1
    assert "case-1" in told

    file.write_text(POLICY.replace(next(iter(KEYS.values())), "mine"), encoding="utf-8")
    assert klartone(home, "policy", "explain", file) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "none.toml"), "Der er ingen fil"),
        (("check", "none.toml"), "kan ikke bruges"),
        (("decide", "none.toml", "--json", "[]"), "JSON-objekt"),
    ],
)
def test_what_is_asked_for_in_a_language_is_answered_in_that_alone(
    home: Path, capsys: Captured, words: tuple[str, ...], said: str
) -> None:
    assert klartone(home, "policy", *words, "--language", "da") == 1
    captured = capsys.readouterr()
    told = captured.out + captured.err
    assert said in told
    assert not re.search(r"\b(?:the|policy cannot|file is)\b", told)


# --- decide -------------------------------------------------------------------------------------------------


def test_a_decision_is_one_json_object_with_each_purpose_notice_way_and_reasons(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(POLICY, encoding="utf-8")
    facts = {
        "line": "salg",
        "direction": "inbound",
        "number": "+45 20 12 34 56",
        "drawn": True,
        "declined_earlier": False,
        "at": "2026-11-25T10:00:00+01:00",
    }
    whole = {
        "documentation": {"state": "planned", "basis": "legitimate_interest"},
        "training": {"state": "planned", "basis": "legitimate_interest"},
        "notice": "N7",
        "how": "play",
        "reasons": ["assessment", "training_sample"],
    }
    assert klartone(home, "policy", "decide", file, "--json", json.dumps(facts)) == 0
    assert json.loads(capsys.readouterr().out) == whole

    typed(monkeypatch, json.dumps({**facts, "direction": "outbound"}))
    assert klartone(home, "policy", "decide", file, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out) == {**whole, "how": "read"}


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ("", "That is not JSON"),
        ('{"line": "salg"', "That is not JSON"),
        ("[]", "must be one JSON object"),
        ("[1, 2]", "must be one JSON object"),
        ('{"line": "salg", "number": "abc"}', "“abc” is no telephone number"),
        ("{}", "it is about: line."),
        ('{"line": "salg", "time": "now"}', "it is about: time."),
        ('{"line": "salg", "drawn": "yes", "at": "2026-11-25T10:00:00"}', "it is about: drawn, at."),
        (
            '{"line": "salg", "direction": "up"}',
            "“up” cannot be the “direction”. Write one of: inbound, outbound, internal.",
        ),
        ('{"line": "salg", "at": "0001-01-01T00:00:00+14:00"}', "it is about: at."),
        ('{"line": "salg", "at": "9999-12-31T23:59:59-12:00"}', "it is about: at."),
        ('{"line": "fax"}', "no line “fax”. Write one of these: salg, support."),
    ],
)
def test_facts_that_cannot_be_are_told_in_a_sentence(
    home: Path, file: Path, capsys: Captured, facts: str, told: str
) -> None:
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "policy", "decide", file, "--json", facts) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert "{line" not in said.err


def test_every_command_takes_the_file_by_the_option_too(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY, encoding="utf-8")
    for words in (("check", "--json"), ("decide", "--json", '{"line": "salg"}'), ("explain",), ("notice", "salg")):
        assert klartone(home, "policy", words[0], "--policy", file, *words[1:]) == 0
        assert capsys.readouterr().out
    assert klartone(home, "policy", "explain", "--policy", file, "support") == 0
    told = capsys.readouterr().out
    assert "(support)" in told
    assert "(salg)" not in told
    with pytest.raises(SystemExit):
        klartone(home, "policy", "check", file, "--policy", file)
    assert klartone(home, "policy", "new", "--policy", file) == 1
    assert str(file) in capsys.readouterr().err
    assert file.read_text("utf-8") == POLICY


def test_what_an_assessment_lacks_is_told_in_words(home: Path, file: Path, capsys: Captured) -> None:
    unfinished = POLICY.replace(', c = "ikke på anden måde"', "").replace('conclusion = "Behovet er der."\n', "")
    file.write_text(unfinished, encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "this is still missing: why it cannot be done in another way and a conclusion." in told
    assert "G20.c" not in told


# --- sign ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("G11")
def test_a_policy_is_signed_by_a_key_that_never_leaves_the_keyring(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "keys", "create", "policy", "--id", "jura") == 0
    created = tomllib.loads(capsys.readouterr().out.splitlines()[-1])["policy_signer"]

    assert klartone(home, "policy", "sign", file, "--id", "jura") == 0

    signer = tomllib.loads(capsys.readouterr().out.splitlines()[-1])["policy_signer"]
    assert signer == created
    assert load_policy(file, signer=signer).policy.line[0].id == "salg"
    assert sorted(one.name for one in file.parent.iterdir()) == ["policy.toml", "policy.toml.sig"]
    file.write_text(POLICY.replace("P5Y", "P6Y"), encoding="utf-8")
    with pytest.raises(PolicyUnsigned):
        load_policy(file, signer=signer)


def test_a_key_is_never_written_over_and_a_faulty_policy_is_not_signed(
    home: Path, file: Path, capsys: Captured
) -> None:
    assert klartone(home, "keys", "create", "policy", "--id", "bestyrelsen") == 0
    assert klartone(home, "keys", "create", "policy", "--id", "bestyrelsen") == 1
    assert "already" in capsys.readouterr().err
    assert klartone(home, "keys", "create", "policy", "--id", "Bestyrelsen!") == 1
    assert "is no id" in capsys.readouterr().err

    file.write_text(POLICY.replace("version = 1", "version = 3"), encoding="utf-8")
    assert klartone(home, "policy", "sign", file, "--id", "bestyrelsen") == 1
    assert "version" in capsys.readouterr().err
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "policy", "sign", file, "--id", "ingen") == 1
    assert "keys create policy --id ingen" in capsys.readouterr().err
    assert [one.name for one in file.parent.iterdir()] == ["policy.toml"]


# --- new ----------------------------------------------------------------------------------------------------

ALL = """\
Sol & Vind "A/S"
https://solvind.example/opkald
gdpr@solvind.example
1
gæsten
the guest
Bestilling
+45 70 10 10 10
3
1
P2M
Reklamationer kommer inden to måneder.
Bestillinger skal kunne vises.
Begge har gavn af det.
Alle bestiller.
Aftalen er mundtlig.
Pris og tid.
Det kan ikke gøres anderledes.
2
5 %
Vi hører to om ugen.
8
Vi følger op efter en måned.
2026-10-01
""".splitlines()
LEAST = ["Foreningen", "https://forening.example/opkald", "post@forening.example", *[""] * 16]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("answers", [ALL, LEAST], ids=["all answered", "as little as can be"])
def test_a_new_policy_passes_the_check_but_for_its_keys(
    home: Path,
    file: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str],
    language: Language,
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    typed(monkeypatch, "\n".join(answers) + "\n")
    assert klartone(home, "policy", "new", file) == 0
    asked = capsys.readouterr().out
    assert str(file) in asked
    assert "new." not in asked

    text = file.read_text("utf-8")
    assert text.startswith("# ")
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    told = checked(home, file, text, capsys, status=1)
    assert {fault["code"] for fault in told["faults"]} == {"policy.fault.public_key"}

    told = checked(home, file, filled(text, PUBLIC), capsys, status=0)
    policy = load_policy(file).policy
    assert policy.controller[0].name == answers[0]
    assert policy.notice_language is Language.DA
    assert all(f"--id {one.id}" in asked for one in policy.recipient)
    if answers is ALL:
        assert told["warnings"] == []
        party = policy.controller[0].party
        assert (party.da, party.en) == ("gæsten", "the guest")
        assert [one["notice"] for one in told["notices"]][:1] == ["N7"]
    else:
        assert {one["rule"] for one in told["warnings"]} == {"G11", "G22", "L1"}
        assert {one["notice"] for one in told["notices"]} == {"N2"}


@pytest.mark.rule("G02")
def test_a_new_policy_names_the_law_that_obliges_and_says_who_is_an_authority(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    obliged = [
        *LEAST[:8],
        "3",
        "2",
        "P5Y",
        "Lov om prøver, § 4",
        "3",
        "5 %",
        "Vi hører to.",
        "8",
        "Til opfølgning.",
        "",
    ]
    typed(monkeypatch, "\n".join(obliged) + "\n")
    assert klartone(home, "policy", "new", file) == 0
    assert "(authorities only)" in capsys.readouterr().out

    told = checked(home, file, filled(file.read_text("utf-8"), PUBLIC), capsys, status=0)
    assert [one["rule"] for one in told["warnings"]] == ["L1"]
    policy = load_policy(file).policy
    assert policy.controller[0].authority
    documented = policy.line[0].documentation
    assert documented is not None
    assert documented.rule == "Lov om prøver, § 4"


def test_a_file_that_is_there_is_never_written_over(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("mine", encoding="utf-8")
    typed(monkeypatch, "\n".join(LEAST) + "\n")
    assert klartone(home, "policy", "new", file) == 1
    assert file.read_text("utf-8") == "mine"
    assert "is not written over" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["Foreningen"], "Where is the page"),
        ([""], "Who is the controller"),
        (["Foreningen", "forening.example"], "“forening.example” is no answer to: Where is the page"),
        ([*LEAST[:8], "7"], "“7” is no answer to: What is it recorded for?"),
        ([*LEAST[:8], "1", "2", ""], "For how long does the law require"),
    ],
)
def test_answers_that_cannot_be_leave_no_file(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, answers: list[str], told: str
) -> None:
    typed(monkeypatch, "\n".join(answers) + "\n")
    assert klartone(home, "policy", "new", file) == 1
    assert not file.exists()
    assert told in capsys.readouterr().err


class Typing(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def test_at_a_terminal_an_answer_that_is_none_is_asked_for_again(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["", "Foreningen", "forening.example", *LEAST[1:8], "seven", "1", *[""] * 10]
    monkeypatch.setattr(sys, "stdin", Typing("\n".join(answers) + "\n"))
    assert klartone(home, "policy", "new", file) == 0
    asked = capsys.readouterr().out
    assert asked.count("That is no answer here.") == asked.count("stop with Ctrl-C; then nothing is written") == 3
    for why in ("Write a text.", "Write a web address with https", "Write a number from 1 to 3."):
        assert asked.count(why) == 1
    assert tomllib.loads(file.read_text("utf-8"))["controller"]["page"] == LEAST[1]
