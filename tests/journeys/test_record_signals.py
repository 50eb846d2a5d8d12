"""RFC 7866 through the real engine: a record-aware phone is told of every change, and its own wish is heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.status import PurposePhase
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, stage
from tests.peers.plain_phone import plain_phone
from tests.peers.processes import until

pytestmark = pytest.mark.journey


@pytest.mark.rule("G31")
def test_who_is_record_aware_is_told_of_each_change_and_heard_and_nobody_else_is_told_anything(
    tmp_path: Path,
) -> None:
    with stage(tmp_path, lines=("n7",)) as on, plain_phone() as phone:
        desk = on.desk
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n7"], attributes=["recordpref:nopreference"])
        call = desk.answer().id
        assert desk.wait_event("preference", call=call).params["wish"] == "nopreference"
        phone.wait_for("INVITE", "a=record:on")
        desk.wait_status(lambda one: "pause_sensitive" in one.actions, "recording", call)
        desk.act(call, "pause_sensitive")
        phone.wait_for("INVITE", "a=record:paused")
        desk.wait_status(lambda one: "resume" in one.actions, "paused", call)
        desk.act(call, "resume")
        desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", call)
        until(lambda: phone.count("ACK") == 3, 10, "the third signal done: else the two offers would cross")

        # A wish for a pause is no refusal: heard, told, and nothing ends by it.
        phone.offer(attributes=["recordpref:pause"])
        desk.wait_event("preference", call=call, wish="pause")
        phone.wait_for("SIP/2.0 200", "a=record:on")
        status = desk.call(call).status
        assert status is not None
        assert status.headline is Headline.RECORDING

        phone.offer(attributes=["recordpref:off"])
        desk.wait_event("preference", call=call, wish="off")
        status = desk.wait_status(
            lambda one: one.purposes[Purpose.TRAINING].phase is PurposePhase.ENDED, "training is over", call
        )
        assert Reason.OBJECTION in status.pauses
        assert phone.count("UPDATE") == 0
        phone.hang_up()
        desk.wait_event("ended", call=call)
        told = [line for text in phone.heard for line in text.splitlines() if line.startswith("a=record:")]
        assert [*dict.fromkeys(told)] == ["a=record:on", "a=record:paused"]

        with plain_phone(number="+4520123457", aware=False) as unaware:
            unaware.call(LOOPBACK, on.sip_port, NUMBERS["n7"])
            call = desk.answer().id
            desk.wait_event("first_sample", call=call)
            unaware.offer(attributes=[])
            unaware.wait_for("SIP/2.0 200", "CSeq: 2 INVITE")
            unaware.hang_up()
            desk.wait_event("ended", call=call)
            assert unaware.count("INVITE") == unaware.count("UPDATE") == 0
            assert not any("a=record" in text for text in unaware.heard)
        on.end()
        with on.archive() as archive:
            assert [one.rule for one in archive.audit_of() if one.event == "preference_noted"] == ["G31"]
