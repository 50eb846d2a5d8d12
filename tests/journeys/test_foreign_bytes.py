"""One byte of SIP that is no UTF-8 takes no desk away: not the ringing one, not one in a call, not the next to come."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Decline, Mute
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, stage
from tests.peers.plain_phone import plain_phone

pytestmark = pytest.mark.journey

NAME = "Søren Møller"


def test_a_latin_1_caller_is_shown_by_name_answered_and_kept_in_todays_calls(tmp_path: Path) -> None:
    name = NAME.encode("latin-1")
    with (
        stage(tmp_path, lines=("n7",)) as on,
        plain_phone(number="+4520000001", name=name) as phone,
        plain_phone(number="+4520000002", name=name) as other,
    ):
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n7"])
        call = on.desk.answer()
        assert call.name == NAME
        other.call(LOOPBACK, on.sip_port, NUMBERS["n7"])
        waits = on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "the second caller")
        on.desk.do(Decline, call=waits.id)
        on.desk.wait(lambda s: [one for one in s.history if one.outcome == "declined"], "the second caller's row")
        on.desk.do(Mute, call=call.id, on=True)
        phone.hang_up()
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call.id)
        names = on.attach().wait(lambda s: [one.name for one in s.history], "a new desk's first snapshot")
        assert set(names) == {NAME}
        on.end()
    assert on.verified()["ok"]
