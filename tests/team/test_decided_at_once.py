"""Two of data protection who decide the same at the same moment, over the service; storage follows what they decide."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from softphone.domain.purpose import KeyRole
from tests.team.desk import NUMBER, Answer, Desk, Made, made
from tests.team.served import Team, whole
from tests.team.test_comparing import is_held

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]


def at_once(desks: list[Desk], path: str, body: dict[str, Any]) -> list[str]:
    """The codes of both answers; empty: it was done."""
    answers: list[Answer] = []
    starts = threading.Barrier(len(desks))

    def ask(desk: Desk) -> None:
        starts.wait(10)
        answers.append(desk.ask("POST", path, body))

    threads = [threading.Thread(target=ask, args=(one,)) for one in desks]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert len(answers) == len(desks)
    return sorted(one.code for one in answers)


def uploaded(desk: Desk, team: Team, *purposes: str, **told: Any) -> Made:
    started = datetime.now(UTC) - told.pop("ago", timedelta(hours=1))
    one = made(team.keys, purposes=purposes, started=started, kept="P3M", number=told.pop("number", None))
    if told.get("restricted"):
        one.told["wraps"] = [it for it in one.told["wraps"] if it["role"] == "custody"]
    one.told |= told
    one.told["purposes"][0]["at_end"] = "review"
    assert whole(desk.upload(one))["state"] == "stored"
    return one


@pytest.mark.rule("G10", "G23")
def test_what_two_decide_at_once_is_decided_once_and_storage_holds_what_is_held(team: Team) -> None:
    agent = team.desk("agent")
    both = [team.desk("custody", agents=[], name=name, key=KeyRole.CUSTODY) for name in ("mette", "karen")]
    held = uploaded(agent, team, "documentation", "training", number=NUMBER)
    due = uploaded(agent, team, "documentation", ago=timedelta(days=100))
    case = uploaded(agent, team, "documentation", restricted="objection")
    raised = {"raised_for": "party", "why": "om prisen"}
    told = whole(agent.ask("POST", "/v1/holds/raise", {"number": NUMBER, **raised}))
    assert (told["named"], told["unnamed"], told["untold"]) == ([], 0, True)
    assert team.command("sweep").status == 0  # whose ids are told to nobody, storage holds by the next sweep
    assert is_held(team, held)
    named = whole(agent.ask("POST", "/v1/holds/raise", {"id": case.recording, **raised}))
    assert (named["named"][0]["recording"], is_held(team, case)) == (case.recording, True)
    shown = whole(both[0].ask("GET", "/v1/holds"))["shown"]["holds"]
    (hold,) = [it["standing"]["hold"]["hold"] for it in shown if it["standing"]["recording"] == held.recording]

    lift = {"hold": hold, "how": "lifted", "reason": "afklaret", "training_may_end": False}
    assert at_once(both, "/v1/holds/end", lift) == 2 * ["error.archive.lift_ends_training"]
    assert is_held(team, held)
    assert at_once(both, "/v1/holds/end", lift | {"training_may_end": True}) == ["", "error.archive.no_such_hold"]
    assert not is_held(team, held)
    gone = ("error.archive.no_such_recording", "error.archive.nothing_to_judge")
    done, late = at_once(both, "/v1/judging/let-go", {"id": due.recording, "reason": "ikke længere"})
    assert (done, late in gone) == ("", True)
    upheld = {"id": case.recording, "uphold": True, "reason": "Kunden har ret."}
    assert at_once(both, "/v1/cases/decide", upheld) == ["", "error.cases.none"]
    assert is_held(team, case)
    assert team.events().count("case_upheld") == team.events().count("judged_ended") == 1
    assert team.events().count("hold_lifted") == 1
    # One that is told twice is taken once.
    no = {"withdrawal": str(uuid4()), "right": "opt_out", "id": held.recording}
    assert at_once(both, "/v1/rights", no) == ["", ""]
    assert team.events().count("opt_out_sought") == 1


@pytest.mark.rule("G10", "G11")
def test_an_agent_finds_out_no_number_by_raising_holds_and_holds_ten_an_hour(team: Team) -> None:
    """What is there is held all the same; a case handler is told of it, and data protection reads who tried."""
    agent, other = team.desk("agent"), team.desk("agent", name="bo", agents=["sip:bo@klartone.test"])
    handler = team.desk("case_handler", name="sofie", agents=[], key=KeyRole.DOCUMENTATION)
    custody = team.desk("custody", name="mette", agents=[], key=KeyRole.CUSTODY)
    theirs = uploaded(agent, team, "documentation", number=NUMBER)
    raised = {"raised_for": "party", "why": "om prisen"}

    def raise_by(desk: Desk, number: str) -> Answer:
        return desk.ask("POST", "/v1/holds/raise", {"number": number, **raised})

    some, none = (whole(raise_by(other, number)) for number in (NUMBER, "+4531000000"))
    assert some == none
    assert (some["named"], some["unnamed"], some["found"], some["first_day"]) == ([], 0, 0, None)
    # Nor by the list of what one has raised.
    assert whole(other.ask("GET", "/v1/holds"))["shown"]["holds"] == []
    assert team.sql("SELECT recording::text FROM holds WHERE lifted_at IS NULL") == [(theirs.recording,)]
    told = [raise_by(other, f"+453100000{n}").status for n in range(1, 10)]
    assert told == 8 * [200] + [429]
    assert team.events().count("holds_by_number_often") == 1
    assert "holds_by_number_often" in whole(custody.ask("GET", "/v1/log/events"))["events"]
    # Whoever may search by number is told, and counted no such thing.
    assert len(whole(raise_by(handler, NUMBER))["named"]) == 1
    # One of their own, by its name, they hold as ever.
    assert whole(other.ask("GET", "/v1/me"))
    assert whole(agent.ask("POST", "/v1/holds/raise", {"id": theirs.recording, **raised}))["named"]
