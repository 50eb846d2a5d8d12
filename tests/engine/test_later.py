"""Rights from today's calls, over a real archive of an earlier run: what was in reach in wrap-up is so later, by the same
rules.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.changes.call import CallFacts
from softphone.archive.changes.ending import discard
from softphone.archive.changes.holds import lift
from softphone.domain.changes import AuditEntry, CloseRecording, Commit, Discard, HoldBy, OpenRecording, OpenSegment
from softphone.domain.decision import NoticeId
from softphone.domain.events import Now
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason
from softphone.domain.status import Action, DisputeKind, HoldPhase, OptOutKind, Status
from softphone.engine.call.phone_calls import PhoneCalls
from softphone.engine.sip import events as sip
from softphone.engine.storage.store import Store
from softphone.wire.from_engine import Fault
from softphone.wire.snapshot import CallPhase, CallState, CodedText, PastCall
from softphone.wire.to_engine import Act, Choose, OptOut, RaiseDispute, UndoDispute
from tests.archive.holds import raise_hold
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING, Scene
from tests.engine.scene import FakePhone, FakeRecorder, FakeRules
from tests.policies import POLICY, policy_of

AT = datetime(2026, 11, 25, 10, 41, tzinfo=UTC)
AGENT = "anna@pbx.example"
INTEREST, CONSENT = Basis.LEGITIMATE_INTEREST, Basis.CONSENT


class Later:
    """An archive with calls of an earlier run, and an engine's calls that open it with an agent's own keys: none that open."""

    def __init__(self, folder: Path) -> None:
        self.before = Scene(folder)
        self.folder = folder
        self.seconds = 0.0
        self.inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self.told: list[object] = []
        self._count = 0

    def kept(
        self,
        *purposes: Purpose,
        basis: Basis = INTEREST,
        notice: NoticeId = NoticeId.N7,
        at: datetime = AT,
        agent: str = AGENT,
        number: str | None = NUMBER,
        ends: bool = True,
    ) -> str:
        """A call of which something was recorded for these purposes."""
        self._count += 1
        call = f"01a20000-0000-7000-8000-00000000010{self._count}"
        periods = dict.fromkeys(Purpose, Period.parse("P3M"))
        facts = CallFacts(
            call, "salg", Direction.INBOUND, number, at, Language.DA, "Europe/Copenhagen", periods, notice, agent=agent
        )
        recipients = tuple(self.before.policy_recipients)
        self.before.ledger.register_call(replace(facts, recipients=recipients))
        recording, bases = f"{call}-1", dict.fromkeys(purposes, basis)
        self.before.commit(
            OpenRecording(recording, call, at),
            OpenSegment(recording, 0, purposes, bases, at),
            *([CloseRecording(recording, at + timedelta(seconds=62), purposes)] if ends else []),
            call=call,
            recording=recording,
        )
        return call

    def start(self, policy: str = POLICY, *, opened: bool = True) -> None:
        """The engine, after its restart. `opened`: once its archive is."""
        self.before.close()
        agents = self.before.only()
        self.store = Store(lambda: Archive.open(self.folder, agents), self.inbox.put, lambda: None)
        self.recorder, self.rules = FakeRecorder(), FakeRules(policy_of(policy).policy)
        self.calls = PhoneCalls(
            FakePhone(),
            self.recorder,
            self.store,
            self.rules,
            clock=self.now,
            tell=self.told.append,
            changed=lambda: None,
            account_address=lambda _: AGENT,
            own_accounts=lambda: {AGENT: "account"},
            microphone_opened=lambda: None,
            tone=lambda _: None,
        )
        self.store.start(self.calls)
        if opened:
            self.until(lambda: self.calls.history())

    def now(self) -> Now:
        return Now(AT + timedelta(hours=1, seconds=self.seconds), self.seconds)

    def until(self, reached: Callable[[], object]) -> None:
        while not reached():
            self.inbox.get(timeout=20)()

    def settle(self) -> None:
        self.until(lambda: self.calls.settled)

    def row(self, call: str) -> PastCall:
        return next(row for row in self.calls.history() if row.id == call)

    def open(self, call: str) -> Status:
        assert self.calls.reopen(call) is None
        self.until(self.calls.shown)
        return self.status

    def close(self, call: str) -> None:
        assert self.calls.end_wrap_up(call) is None
        self.settle()

    @property
    def call(self) -> CallState:
        return self.calls.shown()[0]

    @property
    def status(self) -> Status:
        assert self.call.status
        return self.call.status

    def opt_out(self) -> None:
        status = self.status
        assert self.calls.recording_command(OptOut("1", self.call.id, status.version, status.opt_out.kind)) is None
        self.settle()

    def dispute(self, by: str = "controller") -> None:
        command = RaiseDispute("1", self.call.id, self.status.version, "party" if by == "party" else "controller")
        assert self.calls.recording_command(command) is None
        self.settle()

    def opens_for(self, call: str) -> set[str]:
        """Who could open the call's recording now, by the catalog."""
        archive = Archive.open(self.folder, self.before.memory)
        try:
            kept = [row for row in archive.list(AT) if row.call == call]
            return {wrap.role.value for row in kept for wrap in archive.wraps_of(row.recording)}
        finally:
            archive.close()

    def log(self, call: str) -> list[tuple[str, str]]:
        archive = Archive.open(self.folder, self.before.memory)
        try:
            return [(row.event, row.rule) for row in archive.audit_of(call=call)]
        finally:
            archive.close()


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Later]:
    made = Later(tmp_path / "archive")
    yield made
    made.calls.close_all()
    assert made.store.close()


