"""Calls through a real Kamailio that forks and redirects, and with an rtpengine that makes RTP of SRTP and ICE: what is kept is
read by its counter."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from softphone.audio.files import write_wav
from softphone.bootstrap.home import DEMO_KEYS, password_name
from softphone.plugin.sounds import read_any
from softphone.system.secrets import DemoKeyFile
from softphone.wire.snapshot import Account, CallPhase, Registration
from softphone.wire.to_engine import Dial, HangUp
from tests.journeys.fault_words import begun, change_settings
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import AGENT_FIRST, LOOPBACK, Stage, build
from tests.journeys.test_several_calls import told
from tests.peers.authority import Authority
from tests.peers.counter import CYCLE, counter_sound
from tests.peers.kamailio import Kamailio, kamailio
from tests.peers.plain_phone import plain_phone
from tests.peers.rtpengine import rtpengine
from tests.peers.second_phone import talk

pytestmark = [pytest.mark.journey, pytest.mark.peer("kamailio"), pytest.mark.rule("G05")]

USER, PASSWORD, BOTH, CUSTOMER = NUMBERS["n1"], "agents-own", "+4520990011", "+4520123456"
FIRST, SECOND, AGENTS = range(200), range(300, 500), range(AGENT_FIRST, CYCLE)


@contextmanager
def registered(folder: Path, server: Kamailio, **account: Any) -> Generator[Stage]:
    """An agent at this server, with a customer's phone beside them."""
    on = build(folder, lines=("n1",))
    DemoKeyFile(on.archive_folder / DEMO_KEYS).set(password_name("agent"), PASSWORD.encode())
    there = f"{LOOPBACK}:{server.tls_port or server.port}"
    change_settings(on, accounts=(Account("agent", f"{USER}@{there}", **account),))
    with begun(on, edge=True):
        on.ready()
        on.desk.wait(lambda now: now.accounts[0].registration is Registration.REGISTERED, "registered")
        yield on
        on.end()
    assert on.verified()["ok"]


def _recorded(on: Stage, call: str) -> None:
    """Our own call: a person answers, and the notice is played instead of read aloud."""
    on.desk.wait_status(lambda one: "person_answered" in one.actions, "answered", call)
    on.desk.act(call, "person_answered")
    on.desk.wait_status(lambda one: "play_again" in one.actions, "to be read aloud", call)
    on.desk.act(call, "play_again")
    on.desk.wait_event("first_sample", call=call)
    on.sealed(call, 2.0)


def _kept(on: Stage, call: str, party: range) -> None:
    row = on.row(call)
    assert row is not None
    sound = on.exported(row.recording)
    for side, said in ((0, AGENTS), (1, party)):
        heard = told(sound[:, side].copy())
        assert len(heard) > 25
        assert set(heard) <= set(said)


def test_of_two_phones_that_answer_a_forked_call_at_once_one_is_ended_and_the_other_recorded_whole(
    tmp_path: Path,
) -> None:
    with (
        plain_phone() as first,
        plain_phone("127.0.0.2") as second,
        kamailio({USER: PASSWORD}, algorithm="SHA-256", moved={"206": first.target}) as server,
    ):
        for phone, said in ((first, FIRST), (second, SECOND)):
            server.add(BOTH, phone.target)
            phone.say(counter_sound(len(said), said.start) * 10)
        with registered(tmp_path, server) as on:
            desk = on.desk
            call = desk.do(Dial, account="agent", target=BOTH, line="n1").result["call"]
            first.ring()
            second.ring(early=True)
            first.pick_up()
            second.pick_up()
            # It has answered too late, and says so for as long as it speaks.
            second.wait_for("BYE")
            _recorded(on, call)
            assert not first.count("BYE")
            desk.do(HangUp, call=call)
            desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
            # Moved: the agent sees where to, and nobody is called.
            asked = first.count("INVITE")
            call = desk.do(Dial, account="agent", target="206", line="n1").result["call"]
            ended = desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
            assert ended.redirected_to == first.target
            assert first.count("INVITE") == asked
            (call,) = {one.call for one in desk.told("first_sample")}
            assert call is not None
        _kept(on, call, FIRST)


@pytest.mark.peer("rtpengine")
def test_an_rtpengine_between_srtp_with_ice_and_plain_rtp_is_heard_through_and_recorded_both_ways(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path / "authority")
    users = {USER: PASSWORD, CUSTOMER: "customers-own"}
    with (
        rtpengine(tmp_path) as between,
        kamailio(users, tls=authority.sign("server", LOOPBACK), media=between.port) as server,
        registered(
            tmp_path / "stage",
            server,
            transport="tls",
            srtp="required",
            ice=True,
            certificate_authority=str(authority.file),
        ) as on,
    ):
        desk, customer = on.desk, on.customer
        # The customer's phone says all numbers; here only those below the agent's.
        wav = on.folder / "says.wav"
        write_wav(wav, counter_sound(len(FIRST)))
        customer.do("say", wav=str(wav), loop=True)
        customer.do("account", id="theirs", address=f"{CUSTOMER}@{server.address}", password="customers-own")
        customer.wait_for("RegistrationChanged", state="registered")
        customer.do("dial", account="theirs", target=f"sip:{USER}@{server.address}")
        there = desk.answer().id
        desk.wait_call(lambda one: one.encrypted, "signalling and sound both encrypted", there)
        desk.wait_event("first_sample", call=there)
        on.sealed(there, 1.0)
        customer.do("hold")
        desk.wait_call(lambda one: one.held_by_them, "a hold", there)
        customer.do("resume")
        on.sealed(there, 1.0)
        talk(customer, 25)
        customer.ask("save", "Saved", own=str(tmp_path / "own.wav"), heard=str(tmp_path / "heard.wav"))
        on.hang_up(there)
        back = desk.do(Dial, account="agent", target=CUSTOMER, line="n1").result["call"]
        customer.wait_for("CallArrived")
        customer.do("answer")
        _recorded(on, back)
        assert desk.call(back).encrypted
        on.hang_up(back)
    said = (tmp_path / "rtpengine.log").read_text(errors="replace")
    assert len({*re.findall(r"\[([^/\]]+)/\S+ port \d+\]: \[ice\] ICE negotiated: peer", said)}) == 2, "in both calls"
    assert len([one for one in told(read_any(tmp_path / "heard.wav")) if one in AGENTS]) > 50
    for call in (there, back):
        _kept(on, call, FIRST)
