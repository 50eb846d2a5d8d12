"""A call that one desk transfers to another: who was told is not told twice, a no binds at once, and what fails comes back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.domain.decision import NoticeId
from softphone.domain.passport import Passport, Told, claims_of, fingerprint
from softphone.domain.purpose import Headline, KeyRole, Language, Purpose, Reason
from softphone.system.passports import Seal, certify
from softphone.system.signature import public_half
from softphone.wire.snapshot import CallPhase, CallRole, TransferPhase
from softphone.wire.to_engine import (
    BackToParty,
    CompleteTransfer,
    Consult,
    DeclineTransfer,
    EndWrapUp,
    FollowTransfer,
    HangUp,
    Transfer,
)
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.baresip import baresip
from tests.peers.second_phone import Event, SecondPhone
from tests.policies import write_notice

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

HOUSE = Ed25519PrivateKey.generate().private_bytes_raw()
TOP = f"""
[house]
keys = ["{public_half(HOUSE)}"]

[[team]]
id = "salg"
name = "Salg"
agents = ["agent@127.0.0.1"]
"""
DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING


class Desks(NamedTuple):
    here: Stage
    there: Stage

    @property
    def target(self) -> str:
        """The line at the other desk."""
        return f"sip:{NUMBERS['n7']}@{LOOPBACK}:{self.there.sip_port}"

    @property
    def party(self) -> SecondPhone:
        return self.here.customer

    def recorded(self) -> str:
        """A party has called, has been told, and is recorded here: the id of the call."""
        self.here.ring("n7")
        call = self.here.desk.answer().id
        self.party.wait_for("CallEstablished")
        self.here.desk.wait_event("first_sample", call=call)
        return call

    def followed(self) -> tuple[Event, str]:
        """The party calls whom it is asked to; the REFER that asked, and its new call."""
        asked = self.party.wait_for("ReferAsked")
        self.party.do("dial", account="own", **{name: asked[name] for name in ("target", "replaces", "passport")})
        return asked, self.party.wait_for("Dialled")["call"]


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desks]:
    with ExitStack() as stages:
        here, there = (
            stages.enter_context(
                stage(tmp_path_factory.mktemp(name), lines=("n7", "n6"), top=TOP, house=HOUSE, edge=name == "here")
            )
            for name in ("here", "there")
        )
        yield Desks(here, there)
        for one in (here, there):
            one.end()


def _over(on: Stage, call: str) -> None:
    on.desk.do(EndWrapUp, call=call)
    on.desk.wait_event("audit.wrap_up_ended", call=call)


@pytest.mark.rule("G05")
def test_who_was_told_by_one_desk_is_not_told_again_by_the_next(desks: Desks) -> None:
    here, there, party = desks.here, desks.there, desks.party
    call = desks.recorded()
    here.sealed(call, 1)
    told = here.desk.call(call).status
    here.desk.do(Transfer, call=call, target=desks.target)
    here.desk.wait_status(lambda one: one.headline is Headline.PAUSED, "nothing recorded meanwhile", call)
    asked, theirs = desks.followed()
    arrived = there.desk.answer()
    party.wait_for("CallEstablished", call=theirs)
    first = there.desk.wait_event("first_sample", call=arrived.id)
    status = there.desk.wait_status(lambda one: len(one.recording) == 2, "both purposes", arrived.id)
    assert not there.desk.told("notice_started", call=arrived.id)
    by = there.desk.call(arrived.id).told_by
    assert by is not None
    assert told is not None
    assert told.notice is not None
    assert told.notice.heard_at is not None
    assert (by.by, by.at) == ("colleague", told.notice.heard_at.replace(microsecond=0))
    assert first.since_answer is not None
    print(f"transferred: {len(asked['passport'])} characters, first sample {first.since_answer:.3f} s after the answer")
    assert status.notice is not None

    party.do("tell_referrer", call=asked["call"], code=200)
    here.desk.wait_event("audit.handed_over", call=call, rule="L5")
    here.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
    party.wait_for("CallEnded", call=asked["call"])
    _over(here, call)
    row = here.row(call)
    assert row is not None
    assert len(here.exported(row.recording, KeyRole.DOCUMENTATION)) >= 16_000, "what was recorded stays as it is"

    # And back again: what the party refuses now reaches what was recorded here before.
    there.desk.do(Transfer, call=arrived.id, target=f"sip:{NUMBERS['n7']}@{LOOPBACK}:{here.sip_port}")
    asked, again = desks.followed()
    back = here.desk.answer()
    party.wait_for("CallEstablished", call=again)
    party.do("tell_referrer", call=asked["call"], code=200)
    there.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", arrived.id)
    _over(there, arrived.id)
    here.desk.wait_status(lambda one: len(one.recording) == 2, "both purposes", back.id)
    assert not here.desk.told("notice_started", call=back.id)
    here.desk.opt_out(back.id)
    here.desk.wait_event("audit.wraps_dropped", call=call)
    here.desk.do(HangUp, call=back.id)
    here.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", back.id)
    _over(here, back.id)
    assert [*(here.row(call) or row).expires] == [DOC]


@pytest.mark.peer("baresip")
def test_baresip_follows_a_transfer_and_is_told_anew_since_it_takes_no_long_address(
    desks: Desks, tmp_path: Path
) -> None:
    here, there = desks.here, desks.there
    write_notice(tmp_path / "says.wav", 30)
    with baresip(tmp_path / "says.wav") as party:
        party.dial(f"sip:{NUMBERS['n7']}@{LOOPBACK}:{here.sip_port}")
        call = here.desk.answer().id
        here.desk.wait_event("first_sample", call=call)
        here.desk.do(Transfer, call=call, target=desks.target)
        arrived = there.desk.answer()
        here.desk.wait_event("audit.handed_over", call=call)
        here.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        there.desk.wait_event("notice_started", call=arrived.id)
        there.desk.wait_event("first_sample", call=arrived.id)
        there.desk.do(HangUp, call=arrived.id)
        there.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", arrived.id)
    for on, one in ((here, call), (there, arrived.id)):
        _over(on, one)


@pytest.mark.rule("G31")
def test_a_no_to_one_desk_binds_the_next_at_once(desks: Desks) -> None:
    here, there, party = desks.here, desks.there, desks.party
    call = desks.recorded()
    here.desk.opt_out(call)
    here.desk.wait_status(lambda one: one.recording == (DOC,), "documentation alone", call)
    here.desk.do(Transfer, call=call, target=desks.target)
    asked, theirs = desks.followed()
    arrived = there.desk.answer()
    party.wait_for("CallEstablished", call=theirs)
    status = there.desk.wait_status(lambda one: one.recording == (DOC,), "documentation alone", arrived.id)
    assert status.purposes[TRAIN].reason is Reason.DECLINED_EARLIER
    assert not there.desk.told("notice_started", call=arrived.id)
    assert there.desk.told("audit.refused_earlier", call=arrived.id)
    party.do("tell_referrer", call=asked["call"], code=200)
    here.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
    there.desk.do(HangUp, call=arrived.id)
    _over(here, call)
    _over(there, arrived.id)


@pytest.mark.rule("G05")
@pytest.mark.rule("G31")
def test_of_a_passport_that_is_forged_late_replayed_or_anothers_the_refusals_alone_count(desks: Desks) -> None:
    there, party, now = desks.there, desks.party, datetime.now(UTC)
    own, stranger = (Ed25519PrivateKey.generate().private_bytes_raw() for _ in range(2))
    proof = certify(public_half(own), HOUSE, now + timedelta(days=1))
    told = Told(NoticeId.N7, Language.DA, now - timedelta(minutes=6))
    group, line = "01a10000-0000-7000-8000-000000000009", NUMBERS["n7"]
    whole = Passport(
        group, line, now, fingerprint("Nordlys El A/S"), "n7", told, frozenset({DOC}), refused=frozenset({TRAIN})
    )
    good = Seal(own, proof).sign(claims_of(whole))
    late = replace(whole, made_at=now - timedelta(minutes=6), told=replace(told, at=now - timedelta(minutes=7)))
    for doubt, text in (
        (None, good),
        ("used", good),
        ("unproved", Seal(stranger, proof).sign(claims_of(whole))),
        ("late", Seal(own, proof).sign(claims_of(late))),
        ("another_target", Seal(own, proof).sign(claims_of(replace(whole, target=NUMBERS["n6"])))),
    ):
        party.do("dial", account="own", target=desks.target, passport=text)
        call = there.desk.answer().id
        there.desk.wait_event("passport", call=call, doubt=doubt)
        there.desk.wait_event("first_sample", call=call)
        status = there.desk.wait_status(lambda one: one.recording == (DOC,), "documentation alone", call)
        assert status.purposes[TRAIN].reason is Reason.DECLINED_EARLIER
        assert bool(there.desk.told("notice_started", call=call)) is (doubt is not None), doubt
        _gone(desks, call)
        row = there.row(call)
        assert row is not None
        assert [*row.expires] == [DOC]
    # A yes that was given on another line is none here: the party is asked.
    agreed = replace(whole, target=NUMBERS["n6"], agreed=frozenset({TRAIN}), refused=frozenset())
    text = Seal(own, proof).sign(claims_of(replace(agreed, told=replace(told, notice=NoticeId.N6))))
    party.do("dial", account="own", target=desks.target.replace(line, NUMBERS["n6"]), passport=text)
    call = there.desk.answer().id
    there.desk.wait_event("audit.asked", call=call, purpose="training")
    assert there.desk.told("notice_started", call=call)
    there.desk.wait_status(lambda one: one.recording == (DOC,), "documentation alone", call)
    _gone(desks, call)


def _gone(desks: Desks, call: str) -> None:
    desks.there.desk.do(HangUp, call=call)
    desks.there.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
    desks.party.wait_for("CallEnded")
    _over(desks.there, call)


def test_what_fails_gives_the_party_back_and_is_recorded_on(desks: Desks) -> None:
    here, there, party = desks.here, desks.there, desks.party
    call = desks.recorded()
    here.desk.do(Transfer, call=call, target=desks.target)
    asked, theirs = desks.followed()
    party.do("tell_referrer", call=asked["call"], code=180)
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.RINGING, "it rings", call)
    assert len(here.desk.told("recorder_stopped", call=call)) >= 1
    party.do("hang_up", call=theirs)
    party.do("tell_referrer", call=asked["call"], code=486)
    party.do("resume", call=asked["call"])
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.FAILED, "failed", call)
    here.desk.wait_status(lambda one: len(one.recording) == 2, "recorded on", call)
    assert not there.desk.told("recorder_started", call=theirs)
    here.desk.do(HangUp, call=call)
    here.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
    _over(here, call)


def test_a_colleague_who_was_asked_first_takes_the_party_over_without_a_press(desks: Desks) -> None:
    here, there, party = desks.here, desks.there, desks.party
    call = desks.recorded()
    consultation = here.desk.do(Consult, call=call, target=desks.target).result["call"]
    asked_first = there.desk.answer()
    here.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "the colleague", consultation)
    assert here.desk.call(consultation).role is CallRole.CONSULTATION

    here.desk.do(CompleteTransfer, call=consultation)
    refused = party.wait_for("ReferAsked")
    party.do("tell_referrer", call=refused["call"], code=486)
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.FAILED, "failed", call)
    assert here.desk.call(consultation).phase is CallPhase.CONNECTED, "the colleague is there still"
    assert here.desk.call(call).held_by_us

    here.desk.do(CompleteTransfer, call=consultation)
    asked, theirs = desks.followed()
    assert asked["replaces"]
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.ACCEPTED, "accepted", call)
    party.wait_for("CallEstablished", call=theirs)
    arrived = there.desk.wait(
        lambda s: next((one for one in s.calls if one.id != asked_first.id and one.answered_at), None), "the party"
    )
    there.desk.wait_status(lambda one: len(one.recording) == 2, "both purposes", arrived.id)
    assert not there.desk.told("notice_started", call=arrived.id)
    there.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "out of it", asked_first.id)
    party.do("tell_referrer", call=asked["call"], code=200)
    for one in (call, consultation):
        here.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "out of it", one)
    here.desk.wait_event("audit.handed_over", call=call)
    there.desk.do(HangUp, call=arrived.id)
    for on, one in ((here, call), (here, consultation), (there, asked_first.id), (there, arrived.id)):
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", one)
        on.desk.do(EndWrapUp, call=one)
    assert here.row(consultation) is None
    assert there.row(asked_first.id) is None


def test_a_party_comes_back_when_its_transfer_came_to_nothing(desks: Desks) -> None:
    here, there, party = desks.here, desks.there, desks.party
    call = desks.recorded()
    # While it hangs, though the party has accepted it.
    hung = here.desk.do(Consult, call=call, target=desks.target).result["call"]
    there.desk.answer()
    here.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "the colleague", hung)
    here.desk.do(CompleteTransfer, call=hung)
    asked = party.wait_for("ReferAsked")
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.ACCEPTED, "accepted", call)
    here.desk.do(BackToParty, call=hung)
    here.desk.wait_status(lambda one: len(one.recording) == 2, "recorded on", call)
    party.do("tell_referrer", call=asked["call"], code=481)
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.FAILED, "failed", call)
    assert not here.desk.told("audit.handed_over", call=call)
    # Nobody was asked first, and nobody answers there.
    here.desk.do(Transfer, call=call, target=desks.target)
    asked = party.wait_for("ReferAsked")
    party.do("tell_referrer", call=asked["call"], code=180)
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.RINGING, "it rings", call)
    here.desk.do(BackToParty, call=call)
    here.desk.wait_status(lambda one: len(one.recording) == 2, "recorded on", call)
    transfer = here.desk.call(call).transfer
    assert transfer is not None
    assert (transfer.phase, transfer.taken_back) == (TransferPhase.RINGING, True)
    party.do("tell_referrer", call=asked["call"], code=487)
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.FAILED, "failed", call)
    # And once it has failed.
    consultation = here.desk.do(Consult, call=call, target=desks.target).result["call"]
    colleague = there.desk.answer()
    here.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "the colleague", consultation)
    here.desk.do(CompleteTransfer, call=consultation)
    asked = party.wait_for("ReferAsked")
    there.desk.do(HangUp, call=colleague.id)
    here.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "the colleague has gone", consultation)
    party.do("tell_referrer", call=asked["call"], code=404)
    here.desk.wait_call(lambda one: one.transfer and one.transfer.phase is TransferPhase.FAILED, "failed", call)
    status = here.desk.call(call).status
    assert status is not None
    assert not status.recording, "nobody has gone back to the party yet"
    here.desk.do(BackToParty, call=call)
    here.desk.wait_status(lambda one: len(one.recording) == 2, "recorded on", call)
    here.desk.do(HangUp, call=call)
    # The colleague's first wrap-up ended when the second call was answered.
    for on, one in ((here, call), (here, hung), (here, consultation), (there, colleague.id)):
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", one)
        on.desk.do(EndWrapUp, call=one)


def test_nobody_is_called_for_a_party_who_asks_until_the_agent_presses(desks: Desks) -> None:
    here, there, party = desks.here, desks.there, desks.party
    call = desks.recorded()
    party.do("transfer", target=desks.target)
    here.desk.wait_call(lambda one: one.asked_to_call == NUMBERS["n7"], "asked", call)
    here.desk.do(DeclineTransfer, call=call)
    assert party.wait_for("TransferChanged", state="failed")["code"] == 603
    here.desk.wait_call(lambda one: not one.asked_to_call, "answered", call)
    party.do("transfer", target=desks.target)
    here.desk.wait_call(lambda one: one.asked_to_call, "asked again", call)
    assert not any(one.phase is CallPhase.INCOMING for one in there.desk.wait(lambda s: s, "a state").calls)

    made = here.desk.do(FollowTransfer, call=call, target=NUMBERS["n7"]).result["call"]
    colleague = there.desk.answer()
    party.wait_for("TransferChanged", state="done")
    here.desk.wait_event("audit.handed_over", call=call)
    here.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
    assert here.desk.call(made).phase is CallPhase.CONNECTED
    here.desk.do(HangUp, call=made)
    for on, one in ((here, call), (here, made), (there, colleague.id)):
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", one)
        on.desk.do(EndWrapUp, call=one)