ALL = {"documentation", "training", "custody"}


def test_calls_of_this_account_are_there_again_after_a_restart(later: Later) -> None:
    both = later.kept(DOCUMENTATION, TRAINING)
    newest = later.kept(DOCUMENTATION, at=AT + timedelta(minutes=5))
    later.kept(DOCUMENTATION, agent="bo@pbx.example")
    later.kept(DOCUMENTATION, at=AT - timedelta(days=7, hours=12))  # 23.41 of the day before, in Copenhagen
    later.start()
    rows = later.calls.history()
    assert [(row.id, row.outcome, row.kept) for row in rows] == [(newest, "documentation", True), (both, "both", True)]
    assert (rows[1].number, rows[1].line, rows[1].seconds, rows[1].at) == (NUMBER, "salg", 62.0, AT)


def test_a_call_in_which_the_engine_was_killed_says_that_its_recording_broke_off(later: Later) -> None:
    call = later.kept(DOCUMENTATION, ends=False)
    later.start()
    assert Reason.BROKE_OFF in [one.reason for one in later.open(call).reasons]
    later.close(call)
    whole = later.row(call)
    assert (whole.outcome, whole.kept) == ("documentation", True)


@pytest.mark.rule("G10")
def test_a_call_whose_recorder_failed_in_mid_call_says_so_in_its_row_too(later: Later) -> None:
    call, whole = later.kept(DOCUMENTATION), later.kept(DOCUMENTATION)
    later.before.commit(entries=(AuditEntry("recording_broke_off", "G10", AT, call, f"{call}-1"),))
    later.start()
    assert Reason.BROKE_OFF in [one.reason for one in later.open(call).reasons]
    later.close(call)
    assert Reason.BROKE_OFF not in [one.reason for one in later.open(whole).reasons]


@pytest.mark.rule("G31")
def test_an_opt_out_hours_later_ends_training_and_is_remembered_as_it_is_in_wrap_up(later: Later) -> None:
    call = later.kept(DOCUMENTATION, TRAINING)
    later.start()
    status = later.open(call)
    assert later.call.reopened
    assert later.call.phase is CallPhase.ENDED
    assert status.opt_out.kind == OptOutKind.TRAINING_ENDS
    later.opt_out()
    assert later.opens_for(call) == ALL - {"training"}
    assert later.row(call).outcome == "documentation"
    later.close(call)
    assert (later.row(call).outcome, later.row(call).kept) == ("documentation", True)
    assert later.log(call)[1:] == [("purpose_ended", "G31"), ("wraps_dropped", "G31"), ("refusal_remembered", "G31")]
    # It looks the same when it is taken up once more, and is not there to be pressed again.
    assert later.open(call).opt_out.kind == OptOutKind.OBJECTION


@pytest.mark.rule("G04")
def test_a_consent_withdrawn_later_deletes_what_nothing_else_keeps(later: Later) -> None:
    call = later.kept(TRAINING, basis=CONSENT, notice=NoticeId.N3)
    later.start()
    assert later.open(call).opt_out.kind == OptOutKind.STOP_AND_DELETE
    later.opt_out()
    assert later.opens_for(call) == set()
    assert not later.status.kept
    later.close(call)
    row = later.row(call)
    assert (row.outcome, row.kept, row.why and row.why.reason) == ("deleted", False, Reason.WITHDRAWN)
    assert ("purpose_ended", "G04") in later.log(call)
    assert later.calls.reopen(call) == CodedText("refused.no_such_call")


