"""Calls that belong together, over a real archive: what the party refuses in one, or has locked in it, reaches the others,
also hours later and though they have ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from softphone.archive.finding.history import History
from softphone.domain.changes import OpenSegment
from softphone.domain.decision import Decision, LookupResult, NoticeDelivery, NoticeId
from softphone.domain.passport import HEADER, Passport, claims_of, fingerprint
from softphone.domain.purpose import Reason
from softphone.engine.sip import events as sip
from softphone.system.passports import Seal, certify
from softphone.system.signature import public_half
from softphone.wire.to_engine import RaiseDispute, UndoDispute
from tests.archive.scene import DOCUMENTATION, TRAINING
from tests.engine.scene import CALL, NUMBER, PARTY, SECOND
from tests.engine.test_later import ALL, Later
from tests.engine.test_passport import DESK, HOUSE, HOUSED, INTEREST, N6, Desk

N7 = Decision(INTEREST, INTEREST, NoticeId.N7, NoticeDelivery.PLAY, (Reason.ASSESSMENT,))
BACK, AGAIN = "01a30000-0000-7000-8000-000000000001", "01a30000-0000-7000-8000-000000000002"


class Group(Later):
    """A call that ended, and the same party's next one, which a colleague has transferred back."""

    def begin(self) -> None:
        self.first = self.kept(DOCUMENTATION, TRAINING)
        self.start(HOUSED)
        self.until(lambda: self.store.opened)
        self.comes_back(BACK)

    def comes_back(self, call: str) -> None:
        now = self.now().utc
        passport = Passport(self.first, "70102030", now, fingerprint("Nordlys El A/S"), "salg")
        text = Seal(DESK, certify(public_half(DESK), HOUSE, now + timedelta(days=1))).sign(claims_of(passport))
        headers = sip.Headers({HEADER: (text,)})
        calls = self.calls
        calls.desk(present=True)
        calls.arrived(
            sip.CallArrived(call, "account", "Mette", PARTY, "pbx.example", NUMBER, headers, "127.0.0.1", False, "")
        )
        self.until(lambda: self.rules.asked)
        calls.decided(call, N7)
        calls.established(sip.CallEstablished(call, record_aware=False))
        calls.notice_started(sip.NoticeStarted(call, self.seconds))
        self.seconds += 2.2
        calls.run_due()
        calls.notice_played(sip.NoticePlayed(call))
        self.until(lambda: self.recorder.running)
        ((recording, segment),) = self.recorder.running
        calls.first_sample(call, recording, segment)

    def end(self) -> None:
        self.calls.ended(sip.CallEnded(BACK, 200, "", by_us=False))
        self.close(BACK)

    def all_know(self) -> None:
        self.calls.run_due()
        self.settle()


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    made = Group(tmp_path / "archive")
    made.begin()
    yield made
    made.calls.close_all()
    assert made.store.close()


@pytest.mark.rule("G31")
@pytest.mark.expected_log("not taken up", reason="the archive is made to fail once")
def test_an_opt_out_from_todays_calls_reaches_the_call_before_also_where_the_archive_fails_at_first(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    group.end()
    group.open(BACK)

    def unreadable(*_: object) -> None:
        raise OSError("no answer")

    with monkeypatch.context() as broken:
        group.opt_out()
        broken.setattr(History, "call", unreadable)
        group.calls.run_due()
        group.inbox.get(timeout=20)()
    assert not group.calls.settled
    group.seconds += 2.5
    group.all_know()
    assert group.opens_for(group.first) == ALL - {"training"}


@pytest.mark.rule("G31")
def test_a_refusal_reaches_each_call_of_the_group_also_after_a_restart(group: Group) -> None:
    group.end()
    group.calls.close_all()
    group.settle()
    assert group.store.close()
    group.start(HOUSED)
    group.until(lambda: group.store.opened)
    group.comes_back(AGAIN)
    group.calls.ended(sip.CallEnded(AGAIN, 200, "", by_us=False))
    group.settle()
    group.opt_out()
    group.all_know()
    assert [group.opens_for(call) for call in (group.first, BACK)] == [ALL - {"training"}] * 2


@pytest.mark.rule("G31")
def test_the_engine_ends_only_once_the_call_before_has_heard_the_refusal(group: Group) -> None:
    group.calls.ended(sip.CallEnded(BACK, 200, "", by_us=False))
    group.settle()
    group.opt_out()
    group.calls.close_all()
    group.settle()
    assert group.opens_for(group.first) == ALL - {"training"}


@pytest.mark.rule("G10")
def test_a_dispute_reaches_the_call_before_also_though_it_has_ended(group: Group) -> None:
    assert group.calls.recording_command(RaiseDispute("1", BACK, group.status.version)) is None
    group.settle()
    group.all_know()
    assert group.opens_for(group.first) == ALL - {"training"}


@pytest.mark.rule("G10")
def test_a_dispute_undone_is_undone_in_both_calls() -> None:
    desk = Desk()

    def written() -> None:
        calls = desk.store.of_calls[len(desk.store.of_calls) - len(desk.store.commits) :]
        commits = [*desk.store.commits]
        desk.store.commits.clear()
        for call, commit in zip(calls, commits, strict=True):
            keys = {(one.recording, one.segment): bytes(32) for one in commit.changes if isinstance(one, OpenSegment)}
            desk.calls.committed(call, commit.ticket, keys)

    def held() -> list[bool]:
        return [call.status is not None and call.status.hold is not None for call in desk.calls.shown()]

    def version() -> int:
        status = desk.calls.shown()[1].status
        assert status is not None
        return status.version

    desk.transferred()
    desk.hear_notice()
    text = desk.seal.sign(claims_of(replace(desk.passport, group=CALL)))
    desk.ring(SECOND, passports=(text,))
    desk.calls.looked_up(SECOND, LookupResult())
    desk.calls.decided(SECOND, N6)
    desk.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    written()
    assert desk.calls.recording_command(RaiseDispute("1", SECOND, version())) is None
    desk.calls.run_due()
    written()
    assert held() == [True, True]
    assert desk.calls.recording_command(UndoDispute("2", SECOND, version())) is None
    for _ in range(3):
        desk.calls.run_due()
        written()
    assert held() == [False, False]
