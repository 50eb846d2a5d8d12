"""A real SIPp in the place of an exchange with habits of its own: what it does costs no call, no notice and no recording."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from softphone.domain.purpose import Headline, Reason
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Answer, Dial, EndWrapUp, HangUp, HoldCall
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, shared, stage
from tests.journeys.test_several_calls import told
from tests.peers.counter import counter_sound
from tests.peers.plain_phone import alaw
from tests.peers.processes import until
from tests.peers.sipp import ANSWERED, BYE, answer, request, sdp, sipp
from tests.peers.weight import WEIGHED, Weight, bytes_a_call, lightest, weighed
from tests.peers.wire import SDP, Wire, header, wire

pytestmark = [pytest.mark.journey, pytest.mark.peer("sipp")]

on = shared(lines=("n1",), notice_seconds=0.5)

CALLED = ('<recv request="INVITE"/>', answer("100 Trying", first=True))
ACKED = '<recv request="ACK"/>'
ENDS = (BYE, answer("200 OK"))


def offers(*more: str, headers: str = "") -> tuple[str, ...]:
    """An INVITE, answered; then these steps."""
    call = (request("INVITE", 1, sdp(), more=headers, retry=True), ANSWERED, request("ACK", 1))
    return (*call, '<pause milliseconds="50"/>', *more) if more else call


def again(cseq: int, description: str) -> tuple[str, ...]:
    """A re-INVITE, answered."""
    return request("INVITE", cseq, description, retry=True), ANSWERED, request("ACK", cseq)


def answered(on: Stage) -> str:
    call = on.desk.answer().id
    on.desk.wait_event("first_sample", call=call)
    return call


def ended(on: Stage, call: str) -> None:
    on.desk.do(HangUp, call=call)
    on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
    on.desk.do(EndWrapUp, call=call)
    on.desk.wait_event("audit.wrap_up_ended", call=call)


HABITS: dict[str, Sequence[str]] = {
    "takes its sound elsewhere at once, as with direct media": offers(
        *again(2, sdp(2, moved=True)),
    ),
    "refreshes its session by UPDATE (RFC 4028)": offers(
        request("UPDATE", 2, more="Supported: timer\nSession-Expires: 90;refresher=uac\n", retry=True),
        '<recv response="200"><action><ereg regexp="Session-Expires" search_in="msg" check_it="true" assign_to="1"/>'
        '<log message="[$1]"/></action></recv>',
        headers="Supported: timer\nSession-Expires: 90;refresher=uac\nAllow: UPDATE, INVITE, ACK, BYE\n",
    ),
    "has its provisional answers acknowledged (RFC 3262)": (
        request("INVITE", 1, sdp(), more="Require: 100rel\nSupported: 100rel\n", retry=True),
        '<recv response="100" optional="true"/><recv response="180" rrs="true"><action>'
        '<ereg regexp="RSeq: *([0-9]+)" search_in="msg" check_it="true" assign_to="2,3"/>'
        '<log message="[$2]"/></action></recv>',
        request("PRACK", 2, more="RAck: [$3] 1 INVITE\n", retry=True),
        '<recv response="200"/><recv response="200" rrs="true"/>',
        request("ACK", 1),
    ),
    "asks for what it has, in an offer without a description": offers(
        request("INVITE", 2, retry=True),
        ANSWERED,
        request("ACK", 2, sdp(2)),
    ),
}


@pytest.mark.rule("G05")
@pytest.mark.parametrize("habit", HABITS)
def test_what_an_exchange_does_after_its_ack_begins_no_notice_anew_and_the_recording_goes_on(
    on: Stage, habit: str
) -> None:
    with sipp((*HABITS[habit], *ENDS), on.sip_port, NUMBERS["n1"]) as exchange:
        call = answered(on)
        on.sealed(call, 1.0)
        assert len(on.desk.told("notice_started", call=call)) == 1
        assert not on.desk.told("identity_changed", call=call)
        ended(on, call)
        exchange.wait(15)
    row = on.row(call)
    assert row is not None


@pytest.mark.rule("L5")
def test_a_hold_by_the_exchange_pauses_and_our_own_is_asked_again_after_a_glare(on: Stage) -> None:
    steps = offers(
        '<pause milliseconds="1500"/>',
        *again(2, sdp(2, "a=sendonly\n")),
        '<pause milliseconds="500"/>',
        *again(3, sdp(3)),
        # Ours meets one of its own, and comes a second time.
        '<recv request="INVITE"/>',
        answer("491 Request Pending"),
        ACKED,
        '<recv request="INVITE"/>',
        answer("200 OK", sdp(4, "a=recvonly\n")),
        ACKED,
        '<recv request="INVITE"/>',
        answer("200 OK", sdp(5)),
        ACKED,
        *ENDS,
        headers="Allow: INVITE, ACK, BYE, CANCEL\n",
    )
    with sipp(steps, on.sip_port, NUMBERS["n1"]) as exchange:
        desk = on.desk
        call = answered(on)
        desk.wait_status(lambda one: one.headline is Headline.PAUSED, "held by the exchange", call)
        assert desk.call(call).held_by_them
        desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", call)
        for held in (True, False):
            desk.do(HoldCall, call=call, on=held)
            headline = Headline.PAUSED if held else Headline.RECORDING
            desk.wait_status(lambda one, headline=headline: one.headline is headline, headline, call)
            if held:
                time.sleep(2.2)  # a glare is over after two seconds at most, and nothing says so
        assert not [one for one in desk.faults if one.call == call]
        ended(on, call)
        exchange.wait(15)
    with on.archive() as archive:
        told = [one.event for one in archive.audit_of(call=call)]
    assert (told.count("held"), told.count("resumed")) == (2, 2)


PARTY, MUSIC, COLLEAGUE = range(100), range(200, 300), range(300, 400)


@pytest.mark.rule("L5")
@pytest.mark.rule("G05")
def test_neither_hold_music_nor_whom_an_exchange_puts_through_is_recorded_before_being_told(
    on: Stage, tmp_path: Path
) -> None:
    def plays(said: range) -> str:
        """From now on, again and again."""
        file = tmp_path / f"{said.start}.alaw"
        file.write_bytes(alaw(counter_sound(len(said), said.start)))
        return f'<nop><action><exec rtp_stream="{file},-1,8,PCMA/8000"/></action></nop>'

    def from_file(description: str) -> str:
        return description.replace("[media_port]", "[rtpstream_audio_port]")

    steps = (
        *(request("INVITE", 1, from_file(sdp()), retry=True), ANSWERED, request("ACK", 1), plays(PARTY)),
        '<pause milliseconds="4000"/>',
        *(*again(2, from_file(sdp(2, "a=sendonly\n"))), plays(MUSIC), '<pause milliseconds="1000"/>'),
        # Who comes to the phone is named before there is sound again.
        request("UPDATE", 3, more="P-Asserted-Identity: <sip:+4530405060@exchange.example>\n", retry=True),
        '<recv response="200"/>',
        *(*again(4, from_file(sdp(4))), plays(COLLEAGUE)),
        *ENDS,
    )
    with sipp(steps, on.sip_port, NUMBERS["n1"]) as exchange:
        desk = on.desk
        call = answered(on)
        on.sealed(call, 1.0)
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "held by the exchange", call)
        assert status.pauses == (Reason.HELD,)
        desk.wait_status(lambda one: one.pauses == (Reason.NOT_TOLD,), "somebody else is there", call)
        kept = on.sealed_seconds(call)
        desk.wait_status(lambda one: "notice_read" in one.actions, "read aloud", call, 20)
        assert on.sealed_seconds(call) == kept
        desk.act(call, "notice_read")
        on.sealed(call, 1.5)
        ended(on, call)
        exchange.wait(15)
    row = on.row(call)
    assert row is not None
    heard = told(on.exported(row.recording)[:, 1].copy())
    for said in (PARTY, COLLEAGUE):
        assert len([one for one in heard if one in said]) > 25
    assert not [one for one in heard if one in MUSIC]
    first = next(number for number, one in enumerate(heard) if one in COLLEAGUE)
    assert not [one for one in heard[:first] if one not in PARTY]


@pytest.mark.rule("G05")
@pytest.mark.parametrize("seconds", [1, pytest.param(100, marks=[pytest.mark.torture, pytest.mark.timeout(300)])])
def test_what_sounds_before_a_call_is_answered_is_not_recorded_however_long_it_rings(on: Stage, seconds: int) -> None:
    early = (answer("183 Session Progress", sdp(), first=True), f'<pause milliseconds="{seconds * 1000}"/>')
    steps = (*CALLED, answer("180 Ringing", first=True), *early, answer("200 OK", sdp(), first=True), ACKED, *ENDS)
    with sipp(steps) as exchange:
        desk = on.desk
        until(lambda: _listens(exchange.port), 15, "SIPp")
        target = f"sip:somebody@{LOOPBACK}:{exchange.port}"
        call = desk.do(Dial, account="agent", target=target, line="n1").result["call"]
        desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "connected", call, seconds + 10)
        desk.wait_status(lambda one: "person_answered" in one.actions, "waiting for a person", call)
        ended(on, call)
        exchange.wait(15)
        assert not desk.told("recorder_started", call=call)
        assert on.row(call) is None


def _listens(port: int) -> bool:
    return any(one.laddr and one.laddr[1] == port for one in psutil.net_connections("udp4"))


def said(on: Stage, caller: Wire, method: str, cseq: int, **how: str) -> str:
    return caller.request(method, on.sip_port, cseq=cseq, **how).replace("sip:own@", f"sip:{NUMBERS['n1']}@")


def test_a_call_that_is_taken_back_as_it_is_answered_leaves_nothing_behind(on: Stage) -> None:
    desk = on.desk
    for wait in (0.0, 0.003, 0.01, 0.03):
        with wire() as caller:
            branch = f"z9hG4bK{caller.tag}"
            caller.send(said(on, caller, "INVITE", 1, branch=branch, body=SDP), (LOOPBACK, on.sip_port))
            caller.wait_for("SIP/2.0 180")
            call = desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "it rings").id
            cancel = said(on, caller, "CANCEL", 1, branch=branch)
            if wait:
                desk.send(Answer(f"race {call}", call))
                time.sleep(wait)
                caller.send(cancel, (LOOPBACK, on.sip_port))
            else:
                caller.send(cancel, (LOOPBACK, on.sip_port))
                desk.send(Answer(f"race {call}", call))
            while "INVITE" not in header(final := caller.wait_for("SIP/2.0 "), "CSeq") or final.startswith("SIP/2.0 1"):
                pass
            caller.them = header(final, "To")
            if final.startswith("SIP/2.0 200"):
                caller.send(said(on, caller, "ACK", 1), (LOOPBACK, on.sip_port))
                caller.send(said(on, caller, "BYE", 2), (LOOPBACK, on.sip_port))
            else:
                assert final.startswith("SIP/2.0 487")
                caller.send(said(on, caller, "ACK", 1, branch=branch), (LOOPBACK, on.sip_port))
            desk.wait(lambda now: all(one.phase is CallPhase.ENDED for one in now.calls), "no call")
            for one in desk.wait(lambda now: now, "a state").calls:
                desk.do(EndWrapUp, call=one.id)
            assert on.row(call) is None


CALLS, WARM, LOOK = 1_000, 220, 60
A_CALL = 3_000
"""bytes; rows and facts of the newest two hundred are kept on purpose"""
BREATH = '<pause milliseconds="150"/>'
"""the edge lets in five calls a second"""


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_a_thousand_calls_leave_memory_descriptors_and_threads_as_they_were(tmp_path: Path) -> None:
    weights: list[Weight] = []
    with (
        stage(tmp_path, lines=("n1",), notice_seconds=0.5, program=WEIGHED) as on,
        sipp((*offers(), *ENDS, BREATH), on.sip_port, NUMBERS["n1"], calls=CALLS) as exchange,
    ):
        for number in range(1, CALLS + 1):
            ended(on, answered(on) if number % 10 == 0 else on.desk.answer(20).id)
            if number >= WARM and number % 20 == 0:
                weights.append(weighed(on.engine.pid, number))
        exchange.wait(30)
        on.end()
        assert on.verified()["ok"]
    first, last = lightest(weights[: LOOK // 20]), lightest(weights[-LOOK // 20 :])
    print(f"\n{CALLS} calls, {bytes_a_call(first, last):.0f} bytes each; {first} then, {last} now")
    assert bytes_a_call(first, last) < A_CALL
    assert last.descriptors <= first.descriptors
    assert last.threads <= first.threads
