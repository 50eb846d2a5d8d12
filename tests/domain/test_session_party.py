"""The other end: whether it is heard, whether it is still the same party, and what stands still meanwhile."""

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import Headline, OnFailure, Reason
from softphone.domain.status import InformedPhase
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import DOC, TRAIN

GONE, BACK = e.PartySoundChanged(False), e.PartySoundChanged(True)
LONG = e.TimedOut(e.Timer.NO_SOUND)


# --- heard or not -----------------------------------------------------------------------------------


@pytest.mark.rule("G10")
def test_a_party_that_is_gone_is_not_recorded_on_and_the_gap_is_known_by_the_clock_that_nobody_sets() -> None:
    call = Call("N1").hear().wait(60)(e.PartySoundChanged(False, silent=5.2))
    assert call.did(f.StopRecorder)
    assert call.status.headline is Headline.PAUSED
    assert call.reasons[0] is Reason.NO_SOUND
    call.wait(42)(BACK)
    assert call.recorded == {DOC}
    assert call.noted("party_sound_back")[-1]["gap_seconds"] == 47, "from the last that was heard"


@pytest.mark.rule("G02")
@pytest.mark.parametrize(
    ("on_failure", "ends"), [(OnFailure.END, True), (OnFailure.WARN, False), (OnFailure.GO_ON, False)]
)
def test_after_half_a_minute_it_is_said_again_and_on_obligation_the_policy_decides(
    on_failure: OnFailure, ends: bool
) -> None:
    call = Call("N1 obligation", on_failure=on_failure).hear()(GONE)
    assert [it.seconds for it in call.did(f.StartTimer) if it.timer is e.Timer.NO_SOUND] == [30.0]
    assert "still_no_sound" not in call.status.notes
    call(LONG)
    assert call.did(f.SoundTone) == [f.SoundTone(f.Tone.WARNING)]
    assert {"still_no_sound", "obligation_unrecorded"} <= set(call.status.notes)
    assert bool(call.did(f.EndCall)) is ends
    assert ("end_politely" in call.status.actions) is not ends
    assert "still_no_sound" not in call(BACK).status.notes


@pytest.mark.rule("G02")
def test_nobody_is_missed_on_hold_and_no_policy_ends_a_call_for_it() -> None:
    call = Call("N1 obligation", on_failure=OnFailure.END).hear()(GONE, e.HoldSignalled(True))
    assert f.StopTimer(e.Timer.NO_SOUND) in call.last
    assert not call(LONG).did(f.EndCall)
    call(e.HoldSignalled(False))
    assert f.StartTimer(e.Timer.NO_SOUND, 30.0) in call.last
    assert call(LONG).did(f.EndCall)


def test_hanging_up_is_offered_on_any_line_where_nobody_is_heard_any_more() -> None:
    call = Call("N4").hear()(GONE)
    assert "end_politely" not in call.status.actions
    assert "end_politely" in call(LONG).status.actions


@pytest.mark.rule("G05")
def test_a_party_not_heard_yet_is_told_and_recorded_from_its_first_sound() -> None:
    call = Call("N7")(GONE).hear()
    assert call.status.notice is not None
    assert call.status.notice.told is InformedPhase.INFORMED
    assert call.recorded == set()
    assert call.reasons[0] is Reason.NO_SOUND
    assert call(BACK).recorded == {DOC, TRAIN}


@pytest.mark.rule("G05")
def test_a_notice_that_plays_to_nobody_is_not_heard() -> None:
    call = Call("N1").answer()(GONE)
    assert f.StopNotice() in call.last
    call(e.NoticeHeard(), BACK)
    assert call.recorded == set()
    assert "play_again" in call.status.actions


@pytest.mark.rule("G05")
def test_a_notice_whose_way_breaks_before_the_party_has_spoken_is_not_heard() -> None:
    call = Call("N1")(GONE).answer()(GONE)
    assert f.StopNotice() in call.last
    call(e.NoticeHeard(), BACK)
    assert call.recorded == set()
    assert "play_again" in call.status.actions


# --- the same or another ------------------------------------------------------------------------------


@pytest.mark.rule("G05")
def test_a_source_that_nobody_explained_waits_for_the_agents_word() -> None:
    call = Call("N3").hear()(e.SourceChanged())
    assert call.reasons[0] is Reason.SOURCE_CHANGED
    assert call.say_yes("2").recorded == set(), "a stranger's key is no yes"
    assert "same_caller" in call.status.actions
    call(e.SameCaller())
    assert call.did(f.FollowSource)
    assert call.say_yes("2").recorded == {TRAIN}
    assert "same_caller" not in call.status.actions
    assert call(e.SameCaller()).last == ()