@pytest.mark.rule("G04")
def test_either_consent_of_two_can_be_withdrawn_later(later: Later) -> None:
    call = later.kept(DOCUMENTATION, TRAINING, basis=CONSENT, notice=NoticeId.N2_N3)
    later.start()
    assert {"withdraw_documentation", "withdraw_training"} <= set(later.open(call).actions)
    act = Act("1", call, later.status.version, Action.WITHDRAW_DOCUMENTATION)
    assert later.calls.recording_command(act) is None
    later.settle()
    assert later.opens_for(call) == ALL - {"documentation"}


@pytest.mark.rule("G23")
def test_an_objection_later_leaves_the_recording_to_custody_alone(later: Later) -> None:
    call = later.kept(DOCUMENTATION, notice=NoticeId.N1)
    later.start()
    assert later.open(call).opt_out.kind == OptOutKind.OBJECTION
    later.opt_out()
    assert later.opens_for(call) == {"custody"}
    later.close(call)
    assert later.open(call).opt_out.why_not == "objection_received"


@pytest.mark.rule("G32")
def test_grounds_against_training_under_special_circumstances_are_custodys_to_judge_also_later(later: Later) -> None:
    call = later.kept(TRAINING, notice=NoticeId.N5)
    later.start()
    assert later.open(call).opt_out.kind == OptOutKind.GROUNDS
    later.opt_out()
    assert later.opens_for(call) == {"custody"}
    later.close(call)
    assert later.open(call).opt_out.kind == OptOutKind.NONE
    assert later.status.kept


@pytest.mark.rule("G10")
def test_a_dispute_raised_later_locks_and_is_undone_within_its_minute_with_training_as_it_was(later: Later) -> None:
    call = later.kept(DOCUMENTATION, TRAINING)
    later.start()
    later.open(call)
    before = later.opens_for(call)
    later.dispute()
    assert later.status.hold is not None
    assert later.status.hold.phase is HoldPhase.LOCKED
    assert later.opens_for(call) == ALL - {"training"}
    assert later.status.dispute.kind == DisputeKind.UNDO
    assert later.calls.recording_command(UndoDispute("1", call, later.status.version)) is None
    later.settle()
    assert later.status.hold is None
    assert later.opens_for(call) == before == ALL
    later.dispute()
    later.seconds += 60.5
    later.calls.run_due()
    assert later.status.dispute.kind == DisputeKind.NONE
    later.close(call)
    assert later.row(call).outcome == "locked"
    assert later.open(call).dispute.why_not == "already_locked"


@pytest.mark.rule("G10", "G04")
@pytest.mark.parametrize(("option", "left"), [("keep", {"custody"}), ("delete", set[str]()), ("", {"custody"})])
def test_what_the_party_had_locked_is_its_own_to_keep_or_delete_when_it_refuses_later(
    later: Later, option: str, left: set[str]
) -> None:
    call = later.kept(TRAINING, basis=CONSENT, notice=NoticeId.N3)
    later.start()
    later.open(call)
    later.dispute(by="party")
    later.close(call)
    later.open(call)
    later.opt_out()
    assert [choice.id for choice in later.status.choices] == ["kept_for_complaint"]
    if option:
        chosen = Choose("1", call, later.status.version, "kept_for_complaint", option)
        assert later.calls.recording_command(chosen) is None
        later.settle()
    later.close(call)
    assert later.opens_for(call) == left


def test_a_row_left_open_closes_by_itself_and_another_closes_it_too(later: Later) -> None:
    one, other = later.kept(DOCUMENTATION), later.kept(DOCUMENTATION)
    later.start()
    later.open(one)
    assert later.calls.reopen(other) is None
    later.until(lambda: [call.id for call in later.calls.shown()] == [other])
    later.seconds += 601
    later.calls.run_due()
    assert later.calls.shown() == ()
    assert later.log(one) == later.log(other) == [("changed", "G31")]


def test_a_row_opened_while_its_last_words_are_still_being_written_opens_when_they_are(later: Later) -> None:
    call = later.kept(DOCUMENTATION, TRAINING)
    later.start()
    status = later.open(call)
    assert later.calls.recording_command(OptOut("1", call, status.version, status.opt_out.kind)) is None
    assert later.calls.end_wrap_up(call) is None
    assert later.calls.shown() == ()
    assert not later.calls.settled
    assert later.calls.reopen(call) is None
    later.until(later.calls.shown)
    assert later.status.opt_out.kind == OptOutKind.OBJECTION


