"""`klartone holds` as a person meets it, on a demo's archive, whose keys lie in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from softphone import cli
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.retention import holding
from softphone.bootstrap.home import texts
from softphone.domain.changes import Discard
from tests.archive.scene import DOCUMENTATION, NUMBER, Scene
from tests.days import house_day

Run = Callable[..., str]
DEMO = True


@pytest.fixture
def run(tmp_path: Path, desk: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")

    def holds(*words: str, status: int = 0) -> str:
        assert cli.main(["--home", str(tmp_path / "home"), "holds", *words, "--archive", str(desk.folder)]) == status
        said = capsys.readouterr()
        return said.out + said.err

    return holds


@pytest.mark.rule("G10")
def test_a_hold_is_raised_by_number_listed_confirmed_and_lifted(desk: Scene, run: Run) -> None:
    recording = desk.closed(DOCUMENTATION, retention="P90Y")
    assert "No recording is locked." in run("list")
    said = run("raise", "--number", "20 12 34 56", "--by", "party", "--why", "the price")
    assert recording in said
    assert "Data protection must confirm it by" in said
    listed = run("list")
    assert "the party asks for it, to be confirmed by" in listed
    assert "the price" in listed
    told = json.loads(run("list", "--json"))
    assert (told["recording"], told["state"], told["raised_for"]) == (recording, "unconfirmed", "party")
    assert datetime.fromisoformat(told["confirm_by"]) - datetime.fromisoformat(told["at"]) == timedelta(days=30)
    assert NUMBER not in json.dumps(told)

    day = str(house_day(datetime.now(UTC)) + timedelta(days=200))
    assert "confirmed until it is looked at again on" in run("confirm", told["hold"], "--look-again", day)
    assert json.loads(run("list", "--json"))["look_again"] == day
    assert "is lifted" in run("lift", told["hold"], "--reason", "settled")
    assert run("list", "--json") == ""
    assert [row.event for row in desk.archive.audit_of(recording)][-3:] == [
        "hold_placed",
        "hold_confirmed",
        "hold_lifted",
    ]


@pytest.mark.rule("G10")
def test_a_lock_that_stood_already_is_told_as_such_and_what_cannot_be_locked_is_refused_with_words(
    desk: Scene, run: Run
) -> None:
    first, second = desk.closed(DOCUMENTATION, retention="P90Y"), desk.closed(DOCUMENTATION, retention="P90Y")
    why = ("--by", "party", "--why", "the price")
    assert f"{first} is locked." in run("raise", first, *why)
    (held,) = map(json.loads, run("list", "--json").splitlines())
    told = run("raise", first, *why)
    day = datetime.fromisoformat(held["at"]).astimezone(ZoneInfo("Europe/Copenhagen")).date()
    assert f"{first} was already locked by you, for the same reason, on {texts().day(day)}" in told
    by_number = run("raise", "--number", "20 12 34 56", *why, "--json").splitlines()
    lines = {one["recording"]: one for one in map(json.loads, by_number)}
    assert {recording: one["already"] for recording, one in lines.items()} == {first: True, second: False}
    assert lines[first] == {**held, "already": True}
    # For another reason, or another person, it is another lock.
    (other,) = map(json.loads, run("raise", first, "--by", "controller", "--why", "x", "--json").splitlines())
    assert (other["already"], other["raised_for"]) == (False, "controller")
    assert "nothing was locked" in run("raise", "--number", "+4520999999", *why, status=1)
    assert "no recording" in run("raise", "none-such", *why, status=1)
    assert "no hold" in run("lift", "none-such", "--reason", "x", status=1)


@pytest.mark.rule("G10")
def test_what_goes_while_a_number_is_locked_is_told_and_all_else_is_locked(
    desk: Scene, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = holding.with_number
    raise_all = ("raise", "--number", "20 12 34 56", "--by", "party", "--why", "the price")

    def found(*asked: Any) -> list[RecordingRow]:
        """Somebody withdraws between the look and the lock."""
        rows = find(*asked)
        for one in leave:
            desk.commit(Discard(one, "withdrawn"), recording=one)
        return rows

    monkeypatch.setattr(holding, "with_number", found)
    leave = [desk.closed(DOCUMENTATION, retention="P90Y"), desk.closed(DOCUMENTATION, retention="P90Y")]
    assert "2 recordings were deleted meanwhile" in run(*raise_all, status=1)
    gone, *stay = (desk.closed(DOCUMENTATION, retention="P90Y") for _ in range(3))
    leave = [gone]
    said = run(*raise_all)
    assert "One recording was deleted meanwhile" in said
    assert all(one in said for one in stay)
    assert gone not in said
    leave = []
    again = run(*raise_all).splitlines()
    assert [line.split()[0] for line in again[:-1]] == stay
    assert again[-1] == said.splitlines()[2]
    assert [json.loads(line)["recording"] for line in run("list", "--json").splitlines()] == stay


def test_a_hold_is_put_off_a_year_and_the_answer_to_a_request_for_access_two_months_at_most(
    desk: Scene, run: Run
) -> None:
    recording, today = desk.closed(DOCUMENTATION, retention="P90Y"), house_day(datetime.now(UTC))
    run("raise", recording, "--by", "controller", "--why", "x")
    hold = json.loads(run("list", "--json"))["hold"]
    too_late, in_time = str(today + timedelta(days=368)), str(today + timedelta(days=360))
    assert "at the latest" in run("confirm", hold, "--look-again", too_late, status=1)
    run("confirm", hold, "--look-again", in_time)
    run("lift", hold, "--reason", "x")
    run("raise", recording, "--for", "access", "--why", "x")
    hold = json.loads(run("list", "--json"))["hold"]
    assert "Article 12(3)" in run("confirm", hold, "--look-again", str(today + timedelta(days=95)), status=1)
    assert "is extended to" in run("confirm", hold, "--look-again", str(today + timedelta(days=80)))


@pytest.mark.rule("G08")
def test_all_that_one_number_has_is_answered_at_once_and_its_disputes_are_not(desk: Scene, run: Run) -> None:
    calls = sorted(desk.closed(DOCUMENTATION, retention="P90Y") for _ in range(3))
    number, today = ("--number", "20 12 34 56"), str(house_day(datetime.now(UTC)))
    run("raise", *number, "--for", "access", "--why", "brev af 3. maj")
    run("raise", *number, "--by", "party", "--why", "the price")
    said = run("close", *number, "--answered", today)
    assert all(one in said for one in calls)
    assert "No hold of that kind" in run("close", *number, "--answered", today, status=1)
    left = [json.loads(line) for line in run("list", "--json").splitlines()]
    assert [one["raised_for"] for one in left] == ["party"] * 3
    run("lift", *number, "--reason", "settled")
    assert run("list", "--json") == ""


@pytest.mark.rule("G10")
def test_by_number_one_matter_is_decided_and_several_are_shown_first(desk: Scene, run: Run) -> None:
    for _ in range(2):
        desk.closed(DOCUMENTATION, retention="P90Y")
    number, today = ("--number", "20 12 34 56"), house_day(datetime.now(UTC))
    run("raise", *number, "--by", "party", "--why", "the price")
    run("raise", *number, "--by", "controller", "--why", "court case 12/2026")
    run("raise", *number, "--for", "access", "--why", "brev")
    before = run("list", "--json")
    price, court, access = (
        [one["hold"] for one in map(json.loads, before.splitlines()) if one["raised_for"] == kind]
        for kind in ("party", "controller", "access")
    )
    said = run("lift", *number, "--reason", "the price was settled", status=1)
    assert all(hold in said for hold in price + court)
    assert "Nothing was changed" in said
    assert not any(hold in said for hold in access)
    # Of the request for access, the answer would be put off.
    assert "court case" in run("confirm", *number, "--look-again", str(today + timedelta(days=60)), status=1)
    assert run("list", "--json") == before

    # What is refused of several is told with its reason, and keeps the rest from nothing.
    far = ("--look-again", str(today + timedelta(days=200)))
    said = run("confirm", access[0], *price, *far, status=1)
    assert f"{access[0]}  " in said
    assert "Done for 2 of 3" in said
    run("lift", price[0], "--reason", "settled")
    said = run("lift", *price, price[1], "--reason", "settled", status=1)
    assert f"{price[0]}  There is no hold" in said
    assert "Done for 1 of 2" in said
    assert "Done" not in run("lift", *number, "--reason", "settled")
    assert {json.loads(line)["raised_for"] for line in run("list", "--json").splitlines()} == {"access"}
