"""`klartone policy decide` as a person types it: one call's facts in, one decision out, in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bootstrap.policy.conftest import DRAFT, Captured, klartone, typed
from tests.policies import POLICY


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


def test_a_call_can_be_tried_on_a_draft_whose_keys_are_yet_to_come(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(DRAFT, encoding="utf-8")
    assert klartone(home, "policy", "decide", file, "--json", '{"line": "salg"}') == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["notice"] == "N1"
    assert said.err.startswith("Some keys are still missing")


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ("", "That is not JSON"),
        ('{"line": "salg"', "That is not JSON"),
        ("[]", "must be one JSON object"),
        ("[1, 2]", "must be one JSON object"),
        ('{"line": "salg", "number": "abc"}', "“abc” isn't a valid “number”: write a telephone number"),
        ("{}", "“line” must always be given."),
        (
            '{"line": "salg", "time": "now"}',
            "There is no “time”: the keys are line, direction, number, drawn, declined_earlier, at.",
        ),
        (
            '{"line": 7, "drawn": "yes", "at": "2026-11-25T10:00:00"}',
            "“line” must be a line's id in quotes, or null for a call that belongs to none. "
            "“drawn” must be true or false, without quotes. “2026-11-25T10:00:00” is not a valid “at”: write day",
        ),
        (
            '{"line": "salg", "direction": "up"}',
            "“up” is not a valid “direction”: write one of inbound, outbound, internal.",
        ),
        ('{"line": "salg", "at": "0001-01-01T00:00:00+14:00"}', "is not a valid “at”:"),
        (
            '{"line": "salg", "at": "2026-11-25"}',
            "“2026-11-25” is not a valid “at”: write day, time and offset from UTC",
        ),
        ('{"line": "salg", "at": "9999-12-31T23:59:59-12:00"}', "is not a valid “at”:"),
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
