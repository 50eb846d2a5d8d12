"""Data protection's day on the house, by its commands: a party's request by one number, at the desks of everybody at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone.domain.archive.decisions import Overdue
from softphone.domain.purpose import KeyRole
from softphone.house.connection import Connection
from softphone.house.desk_key import DeskKey
from softphone.house.overdue import overdue
from softphone.house.tokens import KeptTokens
from softphone.system.signature import new_signing_key
from tests.days import house_day
from tests.house.joined import Home, publish
from tests.house.test_archive_commands import joined, lists
from tests.team.desk import NUMBER, Desk, Made, made, noted, spoken
from tests.team.served import ANNA, Team, whole

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]
BO = "sip:bo@klartone.test"


def recorded(team: Team, desk: Desk, agent: str, *purposes: str, **told: Any) -> Made:
    started = datetime.now(UTC) - told.pop("ago", timedelta(hours=1))
    which = purposes or ("documentation", "training")
    one = made(team.keys, agent=agent, sound=spoken(1), started=started, purposes=which, kept="P3M")
    for it in one.told["purposes"]:
        it["at_end"] = told.get("at_end", "delete")
    if told.get("restricted"):
        wraps = [it for it in one.told["wraps"] if it["role"] == "custody"]
        one.told |= {"restricted": told["restricted"], "wraps": wraps}
    assert whole(desk.upload(one))["state"] == "stored"
    return one


def says(home: Home, *words: str, status: int = 0) -> str:
    said = home.does(*words)
    assert said.status == status, (words, said)
    assert "Traceback" not in said.err
    return said.out + said.err


@pytest.mark.rule("G08", "G10", "G23", "G31", "G37")
def test_one_number_s_recordings_at_all_desks_are_held_answered_let_go_and_decided_in_one_place(
    team_tls: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    team, key = team_tls, new_signing_key()
    publish(team, 7, key)
    anna, handler, lead, dpo = (Home(tmp_path / name, capsys) for name in ("anna", "sofie", "lars", "mette"))
    joined(team, anna, key, "agent", agents=(ANNA,))
    joined(team, handler, key, "case_handler", KeyRole.DOCUMENTATION)
    joined(team, lead, key, "lead", KeyRole.TRAINING)
    joined(team, dpo, key, "custody", KeyRole.CUSTODY)
    annas, bos = team.desk("agent", agents=[ANNA], name="a"), team.desk("agent", agents=[BO], name="b")
    first, second = recorded(team, annas, ANNA), recorded(team, bos, BO)

    # A complaint, taken by an agent: both desks' recordings are locked, and the agent is told no more.
    said = says(anna, "holds", "raise", "--number", NUMBER, "--by", "party", "--why", "om prisen")
    assert "data protection alone sees" in said
    assert len(lists(lead)) == 0
    raised = [json.loads(line) for line in says(dpo, "holds", "list", "--json").splitlines()]
    assert {(one["recording"], one["why"], one["raised_by"]) for one in raised} == {
        (one.recording, "om prisen", "anna") for one in (first, second)
    }
    hold = next(one["hold"] for one in raised if one["recording"] == first.recording)
    # Who has to decide it hears of it once its day has passed, at the own desk and nobody else.
    assert [overdue(connection(it)) for it in (dpo, handler, anna)] == [Overdue()] * 3
    team.sql("UPDATE holds SET confirm_by = now() - interval '1 hour' WHERE hold = %s", hold)
    assert [len(overdue(connection(it)).holds) for it in (dpo, handler, anna)] == [1, 0, 0]
    assert "locks 1, cases 0" in says(dpo, "archive", "health")
    assert json.loads(says(dpo, "archive", "health", "--json"))["house"] == {"holds_overdue": 1, "cases_overdue": 0}
    said = [says(handler, "archive", "health", *words) for words in ((), ("--here",))]
    assert [("this computer alone" in one, "locks" in one) for one in said] == [(True, False), (False, False)]
    other = next(one["hold"] for one in raised if one["recording"] == second.recording)
    says(dpo, "holds", "confirm", hold, "--look-again", str(house_day(datetime.now(UTC)) + timedelta(days=90)))
    assert "data protection" in says(handler, "holds", "lift", hold, "--reason", "afklaret", status=1).lower()
    for one in (hold[:20], other):
        assert "lifted" in says(dpo, "holds", "lift", one, "--reason", "afklaret nu")
    # Sealed anew at this desk: a lead hears them again.
    assert {row["recording"] for row in lists(lead)} == {first.recording, second.recording}
    wav = tmp_path / "heard.wav"
    says(lead, "archive", "export", second.recording, "--wav", str(wav))
    assert wav.stat().st_size > 2 * 2 * 16_000

    # A request for access: held, copied for the party, answered.
    says(handler, "holds", "raise", "--number", NUMBER, "--for", "access", "--why", "sag 117")
    (access,) = [
        one["hold"]
        for one in map(json.loads, says(dpo, "holds", "list", "--json").splitlines())
        if one["recording"] == first.recording
    ]
    noted(annas, team.keys, "Vil have den blå.")
    assert "Vil have den blå." in says(dpo, "archive", "notes", "--number", NUMBER)
    for number, one in enumerate((first, second)):
        says(dpo, "archive", "export", one.recording, "--wav", str(tmp_path / f"{number}.wav"), "--case", "117")
    assert "request for access" in says(dpo, "holds", "lift", access, "--reason", "forkert her", status=1).lower()
    today = str(house_day(datetime.now(UTC)))
    assert first.recording in says(dpo, "holds", "close", access, "--answered", today)
    says(dpo, "archive", "notes", "--number", NUMBER, "--erase", "--reason", "sag 117")
    assert "Vil have den blå." not in says(dpo, "archive", "notes", "--number", NUMBER)

    # A no, for all of a number and for later: a training alone goes at once.
    alone = recorded(team, bos, BO, "training")
    told = says(dpo, "archive", "opt-out", "--number", NUMBER)
    assert all(one.recording in told for one in (first, second, alone))
    assert lists(lead) == []
    assert alone.recording not in {row["recording"] for row in lists(dpo, "--number", NUMBER)}

    # An objection by letter, of which a case handler hears: a case for data protection, within a month of the letter.
    letter = recorded(team, annas, ANNA, "documentation")
    came = str(house_day(datetime.now(UTC)) - timedelta(days=1))
    assert letter.recording in says(handler, "cases", "new", letter.recording, "--received", came)
    assert letter.recording not in {row["recording"] for row in lists(handler)}
    assert "--received" in says(handler, "cases", "new", letter.recording, "--received", "2999-01-01", status=1)
    # Nothing is there yet, and what comes is met by it.
    told = says(dpo, "cases", "new", "--number", "+4599999999", "--for", "erasure")
    assert "no recording is in the archive" in told
    assert "not sent yet, once it arrives" in told
    assert letter.recording in says(dpo, "cases", "list")
    assert letter.recording in says(
        dpo, "cases", "decide", letter.recording, "--reject", "--reason", "det er et retskrav"
    )

    # What has reached its day, and what was objected to.
    due = recorded(team, annas, ANNA, "documentation", ago=timedelta(days=100), at_end="review")
    objected = recorded(team, bos, BO, "documentation", restricted="objection")
    assert due.recording in says(dpo, "archive", "judge")
    until = str(house_day(datetime.now(UTC)) + timedelta(days=60))
    assert "kept" in says(dpo, "archive", "judge", due.recording, "--keep-until", until, "--reason", "retssag").lower()
    assert due.recording in {row["recording"] for row in lists(handler)}
    assert objected.recording in says(dpo, "cases", "list")
    assert "objection" in says(dpo, "cases", "show", objected.recording[:30]).lower()
    refused = says(handler, "cases", "list", status=1)
    assert refused
    reason = "Kunden har ret, og vi skal ikke bruge den."
    says(dpo, "cases", "decide", objected.recording, "--uphold", "--reason", reason)
    assert objected.recording not in {row["recording"] for row in lists(dpo, "--number", NUMBER)}
    assert NUMBER not in team.log()
    assert NUMBER not in str(team.sql("SELECT told FROM audit"))


def connection(home: Home) -> Connection:
    member = home.folder.read()
    assert member is not None
    key = DeskKey.of(home.keys, member.desk)
    assert key is not None
    tokens = KeptTokens(home.keys, member.desk, home.folder.lock)
    return Connection(member.address, key, tokens, authority=member.authority)
