"""The engine that sweeps by itself, and says so where it dares not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.domain.changes import AuditEntry
from softphone.wire.snapshot import CodedText
from tests.journeys.fault_words import begun, sentence
from tests.journeys.stage import Stage, build

pytestmark = pytest.mark.journey

PAST = datetime.now(UTC) - timedelta(days=400)


def remember(on: Stage, index: bytes, *, seen: datetime | None = None) -> None:
    """A party that declined long ago, and what the clock last said."""
    with on.archive() as archive, archive.catalog.writing() as tx:
        values = (index, archive.desk, PAST.isoformat(), (PAST + timedelta(days=365)).date().isoformat())
        tx.connection.exec_driver_sql("INSERT INTO refusals VALUES (?, ?, ?, ?)", values)
        tx.log(AuditEntry("changed", "G33", datetime.now(UTC), ""))
        if seen:
            tx.connection.exec_driver_sql("DELETE FROM meta WHERE name = 'clock-seen'")
            tx.connection.exec_driver_sql("INSERT INTO meta VALUES ('clock-seen', ?)", (seen.isoformat(),))


def remembered(on: Stage) -> int:
    with on.archive() as archive, archive.catalog.reading() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM refusals").scalar_one()


@pytest.mark.rule("G10")
def test_a_running_engine_deletes_nothing_by_a_clock_that_jumped_and_says_so_until_a_person_agrees(
    tmp_path: Path,
) -> None:
    on = build(tmp_path, lines=("n7",))
    remember(on, b"long ago", seen=PAST)

    def doubtful(fault: CodedText) -> bool:
        return fault.code == "error.archive.clock_doubtful"

    on.expects(reason="the clock jumped", maybe=["not done: error.archive.clock_doubtful"])
    with begun(on):
        fault = on.desk.wait(lambda now: next(filter(doubtful, now.faults), None), "the clock's fault")
        assert PAST.date().isoformat() in sentence(fault)
        assert remembered(on) == 1
        on.klartone("sweep", "--clock-is-right")
        assert remembered(on) == 0
        on.end()
    remember(on, b"another")
    with begun(on):
        on.desk.wait_until(lambda: remembered(on) == 0 or None, "the sweep at the start")
        assert not any(doubtful(one) for one in on.desk.wait(lambda now: now, "a snapshot").faults)
        on.end()
    assert on.verified()["ok"]
