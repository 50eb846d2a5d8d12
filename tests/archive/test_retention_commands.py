"""`klartone archive sweep` and `judge`, and requests for access, as a person meets them on a demo's archive."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest

from softphone import cli
from softphone.archive.backup.run import back_up
from softphone.archive.seen.machine import MachineArchive
from softphone.domain.archive.permission import Viewer
from softphone.domain.roles import Role
from tests.archive.judged import to_judge
from tests.archive.people import policy_of
from tests.archive.scene import DOCUMENTATION, Scene
from tests.days import house_day
from tests.policies import POLICY

Run = Callable[..., str]
DEMO = True
NOW = datetime.now(UTC)
ZONE = ZoneInfo("Europe/Copenhagen")
DUE = NOW - timedelta(days=100)
"""so long ago that three months are over, and the month to judge in is not"""


@pytest.fixture
def run(tmp_path: Path, desk: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")

    def command(*words: str, status: int = 0) -> str:
        assert cli.main(["--home", str(tmp_path / "home"), *words, "--archive", str(desk.folder)]) == status
        said = capsys.readouterr()
        return said.out + said.err

    return command


def lines(said: str) -> list[dict[str, Any]]:
    """An object a line."""
    return [json.loads(line) for line in said.splitlines()]


@pytest.fixture
def takes_up(tmp_path: Path) -> Callable[[str], int]:
    """Has the settings name this policy from now on."""

    def policy(text: str) -> int:
        file, config = tmp_path / "policy.toml", tmp_path / "home" / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "settings.toml").write_text(f'policy = "{file.as_posix()}"\n', encoding="utf-8")
        return file.write_text(text, encoding="utf-8")

    return policy


def test_a_sweep_tells_a_program_what_it_did_one_thing_a_line(desk: Scene, run: Run) -> None:
    gone, waits = to_judge(desk, DOCUMENTATION, review=(), at=DUE), to_judge(desk, DOCUMENTATION, at=DUE)
    *planned, would = lines(run("archive", "sweep", "--json", "--dry-run"))
    *told, done = lines(run("archive", "sweep", "--json"))
    assert (planned, would["sums"]) == (told, {**done["sums"], "dry_run": True})
    assert [(one["recording"], one["what"]) for one in told] == [
        (gone, "purpose_expired"),
        (gone, "discarded"),
        (waits, "to_judge"),
    ]
    sums = {"ended": 1, "deleted": 1, "listed": 1, "forgotten": 0, "reported": 0, "dry_run": False, "stopped": False}
    assert done == {"sums": sums}
    assert set(told[2]) >= {"judge_by", "since", "purpose", "rule"}


@pytest.mark.rule("G10")
def test_what_waits_is_listed_kept_with_a_reason_and_let_go(
    desk: Scene, run: Run, takes_up: Callable[[str], int]
) -> None:
    first, second = to_judge(desk, DOCUMENTATION, at=DUE - timedelta(days=2)), to_judge(desk, DOCUMENTATION, at=DUE)
    assert "data protection judges it before" in run("archive", "sweep")
    assert [one["recording"] for one in lines(run("archive", "judge", "--json"))] == [first, second]
    listed = run("archive", "judge").splitlines()
    assert [line.split()[0] for line in listed] == [first, second]
    assert "documentation (salg), its retention date was" in listed[0].lower()

    until = house_day(NOW + timedelta(days=40)).isoformat()
    assert "needs a reason" in run("archive", "judge", first, "--keep-until", until, status=1)
    assert "cannot be kept until" in run(
        "archive", "judge", first, "--keep-until", "2098-01-01", "--reason", "x", status=1
    )
    assert "has been decided" in run("archive", "judge", first, status=1)
    assert "which recording" in run("archive", "judge", "--delete", status=1)
    # Whom it is sealed for anew, the policy says.
    assert "no valid key" in run("archive", "judge", first, "--keep-until", until, "--reason", "x", status=1)
    takes_up(policy_of(desk))
    assert "again" in run("archive", "judge", first[:-3], "--keep-until", until, "--reason", "a complaint")
    assert "is deleted" in run("archive", "judge", second, "--delete")
    assert "No recording is waiting" in run("archive", "judge")
    assert run("archive", "judge", "--json") == ""
    assert "a complaint" in run("archive", "show", first)
    assert "nothing to judge" in run("archive", "judge", first, "--delete", status=1)


@pytest.mark.rule("G10")
def test_a_file_that_belongs_to_nothing_and_the_clock_are_data_protection_s_and_the_log_tells(
    desk: Scene, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = to_judge(desk, DOCUMENTATION, review=(), at=DUE)
    aside = desk.folder / "recordings" / "aside"
    aside.mkdir()
    orphan = aside / "orphan.ktr"
    orphan.write_bytes(desk.archive.vault.path(recording).read_bytes())
    findings = run("archive", "verify", status=1)
    assert ("klartone archive orphan" in findings, "missing from the catalog" in findings) == (True, False)
    for other in (recording, "nothing", "../orphan"):
        assert "put aside" in run("archive", "orphan", other, "--delete", "--reason", "x", status=1)
    with monkeypatch.context() as patch:
        # A demo's user has every role; this one has another.
        patch.setattr(MachineArchive, "viewer_of", Mock(return_value=Viewer(frozenset({Role.AGENT}))))
        run("archive", "orphan", "orphan", "--delete", "--reason", "x", status=1)
        run("archive", "sweep", "--clock-is-right", status=1)
    assert desk.archive.audit_of()[-1].params["deed"] == "believe_clock"
    assert orphan.exists()
    assert desk.archive.vault.path(recording).exists()
    assert "is deleted" in run("archive", "orphan", "orphan", "--delete", "--reason", "of an old test")
    assert not orphan.exists()
    refused, entry = desk.archive.audit_of("orphan")
    assert (refused.event, refused.params["deed"]) == ("refused", "judge")
    assert (entry.event, entry.params["why"]) == ("orphan_deleted", "of an old test")
    run("archive", "sweep", "--clock-is-right")
    assert not desk.archive.vault.path(recording).exists()
    run("archive", "verify")


@pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot be told its zone")
def test_list_log_health_and_show_tell_all_times_in_the_machine_s_zone(
    desk: Scene, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = to_judge(desk, DOCUMENTATION, at=NOW)
    back_up(desk.archive, tmp_path / "disk", NOW)
    run("archive", "sweep")
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    time.tzset()
    try:
        zone = NOW.astimezone().strftime("%z")
        assert zone[3:] == "45"
        for words in (("list",), ("show", recording), ("log",), ("health",)):
            told = re.findall(r"\d\d:\d\d(?::\d\d)? ([+-]\d{4})", run("archive", *words))
            assert set(told) == {zone}, words
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.rule("G08")
def test_a_request_for_access_is_raised_listed_with_its_last_day_and_closed(desk: Scene, run: Run) -> None:
    recording = to_judge(desk, DOCUMENTATION, at=NOW)
    said = run("holds", "raise", "--number", "20 12 34 56", "--for", "access", "--why", "by letter")
    assert recording in said
    assert "must be answered by" in said
    listed = run("holds", "list")
    for words in ("request for access", "must be answered by", "by letter", "by "):
        assert words in listed
    (told,) = lines(run("holds", "list", "--json"))
    assert (told["raised_for"], told["state"], bool(told["raised_by"])) == ("access", "unconfirmed", True)
    assert "klartone holds close" in run("holds", "lift", told["hold"], "--reason", "x", status=1)
    today = NOW.astimezone(ZONE).date().isoformat()
    assert "is closed" in run("holds", "close", told["hold"], "--answered", today)
    assert "was answered on" in run("archive", "show", recording)
    assert "No recording is locked." in run("holds", "list")


@pytest.mark.rule("G10")
def test_the_policy_says_how_long_there_is_to_confirm_and_to_judge(
    desk: Scene, run: Run, takes_up: Callable[[str], int]
) -> None:
    takes_up(POLICY.replace("[controller]", 'judge_within = "P60D"\nhold_unconfirmed = "P9D"\n[controller]'))
    recording = to_judge(desk, DOCUMENTATION, at=DUE)
    assert "must confirm it by" in run("holds", "raise", recording, "--by", "party", "--why", "x")
    (held,) = lines(run("holds", "list", "--json"))
    assert datetime.fromisoformat(held["confirm_by"]) - datetime.fromisoformat(held["at"]) == timedelta(days=9)
    before = datetime.now(ZONE).date()
    run("archive", "sweep")
    (told,) = lines(run("archive", "judge", "--json"))
    # Counted from today: no sweep has listed it before. Midnight may have come meanwhile.
    listed_on = date.fromisoformat(told["judge_by"]) - timedelta(days=60)
    assert before <= listed_on <= datetime.now(ZONE).date()
    # While there is one that cannot be used, no other's terms are taken for its own.
    another = to_judge(desk, DOCUMENTATION, at=DUE - timedelta(days=1))
    takes_up("version = 2\n")
    run("archive", "sweep")
    with closing(desk.archive.beside()) as beside, beside.catalog.reading() as connection:
        listed = connection.exec_driver_sql("SELECT recording FROM purposes WHERE judge_by IS NOT NULL").scalars()
        assert another not in list(listed)
