"""A call of earlier, after the engine was started anew: locked by a dispute and unlocked within its minute, then refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.domain.purpose import KeyRole
from softphone.domain.status import DisputeKind, HoldPhase, OptOutKind
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import EndWrapUp, Reopen
from tests.journeys.stage import CUSTOMER, stage

pytestmark = pytest.mark.journey


@pytest.mark.rule("G10")
@pytest.mark.rule("G31")
def test_todays_call_is_disputed_and_opted_out_of_after_the_engine_was_started_anew(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",)) as on:
        call = on.call("n7", CUSTOMER)
        on.desk.wait_event("first_sample", call=call)
        on.sealed(call, 1)
        on.hang_up(call)
        on.end()
        if on.engine.stdin:
            on.engine.stdin.close()

        on.start_engine()
        on.ready()
        desk = on.desk
        past = desk.wait(lambda now: next((row for row in now.history if row.id == call), None), "today's call")
        assert (past.number, past.line, past.outcome, past.kept) == (CUSTOMER, "n7", "both", True)
        desk.do(Reopen, call=call)
        shown = desk.wait_call(lambda one: one.reopened, "taken up again", call)
        assert shown.phase is CallPhase.ENDED
        assert shown.expires

        desk.dispute(call)
        locked = desk.wait_status(lambda one: one.hold and one.hold.phase is HoldPhase.LOCKED, "locked", call)
        assert locked.dispute.kind == DisputeKind.UNDO
        held = on.row(call)
        assert held is not None
        assert set(held.opens_for) == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
        desk.undo_dispute(call)
        status = desk.wait_status(lambda one: one.hold is None, "unlocked", call)
        assert status.opt_out.kind == OptOutKind.TRAINING_ENDS
        free = on.row(call)
        assert free is not None
        assert set(free.opens_for) == set(KeyRole)
        on.exported(free.recording, KeyRole.TRAINING)  # its own wraps, and they open it

        desk.opt_out(call)
        desk.wait_status(lambda one: one.opt_out.kind == OptOutKind.OBJECTION, "opted out", call)
        desk.do(EndWrapUp, call=call)
        desk.wait(lambda now: not now.calls and now.history[0].outcome == "documentation", "the row")
        on.end()
        row = on.row(call)
        assert row is not None
        assert set(row.opens_for) == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
        on.verified()
