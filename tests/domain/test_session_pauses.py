"""Pauses, newcomers, the desk, failures, and the end: the remaining rows."""

from dataclasses import replace

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Headline, KeyRole, OnFailure, Reason
from softphone.domain.session import State, carried_answers, describe, step
from softphone.domain.session.pauses import Pauses, Sensitive
from softphone.domain.status import Action, InformedPhase, PurposePhase
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import DOC, NOW, SCENES, TRAIN, alphabet

START, STOP = f.StartRecorder, f.StopRecorder
READABLE = e.TimedOut(e.Timer.READABLE)


@pytest.mark.parametrize(
    ("pause", "back", "reason"),
    [
        (e.HoldSignalled(True), e.HoldSignalled(False), Reason.HELD),
        (e.ConsultationChanged(True), e.ConsultationChanged(False), Reason.HELD),
        (e.AgentMediaChanged(False), e.AgentMediaChanged(True), Reason.NO_AGENT),
        (e.SensitivePaused(), e.Resumed(), Reason.SENSITIVE),
    ],
)
@pytest.mark.rule("L5")
def test_a_pause_stops_the_recorder_at_once_and_what_follows_is_a_new_segment(
    pause: e.Event, back: e.Event, reason: Reason
) -> None:
    call = Call("N7").hear()(pause)
    assert call.last[0] == STOP("c-1", 0)
    assert call.status.headline is Headline.PAUSED
    assert call.reasons[0] is reason
    call(back)
    assert call.did(START) == [START("c-1", 1)]


def test_recording_resumes_only_when_the_last_pause_is_over() -> None:
    call = Call("N1").hear()(e.HoldSignalled(True), e.SensitivePaused(), e.HoldSignalled(False))
    assert call.status.headline is Headline.PAUSED
    assert call(e.Resumed()).recorded == {DOC}


@pytest.mark.rule("G09")
def test_a_pause_for_sensitive_information_warns_and_resumes_by_itself_only_with_a_ground() -> None:
    for resumes in (True, False):
        call = Call("N1", sensitive_resumes=resumes, sensitive_pause=45.0).hear()(e.SensitivePaused())
        assert f.StartTimer(e.Timer.SENSITIVE, 45.0) in call.last
        call(e.TimedOut(e.Timer.SENSITIVE))
        assert f.SoundTone(f.Tone.WARNING) in call.last
        assert f.StartTimer(e.Timer.SENSITIVE_WARNING, 10.0) in call.last
        call(e.TimedOut(e.Timer.SENSITIVE_WARNING))
        assert (call.recorded == {DOC}) is resumes
        assert call(e.Resumed()).recorded == {DOC}


def test_one_press_gives_a_sensitive_pause_more_time() -> None:
    call = Call("N1").hear()(e.SensitivePaused(), e.MoreTime())
    assert call.last == ()
    call(e.TimedOut(e.Timer.SENSITIVE), e.MoreTime())
    assert f.StartTimer(e.Timer.SENSITIVE, 60.0) in call.last
    assert f.StopTimer(e.Timer.SENSITIVE_WARNING) in call.last


def test_the_time_that_was_recorded_leaves_out_what_was_not() -> None:
    call = Call("N1").hear()
    begun = call.status.recorded_from
    assert (call.status.recorded, begun) == (0.0, call.now.utc)
    call.wait(30)(e.SensitivePaused()).wait(12)
    assert (call.status.recorded, call.status.recorded_from) == (30.0, None)
    call(e.Resumed()).wait(5)(e.HoldSignalled(True))
    assert (call.status.recorded, call.status.recorded_from) == (35.0, None)


