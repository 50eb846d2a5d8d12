"""What becomes of the sample is counted once a call, in the transaction of the change, and outlives the call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from softphone.archive.retention.sweep import Swept, sweep
from softphone.archive.review.session import mark_reviewed
from softphone.domain.changes import (
    AddWraps,
    AuditEntry,
    Discard,
    DropWraps,
    HoldBy,
    OpenRecording,
    RememberRefusal,
    Restrict,
    UseDraw,
)
from softphone.domain.purpose import KeyRole, Purpose, Reason
from tests.archive.holds import raise_hold
from tests.archive.review.calls import ANNA, JONAS, answered, reviewable, rings
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene

OVER = AT + timedelta(days=100)
MONTH = "2026-11"


def tallies(desk: Scene) -> dict[tuple[str, str, str, str], int]:
    """By line, agent, month and what."""
    with desk.archive.catalog.reading() as connection:
        asked = "SELECT line, agent, month, what, count FROM sample_tallies WHERE what != 'reviewed_on'"
        return {(row[0], row[1], row[2], row[3]): row[4] for row in connection.exec_driver_sql(asked)}


def counts(desk: Scene) -> dict[str, int]:
    found: dict[str, int] = {}
    for (*_, what), number in tallies(desk).items():
        found[what] = found.get(what, 0) + number
    return found


def says_no(call: str, reason: Reason = Reason.DECLINED_BY_KEY) -> AuditEntry:
    return AuditEntry("purpose_ended", reason.rule, AT, call, params={"purpose": TRAINING, "reason": reason})


def recorded(desk: Scene, call: str, *purposes: Purpose, number: int = 1) -> str:
    recording = f"{call}-{number}"
    desk.commit(OpenRecording(recording, call, AT), desk.segment(recording, 0, *purposes), recording=recording)
    return recording


@pytest.mark.rule("G34")
def test_each_answered_call_that_was_drawn_counts_once_by_its_line_agent_and_month(desk: Scene) -> None:
    for _ in range(3):
        call = answered(desk)
        desk.commit(UseDraw(call, AT))  # the engine says it, and the session
    answered(desk, agent=JONAS, of="support", at=datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    answered(desk, "0 %", of="andet")
    rings(desk)  # nobody answers
    assert tallies(desk) == {
        ("salg", ANNA, MONTH, "drawn"): 3,
        ("support", JONAS, "2026-12", "drawn"): 1,  # in Copenhagen
    }


@pytest.mark.rule("G33")
def test_a_call_counts_as_recorded_with_its_first_segment_for_training_however_many_follow(desk: Scene) -> None:
    call = answered(desk)
    recording = recorded(desk, call, DOCUMENTATION)
    assert counts(desk) == {"drawn": 1}
    desk.commit(AddWraps(recording, TRAINING, (0,)), recording=recording)
    desk.commit(desk.segment(recording, 1, DOCUMENTATION, TRAINING), recording=recording)
    # Not understood: told anew, and begun anew.
    desk.commit(Discard(recording, "not_understood"), recording=recording)
    recorded(desk, call, TRAINING, number=2)
    assert counts(desk) == {"drawn": 1, "recorded": 1}


@pytest.mark.rule("G31")
def test_a_no_counts_once_also_when_the_engine_has_been_started_anew_since(desk: Scene) -> None:
    early, call = answered(desk), answered(desk)
    desk.commit(RememberRefusal(early, AT), entries=(says_no(early),))
    desk.commit(entries=(says_no(early, Reason.WITHDRAWN),))
    recording, withdrawn = recorded(desk, call, DOCUMENTATION, TRAINING), says_no(call, Reason.WITHDRAWN)
    for again in range(2):
        started = Scene(desk.folder, store=desk.memory, recipients=desk.recipients, repairs=False)
        changes = () if again else (DropWraps(recording, KeyRole.TRAINING, "withdrawn"),)
        started.commit(*changes, recording=recording, entries=(withdrawn,))
        started.close()
    assert counts(desk) == {"drawn": 2, "recorded": 1, "declined": 2}
    with desk.archive.catalog.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sample_tallies").all()
    # No call and no number.
    named = {desk.archive.desk, "salg", ANNA, MONTH, "drawn", "recorded", "declined", 1, 2}
    assert {value for row in rows for value in row} == named


@pytest.mark.rule("G31")
@pytest.mark.parametrize(
    "change",
    [DropWraps("r", KeyRole.TRAINING, "declined_by_voice"), Discard("r", "withdrawn"), Restrict("r", "grounds_given")],
)
def test_a_no_after_it_was_recorded_counts_beside_it_and_it_never_expires_unseen(
    desk: Scene, change: DropWraps | Discard | Restrict
) -> None:
    call = answered(desk)
    recording = recorded(desk, call, DOCUMENTATION, TRAINING)
    change = replace(change, recording=recording)
    desk.commit(change, recording=recording, entries=(says_no(call, Reason.WITHDRAWN),))
    sweep(desk.archive, OVER, clock=OVER, witness=OVER)
    assert counts(desk) == {"drawn": 1, "recorded": 1, "declined": 1}


@pytest.mark.rule("G34")
def test_a_month_s_counts_are_forgotten_when_it_lies_more_than_a_year_back(desk: Scene) -> None:
    mark_reviewed(desk.archive, reviewable(desk), "lead-1", AT)
    answered(desk)
    last, gone = datetime(2027, 11, 30, 12, tzinfo=UTC), datetime(2027, 12, 1, 12, tzinfo=UTC)
    sweep(desk.archive, last, clock=last, witness=last)
    assert counts(desk) == {"drawn": 1, "recorded": 1, "reviewed": 1}
    swept = sweep(desk.archive, gone, clock=gone, witness=gone)
    assert [(one.what, one.rule, one.count) for one in swept] == [
        (Swept.TALLIES_FORGOTTEN, "G33", 4)
    ]  # one is a day's, for the pace
    assert [row.event for row in desk.archive.audit_of()][-1] == "sweep_tallies_forgotten"
    assert tallies(desk) == {}


@pytest.mark.rule("G33")
def test_what_expires_before_anybody_reviewed_it_counts_also_under_a_hold(desk: Scene) -> None:
    reviewable(desk)
    raise_hold(desk.archive, reviewable(desk), HoldBy.PARTY, "", "desk-3", AT)
    for _ in range(2):
        sweep(desk.archive, OVER, clock=OVER, witness=OVER)
    assert counts(desk) == {"recorded": 2, "expired_unseen": 2}
