"""What data protection does in one place, and what follows: rights by number, holds, judgements, notes, cases that arrive."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Basis, Purpose
from softphone.domain.retention import Ended, answer_by, day_begins
from softphone.team.rows import afterwards, arriving, cases, holds, judging, reviewing, rights, signing_in
from softphone.team.rows.arriving import Hold, KeptFor
from softphone.team.rows.holds import Ends
from softphone.team.rows.pool import Rows
from softphone.team.schema import SERVICE, SWEEPER
from tests.days import house_day
from tests.policies import POLICY
from tests.team.house import ANNA, CARL, CUSTODY, DOCUMENTATION, KEYS, NUMBER, ZONE, House, new_id, recorded

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=14)
DAY = house_day(NOW) + timedelta(days=180)
DOCUMENTED = KeptFor(Purpose.DOCUMENTATION, Basis.LEGITIMATE_INTEREST, "P6M", DAY)
TRAINED = KeptFor(Purpose.TRAINING, Basis.CONSENT, "P6M", DAY)


def refused(house: House, who: str, statement: str, *values: object) -> str | None:
    with pytest.raises(psycopg.Error) as found:
        house.ask(who, statement, *values)
    return found.value.sqlstate


def stands(house: House, recording: UUID) -> dict[str, str]:
    rows = house.owner("SELECT purpose, stands FROM purposes WHERE recording = %s", recording)
    return {row["purpose"]: row["stands"] for row in rows}


def taken(house: House, who: str, right: str, *purposes: str, of: UUID | None = None, id: UUID | None = None) -> Any:
    """(recording if it is told, what ended, whether it is gone, why custody alone opens it), by number unless `of` is given."""
    number = None if of else NUMBER
    rows = house.ask(who, rights.TAKEN, id or new_id(), of, number, right, [*purposes], None, LATER, LATER)
    return [tuple(row.values()) for row in rows]


def raised(house: House, who: str, of: UUID, by: str, why: str = "om prisen") -> str:
    due = Jsonb({ZONE: LATER.isoformat()})
    return house.ask(who, holds.RAISE, of, None, by, why, due)[0]["hold"]


@pytest.mark.rule("G04")
def test_a_consent_taken_back_by_number_ends_what_rests_on_one_also_in_what_arrives_later(house: House) -> None:
    both = house.arrived(purposes=[DOCUMENTED, TRAINED])
    assert (
        refused(house, "anna", rights.TAKEN, new_id(), None, NUMBER, "withdraw", ["training"], None, LATER, LATER)
        == "KT403"
    )
    id = new_id()
    assert taken(house, "handler", "withdraw", "documentation", "training", id=id) == [
        (both, ["training"], False, None)
    ]
    assert taken(house, "handler", "withdraw", "documentation", "training", id=id) == []
    late = house.arrived(purposes=[DOCUMENTED, TRAINED])
    assert [stands(house, one) for one in (both, late)] == 2 * [{"documentation": "keeps", "training": "taken_back"}]
    # A call that was had after it rests on another yes.
    after = house.arrived(purposes=[DOCUMENTED, TRAINED], opened_at=datetime.now(UTC))
    assert stands(house, after)["training"] == "keeps"
    # An opt-out is remembered for the number, and takes what rests on anything; what nothing keeps has gone.
    only = house.arrived(purposes=[replace(TRAINED, basis=None)], opened_at=datetime.now(UTC))
    told = taken(house, "custody", "opt_out", "training")
    assert sorted(told, key=str) == sorted(
        [(after, ["training"], False, None), (only, ["training"], True, None)], key=str
    )
    assert [row["what"] for row in house.ask("bo", afterwards.KNOWN, NUMBER, "salg")] == ["refused"]
    events = [row["event"] for row in house.owner("SELECT event FROM audit WHERE chain = 'service' ORDER BY number")]
    assert events.count("withdraw_sought") == events.count("opt_out_sought") == 1
    assert "no_consent_found" not in events
    assert taken(house, "handler", "withdraw", "documentation") == []
    events = [row["event"] for row in house.owner("SELECT event FROM audit WHERE chain = 'service' ORDER BY number")]
    assert events[-2:] == ["withdraw_sought", "no_consent_found"]


@pytest.mark.rule("G23", "G32", "G37")
def test_what_a_letter_asks_for_meets_what_arrives_later_once_and_later_calls_are_in_no_sample(house: House) -> None:
    came = house_day(NOW) - timedelta(days=3)
    interest = [DOCUMENTED, replace(TRAINED, basis=Basis.LEGITIMATE_INTEREST)]
    late, special, law = (recorded(purposes=interest, opened_at=NOW - timedelta(days=4)) for _ in range(3))
    special = replace(special, call=replace(special.call, notice="N8"))
    law = replace(law, purposes=(replace(DOCUMENTED, basis=Basis.LEGAL_OBLIGATION),))
    asked = (None, NUMBER, "erase", ["documentation", "training"], came, LATER, datetime.max.replace(tzinfo=UTC))
    assert house.ask("custody", rights.TAKEN, new_id(), *asked) == []
    # Nobody's word is remembered for ever.
    (known,) = house.ask("bo", afterwards.KNOWN, NUMBER, "salg")
    assert (known["what"], known["until"] < NOW + timedelta(days=3700)) == ("refused", True)
    assert [house.ship("anna", one) for one in (late, special, law)] == 3 * ["stored"]
    told = {
        (row["recording"], row["kind"], house_day(row["received_at"])) for row in house.ask("custody", cases.TOLD, None)
    }
    assert told == {(one.recording, "objection", came) for one in (late, special)} | {
        (special.recording, "grounds_given", came)
    }
    assert [stands(house, one.recording)["documentation"] for one in (late, special, law)] == 3 * ["keeps"]
    assert [stands(house, one.recording)["training"] for one in (late, special)] == 2 * ["taken_back"]
    assert house.found("handler") == {law.recording}
    # Once decided it is no case again, whatever is asked of what is known.
    (case,) = house.ask("custody", cases.TOLD, late.recording)
    anew = Jsonb([{"role": "documentation", "segment": 0, "key_id": "d1", "suite": "s", "sealed": "00"}])
    house.ask("custody", cases.SETTLE, case["number"], late.recording, False, "of use", anew, LATER)
    assert house.ask("custody", cases.TOLD, late.recording) == []
    assert house.found("handler") == {late.recording, law.recording}
    # The next call is not asked about: it is in no sample, and is kept for documentation.
    after = house.arrived(purposes=interest, opened_at=datetime.now(UTC))
    assert stands(house, after) == {"documentation": "keeps", "training": "taken_back"}
    assert house.ask("custody", cases.TOLD, after) == []


@pytest.mark.rule("G31")
def test_an_opt_out_of_one_recording_reaches_its_whole_call_group_and_tells_the_one_that_was_named(
    house: House,
) -> None:
    group = new_id()
    first, second = house.arrived(group=group, number=None), house.arrived("bo", group=group, number=None)
    told = taken(house, "handler", "opt_out", "training", of=first)
    assert sorted(told, key=str) == sorted(
        [(first, ["training"], False, None), (None, ["training"], False, None)], key=str
    )
    assert stands(house, second)["training"] == "taken_back"
    nobody = (new_id(), new_id(), None, "opt_out", ["training"], None, LATER, LATER)
    assert refused(house, "handler", rights.TAKEN, *nobody) == "KT404"


@pytest.mark.rule("G04")
def test_our_own_hold_against_a_refusal_stands_until_custody_has_to_have_decided_and_a_partys_stays(
    house: House,
) -> None:
    ours, theirs, never, in_call = (house.arrived(purposes=[DOCUMENTED]) for _ in range(4))
    only = house.arrived(purposes=[TRAINED])
    raised(house, "handler", ours, "controller")
    raised(house, "handler", theirs, "party")
    for one in (in_call, only):
        hold = Hold(f"{one}-h1", one, HoldBy.CONTROLLER, "", datetime.now(UTC))
        house.ask("anna", afterwards.PLACE, Jsonb([hold.row()]))
    both = ["documentation", "training"]
    assert house.value("handler", rights.TAKE_BACK, new_id(), None, NUMBER, both, "withdrawn", LATER) == 5
    until = {
        row["recording"]: row["provisional_until"]
        for row in house.owner("SELECT recording, provisional_until FROM holds WHERE lifted_at IS NULL")
    }
    assert until == {ours: LATER, theirs: None, in_call: LATER}  # of training alone, a hold of ours keeps nothing
    assert house.found("custody") == {ours, theirs, in_call}
    agreed = house.arrived(purposes=[replace(DOCUMENTED, basis=Basis.CONSENT)], number=None)
    raised(house, "handler", agreed, "controller")
    # A moment that has passed gives custody a day all the same.
    past = house.arrived(purposes=[replace(DOCUMENTED, basis=Basis.CONSENT)], number=None)
    raised(house, "handler", past, "controller")
    group = house.owner("SELECT call_group FROM calls JOIN recordings USING (call) WHERE recording = %s", past)[0][
        "call_group"
    ]
    house.ask("anna", rights.TAKE_BACK, new_id(), group, None, both, "withdrawn", NOW - timedelta(days=1))
    (ends,) = house.owner("SELECT provisional_until FROM holds WHERE recording = %s", past)
    assert ends["provisional_until"] > NOW + timedelta(hours=23)
    assert taken(house, "handler", "withdraw", "documentation", of=agreed) == [
        (agreed, ["documentation"], False, "hold_only")
    ]
    assert (
        house.owner("SELECT provisional_until FROM holds WHERE recording = %s", agreed)[0]["provisional_until"] == LATER
    )
    assert never not in house.found("custody")
    house.owner("UPDATE holds SET provisional_until = now() - interval '1 second' WHERE provisional_until IS NOT NULL")
    assert sorted(house.sweep(), key=str) == 4 * [("discarded", None)] + 4 * [("hold_void", None)]
    assert house.found("custody") == {theirs}


@pytest.mark.rule("G38")
def test_a_hold_is_not_lifted_where_that_would_end_a_training_unless_it_may(house: House) -> None:
    one = house.arrived()
    hold, access = raised(house, "bo", one, "party"), raised(house, "anna", one, "access")
    assert raised(house, "bo", one, "party") == hold
    assert house.value("custody", holds.END, hold, "answered", "2026-01-01", Jsonb([]), True) == "is_dispute"
    assert house.value("custody", holds.END, access, "lifted", "why", Jsonb([]), True) == "is_access"
    assert house.value("custody", holds.END, access, "answered", str(house_day(NOW)), Jsonb([]), False) == "lifted"
    assert house.value("custody", holds.END, hold, "lifted", "settled", Jsonb([]), False) == "ends_training"
    assert [row["hold"] for row in house.ask("custody", holds.TOLD, "")] == [hold]
    assert [row["role"] for row in house.owner("SELECT DISTINCT role FROM wraps ORDER BY role")] == [
        "custody",
        "documentation",
    ]
    for who in ("anna", "handler", "lead", "it"):
        assert refused(house, who, holds.KEYS, one) == refused(house, who, holds.MEANT, hold[:5]) == "KT403"
    # Nobody hears by them what there is nothing to decide about.
    assert refused(house, "custody", holds.KEYS, house.arrived()) == "KT404"
    keys = house.ask("custody", holds.KEYS, one)
    assert [(row["segment"], row["key_id"], bytes(row["sealed"])) for row in keys] == [(0, "c1", b"custodyc1")]
    assert house.value("custody", holds.END, hold, "lifted", "settled", Jsonb([]), True) == "training_ended"
    assert stands(house, one) == {"documentation": "keeps", "training": "taken_back"}
    told = [
        row["event"] for row in house.owner("SELECT event FROM audit WHERE recording = %s ORDER BY number", str(one))
    ]
    due = house.ask("anna", holds.RAISE, one, None, "access", "kopi", Jsonb({}))[0]["confirm_by"]
    assert due == answer_by(datetime.now(UTC), ZONE)
    # Whoever raises it has no say in when custody is late.
    due = Jsonb({ZONE: "2126-01-01T00:00:00Z"})
    late = house.ask("bo", holds.RAISE, one, None, "party", "igen", due)[0]["confirm_by"]
    assert late < datetime.now(UTC) + timedelta(days=367)
    assert told[-4:] == ["access_answered", "keys_to_decide", "hold_lifted", "training_unopened"]


@pytest.mark.rule("G10")
def test_what_waits_is_told_page_by_page_and_kept_no_longer_than_its_own_period(house: House) -> None:
    house.owner("UPDATE policies SET signed = %s", f'signature\njudge_within = "P10D"\n{POLICY}'.encode())
    over = house_day(NOW) - timedelta(days=2)
    those = [house.arrived(purposes=[replace(DOCUMENTED, expires_on=over, judged_at_end=True)]) for _ in range(3)]
    held = raised(house, "bo", those[0], "party")

    async def asked() -> list[list[tuple[str, date, bool]]]:
        async with Rows(house.server.conninfo(house.database, SERVICE)) as rows:
            pages: list[list[tuple[str, date, bool]]] = []
            after = None
            while True:
                async with rows.asking(house.people["custody"].token) as tx:
                    page = await judging.waiting(tx, after, datetime.now(UTC), 2)
                pages.append([(one.recording, one.judge_by, one.held) for one in page.rows])
                after = page.next
                if after is None:
                    return pages

    async def listed() -> int:
        async with Rows(house.server.conninfo(house.database, SWEEPER)) as rows, rows.nobody() as tx:
            return await afterwards.list_to_judge(tx, datetime.now(UTC), 10)

    by = house_day(NOW) + timedelta(days=10)
    pages = asyncio.run(asked())
    assert [len(page) for page in pages] == [2, 1]
    assert {it for page in pages for it in page} == {(str(one), by, one == those[0]) for one in those}
    assert asyncio.run(listed()) == 3
    assert {row["judge_by"] for row in house.owner("SELECT judge_by FROM purposes")} == {by}
    day = house_day(NOW) + timedelta(days=400)
    anew = Jsonb([{"role": "documentation", "segment": 0, "key_id": "d1", "suite": "s", "sealed": "00"}])
    too_long = (those[1], "documentation", day, day_begins(day, ZONE), "retssag", anew)
    assert refused(house, "custody", judging.KEEP, *too_long) == "KT422"
    keep = (those[1], "documentation", DAY, day_begins(DAY, ZONE), "retssag")
    assert refused(house, "custody", judging.KEEP, *keep, Jsonb([])) == "KT422"  # nobody could open it
    assert house.value("custody", judging.KEEP, *keep, anew)
    assert not house.value("custody", judging.KEEP, *keep, anew)
    assert house.found("handler") == {those[1]}
    assert house.value("custody", judging.END, those[2], ["documentation"], "no longer") == "gone"
    assert house.value("custody", judging.END, those[0], ["documentation"], "no longer") == "kept"
    assert house.value("custody", holds.END, held, "lifted", "settled", Jsonb([]), False) == "erased"
    assert house.found("custody") == {those[1]}


@pytest.mark.rule("G37")
def test_a_note_that_was_erased_stays_away_and_one_past_its_day_goes(house: House) -> None:
    seals = Jsonb([{"key_id": "c1", "suite": "s", "sealed": "aa"}])
    call, other = new_id(), new_id()

    def put(who: str, call: UUID, agent: str, until: datetime = LATER, words: Jsonb = seals) -> None:
        house.ask(who, rights.PUT_NOTE, call, agent, NUMBER, NOW, house_day(until), until, words)

    put("anna", call, "sip:anna@nordlys.example")
    put("anna", call, "anna@nordlys.example")
    put("anna", other, "anna@nordlys.example")
    note = (call, "bo@nordlys.example", NUMBER, NOW, house_day(LATER), LATER)
    assert refused(house, "anna", rights.PUT_NOTE, *note, seals) == "KT403"
    assert refused(house, "bo", rights.PUT_NOTE, *note, seals) == "KT409"
    # Whose call it is, the house knows with its recording: somebody else's note about it gives way, and none comes after it.
    one = recorded()
    put("carl", one.call.id, CARL)
    assert refused(house, "anna", rights.PUT_NOTE, one.call.id, ANNA, *note[2:], seals) == "KT409"
    assert house.ship("anna", one) == "stored"
    put("anna", one.call.id, ANNA)
    assert refused(house, "carl", rights.PUT_NOTE, one.call.id, CARL, *note[2:], seals) == "KT409"
    assert {row["agent"] for row in house.ask("custody", rights.NOTES, NUMBER)} == {ANNA}
    put("anna", one.call.id, ANNA, words=Jsonb([]))
    wrong = Jsonb([{"key_id": "d1", "suite": "s", "sealed": "aa"}])
    assert refused(house, "bo", rights.PUT_NOTE, new_id(), *note[1:], wrong) == "KT422"
    assert {row["call"] for row in house.ask("custody", rights.NOTES, NUMBER)} == {call, other}
    put("anna", other, "anna@nordlys.example", words=Jsonb([]))  # taken away by its agent
    assert house.value("custody", rights.ERASE_NOTES, NUMBER, "sag 117") == 1
    put("anna", call, "anna@nordlys.example")
    put("anna", other, "anna@nordlys.example")
    assert [row["call"] for row in house.ask("custody", rights.NOTES, NUMBER)] == [other]
    house.owner("UPDATE call_notes SET until_at = now() WHERE call = %s", other)
    assert house.ask("custody", rights.NOTES, NUMBER) == []
    assert house.as_login(SWEEPER, afterwards.FORGET) == [{"forget": 1}]
    assert [row["call"] for row in house.owner("SELECT call FROM call_notes")] == [call]
    assert house.owner("SELECT * FROM call_note_seals") == []


def test_a_desk_fills_the_house_with_neither_notes_nor_numbers_nor_figures_nor_anybody_with_proofs(
    house: House,
) -> None:
    words = Jsonb([{"key_id": "c1", "suite": "s", "sealed": "aa" * 10_000}])
    note = ("anna@nordlys.example", NUMBER, NOW, house_day(LATER), LATER)
    number = ("SELECT number_remember(%s, 'refused', '', '', '', now(), now())", NUMBER)

    def after(what: str, count: int) -> None:
        house.owner("UPDATE desk_rates SET count = %s WHERE what = %s RETURNING desk", count, what)

    house.ask("anna", rights.PUT_NOTE, new_id(), *note, words)
    house.ask("anna", *number)
    assert {row["what"] for row in house.owner("SELECT what FROM desk_rates")} >= {"notes a day", "numbers a day"}
    after("notes a day", 5_000)
    assert refused(house, "anna", rights.PUT_NOTE, new_id(), *note, words) == "KT429"
    after("notes a day", 1)
    after("note bytes a day", 16 << 20)
    assert refused(house, "anna", rights.PUT_NOTE, new_id(), *note, words) == "KT429"
    after("numbers a day", 5_000)
    assert refused(house, "anna", *number) == "KT429"
    # Of one desk: others go on.
    house.ask("bo", *number)
    house.ask("bo", rights.PUT_NOTE, new_id(), "bo@nordlys.example", *note[1:], words)
    told = {"agent": "anna@nordlys.example", "what": "drawn", "count": 1}
    far = [told | {"line": "salg", "month": month} for month in ("9999-12", "2001-01", f"{NOW:%Y-%m}")]
    house.ask("anna", reviewing.TALLIES, Jsonb(far))
    assert [row["span"] for row in house.owner("SELECT span FROM sample_tallies")] == [f"{NOW:%Y-%m}"]
    many = [told | {"line": f"line {one}", "month": f"{NOW:%Y-%m}"} for one in range(10_000)]
    assert refused(house, "anna", reviewing.TALLIES, Jsonb(many)) == "KT429"
    # Whoever has no token can have a proof of its own noted: past ones go with the next, without the sweep.
    house.owner(
        "INSERT INTO proofs SELECT decode(md5(n::text), 'hex'), now() - interval '1 second' FROM generate_series(1, 20) n"
        " RETURNING proof"
    )
    assert house.ask("anna", signing_in.PROOF, b"p", LATER) == [{"proof_new": True}]
    assert house.ask("anna", signing_in.PROOF, b"p", LATER) == [{"proof_new": False}]
    assert house.owner("SELECT count(*) FROM proofs") == [{"count": 1}]


@pytest.mark.rule("G23")
def test_a_case_of_a_call_arrives_with_its_recording_and_what_is_upheld_binds_later_calls(house: House) -> None:
    keys = ((CUSTODY, "c1"),)
    one = recorded(purposes=[DOCUMENTED], keys=keys, restricted="objection")
    grounds = recorded(
        purposes=[replace(TRAINED, stands=Ended.TAKEN_BACK, reason="grounds_given")], keys=keys, number=None
    )
    for it in (one, grounds):
        assert house.ship("anna", it) == "stored"
    day = house_day(NOW) + timedelta(days=30)

    arriving = [(one, "objection"), (grounds, "grounds_given"), (one, "objection")]

    async def arrive() -> None:
        async with Rows(house.server.conninfo(house.database, SERVICE)) as rows:
            for it, kind in arriving:
                async with rows.asking(house.people["anna"].token) as tx:
                    await cases.arrived(tx, it.recording, cases.CaseKind(kind), it.opened_at)

    asyncio.run(arrive())
    told = {row["recording"]: row for row in house.ask("custody", cases.TOLD, None)}
    assert told.keys() == {one.recording, grounds.recording}
    assert (told[one.recording]["overdue"], told[one.recording]["goes_on"]) == (False, DAY)
    assert day - timedelta(days=2) < told[one.recording]["deadline"] < day + timedelta(days=3)
    house.owner("UPDATE cases SET overdue_at = received_at + interval '1 second'")
    assert all(row["overdue"] for row in house.ask("custody", cases.TOLD, None))
    number = told[one.recording]["number"]
    assert refused(house, "handler", cases.SETTLE, number, one.recording, True, "why", Jsonb([]), LATER) == "KT403"
    (done,) = house.ask("custody", cases.SETTLE, number, one.recording, True, "not needed", Jsonb([]), LATER)
    assert done == {"result": "gone", "remembered": True}
    assert refused(house, "custody", cases.SETTLE, number, one.recording, True, "again", Jsonb([]), LATER) == "KT404"
    later = recorded(purposes=[DOCUMENTED], opened_at=datetime.now(UTC))
    assert house.ship("anna", later) == "erased"
    # What the law obliges to record, and what the caller said yes to in that call, stays all the same.
    for basis in (Basis.LEGAL_OBLIGATION, Basis.CONSENT):
        stays = recorded(purposes=[replace(DOCUMENTED, basis=basis)], opened_at=datetime.now(UTC))
        assert house.ship("anna", stays) == "stored"
    other_line = recorded(purposes=[DOCUMENTED], opened_at=datetime.now(UTC), line="support")
    assert house.ship("anna", other_line) == "stored"
    # Grounds that are not upheld: training goes on for those whom the policy names, and under a hold once that is lifted.
    whole = recorded(purposes=[TRAINED], keys=keys, number=None, restricted="grounds_given")
    assert house.ship("anna", whole) == "stored"
    arriving[:] = [(whole, "grounds_given")]
    asyncio.run(arrive())
    (case,) = house.ask("custody", cases.TOLD, whole.recording)
    anew = Jsonb([{"role": "training", "segment": 0, "key_id": "t1", "suite": "s", "sealed": "00"}])
    done = house.ask("custody", cases.SETTLE, case["number"], whole.recording, False, "of use", anew, LATER)
    assert (done[0]["result"], house.found("lead")) == ("kept", {whole.recording})
    hold = raised(house, "handler", grounds.recording, "party")
    settle = (told[grounds.recording]["number"], grounds.recording, False, "clearly of use")
    assert house.ask("custody", cases.SETTLE, *settle, Jsonb([]), LATER) == [{"result": "kept", "remembered": False}]
    assert stands(house, grounds.recording) == {"training": "keeps"}
    assert house.value("custody", holds.END, hold, Ends.LIFTED, "settled", anew, False) == "lifted"
    assert house.found("lead") == {whole.recording, grounds.recording}


@pytest.mark.rule("G23")
def test_an_objection_told_again_changes_nothing_and_another_one_is_decided_anew(house: House) -> None:
    one, two = house.arrived(purposes=[DOCUMENTED]), house.arrived(purposes=[DOCUMENTED])
    told = (new_id(), one, "objection", True, NOW)
    anew = Jsonb([{"role": "documentation", "segment": 0, "key_id": "d1", "suite": "s", "sealed": "00"}])

    def open_cases() -> list[int]:
        return [row["number"] for row in house.ask("custody", cases.TOLD, one)]

    assert house.value("anna", cases.HEARD, *told)
    assert house.value("anna", cases.HEARD, new_id(), *told[1:])  # it is decided with the first
    assert (house.found("handler"), len(house.ask("custody", holds.KEYS, one))) == ({two}, 1)
    (number,) = open_cases()
    house.ask("custody", cases.SETTLE, number, one, False, "of use", anew, LATER)
    # A courier's lost answer.
    assert house.value("anna", cases.HEARD, *told)
    assert (open_cases(), house.found("handler")) == ([], {one, two})
    # The caller objects once more: custody alone opens it, and has a case to decide.
    assert house.value("anna", cases.HEARD, new_id(), *told[1:])
    (again,) = open_cases()
    assert (again != number, house.found("handler")) == (True, {two})
    house.ask("custody", cases.SETTLE, again, one, False, "of use", anew, LATER)
    assert house.found("handler") == {one, two}
    # Nobody restricts without a case, nor what the agent finds no more.
    heard = (new_id(), two, "objection", True, NOW)
    assert [house.value(who, cases.HEARD, *heard) for who in ("bo", "anna")] == [False, True]
    (case,) = house.ask("custody", cases.TOLD, two)
    assert case["deadline"] > house_day(NOW) + timedelta(days=27)
    house.owner(
        "UPDATE recordings SET opened_at = opened_at - interval '8 days', arrived_at = arrived_at - interval '8 days'"
    )
    assert refused(house, "anna", cases.HEARD, new_id(), *told[1:]) == "KT403"
    assert house.value("anna", cases.HEARD, *told)
    assert house.found("handler") == {one}


@pytest.mark.rule("G10")
def test_a_desk_prolongs_no_life_and_custody_hears_of_nothing_that_its_keys_do_not_open(house: House) -> None:
    far, over = date(2999, 1, 1), house_day(NOW) - timedelta(days=1)
    waits = replace(DOCUMENTED, judged_at_end=True, judge_by=far)
    living, due = house.arrived(purposes=[waits]), house.arrived(purposes=[replace(waits, expires_on=over)])
    one = recorded(purposes=[DOCUMENTED])
    told = one.document()
    told["purposes"][0]["ends_at"] = "2999-01-01T00:00:00+00:00"
    house.ask("anna", arriving.BEGIN, one.recording, one.size, one.digest, 1 << 20, "k")
    assert house.ask("anna", arriving.STORE, one.recording, Jsonb(told))[0]["result"] == "stored"
    rows = house.owner("SELECT recording, ends_at, judge_by, judge_until FROM purposes")
    ends = {row["recording"]: row["ends_at"] for row in rows}
    assert ends == {living: day_begins(DAY, ZONE), due: day_begins(over, ZONE), one.recording: day_begins(DAY, ZONE)}
    assert {(row["judge_by"], row["judge_until"]) for row in rows} == {(None, None)}
    # One of ours does not keep what has come to its end before a sweep; the party's does.
    ended = house.arrived(purposes=[DOCUMENTED])
    house.owner(
        "UPDATE purposes SET expires_on = %s, ends_at = %s WHERE recording = %s", over, day_begins(over, ZONE), ended
    )
    assert house.ask("carl", holds.RAISE, ended, None, "controller", "om prisen", Jsonb({})) == []
    assert house.sweep() == [("purpose_expired", "documentation"), ("discarded", None)]
    # An id that stands for something else takes nothing back in silence.
    id = new_id()
    assert taken(house, "handler", "opt_out", "training", of=living, id=id) == []
    assert taken(house, "handler", "opt_out", "training", of=living, id=id) == []
    for other in (
        (id, one.recording, None, "opt_out", ["training"]),
        (id, None, NUMBER, "opt_out", ["training"]),
        (id, living, None, "withdraw", ["training"]),
    ):
        assert refused(house, "handler", rights.TAKEN, *other, None, LATER, LATER) == "KT409"
    # A custody key that the policy has dropped: that there is something, and nothing of it.
    house.policy(2, {**KEYS, CUSTODY: ("c2",)})
    keys = ((DOCUMENTATION, "d1"), (CUSTODY, "c2"))
    new = house.arrived(purposes=[DOCUMENTED], keys=keys, number=None)
    old = house.arrived(purposes=[replace(waits, expires_on=over)], keys=keys, number=None)
    raised(house, "bo", new, "party", "very secret words")
    assert house.value("anna", cases.HEARD, new_id(), new, "objection", True, NOW)
    (hold,) = house.ask("custody", holds.TOLD, "")
    (case,) = house.ask("custody", cases.TOLD, new)
    waiting = house.ask("custody", judging.TOLD, None, None, 10)
    assert {hold["hold"], hold["recording"], hold["why"], hold["raised_by"]} == {None}
    assert {case["recording"], case["call"], case["line"]} == {None}
    assert {row["it"]: (row["recording"], row["line"]) for row in waiting} == {due: (due, "salg"), old: (None, None)}
    assert house.ask("bo", holds.TOLD, "")[0]["why"] == "very secret words"
