"""Walks of two to four calls and all that an agent, the parties and the network may do to them, by chance and repeatable.

What must hold in each state is `session.md`'s: only what a party was told of and nothing paused is stored; whoever the agent has
left is in no recording; what is done to one call is done to no other.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from softphone.domain.changes import Commit, OpenSegment
from softphone.domain.decision import Decision, Facts, LookupResult, NoticeDelivery, NoticeId, PlanState, PurposePlan
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import Policy
from softphone.domain.purpose import Basis, Purpose, Reason
from softphone.domain.status import Action, Headline, InformedPhase, PurposePhase
from softphone.engine.call.phone_calls import PhoneCalls
from softphone.engine.sip import events as sip
from softphone.wire.snapshot import CallPhase, CallRole, CallState
from softphone.wire.to_engine import Act, Choose, OptOut, RaiseDispute, UndoDispute
from tests.engine.scene import N1, N3, NUMBER, OFF, FakePhone, FakeRecorder, FakeRules, FakeStore, Scene
from tests.policies import POLICY, policy_of

STEPS = 120
N7 = Decision(
    N1.documentation,
    PurposePlan(PlanState.PLANNED, Basis.LEGITIMATE_INTEREST, Reason.TRAINING_SAMPLE),
    NoticeId.N7,
    NoticeDelivery.PLAY,
    (Reason.ASSESSMENT, Reason.TRAINING_SAMPLE),
)
NONE = Decision(OFF, OFF, None, NoticeDelivery.NONE, (Reason.NOT_IN_SAMPLE,))
REVIVES = {Action.PARTY_ASKS_FOR_RECORDING}
"""by the agent's word a party that refused is asked anew: not in these walks"""
_GO_ON = (Action.RESUME, Action.NOTICE_READ, Action.PLAY_AGAIN, Action.READ_INSTEAD)
_TELLS = {f"act {one}" for one in (Action.NOTICE_READ, Action.FINISH_ORALLY)}
_ENDS = {"opt out", *(f"act {one}" for one in (Action.PRIVATE_CALL, Action.OBJECT, Action.NOT_UNDERSTOOD))}
"""what leaves little to record, so not often"""
Happening = Callable[[], object]


@dataclass
class Phone(FakePhone):
    """As Switching has it: the agent takes part in one call, none, or a conference. What follows is told later."""

    calls: PhoneCalls = field(init=False)
    joined: Callable[[set[str]], object] = field(init=False)
    told: deque[Happening] = field(default_factory=deque[Happening])
    up: set[str] = field(default_factory=set[str])
    held: set[str] = field(default_factory=set[str])
    transferring: set[str] = field(default_factory=set[str])
    made: int = 0
    joins: int = 0

    def dial(self, account: str, target: str, *, replaces: str = "", passport: str = "") -> str:
        if len(self.up) >= 4:
            raise KlartoneError("calls_full", most=4)
        self.made += 1
        call = f"ours-{self.made}"
        self.up.add(call)
        self._attend(call)
        return call

    def answer(self, call: str) -> None:
        self._attend(call)
        self.told.append(lambda: self.calls.established(sip.CallEstablished(call, record_aware=False)))

    def decline(self, call: str, code: int = 603) -> None:
        self.ends(call, code, by_us=True)

    def hang_up(self, call: str) -> None:
        self.ends(call, 200, by_us=True)

    def ends(self, call: str, code: int, *, by_us: bool) -> None:
        self.attended -= {call}
        if call in self.up:
            self.up.discard(call)
            self.told.append(lambda: self.calls.ended(sip.CallEnded(call, code, "", by_us=by_us)))

    def hold(self, call: str) -> None:
        if len(self.attended) > 1:
            self.attended -= {call}
        self._held(call, on=True)

    def resume(self, call: str) -> None:
        self._attend(call)
        self._held(call, on=False)

    def join(self, call: str, other: str) -> None:
        self._attend(call, other)
        self.joins += 1
        self.joined({call, other})
        for one in (call, other):
            self._held(one, on=False)

    def transfer(self, call: str, target: str, *, passport: str = "", consultation: str = "") -> None:
        self.transferring.add(call)

    def _attend(self, *calls: str) -> None:
        for one in self.attended - {*calls}:
            self._held(one, on=True)
        self.attended = frozenset(calls)

    def _held(self, call: str, *, on: bool) -> None:
        if (call in self.held) is not on and call in self.up:
            self.held ^= {call}
            self.told.append(lambda: self.calls.held(sip.HoldChanged(call, on, by_them=False)))


@dataclass
class Store(FakeStore):
    waiting: list[tuple[str, Commit]] = field(default_factory=list[tuple[str, Commit]])

    def commit(self, call: str, commit: Commit) -> None:
        self.waiting.append((call, commit))


