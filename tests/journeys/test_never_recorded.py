"""Numbers and extensions that are never recorded, the other side's and our own, as real SIP names them (G01)."""

from __future__ import annotations

import pytest

from softphone.domain.purpose import Headline, Reason
from softphone.wire.snapshot import Account, CallPhase
from softphone.wire.to_engine import Dial
from tests.journeys.fault_words import save
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import CUSTOMER, LOOPBACK, Stage, shared

pytestmark = pytest.mark.journey

CHIEF, EXTENSION = "+4520123499", "204"

on = shared(lines=("n1", "n7"), each=f'never_record = ["{NUMBERS["n1"]}", "{CHIEF}", "{EXTENSION}"]')


@pytest.mark.rule("G01")
@pytest.mark.parametrize(("line", "number"), [("n1", CUSTOMER), ("n7", CHIEF)], ids=["number called", "who calls"])
def test_a_call_of_such_a_number_is_neither_announced_nor_recorded(on: Stage, line: str, number: str) -> None:
    call = on.call(line, number=number)
    status = on.desk.wait_status(lambda one: one, "a status", call)
    assert (status.headline, status.reasons[0].reason) == (Headline.NOT_RECORDING, Reason.NEVER_RECORD)
    on.over(call)
    assert not on.desk.told("notice_started", call=call)


@pytest.mark.rule("G01")
def test_a_call_of_another_number_is_recorded(on: Stage) -> None:
    call = on.call("n7", number=CUSTOMER)
    on.desk.wait_event("first_sample", call=call)
    on.over(call)


@pytest.mark.rule("G01")
def test_a_call_that_is_made_from_such_an_extension_is_not_recorded_whatever_its_line(on: Stage) -> None:
    save(on, accounts=(Account(EXTENSION, f"{EXTENSION}@{LOOPBACK}", register=False),))
    target = f"sip:customer@{LOOPBACK}:{on.customer.udp}"
    call = on.desk.do(Dial, account=EXTENSION, target=target, line="n7").result["call"]
    on.customer.wait_for("CallArrived")
    on.customer.do("answer")
    on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "connected", call)
    status = on.desk.wait_status(lambda one: one, "a status", call)
    assert (status.headline, status.reasons[0].reason) == (Headline.NOT_RECORDING, Reason.NEVER_RECORD)
    on.over(call)
