"""Finding among 100,000 recordings: an index is read, for whoever asks and however they ask. And what counts as changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from softphone.domain.archive.recordings import AuditRow, Cursor, Query, Wanted
from softphone.domain.purpose import KeyRole
from softphone.team.rows import logged, reviewing
from softphone.team.rows.finding import WRITTEN, Asked
from softphone.team.rows.pool import Rows, asking_of
from softphone.team.schema import SERVICE
from tests.team.house import ANNA, BO, NUMBER, SALES, SUPPORT, House, new_id
from tests.team.many import fill

MANY = 100_000
OWN = datetime.now(UTC) - timedelta(days=7)
DOCUMENTED = {"opens_for": KeyRole.DOCUMENTATION, "sealed_for": (KeyRole.DOCUMENTATION, ("d1",))}
TRAINED = {"opens_for": KeyRole.TRAINING, "sealed_for": (KeyRole.TRAINING, ("t1",)), "lines": (SALES,)}
LONG_AGO = datetime.now(UTC) - timedelta(days=600)
ASKED: dict[str, tuple[str, Query]] = {
    "custody, the newest": ("custody", Query()),
    "custody, a line of few": ("custody", Query(lines=(SUPPORT,))),
    "custody, two agents long ago": ("custody", Query(agents=(ANNA, BO), until=LONG_AGO)),
    "custody, a day": ("custody", Query(since=LONG_AGO, until=LONG_AGO + timedelta(days=1))),
    "custody, what is held": ("custody", Query(held=True)),
    "custody, how an id begins": ("custody", Query(begins="abcd")),
    "custody, a number": ("custody", Query(number="+4520304050")),
    "case handler, the newest": ("handler", Query(**DOCUMENTED)),  # pyright: ignore[reportArgumentType]
    "case handler, a number": ("handler", Query(number="+4520304050", **DOCUMENTED)),  # pyright: ignore[reportArgumentType]
    "agent, own calls": ("anna", Query(agents=(ANNA,), since=OWN)),
    "lead, the team's sample": ("lead", Query(agents=(ANNA, BO), **TRAINED)),  # pyright: ignore[reportArgumentType]
}


@pytest.fixture
def filled(house: House) -> House:
    with house.login(house.server.user).transaction():
        fill(house.login(house.server.user), MANY, ("d1", "t1", "c1"), NUMBER)
    return house


def test_each_page_reads_an_index_whatever_there_is_and_a_deep_one_as_the_first(filled: House) -> None:
    deep = Cursor(LONG_AGO, str(new_id()))
    for name, (who, query) in ASKED.items():
        calls = (
            [row["call"] for row in filled.ask(who, "SELECT call FROM number_calls(%s) AS call", NUMBER)]
            if query.number
            else None
        )
        for after in (None, deep):
            statement, values = Asked(query, after, calls).page(101)
            plan = filled.ask(who, f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)[0]["QUERY PLAN"]
            nodes = list(_nodes(plan if isinstance(plan, list) else json.loads(plan)))
            scans = {one["Node Type"] for one in nodes if one.get("Relation Name") == "recordings"}
            assert scans, name
            assert "Seq Scan" not in scans, (name, after)
            looked_at = sum(
                one["Actual Loops"] * (one["Actual Rows"] + one.get("Rows Removed by Filter", 0))
                for one in nodes
                if one.get("Relation Name") == "recordings"
            )
            assert looked_at <= 600, (name, after, looked_at)
    found = filled.ask("custody", *_flat(Asked(Query(held=True), None, None).page(101)))
    assert len(found) == MANY // 10_000
    # Who asks is found out once a statement, and not for each of fifty recordings.
    with psycopg.connect(filled.server.conninfo(filled.database)) as connection:
        connection.execute(f"SET track_functions = 'all'; SET SESSION AUTHORIZATION {SERVICE}".encode())
        connection.execute(
            "SELECT set_config('klartone.asking', %s, true)", [asking_of(filled.people["handler"].token)]
        )
        assert len(connection.execute("SELECT klartone.number_calls(%s)", [NUMBER]).fetchall()) == 50
        called = dict(connection.execute("SELECT funcname, calls FROM pg_stat_xact_user_functions").fetchall())
    assert (called["i_find_all"], called["my_keys"]) == (1, 2)


def _flat(asked: tuple[str, list[object]]) -> tuple[Any, ...]:
    return asked[0], *asked[1]


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    for one in plan:
        node = one.get("Plan", one)
        yield node
        yield from _nodes(node.get("Plans", []))


def test_what_counts_as_written_is_what_who_asks_may_find(house: House) -> None:
    def now(*who: str) -> list[int]:
        return [house.value(one, WRITTEN) for one in who]

    first = house.arrived("anna")
    before = now("anna", "bo", "lead", "other_lead", "handler")
    house.ask("lead", reviewing.OPEN, first)
    for statement in ("SELECT count(*) FROM recording_open(%s, 'documentation', 'why', '')",):
        assert house.value("handler", statement, first) == 1
    assert now("anna", "bo", "lead", "other_lead", "handler") == before, "what was only looked at"
    house.arrived("carl", line=SUPPORT)
    after = now("anna", "bo", "lead", "other_lead", "handler")
    assert [one != other for one, other in zip(before, after, strict=True)] == [False, False, False, True, True]
    hold = {"hold": "h1", "recording": str(first), "raised_for": "party", "raised_by": "bo", "why": "a dispute"}
    house.ask("bo", "SELECT * FROM holds_place(%s)", Jsonb([{**hold, "at": datetime.now(UTC).isoformat()}]))
    assert [
        one != other for one, other in zip(after, now("anna", "bo", "lead", "other_lead", "handler"), strict=True)
    ] == [*(True, False, True, False, True)]


def test_the_whole_log_is_read_in_pieces_by_keys_alone_and_names_nobody_who_did_not_ask(house: House) -> None:
    house.arrived("anna")
    said = Jsonb({"person": "anna", "of": "nobody", "desk": "nowhere", "why": "x"})
    house.as_login(SERVICE, "SELECT audit_note('clock_off', 'G10', '', NULL, %s)", said)
    # What `verify` believes, only functions say.
    for event in ("sweep_log_cut", "recording_erased", "recording_opened", "x"):
        with pytest.raises(psycopg.Error, match="not from outside"):
            house.as_login(SERVICE, "SELECT audit_note(%s, 'G10', '', NULL, %s)", event, said)

    async def pages() -> tuple[list[AuditRow], list[str]]:
        found, before = list[AuditRow](), None
        async with Rows(house.server.conninfo(house.database, SERVICE), most=1) as rows:
            while True:
                async with rows.asking(house.people["custody"].token) as tx:
                    piece, before = await logged.look(tx, Wanted(), before, 2)
                    if before is None:
                        return [*found, *piece], await logged.events(tx)
                found += piece

    told, kinds = asyncio.run(pages())
    assert kinds == sorted({one.event for one in told})
    assert [one.number for one in told] == list(range(len(told), 0, -1))
    assert (told[0].event, told[0].params) == ("clock_off", {"of": "nobody", "desk": "nowhere", "why": "x"})
    given = (9, 0, None, None, None, None, [], [], False, "", "", 9)
    with house.asking("custody") as connection:
        for way in ("seqscan", "hashjoin", "mergejoin"):
            connection.execute(f"SET LOCAL enable_{way} = off".encode())
        plan = connection.execute(f"EXPLAIN {logged.LOOK}".encode(), given).fetchall()
    assert sum("Index Cond: (person = " in one["QUERY PLAN"] for one in plan) >= 2, plan


def test_the_log_of_a_recording_is_for_who_handles_cases_and_tells_of_no_other_of_its_call(house: House) -> None:
    one = house.arrived("anna")
    other = house.arrived("anna")
    told = house.ask("custody", "SELECT * FROM recording_log(%s)", one)
    assert [row["event"] for row in told] == ["recording_arrived"]
    assert {UUID(row["recording"]) for row in told} == {one}
    call = house.owner("SELECT call FROM recordings WHERE recording = %s", one)[0]["call"]
    # What a desk tells of the call; what is no JSON within is told as nothing, and hides no other entry.
    for number, params in enumerate(('{"notice": "N7"}', "no json"), 1):
        words = {"number": number, "at": "2026-11-01T10:00:00+00:00", "event": "notice_ended", "rule": "G05"}
        text = json.dumps({**words, "call": str(call), "params": params})
        house.owner(
            "INSERT INTO audit VALUES ('desk', %s, now(), 'notice_ended', 'G05', %s, NULL, %s, '', '')",
            *(number, str(call), text),
        )
    told = house.ask("handler", "SELECT * FROM recording_log(%s)", one)
    assert [(row["event"], row["params"].get("notice")) for row in told] == [
        ("notice_ended", "N7"),
        ("notice_ended", None),
        ("recording_arrived", None),
    ]
    assert house.ask("custody", "SELECT * FROM recording_log(%s)", other)[0]["event"] == "recording_arrived"
    house.owner("UPDATE recordings SET documentation_until = '-infinity' WHERE recording = %s", one)
    assert house.ask("handler", "SELECT * FROM recording_log(%s)", one) == []