def test_a_gap_has_a_known_length() -> None:
    call = Call("N1").hear()(e.SensitivePaused()).wait(12)(e.Resumed())
    entries = [entry for it in call.did(c.Commit) for entry in it.entries if entry.event == "resumed"]
    assert [dict(it.params) for it in entries] == [{"gap_seconds": 12}]
    # A party that fell silent in that pause has been missed since its end: no second counts twice.
    call.wait(2)(e.PartySoundChanged(False, silent=5.2)).wait(10)(e.PartySoundChanged(True))
    assert call.noted("party_sound_back")[-1]["gap_seconds"] == 12


# --- the desk -----------------------------------------------------------------------------------------


@pytest.mark.rule("G31")
@pytest.mark.parametrize("gone", [e.DeskChanged(False), e.TimedOut(e.Timer.DESK_SILENT)])
def test_without_a_desk_training_on_interest_pauses_and_documentation_goes_on(gone: e.Event) -> None:
    call = Call("N7").hear()(gone)
    assert call.last[0] == STOP("c-1", 0, hold_frames=True)
    assert call.recorded == {DOC}
    assert Reason.NO_DESK in call.reasons
    call(e.DeskChanged(True))
    assert call.recorded == {DOC, TRAIN}


def test_without_a_desk_training_on_consent_goes_on_and_a_key_still_counts() -> None:
    call = Call("N3").hear()(e.DeskChanged(False)).say_yes("2")
    assert call.recorded == {TRAIN}


def test_without_a_desk_training_alone_is_paused() -> None:
    call = Call("N4").hear()(e.DeskChanged(False))
    assert call.status.headline is Headline.PAUSED
    assert call.reasons[0] is Reason.NO_DESK


# --- a newcomer ---------------------------------------------------------------------------------------


@pytest.mark.rule("G05")
def test_a_newcomer_pauses_until_informed() -> None:
    call = Call("N7").hear()(e.NewPerson())
    assert call.did(STOP)
    assert call.reasons[0] is Reason.NOT_TOLD
    assert call.status.notice is not None
    assert call.status.notice.told is InformedPhase.READING
    assert call.status.notice.newcomer
    call(READABLE, e.NoticeRead())
    assert call.recorded == {DOC, TRAIN}
    assert call.status.recordings == ("c-1",)


@pytest.mark.rule("G03")
def test_a_newcomer_is_asked_for_each_purpose_on_consent_and_a_yes_begins_a_new_recording() -> None:
    call = Call("N3").hear().say_yes("2")(e.NewPerson(), READABLE, e.NoticeRead())
    assert call.recorded == set()
    assert call.status.headline is Headline.ASKED
    call.say_yes("2")
    assert call.recorded == {TRAIN}
    assert call.did(START) == [START("c-2", 0)]
    assert [it.recording for it in call.changed(c.CloseRecording)] == ["c-1"]


@pytest.mark.rule("G05")
@pytest.mark.parametrize("notice", ["read", "played", "failed", "left while held"])
def test_who_leaves_a_conference_untold_leaves_the_recording_as_it_was(notice: str) -> None:
    call = Call("N6").hear().say_yes("2")(e.NewPerson(by_phone=True))
    assert call.recorded == set()
    if notice != "read":
        call(e.NoticeAgain())
    if notice == "failed":
        call(e.NoticeFailed())
    if notice == "left while held":
        call(e.HoldSignalled(True), e.PersonLeft(), e.HoldSignalled(False))
    else:
        call.wait(3.0)(e.PersonLeft())
        assert (f.StopNotice() in call.last) is (notice == "played")
    assert call.recorded == {DOC, TRAIN}, "by the party's own yes"
    assert call.status.recordings == ("c-1",)
    assert call.status.kept
    assert call.noted("person_left")
    assert call(e.PersonLeft()).last == ()


@pytest.mark.rule("G05")
@pytest.mark.parametrize("also", [e.IdentityChanged(), e.NoticeFailed()], ids=["put through", "by a press"])
def test_who_leaves_a_conference_takes_no_other_newcomer_along(also: e.Event) -> None:
    call = Call("N7").hear()(e.NewPerson(by_phone=True), e.NoticeAgain(), also, e.NewPerson(), e.PersonLeft())
    assert call.recorded == set()
    assert Reason.NOT_TOLD in call.status.pauses


