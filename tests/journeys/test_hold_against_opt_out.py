"""An opt-out takes the last purpose while a dispute's hold stands: what the rules let the hold keep, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Headline, KeyRole, Purpose
from softphone.domain.status import HoldPhase, OptOutKind, Status
from tests.journeys.listening import jumps
from tests.journeys.stage import Stage, shared
from tests.journeys.traces import Traces, note

pytestmark = [pytest.mark.journey, pytest.mark.rule("G04"), pytest.mark.rule("G10")]


on = shared(lines=("n3", "n2"))


def _locked(on: Stage, line: str, by: str) -> tuple[str, Traces]:
    """A yes, a second, and a dispute that the store has confirmed."""
    call = on.call(line)
    on.consent(call)
    on.sealed(call, 1)
    recording = str(on.desk.wait_event("recorder_started", call=call).params["recording"])
    traces = note(on, recording)
    on.desk.dispute(call, by="party" if by == "party" else "controller", why="beløbet")
    status = on.desk.wait_status(
        lambda one: one.hold is not None and one.hold.phase is HoldPhase.LOCKED, "locked", call
    )
    assert status.opt_out.kind == OptOutKind.STOP_AND_DELETE
    assert status.headline is Headline.RECORDING
    return call, traces


def _asks_for_complaint(status: Status) -> bool:
    return [one.id for one in status.choices] == ["kept_for_complaint"]


def _custody_only(on: Stage, call: str, traces: Traces) -> None:
    row = on.row(call)
    assert row is not None
    assert row.opens_for == (KeyRole.CUSTODY,)
    assert row.restricted == "hold_only"
    sound = on.exported(row.recording, KeyRole.CUSTODY)
    assert len(sound) >= 16_000
    assert jumps(sound[:, 0].copy()) == []
    with on.archive() as archive:
        for role in (KeyRole.TRAINING, KeyRole.DOCUMENTATION):
            with pytest.raises(ArchiveError):
                archive.open_recording(row.recording, datetime.now(UTC), role=role)
    assert traces.found_wraps(on, KeyRole.TRAINING, KeyRole.DOCUMENTATION) == 0
    assert traces.found_wraps(on, KeyRole.CUSTODY) >= 1


def _gone(on: Stage, call: str, traces: Traces) -> None:
    assert on.row(call) is None
    assert traces.found_chunks(on.folder) == 0
    assert traces.found_wraps(on) == 0


@pytest.mark.parametrize("chosen", [True, False], ids=["chosen", "by-default"])
def test_raised_by_the_party_and_kept_for_the_complaint_only_custody_can_open_it(on: Stage, chosen: bool) -> None:
    call, traces = _locked(on, "n3", "party")
    on.desk.opt_out(call)
    status = on.desk.wait_status(_asks_for_complaint, "a choice", call)
    assert [(one.id, one.options, one.default) for one in status.choices] == [
        ("kept_for_complaint", ("keep", "delete"), "keep")
    ]
    assert (status.headline, status.recording, status.kept) == (Headline.NOT_RECORDING, (), True)
    if chosen:
        on.desk.choose(call, "kept_for_complaint", "keep")
        on.desk.wait_status(lambda one: not one.choices, "chosen", call)
    on.over(call)
    _custody_only(on, call, traces)
    row = on.row(call)
    assert row is not None
    assert [(hold.raised_for, hold.provisional_until) for hold in row.holds] == [("party", None)]


def test_raised_by_the_party_who_then_wants_it_deleted_nothing_is_left(on: Stage) -> None:
    call, traces = _locked(on, "n3", "party")
    on.desk.opt_out(call)
    on.desk.wait_status(_asks_for_complaint, "a choice", call)
    on.desk.choose(call, "kept_for_complaint", "delete")
    on.desk.wait_status(lambda one: not one.kept, "gone", call)
    on.over(call)
    _gone(on, call, traces)


def test_raised_by_us_with_documentation_it_is_kept_for_fourteen_days_unless_custody_decides(
    on: Stage,
) -> None:
    call, traces = _locked(on, "n2", "controller")
    at = datetime.now(UTC)
    on.desk.opt_out(call)
    status = on.desk.wait_status(lambda one: not one.recording, "stopped", call)
    assert (status.kept, status.choices) == (True, ())
    on.over(call)
    _custody_only(on, call, traces)
    row = on.row(call)
    assert row is not None
    (hold,) = row.holds
    assert hold.raised_for == "controller"
    assert hold.provisional_until is not None
    assert abs(hold.provisional_until - at - timedelta(days=14)) < timedelta(minutes=1)
    on.klartone("sweep", "--now", (at + timedelta(days=13)).date().isoformat())
    assert on.row(call) is not None
    told = on.klartone("sweep", "--now", (at + timedelta(days=15)).date().isoformat())
    assert row.recording in told
    _gone(on, call, traces)


def test_raised_by_us_on_training_alone_the_hold_does_not_stand(on: Stage) -> None:
    call, traces = _locked(on, "n3", "controller")
    on.desk.opt_out(call)
    status = on.desk.wait_status(lambda one: not one.kept, "gone", call)
    assert status.hold is None
    assert Purpose.TRAINING not in status.recording
    on.over(call)
    _gone(on, call, traces)
