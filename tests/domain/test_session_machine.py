"""A hypothesis state machine against a short statement of the rules, separate from the session and from the walk.

It drives long calls with real times, any order of presses and signals, and a store that answers late, out of step, or not at all.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import Basis, Headline, KeyRole, Purpose, Reason
from softphone.domain.status import PurposePhase, Status
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import SCENES, TRAIN, Scene, alphabet

SIGNALS = [
    it
    for it in alphabet(SCENES["N2+N3"])
    if not isinstance(it, e.Rang | e.DigitPressed | e.TimedOut | e.PartyAsksForRecording | e.Answered)
]


class Recorded:
    """What is sealed, and who could open it: told by the effects alone."""

    def __init__(self) -> None:
        self.running: tuple[str, int] | None = None
        self.held = False
        self.wraps: dict[str, set[KeyRole]] = {}
        self.discarded: set[str] = set()
        self.written: set[tuple[str, int]] = set()
        self.sent: dict[int, c.Commit] = {}
        self.sound = False

    def sees(self, effect: f.Effect) -> None:
        match effect:
            case c.Commit():
                assert effect.entries, "a change without an audit entry"
                assert all(entry.rule for entry in effect.entries)
                assert effect.ticket not in self.sent
                self.sent[effect.ticket] = effect
                for change in effect.changes:
                    self._narrows(change)
            case f.StartRecorder(recording=recording, segment=segment):
                assert (recording, segment) in self.written, "started before it was written"
                assert recording not in self.discarded
                self.running, self.held = (recording, segment), False
            case f.StopRecorder(hold_frames=hold):
                self.running, self.held = None, hold
            case f.DropFrames():
                self.held = False
            case f.PlayNotice():
                self.sound = True
            case f.StopNotice():
                self.sound = False
            case _:
                pass

    def _narrows(self, change: c.Change) -> None:
        match change:
            case c.DropWraps(recording=recording, role=role):
                self.wraps.get(recording, set()).discard(role)
            case c.Restrict(recording=recording):
                self.wraps[recording] = set()
            case c.Discard(recording=recording):
                self.discarded.add(recording)
                self.wraps[recording] = set()
            case _:
                pass

    def acknowledged(self, ticket: int) -> None:
        for change in self.sent[ticket].changes:
            match change:
                case c.OpenSegment(recording=recording, segment=segment, purposes=purposes):
                    self.written.add((recording, segment))
                    if recording not in self.discarded:
                        self.wraps.setdefault(recording, set()).update(KeyRole(p) for p in purposes)
                case c.AddWraps(recording=recording, purpose=purpose, withheld=False):
                    self.wraps.setdefault(recording, set()).add(KeyRole(purpose))
                case _:
                    pass


class Calls(RuleBasedStateMachine):
    """One call; `told`, `yes` and `no` are the short statement."""

    @initialize(name=some.sampled_from(sorted(SCENES)), repeat=some.integers(0, 1))
    def rings(self, name: str, repeat: int) -> None:
        scene = SCENES[name]
        self.scene: Scene = replace(scene, terms=replace(scene.terms, repeat=repeat))
        self.call = Call(self.scene)
        self.call.store_answers = False
        self.seen = Recorded()
        self.silences: set[str] = set()
        self.yes: set[Purpose] = set()
        self.heard = False
        self.ended = False
        self.answered = False
        for effect in self.call.log:
            self.seen.sees(effect)

    def happens(self, event: e.Event) -> Status:
        before = self.call.status
        self.call(event)
        for effect in self.call.last:
            self.seen.sees(effect)
        return before

    # --- what can happen ------------------------------------------------------------------------

    @rule()
    def is_answered(self) -> None:
        self.happens(e.Answered())
        self.answered = True

    @rule()
    @precondition(lambda self: self.seen.sound)
    def hears_the_notice(self) -> None:
        self.happens(e.NoticeReached(e.Mark.QUESTION))
        self.seen.sound = False
        self.happens(e.NoticeHeard())
        self.heard = True

    @rule(digit=some.sampled_from("123*9#"))
    def presses(self, digit: str) -> None:
        keys = dict(self.scene.terms.consent_keys)
        if digit in keys:
            self.yes.add(keys[digit])
        self.happens(e.DigitPressed(digit, self.call.mono))

    @rule(event=some.sampled_from(SIGNALS))
    def signals(self, event: e.Event) -> None:
        match event:
            case e.NoticeHeard() | e.NoticeFailed():
                self.heard |= self.seen.sound and isinstance(event, e.NoticeHeard)
                self.seen.sound = False
            case e.SpokenAnswer(purpose=purpose, yes=True):
                self.yes.add(purpose)
            case e.NoticeRead(said_yes=purposes):
                self.yes.update(purposes)
                self.heard = True
            case e.UpstreamVouched() | e.FinishedOrally():
                self.heard = True
                self.yes.update((TRAIN,) if isinstance(event, e.UpstreamVouched) else ())
            case e.HoldSignalled(held=on):
                (self.silences.add if on else self.silences.discard)("held")
            case e.AgentMediaChanged(present=present):
                (self.silences.discard if present else self.silences.add)("agent")
            case e.ConsultationChanged(running=on):
                (self.silences.add if on else self.silences.discard)("consulting")
            case e.CallEnded() | e.HandedOver():
                self.ended |= self.answered
            case _:
                pass
        if not self.answered:
            self.silences.clear()
        self.happens(event)

    @rule(timer=some.sampled_from(sorted(e.Timer)), late=some.floats(0, 60))
    def time_is_up(self, timer: e.Timer, late: float) -> None:
        self.call.wait(late)
        self.happens(e.TimedOut(timer))

    @rule(data=some.data(), fails=some.sampled_from([False, False, False, True]))
    @precondition(lambda self: any(not it.waiting for it in self.call.state.pending))
    def the_store_answers(self, data: some.DataObject, fails: bool) -> None:
        ticket = min(it.ticket for it in self.call.state.pending if not it.waiting)
        if fails:
            self.happens(e.CommitFailed(ticket, Reason.STORAGE_FAILED))
        else:
            self.seen.acknowledged(ticket)
            self.happens(e.Committed(ticket))

    @rule()
    def the_first_sample_is_sealed(self) -> None:
        if self.seen.running is not None:
            self.happens(e.FirstSample(*self.seen.running))

    @rule()
    def the_one_button_is_pressed(self) -> None:
        kind = self.call.status.opt_out.kind
        was = self.call.status
        self.happens(e.OptedOut(kind))
        if kind in ("stop_and_delete", "training_ends", "call_back"):
            assert self.call.status.opt_out.kind != kind or was.recording == ()
            assert TRAIN not in self.call.status.recording

    # --- the rules --------------------------------------------------------------------------------

    @invariant()
    def nothing_is_sealed_before_the_party_was_told(self) -> None:
        if self.seen.running is not None or self.seen.held:
            assert self.answered
            assert self.heard
            assert not self.ended
            assert not self.silences

    @invariant()
    def nothing_is_recorded_on_consent_without_a_yes(self) -> None:
        for purpose in self.call.status.recording:
            assert self.scene.bases.get(purpose) is not None
            assert self.scene.bases[purpose] is not Basis.CONSENT or purpose in self.yes

    @invariant()
    def a_purpose_that_has_ended_is_not_recorded_for(self) -> None:
        status = self.call.status
        for purpose in status.recording:
            assert status.purposes[purpose].phase is PurposePhase.ACTIVE

    @invariant()
    def the_headline_is_red_exactly_while_something_is_recorded(self) -> None:
        on = self.seen.running is not None or self.seen.held
        assert (self.call.status.headline is Headline.RECORDING) is on
        assert bool(self.call.status.recording) is on

    @invariant()
    def there_is_always_a_reason_with_its_rule(self) -> None:
        reasons = self.call.status.reasons
        assert reasons
        for it in reasons:
            asked = it.purpose is not None and self.scene.bases.get(it.purpose) is Basis.CONSENT
            declined = it.reason in (Reason.DECLINED_BY_KEY, Reason.DECLINED_BY_VOICE, Reason.DECLINED_BY_SIP)
            assert it.rule == ("G03" if declined and asked else it.reason.rule)

    @invariant()
    def training_opens_nothing_after_a_no_or_while_held(self) -> None:
        status = self.call.status
        if self.call.state.pending:
            return
        ended = status.purposes[TRAIN].phase is PurposePhase.ENDED
        taken = ended and status.purposes[TRAIN].reason in (Reason.DECLINED_BY_KEY, Reason.WITHDRAWN, Reason.OBJECTION)
        held = {name for hold in self.call.state.holds for name in hold.placed}
        for recording, roles in self.seen.wraps.items():
            if taken or recording in held:
                assert KeyRole.TRAINING not in roles

    @invariant()
    def what_is_kept_is_kept_by_something(self) -> None:
        if self.call.state.pending:
            return
        for it in self.call.state.recordings:
            if it.began:
                keeps = bool(it.keeps) or it.case or (it.hold_only and bool(self.call.state.holds_on(it)))
                assert (it.id in self.seen.discarded) is not keeps


Calls.TestCase.settings = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class TestCalls(Calls.TestCase):
    pytestmark = [pytest.mark.rule("G05"), pytest.mark.rule("G03"), pytest.mark.rule("G31")]  # noqa: RUF012