@pytest.mark.rule("G05")
@pytest.mark.parametrize("told", [None, e.NoticeAgain()], ids=["read", "played"])
def test_a_conference_hides_nobody_who_comes_on_the_partys_side(told: e.Event | None) -> None:
    call = Call("N7").hear()(e.SourceChanged(), e.NewPerson(by_phone=True))
    assert call.did(f.FollowSource) == []
    call(*[told] if told else [])
    assert Action.NEW_PERSON in call.status.actions
    # Another call of this phone explains no new source.
    left, _ = step(call.state, e.PersonLeft(), call.now)
    assert describe(left, call.now).pauses == (Reason.SOURCE_CHANGED,)
    call(e.NewPerson(), e.PersonLeft())
    assert call.recorded == set()
    assert call.status.pauses == (Reason.NOT_TOLD,)
    if told:
        call(e.NoticeAgain(), e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeReached(e.Mark.QUESTION), e.NoticeHeard())
    else:
        call(READABLE, e.NoticeRead())
    assert call.recorded == {DOC, TRAIN}


@pytest.mark.rule("G31")
def test_what_is_refused_while_a_newcomer_waits_stays_refused_and_an_open_question_is_asked_anew() -> None:
    call = Call("N7").hear()(e.NewPerson(by_phone=True)).opt_out()(e.PersonLeft())
    assert call.recorded == {DOC}
    call = Call("N3").hear()(e.NewPerson(by_phone=True), e.PersonLeft())
    assert call.recorded == set()
    assert call.status.headline is Headline.ASKED
    assert call.say_yes("2").recorded == {TRAIN}


@pytest.mark.parametrize("no", ["button", "silence", "voice"])
def test_a_newcomers_no_ends_the_purpose_from_then_on_and_takes_nothing_back(no: str) -> None:
    call = Call("N3").hear().say_yes("2")(e.NewPerson(), READABLE, e.NoticeRead())
    if no == "button":
        call.opt_out()
    elif no == "voice":
        call(e.SpokenAnswer(TRAIN, yes=False))
    else:
        call(e.TimedOut(e.Timer.ANSWER), e.NoticeHeard(), e.TimedOut(e.Timer.ANSWER))
    assert call.status.purposes[TRAIN].phase is PurposePhase.ENDED
    assert not call.ever_changed(c.Discard)
    assert call.status.kept


def test_an_open_question_is_cancelled_for_a_newcomer_and_asked_anew_for_all() -> None:
    call = Call("N3").hear().press("2")(e.NewPerson()).wait(1.5)(e.TimedOut(e.Timer.KEY_SETTLES))
    assert call.recorded == set()
    assert f.StopTimer(e.Timer.ANSWER) in call.log
    call(READABLE, e.NoticeRead())
    assert call.status.headline is Headline.ASKED


def test_a_newcomer_during_the_notice_means_that_nobody_was_informed() -> None:
    call = Call("N7").answer()(e.NoticeReached(e.Mark.ESSENTIALS), e.NewPerson())
    assert f.StopNotice() in call.last
    assert call(e.FinishedOrally()).recorded == set()
    assert call(e.NoticeAgain(), e.NoticeHeard()).recorded == {DOC, TRAIN}


@pytest.mark.rule("G05")
@pytest.mark.parametrize("after", ["told", "in the notice"])
def test_a_second_press_on_new_person_takes_nothing_from_the_reading(after: str) -> None:
    call = Call("N1") if after == "told" else Call("N1 read, outgoing")(e.Answered(), e.PersonAnswered())
    if after == "told":
        call.hear()
    call(e.NewPerson(), READABLE)
    assert "new_person" not in call.status.actions
    call(e.NewPerson())
    assert call.last == ()
    assert "notice_read" in call.status.actions
    assert call(e.NoticeRead()).recorded == {DOC}
    assert "new_person" in call.status.actions