def test_what_is_gone_meanwhile_is_said_when_its_row_is_opened(later: Later) -> None:
    call = later.kept(TRAINING)
    later.start()
    archive = Archive.open(later.folder, later.before.memory)
    ledger = archive.ledger(lambda _ticket, _keys: None, lambda _ticket, _reason, _detail: None)
    ledger.start()
    ledger.submit(Commit(1, (Discard(f"{call}-1", "expired"),), ()))
    assert ledger.stop()
    archive.close()
    assert later.calls.reopen(call) is None
    later.until(lambda: later.row(call).outcome == "deleted")
    assert later.calls.shown() == ()
    assert Fault(CodedText("fault.reopen.gone"), call) in later.told


def beside(later: Later) -> Archive:
    return Archive.open(later.folder, later.before.memory)


def held_elsewhere(later: Later, call: str, by: HoldBy) -> None:
    archive = beside(later)
    raise_hold(archive, f"{call}-1", by, "klage", "mette", later.now().utc)
    archive.close()


def faults(later: Later) -> list[CodedText]:
    return [one.said for one in later.told if isinstance(one, Fault)]


@pytest.mark.rule("G10")
@pytest.mark.parametrize("by", list(HoldBy))
def test_what_is_locked_elsewhere_while_its_row_stands_open_is_not_deleted_by_it(later: Later, by: HoldBy) -> None:
    call = later.kept(DOCUMENTATION, basis=CONSENT, notice=NoticeId.N3)
    later.start()
    assert later.open(call).opt_out.stays is None
    held_elsewhere(later, call, by)
    later.opt_out()
    assert later.opens_for(call) == {"custody", "documentation"}, "what was pressed would not be what is done"
    assert later.status.opt_out.stays is not None, "the button says so now"
    later.opt_out()
    assert later.opens_for(call) == {"custody"}
    assert later.status.kept


@pytest.mark.rule("G31")
def test_a_no_is_remembered_also_where_what_it_was_about_is_gone(later: Later) -> None:
    call = later.kept(TRAINING, notice=NoticeId.N4)
    later.start()
    later.open(call)
    archive = beside(later)
    with archive.catalog.writing() as tx:
        discard(tx, f"{call}-1", later.now().utc)
    archive.close()
    later.opt_out()
    assert ("refusal_remembered", "G31") in later.log(call)
    assert (later.row(call).outcome, later.row(call).kept) == ("deleted", False)


@pytest.mark.rule("G10")
def test_what_was_deleted_elsewhere_while_its_row_stood_open_is_not_said_to_be_locked(later: Later) -> None:
    call = later.kept(DOCUMENTATION)
    later.start()
    later.open(call)
    archive = beside(later)
    with archive.catalog.writing() as tx:
        discard(tx, f"{call}-1", later.now().utc)
    archive.close()
    later.dispute()
    assert later.calls.shown() == ()
    assert faults(later) == [CodedText("fault.reopen.gone")]
    assert (later.row(call).outcome, later.row(call).kept) == ("deleted", False)


def test_a_row_that_stands_open_is_looked_at_again_and_shows_what_others_made_of_it(later: Later) -> None:
    call = later.kept(DOCUMENTATION, TRAINING)
    later.start()
    later.open(call)
    later.dispute()
    archive = beside(later)
    with archive.catalog.writing() as tx:
        lift(tx, f"{call}-1-h1", "mistake", later.now().utc)
    archive.close()
    version = later.status.version
    later.seconds += 3.5
    later.calls.run_due()
    later.until(lambda: later.status.hold is None)
    assert later.status.version > version
    assert later.calls.recording_command(UndoDispute("1", call, version)) == CodedText("refused.stale")


@pytest.mark.parametrize("press", ["opt_out", "dispute"])
def test_a_look_after_a_press_finds_what_the_press_has_made_and_leaves_it_alone(later: Later, press: str) -> None:
    call = later.kept(DOCUMENTATION, TRAINING)
    later.start()
    later.open(call)
    later.opt_out() if press == "opt_out" else later.dispute()
    before = later.call
    later.seconds += 3.5
    later.calls.run_due()
    live = later.calls.next_due()
    later.until(lambda: later.calls.next_due() != live)
    assert later.call == before


