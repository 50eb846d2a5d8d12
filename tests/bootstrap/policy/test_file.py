"""Which file a policy's command is about, and in which language it answers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from softphone.system.settings import save_settings
from softphone.wire.snapshot import Settings
from tests.bootstrap.policy.conftest import Captured, klartone
from tests.policies import POLICY


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
    save_settings(home / "config", Settings(policy=str(file), policy_signer="QkJC" * 10 + "QkI="))
    assert klartone(home, "policy", "check") == 1
    assert "There is no signature" in capsys.readouterr().out
    assert klartone(home, "policy", "check", file) == 0
    assert "will not use it: it is not signed" in capsys.readouterr().out
    file.with_name(f"{file.name}.sig").write_text("B" * 85 + "A==", encoding="ascii")
    assert klartone(home, "policy", "check", file, "--json") == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert (warning["code"], warning["rule"]) == ("policy.warning.signed_otherwise", "G11")


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