def test_the_next_newcomer_after_a_failed_notice_has_not_heard_it_either() -> None:
    call = Call("N7").answer()(e.NewPerson(), e.NoticeAgain(), e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeFailed())
    assert "finish_orally" in call.status.actions
    assert "finish_orally" not in call(e.NewPerson()).status.actions


@pytest.mark.rule("G31")
@pytest.mark.parametrize("no", ["button", "voice"])
def test_a_newcomers_no_is_not_remembered_of_the_party_who_said_yes(no: str) -> None:
    call = Call("N3").hear().say_yes("2")(e.NewPerson(), READABLE, e.NoticeRead())
    call.opt_out() if no == "button" else call(e.SpokenAnswer(TRAIN, yes=False))
    assert call.status.purposes[TRAIN].phase is PurposePhase.ENDED
    assert not call.ever_changed(c.RememberRefusal)
    assert not call.noted("refusal_remembered")


# --- failures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [Reason.RECORDER_FAILED, Reason.NO_KEY, Reason.STORAGE_FAILED])
def test_a_failure_leaves_the_call_unrecorded_with_the_reason_and_purposes_active(reason: Reason) -> None:
    call = Call("N7").hear()(e.RecorderFailed(reason))
    assert call.status.headline is Headline.FAILED
    assert call.reasons[0] is reason
    assert call.status.purposes[DOC].phase is PurposePhase.ACTIVE
    assert not call.did(f.EndCall)
    call(e.StorageWorks())
    assert call.did(START) == [START("c-1", 1)]


def test_a_segment_that_cannot_be_written_does_not_start() -> None:
    call = Call("N1").answer()
    call.store_answers = False
    call(e.NoticeHeard())
    ticket = call.did(c.Commit)[-1].ticket
    call(e.CommitFailed(ticket, Reason.NO_KEY))
    assert call.status.headline is Headline.FAILED
    assert call.reasons[0] is Reason.NO_KEY
    call(e.Committed(ticket))
    assert not [it for it in call.log if isinstance(it, START)]
    call.store_answers = True
    call(e.StorageWorks())
    assert call.recorded == {DOC}
    assert call.changed(c.OpenRecording)


def test_an_opt_out_that_cannot_be_written_is_tried_again_until_it_is() -> None:
    call = Call("N4").hear()
    call.store_answers = False
    call.opt_out()
    (commit,) = call.did(c.Commit)
    for _ in range(3):
        call(e.CommitFailed(commit.ticket, Reason.STORAGE_FAILED))
        assert f.StartTimer(e.Timer.RETRY, 1.0) in call.last
        call.wait(1)(e.TimedOut(e.Timer.RETRY))
        again = call.did(c.Commit)[0]
        assert (again.changes, again.entries) == (commit.changes, commit.entries)
        assert again.ticket != commit.ticket
        commit = again
    call(e.CallEnded(), e.WrapUpEnded())
    assert not call.state.finished
    call.store_answers = True
    for it in call.state.pending:
        call(e.Committed(it.ticket))
    assert call.state.finished


@pytest.mark.parametrize(
    ("on_failure", "ends"), [(OnFailure.END, True), (OnFailure.WARN, False), (OnFailure.GO_ON, False)]
)
def test_a_failure_ends_the_call_only_where_an_obligation_is_left_unrecorded_and_the_policy_says_so(
    on_failure: OnFailure, ends: bool
) -> None:
    call = Call("N1 obligation", on_failure=on_failure).hear()(e.RecorderFailed(Reason.STORAGE_FAILED))
    assert bool(call.did(f.EndCall)) is ends
    assert ("end_politely" in call.status.actions) is (on_failure is OnFailure.WARN)
    assert not Call("N1", on_failure=OnFailure.END).hear()(e.RecorderFailed(Reason.STORAGE_FAILED)).did(f.EndCall)


