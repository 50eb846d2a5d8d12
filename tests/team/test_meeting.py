"""What meets in the house's database: a no and an arrival, a tombstone and an arrival, a revocation and a renewal, two holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Purpose
from softphone.team.rows import afterwards, arriving, cases, holds, proving, rights, signing_in
from softphone.team.rows.arriving import Arrived, Hold, KeptFor
from softphone.team.rows.numbers import number_hash
from softphone.team.rows.pool import Row, asking_of, kept_of
from softphone.team.schema import SERVICE, SIGN_IN, SWEEPER
from tests.days import house_day
from tests.peers.processes import until
from tests.team.house import NUMBER, TRAINING, House, Person, new_id, recorded

NOW = datetime.now(UTC)
TRAINED = KeptFor(Purpose.TRAINING, None, "P3M", house_day(NOW) + timedelta(days=90))


def apart(house: House, login: str = SERVICE) -> psycopg.Connection[Row]:
    made = psycopg.Connection[Row].connect(house.server.conninfo(house.database, login), row_factory=dict_row)
    made.execute("SET search_path = klartone, pg_temp")
    made.commit()
    return made


def in_order(
    house: House,
    first: Callable[[psycopg.Connection[Row]], Any],
    then: Callable[[], Any],
    login: str = SERVICE,
    more: Callable[[psycopg.Connection[Row]], Any] = lambda _: None,
) -> None:
    """The first is done and not committed; the second begins, and waits for it; then the first goes on and is committed."""
    raised: list[BaseException] = []

    def second() -> None:
        try:
            then()
        except BaseException as error:  # noqa: BLE001 - told below
            raised.append(error)

    with apart(house, login) as connection, ExitStack() as ends:
        first(connection)
        thread = threading.Thread(target=second)
        thread.start()
        ends.callback(thread.join)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
        until(lambda: bool(house.owner(waiting, house.database)) or not thread.is_alive(), 10, "the second waits")
        more(connection)
        connection.commit()
    assert raised == []


def as_(who: Person, connection: psycopg.Connection[Row], statement: str, *values: object) -> None:
    connection.execute("SELECT set_config('klartone.asking', %s, true)", [asking_of(who.token)])
    connection.execute(statement.encode(), values)


def stands(house: House, one: Arrived) -> dict[str, str]:
    rows = house.owner("SELECT purpose, stands FROM purposes WHERE recording = %s", one.recording)
    return {row["purpose"]: row["stands"] for row in rows}


def begun(house: House, **told: Any) -> Arrived:
    one = recorded(**told)
    house.ask("anna", arriving.BEGIN, one.recording, one.size, one.digest, 1, f"recordings/{one.recording}")
    return one


@pytest.mark.rule("G04")
@pytest.mark.rule("G31")
@pytest.mark.parametrize("by_number", [False, True])
@pytest.mark.parametrize("arrival_first", [True, False])
def test_a_no_that_meets_an_arrival_counts(house: House, by_number: bool, arrival_first: bool) -> None:
    one = begun(house)
    arrives = (arriving.STORE, one.recording, Jsonb(one.document()))
    party = (None, NUMBER) if by_number else (one.call.group, None)
    no = (rights.TAKE_BACK, new_id(), *party, ["training"], "opt_out", datetime.now(UTC))
    anna, handler = house.people["anna"], house.people["handler"]
    if arrival_first:
        in_order(house, lambda it: as_(anna, it, *arrives), lambda: house.ask("handler", *no))
    else:
        in_order(house, lambda it: as_(handler, it, *no), lambda: house.ask("anna", *arrives))
    assert stands(house, one) == {"documentation": "keeps", "training": "taken_back"}
    assert house.found("lead") == set()


def test_a_tombstone_that_meets_an_arrival_leaves_no_row(house: House) -> None:
    one = begun(house)
    anna = house.people["anna"]
    in_order(
        house,
        lambda it: as_(anna, it, arriving.STORE, one.recording, Jsonb(one.document())),
        lambda: house.as_login(SWEEPER, afterwards.APPLY, one.recording, "k", "withdrawn"),
    )
    assert house.owner("SELECT 1 FROM recordings") == []
    assert len(house.owner("SELECT 1 FROM tombstones")) == 1


def test_a_session_that_is_renewed_while_its_desk_is_revoked_is_dead(house: House) -> None:
    anna = house.people["anna"]
    thumbprint = house.owner("SELECT thumbprint FROM desks WHERE desk = %s", anna.desk)[0]["thumbprint"]
    new = Person("renewed", anna.desk, anna.id)
    hour = timedelta(hours=1)
    values = (kept_of(f"refresh {anna.token}"), thumbprint, new_id(), kept_of(new.token), kept_of("r"), hour, hour)
    house.arrived()

    # Each takes the desk before its sessions: neither is ended for the other's sake.
    in_order(
        house,
        lambda it: it.execute(signing_in.RENEW.encode(), values),
        lambda: house.ask("it", signing_in.REVOKE, anna.desk),
        SIGN_IN,
        lambda it: it.execute(signing_in.RUNS.encode(), (thumbprint, "1")),
    )
    assert house.found(new) == set()


def test_a_key_is_proved_by_what_was_sealed_to_it_once(house: House) -> None:
    theirs = house.arrived()
    for answer in (b"made up", b""):
        values = (TRAINING.value, "t1", answer)
        assert house.value("other_lead", signing_in.PROVED, *values) is False
    assert not house.prove("other_lead", TRAINING, "t1", answer=b"guessed")
    assert house.found("other_lead") == set()
    assert house.prove("other_lead", TRAINING, "t1")
    assert house.found("other_lead") == {theirs}


@pytest.mark.rule("G31")
def test_who_has_a_role_and_no_key_reaches_nothing_by_number_and_an_agent_nothing_old(house: House) -> None:
    old = house.arrived(opened_at=NOW - timedelta(days=60), number=None)
    house.arrived()
    keyless = house.signed_in("new handler", ["case_handler", "custody"])
    group = house.owner("SELECT call_group FROM calls JOIN recordings USING (call) WHERE recording = %s", old)[0][
        "call_group"
    ]
    assert house.ask(keyless, "SELECT number_calls(%s)", NUMBER) == []
    for who, party in ((keyless, (None, NUMBER)), (keyless, (group, None)), ("anna", (group, None))):
        with pytest.raises(psycopg.Error) as refused:
            house.ask(who, rights.TAKE_BACK, new_id(), *party, ["documentation"], "withdrawn", datetime.now(UTC))
        assert refused.value.sqlstate == "KT403"
    # A transferred call: the no of its caller is told to one of its agents, and counts in the whole group for training.
    first = recorded(number=None)
    second = recorded(number=None, agent="bo@nordlys.example", group=first.call.group)
    assert house.ship("anna", first) == house.ship("bo", second) == "stored"
    both = ["documentation", "training"]
    assert (
        house.value("bo", rights.TAKE_BACK, new_id(), first.call.group, None, both, "withdrawn", datetime.now(UTC)) == 2
    )
    assert stands(house, first) == {"documentation": "keeps", "training": "taken_back"}
    assert stands(house, second) == {}


@pytest.mark.rule("G10")
def test_a_hold_that_was_undone_and_raised_again_holds_and_ours_revives_nothing(house: House) -> None:
    one = house.arrived()

    def place(id: str, by: HoldBy = HoldBy.CONTROLLER, on: Any = one) -> bool:
        row = Hold(id, on, by, "a dispute", datetime.now(UTC) - timedelta(minutes=5)).row()
        return bool(house.ask("anna", afterwards.PLACE, Jsonb([row])))

    def held() -> bool:
        return house.owner("SELECT held FROM recordings WHERE recording = %s", one)[0]["held"]

    id = f"{one}-h1"
    assert place(id)
    # A desk's clock that is behind does not count: the minute is the house's.
    assert house.value("anna", afterwards.UNDO, id)
    assert not held()
    assert place(id)
    assert held()
    # The first of two is undone: what it put aside waits for the other.
    assert place(f"{one}-h2")
    assert house.value("anna", afterwards.UNDO, id)
    assert house.found("lead") == set()
    assert house.value("anna", afterwards.UNDO, f"{one}-h2")
    assert house.found("lead") == {one}
    # The party's own is not its raiser's to undo, nor is one of ours that custody has confirmed meanwhile.
    other = house.arrived(number=None)
    assert place(f"{other}-h1", HoldBy.PARTY, other)
    assert place(f"{other}-h2", on=other)
    assert house.value("custody", holds.CONFIRM, f"{other}-h2", date(2030, 1, 1))
    assert not any(house.value("anna", afterwards.UNDO, f"{other}-h{number}") for number in (1, 2))
    ended = "UPDATE purposes SET expires_on = '2020-01-01', ends_at = '2020-01-01' WHERE recording = %s"
    house.owner(ended, one)
    assert not place(f"{one}-h3")
    assert house.sweep()[-1] == ("discarded", None)


@pytest.mark.rule("G32")
def test_a_no_during_a_case_on_grounds_outlives_it_and_nothing_starves_the_sweep(house: House) -> None:
    one = house.arrived()
    assert house.value("anna", cases.HEARD, new_id(), one, "grounds_given", False, NOW)
    due = house.arrived(number=None, purposes=[TRAINED])
    # The grounds' day has come, and documentation keeps the recording: nothing is to be done about it.
    house.owner("UPDATE purposes SET expires_on = '2020-01-01', ends_at = '2020-01-01' WHERE purpose = 'training'")
    assert house.sweep(1) == [("purpose_expired", "training"), ("discarded", None)]
    assert house.found("custody") == {one}
    assert due not in house.found("custody")
    house.owner(
        "UPDATE purposes SET expires_on = current_date + 9, ends_at = now() + interval '9 days' WHERE recording = %s",
        one,
    )
    house.ask("handler", rights.TAKE_BACK, new_id(), None, NUMBER, ["training"], "withdrawn", datetime.now(UTC))
    (case,) = house.ask("custody", cases.TOLD, one)
    settle = (case["number"], one, False, "clearly of use", Jsonb([]), NOW + timedelta(days=30))
    assert house.ask("custody", cases.SETTLE, *settle)[0]["result"] == "kept"
    assert house.found("lead") == set()
    # Objected to, and undecided: it goes on its own day.
    assert house.value("anna", cases.HEARD, new_id(), one, "objection", True, NOW)
    house.owner("UPDATE purposes SET expires_on = '2020-01-01', ends_at = '2020-01-01' WHERE recording = %s", one)
    assert house.sweep()[-1] == ("discarded", None)
    assert house.ask("custody", cases.TOLD, None) == []
    over = "SELECT c.decision, (a.told::jsonb #>> '{params,undecided}')::boolean AS said FROM cases c JOIN audit a"
    over += " ON a.recording = c.recording::text AND a.event = 'recording_discarded' WHERE c.kind = 'objection'"
    assert house.owner(over) == [{"decision": "gone", "said": True}]


def test_a_second_recording_of_a_call_tells_no_other_line_or_group(house: House) -> None:
    first = recorded()
    assert house.ship("anna", first) == "stored"
    for changes in ({"line": "support"}, {"group": new_id()}):
        other = replace(begun(house), call=replace(first.call, **changes))
        with pytest.raises(psycopg.Error) as refused:
            house.ask("anna", arriving.STORE, other.recording, Jsonb(other.document()))
        assert refused.value.sqlstate == "KT409"


def test_a_number_is_found_by_its_key_alone() -> None:
    told = number_hash(bytes(range(32)), "+4520304050").hex()
    assert told == "0392b8e07b7074fcbc620e512cbcb46ea9f3139e4a839bd1cf7961a93db92652"
    assert number_hash(b"x" * 32, "+4520304050").hex() != told
    for key, number in ((b"", "+4520304050"), (b"x" * 32, "20304050"), (b"x" * 32, "+45 20304050")):
        with pytest.raises(ValueError):
            number_hash(key, number)


def test_who_chose_another_isolation_asks_for_nothing(house: House) -> None:
    with apart(house) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(psycopg.Error) as refused:
            as_(house.people["custody"], connection, "SELECT number_calls(%s)", NUMBER)
        assert refused.value.sqlstate == "KT403"
        connection.rollback()


def lost(house: House) -> list[Row]:
    """The database is as one from before anything arrived. What storage has."""
    stones = house.owner("SELECT what, id, at, told FROM stones ORDER BY at")
    for table in ("receipts", "remembered", "cases", "recordings", "calls", "call_notes", "stones"):
        house.owner(f"DELETE FROM {table}")
    return stones


def learnt(house: House, stones: list[Row]) -> None:
    newest = {(one["what"], one["id"]): one for one in stones}
    for one in stones:
        counts = newest[one["what"], one["id"]] is one
        house.as_login(SWEEPER, proving.STONE, one["what"], one["id"], one["at"], Jsonb(one["told"]), counts)


@pytest.mark.rule("G04", "G10", "G23", "G31", "G38")
def test_what_arrived_and_ended_since_a_backup_comes_again_as_it_was_left(house: House) -> None:
    held, lifted, upheld, used, soon, gone = them = [recorded() for _ in range(6)]
    assert {house.ship("anna", one) for one in them} == {"stored"}
    again = (new_id(), "anna@nordlys.example", NUMBER, NOW, house_day(NOW) + timedelta(days=3), NOW + timedelta(days=3))
    seals = Jsonb([{"key_id": "c1", "suite": "s", "sealed": "00"}])
    put = "SELECT note_put(%s, %s, %s, %s, %s, %s, %s)"
    house.ask("anna", put, *again, seals)
    for one, by in ((held, HoldBy.PARTY), (lifted, HoldBy.CONTROLLER)):
        row = Hold(f"{one.recording}-h1", one.recording, by, "w", NOW).row()
        house.ask("anna", afterwards.PLACE, Jsonb([row]))
    assert house.value("anna", afterwards.UNDO, f"{lifted.recording}-h1")
    assert house.value("anna", cases.HEARD, new_id(), upheld.recording, "objection", True, NOW)
    house.ask("anna", "SELECT case_arrived(%s, 'objection', %s)", upheld.recording, NOW)
    case = house.ask("custody", "SELECT number FROM cases_told(%s)", upheld.recording)[0]["number"]
    settled = (case, upheld.recording, True, "yes", Jsonb([]), NOW + timedelta(days=300))
    house.ask("custody", "SELECT * FROM case_settle(%s, %s, %s, %s, %s, %s)", *settled)
    house.ask("lead", "SELECT review_mark(%s, 10, NULL, NULL)", used.recording)
    near = NOW + timedelta(days=2)
    house.ask("lead", "SELECT review_mark(%s, 10, %s, %s)", soon.recording, house_day(near), near)
    for purpose in ("documentation", "training"):
        house.owner("SELECT purposes_end(ARRAY [%s], ARRAY [%s], 'taken_back', 'withdrawn')", gone.recording, purpose)
    house.ask("custody", "SELECT notes_erase(%s, 'sag 117')", NUMBER)
    learnt(house, lost(house))
    # A month later: none has met its recording yet.
    house.owner("UPDATE stones SET at = at - interval '31 days'")
    house.as_login(SWEEPER, proving.STONES_FORGET, timedelta(days=30))
    results = [house.ship("anna", one) for one in them]
    assert results == ["stored", "stored", "stored", "stored", "stored", "erased"]
    assert [row["recording"] for row in house.owner("SELECT recording FROM recordings WHERE held")] == [held.recording]
    roles = "SELECT DISTINCT role FROM wraps WHERE recording = %s ORDER BY role"
    assert [row["role"] for row in house.owner(roles, held.recording)] == ["custody", "documentation"]
    assert stands(house, upheld) == {"documentation": "upheld", "training": "keeps"}
    assert upheld.recording not in house.found("handler")
    assert stands(house, used) == {"documentation": "keeps", "training": "expired"}
    assert used.recording not in house.found("lead")
    ends = "SELECT ends_at FROM purposes WHERE recording = %s AND purpose = 'training'"
    assert house.owner(ends, soon.recording) == [{"ends_at": near}]
    house.ask("anna", put, *again, seals)
    assert house.ask("custody", "SELECT * FROM notes_read(%s)", NUMBER) == []
    # Those that have met theirs go.
    house.as_login(SWEEPER, proving.STONES_FORGET, timedelta(days=30))
    assert house.owner("SELECT what FROM stones WHERE written_at IS NOT NULL") == []


def test_the_service_keeps_nothing_from_storage_by_saying_that_it_lies_there(house: House) -> None:
    house.ask("handler", rights.TAKE_BACK, new_id(), None, NUMBER, ["training"], "withdrawn", datetime.now(UTC))
    told = house.as_login(SERVICE, proving.STONES, 10)
    for one in told:
        house.as_login(SERVICE, proving.STONE_WRITTEN, one["what"], one["id"], one["at"])
    assert house.as_login(SERVICE, proving.STONES, 10) == []
    assert house.as_login(SWEEPER, proving.STONES, 10) == told != []
    for one in told:
        house.as_login(SWEEPER, proving.STONE_WRITTEN, one["what"], one["id"], one["at"])
    assert house.owner("SELECT what FROM stones WHERE written_at IS NULL") == []
