"""What a sweep has to look at is found by the catalog's indexes, a page at a time, and each recording once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from softphone.archive.retention import due, holding, judging
from softphone.archive.retention.sweep import Swept, sweep
from softphone.domain.changes import DropWraps, HoldBy
from softphone.domain.purpose import KeyRole
from tests.archive.holds import raise_hold
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def plan(desk: Scene, asked: Select[Any]) -> list[str]:
    text = str(asked.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with desk.archive.catalog.reading() as connection:
        return [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]


def test_every_question_is_answered_by_an_index(desk: Scene) -> None:
    moment = LATER.replace(year=2027)
    asked = {
        "ix_holds_standing": due.of_holds(moment),
        "ix_purposes_due (<expr><?)": due.of_purposes(moment),
        "ix_purposes_ends (recording=?)": due.of_nothing(),
        "ix_purposes_to_judge (expires_on<?)": judging.of_day(moment),
    }
    for index, question in asked.items():
        steps = plan(desk, question)
        assert any(index in step for step in steps), steps
        assert not any(step == "SCAN purposes" or step == "SCAN holds" for step in steps), steps


@pytest.mark.parametrize("size", [1, 2, 50])
def test_each_recording_that_something_may_be_due_for_is_found_once_and_no_other(desk: Scene, size: int) -> None:
    both = desk.closed(DOCUMENTATION, TRAINING, retention={DOCUMENTATION: "P3M", TRAINING: "P2M"})
    first, held = desk.closed(DOCUMENTATION, retention="P1M"), desk.closed(DOCUMENTATION)
    desk.closed(DOCUMENTATION, retention="P50Y")
    again, alone = desk.closed(DOCUMENTATION, retention="P90Y"), desk.closed(TRAINING, retention="P50Y")
    for recording, why in ((held, "x"), (held, "y"), (again, "x")):
        hold = raise_hold(desk.archive, recording, HoldBy.PARTY, why, "mette", AT)
    # Of this one nothing but the day to look at it again is reached.
    holding.confirm(desk.archive, hold, date(2027, 6, 1), AT)
    hold = raise_hold(desk.archive, alone, HoldBy.PARTY, "x", "mette", AT + timedelta(days=9_999))
    desk.commit(DropWraps(alone, KeyRole.TRAINING, "opted_out"), recording=alone)
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE purposes SET stands = 'taken_back' WHERE recording = ?", (alone,))

    pages = list(due.pages(desk.archive.catalog, LATER, size))

    assert all(len(page) <= size for page in pages)
    found = [recording for page in pages for recording in page]
    assert {*found[:2]} == {held, again}
    assert found[2:] == [first, both, alone]
    # What only stays for a hold is looked at, and nothing is due for it.
    assert not [item for item in sweep(desk.archive, LATER, clock=LATER, dry_run=True) if item.recording == alone]
    holding.lift(desk.archive, hold, "x", desk.policy_recipients, AT)
    assert Swept.DISCARDED in {item.what for item in sweep(desk.archive, LATER, clock=LATER) if item.recording == alone}