def test_a_pause_or_a_notice_still_to_come_is_not_a_failure() -> None:
    assert not Call("N1 obligation").hear()(e.HoldSignalled(True)).did(f.EndCall)
    call = Call("N1 obligation").answer()(e.RecorderFailed(Reason.STORAGE_FAILED), e.NoticeFailed())
    assert not [it for it in call.log if isinstance(it, f.EndCall)]


@pytest.mark.rule("G02")
@pytest.mark.parametrize(
    ("on_failure", "may_end"), [(OnFailure.WARN, True), (OnFailure.END, True), (OnFailure.GO_ON, False)]
)
@pytest.mark.parametrize("cut", [e.NoticeFailed(), e.NoticeStopped()], ids=["failed", "stopped"])
def test_a_failed_notice_on_obligation_is_shown_and_the_call_can_be_ended_politely(
    cut: e.Event, on_failure: OnFailure, may_end: bool
) -> None:
    call = Call("N1 obligation", on_failure=on_failure).answer()
    assert "obligation_unrecorded" not in call.status.notes
    call(cut)
    assert "obligation_unrecorded" in call.status.notes
    assert ("end_politely" in call.status.actions) is may_end
    call(e.HoldSignalled(True))
    assert "obligation_unrecorded" not in call.status.notes
    call(e.HoldSignalled(False), e.NoticeAgain())
    assert "obligation_unrecorded" not in call.status.notes
    assert "end_politely" not in call(e.NoticeHeard()).status.actions
    assert not [it for it in call.log if isinstance(it, f.EndCall)]


@pytest.mark.rule("G02")
def test_a_failed_notice_without_an_obligation_leaves_none_unrecorded() -> None:
    for on_failure in (OnFailure.WARN, OnFailure.END):
        call = Call("N1", on_failure=on_failure).answer()(e.NoticeFailed())
        assert not {"obligation_unrecorded", "end_politely"} & {*call.status.notes, *call.status.actions}


@pytest.mark.rule("G02")
def test_the_log_says_at_the_end_that_an_obligation_went_unrecorded_for_want_of_the_notice() -> None:
    owed = ("obligation_unrecorded", "G02")
    assert owed in Call("N1 obligation").answer()(e.NoticeFailed(), e.CallEnded()).entries
    assert owed not in Call("N1 obligation").answer()(e.CallEnded()).entries
    given = Call("N1 obligation").answer()(e.NoticeFailed(), e.NoticeAgain(), e.NoticeHeard(), e.CallEnded())
    assert not given.noted("obligation_unrecorded")


@pytest.mark.rule("G10")
@pytest.mark.parametrize("works_again", [False, True])
def test_a_kept_recording_says_that_a_failure_left_some_of_it_out(works_again: bool) -> None:
    call = Call("N1 obligation", on_failure=OnFailure.WARN).hear()(e.RecorderFailed(Reason.STORAGE_FAILED))
    assert Reason.BROKE_OFF not in call.reasons
    if works_again:
        assert call(e.StorageWorks()).reasons[0] is Reason.OBLIGATION
    call.wait(60)(e.CallEnded())
    assert call.status.kept
    assert call.reasons[0] is Reason.BROKE_OFF
    assert call(e.WrapUpEnded()).reasons[0] is Reason.BROKE_OFF


@pytest.mark.rule("G10")
def test_first_words_that_could_not_be_stored_are_reported_too() -> None:
    late = Call("N1").answer()(e.RecorderFailed(Reason.STORAGE_FAILED), e.NoticeHeard(), e.StorageWorks())
    assert late(e.CallEnded()).reasons[0] is Reason.BROKE_OFF
    in_time = Call("N1").answer()(e.RecorderFailed(Reason.STORAGE_FAILED), e.StorageWorks(), e.NoticeHeard())
    assert Reason.BROKE_OFF not in in_time(e.CallEnded()).reasons