def test_a_press_is_carried_out_also_where_the_row_is_closed_at_once(later: Later) -> None:
    call = later.kept(TRAINING, basis=CONSENT, notice=NoticeId.N3)
    later.start()
    status = later.open(call)
    assert later.calls.recording_command(OptOut("1", call, status.version, status.opt_out.kind)) is None
    later.close(call)
    assert later.opens_for(call) == set()
    assert later.row(call).outcome == "deleted"


def test_the_row_pressed_last_is_the_one_that_opens(later: Later) -> None:
    one, other = later.kept(DOCUMENTATION, TRAINING), later.kept(DOCUMENTATION)
    later.start()
    status = later.open(one)
    assert later.calls.recording_command(OptOut("1", one, status.version, status.opt_out.kind)) is None
    assert later.calls.end_wrap_up(one) is None
    assert later.calls.reopen(one) is None
    assert later.calls.reopen(other) is None
    later.until(later.calls.shown)
    later.settle()
    while not later.inbox.empty():
        later.inbox.get()()
    assert [call.id for call in later.calls.shown()] == [other]
    assert faults(later) == []


def test_no_row_opens_while_a_call_is_on_nor_when_one_has_begun_meanwhile(later: Later) -> None:
    call = later.kept(DOCUMENTATION)
    later.start()
    assert later.calls.reopen(call) is None
    later.calls.dial("account", NUMBER, None)
    # It was asked for before: once something asked later is answered, so was that.
    later.store.look_back([], AT, later.now().utc)
    read: list[object] = []

    def remembered(past: object, own: object) -> None:
        read.append((past, own))

    later.calls.remembered = remembered
    later.until(lambda: read)
    assert not any(one.reopened for one in later.calls.shown())
    assert later.calls.reopen(call) == CodedText("refused.not_now")


@pytest.mark.rule("G04")
def test_an_own_call_of_days_ago_is_taken_up_and_withdrawn_and_one_past_own_calls_is_not_there(later: Later) -> None:
    call = later.kept(TRAINING, basis=CONSENT, notice=NoticeId.N3, at=AT - timedelta(days=5))
    older = later.kept(TRAINING, basis=CONSENT, notice=NoticeId.N3, at=AT - timedelta(days=8))
    later.start()
    assert [row.id for row in later.calls.history()] == [call]
    later.open(call)
    later.opt_out()
    later.close(call)
    assert later.opens_for(call) == set()
    assert (later.row(call).outcome, later.row(call).kept) == ("deleted", False)
    assert later.calls.reopen(older) == CodedText("refused.no_such_call")


@pytest.mark.rule("L3")
def test_missed_and_unrecorded_calls_are_there_after_a_restart_with_their_names(
    later: Later,
) -> None:
    kept = later.kept(DOCUMENTATION)
    later.start()
    later.calls.missed(sip.CallMissed("account", "Mette Friis", "20999999", True, AT + timedelta(minutes=1)))
    arrived = sip.CallArrived(
        "a1", "account", "Bo Bek", NUMBER, "pbx.example", "0", sip.Headers({}), "192.0.2.1", False
    )
    later.calls.arrived(arrived)
    later.calls.established(sip.CallEstablished("a1", False))
    later.calls.ended(sip.CallEnded("a1", 200, "OK", False))
    later.settle()
    # In its wrap-up the engine is killed: no row of it is in today's list yet.
    assert later.store.close()
    assert b"Mette" not in later.before.pages()

    later.start()

    rows = {row.name: row for row in later.calls.history()}
    assert (rows["Mette Friis"].outcome, rows["Mette Friis"].number) == ("missed", "+4520999999")
    assert (rows["Bo Bek"].outcome, rows["Bo Bek"].kept, rows["Bo Bek"].number) == ("not_recorded", False, NUMBER)
    assert [row.id for row in later.calls.history() if row.kept] == [kept]
    later.seconds += 8 * 86_400
    assert later.calls.history() == ()


def test_two_hundred_missed_calls_take_no_call_of_ones_own_out_of_the_list(later: Later) -> None:
    call = later.kept(DOCUMENTATION)
    later.start()
    for number in range(300):
        at = AT + timedelta(minutes=1, seconds=number / 100)
        later.calls.missed(sip.CallMissed("account", "", f"2099{number:04}", True, at))
    rows = later.calls.history()
    assert [row.id for row in rows if row.kept] == [call]
    assert sum(row.outcome == "missed" for row in rows) > 100