@dataclass
class Recorder(FakeRecorder):
    of: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])

    def start(self, call: str, recording: str, segment: int, key: bytes) -> None:
        super().start(call, recording, segment, key)
        self.of[recording, segment] = call


@dataclass
class Rules(FakeRules):
    who: list[str] = field(default_factory=list[str])

    def ask(self, call: str, policy: Policy, facts: Facts, *, drawn: bool) -> None:
        self.who.append(call)


class Walk(Scene):
    def __init__(self, seed: int) -> None:
        super().__init__(POLICY)
        self.chance = random.Random(seed)
        self.untold: set[str] = set()
        """calls of a conference whose party, or whose newcomer, has not been told since they were joined"""
        self.line, self.archive, self.tape = Phone(), Store(), Recorder()
        self.book = Rules(policy_of(POLICY).policy)
        self.calls = PhoneCalls(
            self.line,
            self.tape,
            self.archive,
            self.book,
            clock=self.now,
            tell=self.told.append,
            changed=lambda: None,
            account_address=lambda _: f"{NUMBER}@pbx.example",
            own_accounts=dict,
            microphone_opened=lambda: None,
            tone=lambda _: None,
        )
        self.line.calls, self.line.joined = self.calls, self.untold.update
        self.calls.desk(present=True)
        self.did: list[str] = []
        self.refused: set[str] = set()
        self.taken_back: set[str] = set()
        """parties whose transfer is on its way, and with whom the agent is back by a press: their recording goes on"""
        self.rung = 0

    # --- what may happen -------------------------------------------------------------------------

    def rings(self) -> None:
        if len(self.line.up) >= 4 or self._in(CallPhase.INCOMING):
            return
        self.rung += 1
        call = f"theirs-{self.rung}"
        self.line.up.add(call)
        self.ring(call, number=self.chance.choice(["", "+4520123456", f"+452012{self.rung:04}"]))

    def party_hangs_up(self) -> None:
        if self.line.up:
            self.line.ends(self.chance.choice(sorted(self.line.up)), 200, by_us=False)

    def answers_us(self) -> None:
        if ours := self._in(CallPhase.DIALLING, CallPhase.RINGING):
            call = self.chance.choice(ours).id
            self.calls.established(sip.CallEstablished(call, record_aware=False))
            if call not in self.line.attended:
                self.line._held(call, on=True)

    def notice_goes_on(self) -> None:
        told = [(one.id, one.status.notice) for one in self._in(CallPhase.CONNECTED) if one.status]
        if playing := [call for call, notice in told if notice and notice.told is InformedPhase.PLAYING]:
            call = self.chance.choice(playing)
            self.calls.notice_started(sip.NoticeStarted(call, self.seconds))
            self.later(2.2)
            self.untold.discard(call)
            self.calls.notice_played(sip.NoticePlayed(call))

    def goes_on(self) -> None:
        """What an agent does most of the time: answer who rings, hear a notice out, talk to somebody who waits."""
        if waiting := self._in(CallPhase.INCOMING):
            self.calls.answer(waiting[0].id)
        elif not self.line.attended and (there := self._in(CallPhase.CONNECTED)):
            self.calls.activate(self.chance.choice(there).id)
        elif wanted := [
            (one.id, one.status.version, act)
            for one in self._in(CallPhase.CONNECTED)
            if one.active and one.status
            for act in _GO_ON
            if act in one.status.actions
        ]:
            call, version, act = wanted[0]
            if act is Action.NOTICE_READ:
                self.later(30.0)
                self.untold.discard(call)
            self.calls.recording_command(Act("1", call, version, act))
        else:
            self.notice_goes_on()

    def notice_is_cut(self) -> None:
        if talking := self._in(CallPhase.CONNECTED):
            self.calls.notice_cut(sip.NoticeCut(self.chance.choice(talking).id, "held"))

    def time_passes(self) -> None:
        self.later(self.chance.choice([0.2, 2.0, 15.0, 61.0]))

    def party_holds(self) -> None:
        if talking := self._in(CallPhase.CONNECTED):
            one = self.chance.choice(talking)
            self.calls.held(sip.HoldChanged(one.id, one.held_by_us, self.chance.random() < 0.4))

    def desk_comes_or_goes(self) -> None:
        self.calls.desk(present=self.chance.random() < 0.7)

    def transfer_goes_on(self) -> None:
        if self.line.transferring:
            call = self.chance.choice(sorted(self.line.transferring))
            outcomes: list[sip.TransferOutcome] = ["accepted", "ringing", "failed", "done"]
            state = self.chance.choice(outcomes)
            self.line.transferring -= {call} if state in ("failed", "done") else set()
            self.calls.transferring.progressed(sip.TransferChanged(call, state, 486 if state == "failed" else 200))

    def archive_answers(self) -> None:
        for call, commit in [self.archive.waiting.pop(0) for _ in self.archive.waiting[:]]:
            if self.chance.random() < 0.02:
                self.calls.commit_failed(call, commit.ticket, Reason.STORAGE_FAILED)
                continue
            opened = [one for one in commit.changes if isinstance(one, OpenSegment)]
            self.calls.committed(call, commit.ticket, {(one.recording, one.segment): bytes(32) for one in opened})
            for one in opened:
                if (one.recording, one.segment) in self.tape.running:
                    self.calls.first_sample(call, one.recording, one.segment)

    def storage_works(self) -> None:
        self.calls.storage_works()

    # --- what an agent does to one call ----------------------------------------------------------

    def alone(self, one: CallState) -> Iterator[tuple[str, Happening]]:
        """What is one call's own business."""
        calls, status, id = self.calls, one.status, one.id
        digit = self.chance.choice("19*")
        yield f"key {digit}", lambda: calls.digit(sip.DigitReceived(id, digit, self.seconds))
        yield "note", lambda: calls.save_note(id, digit)
        if status is None:
            return
        v = status.version
        yield "opt out", lambda: calls.recording_command(OptOut("1", id, v, status.opt_out.kind))
        yield "dispute", lambda: calls.recording_command(RaiseDispute("1", id, v, "party"))
        yield "undo", lambda: calls.recording_command(UndoDispute("1", id, v))
        for choice in status.choices:
            for option in choice.options:
                press = Choose("1", id, v, choice.id, str(option))
                yield f"choose {option}", lambda press=press: calls.recording_command(press)
        for action in status.actions:
            if action not in REVIVES:
                act = Act("1", id, v, action, next(iter(status.purposes), None))
                yield f"act {action}", lambda act=act: calls.recording_command(act)

    def switching(self, one: CallState) -> Iterator[tuple[str, Happening]]:
        calls, id = self.calls, one.id
        yield "answer", lambda: calls.answer(id)
        yield "activate", lambda: calls.activate(id)
        yield "hold", lambda: calls.hold(id, self.chance.random() < 0.6)
        yield "join", lambda: calls.join(id)
        party = one.consults_for or id
        yield "back", lambda: calls.back_to_party(id) or self.taken_back.add(party)
        yield "consult", lambda: calls.consult(id, "204")
        yield "transfer", lambda: calls.transferring.blind(id, "205") or self.taken_back.discard(id)
        yield "complete", lambda: calls.transferring.complete(id) or self.taken_back.discard(party)
        yield "hang up", lambda: calls.hang_up(id)
        yield "decline", lambda: calls.decline(id)
        yield "finish", lambda: calls.end_wrap_up(id)
        yield "mute", lambda: calls.mute(id, self.chance.random() < 0.5)

    # --- the walk --------------------------------------------------------------------------------

    def step(self) -> None:
        before = self.states()
        shown = list(before.values())
        if shown and self.chance.random() < 0.45:
            one = self.chance.choice(shown)
            own = self.chance.random() < 0.5
            able = [*(self.alone(one) if own else self.switching(one))]
            what, do = self.chance.choice([each for each in able if each[0] not in _ENDS or self.chance.random() < 0.2])
            self.did.append(f"{what} {one.id}")
            if what in _TELLS:
                self.untold.discard(one.id)
            try:
                do()
            except KlartoneError as error:
                self.did[-1] += f" ({error.code})"
            after = self.states()
            self.touches_no_other(before, after, one.id, own=own)
            if own and (what == "opt out" or what == "key 9"):
                self.remember_refusals(before, after)
        else:
            do = self.chance.choices(
                [
                    self.rings,
                    self.party_hangs_up,
                    self.answers_us,
                    self.goes_on,
                    self.notice_is_cut,
                    self.time_passes,
                    self.party_holds,
                    self.desk_comes_or_goes,
                    self.transfer_goes_on,
                    self.storage_works,
                ],
                [3, 1, 3, 9, 0.5, 2, 1, 0.5, 2, 1],
            )[0]
            self.did.append(do.__name__)
            do()
        self.always()
        if self.chance.random() < 0.75:
            self.settle()
            self.always()
            self.at_rest()

    def settle(self) -> None:
        """All that the phone, the archive and the rulebook have to say comes in."""
        while self.line.told or self.archive.waiting or self.book.who or self.archive.looked_up:
            for asked in [self.archive.looked_up.pop(0) for _ in self.archive.looked_up[:]]:
                self.calls.looked_up(asked.id, LookupResult())
            for call in [self.book.who.pop(0) for _ in self.book.who[:]]:
                self.calls.decided(call, self.chance.choice([N1, N1, N7, N7, N3, NONE]))
            while self.line.told:
                self.line.told.popleft()()
            self.archive_answers()

    # --- what must hold --------------------------------------------------------------------------

    def states(self) -> dict[str, CallState]:
        return {one.id: one for one in self.calls.shown()}

    def _in(self, *phases: CallPhase) -> list[CallState]:
        return [one for one in self.calls.shown() if one.phase in phases and one.id in self.line.up]

    def always(self) -> None:
        """In each state, whatever is still on its way."""
        states = self.states()
        if len(self.line.attended) < 2:
            self.untold.clear()  # who is alone with a party again has nobody to tell
        for recording, segment in self.tape.running:
            call = states[self.tape.of[recording, segment]]
            status = call.status
            assert status is not None
            assert recording in status.recordings
            assert (call.phase, call.role) == (CallPhase.CONNECTED, CallRole.PARTY)
            assert status.headline is Headline.RECORDING, status.headline
            assert status.recording
            # Training alone may be paused, where the desk has gone.
            assert set(status.pauses) <= {Reason.NO_DESK}, status.pauses
            assert status.notice is not None
            assert status.notice.told is InformedPhase.INFORMED, status.notice
            assert all(status.purposes[one].phase is PurposePhase.ACTIVE for one in status.recording)
            # Also before the phone has said that the party is held.
            assert not [
                one.id for one in states.values() if one.consults_for == call.id and one.active and not one.conference
            ]
            assert call.id not in self.untold
        of = [self.tape.of[one] for one in self.tape.running]
        assert len(of) == len({*of}), "two segments of one call at once"
        for one in states.values():
            if one.id in self.refused and one.status is not None:
                assert Purpose.TRAINING not in one.status.recording

    def at_rest(self) -> None:
        """Once everything has been told: whom the agent has left, nobody records, and the conference is told of whole."""
        states = self.states()
        for one in self.tape.running:
            call = states[self.tape.of[one]]
            assert call.active
            assert (call.held_by_us, call.held_by_them) == (False, False)
            assert call.transfer is None or call.transfer.phase == "failed" or call.id in self.taken_back
        attended = self.line.attended
        assert {one.id for one in states.values() if one.active} <= attended
        assert all(one.conference is (one.id in attended and len(attended) > 1) for one in states.values())

    def touches_no_other(
        self, before: dict[str, CallState], after: dict[str, CallState], mine: str, *, own: bool
    ) -> None:
        """What was done to one call. Who takes part in which changes others' holds, and what a conference must be told."""
        company = {one.id for one in (*before.values(), *after.values()) if one.conference or one.consults_for}
        for id, was in before.items():
            now = after.get(id)
            if id == mine or now is None or (not own and id in company | {before[mine].consults_for}):
                continue
            if own:
                assert replace(now, earlier=()) == replace(was, earlier=())
                continue
            assert (now.phase, now.note, now.number, now.line) == (was.phase, was.note, was.number, was.line)
            assert (now.status is None) is (was.status is None)
            if now.status is not None and was.status is not None:
                assert now.status.hold == was.status.hold
                assert {*was.status.recordings} <= {*now.status.recordings}
                for purpose, one in was.status.purposes.items():
                    assert now.status.purposes[purpose].phase is one.phase

    def remember_refusals(self, before: dict[str, CallState], after: dict[str, CallState]) -> None:
        """A party whose training has ended by a refusal."""
        for id, now in after.items():
            training = now.status.purposes.get(Purpose.TRAINING) if now.status else None
            if id in before and training is not None and training.phase is PurposePhase.ENDED:
                self.refused.add(id)


@pytest.mark.rule("L5")
@pytest.mark.rule("G05")
@pytest.mark.rule("G31")
@pytest.mark.parametrize("walks", [12, pytest.param(400, marks=pytest.mark.torture)])
def test_whatever_several_calls_do_each_recording_is_its_own_and_of_nobody_untold(walks: int) -> None:
    seen, recorded, met = set[str](), 0, 0
    for seed in range(walks):
        walk = Walk(seed)
        try:
            for _ in range(STEPS):
                walk.step()
                seen |= {one.rpartition(" ")[0] for one in walk.did[-1:]}
        except Exception as error:
            raise AssertionError(f"walk {seed}, after {walk.did[-25:]}") from error
        recorded += walk.tape.starts
        met += walk.line.joins
    # The walks come to where it matters.
    assert recorded > walks
    assert met > walks // 4
    assert {"join", "consult", "complete", "transfer", "activate", "hang up", "opt out", "dispute"} <= seen
