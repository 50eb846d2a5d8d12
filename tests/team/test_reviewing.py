"""A review in the house's database: several leads at once, sealed words, the call's agent, and its end with the training."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from softphone.domain.purpose import Purpose
from softphone.domain.retention import day_begins
from softphone.team.rows import afterwards, arriving, reviewing, rights
from softphone.team.rows.arriving import KeptFor
from softphone.team.rows.errors import UnavailableError
from softphone.team.rows.pool import Row, Rows
from softphone.team.schema import MIGRATOR, SWEEPER
from tests.days import house_day
from tests.team.house import (
    ANNA,
    CUSTODY,
    DOCUMENTATION,
    KEYS,
    NUMBER,
    SALES,
    TEAMS,
    TRAINING,
    ZONE,
    House,
    new_id,
    recorded,
)

TABLES = ("reviews", "review_scores", "review_comments", "comment_seals", "review_openings")


def seal(key: str, role: str = "training", words: str = "words") -> dict[str, str]:
    return {"role": role, "key_id": key, "suite": "suite", "sealed": words.encode().hex()}


def refused(house: House, who: Any, statement: str, *values: object) -> str | None:
    with pytest.raises(psycopg.Error) as found:
        house.ask(who, statement, *values)
    return found.value.sqlstate


def counts(house: House, who: Any) -> tuple[int, ...]:
    return tuple(house.value(who, f"SELECT count(*) FROM {table}") for table in TABLES)


def two_leads(house: House) -> None:
    """The other lead gets a key of team one too."""
    teams = [{**TEAMS[0], "leads": ["t1", "t3"]}, TEAMS[1]]
    house.policy(2, {**KEYS, TRAINING: ("t1", "t2", "t3")}, teams)
    assert house.prove("other_lead", TRAINING, "t3")


def reviewed(house: House) -> UUID:
    """One with a comment, a score, shared; open by the lead."""
    one = house.arrived(
        keys=[(TRAINING, "t1"), (TRAINING, "t3"), *((role, KEYS[role][0]) for role in KEYS if role is not TRAINING)]
    )
    house.ask("lead", reviewing.OPEN, one)
    house.ask("lead", reviewing.COMMENT, new_id(), one, 16_000, None, Jsonb([seal("t1")]))
    house.ask("lead", reviewing.SCORE, one, "greeting", 4, 0)
    house.ask("lead", reviewing.SHARE, one, False, 0)
    return one


def test_several_leads_review_at_once_and_nobodys_words_are_lost(house: House) -> None:
    two_leads(house)
    one = reviewed(house)
    others = house.ask("other_lead", reviewing.OPEN, one)
    assert [row["person"] for row in others] == [house.people["lead"].id]
    assert refused(house, "other_lead", reviewing.SCORE, one, "greeting", 2, 0) == "KT409"
    assert house.value("other_lead", reviewing.SCORE, one, "greeting", 2, 1) == 2
    assert refused(house, "lead", reviewing.SHARE, one, True, 0) == "KT409"
    assert [row["points"] for row in house.ask("lead", reviewing.SCORES, one)] == [2]
    mine = new_id()
    for _ in range(2):
        house.ask("other_lead", reviewing.COMMENT, mine, one, 5, None, Jsonb([seal("t1"), seal("t3")]))
    assert refused(house, "lead", reviewing.COMMENT, mine, one, 5, None, Jsonb([seal("t1")])) == "KT409"
    assert refused(house, "lead", reviewing.COMMENT, new_id(), one, 5, None, Jsonb([seal("made up")])) == "KT422"
    assert refused(house, "lead", reviewing.COMMENT, new_id(), one, 5, None, Jsonb([])) == "KT422"
    # Each gets what is sealed for a key of theirs.
    assert [bytes(row["sealed"]) for row in house.ask("other_lead", reviewing.COMMENTS, one)] == [b"words"]
    assert house.value("other_lead", "SELECT count(*) FROM review_comments") == 2
    assert not house.value("lead", reviewing.REMOVE, mine)
    assert house.value("other_lead", reviewing.REMOVE, mine)
    house.ask("lead", reviewing.CLOSE, one)
    assert house.ask("other_lead", reviewing.OPEN, one) == []


@pytest.mark.rule("L4")
def test_the_calls_agent_reads_what_is_shared_and_answers_and_nobody_else_does(house: House) -> None:
    two_leads(house)
    one = reviewed(house)
    comment = house.ask("lead", reviewing.COMMENTS, one)[0]["comment"]
    answer = (new_id(), one, 16_000, comment, Jsonb([seal("t1")]))
    assert counts(house, "lead") == (1, 1, 1, 1, 1)
    assert counts(house, "anna") == (0, 0, 0, 0, 0)
    assert refused(house, "anna", reviewing.COMMENT, *answer) == "KT404"
    house.ask("lead", reviewing.SHARE, one, True, 1)
    mine = house.owner("SELECT thumbprint FROM desks WHERE desk = %s", house.people["anna"].desk)[0]["thumbprint"]
    house.ask("lead", reviewing.COMMENT, new_id(), one, 1, None, Jsonb([seal("t1"), seal(mine, "agent", "for anna")]))
    assert counts(house, "anna") == (1, 1, 2, 1, 0)
    assert [bytes(row["sealed"]) for row in house.ask("anna", reviewing.COMMENTS, one)] == [b"for anna"]
    house.ask("anna", reviewing.COMMENT, *answer)
    assert refused(house, "anna", reviewing.COMMENT, new_id(), one, 1, None, Jsonb([seal("t1")])) == "KT404"
    for who in ("bo", "carl", "handler", "custody", "it"):
        assert counts(house, who) == (0, 0, 0, 0, 0), who
    for who in ("anna", "bo", "handler", "custody", "it"):
        for statement, values in (
            (reviewing.OPEN, (one,)),
            (reviewing.SCORE, (one, "greeting", 1, 1)),
            (reviewing.SHARE, (one, False, 2)),
            (reviewing.MARK, (one, 1, None, None)),
        ):
            assert refused(house, who, statement, *values) == "KT403"
    # What a case leaves to custody alone, its review tells nobody either.
    assert house.ask("anna", "SELECT shared_read(%s)", one)
    house.owner("UPDATE recordings SET restricted = 'objection' WHERE recording = %s", one)
    assert counts(house, "anna") == (0, 0, 0, 0, 0)
    assert refused(house, "anna", "SELECT shared_read(%s)", one) == "KT404"
    assert house.ask("anna", "SELECT * FROM shared_reviews()") == []
    assert refused(house, "anna", reviewing.COMMENT, new_id(), *answer[1:]) == "KT404"
    house.owner("UPDATE recordings SET restricted = NULL WHERE recording = %s", one)
    assert counts(house, "anna")[0] == 1
    # A lead of another team is told what somebody is told of a recording that is not there.
    carls = house.arrived("carl")
    assert refused(house, "lead", reviewing.OPEN, carls) == refused(house, "lead", reviewing.OPEN, new_id()) == "KT404"


@pytest.mark.rule("L4")
@pytest.mark.rule("G38")
def test_a_review_is_unseen_while_it_is_held_and_goes_with_the_training(house: House) -> None:
    two_leads(house)
    held, used, kept, taken = (reviewed(house) for _ in range(4))
    hold = {"hold": "h", "recording": str(held), "raised_for": "controller", "raised_by": "bo", "why": "w"}
    house.ask("bo", afterwards.PLACE, Jsonb([{**hold, "at": datetime.now(UTC).isoformat()}]))
    assert refused(house, "lead", reviewing.OPEN, held) == "KT404"
    assert house.ask("lead", reviewing.SCORES, held) == []
    assert house.value("bo", afterwards.UNDO, "h")
    assert len(house.ask("lead", reviewing.SCORES, held)) == 1
    # Marked by the first; the second changes nothing.
    day = house_day(datetime.now(UTC)) + timedelta(days=5)
    assert house.value("lead", reviewing.MARK, kept, 60, day, day_begins(day, ZONE)) is None
    assert house.value("other_lead", reviewing.MARK, kept, 60, None, None) is not None
    training = "SELECT expires_on, stands, reason FROM purposes WHERE recording = %s AND purpose = 'training'"
    assert house.owner(training, kept) == [{"expires_on": day, "stands": "keeps", "reason": None}]
    assert house.value("lead", reviewing.MARK, used, 60, None, None) is None
    assert house.owner(training, used)[0]["reason"] == "reviewed"
    # Never later than on its own day.
    late = day + timedelta(days=1_000)
    only = house.arrived(number=None, purposes=[KeptFor(Purpose.TRAINING, None, "P3M", day)])
    house.value("lead", reviewing.MARK, only, 60, late, day_begins(late, ZONE))
    ends = "SELECT expires_on, ends_at FROM purposes WHERE recording = %s"
    assert house.owner(ends, only) == [{"expires_on": day, "ends_at": day_begins(day, ZONE)}]
    house.ask("handler", rights.TAKE_BACK, new_id(), None, NUMBER, ["training"], "opt_out", datetime.now(UTC))
    assert [house.owner(f"SELECT 1 FROM {table}") for table in TABLES] == [[]] * 5
    assert house.found("handler") == {held, used, kept, taken}


@pytest.mark.rule("L2")
@pytest.mark.rule("L4")
def test_marks_fall_with_their_reviews_and_go_on_only_in_a_team_of_five(house: House) -> None:
    agents = [f"agent{number}@nordlys.example" for number in range(6)]
    teams = [{"team": "six", "agents": agents, "lines": [SALES], "leads": ["t1"]}]
    house.policy(2, None, teams)
    keys = [(TRAINING, "t1"), (CUSTODY, "c1"), (DOCUMENTATION, "d1")]
    made: list[UUID] = []
    for number, agent in enumerate(agents):
        person = house.people[f"agent {number}"] = house.signed_in(f"agent {number}", ["agent"], [agent])
        one = recorded(agent=agent, keys=keys, number=NUMBER if number == 5 else None)
        assert house.ship(person, one) == "stored"
        house.ask("lead", reviewing.SCORE, one.recording, "tone", number, 0)
        made.append(one.recording)

    def told(statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values())[-3:] for row in house.ask("lead", statement)]

    assert told(reviewing.MARKS) == [("tone", 1, number) for number in range(1, 6)]
    for who in ("agent 1", "handler", "custody", "it"):
        for statement in (reviewing.MARKS, reviewing.GROUPS):
            assert refused(house, who, statement) == "KT403"
    assert house.ask("other_lead", reviewing.MARKS) == house.ask("other_lead", reviewing.GROUPS) == []
    # Taken back by the party: in no figure. Used, or over: in the team's, once five are in it.
    house.ask("handler", rights.TAKE_BACK, new_id(), None, NUMBER, ["training"], "opt_out", datetime.now(UTC))
    assert told(reviewing.MARKS) == [("tone", 1, number) for number in range(1, 5)]
    for one in made[1:5]:
        house.value("lead", reviewing.MARK, one, 1, None, None)
    assert told(reviewing.MARKS) == told(reviewing.GROUPS) == []
    assert house.owner("SELECT count(*) AS n FROM review_sum_agents") == [{"n": 4}]
    last = recorded(agent=agents[0], keys=keys, number=None)
    house.ship(house.people["agent 0"], last)
    house.ask("lead", reviewing.SCORE, last.recording, "tone", 10, 0)
    house.owner(
        "UPDATE purposes SET expires_on = '2026-01-01', ends_at = '2026-01-01' WHERE recording = %s", last.recording
    )
    house.sweep()
    assert told(reviewing.GROUPS) == [("tone", 5, 20)]
    assert house.owner("SELECT count(*) AS n FROM review_sum_agents") == [{"n": 0}]
    # What never comes to five goes once nothing that lives can be in it.
    house.owner("UPDATE review_sums SET month = to_char(now() - interval '5 months', 'YYYY-MM'), told = false")
    assert house.as_login(SWEEPER, "SELECT marks_forget()")[0]["marks_forget"] == 1
    figures = house.ask("lead", reviewing.FIGURES, [SALES], agents, "2026-01", "2026-01-01")
    assert {row["what"]: row["number"] for row in figures if row["what"] != "declined"} == {
        "expired_unseen": 1,
        "reviewed": 4,
        "reviewed_on": 4,
    }
    assert refused(house, "lead", reviewing.FIGURES, [SALES], agents[:5], "2026-01", "2026-01-01") == "KT403"


def test_what_was_given_once_or_has_ended_is_not_given_again_before_any_sweep(house: House) -> None:
    one, other = house.arrived(), house.signed_in("anna", ["agent"], [ANNA])
    # No key of documentation without a reason.
    opened = "SELECT * FROM recording_open(%s, 'documentation', %s, '')"
    assert refused(house, "handler", opened, one, "") == "KT422"
    assert len(house.ask("handler", opened, one, "a complaint")) == 1
    # A new key for reading: what was sealed for the former one goes.
    desk = str(house.people["anna"].desk)
    house.ask("anna", "SELECT reading_key_put(%s, %s)", b"r" * 32, b"s" * 64)
    house.ask("lead", reviewing.SHARE, one, True, 0)
    sealed = Jsonb([{"segment": 0, "desk": desk, "suite": "s", "sealed": "aGVq"}])
    house.ask("lead", reviewing.SEAL, one, sealed, Jsonb([]))
    assert len(house.ask("anna", "SELECT * FROM shared_file(%s)", one)) == 1
    house.ask("anna", "SELECT reading_key_put(%s, %s)", b"q" * 32, b"s" * 64)
    assert house.owner("SELECT * FROM review_wraps") == []
    # What has ended is not heard any more, though its keys still lie here until the sweep comes.
    file = "SELECT * FROM recording_file(%s)"
    assert len(house.ask("handler", file, one)) == 1
    house.owner("UPDATE purposes SET ends_at = now() WHERE recording = %s RETURNING purpose", one)
    assert house.owner("SELECT role FROM wraps WHERE recording = %s AND role = 'documentation'", one)
    assert house.ask("handler", file, one) == []
    # An account's password goes to the first desk that asks, as often as it asks.
    house.as_login(MIGRATOR, "SELECT account_set(%s, %s, %s)", ANNA, Jsonb({}), b"sealed")
    given = "SELECT * FROM account_passwords()"
    assert [len(house.ask(who, given)) for who in ("anna", other, "anna")] == [1, 0, 1]
    # 32 GiB a day are begun, and no more.
    house.owner("UPDATE desk_rates SET count = 32::bigint << 30 WHERE what = 'bytes a day' RETURNING desk")
    assert refused(house, "anna", arriving.BEGIN, new_id(), 1, b"d" * 32, 1 << 20, "recordings/x") == "KT429"
    # An invitation from before a restore may have been used.
    code = "SELECT code_make(%s, 'new', '{agent}', %s, '1 day')"
    house.as_login(MIGRATOR, code, b"c" * 32, [ANNA])
    assert len(house.owner("SELECT * FROM codes WHERE used_at IS NULL")) == 1
    house.as_login(SWEEPER, "SELECT restored()")
    assert house.owner("SELECT * FROM codes WHERE used_at IS NULL") == []


@pytest.mark.rule("G33")
@pytest.mark.expected_log("backlog is not counted", reason="the database fails here")
def test_one_counts_the_backlog_and_nobody_queues_for_it_nor_where_it_fails() -> None:
    class Counted(Rows):
        def __init__(self) -> None:
            self.counts, self.done, self.row = 0, asyncio.Event(), {"waiting": {"salg": {"2026-12-01": 1}}}

        async def once(self, token: str, statement: str, *values: object) -> Row | None:
            self.counts += 1
            await self.done.wait()
            if self.counts > 1:
                raise UnavailableError("error.team.unavailable")
            return self.row

    async def all_ask() -> None:
        rows, backlog = Counted(), reviewing.Backlog()

        async def twenty() -> list[Any]:
            return await asyncio.gather(*(backlog.told(rows, "token") for _ in range(20)))

        began = time.monotonic()
        assert await twenty() == [None] * 20
        assert (rows.counts, time.monotonic() - began < 20 * 0.3) == (1, True)
        rows.done.set()
        assert await twenty() == [rows.row["waiting"]] * 20
        assert rows.counts == 1
        backlog._until = 0.0
        assert await twenty() == await twenty() == [None] * 20
        assert rows.counts == 2

    asyncio.run(all_ask())
