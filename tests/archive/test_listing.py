"""`klartone archive list` and `show` as a person, or a script, meets them in an archive of more than a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.finding.rows import RecordingRow
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.changes import CloseRecording
from softphone.system.secrets import DemoKeyFile
from tests.archive import many
from tests.archive.scene import AT, DOCUMENTATION, RATE, scene, voices


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo's archive: its keys lie in a file, and whoever is there has every role."""
    folder = tmp_path_factory.mktemp("listing") / "archive"
    archive = Archive.create(folder, DemoKeyFile(folder / DEMO_KEYS), demo=True)
    many.fill(archive, 400)
    archive.close()
    return folder


@pytest.fixture
def rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[RecordingRow]]:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    archive = Archive.open(folder, DemoKeyFile(folder / DEMO_KEYS))
    yield archive.list(many.END)
    archive.close()


@pytest.fixture
def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(what: str, *words: str, status: int = 0) -> list[str]:
        assert cli.main(["archive", "--archive", str(folder), what, *words]) == status
        out, err = capsys.readouterr()
        return (err if status else out).splitlines()

    return run


def test_the_list_ends_with_how_to_go_on_and_going_on_reaches_every_recording(
    rows: list[RecordingRow], told: Any
) -> None:
    listed: list[str] = []
    words: list[str] = []
    while True:
        lines = told("list", "--limit", "150", *words)
        listed += [line.split()[0] for line in lines if line.split()[0].count("-") == 4]
        if "--after" not in lines[-1]:
            break
        assert lines[-1].startswith("There are more")
        words = lines[-1][lines[-1].index("--after") :].split()[:2]
    assert listed == [row.recording for row in rows]
    assert told("list", "--after", f"2020-01-01T00:00:00+00:00_{rows[0].recording}") == ["There are no more."]
    # An object a line for a program, with the cursor that goes on behind it.
    first = [json.loads(line) for line in told("list", "--json", "--limit", "3")]
    assert [one["recording"] for one in first] == [row.recording for row in rows[:3]]
    assert (first[0]["number"], first[0]["agent"], first[0]["seconds"]) == (
        rows[0].number,
        rows[0].agent,
        rows[0].seconds,
    )
    assert datetime.fromisoformat(first[0]["opened_at"]) == rows[0].opened_at
    following = told("list", "--json", "--limit", "1", "--after", first[-1]["cursor"])
    assert json.loads(following[0])["recording"] == rows[3].recording
    shown = json.loads(told("show", rows[5].recording[:30], "--json")[0])
    assert (shown["recording"], shown["audit"]) == (rows[5].recording, [])
    assert shown["expires"] == {purpose.value: day.isoformat() for purpose, day in rows[5].expires.items()}


def test_it_is_narrowed_by_number_line_agent_and_hold(rows: list[RecordingRow], told: Any) -> None:
    number, agent = rows[7].number, rows[7].agent
    assert number is not None
    assert agent is not None
    for words, those in {
        ("--number", number): [row for row in rows if row.number == number],
        ("--number", f"{number[:3]} {number[3:5]} {number[5:]}"): [row for row in rows if row.number == number],
        ("--line", "salg", "--line", "klager"): [row for row in rows if row.line in ("salg", "klager")],
        ("--agent", agent): [row for row in rows if row.agent == agent],
        ("--agent", agent, "--line", str(rows[7].line)): [
            row for row in rows if (row.agent, row.line) == (agent, rows[7].line)
        ],
        ("--held",): [row for row in rows if row.holds],
    }.items():
        asked = told("list", "--json", "--limit", "500", *words)
        assert [json.loads(line)["recording"] for line in asked] == [row.recording for row in those]
        assert told("list", "--count", *words) == [str(len(those))]
    assert told("list", "--number", "+4599999999") == ["No recording matches that."]
    assert told("list", "--count") == ["400"]


def test_a_day_is_a_day_in_the_machines_zone_and_the_last_one_is_in_it(rows: list[RecordingRow], told: Any) -> None:
    day = rows[60].opened_at.astimezone().date()

    def of_days(first: int, last: int) -> list[str]:
        days = [row.opened_at.astimezone().date() - day for row in rows]
        return [row.recording for row, at in zip(rows, days, strict=True) if first <= at.days <= last]

    since, until = str(day - timedelta(days=2)), str(day + timedelta(days=1))
    for words, those in {
        ("--from", str(day), "--to", str(day)): of_days(0, 0),
        ("--from", since, "--to", until): of_days(-2, 1),
        ("--to", since): of_days(-1000, -2),
    }.items():
        assert those
        asked = told("list", "--json", "--limit", "500", *words)
        assert [json.loads(line)["recording"] for line in asked] == those
    moment = rows[60].opened_at.astimezone().replace(tzinfo=None).isoformat()
    assert json.loads(told("list", "--json", "--from", moment)[-1])["recording"] == rows[60].recording


def test_the_length_is_of_what_can_be_played_and_not_of_the_call(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        call = desk.call()
        recording = desk.open(call, DOCUMENTATION)
        desk.start(call, recording, 0)
        desk.talk(call, voices(2))
        desk.recorder.stop(call, recording, 0)
        desk.drained(recording, 0, 2 * RATE)
        assert desk.archive.find(recording).stored is None
        desk.commit(CloseRecording(recording, AT + timedelta(minutes=30), (DOCUMENTATION,)), recording=recording)
        row = desk.archive.find(recording)
        assert (row.seconds, row.stored) == (1800, 2)
