"""Cases in the house's database: what happens at once, who decides, what follows, and that none prolongs a recording."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from softphone.domain.purpose import Purpose
from softphone.team.rows import cases
from softphone.team.rows.arriving import KeptFor
from tests.days import house_day
from tests.team.house import House, new_id

NOW = datetime.now(UTC)


def refused(house: House, who: str, statement: str, *values: object) -> str | None:
    with pytest.raises(psycopg.Error) as found:
        house.ask(who, statement, *values)
    return found.value.sqlstate


def opening(kind: str, *recordings: UUID, deadline: int = 30, received: datetime = NOW) -> tuple[Any, ...]:
    day = house_day(received) + timedelta(days=deadline)
    over = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1)
    concerns = Jsonb([{"key_id": "c1", "suite": "s", "sealed": "00"}])
    return kind, received, "call", ["number_called"], day, over, concerns, list(recordings)


def state(house: House, recording: UUID) -> tuple[Any, ...]:
    """restricted; how each purpose stands; for whom it is sealed."""
    row = house.owner("SELECT restricted, opened_by FROM recordings WHERE recording = %s", recording)
    stands = house.owner("SELECT stands FROM purposes WHERE recording = %s ORDER BY purpose", recording)
    sealed = sorted(one.partition(":")[0] for one in row[0]["opened_by"]) if row else []
    return (row[0]["restricted"] if row else "gone", [one["stands"] for one in stands], sealed)


def anew(role_key: str) -> Jsonb:
    return Jsonb([{"segment": 0, "key_id": role_key, "suite": "s", "sealed": "00"}])


@pytest.mark.rule("G23")
def test_an_objection_restricts_at_once_and_custody_decides_each_recording_by_itself(house: House) -> None:
    first, second = house.arrived(), house.arrived()
    assert refused(house, "bo", cases.OPEN, *opening("objection", first)) == "KT403"
    number = house.value("anna", cases.OPEN, *opening("objection", first, second))
    for one in (first, second):
        assert state(house, one) == ("objection", ["keeps", "taken_back"], ["custody"])
    assert house.found("handler") == house.found("lead") == set()
    assert house.found("custody") == {first, second}
    for who in ("anna", "handler", "lead", "it"):
        assert refused(house, who, cases.DECIDE, number, first, True, "because", Jsonb([])) == "KT403"
    assert house.value("custody", cases.DECIDE, number, first, True, "not needed any more", Jsonb([])) == "gone"
    assert state(house, first)[0] == "gone"
    assert refused(house, "custody", cases.DECIDE, number, first, False, "again", Jsonb([])) == "KT409"
    assert refused(house, "custody", cases.DECIDE, number, new_id(), True, "other", Jsonb([])) == "KT409"
    assert not house.value("custody", cases.ANSWERED, number)
    assert refused(house, "custody", cases.DECIDE, number, second, False, "a claim", anew("made up")) == "KT422"
    assert house.value("custody", cases.DECIDE, number, second, False, "a claim", anew("d1")) == "not_upheld"
    assert state(house, second) == (None, ["keeps", "taken_back"], ["custody", "documentation"])
    assert house.found("handler") == {second}
    assert [house.value("custody", one, number) for one in (cases.CLOSE, cases.ANSWERED, cases.CLOSE)] == [
        False,
        True,
        True,
    ]
    # The case stands without its recording; custody alone reads whom it concerns.
    assert [row["decision"] for row in house.ask("handler", cases.ABOUT, number)] == ["upheld", "not_upheld"]
    assert [len(house.ask(who, cases.CONCERNS, number)) for who in ("anna", "handler", "custody")] == [0, 0, 1]
    assert house.ask("bo", "SELECT number FROM cases") == house.ask("it", "SELECT number FROM cases") == []


@pytest.mark.rule("G32")
def test_grounds_end_training_at_once_and_bring_it_back_if_custody_does_not_uphold_them(house: House) -> None:
    back, over, unopened = house.arrived(), house.arrived(), house.arrived()
    number = house.value("handler", cases.OPEN, *opening("grounds_given", back, over, unopened))
    assert house.found("lead") == set()
    assert state(house, back) == (None, ["keeps", "taken_back"], ["custody", "documentation"])
    assert house.value("custody", cases.DECIDE, number, back, False, "clearly of use", anew("t1")) == "not_upheld"
    assert house.value("custody", cases.DECIDE, number, over, True, "special grounds", Jsonb([])) == "upheld"
    assert (
        house.value("custody", cases.DECIDE, number, unopened, False, "clearly of use", Jsonb([])) == "training_ended"
    )
    assert house.found("lead") == {back}
    assert [state(house, one)[1][1] for one in (back, over, unopened)] == ["keeps", "upheld", "taken_back"]
    # Training alone: what its grounds were given for waits for custody until its own day, and no longer.
    only = house.arrived(
        number=None, purposes=[KeptFor(Purpose.TRAINING, None, "P3M", house_day(NOW) + timedelta(days=9))]
    )
    house.value("handler", cases.OPEN, *opening("grounds_given", only))
    assert house.found("custody") >= {only}
    assert house.sweep() == []
    house.owner("UPDATE purposes SET expires_on = '2020-01-01', ends_at = '2020-01-01' WHERE recording = %s", only)
    assert house.sweep() == [("discarded", None)]
    assert state(house, only)[0] == "gone"


@pytest.mark.rule("G23")
def test_an_undecided_case_is_overdue_aloud_and_prolongs_nothing(house: House) -> None:
    soon = house.arrived(purposes=[KeptFor(Purpose.DOCUMENTATION, None, "P6M", house_day(NOW) + timedelta(days=9))])
    number = house.value("custody", cases.OPEN, *opening("objection", soon))
    late = house.value("custody", cases.OPEN, *opening("access", received=NOW - timedelta(days=40)))
    due = house.ask("custody", cases.DUE)
    assert [(row["number"], row["overdue"], row["undecided"]) for row in due] == [(late, True, 0), (number, False, 1)]
    assert house.ask("handler", cases.DUE) == due
    assert house.ask("lead", cases.DUE) == house.ask("anna", cases.DUE) == []
    house.owner("UPDATE purposes SET expires_on = '2020-01-01', ends_at = '2020-01-01' WHERE recording = %s", soon)
    assert house.sweep() == [("purpose_expired", "documentation"), ("discarded", None)]
    assert house.value("custody", cases.DECIDE, number, soon, True, "it has gone", Jsonb([])) == "upheld"
    day = house_day(NOW) + timedelta(days=80)
    over = datetime.combine(day, datetime.min.time(), UTC)
    assert not house.value("custody", cases.EXTEND, late, "too late", day, over)
    assert not house.value("custody", cases.EXTEND, number, "too long", day, over + timedelta(days=60))
    assert house.value("custody", cases.EXTEND, number, "many recordings", day, over)
    assert not house.value("custody", cases.EXTEND, number, "again", day, over)
    sealed = opening("erasure", house.arrived())
    wrong = Jsonb([{"key_id": "made up", "suite": "s", "sealed": "00"}])
    assert refused(house, "anna", cases.OPEN, *sealed[:6], wrong, sealed[7]) == "KT422"