@pytest.mark.rule("G05")
def test_the_old_source_resumes_by_itself_and_a_new_person_is_told() -> None:
    assert Call("N1").hear()(e.SourceChanged(), e.SourceReturned()).recorded == {DOC}
    call = Call("N1").hear()(e.SourceChanged(), e.NewPerson())
    assert call.did(f.FollowSource)
    assert call.status.pauses == (Reason.NOT_TOLD,)
    call(e.TimedOut(e.Timer.READABLE), e.NoticeRead())
    assert call.recorded == {DOC}


@pytest.mark.rule("G05")
def test_who_is_put_through_in_mid_notice_hears_all_of_it() -> None:
    call = Call("N7").answer()(e.NoticeReached(e.Mark.ESSENTIALS), e.IdentityChanged())
    assert call.last[0] == f.StopNotice()
    assert len(call.did(f.PlayNotice)) == 1
    assert call(e.FinishedOrally()).recorded == set()
    assert call(e.NoticeHeard()).recorded == {DOC, TRAIN}


@pytest.mark.rule("G03")
def test_who_is_put_through_at_the_question_is_asked_anew_and_the_others_yes_is_none() -> None:
    call = Call("N2+N3").hear().say_yes("1")
    assert call.recorded == {DOC}
    call(e.IdentityChanged())
    assert call.recorded == set()
    assert [it.question_only for it in call.did(f.PlayNotice)] == [False]
    call(e.NoticeReached(e.Mark.QUESTION), e.NoticeHeard())
    assert call.recorded == set(), "nobody has said yes yet"
    assert call.say_yes("1").recorded == {DOC}
    assert call.status.recordings == ("c-1", "c-2")


@pytest.mark.rule("G05")
def test_who_is_put_through_later_is_a_newcomer_told_as_the_agent_chooses() -> None:
    call = Call("N1").hear()(e.IdentityChanged())
    assert call.recorded == set()
    assert call.status.pauses == (Reason.NOT_TOLD,)
    assert not call.did(f.PlayNotice), "no sound breaks into the talk"
    assert call(e.TimedOut(e.Timer.READABLE), e.NoticeRead()).recorded == {DOC}


@pytest.mark.rule("G05")
def test_an_interpreter_who_is_there_before_the_notice_has_heard_nothing_of_what_an_exchange_told() -> None:
    notice = Call("N1").scene.decision.notice
    assert notice is not None
    call = Call("N1 read, outgoing")(e.Answered(), e.UpstreamVouched(notice))
    assert "new_person" in call.status.actions
    call(e.NewPerson(), e.PersonAnswered())
    assert call.recorded == set()
    assert call(e.TimedOut(e.Timer.READABLE), e.NoticeRead()).recorded == {DOC}


# --- what stood still, and pauses told truly ----------------------------------------------------------


@pytest.mark.rule("G10")
def test_what_was_said_while_the_process_stood_still_is_missing_and_that_is_told() -> None:
    call = Call("N1").hear()(e.StoodStill(7.6))
    assert call.noted("stood_still") == [{"gap_seconds": 8}]
    assert "stood_still" in call.status.notes
    assert call(e.StoodStill(1.2)).status.missing_seconds == 9
    assert Reason.BROKE_OFF in call(e.CallEnded()).reasons
    assert call.status.missing_seconds == 9, "wrap-up says so too"
    assert Call("N1").answer()(e.StoodStill(7.6)).last == (), "nothing was being recorded"


@pytest.mark.rule("G09")
def test_a_pause_that_another_outlasts_counts_nothing_down_and_is_not_gone_on_from_while_held() -> None:
    call = Call("N8").hear()(e.SensitivePaused())
    assert call.status.until is not None
    assert "resume" in call.status.actions
    call(e.HoldSignalled(True))
    assert set(call.status.pauses) == {Reason.SENSITIVE, Reason.HELD}
    assert call.status.until is None
    assert "resume" not in call.status.actions
    assert call(e.Resumed()).last == ()
    call(e.HoldSignalled(False))
    assert "resume" in call.status.actions
    assert call(e.Resumed()).recorded == {DOC, TRAIN}


@pytest.mark.rule("G23")
def test_nothing_is_kept_longer_for_an_objection_and_what_is_kept_says_what_it_waits_for() -> None:
    call = Call("N1").hear()(e.Objected(), e.CallEnded())
    closed = call.ever_changed(c.CloseRecording)
    assert [it.purposes for it in closed] == [(DOC,)], "it ends on documentation's own day"
    assert Reason.CASE_OPEN in call.reasons
