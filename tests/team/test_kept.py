"""What is kept of a recording and what goes: arrivals, withdrawals, holds, sweeps, and several of them at once."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Basis, Purpose
from softphone.team.rows import afterwards, arriving, holds, rights
from softphone.team.rows.arriving import Hold, KeptFor, Seal
from softphone.team.rows.errors import NotPermittedError, SignedOutError, UnavailableError
from softphone.team.rows.pool import Rows, asking_of
from softphone.team.schema import SERVICE, SWEEPER
from tests.days import house_day
from tests.peers import processes
from tests.team.house import CUSTODY, DOCUMENTATION, NUMBER, TRAINING, House, new_id, recorded

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=14)
DOCUMENTED = KeptFor(Purpose.DOCUMENTATION, None, "P6M", house_day(NOW) + timedelta(days=180))
TRAINED = KeptFor(Purpose.TRAINING, None, "P3M", house_day(NOW) + timedelta(days=90))


def hold(recording: UUID, id: str = "h", by: HoldBy = HoldBy.CONTROLLER, **told: Any) -> Hold:
    return replace(Hold(id, recording, by, "a dispute", datetime.now(UTC)), **told)


def place(house: House, who: str, one: Hold) -> list[UUID]:
    return [row["recording"] for row in house.ask(who, afterwards.PLACE, Jsonb([one.row()]))]


def roles(house: House, recording: UUID) -> set[str]:
    return {row["role"] for row in house.owner("SELECT role FROM wraps WHERE recording = %s", recording)}


def stands(house: House, recording: UUID) -> dict[str, str]:
    asked = "SELECT purpose, stands FROM purposes WHERE recording = %s"
    return {row["purpose"]: row["stands"] for row in house.owner(asked, recording)}


def is_gone(house: House, recording: UUID) -> bool:
    """All rows; the tombstone stands."""
    for table in ("recordings", "purposes", "segments", "wraps", "holds", "receipts"):
        if house.owner(f"SELECT 1 FROM {table} WHERE recording = %s", recording):
            return False
    return len(house.owner("SELECT 1 FROM tombstones WHERE recording = %s", recording)) == 1


def entries(house: House, recording: UUID) -> list[str]:
    asked = "SELECT event FROM audit WHERE recording = %s ORDER BY number"
    return [row["event"] for row in house.owner(asked, str(recording))]


def refused(house: House, who: str, statement: str, *values: object) -> str | None:
    with pytest.raises(psycopg.Error) as found:
        house.ask(who, statement, *values)
    return found.value.sqlstate


@pytest.mark.rule("G04")
@pytest.mark.rule("G31")
def test_what_is_taken_back_ends_at_once_and_reaches_what_arrives_later(house: House) -> None:
    both, training, other = house.arrived(), house.arrived(purposes=[TRAINED]), house.arrived(number=b"x" * 32)
    # An agent takes back neither by recording nor in a colleague's call, and nobody but custody and case handlers by number.
    call = house.owner("SELECT call, call_group FROM calls JOIN recordings USING (call) WHERE recording = %s", both)[0]
    named = (rights.TAKEN, new_id(), both, None, "opt_out", ["training"], None, LATER, LATER)
    marked = (rights.TAKE_BACK_OWN, new_id(), call["call_group"], call["call"], ["training"], "kept_out_of_training")
    assert refused(house, "bo", *named) == refused(house, "bo", *marked) == "KT403"
    assert refused(house, "anna", rights.TAKE_BACK, new_id(), None, NUMBER, ["training"], "opt_out", LATER) == "KT403"
    id = new_id()
    assert house.value("handler", rights.TAKE_BACK, id, None, NUMBER, ["training"], "opt_out", LATER) == 2
    assert house.value("handler", rights.TAKE_BACK, id, None, NUMBER, ["training"], "opt_out", LATER) == 0
    assert stands(house, both) == {"documentation": "keeps", "training": "taken_back"}
    assert roles(house, both) == {"documentation", "custody"}
    assert is_gone(house, training)
    assert stands(house, other)["training"] == "keeps"
    assert house.found("lead") == {other}
    # A call of before, which arrives only now; and one of after, which nobody has taken back.
    late = house.arrived(opened_at=NOW - timedelta(days=2))
    assert stands(house, late)["training"] == "taken_back"
    assert house.ship("anna", recorded(purposes=[TRAINED], opened_at=NOW - timedelta(days=2))) == "erased"
    assert stands(house, house.arrived(opened_at=datetime.now(UTC)))["training"] == "keeps"


@pytest.mark.rule("G04")
@pytest.mark.rule("G31")
def test_a_no_at_one_desk_reaches_what_another_recorded_of_the_call_before_and_no_more_than_that(house: House) -> None:
    no = (None, ["documentation", "training"], "withdrawn", LATER)
    consents = [replace(one, basis=Basis.CONSENT) for one in (DOCUMENTED, TRAINED)]
    here, there, agreed = recorded(number=None), recorded(number=None), recorded(number=None, purposes=consents)
    alone = house.arrived(number=None)
    assert house.ship("anna", here) == "stored"
    # Bo's desk had the call next, and nothing of it was recorded there: the group's id is all that it knows of it.
    for one in (here, there, agreed):
        house.ask("bo", rights.TAKE_BACK, new_id(), one.call.group, *no)
    assert house.ship("anna", there) == "stored", "documentation by interest is no consent, and a colleague's to keep"
    assert house.ship("anna", agreed) == "erased"
    for one in (here.recording, there.recording):
        assert stands(house, one) == {"documentation": "keeps", "training": "taken_back"}
        assert roles(house, one) == {"documentation", "custody"}
    assert stands(house, alone) == {"documentation": "keeps", "training": "keeps"}
    # A call that came from another is no group, and a colleague's.
    then = recorded(number=None, group=here.call.group)
    house.ship("anna", then)
    assert refused(house, "bo", rights.TAKE_BACK, new_id(), then.call.id, *no) == "KT403"
    # An agent who does not find the own call any more takes nothing back in it.
    old = recorded(number=None, opened_at=NOW - timedelta(days=40))
    house.ship("anna", old)
    assert refused(house, "anna", rights.TAKE_BACK, new_id(), old.call.group, *no) == "KT403"


@pytest.mark.rule("G01")
def test_what_an_agent_marks_without_the_caller_reaches_that_call_alone_also_when_it_arrives_later(
    house: House,
) -> None:
    first = recorded(number=None)
    mine, again, late, unheard = (recorded(number=None, group=first.call.id) for _ in range(4))
    theirs = recorded(number=None, group=first.call.id, agent="bo@nordlys.example")
    for who, one in (("anna", first), ("anna", mine), ("anna", again), ("bo", theirs)):
        assert house.ship(who, one) == "stored"
    both = ["documentation", "training"]
    for one in (mine, late, first):
        house.ask("anna", rights.TAKE_BACK_OWN, new_id(), first.call.id, one.call.id, both, "withdrawn")
    # Told for a colleague's call of which nothing has arrived yet.
    house.ask("bo", rights.TAKE_BACK_OWN, new_id(), first.call.id, unheard.call.id, both, "withdrawn")
    assert is_gone(house, mine.recording)
    assert is_gone(house, first.recording)
    assert (house.ship("anna", late), house.ship("anna", unheard)) == ("erased", "stored")
    for one in (again, theirs, unheard):
        assert stands(house, one.recording) == {"documentation": "keeps", "training": "keeps"}


@pytest.mark.rule("G31")
def test_what_is_remembered_of_a_number_is_known_by_its_hash_and_forgotten_on_its_day(house: House) -> None:
    past, soon, later = NOW - timedelta(days=1), NOW + timedelta(hours=1), NOW + timedelta(days=300)
    for what, line, value, until in (
        ("refused", "", "", later),
        ("language", "", "en", later),
        ("upheld", "salg", "", soon),
        ("call_back", "", "", past),
    ):
        who = "custody" if what == "upheld" else "anna"
        purpose = "documentation" if what == "upheld" else ""
        house.ask(who, afterwards.REMEMBER, NUMBER, what, line, purpose, value, past, until)
    assert refused(house, "anna", afterwards.REMEMBER, NUMBER, "upheld", "", "", "", past, later) == "KT403"
    far = NOW + timedelta(days=3_700)
    assert refused(house, "anna", afterwards.REMEMBER, NUMBER, "refused", "", "", "", past, far) == "KT422"

    def known(line: str) -> set[str]:
        return {row["what"] for row in house.ask("bo", afterwards.KNOWN, NUMBER, line)}

    assert known("salg") == {"refused", "language", "upheld"}
    assert known("support") == {"refused", "language"}
    assert house.ask("bo", afterwards.KNOWN, b"x" * 32, "salg") == []
    # A desk that could not ask recorded for training: what was refused before is not used.
    assert stands(house, house.arrived(line="support"))["training"] == "taken_back"
    # What custody has upheld on a line ends too, and then nothing is left of it.
    assert house.ship("anna", recorded()) == "erased"
    assert stands(house, house.arrived(opened_at=past - timedelta(hours=1)))["training"] == "keeps"
    assert house.as_login(SWEEPER, afterwards.FORGET) == [{"forget": 1}]
    assert len(house.owner("SELECT 1 FROM remembered")) == 3
    # What was upheld of one purpose leaves the other.
    house.ask("custody", afterwards.REMEMBER, b"x" * 32, "upheld", "", "documentation", "", past, later)
    assert stands(house, house.arrived(number=b"x" * 32)) == {"documentation": "upheld", "training": "keeps"}


@pytest.mark.rule("G10")
def test_a_hold_takes_training_away_and_keeps_what_ends_until_custody_lifts_it(house: House) -> None:
    one = house.arrived()
    assert place(house, "carl", hold(one)) == [one]
    assert place(house, "carl", hold(one)) == [one]
    assert place(house, "carl", hold(new_id(), "other")) == []
    assert refused(house, "it", afterwards.PLACE, Jsonb([hold(one, "it's").row()])) == "KT403"
    assert roles(house, one) == {"documentation", "custody"}
    assert house.found("lead") == set()
    # Storage is to hold it too. That it does, the database believes the sweep alone; where it lies, who raised it is told.
    taken, said, due = (
        "legal_holds_now(%s)",
        "SELECT legal_hold_done(%s, true)",
        "SELECT recording FROM legal_holds_due",
    )
    assert house.ask("bo", f"SELECT * FROM {taken}", [one]) == []
    assert [row["recording"] for row in house.ask("carl", f"SELECT * FROM {taken}", [one])] == [one]
    assert not house.value("carl", said, one)
    assert len(house.owner(due)) == 1
    assert house.as_login(SWEEPER, said, one) == [{"legal_hold_done": True}]
    assert house.owner(due) == []
    # Undone by its raiser within the minute it is as if it had not been; by nobody else.
    assert not house.value("bo", afterwards.UNDO, "h")
    assert house.value("carl", afterwards.UNDO, "h")
    assert house.found("lead") == {one}
    assert roles(house, one) == {"documentation", "training", "custody"}
    place(house, "carl", hold(one, "late"))
    house.owner("UPDATE holds SET placed_at = placed_at - interval '61 seconds' WHERE hold = 'late'")
    assert not house.value("carl", afterwards.UNDO, "late")
    # What custody has lifted is told as it stands to a desk that asks once more, and not placed anew.
    place(house, "carl", hold(one, "judged"))
    house.owner("UPDATE holds SET lifted_at = now() WHERE hold = 'judged'")
    house.owner("UPDATE hold_words SET lifted_reason = 'lifted' WHERE hold = 'judged'")
    assert place(house, "carl", hold(one, "judged")) == [one]
    assert house.owner("SELECT hold FROM holds WHERE lifted_at IS NULL") == [{"hold": "late"}]
    # Its purposes end, and it stays for custody alone.
    house.ask("handler", rights.TAKE_BACK, new_id(), None, NUMBER, ["documentation", "training"], "withdrawn", LATER)
    assert house.found("handler") == house.found("lead") == set()
    assert house.found("custody") == {one}
    assert roles(house, one) == {"custody"}
    assert house.sweep() == []
    assert refused(house, "handler", holds.END, "late", "lifted", "why", Jsonb([]), True) == "KT403"
    assert house.value("custody", holds.CONFIRM, "late", date(2030, 1, 1))
    assert house.value("custody", holds.END, "late", "lifted", "settled", Jsonb([]), True) == "erased"
    assert house.value("custody", holds.END, "late", "lifted", "settled", Jsonb([]), True) == "none"
    assert is_gone(house, one)
    assert entries(house, one) == [
        *("recording_arrived", "hold_placed", "hold_lifted", "hold_placed", "hold_placed", "hold_provisional"),
        *("hold_confirmed", "hold_lifted"),
        "recording_discarded",
    ]


@pytest.mark.rule("G38")
def test_custody_seals_training_anew_for_keys_of_the_policy_or_it_ends(house: House) -> None:
    one, other = house.arrived(), house.arrived()
    for number, recording in enumerate((one, other)):
        place(house, "anna", hold(recording, f"h{number}"))
    anew = {"role": "training", "segment": 0, "key_id": "t1", "suite": "suite", "sealed": "00"}
    made_up = Jsonb([{**anew, "key_id": "made up"}])
    assert refused(house, "custody", holds.END, "h0", "lifted", "settled", made_up, True) == "KT422"
    assert house.value("custody", holds.END, "h0", "lifted", "settled", Jsonb([anew]), True) == "lifted"
    assert house.found("lead") == {one}
    assert house.value("custody", holds.END, "h1", "lifted", "settled", Jsonb([]), True) == "training_ended"
    assert stands(house, other) == {"documentation": "keeps", "training": "taken_back"}


@pytest.mark.rule("G36")
def test_a_sweep_ends_what_has_reached_its_moment_and_lists_what_is_judged_first(house: House) -> None:
    over = house_day(NOW) - timedelta(days=2)
    ended = house.arrived(purposes=[DOCUMENTED, replace(TRAINED, expires_on=over)])
    gone = recorded(purposes=[replace(TRAINED, expires_on=over)])
    assert house.ship("anna", gone) == "erased"
    judged = house.arrived(purposes=[replace(DOCUMENTED, expires_on=over, judged_at_end=True)])
    void = house.arrived()
    place(house, "anna", hold(void, provisional_until=NOW - timedelta(seconds=1)))
    assert sorted(house.sweep(), key=str) == [("hold_void", None), ("purpose_expired", "training")]
    assert stands(house, ended) == {"documentation": "keeps", "training": "expired"}
    assert stands(house, void) == {"documentation": "keeps", "training": "taken_back"}
    assert house.sweep() == []

    async def listed() -> int:
        async with Rows(house.server.conninfo(house.database, SWEEPER)) as rows, rows.nobody() as tx:
            return await afterwards.list_to_judge(tx, datetime.now(UTC), 10)

    assert asyncio.run(listed()) == 1
    assert asyncio.run(listed()) == 0
    assert roles(house, judged) == {"custody"}
    assert judged not in house.found("handler")
    assert judged in house.found("custody")
    # Nobody has judged it in time.
    house.owner("UPDATE purposes SET judge_by = expires_on, judge_until = ends_at WHERE recording = %s", judged)
    assert house.sweep() == [("not_judged", "documentation"), ("discarded", None)]
    assert is_gone(house, judged)


def test_an_agents_address_is_the_same_however_it_is_told(house: House) -> None:
    one = house.signed_in("dora", ["agent"], ["sip:dora@nordlys.example"])
    told = recorded(agent="sip:dora@nordlys.example", line="support", keys=[(TRAINING, "t2"), (CUSTODY, "c1")])
    assert house.ship(one, told) == "stored"
    assert house.found(one) == house.found("other_lead") == {told.recording}
    assert house.value(one, "SELECT agent FROM recordings") == "dora@nordlys.example"
    teams = [{"team": "three", "agents": ["sip:dora@nordlys.example"], "lines": [], "leads": ["t2"]}]
    house.policy(2, teams=teams)
    assert house.found("other_lead") == {told.recording}


def test_what_a_desk_says_that_is_not_so_is_refused_and_leaves_nothing(house: House) -> None:
    one = recorded()

    def told(**changes: Any) -> str | None:
        other = replace(recorded(), **changes)
        house.ask("anna", arriving.BEGIN, other.recording, 1_000, other.recording.bytes * 2, 1, str(other.recording))
        other = replace(other, digest=other.digest if "digest" in changes else other.recording.bytes * 2)
        return refused(house, "anna", arriving.STORE, other.recording, Jsonb(other.document()))

    segment = one.segments[0]
    assert told(call=replace(one.call, agent="bo@nordlys.example")) == "KT403"
    assert told(digest=b"x" * 32) == "KT422"
    assert told(size=999) == "KT422"
    # What lies under the key of an upload that was given up is nothing of the one that was begun anew.
    assert told(object_key="given-up") == "KT404"
    assert told(call=replace(one.call, started_at=NOW + timedelta(hours=1))) == "KT422"
    for wraps in (
        [Seal(DOCUMENTATION, "d1", "s", b"")],
        [Seal(CUSTODY, "made up", "s", b"")],
        [Seal(CUSTODY, "c1", "s", b""), Seal(TRAINING, "d1", "s", b"")],
    ):
        assert told(segments=(replace(segment, wraps=tuple(wraps)),)) == "KT422"
    only = replace(segment, purposes=(Purpose.DOCUMENTATION,))
    assert told(segments=(only,)) == "KT422"
    # A part of another desk's upload, by its name.
    going_on = recorded()
    house.ask("anna", arriving.BEGIN, going_on.recording, 1_000, going_on.digest, 1, "k")
    house.ask("anna", arriving.NAMED, going_on.recording, "", "u")
    assert refused(house, "bo", arriving.PART, going_on.recording, "u", 1, b"x" * 32, "e") == "KT404"
    assert house.value("bo", arriving.DROP, going_on.recording) is False
    # What an objection restricts is custody's alone, whatever its desk has sealed.
    objected = house.arrived(restricted="objection", number=None)
    assert {row["role"] for row in house.owner("SELECT role FROM wraps")} == {"custody"}
    house.owner("DELETE FROM recordings WHERE recording = %s", objected)
    # Nor does what is held as it arrives open for training.
    held = recorded(number=None)
    assert house.ship("anna", replace(held, holds=(hold(held.recording),))) == "stored"
    assert roles(house, held.recording) == {"documentation", "custody"}
    house.owner("DELETE FROM recordings WHERE recording = %s", held.recording)
    house.owner("DELETE FROM calls")
    # Another desk's, or the same with another sound.
    assert house.ship("anna", one) == "stored"
    for who, receipt in (("bo", "theirs"), ("anna", "mine")):
        house.ask(who, arriving.KEEP_RECEIPT, one.recording, receipt)
    assert house.value("anna", arriving.RECEIPT, one.recording) == "mine"
    assert refused(house, "bo", arriving.BEGIN, one.recording, 1_000, one.digest, 1, "k") == "KT409"
    assert refused(house, "anna", arriving.BEGIN, one.recording, 1_000, b"x" * 32, 1, "k") == "KT409"
    assert house.ask("anna", arriving.STORE, one.recording, Jsonb(one.document()))[0]["result"] == "again"
    assert house.found("custody") == {one.recording}
    assert len(house.owner("SELECT 1 FROM calls")) == 1


def test_the_log_is_one_chain_that_only_grows_and_takes_each_desks_own(house: House) -> None:
    house.arrived()
    rows = house.owner("SELECT number, told, previous, hash FROM audit WHERE chain = 'service' ORDER BY number")
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert _follows(rows)
    made, previous = [], "0" * 64
    for number in (1, 2, 3):
        words = f'{{"number": {number}, "event": "e", "rule": "G10", "call": "", "recording": null, "params": "æ"}}'
        digest = _sha256(previous + words)
        made.append({"number": number, "told": words, "previous": previous, "hash": digest})
        previous = digest
    ship = "SELECT audit_ship(%s)"
    assert house.value("anna", ship, Jsonb(made[:2])) == 2
    assert house.value("anna", ship, Jsonb(made)) == 3
    assert refused(house, "anna", ship, Jsonb([{**made[2], "hash": "0" * 64}])) == "KT409"
    assert refused(house, "anna", ship, Jsonb([{**made[2], "number": 4}])) == "KT409"
    assert refused(house, "anna", ship, Jsonb([{**made[2], "number": 4, "previous": made[2]["hash"]}])) == "KT422"
    assert house.value("bo", ship, Jsonb([])) is None


def test_a_tombstone_lies_in_the_store_before_it_says_erased_and_takes_what_a_restore_brought_back(
    house: House,
) -> None:
    one = house.arrived()
    house.ask("handler", rights.TAKE_BACK, new_id(), None, NUMBER, ["documentation", "training"], "withdrawn", LATER)
    assert [row["recording"] for row in house.as_login(SWEEPER, afterwards.TOMBSTONES, 10)] == [one]
    assert house.as_login(SWEEPER, afterwards.ERASED, one)[0]["tombstone_erased"] is False
    house.as_login(SWEEPER, afterwards.WRITTEN, one)
    assert house.as_login(SWEEPER, afterwards.ERASED, one)[0]["tombstone_erased"] is True
    assert house.as_login(SWEEPER, afterwards.TOMBSTONES, 10) == []
    # It never comes again.
    assert house.ask("anna", arriving.BEGIN, one, 1_000, one.bytes * 2, 1, "k")[0]["state"] == "erased"
    # Yesterday's database has one that the store says is gone.
    back = house.arrived(number=None)
    assert (
        house.as_login(SWEEPER, afterwards.APPLY, back, f"recordings/{back}", "withdrawn")[0]["tombstone_apply"] is True
    )
    assert (
        house.as_login(SWEEPER, afterwards.APPLY, back, f"recordings/{back}", "withdrawn")[0]["tombstone_apply"]
        is False
    )
    assert is_gone(house, back)


@pytest.mark.parametrize("times", [20, pytest.param(1_000, marks=pytest.mark.torture)])
def test_two_sweepers_and_a_hold_at_once_keep_what_is_held_and_leave_nothing_twice(house: House, times: int) -> None:
    """Either the hold was first, and the recording is there and held; or the sweep was, and the hold is told that it is not."""
    held = 0
    logins: dict[str, list[psycopg.Connection[Any]]] = {SWEEPER: [], SERVICE: []}
    for login in (SWEEPER, SWEEPER, SERVICE):
        made = psycopg.connect(house.server.conninfo(house.database, login), autocommit=True)
        made.execute("SET search_path = klartone, pg_temp")
        logins[login].append(made)
    token = house.people["anna"].token
    for number in range(times):
        one = house.arrived(number=None, purposes=[replace(TRAINED, expires_on=house_day(NOW) + timedelta(days=3))])
        house.owner("UPDATE purposes SET expires_on = '2020-01-01', ends_at = '2020-01-01' WHERE recording = %s", one)
        start, placed = threading.Barrier(3), list[Any]()

        def sweep(connection: psycopg.Connection[Any], start: threading.Barrier = start) -> None:
            start.wait()
            connection.execute("SELECT * FROM sweep(10)")

        def hold_it(
            one: UUID = one, number: int = number, placed: list[Any] = placed, start: threading.Barrier = start
        ) -> None:
            connection = logins[SERVICE][0]
            start.wait()
            with connection.transaction():
                connection.execute("SELECT set_config('klartone.asking', %s, true)", [asking_of(token)])
                placed += connection.execute(
                    afterwards.PLACE, [Jsonb([hold(one, f"h{number}", HoldBy.PARTY).row()])]
                ).fetchall()

        works: list[Callable[[], None]] = [
            lambda: sweep(logins[SWEEPER][0]),
            lambda: sweep(logins[SWEEPER][1]),
            hold_it,
        ]
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        there = bool(house.owner("SELECT 1 FROM recordings WHERE recording = %s", one))
        assert there == bool(placed)
        if there:
            assert roles(house, one) <= {"custody", "documentation"}
            assert house.owner("SELECT held FROM recordings WHERE recording = %s", one) == [{"held": True}]
        else:
            assert is_gone(house, one)
            assert entries(house, one).count("recording_discarded") == 1
        held += there
    assert _follows(
        house.owner("SELECT number, told, previous, hash FROM audit WHERE chain = 'service' ORDER BY number")
    )
    for each in logins.values():
        for made in each:
            made.close()
    print(f"{held} of {times} were held")


def test_a_transaction_of_rows_is_one_persons_and_a_refusal_is_logged_before_it_is_raised(house: House) -> None:
    house.arrived()

    async def tried() -> None:
        async with Rows(house.server.conninfo(house.database, SERVICE), most=2) as rows:
            async with rows.asking(house.people["anna"].token) as tx:
                assert await tx.value("SELECT count(*) FROM recordings") == 1
            async with rows.nobody() as tx:
                assert await tx.value("SELECT count(*) FROM recordings") == 0
            with pytest.raises(NotPermittedError):
                async with rows.asking(house.people["lead"].token) as tx:
                    await afterwards.known(tx, NUMBER, "salg")
            with pytest.raises(SignedOutError):
                async with rows.asking("made up") as tx:
                    await afterwards.known(tx, NUMBER, "salg")
            house.owner(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND datname = %s",
                SERVICE,
                house.database,
            )
            with pytest.raises(UnavailableError):
                await cut_off(rows)

    async def cut_off(rows: Rows) -> None:
        """Whoever goes on after that has written nothing, and is told so at the end too."""
        async with rows.asking(house.people["anna"].token) as tx:
            assert await tx.value("SELECT count(*) FROM recordings") == 1
            house.owner(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND datname = %s",
                SERVICE,
                house.database,
            )
            with pytest.raises(UnavailableError):
                await tx.value("SELECT 1")

    asyncio.run(tried())
    last = house.owner("SELECT event, told FROM audit ORDER BY number DESC LIMIT 1")[0]
    assert last["event"] == "refused"
    assert '"deed": "number_known"' in last["told"]
    assert str(house.people["lead"].id) in last["told"]


def test_a_no_that_is_counted_and_one_that_is_logged_first_never_wait_for_each_other(house: House) -> None:
    one, other = house.arrived(), house.arrived()
    house.owner("UPDATE purposes SET basis = 'consent'")
    group = house.owner("SELECT call_group FROM calls JOIN recordings USING (call) WHERE recording = %s", one)[0]
    back = "SELECT take_back(%s, %s, NULL, '{training}', 'withdrawn')"
    right = "SELECT * FROM right_taken(%s, %s, NULL, 'withdraw', '{training}', NULL, now() + interval '1 day', NULL)"
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = %s"
    with psycopg.connect(house.server.conninfo(house.database, SERVICE)) as agent:
        agent.execute("SET search_path = klartone, pg_temp")
        agent.execute("SELECT set_config('klartone.asking', %s, true)", [asking_of(house.people["anna"].token)])
        behind = threading.Thread(target=agent.execute, args=(back, [new_id(), group["call_group"]]))
        with house.asking("handler") as handler:
            handler.execute("SELECT audit_note('refused', 'G31', '', NULL, '{}')")
            behind.start()
            processes.until(lambda: bool(house.owner(waits, SERVICE)), 20, "one waits")
            assert len(handler.execute(right, [new_id(), other]).fetchall()) == 1
        behind.join()


def _follows(rows: list[Any]) -> bool:
    previous = "0" * 64
    for row in rows:
        if row["previous"] != previous or row["hash"] != _sha256(previous + row["told"]):
            return False
        previous = row["hash"]
    return True


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
