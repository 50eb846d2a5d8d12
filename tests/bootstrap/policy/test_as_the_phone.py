"""What `decide`, `explain` and `sign` say is what the phone does: words that wait for a person, recordings, and opt-out keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from softphone.system.settings import Settings, save_settings
from tests.bootstrap.policy.conftest import LACKING, Captured, klartone
from tests.plugin.test_notices import ASKED
from tests.policies import POLICY, write_notice

TRAINING = POLICY.index("[line.training]")
WAITING = (POLICY[:TRAINING] + POLICY[TRAINING:].replace("legitimate_interest", "consent", 1)).replace(
    'id = "salg"\n', f'id = "salg"\n{ASKED}', 1
)
"""its question names health, in words that a person has yet to confirm"""


@pytest.mark.rule("G09")
def test_nobody_is_drawn_while_the_words_of_the_question_wait_for_a_person(
    home: Path, file: Path, capsys: Captured
) -> None:
    file.write_text(WAITING, encoding="utf-8")
    assert klartone(home, "policy", "decide", file, "--json", '{"line": "salg", "drawn": true}') == 0
    decision = json.loads(capsys.readouterr().out)
    assert (decision["notice"], decision["training"]["state"]) == ("N1", "off")

    assert klartone(home, "policy", "explain", file, "salg") == 0
    told = capsys.readouterr().out
    assert "(N1)" in told
    assert "(N6)" not in told


@pytest.mark.rule("L1")
def test_before_the_employees_are_told_nothing_is_recorded_on_interest(
    home: Path, file: Path, capsys: Captured
) -> None:
    file.write_text(POLICY.replace('id = "salg"', 'id = "salg"\nemployees_informed_on = 2999-12-01'), encoding="utf-8")
    asked = ("policy", "decide", file, "--json")
    assert klartone(home, *asked, '{"line": "salg", "drawn": true}') == 0
    decision = json.loads(capsys.readouterr().out)
    assert (decision["notice"], decision["reasons"]) == (None, ["employees_not_informed"])
    assert klartone(home, *asked, '{"line": "salg", "drawn": true, "at": "2999-12-01T12:00:00+01:00"}') == 0
    assert json.loads(capsys.readouterr().out)["notice"] == "N7"
    assert klartone(home, "policy", "explain", file, "salg") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Until then nothing is recorded." in told
    assert "(N7)" not in told


@pytest.mark.rule("G11")
def test_a_recording_that_no_signature_covers_is_not_told_of_where_the_phone_wants_one(
    tmp_path: Path, file: Path, capsys: Captured
) -> None:
    write_notice(tmp_path / "n1.wav")
    file.write_text(POLICY.replace('id = "salg"\n', 'id = "salg"\nsound.N1.da = "n1.wav"\n', 1), encoding="utf-8")
    home, by_us = tmp_path / "home", "It was recorded by Nordlys El A/S."
    assert klartone(home, "policy", "explain", file, "salg") == 0
    assert by_us in " ".join(capsys.readouterr().out.split())
    save_settings(home / "config", Settings(policy_signer="A" * 43 + "="))
    assert klartone(home, "policy", "explain", file, "salg") == 0
    assert by_us not in " ".join(capsys.readouterr().out.split())


@pytest.mark.rule("G11")
def test_what_the_phone_would_refuse_is_not_signed(home: Path, file: Path, capsys: Captured) -> None:
    assert klartone(home, "keys", "create", "policy", "--id", "raad") == 0
    lacking = POLICY.replace('[[line]]\nid = "support"', f'{LACKING}\n[[line]]\nid = "support"')
    silent = POLICY.replace('id = "salg"\n', 'id = "salg"\nsound.N1.da = "none.wav"\n', 1)
    for text, told in ((lacking, "wording.N1.da"), (silent, "none.wav")):
        file.write_text(text, encoding="utf-8")
        assert klartone(home, "policy", "sign", file, "--id", "raad") == 1
        assert told in capsys.readouterr().err
    assert [one.name for one in file.parent.iterdir()] == ["policy.toml"]


# --- the word and the key ---------------------------------------------------------------------------------


@pytest.mark.rule("G31")
@pytest.mark.rule("G23")
@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("", ""), "also counts as an objection to the recording for documentation. The employee can ask."),
        (('id = "salg"', 'id = "salg"\nobjection_in_call = "go_on"'), "that can't be undone in the call"),
        (('conclusion = "Behovet er der."\n', ""), "what was recorded for it is deleted"),
    ],
    ids=["interest", "interest, goes on", "consent"],
)
def test_what_a_key_does_is_told_beside_what_a_word_does(
    home: Path, file: Path, capsys: Captured, change: tuple[str, str], key: str
) -> None:
    file.write_text(POLICY.replace(*change), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0
    told = " ".join(capsys.readouterr().out.split())
    declined = "can decline training before, during and just after the call by saying so or pressing *9. The call is then not used"  # noqa: E501
    assert declined in told
    alone = (
        "Where the notice offers no way to decline training, pressing *9 doesn't say what is declined. So everything"
    )
    assert alone in told
    assert key in told
    # Where every call's notice ties the keys to training, they refuse nothing else.
    file.write_text(POLICY.replace(*change).replace('"10 %"', '"100 %"'), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0
    assert "doesn't say what is declined" not in " ".join(capsys.readouterr().out.split())


def test_without_opt_out_keys_none_is_told_of(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY.replace('id = "salg"', 'id = "salg"\nopt_out_key = ""'), encoding="utf-8")
    assert klartone(home, "policy", "explain", file, "salg") == 0
    assert "pressing" not in capsys.readouterr().out
