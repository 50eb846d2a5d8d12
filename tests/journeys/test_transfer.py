"""A call that one desk transfers to another: who was told is not told twice, a no binds at once, and what fails comes back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.domain.purpose import Headline, KeyRole, Purpose, Reason
from softphone.system.signature import public_half
from softphone.wire import CallPhase, EndWrapUp, HangUp, Transfer, TransferPhase
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.second_phone import Event, SecondPhone

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

HOUSE = Ed25519PrivateKey.generate().private_bytes_raw()
TOP = f'[house]\nkeys = ["{public_half(HOUSE)}"]\n'
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
                stage(tmp_path_factory.mktemp(name), lines=("n7",), top=TOP, house=HOUSE, edge=name == "here")
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
    there.desk.do(HangUp, call=arrived.id)
    party.wait_for("CallEnded", call=theirs)
    _over(here, call)
    _over(there, arrived.id)
    row = here.row(call)
    assert row is not None
    assert len(here.exported(row.recording, KeyRole.DOCUMENTATION)) >= 16_000, "what was recorded stays as it is"
    assert there.row(arrived.id) is not None


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
