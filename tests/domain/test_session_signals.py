"""What the ears and the other phone are told of a recording: `a=record` (RFC 7866), tones, the short text for a newcomer."""

import pytest

from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language, Purpose, Reason
from tests.domain.walk_call import Call

ON, OFF, PAUSED = f.RecordSignal.ON, f.RecordSignal.OFF, f.RecordSignal.PAUSED
READABLE = e.TimedOut(e.Timer.READABLE)
TONE = e.TimedOut(e.Timer.WARNING_TONE)


def _signals(call: Call) -> list[f.RecordSignal]:
    return [it.state for it in call.log if isinstance(it, f.SignalRecording)]


# --- a=record ------------------------------------------------------------------------------------------


def test_a_record_aware_peer_hears_when_recording_begins_pauses_goes_on_and_stops() -> None:
    call = Call("N4").hear()(e.HoldSignalled(True), e.HoldSignalled(False)).opt_out()
    assert _signals(call) == [ON, PAUSED, ON, OFF]


@pytest.mark.parametrize(
    "pause",
    [e.SensitivePaused(), e.NewPerson(), e.AgentMediaChanged(False), e.ConsultationChanged(True), e.DeskChanged(False)],
)
def test_every_pause_is_told_as_a_pause(pause: e.Event) -> None:
    assert _signals(Call("N4").hear()(pause)) == [ON, PAUSED]


def test_a_call_held_before_anything_was_recorded_is_not_called_paused() -> None:
    assert _signals(Call("N7").answer()(e.HoldSignalled(True))) == []


def test_a_failure_is_no_pause_and_recording_anew_is_told() -> None:
    call = Call("N1").hear()(e.RecorderFailed(Reason.RECORDER_FAILED), e.StorageWorks())
    assert _signals(call) == [ON, OFF, ON]


def test_what_was_not_understood_is_off_and_not_paused() -> None:
    assert _signals(Call("N7").hear()(e.NotUnderstood())) == [ON, OFF]


def test_a_change_of_segment_is_no_change_for_the_peer() -> None:
    assert _signals(Call("N7").hear().opt_out()) == [ON]


def test_while_a_resumed_recording_is_being_written_the_peer_is_told_nothing_in_between() -> None:
    call = Call("N1").hear()(e.HoldSignalled(True))
    call.store_answers = False
    assert not call(e.HoldSignalled(False)).did(f.SignalRecording)


def test_after_the_call_there_is_nobody_to_tell() -> None:
    assert _signals(Call("N1").hear()(e.CallEnded())) == [ON]


# --- tones ---------------------------------------------------------------------------------------------------


def test_a_short_tone_tells_the_agent_that_recording_began_or_stopped() -> None:
    call = Call("N1").hear()
    assert f.SoundTone(f.Tone.STARTED) in call.last
    assert f.SoundTone(f.Tone.STOPPED) in call(e.HoldSignalled(True)).last
    assert not Call("N7").hear().opt_out().did(f.SoundTone)


def test_a_policy_can_leave_the_agents_tones_out_but_not_the_warning_of_a_pause_that_ends() -> None:
    call = Call("N1", agent_tones=False).hear()(e.SensitivePaused())
    assert not [it for it in call.log if isinstance(it, f.SoundTone)]
    assert call(e.TimedOut(e.Timer.SENSITIVE)).did(f.SoundTone) == [f.SoundTone(f.Tone.WARNING)]


def test_a_warning_tone_tells_both_again_and_again_that_the_call_is_recorded() -> None:
    call = Call("N1", warning_tone=15.0).hear()
    assert f.StartTimer(e.Timer.WARNING_TONE, 15.0) in call.last
    assert f.SoundWarningTone() not in call.log
    for _ in range(3):
        call(TONE)
        assert call.last == (f.SoundWarningTone(), f.StartTimer(e.Timer.WARNING_TONE, 15.0))


@pytest.mark.parametrize("stop", [e.HoldSignalled(True), e.NotUnderstood(), e.CallEnded(), e.PrivateCall()])
def test_no_warning_tone_sounds_while_nothing_is_recorded(stop: e.Event) -> None:
    call = Call("N1", warning_tone=15.0).hear()(stop)
    assert f.StopTimer(e.Timer.WARNING_TONE) in call.last
    assert call(TONE).last == ()


def test_the_warning_tone_comes_back_with_the_recording() -> None:
    call = Call("N1", warning_tone=15.0).hear()(e.HoldSignalled(True), e.HoldSignalled(False))
    assert f.StartTimer(e.Timer.WARNING_TONE, 15.0) in call.last


def test_a_line_without_a_warning_tone_has_none() -> None:
    call = Call("N1").hear()(TONE)
    assert call.last == ()
    assert not [it for it in call.log if isinstance(it, f.StartTimer) and it.timer is e.Timer.WARNING_TONE]


# --- a newcomer is told by the short text ------------------------------------------------------------------


@pytest.mark.rule("G05")
def test_a_newcomer_is_told_by_the_short_text_read_or_played() -> None:
    call = Call("N7", newcomer_reading_time=5.0).hear()(e.NewPerson())
    assert f.StartTimer(e.Timer.READABLE, 3.0) in call.last
    call(e.NoticeAgain())
    assert call.did(f.PlayNotice) == [f.PlayNotice(NoticeId.N7, Language.DA, newcomer=True)]
    assert call(e.NoticeHeard()).recorded == set(Purpose)


@pytest.mark.rule("G03")
@pytest.mark.parametrize("name", ["N2", "N3", "N6", "N2+N3", "N2+N4"])
def test_where_the_notice_asks_a_newcomer_hears_the_whole_of_it(name: str) -> None:
    call = Call(name, newcomer_reading_time=5.0).hear()(e.NewPerson())
    assert [it.seconds for it in call.did(f.StartTimer)] == [pytest.approx(7.2)]
    assert not call(e.NoticeAgain()).did(f.PlayNotice)[0].newcomer


def test_without_a_short_text_the_whole_is_read_and_the_party_itself_always_hears_the_whole() -> None:
    assert [it.seconds for it in Call("N1").hear()(e.NewPerson()).did(f.StartTimer)] == [pytest.approx(7.2)]
    call = Call("N1", newcomer_reading_time=5.0).answer()(e.NewPerson(), e.NoticeAgain())
    assert not call.did(f.PlayNotice)[0].newcomer
