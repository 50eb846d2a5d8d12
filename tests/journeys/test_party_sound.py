"""Whose sound it is, and whether any comes: through the real engine, its edge and its relay."""

from __future__ import annotations

import signal
import socket
import struct
import time
from collections.abc import Generator
from contextlib import contextmanager

import psutil
import pytest

from softphone.domain.archive.recordings import RATE
from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.status import PurposePhase
from softphone.edge.relay.presence import GONE_AFTER
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, shared
from tests.peers.forked import children
from tests.peers.plain_phone import header, plain_phone

pytestmark = pytest.mark.journey

on = shared(lines=("n1", "n3"))

LOUD = 25_000
"""a sample that the customer's own voice never has, and the stranger's always"""


def all_ports(on: Stage) -> list[int]:
    """Every UDP port of the engine and its children, pjsua2's own too: an attacker on this machine knows no less."""
    family = [psutil.Process(on.engine.pid), *children(on.engine.pid)]
    return [one.laddr.port for member in family for one in member.net_connections("udp4") if one.laddr]


@contextmanager
def stranger() -> Generator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((LOOPBACK, 0))
        yield one


def attack(on: Stage, one: socket.socket) -> None:
    """Twelve packets of a loud tone, which pjmedia would follow, then RFC 4733 `1` under every payload type that it may have."""
    ports = all_ports(on)
    assert len(ports) >= 4
    loud = bytes([0x2A, 0xAA] * 80)
    for number in range(12):
        for port in ports:
            one.sendto(struct.pack("!BBHII", 0x80, 8, number, number * 160, 66) + loud, (LOOPBACK, port))
        time.sleep(0.02)
    for kind in range(96, 128):
        for number, ends in enumerate((b"\x01\x0a\x00\xa0", b"\x01\x8a\x03\x20")):
            for port in ports:
                head = struct.pack("!BBHII", 0x80, kind | (0x80 if not number else 0), 20 + number, 4000, 66)
                one.sendto(head + ends, (LOOPBACK, port))


@pytest.mark.rule("G03")
def test_a_strangers_packets_are_neither_a_consent_nor_the_partys_voice(on: Stage) -> None:
    """Before, twelve packets and a key were a consent, and the stranger's tone was in the party's channel."""
    desk = on.desk
    call = on.call("n3")
    desk.wait_event("notice_question", call=call)
    with stranger() as one:
        attack(on, one)
        desk.wait_status(lambda status: status.headline is Headline.ASKED, "asked", call)
        attack(on, one)
        assert not desk.told("digit", call=call)
        on.customer.do("digits", digits="1")
        desk.wait_event("first_sample", call=call)
        assert len(desk.told("digit", call=call)) == 1
        for _ in range(6):
            attack(on, one)
        on.sealed(call, 1.0)
    on.over(call)
    row = on.row(call)
    assert row is not None
    party = on.exported(row.recording)[:, 1].astype(int)
    assert len(party) > RATE
    assert 1000 < abs(party).max() < LOUD, "the party's voice, and nothing as loud as the stranger"
    assert not desk.told("source_doubted", call=call)


@pytest.mark.rule("G10")
def test_a_party_that_vanishes_is_not_recorded_and_one_that_is_back_is(on: Stage) -> None:
    """Before, a minute of the agent's open microphone was stored for a party that had gone."""
    desk = on.desk
    call = on.call("n1")
    desk.wait_event("first_sample", call=call)
    on.sealed(call, 0.5)
    gone = psutil.Process(on.customer.pid)
    gone.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call, GONE_AFTER + 10)
        took = time.monotonic() - began
        assert status.reasons[0].reason is Reason.NO_SOUND
        assert took > GONE_AFTER - 1
        desk.wait_event("recorder_stopped", call=call)
        stored = on.sealed_seconds(call)
        time.sleep(1.5)  # what must not come can only be waited for
        assert on.sealed_seconds(call) - stored < 1.1, "no more than the chunk that was being filled"
    finally:
        gone.send_signal(signal.SIGCONT)
    desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", call)
    on.sealed(call, 0.5)
    on.over(call)
    with on.archive() as archive:
        entries = {one.event: one.params for one in archive.audit_of(call=call)}
    assert "party_sound_gone" in entries
    assert int(entries["party_sound_back"]["gap_seconds"]) >= 1
    assert Reason.NO_SOUND.rule == "G10"


@pytest.mark.rule("G05")
def test_a_party_that_sends_no_sound_hears_the_notice_and_is_recorded_from_its_first_sound_on(on: Stage) -> None:
    desk = on.desk
    with plain_phone(number="+4520999001") as phone:
        phone.mute = True
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
        call = desk.answer().id
        desk.wait_event("notice_ended", call=call)
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
        assert status.reasons[0].reason is Reason.NO_SOUND
        assert status.purposes[Purpose.DOCUMENTATION].phase is PurposePhase.ACTIVE
        assert not desk.told("first_sample", call=call)
        phone.mute = False
        desk.wait_event("first_sample", call=call)
        phone.hang_up()
        desk.wait_event("ended", call=call)


@pytest.mark.rule("G10")
def test_a_phone_that_suppresses_silence_is_asked_before_it_counts_as_gone(on: Stage) -> None:
    desk = on.desk
    with plain_phone(number="+4520999003") as phone:
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
        call = desk.answer().id
        desk.wait_event("first_sample", call=call)
        phone.suppress_silence()
        question = phone.wait_for("OPTIONS")
        established = next(one for one in phone.heard if one.startswith("SIP/2.0 200") and "INVITE" in one)
        for name in ("To", "From", "Call-ID"):
            other = {"To": "From", "From": "To"}.get(name, name)
            assert header(question, name) == header(established, other)
        on.sealed(call, 1.0)
        status = desk.call(call).status
        assert status is not None
        assert status.headline is Headline.RECORDING
        # It speaks, and falls silent for good: its machine no longer knows the call.
        phone.mute = False
        on.sealed(call, 0.5)
        phone.options = "481 Call/Transaction Does Not Exist"
        phone.suppress_silence()
        status = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call, GONE_AFTER + 10)
        assert status.reasons[0].reason is Reason.NO_SOUND
        phone.hang_up()
        desk.wait_event("ended", call=call)


@pytest.mark.rule("G05")
def test_another_place_in_a_silent_partys_stead_is_a_doubt_until_the_agent_knows_the_caller(on: Stage) -> None:
    desk = on.desk
    with plain_phone("127.0.0.2", number="+4520999002") as phone:
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
        call = desk.answer().id
        desk.wait_event("first_sample", call=call)
        phone.mute = True
        sound_to = phone.sound_to
        assert sound_to is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.3", 0))
            number = 0

            def says() -> bool:
                nonlocal number
                number += 1
                head = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * 160, 99)
                other.sendto(head + b"\xd5" * 160, sound_to)
                time.sleep(0.02)
                status = desk.call(call).status
                return status is not None and Reason.SOURCE_CHANGED in status.pauses

            limit = time.monotonic() + 8
            while not says():
                assert time.monotonic() < limit
            status = desk.call(call).status
            assert status is not None
            assert "same_caller" in status.actions
            desk.act(call, "same_caller")
            recorded = desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", call)
            assert recorded.pauses == ()
        phone.hang_up()
        desk.wait_event("ended", call=call)
