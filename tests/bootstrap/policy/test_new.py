"""`klartone policy new` as a person answers it: the file passes the check but for its keys, and none is written over."""

from __future__ import annotations

import io
import sys
import tomllib
from pathlib import Path

import pytest

from softphone.domain.purpose import Language
from softphone.system.policy_file import filled, load_policy
from tests.bootstrap.policy.conftest import PUBLIC, Captured, checked, klartone, typed

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
Begge har gavn af, at det aftalte kan vises.
Næsten alle ringer for at bestille.
Aftalen er mundtlig og gælder straks.
Pris og tid aftales kun mundtligt.
Det kan ikke gøres anderledes.
2
5 %
Vi hører to samtaler om ugen.
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
        "Vi hører to samtaler om ugen.",
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
        (["Foreningen", "forening.example"], "“forening.example” is not an answer to: Where is the page"),
        (["Foreningen", "http://forening.example/opkald"], "Write a web address with https"),
        ([*LEAST[:8], "7"], "“7” is not an answer to: What is it recorded for?"),
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
    assert asked.count("That is not an answer here.") == asked.count("stop with Ctrl-C; then nothing is written") == 3
    for why in ("Write a text.", "Write a web address with https", "Write a number from 1 to 3."):
        assert asked.count(why) == 1
    assert tomllib.loads(file.read_text("utf-8"))["controller"]["page"] == LEAST[1]
