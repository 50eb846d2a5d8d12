"""Other people's phones, by TLS with SRTP through Kamailio and by UDP alone: told, recorded, held from both ends, keyed by
RFC 4733 and INFO, transferred. What each end heard is read by its counter, and so is what is kept."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from softphone.audio.files import write_wav
from softphone.audio.filters import resampled
from softphone.bootstrap.home import DEMO_KEYS, password_name
from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.plugin.sounds import read_any
from softphone.system.secrets import DemoKeyFile
from softphone.wire.snapshot import Account, CallPhase, Registration
from softphone.wire.to_engine import (
    CompleteTransfer,
    Consult,
    Dial,
    EndWrapUp,
    FollowTransfer,
    HangUp,
    HoldCall,
    SendDigits,
    Transfer,
)
from tests.journeys.fault_words import begun, change_settings
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import AGENT_FIRST, LOOPBACK, Stage, build, stage
from tests.journeys.test_several_calls import told
from tests.peers.authority import Authority
from tests.peers.baresip import baresip
from tests.peers.counter import CYCLE, counter_sound
from tests.peers.kamailio import REALM, kamailio
from tests.peers.linphone import linphone
from tests.peers.processes import until
from tests.peers.second_phone import talk

pytestmark = [pytest.mark.journey, pytest.mark.peer("baresip"), pytest.mark.peer("linphone"), pytest.mark.timeout(180)]

USER, PASSWORD, COLLEAGUE = NUMBERS["n7"], "agents-own", "204"
FIRST = range(AGENT_FIRST)
"""the numbers that the other phone says; the agent's are those from there on"""
AGENTS = range(AGENT_FIRST, CYCLE)


class OtherPhone(Protocol):
    port: int

    def dial(self, uri: str) -> None: ...
    def answer(self) -> None: ...
    def hang_up(self) -> None: ...
    def press(self, digits: str) -> None: ...
    def hold(self) -> None: ...
    def resume(self) -> None: ...
    def transfer(self, uri: str) -> None: ...
    def keep(self, heard: Path) -> None: ...


@contextmanager
def phone(kind: str, folder: Path, *, keeps: bool = False, **how: Any) -> Generator[OtherPhone]:
    """It says its numbers again and again, for a minute. `keeps`: as baresip has it."""
    says = folder / "says.wav"
    write_wav(says, resampled(counter_sound(len(FIRST)) * 6, 16_000, 8_000), rate=8_000)
    made: AbstractContextManager[OtherPhone]
    if kind == "baresip":
        made = baresip(says, "bo", keeps=keeps, **how)
    else:
        registrar = {"registrar": how.pop("server"), "realm": REALM} if "server" in how else {}
        made = linphone("bo", says=says, **registrar, **how)
    with made as one:
        yield one


def _digit(on: Stage, other: OtherPhone, call: str, digit: str) -> None:
    """baresip 1.1 misses a key that comes within a quarter of a second of another."""
    before = len(on.desk.told("digit", call=call))
    other.press(digit)
    on.desk.wait_until(lambda: len(on.desk.told("digit", call=call)) > before, f"key {digit}")
    on.sealed(call, 0.5)
    assert len(on.desk.told("digit", call=call)) == before + 1, "once, though it may come by two ways"


def _kept(on: Stage, call: str) -> None:
    """The other phone's numbers in its own channel and the agent's in hers, and no other."""
    row = on.row(call)
    assert row is not None
    sound = on.exported(row.recording)
    for side, said in ((0, AGENTS), (1, FIRST)):
        heard = told(sound[:, side].copy())
        assert len(heard) > 50
        assert len([one for one in heard if one in said]) > 0.95 * len(heard)


def _heard(wav: Path, said: range) -> None:
    heard = told(read_any(wav))
    assert len([one for one in heard if one in said]) > 20, "the other end heard it"


