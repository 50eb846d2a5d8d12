"""ICE from answer to recording: until a pair is nominated, and after it has gone, the party hears nothing and is not told."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from softphone.domain.purpose import Reason
from softphone.domain.status import InformedPhase
from softphone.edge.sip.sdp import SessionDescription
from softphone.system.settings import load_settings
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Answer
from tests.edge.test_relay import rtp
from tests.journeys.fault_words import begun, change_settings
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, build
from tests.peers.ice import IcePeer
from tests.peers.processes import until
from tests.peers.wire import header, wire

pytestmark = pytest.mark.journey


@pytest.mark.rule("G05")
@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.torture)])
def test_a_notice_waits_until_it_can_reach_the_party_and_a_recording_pauses_while_nothing_can(
    tmp_path: Path, whole: bool
) -> None:
    on = build(tmp_path, lines=("n1",))
    accounts = load_settings(on.home.folders.config).accounts
    change_settings(on, accounts=tuple(replace(one, ice=True) for one in accounts))
    with begun(on), IcePeer() as party, wire() as caller:
        on.ready()
        asked = caller.request("INVITE", on.sip_port, body=party.description())
        caller.send(asked.replace("sip:own@", f"sip:{NUMBERS['n1']}@"), (LOOPBACK, on.sip_port))
        call = on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "in").id
        on.desk.do(Answer, call=call)
        told = caller.wait_for("SIP/2.0 200", 10)
        caller.them = header(told, "To")
        caller.send(caller.request("ACK", on.sip_port), (LOOPBACK, on.sip_port))
        on.desk.wait_event("audit.answered", call=call)
        status = on.desk.wait_status(lambda now: Reason.NO_AGENT in [one.reason for one in now.reasons], "no way", call)
        assert status.notice is None or status.notice.told is InformedPhase.NOTHING
        time.sleep(0.5)  # it would begin within a tenth of that
        assert not on.desk.told("notice_started", call=call)
        assert not party.heard

        own = SessionDescription.parse(told.partition("\r\n\r\n")[2].encode())
        party.answer_checks(own)
        on.desk.wait_event("notice_ended", call=call)
        [began] = on.desk.told("notice_started", call=call)
        assert party.heard * 0.02 > float(began.params["seconds"] or 0) - 0.1, "its first words too"
        there = own.audio_address()
        assert there is not None
        for number in range(50):
            party.peer.rtp.sendto(rtp(number), there)
            time.sleep(0.02)
        on.desk.wait_event("first_sample", call=call)

        # The party begins ICE anew: nothing is cut while it answers no check of that.
        paused = len(on.desk.told("audit.agent_media_gone", call=call))
        party.quiet, party.ufrag = {"efgh"}, "efgh"
        caller.send(caller.request("INVITE", on.sip_port, cseq=2, body=party.description(2)), (LOOPBACK, on.sip_port))
        caller.wait_for("SIP/2.0 200", 10)
        caller.send(caller.request("ACK", on.sip_port, cseq=2), (LOOPBACK, on.sip_port))
        until(lambda: "efgh" in party.asked_by, 15, "the new agent's checks")
        last = party.heard
        until(lambda: party.heard > last + 25, 15, "sound by the way that there was")
        assert len(on.desk.told("audit.agent_media_gone", call=call)) == paused
        if whole:  # consent is lost after half a minute
            party.silent = True
            on.desk.wait_event("audit.agent_media_gone", 60, call=call)
        caller.send(caller.request("BYE", on.sip_port, cseq=3), (LOOPBACK, on.sip_port))
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