@pytest.mark.rule("G10")
def test_last_words_that_could_not_be_stored_are_reported_too() -> None:
    call = Call("N1").hear()(e.CallEnded())
    assert Reason.BROKE_OFF not in call.reasons
    call(e.RecorderFailed(Reason.STORAGE_FAILED))
    assert call.reasons[0] is Reason.BROKE_OFF
    assert ("recording_broke_off", "G10") in call.entries
    assert not call(e.RecorderFailed(Reason.STORAGE_FAILED)).did(c.Commit)
    paused = Call("N1").hear()(e.HoldSignalled(True), e.RecorderFailed(Reason.STORAGE_FAILED), e.CallEnded())
    assert paused.reasons[0] is Reason.BROKE_OFF


@pytest.mark.rule("G01")
@pytest.mark.parametrize(
    ("name", "why"), [("N4", Reason.TRAINING_SAMPLE), ("N3", Reason.CONSENT), ("N1", Reason.ASSESSMENT)]
)
def test_after_a_recorded_call_the_first_reason_is_why_it_was_recorded(name: str, why: Reason) -> None:
    call = Call(name).hear().say_yes("2")
    for end in (e.CallEnded(), e.WrapUpEnded()):
        call(end)
        assert call.status.kept
        assert call.reasons[0] is why
        assert Reason.LINE_NOT_RECORDED not in call.reasons


@pytest.mark.rule("G10")
def test_a_ground_to_record_is_not_a_reason_for_recording_nothing() -> None:
    call = Call("N1 obligation", on_failure=OnFailure.WARN).answer()(
        e.RecorderFailed(Reason.STORAGE_FAILED), e.NoticeHeard()
    )
    call(e.CallEnded())
    assert (call.status.kept, call.status.recordings) == (False, ())
    assert call.reasons[0] is Reason.STORAGE_FAILED
    assert Reason.OBLIGATION not in call.reasons


@pytest.mark.rule("G10")
def test_nothing_is_missing_from_a_recording_that_is_gone() -> None:
    call = Call("N2").hear().say_yes("1")(e.RecorderFailed(Reason.STORAGE_FAILED), e.StorageWorks(), e.Withdrawn(DOC))
    assert not call.status.kept
    call(e.PartyAsksForRecording(call.scene.decision), e.NoticeStarted(8.0), e.NoticeHeard()).say_yes("1")
    assert call.recorded == {DOC}
    assert Reason.BROKE_OFF not in call(e.CallEnded()).reasons


# --- the end ------------------------------------------------------------------------------------------


def test_a_call_that_ends_closes_its_recording_for_what_keeps_it() -> None:
    call = Call("N7").hear().opt_out()(e.CallEnded())
    assert call.last[0] == STOP("c-1", 1)
    assert [(it.recording, it.purposes) for it in call.changed(c.CloseRecording)] == [("c-1", (DOC,))]


def test_what_is_handed_over_ends_here_and_is_kept_as_it_is() -> None:
    call = Call("N7").hear()(e.HandedOver())
    assert call.did(STOP)
    assert call.changed(c.CloseRecording)
    assert not call.changed(c.DropWraps)
    assert call(e.HoldSignalled(True), e.HoldSignalled(False)).recorded == set()


def _at_the_next_desk(before: Call, name: str) -> Call:
    call = Call(name)
    call.state = State()
    return call(replace(call.scene.rang, carried=carried_answers(before.state)))


def test_a_refusal_binds_the_next_desk() -> None:
    call = _at_the_next_desk(Call("N7").hear().opt_out(), "N7").hear()
    assert call.status.purposes[TRAIN].reason is Reason.DECLINED_EARLIER
    assert call.recorded == {DOC}


