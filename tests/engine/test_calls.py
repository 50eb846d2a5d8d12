"""The calls between SIP, session, recorder and store: what happens when one of them is late, fails or has a bug.

Phone, recorder, store and rules are hand-written here; the journeys drive the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.domain.changes import Commit, OpenSegment
from softphone.domain.decision import Decision, Facts, How, NoticeId, PlanState, PurposePlan
from softphone.domain.errors import KlartoneError
from softphone.domain.events import Now
from softphone.domain.notice import NoticeSound, NoticeText, Piece
from softphone.domain.policy import Line, Policy
from softphone.domain.purpose import Basis, Headline, Language, Reason
from softphone.engine.calls import DECISION_TIME, Calls
from softphone.engine.live import LiveCall
from softphone.engine.sip import events as sip
from softphone.wire import CallPhase, CallState, Occurred, OptOut
from tests.policies import policy_of

CALL = "01a20000-0000-7000-8000-000000000001"
NUMBER = "+4570102030"
TEXT = NoticeText(Language.DA, (Piece("Vi optager.", "Vi optager."),), 11, 11, None)
SOUND = NoticeSound(TEXT, "notice.wav", 2.0, 1.0, None, ())
OFF = PurposePlan(PlanState.OFF, None, Reason.NOT_IN_SAMPLE)
N1 = Decision(
    PurposePlan(PlanState.PLANNED, Basis.LEGITIMATE_INTEREST, Reason.ASSESSMENT),
    OFF,
    NoticeId.N1,
    How.PLAY,
    (Reason.ASSESSMENT,),
)


@dataclass
class FakePhone:
    done: list[str] = field(default_factory=list[str])
    notice_fails: bool = False

    def dial(self, account: str, target: str) -> str:
        self.done.append(f"dial {target}")
        return CALL

    def ring(self, call: str) -> None:
        self.done.append("ring")

    def answer(self, call: str) -> None:
        self.done.append("answer")

    def decline(self, call: str) -> None:
        self.done.append("decline")

    def hang_up(self, call: str) -> None:
        self.done.append("hang up")

    def hold(self, call: str) -> None:
        self.done.append("hold")

    def resume(self, call: str) -> None:
        self.done.append("resume")

    def send_digits(self, call: str, digits: str) -> None:
        self.done.append(f"digits {digits}")

    def set_muted(self, call: str, muted: bool) -> None:
        self.done.append(f"muted {muted}")

    def open_microphone(self, call: str, opened: bool) -> None:
        self.done.append("microphone open" if opened else "microphone shut")

    def play_notice(self, call: str, path: Path, lead_in_seconds: float) -> None:
        if self.notice_fails:
            raise RuntimeError("a bug")
        self.done.append(f"play {path}")

    def stop_notice(self, call: str) -> None:
        self.done.append("stop notice")

    def set_recording(self, call: str, on: bool) -> None:
        self.done.append(f"record {on}")


@dataclass
class FakeRecorder:
    running: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    starts: int = 0
    fails: bool = False

    def start(self, call: str, recording: str, segment: int, key: bytes) -> None:
        if self.fails:
            raise RuntimeError("a bug")
        self.starts += 1
        self.running.add((recording, segment))

    def stop(self, call: str, recording: str, segment: int, *, hold_frames: bool = False) -> None:
        self.running.discard((recording, segment))

    def drop_frames(self, recording: str) -> None: ...


@dataclass
class FakeStore:
    commits: list[Commit] = field(default_factory=list[Commit])
    looked_up: list[LiveCall] = field(default_factory=list[LiveCall])
    unopened: bool = False

    def look_up(self, call: LiveCall) -> None:
        self.looked_up.append(call)

    def ring(self, call: LiveCall, policy: Policy | None) -> None: ...

    def commit(self, call: str, commit: Commit) -> None:
        self.commits.append(commit)

    def forget_keys(self, recording: str) -> None: ...

    def cause(self) -> str | None:
        return "disk_full"


@dataclass
class FakeRules:
    policy: Policy | None
    trouble: Reason | None = None
    asked: list[Facts] = field(default_factory=list[Facts])

    def draw(self, line: Line, call: str) -> bool:
        return False

    def ask(self, call: str, policy: Policy, facts: Facts, *, drawn: bool) -> None:
        self.asked.append(facts)

    def text(self, line: Line, notice: NoticeId, language: Language) -> NoticeText | None:
        return TEXT

    def notice(self, line: Line, notice: NoticeId, language: Language) -> NoticeSound | None:
        return SOUND


class Scene:
    """A phone whose clock is turned by hand."""

    def __init__(self, *, policy: bool = True) -> None:
        self.phone, self.recorder, self.store = FakePhone(), FakeRecorder(), FakeStore()
        self.rules = FakeRules(policy_of().policy if policy else None, Reason.POLICY_MISSING)
        self.told: list[object] = []
        self.seconds = 0.0
        self.calls = Calls(
            self.phone,
            self.recorder,
            self.store,
            self.rules,
            clock=self.now,
            tell=self.told.append,
            changed=lambda: None,
            account_number=lambda _: NUMBER,
            microphone_opened=lambda: None,
            tone=lambda _: None,
        )
        self.calls.desk(present=True)

    def now(self) -> Now:
        return Now(datetime(2026, 11, 25, 9, tzinfo=UTC) + timedelta(seconds=self.seconds), self.seconds)

    def later(self, seconds: float) -> None:
        self.seconds += seconds
        self.calls.run_due()

    def ring(self, call: str = CALL) -> None:
        headers = sip.Headers({})
        self.calls.arrived(
            sip.CallArrived(call, "a", "Mette", "+4520123456", NUMBER, headers, "127.0.0.1", False, False)
        )

    def answer(self) -> None:
        self.calls.established(sip.CallEstablished(CALL, record_aware=False))

    def hear_notice(self) -> None:
        self.calls.notice_started(sip.NoticeStarted(CALL, self.seconds))
        self.later(2.2)
        self.calls.notice_played(sip.NoticePlayed(CALL))

    def acknowledge(self) -> None:
        for commit in [*self.store.commits]:
            self.store.commits.remove(commit)
            keys: Mapping[tuple[str, int], bytes] = {
                (one.recording, one.segment): bytes(32) for one in commit.changes if isinstance(one, OpenSegment)
            }
            self.calls.committed(CALL, commit.ticket, keys)

    @property
    def call(self) -> CallState:
        return self.calls.shown()[0]

    @property
    def reason(self) -> Reason:
        assert self.call.status is not None
        return self.call.status.reasons[0].reason

    @property
    def headline(self) -> Headline:
        assert self.call.status is not None
        return self.call.status.headline


def test_a_whole_call_is_recorded_once_its_segment_is_committed() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.looked_up(CALL, declined_earlier=False)
    assert [facts.declined_earlier for facts in scene.rules.asked] == [False]
    scene.calls.decided(CALL, N1)
    scene.answer()
    assert "play notice.wav" in scene.phone.done
    scene.hear_notice()
    assert scene.recorder.starts == 0
    scene.acknowledge()
    assert len(scene.recorder.running) == 1
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    assert scene.recorder.running == set()


@pytest.mark.rule("G11")
def test_a_rulebook_that_says_nothing_in_time_means_not_recorded_and_the_call_goes_on() -> None:
    scene = Scene()
    scene.ring()
    scene.answer()
    assert scene.phone.done[-1] == "microphone open"
    scene.later(DECISION_TIME + 0.1)
    assert scene.reason is Reason.RULEBOOK_FAILED
    assert scene.call.phase is CallPhase.CONNECTED
    scene.calls.decided(CALL, N1)
    assert scene.reason is Reason.RULEBOOK_FAILED


def test_what_happened_before_the_rulebook_answered_is_not_lost() -> None:
    scene = Scene()
    scene.ring()
    scene.answer()
    scene.calls.decided(CALL, N1)
    assert "play notice.wav" in scene.phone.done
    assert scene.headline is Headline.NOTICE


@pytest.mark.rule("G11")
def test_without_a_policy_no_rulebook_is_asked_and_the_reason_is_shown() -> None:
    scene = Scene(policy=False)
    scene.ring()
    scene.answer()
    assert scene.reason is Reason.POLICY_MISSING
    assert scene.rules.asked == []


def test_a_store_that_fails_is_said_and_the_call_goes_on() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.decided(CALL, N1)
    scene.answer()
    scene.hear_notice()
    for commit in [*scene.store.commits]:
        scene.calls.commit_failed(CALL, commit.ticket, Reason.STORAGE_FAILED)
    assert (scene.headline, scene.reason) == (Headline.FAILED, Reason.STORAGE_FAILED)
    assert scene.call.status is not None
    assert scene.call.status.reasons[0].params["cause"] == "disk_full"
    assert scene.recorder.starts == 0
    assert scene.call.phase is CallPhase.CONNECTED


def test_a_bug_in_what_starts_the_recorder_leaves_the_call_alone_and_nothing_running() -> None:
    scene = Scene()
    scene.recorder.fails = True
    scene.ring()
    scene.calls.decided(CALL, N1)
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    assert scene.headline is Headline.FAILED
    assert scene.recorder.running == set()
    assert scene.call.status is not None
    assert scene.call.status.recording == ()


def test_a_declined_call_is_listed_as_declined_and_a_missed_one_as_missed() -> None:
    scene = Scene()
    scene.ring()
    assert scene.calls.decline(CALL) is None
    scene.calls.ended(sip.CallEnded(CALL, 603, "Decline", by_us=True))
    scene.acknowledge()
    scene.ring()
    scene.calls.ended(sip.CallEnded(CALL, 487, "Request Terminated", by_us=False))
    assert scene.calls.history()[-1].outcome == "declined"


def test_what_happens_carries_its_time_since_answer_and_no_number() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.decided(CALL, N1)
    scene.answer()
    scene.later(3.0)
    scene.calls.digit(sip.DigitReceived(CALL, "7", scene.seconds))
    told = [one for one in scene.told if isinstance(one, Occurred)]
    assert told[0].since_answer is None
    assert next(one for one in told if one.event == "digit").since_answer == pytest.approx(3.0)
    assert not any("20123456" in str(one) or "Mette" in str(one) for one in told)


def test_a_second_call_of_ours_is_refused_while_one_is_on() -> None:
    scene = Scene()
    scene.ring()
    with pytest.raises(KlartoneError) as refusal:
        scene.calls.dial("a", "20123457", None)
    assert refusal.value.code == "error.dial.busy"


def test_a_press_after_the_call_is_over_is_refused_with_a_sentence() -> None:
    scene = Scene()
    refusal = scene.calls.hang_up("another")
    assert refusal is not None
    assert refusal.code == "refused.no_such_call"


@pytest.mark.rule("G05")
def test_where_the_archive_cannot_be_opened_nobody_is_told_that_the_call_is_recorded() -> None:
    scene = Scene()
    scene.store.unopened = True
    scene.ring()
    scene.answer()
    assert scene.rules.asked == []
    assert not any(done.startswith("play") for done in scene.phone.done)
    assert (scene.headline, scene.reason) == (Headline.FAILED, Reason.STORAGE_FAILED)


def test_a_notice_that_never_ends_has_failed_and_the_agent_can_speak() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.decided(CALL, N1)
    scene.answer()
    scene.calls.notice_started(sip.NoticeStarted(CALL, scene.seconds))
    scene.later(60)
    assert scene.reason is Reason.NOTICE_FAILED
    assert scene.phone.done[-1] == "microphone open"


def test_a_bug_in_playing_the_notice_leaves_the_agent_heard() -> None:
    scene = Scene()
    scene.phone.notice_fails = True
    scene.ring()
    scene.calls.decided(CALL, N1)
    scene.answer()
    assert scene.headline is Headline.FAILED
    assert [done for done in scene.phone.done if done.startswith("microphone")][-1] == "microphone open"


def test_a_call_that_only_rings_takes_no_wrap_up_away() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.decided(CALL, N1)
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    other = CALL[:-1] + "2"
    scene.ring(other)
    ended = next(call for call in scene.calls.shown() if call.id == CALL)
    assert ended.phase is CallPhase.ENDED
    assert ended.status is not None
    press = OptOut("1", CALL, ended.status.version, ended.status.opt_out.kind)
    assert scene.calls.recording_command(press) is None
    scene.calls.established(sip.CallEstablished(other, record_aware=False))
    assert [call.id for call in scene.calls.shown()] == [other]


@pytest.mark.parametrize("target", ["112", "+45 112", "sip:112@pbx.example", "SIPS:112@pbx.example", "0045112"])
def test_an_emergency_call_is_never_asked_about_however_it_is_written(target: str) -> None:
    scene = Scene()
    scene.calls.dial("a", target, None)
    assert scene.reason is Reason.EMERGENCY
    assert scene.store.looked_up == []


def test_what_the_audit_log_tells_is_told_once_when_it_is_written() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.decided(CALL, N1)

    def told() -> list[str]:
        return [one.event for one in scene.told if isinstance(one, Occurred) and one.event.startswith("audit.")]

    assert told() == []
    scene.acknowledge()
    assert told() == ["audit.decided"]