@pytest.mark.rule("G05")
@pytest.mark.rule("L5")
@pytest.mark.peer("kamailio")
@pytest.mark.parametrize("kind", ["linphone", "baresip"])
def test_another_phone_calls_by_tls_and_srtp_is_held_keyed_and_handed_over(kind: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    users = {USER: PASSWORD, COLLEAGUE: "colleagues-own", "bo": "bos-own"}
    with kamailio(users, tls=authority.sign("server", LOOPBACK)) as server:
        there = f"{LOOPBACK}:{server.tls_port}"
        on = build(tmp_path / "stage", lines=("n7",))
        DemoKeyFile(on.archive_folder / DEMO_KEYS).set(password_name("agent"), PASSWORD.encode())
        trusted: dict[str, Any] = {"transport": "tls", "srtp": "required"}
        account = Account("agent", f"{USER}@{there}", certificate_authority=str(authority.file), **trusted)
        change_settings(on, accounts=(account,))
        secured: dict[str, Any] = {"server": there, "password": "bos-own", "authority": authority}
        with begun(on, edge=True), phone(kind, tmp_path, **secured) as other:
            desk, colleague = on.desk, on.customer
            theirs = {"address": f"{COLLEAGUE}@{there}", "password": "colleagues-own", "authority": str(authority.file)}
            colleague.do("account", id="theirs", **theirs, **trusted)
            colleague.wait_for("RegistrationChanged", state="registered")
            on.ready()
            desk.wait(lambda now: now.accounts[0].registration is Registration.REGISTERED, "registered")
            until(lambda: bool(server.contacts("bo")), 10, "the other phone's registration")
            other.dial(f"sip:{USER}@{there};transport=tls")
            call = desk.answer().id
            desk.wait_call(lambda one: one.encrypted, "signalling and sound both encrypted", call)
            ended, first = (desk.wait_event(one, call=call) for one in ("notice_ended", "first_sample"))
            assert (ended.since_answer or 0.0) < (first.since_answer or 0.0)
            on.sealed(call, 1.0)
            # Held by the agent, and by the other end.
            desk.do(HoldCall, call=call, on=True)
            _held(on, call, by_us=True)
            desk.do(HoldCall, call=call, on=False)
            if kind == "linphone":
                other.keep(tmp_path / "there.wav")
            on.sealed(call, 1.0)
            other.hold()
            _held(on, call, by_us=False)
            other.resume()
            on.sealed(call, 1.0)
            assert desk.call(call).encrypted
            for key in "*9":
                _digit(on, other, call, key)
            desk.wait_status(lambda one: one.recording == (Purpose.DOCUMENTATION,), "the keys' no", call)
            if kind == "linphone":
                other.transfer(f"sip:{COLLEAGUE}@{there};transport=tls")
                desk.wait_call(lambda one: one.asked_to_call == COLLEAGUE, "asked", call)
                desk.do(FollowTransfer, call=call, target=COLLEAGUE)
            else:
                # A bare number says no transport: the agent's account does.
                desk.do(Transfer, call=call, target=COLLEAGUE)
            colleague.wait_for("CallArrived")
            colleague.do("answer")
            colleague.wait_for("CallEstablished")
            desk.wait_event("audit.handed_over", call=call, rule="L5")
            desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "out of it", call)
            talk(colleague, 50)
            colleague.ask("save", "Saved", own=str(tmp_path / "own.wav"), heard=str(tmp_path / "heard.wav"))
            _heard(tmp_path / "heard.wav", AGENTS if kind == "linphone" else FIRST)
            colleague.do("hang_up")
            colleague.wait_for("CallEnded")
            desk.do(EndWrapUp, call=call)
            desk.wait_event("audit.wrap_up_ended", call=call)
            on.end()
        _kept(on, call)
        if kind == "linphone":
            _heard(tmp_path / "there.wav", AGENTS)
        assert on.verified()["ok"]


def _held(on: Stage, call: str, *, by_us: bool) -> None:
    on.desk.wait_call(lambda one: one.held_by_us if by_us else one.held_by_them, "a hold", call)
    status = on.desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
    assert status.pauses == (Reason.HELD,)


@pytest.mark.rule("G05")
@pytest.mark.rule("L5")
@pytest.mark.parametrize("kind", ["linphone", "baresip"])
def test_another_phone_is_called_answers_says_no_by_info_and_is_put_through(kind: str, tmp_path: Path) -> None:
    there = tmp_path / "there.wav"
    with (
        stage(tmp_path / "stage", lines=("n7",), edge=True) as on,
        phone(kind, tmp_path, info=True, keeps=True) as other,
    ):
        desk, colleague = on.desk, on.customer
        if kind == "baresip":
            other.keep(there)
        call = desk.do(Dial, account="agent", target=f"sip:bo@{LOOPBACK}:{other.port}", line="n7").result["call"]
        other.answer()
        desk.wait_status(lambda one: "person_answered" in one.actions, "answered", call)
        desk.act(call, "person_answered")
        # It would be read aloud, which takes its time: the agent has it played.
        desk.wait_status(lambda one: "play_again" in one.actions, "to be read aloud", call)
        assert not desk.told("recorder_started", call=call)
        desk.act(call, "play_again")
        desk.wait_event("first_sample", call=call)
        if kind == "linphone":
            other.keep(there)
        on.sealed(call, 1.0)
        for key in "*9":
            _digit(on, other, call, key)
        desk.wait_status(lambda one: one.recording == (Purpose.DOCUMENTATION,), "the keys' no", call)
        desk.do(SendDigits, call=call, digits="5")
        if kind == "linphone":
            # baresip 1.1 knows no Replaces.
            consultation = desk.do(Consult, call=call, target=f"sip:{COLLEAGUE}@{LOOPBACK}:{colleague.udp}").result[
                "call"
            ]
            first = colleague.wait_for("CallArrived")["call"]
            colleague.do("answer")
            desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "the colleague", consultation)
            desk.do(CompleteTransfer, call=consultation)
            came = colleague.wait_for("CallArrived")
            assert came["replaces"] == first
            colleague.do("answer", call=came["call"])
            colleague.wait_for("CallEstablished", call=came["call"])
            colleague.do("hang_up", call=first)
            desk.wait_event("audit.handed_over", call=call, rule="L5")
            for one in (call, consultation):
                desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "out of it", one)
            assert not desk.told("recorder_started", call=consultation)
            other.hang_up()
            colleague.wait_for("CallEnded", call=came["call"])
        else:
            desk.do(HangUp, call=call)
            desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        on.end()
    _kept(on, call)
    _heard(there, AGENTS)
    assert on.verified()["ok"]
