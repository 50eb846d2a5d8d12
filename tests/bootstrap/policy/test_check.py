"""`klartone policy check` as a person types it: faults, doubts, and what waits for a person's confirmation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.bootstrap.home import DEMO_KEYS, texts
from softphone.domain.purpose import Language
from softphone.system.secrets import DemoKeyFile
from tests.bootstrap.policy.conftest import LACKING, UNSURE, Captured, checked, klartone
from tests.policies import POLICY, line_of_text


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


@pytest.mark.parametrize(("language", "then"), [(Language.DA, "Når den er rettet"), (Language.EN, "Once it is fixed")])
def test_one_fault_is_told_as_one(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, language: Language, then: str
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    file.write_text(POLICY.replace('sample = "10 %"', 'sample = "110 %"'), encoding="utf-8")
    assert klartone(home, "policy", "check", file) == 1
    assert then in capsys.readouterr().out.splitlines()[-1]


def test_what_is_doubtful_is_told_and_is_no_fault(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY.replace('conclusion = "Behovet er der."\n', ""), encoding="utf-8")

    assert klartone(home, "policy", "check", file) == 0

    shown = capsys.readouterr().out
    assert "· Line " in shown
    assert "asks for consent to documentation" in shown
    assert "(G22)" in shown
    assert "0 faults, one thing to consider" in shown


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


@pytest.mark.parametrize("alone", [False, True], ids=["beside-whole-lines", "alone"])
def test_the_sound_files_of_a_line_with_another_fault_are_looked_at_too(
    home: Path, file: Path, capsys: Captured, alone: bool
) -> None:
    long = "x" * 300
    sounds = f'[line.sound.N7]\nda = "nowhere.wav"\nen = {{ file = "{long}.wav", hash = "x" }}\n\n[line.training]'
    text = POLICY.replace('sample = "10 %"', 'sample = "110 %"').replace("[line.training]", sounds, 1)
    text = text.replace('id = "support"', 'id = ""') if alone else text
    told = checked(home, file, text, capsys, status=1)
    found = {one["code"]: (one["key"], one["line"]) for one in told["faults"]}
    assert found["policy.fault.share"][0] == "line[1].training.sample"
    assert found["policy.fault.sound_missing"] == ("line[1].sound.N7.da", line_of_text(text, "nowhere.wav"))
    assert found["policy.fault.sound_unreadable"] == ("line[1].sound.N7.en", line_of_text(text, long))
    assert [one["line"] for one in told["faults"]] == sorted(one["line"] for one in told["faults"])
    assert bool(told["sha256"]) is not alone


def test_the_faults_of_a_file_are_told_where_no_rulebook_answers(
    home: Path, file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = POLICY.replace('sample = "10 %"', 'sample = "110 %"')
    monkeypatch.setattr("softphone.bootstrap.plugins.RULEBOOK", "nobody")
    told = checked(home, file, text, capsys, status=1)
    assert [one["key"] for one in told["faults"]] == ["line[1].training.sample"]


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
    assert klartone(home, "policy", "check", file, "--confirm", waiting["hash"], "--by", "Mette") == 1
    assert "a first and a last name" in capsys.readouterr().err
    assert klartone(home, "policy", "check", file, "--confirm", "0" * 64, "--by", "Mette Holm") == 1
    assert "0" * 64 in capsys.readouterr().err

    assert klartone(home, "policy", "check", file, "--confirm", waiting["hash"], "--by", "Mette Holm") == 0
    said = capsys.readouterr()
    assert "stored for documentation" in said.err
    block = tomllib.loads(said.out)["confirmed"]
    assert [(one["hash"], one["by"]) for one in block] == [(waiting["hash"], "Mette Holm")]

    after = checked(home, file, f"{UNSURE}\n{said.out}", capsys, status=0)
    assert after["to_confirm"] == []
    assert {(one["confirmed_by"], one["hash"]) for one in after["warnings"]} == {("Mette Holm", waiting["hash"])}
    altered = UNSURE.replace("for documentation", "as documentation")
    again = checked(home, file, f"{altered}\n{said.out}", capsys, status=0)
    assert len(again["to_confirm"]) == 1


def test_the_command_that_confirms_is_told_once_with_the_file_and_the_hash(
    home: Path, file: Path, capsys: Captured
) -> None:
    (waiting,) = checked(home, file, UNSURE, capsys, status=0)["to_confirm"]
    assert klartone(home, "policy", "check", file) == 0
    told = capsys.readouterr().out
    assert told.count(waiting["hash"][:8]) == 1
    assert f'klartone policy check {file} --confirm {waiting["hash"][:8]} --by "FIRST LAST"' in told


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
