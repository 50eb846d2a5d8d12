"""A hypothesis state machine against `machine_rules`, a short statement of the rules that is separate from session and walk.

It drives long calls with real times, any order of presses and signals, and a store that answers late, fails, or both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.session import State
from softphone.domain.status import OptOutKind
from tests.domain import walk, walk_faults_done, walk_faults_kept, walk_faults_told
from tests.domain.machine_account import Account
from tests.domain.machine_rules import wrong
from tests.domain.walk_fast import fast
from tests.domain.walk_faults import FAULTS, Fault
from tests.domain.walk_scenes import CONSENT, DOC, NOW, OBLIGATION, OTHERWISE, SCENES, TRAIN, Scene, Start, way_to

STARTS = (Start.RECORDED, Start.RINGS, Start.TOLD, Start.RINGS, Start.TOLD, Start.HELD, Start.HALF, Start.ENDED)
PAUSES: dict[str, Callable[[bool], e.Event]] = {
    "held": e.HoldSignalled,
    "consulting": e.ConsultationChanged,
    "no_agent": lambda on: e.AgentMediaChanged(not on),
    "no_desk": lambda on: e.DeskChanged(not on),
    "gone": lambda on: e.PartySoundChanged(not on),
    "source_changed": lambda on: e.SourceChanged() if on else e.SourceReturned(),
}


TELLING = ("person_answered", "notice_read", "stop_notice", "play_again", "read_instead", "finish_orally")
HEARING = ("new_person", "not_understood", "same_caller")
ASKING = ("ask_again", "digits_wanted", "digits_over", "party_asks_for_recording")
PAUSING = ("pause_sensitive", "resume", "more_time")
REFUSING = (
    "voicemail",
    "keep_out_of_training",
    "private_call",
    "withdraw_documentation",
    "withdraw_training",
    "object",
)


def buttons(scene: Scene) -> dict[str, tuple[e.Event, ...]]:
    """What a press can be, by the name of its action."""
    asks = [it for it, basis in scene.bases.items() if basis is CONSENT]
    foreign = [e.NoticeAgain(read=read, language=Language.EN) for read in (False, True) if scene.terms.language_key]
    return {
        "person_answered": (e.PersonAnswered(),),
        "voicemail": (e.VoicemailAnswered(),),
        "notice_read": (e.NoticeRead(), *(e.NoticeRead(said_yes=(it,)) for it in asks)),
        "stop_notice": (e.NoticeStopped(),),
        "play_again": (e.NoticeAgain(), *foreign[:1]),
        "read_instead": (e.NoticeAgain(read=True), *foreign[1:]),
        "finish_orally": (e.FinishedOrally(),),
        "ask_again": (e.AskedAgain(),),
        "digits_wanted": (e.DigitsWanted(True),),
        "digits_over": (e.DigitsWanted(False),),
        "pause_sensitive": (e.SensitivePaused(),),
        "resume": (e.Resumed(),),
        "more_time": (e.MoreTime(),),
        "new_person": (e.NewPerson(),),
        "same_caller": (e.SameCaller(),),
        "not_understood": (e.NotUnderstood(),),
        "keep_out_of_training": (e.KeptOutOfTraining(),),
        "private_call": (e.PrivateCall(),),
        "withdraw_documentation": (e.Withdrawn(DOC),),
        "withdraw_training": (e.Withdrawn(TRAIN),),
        "object": (e.Objected(),),
        "party_asks_for_recording": (e.PartyAsksForRecording(scene.decision),),
    }


class Calls(RuleBasedStateMachine):
    """One call; what is said of it stands in `Account`, and what must not be in `wrong`."""

    planned: Scene
    reached: Counter[str]

    @initialize(
        start=some.sampled_from(STARTS),
        keys=some.sampled_from(("*", "*9", "9")),
        late=some.sampled_from((False, False, True)),
        answered=some.sampled_from((True, True, False)),
    )
    def begins(self, start: Start, keys: str, late: bool, answered: bool) -> None:
        it = self.planned
        self.scene = replace(it, terms=replace(it.terms, opt_out_key=keys))
        self.state, self.mono, self.late = State(), NOW.mono, False
        self.account = Account(self.scene)
        self.status = walk.describe(self.state, NOW)
        self.buttons = buttons(self.scene)
        self.went: set[str] = set()
        self.pending_samples: list[f.StartRecorder] = []
        way = way_to(self.scene, start) or (self.scene.rang, e.Answered())[: 1 + answered]
        for event in way:
            if isinstance(event, e.TimedOut):
                self.passes(max(0.0, self.account.timers.get(event.timer, self.mono) - self.mono))
            else:
                self.happens(event)
        self.late = late

    # --- the call, and what stands by it ------------------------------------------------------------

    def happens(self, event: e.Event) -> None:
        account, now = self.account, e.Now(NOW.utc + timedelta(seconds=self.mono - NOW.mono), self.mono)
        account.now = self.mono
        state, effects = walk.real_step(self.state, event, now)
        status = walk.describe(state, now)
        account.hears(event, self.status)
        account.sees(effects)
        self.state, self.status = state, status
        self.looks()
        if broken := list(wrong(account, event, effects, status)):
            raise AssertionError(broken)
        self.pending_samples += [it for it in effects if isinstance(it, f.StartRecorder)]
        while not self.late and (account.on_the_way or self.pending_samples):
            self.answers(written=True)

    def answers(self, *, written: bool) -> None:
        if self.pending_samples:
            it = self.pending_samples.pop(0)
            self.happens(e.FirstSample(it.recording, it.segment))
        elif self.account.on_the_way:
            self.happens(self.account.store_answers(written=written))

    def passes(self, seconds: float) -> None:
        until, timers = self.mono + seconds, self.account.timers
        while timers and min(timers.values()) <= until:
            timer = min(timers, key=lambda it: timers[it])
            self.mono = max(self.mono, timers.pop(timer))
            self.happens(e.TimedOut(timer))
        self.mono = until

    def looks(self) -> None:
        account = self.account
        self.went |= {"recorded"} if account.on else set()
        self.went |= {"paused"} if account.pauses and account.kept else set()
        self.went |= {"asked"} if account.asked else set()
        self.went |= {"yes"} if account.yes else set()
        self.went |= {"refused"} if account.no and account.kept else set()
        self.went |= {"held"} if any(it.holds for it in account.kept.values()) else set()
        self.went |= {"ended"} if account.stage == "ended" else set()

    def teardown(self) -> None:
        self.reached.update(["calls", *getattr(self, "went", ())])

    # --- what can happen ------------------------------------------------------------------------

    @rule(seconds=some.sampled_from((0.5, 1.5, 2.0)))
    def a_moment_passes(self, seconds: float) -> None:
        self.passes(seconds)

    @rule(seconds=some.sampled_from((9.0, 30.0, 70.0)))
    def time_passes(self, seconds: float) -> None:
        self.passes(seconds)

    @rule()
    @precondition(lambda self: self.account.stage == "ringing")
    def is_answered(self) -> None:
        self.happens(e.Answered())

    @rule(goes=some.sampled_from(("essentials", "question", "whole", "whole", "fails")))
    @precondition(lambda self: self.account.sound)
    def the_notice_goes_on(self, goes: str) -> None:
        if goes == "fails":
            self.happens(e.NoticeFailed())
            return
        for mark in e.Mark:
            if self.account.sound == "notice":
                self.happens(e.NoticeReached(mark))
            if mark == goes:
                return
        self.happens(e.NoticeHeard())

    @rule(data=some.data(), ago=some.sampled_from((0.0, 0.0, 0.3)), waits=some.sampled_from((0.0, 1.5)))
    @precondition(lambda self: self.account.stage == "talking")
    def the_party_presses(self, data: some.DataObject, ago: float, waits: float) -> None:
        keys = [
            *dict(self.scene.terms.consent_keys),
            *self.scene.terms.opt_out_key,
            *self.scene.terms.language_key,
            "5",
        ]
        self.happens(e.DigitPressed(data.draw(some.sampled_from(keys)), self.mono - ago))
        self.passes(waits)

    @rule(purpose=some.sampled_from((DOC, TRAIN)), yes=some.booleans())
    @precondition(lambda self: "said_no" in self.status.actions)
    def the_party_says(self, purpose: Purpose, yes: bool) -> None:
        if purpose in self.account.asked and (not yes or "said_yes" in self.status.actions):
            self.happens(e.SpokenAnswer(purpose, yes))

    @rule(
        which=some.sampled_from(((DOC,), (TRAIN,))),
        reason=some.sampled_from((Reason.DECLINED_EARLIER, Reason.CALL_BACK)),
    )
    def the_house_says_late(self, which: tuple[Purpose, ...], reason: Reason) -> None:
        self.happens(e.RefusedBefore(which, reason))

    @rule(on=some.booleans())
    def the_phone_says(self, on: bool) -> None:
        self.happens(e.PreferenceSignalled(on))

    @rule(which=some.sampled_from(("held", "consulting", "no_agent", "gone", "source_changed")))
    def the_agent_leaves_or_comes_back(self, which: str) -> None:
        self.pauses(which)

    @rule()
    def the_desk_goes_or_comes_back(self) -> None:
        self.pauses("no_desk")

    def pauses(self, which: str) -> None:
        self.happens(PAUSES[which](which not in self.account.pauses))

    @rule(listed=some.booleans(), other=some.booleans(), keys=some.sampled_from(("", "1", "2", "opt-out")))
    @precondition(lambda self: self.account.stage in ("ringing", "talking"))
    def an_exchange_vouches(self, listed: bool, other: bool, keys: str) -> None:
        ours = self.scene.notice or NoticeId.N1
        keys = self.scene.terms.opt_out_key if keys == "opt-out" else keys
        self.happens(e.UpstreamVouched(OTHERWISE[ours] if other else ours, keys) if listed else e.UpstreamIgnored())

    @rule(data=some.data())
    @precondition(lambda self: self.shows(TELLING))
    def the_agent_tells(self, data: some.DataObject) -> None:
        self.press(data, TELLING)

    @rule(data=some.data())
    @precondition(lambda self: self.shows(HEARING))
    def somebody_has_not_heard_it(self, data: some.DataObject) -> None:
        self.happens(data.draw(some.sampled_from([*self.shows(HEARING), e.IdentityChanged()])))

    @rule()
    @precondition(lambda self: self.account.before is not None or "new_person" in self.status.actions)
    def another_call_joins_or_leaves(self) -> None:
        self.happens(e.NewPerson(by_phone=True) if self.account.before is None else e.PersonLeft())

    @rule(data=some.data())
    @precondition(lambda self: self.shows(ASKING))
    def the_agent_asks(self, data: some.DataObject) -> None:
        self.press(data, ASKING)

    @rule(data=some.data())
    @precondition(lambda self: self.shows(PAUSING))
    def the_agent_pauses(self, data: some.DataObject) -> None:
        self.press(data, PAUSING)

    @rule(data=some.data())
    @precondition(lambda self: self.shows(REFUSING))
    def the_agent_ends_a_purpose(self, data: some.DataObject) -> None:
        self.press(data, REFUSING)

    def shows(self, names: tuple[str, ...]) -> list[e.Event]:
        return [event for name in names if name in self.status.actions for event in self.buttons[name]]

    def press(self, data: some.DataObject, names: tuple[str, ...]) -> None:
        self.happens(data.draw(some.sampled_from(self.shows(names))))

    @rule()
    @precondition(lambda self: self.status.opt_out.enabled)
    def the_opt_out_is_pressed(self) -> None:
        self.happens(e.OptedOut(self.status.opt_out.kind))

    @rule(agent=some.sampled_from(("anna", "bo")))
    @precondition(lambda self: self.account.stage in ("talking", "ended"))
    def a_dispute(self, agent: str) -> None:
        by = HoldBy.CONTROLLER if agent == "anna" else HoldBy.PARTY
        self.happens(e.DisputeRaised(by, agent))

    @rule()
    @precondition(lambda self: self.status.dispute.kind == "undo")
    def the_dispute_is_undone(self) -> None:
        self.happens(e.DisputeUndone(list(self.account.disputes)[-1]))

    @rule(data=some.data())
    @precondition(lambda self: self.status.choices)
    def a_choice_is_made(self, data: some.DataObject) -> None:
        choice = data.draw(some.sampled_from(self.status.choices))
        self.happens(e.Chosen(choice.id, data.draw(some.sampled_from(choice.options))))

    @rule(written=some.sampled_from((True, True, True, False)))
    @precondition(lambda self: self.account.on_the_way or self.pending_samples)
    def the_store_answers(self, written: bool) -> None:
        self.answers(written=written)

    @rule()
    def the_recorder_fails_or_works(self) -> None:
        self.happens(e.StorageWorks() if self.account.failing else e.RecorderFailed(Reason.RECORDER_FAILED))

    @rule(how=some.sampled_from((None, None, e.CallEnded(), e.HandedOver())))
    @precondition(lambda self: self.account.stage == "talking")
    def the_call_ends(self, how: e.Event | None) -> None:
        if how is not None:
            self.happens(how)

    @rule()
    @precondition(lambda self: self.account.stage == "ended")
    def wrap_up_ends(self) -> None:
        self.happens(e.WrapUpEnded())

    @rule(data=some.data())
    def something_stray(self, data: some.DataObject) -> None:
        """What does not fit is not applicable: no change, no effect, no exception."""
        account = self.account
        stray: list[e.Event] = [
            self.scene.rang,
            e.Committed(0),
            e.CommitFailed(0, Reason.STORAGE_FAILED),
            e.FirstSample("x", 0),
        ]
        stray += [e.TimedOut(it) for it in e.Timer if it not in account.timers and it is not e.Timer.DESK_SILENT]
        stray += [e.PersonLeft()] if account.before is None else []
        stray += [e.Answered()] if account.stage != "ringing" else []
        stray += [e.NoticeHeard(), e.NoticeFailed(), e.NoticeReached(e.Mark.QUESTION)] if not account.sound else []
        stray += [
            it for name, them in self.buttons.items() if name not in {*self.status.actions, "object"} for it in them
        ]
        stray += [e.OptedOut(it) for it in OptOutKind if it not in (self.status.opt_out.kind, OptOutKind.NOTE_REQUEST)]
        event = data.draw(some.sampled_from(stray))
        now = e.Now(NOW.utc, self.mono)
        if walk.real_step(self.state, event, now) != (self.state, ()):
            raise AssertionError(event)  # two states, compared for a reader, take seconds


PLANTED = (walk_faults_told, walk_faults_kept, walk_faults_done)
"""each adds its faults to `FAULTS` as it is imported"""
NEVER = frozenset(
    {
        "a key before the question is a yes",
        "a newcomer's no discards what others agreed to",
        "an objection in words after a key leaves the way back open",
        "talk that nobody heard while the process stood still is called whole",
        "who was put through in mid-notice hears the end of it",
    }
)
"""which no eighty rounds meet: the walk, which goes through every order, finds them"""
RARE = frozenset(
    {
        "a digit that the agent asked for is a yes",
        "a failed notice ends the call",
        "a key pressed at another notice's question is a yes to ours",
        "a key that began a number is a yes",
        "a newcomer is not asked",
        "a notice plays on to a party that has gone",
        "a notice that tells of training otherwise counts as told",
        "a party that has gone is recorded on",
        "a yes to record opens what was said before it",
        "an exchange that is not listed is believed",
        "any key is a yes",
    }
)
"""which take up to seventy rounds: behind make torture. The walk finds each of them in every run"""

AS_ANOTHER = ("N1 goes on", "N1 public task", "N3 read", "N4 call back", "N6 obligation", "N7 obligation")
"""they differ little from a call that is driven in every run: behind make torture"""

ROUNDS, MANY, LONG = 2, 80, 200
"""of ten calls each: in every run, to find a planted fault, and behind make torture"""
SHIPPED = settings(
    max_examples=10,
    database=None,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def driven(name: str, rounds: int, how: settings = SHIPPED) -> Counter[str]:
    """Calls of this scene, in rounds of ten: from the eleventh on hypothesis only varies those it has. How many came how far."""
    reached: Counter[str] = Counter()
    calls = type("Calls", (Calls,), {"planned": SCENES[name], "reached": reached})
    with fast():
        for number in range(rounds):
            run_state_machine_as_test(seed(number)(calls), settings=how)
    return reached


@pytest.mark.rule("G03")
@pytest.mark.rule("G04")
@pytest.mark.rule("G05")
@pytest.mark.rule("G10")
@pytest.mark.rule("G31")
@pytest.mark.parametrize("name", [it for it in SCENES if it not in AS_ANOTHER])
def test_no_order_of_events_breaks_a_rule(name: str) -> None:
    plans, asks = SCENES[name].bases, is_asked(SCENES[name])
    least = {"ended": 3} | ({"recorded": 2, "paused": 1} if plans else {}) | ({"asked": 8, "yes": 2} if asks else {})
    came_to(least, driven(name, ROUNDS))


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", SCENES)
def test_no_order_of_events_breaks_a_rule_in_long(name: str) -> None:
    plans, asks = SCENES[name].bases, is_asked(SCENES[name])
    # On obligation alone the party can refuse nothing: only a voicemail ends what is kept.
    refused = 1 if set(plans.values()) == {OBLIGATION} else 2
    least = {"ended": 10} | ({"recorded": 12, "paused": 8, "held": 4, "refused": refused} if plans else {})
    least |= {"asked": 30, "yes": 15} if asks else {}
    came_to(least, driven(name, LONG, settings(SHIPPED, stateful_step_count=80)))


def is_asked(scene: Scene) -> bool:
    """Whether its party is asked anything; one that said yes to a colleague is not."""
    said = scene.carried.consented if scene.carried is not None else ()
    return any(basis is CONSENT and it not in said for it, basis in scene.bases.items())


def came_to(least: dict[str, int], reached: Counter[str]) -> None:
    assert {it: n for it, n in least.items() if reached[it] < n} == {}, reached


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(it, id=str(it), marks=[pytest.mark.torture] if number % 8 or it.name in RARE else [])
        for number, it in enumerate(FAULTS)
        if it.name not in NEVER
    ],
)
def test_the_machine_finds_a_planted_fault(planted: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of them in every run, all behind make torture."""
    planted.plant(monkeypatch)
    # What ends in an exception is found as well as what breaks a rule.
    with pytest.raises((AssertionError, LookupError, ValueError)):
        driven(planted.scene, MANY, settings(SHIPPED, phases=(Phase.generate,), report_multiple_bugs=False))
