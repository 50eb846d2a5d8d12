"""The calls between SIP, session, recorder and store: what happens when one of them is late, fails or has a bug."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from softphone.calls import stepping
from softphone.calls.effect_runner import OPENS_WITHIN
from softphone.calls.live import LiveCall
from softphone.calls.ringing import DECISION_TIME
from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.decision import LookupResult
from softphone.domain.ending import Ending
from softphone.domain.errors import EngineError, KlartoneError
from softphone.domain.purpose import Headline, Reason
from softphone.domain.session.state import State
from softphone.engine.sip import events as sip
from softphone.wire.from_engine import Fault, Occurred
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import OptOut
from tests.engine.scene import CALL, N1, NUMBER, PARTY, SHORT, TEXT, Scene, book_of


def test_a_whole_call_is_recorded_once_its_segment_is_committed() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.looked_up(CALL, LookupResult())
    assert [facts.declined_earlier for facts, _ in scene.rules.asked] == [False]
    scene.calls.decided(CALL, N1)
    scene.answer()
    assert "play notice.wav" in scene.phone.done
    scene.hear_notice()
    assert scene.recorder.starts == 0
    scene.acknowledge()
    assert len(scene.recorder.running) == 1
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    assert scene.recorder.running == set()


def test_a_caller_who_writes_a_line_s_number_of_another_country_does_not_choose_the_line() -> None:
    scene = Scene()
    scene.ring(called=NUMBER.removeprefix("+45"), called_as=f"sip:{NUMBER.removeprefix('+45')}@127.0.0.1;user=phone")
    assert scene.call.line is not None
    scene = Scene()
    foreign = f"sip:{NUMBER.removeprefix('+45')};phone-context=+46@127.0.0.1;user=phone"
    scene.ring(called=NUMBER.removeprefix("+45"), called_as=foreign)
    assert scene.call.line is None


@pytest.mark.rule("G11")
def test_a_rulebook_that_says_nothing_in_time_means_not_recorded_and_the_call_goes_on() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.looked_up(CALL, LookupResult())
    scene.answer()
    assert scene.phone.done[-1] == "microphone open"
    scene.later(DECISION_TIME + 0.1)
    assert scene.reason is Reason.RULEBOOK_FAILED
    assert scene.call.phase is CallPhase.CONNECTED
    scene.calls.decided(CALL, N1)
    assert scene.reason is Reason.RULEBOOK_FAILED
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    scene.acknowledge()
    scene.calls.end_wrap_up(CALL)
    (row,) = scene.calls.history()
    assert (row.outcome, row.why and row.why.reason) == ("not_recorded", Reason.RULEBOOK_FAILED)


def test_an_engine_that_is_about_to_end_takes_and_makes_no_call_any_more() -> None:
    scene = Scene()
    scene.ring()
    scene.answer()
    scene.calls.hang_up_all()
    assert scene.phone.done[-1] == "hang up"
    # The other side has not said yet that it is over, or transactions are still being written.
    for over in (False, True):
        if over:
            scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=True))
        scene.ring("another")
        assert scene.phone.done[-1] == "decline 480"
        assert [call.id for call in scene.calls.shown()] == [CALL]
        with pytest.raises(EngineError):
            scene.calls.dial("a", PARTY, None)
    assert not scene.calls.talking
    assert not any(done.startswith("dial") for done in scene.phone.done)


def test_what_happened_before_the_rulebook_answered_is_not_lost() -> None:
    scene = Scene()
    scene.ring()
    scene.answer()
    scene.calls.decided(CALL, N1)
    assert "play notice.wav" in scene.phone.done
    assert scene.headline is Headline.NOTICE


@pytest.mark.rule("G11")
def test_without_a_policy_no_rulebook_is_asked_and_the_reason_is_shown() -> None:
    scene = Scene(policy=None)
    scene.ring()
    scene.answer()
    assert scene.reason is Reason.POLICY_MISSING
    assert scene.rules.asked == []


@pytest.mark.rule("L5")
def test_nothing_is_recorded_while_the_agent_hears_nothing_whatever_sip_says_of_its_stream() -> None:
    scene = Scene()
    scene.ring()
    scene.decide()
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    assert scene.recorder.running
    scene.calls.agent_hears(on=False)
    scene.calls.media(sip.MediaChanged(CALL, active=True))
    scene.acknowledge()
    assert (scene.headline, scene.reason) == (Headline.PAUSED, Reason.NO_AGENT)
    assert scene.recorder.running == set()
    scene.calls.media(sip.MediaChanged(CALL, active=False))
    scene.calls.agent_hears(on=True)
    scene.acknowledge()
    assert scene.recorder.running == set()
    scene.calls.media(sip.MediaChanged(CALL, active=True))
    scene.acknowledge()
    assert scene.headline is Headline.RECORDING


@pytest.mark.rule("L5")
def test_a_speaker_that_is_lost_while_it_still_rings_at_the_other_end_is_missed_once_it_is_answered() -> None:
    scene = Scene()
    scene.calls.dial("a", PARTY, "salg")
    scene.decide()
    scene.calls.agent_hears(on=False)
    scene.answer()
    assert scene.call.status is not None
    assert scene.call.status.pauses == (Reason.NO_AGENT,)


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


@pytest.mark.expected_log("bug RuntimeError", reason="it is planted")
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


@pytest.mark.rule("G31")
@pytest.mark.expected_log("bug RuntimeError", reason="it is planted")
def test_a_bug_in_the_rules_stops_the_recording_and_keeps_no_later_press_from_being_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = recorded()
    step = stepping.step

    def stumbles(state: State, event: ev.Event, now: ev.Now) -> tuple[State, tuple[do.Effect, ...]]:
        if isinstance(event, ev.OptedOut | ev.DigitPressed):
            raise RuntimeError("a bug")
        return step(state, event, now)

    monkeypatch.setattr(stepping, "step", stumbles)
    scene.calls.digit(sip.DigitReceived(CALL, "5", scene.seconds))
    scene.acknowledge()
    assert (scene.headline, scene.reason) == (Headline.FAILED, Reason.RECORDER_FAILED)
    assert scene.recorder.running == set()
    # Whoever pressed is told that it was not done, and may press again.
    assert scene.call.status is not None
    press = OptOut("1", CALL, scene.call.status.version, scene.call.status.opt_out.kind)
    refused = scene.calls.recording_command(press)
    assert refused is not None
    assert refused.code == "refused.bug"
    monkeypatch.undo()
    # What was swallowed may have been a refusal: that the storage works again begins no new recording.
    scene.calls.storage_works()
    scene.acknowledge()
    assert scene.recorder.running == set()
    press = OptOut("2", CALL, scene.call.status.version, scene.call.status.opt_out.kind)
    assert scene.calls.recording_command(press) is None
    scene.acknowledge()
    assert scene.calls._book.live[CALL].state.pauses.objection
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    assert scene.call.phase is CallPhase.ENDED


@pytest.mark.expected_log("bug RuntimeError", reason="it is planted")
def test_a_bug_in_a_notice_s_words_costs_the_recording_and_nothing_that_the_rules_have_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = recorded()

    def stumbles(_call: LiveCall) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(scene.calls._book._notices, "follow", stumbles)
    scene.calls.held(sip.HoldChanged(CALL, by_us=True, by_them=False))
    scene.acknowledge()
    assert scene.recorder.running == set()
    assert scene.headline is Headline.FAILED


def recorded() -> Scene:
    """A call on N1 that is being recorded."""
    scene = Scene()
    scene.ring()
    scene.calls.decided(CALL, N1)
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    assert scene.recorder.running
    return scene


def test_a_declined_call_is_listed_as_declined_and_a_missed_one_as_missed() -> None:
    scene = Scene()
    scene.ring()
    assert scene.calls.decline(CALL) is None
    scene.calls.ended(sip.CallEnded(CALL, 603, "Decline", by_us=True))
    scene.acknowledge()
    scene.later(5.0)
    scene.ring("another")
    scene.calls.ended(sip.CallEnded("another", 487, "Request Terminated", by_us=False))
    assert [(row.outcome, row.why) for row in scene.calls.history()] == [("missed", None), ("declined", None)]


def test_after_two_hundred_calls_a_missed_one_is_in_the_list_all_the_same() -> None:
    scene = Scene()
    for number in range(200):
        scene.ring(f"declined-{number}")
        assert scene.calls.decline(f"declined-{number}") is None
        scene.calls.ended(sip.CallEnded(f"declined-{number}", 603, "Decline", by_us=True))
        scene.acknowledge()
        scene.later(5.0)
    scene.ring("another")
    scene.calls.ended(sip.CallEnded("another", 487, "Request Terminated", by_us=False))
    assert [row.outcome for row in scene.calls.history()][:2] == ["missed", "declined"]


def test_why_a_call_came_to_nothing_is_said_and_one_answered_elsewhere_is_not_missed() -> None:
    scene = Scene()
    scene.ring("another")
    scene.calls.ended(sip.CallEnded("another", 487, "Request Terminated", by_us=False, ending=Ending.ELSEWHERE))
    said: list[Fault] = []
    for ending, again in ((Ending.BUSY, 61), (Ending.UNKNOWN, 0), (Ending.MOVED, 0)):
        scene.later(5.0)
        call = scene.calls.dial("a", PARTY, None)
        elsewhere = "sip:205@host" if ending is Ending.MOVED else ""
        scene.calls.ended(
            sip.CallEnded(call, 400, "", by_us=False, redirected_to=elsewhere, ending=ending, again=again)
        )
        if ending is not Ending.MOVED:
            said.append(next(one for one in reversed(scene.told) if isinstance(one, Fault)))
            scene.acknowledge()
    assert [(one.said.code, dict(one.said.params)) for one in said] == [
        ("ended.busy.again", {"count": 2}),
        ("ended.unknown", {}),
    ]
    rows = {one.outcome for one in scene.calls.history()}
    assert rows == {"elsewhere", "busy", "no_such_number"}
    # Where a redirection leads to is on its card, until the agent puts that away.
    assert [(one.phase, one.redirected_to) for one in scene.calls.shown()] == [(CallPhase.ENDED, "sip:205@host")]


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


def test_a_second_call_of_ours_is_refused_while_the_first_is_not_answered() -> None:
    scene = Scene()
    scene.calls.dial("a", "20123456", None)
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


@pytest.mark.expected_log("bug RuntimeError", reason="it is planted")
def test_a_bug_in_playing_the_notice_leaves_the_agent_heard() -> None:
    scene = Scene()
    scene.phone.notice_fails = True
    scene.ring()
    scene.calls.decided(CALL, N1)
    scene.answer()
    assert scene.headline is Headline.FAILED
    assert [done for done in scene.phone.done if done.startswith("microphone")][-1] == "microphone open"


def test_a_call_that_only_rings_takes_no_wrap_up_away() -> None:
    scene = recorded()
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


@pytest.mark.parametrize("number", ["00", "0045", "+", "*"])
def test_a_call_with_a_number_that_is_none_rings_and_one_to_it_can_be_ended(number: str) -> None:
    scene = Scene()
    scene.ring(number=number)
    assert scene.phone.done == ["ring"]
    assert scene.calls.decline(CALL) is None
    ours = Scene()
    assert ours.calls.hang_up(ours.calls.dial("a", number, "salg")) is None
    assert ours.phone.done[-1] == "hang up"


def test_a_call_of_ours_that_cannot_be_followed_is_ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_account: str) -> str:
        raise RuntimeError("a bug")

    scene = Scene()
    monkeypatch.setattr(scene.calls, "_account_address", fails)
    with pytest.raises(RuntimeError):
        scene.calls.dial("a", PARTY, "salg")
    assert scene.phone.done == [f"dial {PARTY}", "hang up"]
    assert not scene.calls.talking


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


def test_a_call_keeps_the_words_of_the_line_it_rang_on_whatever_the_policy_says_since() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.decided(CALL, N1)
    words = scene.call.line_words
    assert words is not None
    assert words.id == "salg"
    assert NUMBER in words.numbers
    scene.rules.policy = None
    assert scene.call.line_words == words


@pytest.mark.parametrize("hours", [-2, 3])
def test_a_wall_clock_that_is_set_in_the_call_changes_neither_its_length_nor_a_gap(hours: int) -> None:
    scene = Scene()
    scene.ring()
    scene.decide()
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    scene.calls.held(sip.HoldChanged(CALL, by_us=False, by_them=True))
    scene.set_by = timedelta(hours=hours)
    scene.later(3)
    scene.calls.held(sip.HoldChanged(CALL, by_us=False, by_them=False))
    scene.later(5)
    entries = [entry for commit in scene.store.commits for entry in commit.entries]
    assert [entry.params["gap_seconds"] for entry in entries if entry.event == "resumed"] == [3]
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    scene.acknowledge()
    scene.calls.end_wrap_up(CALL)
    assert [round(row.seconds, 1) for row in scene.calls.history()] == [10.2]


@pytest.mark.rule("G10")
def test_a_disk_that_hangs_as_the_notice_ends_has_failed_and_recording_begins_once_it_answers() -> None:
    scene = Scene()
    scene.ring()
    scene.decide()
    scene.answer()
    scene.acknowledge()
    scene.hear_notice()
    scene.later(OPENS_WITHIN - 0.1)
    assert scene.headline is Headline.NOTICE
    scene.later(0.2)
    assert (scene.headline, scene.reason) == (Headline.FAILED, Reason.STORAGE_FAILED)
    # It takes at last what it was given: the segment that hung is not begun so late, but another is.
    scene.acknowledge()
    assert scene.recorder.starts == 0
    scene.acknowledge()
    assert scene.headline is Headline.RECORDING
    assert {segment for _, segment in scene.recorder.running} == {1}


@pytest.mark.rule("G31")
def test_a_key_that_cannot_be_heard_is_left_out_of_what_is_spoken() -> None:
    scene = Scene()
    scene.rules.book = replace(scene.rules.book, keyless=book_of(SHORT, path="keyless"))
    scene.ring()
    scene.decide()
    shown = scene.call.notice
    scene.calls.established(sip.CallEstablished(CALL, record_aware=False, keyless=True))
    assert "play keyless.wav" in scene.phone.done
    assert (shown and shown.text, scene.call.notice and scene.call.notice.text) == (TEXT.shown, SHORT.shown)


@pytest.mark.rule("G10")
def test_what_of_the_partys_sound_was_lost_is_marked_before_its_recording_pauses() -> None:
    scene = Scene()
    scene.ring()
    scene.decide()
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    scene.calls.sound_lost(sip.SoundLost(CALL, 1.5))
    running = [scene.recorder.running.copy()]
    scene.calls.party_sound(sip.PartySound(CALL, there=False, silent=5.2))
    assert scene.recorder.lost == [(CALL, 1.5), (CALL, 5.2)]
    assert running[0]
    assert not scene.recorder.running
    scene.calls.party_sound(sip.PartySound(CALL, there=True))
    assert len(scene.recorder.lost) == 2