def test_what_was_said_and_agreed_need_not_be_said_and_asked_again() -> None:
    call = _at_the_next_desk(Call("N3").hear().say_yes("2"), "N3")(e.Answered())
    assert not call.did(f.PlayNotice)
    assert call.recorded == {TRAIN}


def test_the_next_agent_sees_when_a_colleague_told_the_party() -> None:
    before = Call("N7").hear()
    at = before.now.utc
    call = _at_the_next_desk(before, "N7").wait(60.0)(e.Answered())
    assert call.recorded == {DOC, TRAIN}
    assert call.status.notice is not None
    assert (call.status.notice.how, call.status.notice.heard_at) == ("colleague", at)


def test_an_objection_binds_the_next_desk_though_the_case_is_open_and_an_obligation_notes_it() -> None:
    before = Call("N7").hear()(e.Objected())
    assert carried_answers(before.state).informed == ()
    assert _at_the_next_desk(before, "N7").status.purposes[DOC].reason is Reason.DECLINED_EARLIER
    obliged = _at_the_next_desk(before, "N1 obligation")
    assert "request_noted" in obliged.status.notes
    assert obliged.hear().recorded == {DOC}


def test_a_passport_without_a_yes_carries_none() -> None:
    call = _at_the_next_desk(Call("N3").hear(), "N3")(e.Answered())
    assert call.did(f.PlayNotice)
    assert call.recorded == set()


def test_at_wrap_up_opt_out_withdrawal_and_dispute_are_within_reach() -> None:
    assert Call("N7").hear()(e.CallEnded()).opt_out().changed(c.DropWraps)[0].role is KeyRole.TRAINING
    assert Call("N3").hear().say_yes("2")(e.CallEnded(), e.Withdrawn(TRAIN)).changed(c.Discard)
    assert Call("N7").hear()(e.CallEnded()).dispute(HoldBy.PARTY).changed(c.PlaceHold)


def test_wrap_up_ends_by_its_time_where_it_has_one() -> None:
    call = Call("N1", wrap_up=30.0).hear()(e.CallEnded())
    assert f.StartTimer(e.Timer.WRAP_UP, 30.0) in call.last
    call(e.TimedOut(e.Timer.WRAP_UP))
    assert call.state.finished
    stale = Call("N1").hear()(e.CallEnded(), e.TimedOut(e.Timer.WRAP_UP))
    assert not stale.state.finished


def test_after_the_end_nothing_is_applicable() -> None:
    call = Call("N7").hear()(e.CallEnded(), e.WrapUpEnded())
    state = call.state
    for event in alphabet(call.scene):
        assert step(state, event, call.now) == (state, ())


def test_every_event_meets_a_call_that_has_not_rung_without_effect() -> None:
    for event in alphabet(SCENES["N7"])[1:]:
        state, effects = step(State(), event, NOW)
        assert not effects
        assert describe(state, NOW).reasons


def test_a_second_press_is_stale_because_the_version_has_moved_on() -> None:
    call = Call("N7").hear()
    before = call.status.version
    call.opt_out()
    assert call.status.version > before
    at_rest = call.status.version
    call(e.NoticeHeard(), e.DigitPressed("4", call.mono), e.StorageWorks())
    assert call.status.version == at_rest


def test_no_assessment_is_said_beside_whatever_the_status_is() -> None:
    scene = SCENES["N2"]
    decision = replace(scene.decision, reasons=(Reason.CONSENT, Reason.NO_ASSESSMENT))
    state, _ = step(State(), replace(scene.rang, decision=decision), NOW)
    assert Reason.NO_ASSESSMENT in [it.reason for it in describe(state, NOW).reasons]


@pytest.mark.rule("G23")
def test_of_several_pauses_an_objection_is_shown_first_as_it_outlasts_the_others() -> None:
    pauses = Pauses(held=True, sensitive=Sensitive.PAUSED, newcomer_not_informed=True)
    assert replace(pauses, objection=True).for_all == (Reason.OBJECTION, *pauses.for_all)
