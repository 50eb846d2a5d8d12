"""Who declines on a line that calls back is listed, called back unrecorded, and off the list when the agent says so (N4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.domain.purpose import Headline, Reason
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Dial, EndCallBack
from tests.journeys.stage import CUSTOMER, LOOPBACK, Stage, stage

pytestmark = pytest.mark.journey


def _declines(on: Stage, number: str) -> None:
    call = on.call("n4-call-back", number=number)
    on.desk.wait_event("first_sample", call=call)
    on.desk.opt_out(call)
    on.desk.wait_status(lambda one: "call_back_listed" in one.notes, "listed", call)
    on.hang_up(call)


@pytest.mark.rule("N4")
def test_who_declined_is_called_back_unrecorded_and_is_listed_until_the_agent_says_that_it_is_done(
    tmp_path: Path,
) -> None:
    with stage(tmp_path, lines=("n4-call-back",)) as on:
        desk = on.desk
        for number in (CUSTOMER, "+4520123457"):
            _declines(on, number)
        listed = desk.wait(lambda now: now.call_backs if len(now.call_backs) == 2 else None, "two to be called back")
        assert [one.number for one in listed] == [CUSTOMER, "+4520123457"]

        target = f"sip:{CUSTOMER}@{LOOPBACK}:{on.customer.udp}"
        call = desk.do(Dial, account="agent", target=target, line="n4-call-back").result["call"]
        on.customer.wait_for("CallArrived")
        assert len(desk.wait(lambda now: now.call_backs, "the list")) == 2
        on.customer.do("answer")
        desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "connected", call)
        status = desk.wait_status(lambda one: one, "a status", call)
        assert (status.headline, status.reasons[0].reason) == (Headline.NOT_RECORDING, Reason.CALL_BACK)
        assert "person_answered" not in status.actions
        on.hang_up(call)
        # It may have been a machine that answered: only the agent knows whether the promise is kept.
        assert desk.wait(lambda now: now.call_backs, "the list") == listed

        for done in listed:
            desk.do(EndCallBack, call_back=done.id)
        desk.wait(lambda now: not now.call_backs, "nobody is left")
        on.end()
        assert not desk.told("sealed", call=call)
        assert on.row(call) is None
