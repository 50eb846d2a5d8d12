"""Ringing, answering, and telling the party: the rows up to *informed*."""

from dataclasses import replace

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import Decision, NoticeDelivery, NoticeId, PlanState, PurposePlan, not_recorded
from softphone.domain.purpose import Basis, Direction, Headline, Language, Purpose, Reason
from softphone.domain.session import State, step
from softphone.domain.status import InformedPhase, PurposePhase
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import DOC, NOW, SCENES, TRAIN, Scene

START, STOP = f.StartRecorder, f.StopRecorder


@pytest.mark.rule("G34")
def test_a_call_outside_the_sample_is_neither_announced_nor_recorded() -> None:
    call = Call("none").hear()
    assert call.status.headline is Headline.NOT_RECORDING
    assert call.reasons == [Reason.NOT_IN_SAMPLE]
    assert not [it for it in call.log if isinstance(it, f.PlayNotice | START)]
    assert f.SetMicrophone(True) in call.log


@pytest.mark.parametrize(
    "reason",
    [Reason.POLICY_MISSING, Reason.POLICY_FAULTY, Reason.POLICY_UNSIGNED, Reason.RULEBOOK_FAILED],
)
def test_a_failed_policy_or_rulebook_leaves_the_call_unrecorded_and_says_why(reason: Reason) -> None:
    state, now = State(), NOW
    rang = e.Rang("c", Direction.INBOUND, Language.DA, not_recorded(reason), e.Terms())
    for event in (rang, e.Answered()):
        state, _ = step(state, event, now)
    call = Call("none")
    call.state = state
    assert call.status.headline is Headline.FAILED
    assert call.reasons[0] is reason


def test_nothing_is_played_or_recorded_before_the_answer() -> None:
    call = Call("N7")(e.NoticeStarted(8.0), e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeHeard(), e.PersonAnswered())
    assert not [it for it in call.log if not isinstance(it, c.Commit)]
    assert call.status.notice is not None
    assert call.status.notice.told is InformedPhase.NOTHING


def test_the_notice_begins_at_the_answer_and_the_microphone_is_closed_while_it_plays() -> None:
    call = Call("N7")(e.Answered())
    assert call.last[0] == f.SetMicrophone(False)
    assert call.did(f.PlayNotice) == [f.PlayNotice(NoticeId.N7, Language.DA)]
    call(e.NoticeStarted(8.0), e.NoticeHeard())
    assert f.SetMicrophone(True) in call.last


@pytest.mark.rule("G34")
def test_a_draw_is_used_up_at_the_answer() -> None:
    call = Call("N7")(e.Answered())
    assert ("draw_used", "G34") in call.entries
    assert [it.call for it in call.changed(c.UseDraw)] == ["c"]
    assert ("draw_used", "G34") not in Call("N1")(e.Answered()).entries
    assert not Call("N1").hear().ever_changed(c.UseDraw)


@pytest.mark.rule("G34")
def test_a_draw_that_came_to_no_answer_is_not_used_and_one_declined_while_it_rang_is() -> None:
    assert not Call("N7")(e.CallEnded()).ever_changed(c.UseDraw)
    assert Call("N4")(e.PreferenceSignalled(recording=False), e.Answered()).changed(c.UseDraw)


@pytest.mark.rule("G05")
@pytest.mark.parametrize("name", ["N1", "N4", "N5", "N7", "N8"])
def test_recording_starts_only_after_the_notice_has_been_heard_whole(name: str) -> None:
    call = Call(name).answer()(e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeReached(e.Mark.QUESTION))
    assert not [it for it in call.log if isinstance(it, START)]
    call(e.NoticeHeard())
    assert len(call.did(START)) == 1
    assert call.status.headline is Headline.RECORDING
    assert call.recorded == set(call.scene.bases)


def test_the_recorder_waits_for_the_committed_entry() -> None:
    call = Call("N1").answer()
    call.store_answers = False
    call(e.NoticeHeard())
    tickets = [it.ticket for it in call.did(c.Commit)]
    assert not call.did(START)
    call(e.Committed(tickets[0]))
    assert not call.did(START)
    call(e.Committed(tickets[1]))
    assert call.did(START) == [START("c-1", 0)]


def test_a_segment_is_wrapped_for_exactly_what_is_recorded() -> None:
    opened = Call("N7").hear().changed(c.OpenSegment)
    assert [(it.purposes, dict(it.bases)) for it in opened] == [
        ((DOC, TRAIN), {DOC: Basis.LEGITIMATE_INTEREST, TRAIN: Basis.LEGITIMATE_INTEREST}),
    ]


@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    "cut",
    [e.NoticeFailed(), e.NoticeStopped(), e.HoldSignalled(True), e.SensitivePaused(), e.AgentMediaChanged(False)],
)
def test_a_notice_cut_short_leaves_the_call_unrecorded_and_the_microphone_open(cut: e.Event) -> None:
    call = Call("N7").answer()(e.NoticeReached(e.Mark.ESSENTIALS), cut, e.NoticeHeard())
    assert not [it for it in call.log if isinstance(it, START)]
    assert call.status.headline is Headline.FAILED
    assert call.reasons[0] is Reason.NOTICE_FAILED
    assert [it for it in call.log if isinstance(it, f.SetMicrophone)][-1].open


def test_a_notice_stopped_by_the_agent_falls_silent_at_once() -> None:
    assert f.StopNotice() in Call("N7").answer()(e.NoticeStopped()).last


def test_a_failed_notice_can_be_played_again() -> None:
    call = Call("N7").answer()(e.NoticeFailed(), e.NoticeAgain())
    assert call.did(f.PlayNotice) == [f.PlayNotice(NoticeId.N7, Language.DA)]
    assert call(e.NoticeHeard()).recorded == {DOC, TRAIN}


def test_a_failed_notice_can_be_read_aloud_in_another_language() -> None:
    call = Call("N7").answer()(e.NoticeFailed(), e.NoticeAgain(read=True, language=Language.EN))
    assert call.status.notice is not None
    assert (call.status.notice.told, call.status.notice.language) == (InformedPhase.READING, Language.EN)
    call.wait(7.2)(e.TimedOut(e.Timer.READABLE), e.NoticeRead())
    assert call.recorded == {DOC, TRAIN}


def test_the_agent_may_finish_orally_after_the_essentials() -> None:
    call = Call("N7").answer()(e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeFailed())
    assert "finish_orally" in call.status.actions
    assert call(e.FinishedOrally()).recorded == {DOC, TRAIN}


def test_the_agent_may_not_finish_orally_before_the_essentials() -> None:
    call = Call("N7").answer()(e.NoticeFailed())
    assert "finish_orally" not in call.status.actions
    assert call(e.FinishedOrally()).recorded == set()


@pytest.mark.rule("G03")
@pytest.mark.parametrize("name", ["N2", "N3", "N6"])
def test_where_a_yes_is_needed_the_agent_may_not_finish_orally(name: str) -> None:
    call = Call(name).answer()(e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeFailed(), e.FinishedOrally())
    assert call.recorded == set()
    assert call.status.headline is Headline.FAILED


# --- outgoing, and reading -----------------------------------------------------------------------------


@pytest.mark.rule("G05")
def test_an_outgoing_call_waits_for_a_person() -> None:
    call = Call("N1 read, outgoing")(e.Answered())
    assert call.status.headline is Headline.NOTICE
    assert call.reasons[0] is Reason.NO_PERSON_CONFIRMED
    assert {"person_answered", "voicemail"} <= set(call.status.actions)
    assert f.SetMicrophone(True) in call.last
    call(e.PersonAnswered())
    assert call.status.notice is not None
    assert call.status.notice.told is InformedPhase.READING


@pytest.mark.rule("G05")
def test_our_call_to_a_colleague_waits_for_a_person_and_theirs_does_not() -> None:
    ours = Call(replace(SCENES["N1"], direction=Direction.INTERNAL, ours=True))(e.Answered())
    assert ours.reasons[0] is Reason.NO_PERSON_CONFIRMED
    assert not ours.did(f.PlayNotice)
    theirs = Call(replace(SCENES["N1"], direction=Direction.INTERNAL))(e.Answered())
    assert theirs.did(f.PlayNotice)
    assert "voicemail" not in theirs.status.actions

    assert ours(e.PersonAnswered()).did(f.PlayNotice)
    ours(e.NoticeHeard(), e.VoicemailAnswered())
    assert ours.recorded == set()
    assert ours.changed(c.Discard)


def test_a_policy_may_start_the_notice_of_an_outgoing_call_by_itself() -> None:
    scene = Scene(
        "out",
        NoticeId.N1,
        {DOC: Basis.LEGITIMATE_INTEREST},
        e.Terms(starts_by_itself=True),
        direction=Direction.OUTBOUND,
    )
    assert Call(scene)(e.Answered()).did(f.PlayNotice)


def test_reading_can_be_confirmed_after_60_percent_of_its_time() -> None:
    call = Call("N1 read, outgoing", reading_time=10.0)(e.Answered(), e.PersonAnswered())
    assert f.StartTimer(e.Timer.READABLE, 6.0) in call.last
    assert call.status.notice is not None
    assert call.status.notice.readable_at == e.Now(NOW.utc, 0).utc + (call.now.utc - NOW.utc) + _seconds(6)
    call(e.NoticeRead())
    assert call.recorded == set()
    call.wait(6.0)(e.TimedOut(e.Timer.READABLE), e.NoticeRead())
    assert call.recorded == {DOC}


def _seconds(n: float):
    from datetime import timedelta

    return timedelta(seconds=n)


def test_reading_that_was_interrupted_may_be_finished() -> None:
    call = Call("N1 read, outgoing")(e.Answered(), e.PersonAnswered(), e.HoldSignalled(True))
    call(e.TimedOut(e.Timer.READABLE), e.NoticeRead())
    assert call.recorded == set()
    call(e.HoldSignalled(False))
    assert [(it.timer, it.seconds) for it in call.did(f.StartTimer)] == [(e.Timer.READABLE, pytest.approx(7.2))]
    call(e.TimedOut(e.Timer.READABLE), e.NoticeRead())
    assert call.recorded == {DOC}


@pytest.mark.rule("G03")
def test_with_a_text_read_aloud_the_agent_adds_what_the_party_said() -> None:
    yes = Call("N3 read")(e.Answered(), e.TimedOut(e.Timer.READABLE), e.NoticeRead(said_yes=(TRAIN,)))
    assert yes.recorded == {TRAIN}
    no = Call("N3 read")(e.Answered(), e.TimedOut(e.Timer.READABLE), e.NoticeRead(said_no=(TRAIN,)))
    assert no.reasons[0] is Reason.DECLINED_BY_VOICE


@pytest.mark.rule("G03")
def test_a_spoken_yes_counts_only_where_the_policy_allows_it() -> None:
    call = Call("N3 read", spoken_consent=False)(
        e.Answered(), e.TimedOut(e.Timer.READABLE), e.NoticeRead(said_yes=(TRAIN,))
    )
    assert call.recorded == set()
    assert call.status.headline is Headline.ASKED
    assert "said_yes" not in call.status.actions


def test_a_machine_that_answers_is_never_recorded_and_hears_nothing() -> None:
    call = Call("N1 read, outgoing")(e.Answered(), e.VoicemailAnswered())
    assert call.reasons[0] is Reason.VOICEMAIL
    call(e.PersonAnswered(), e.NoticeAgain(), e.NoticeHeard())
    assert not [it for it in call.log if isinstance(it, f.PlayNotice | START)]


def _out(basis: Basis) -> Scene:
    terms = e.Terms(starts_by_itself=True, obligation=basis is Basis.LEGAL_OBLIGATION)
    return Scene("out", NoticeId.N1, {DOC: basis}, terms, direction=Direction.OUTBOUND)


def test_what_was_recorded_of_a_machine_already_is_discarded() -> None:
    call = Call(_out(Basis.LEGITIMATE_INTEREST)).hear()(e.VoicemailAnswered())
    assert call.changed(c.Discard)
    assert not call.status.kept


def test_what_was_recorded_of_a_machine_on_obligation_is_kept() -> None:
    call = Call(_out(Basis.LEGAL_OBLIGATION)).hear()(e.VoicemailAnswered())
    assert call.did(STOP)
    assert not call.changed(c.Discard)
    assert call.status.kept


# --- the rulebook chooses, the session enforces ----------------------------------------------------------


def _plan(state: PlanState, basis: Basis | None) -> PurposePlan:
    return PurposePlan(state, basis, Reason.ASSESSMENT)


PLANNED, ASKED, OFF = PlanState.PLANNED, PlanState.ASKED, PlanState.OFF


@pytest.mark.rule("G02")
@pytest.mark.parametrize(
    ("documentation", "training", "notice", "how"),
    [
        (_plan(OFF, None), _plan(PLANNED, Basis.CONSENT), NoticeId.N3, NoticeDelivery.PLAY),
        (_plan(OFF, None), _plan(PLANNED, Basis.LEGAL_OBLIGATION), NoticeId.N4, NoticeDelivery.PLAY),
        (_plan(OFF, None), _plan(ASKED, Basis.CONSENT), NoticeId.N4, NoticeDelivery.PLAY),
        (_plan(OFF, None), _plan(PLANNED, Basis.LEGITIMATE_INTEREST), NoticeId.N1, NoticeDelivery.PLAY),
        (_plan(PLANNED, Basis.LEGITIMATE_INTEREST), _plan(OFF, None), None, NoticeDelivery.PLAY),
        (_plan(PLANNED, Basis.LEGITIMATE_INTEREST), _plan(OFF, None), NoticeId.N1, NoticeDelivery.NONE),
        (_plan(PLANNED, None), _plan(OFF, None), NoticeId.N1, NoticeDelivery.PLAY),
    ],
)
def test_what_a_rulebook_plans_and_its_notice_does_not_say_is_not_recorded(
    documentation: PurposePlan, training: PurposePlan, notice: NoticeId | None, how: NoticeDelivery
) -> None:
    call = Call("none")
    call.state = State()
    decision = Decision(documentation, training, notice, how, (Reason.ASSESSMENT,))
    call(e.Rang("c", Direction.INBOUND, Language.DA, decision, SCENES["none"].terms)).hear()
    assert call.recorded == set()
    assert not [it for it in call.log if isinstance(it, START)]
    assert Reason.RULEBOOK_FAILED in call.reasons


def test_documentation_is_recorded_while_training_is_still_asked() -> None:
    call = Call("N6").hear()
    assert call.recorded == {DOC}
    assert call.status.headline is Headline.RECORDING
    assert call.status.purposes[TRAIN].phase is PurposePhase.ASKED
    assert Reason.WAITING_FOR_ANSWER in call.reasons


# --- not understood ----------------------------------------------------------------------------------------


@pytest.mark.rule("G05")
def test_a_notice_not_understood_stops_and_discards_until_it_is_given_anew() -> None:
    call = Call("N7").hear()(e.NotUnderstood())
    assert call.did(STOP)
    assert [it.recording for it in call.changed(c.Discard)] == ["c-1"]
    assert call.reasons[0] is Reason.NOT_UNDERSTOOD
    call(e.NoticeAgain(language=Language.EN))
    assert call.did(f.PlayNotice) == [f.PlayNotice(NoticeId.N7, Language.EN)]
    call(e.NoticeHeard())
    assert call.recorded == {DOC, TRAIN}
    assert call.did(START)[0].recording == "c-2"


def test_on_obligation_only_the_training_wraps_go_when_it_was_not_understood() -> None:
    call = Call("N7 obligation").hear()(e.NotUnderstood())
    assert [it.role.value for it in call.changed(c.DropWraps)] == ["training"]
    assert not call.changed(c.Discard)
    assert call.status.kept


def test_a_hold_stands_when_it_was_not_understood() -> None:
    call = Call("N4").hear().dispute()(e.NotUnderstood())
    assert not call.changed(c.Discard)
    assert [it.reason for it in call.changed(c.Restrict)] == ["hold_only"]
    assert call.status.kept


def test_a_yes_given_before_it_was_understood_is_asked_for_anew() -> None:
    call = Call("N3").hear().say_yes("2")
    assert call.recorded == {TRAIN}
    call(e.NotUnderstood(), e.NoticeAgain(), e.NoticeHeard())
    assert call.recorded == set()
    assert call.status.headline is Headline.ASKED


def test_every_purpose_that_is_active_says_on_what_ground() -> None:
    grounds = {
        "N1": [Reason.ASSESSMENT],
        "N1 obligation": [Reason.OBLIGATION],
        "N4": [Reason.TRAINING_SAMPLE],
        "N5": [Reason.SPECIAL_CIRCUMSTANCES],
        "N7": [Reason.ASSESSMENT, Reason.TRAINING_SAMPLE],
    }
    for name, expected in grounds.items():
        assert Call(name).hear().reasons[: len(expected)] == expected
    assert Call("N2").hear().say_yes("1").reasons[0] is Reason.CONSENT
    assert Purpose.DOCUMENTATION in Call("N2").hear().say_yes("1").recorded


# --- while it rings ------------------------------------------------------------------------------------


def ringing(decision: Decision, name: str) -> Call:
    call = Call("none")
    call.state, call.log = State(), []
    return call(replace(SCENES[name].rang, decision=decision))


def test_while_it_rings_the_first_reason_is_that_of_what_is_to_come() -> None:
    nothing = PurposePlan(PlanState.OFF, None, Reason.LINE_NOT_RECORDED)
    call = ringing(replace(SCENES["N4"].decision, documentation=nothing), "N4")
    assert call.status.headline is Headline.NOT_RECORDING
    assert call.reasons == [Reason.WAITING_FOR_NOTICE]
    assert Call("none").reasons == [Reason.NOT_IN_SAMPLE]


@pytest.mark.rule("G22")
def test_the_log_says_where_a_yes_is_needed_because_nothing_was_assessed() -> None:
    decision = replace(SCENES["N3"].decision, reasons=(Reason.CONSENT, Reason.NO_ASSESSMENT))
    assert ("no_assessment", "G22") in ringing(decision, "N3").entries
    assert ("no_assessment", "G22") not in Call("N3").entries


@pytest.mark.rule("G05")
@pytest.mark.parametrize("name", ["N1", "N7", "N1 read, outgoing", "N1 upstream"])
@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [
        (e.HoldSignalled(True), e.HoldSignalled(False), Reason.HELD),
        (e.AgentMediaChanged(False), e.AgentMediaChanged(True), Reason.NO_AGENT),
    ],
)
def test_held_or_without_media_from_the_first_moment_is_a_pause_and_the_notice_follows_it(
    name: str, begins: e.Event, ends: e.Event, reason: Reason
) -> None:
    """Before, the hold was forgotten with the answer: the notice was read to nobody, and counted."""
    scene, vouched = name.removesuffix(" upstream"), name.endswith("upstream")
    call = Call(scene)(*([e.UpstreamVouched(NoticeId.N1)] if vouched else []), begins, e.Answered())
    if not call.state.informing.person_answered:
        call(ends, e.PersonAnswered())
        assert call.state.informing.phase is InformedPhase.READING
        return
    assert not call.did(f.PlayNotice)
    assert call.state.informing.phase is InformedPhase.NOTHING
    assert (call.status.headline, call.reasons[0]) == (Headline.PAUSED, reason)
    call(ends)
    if vouched:
        assert call.recorded == {DOC}
    else:
        assert call.did(f.PlayNotice)
        assert f.SetMicrophone(False) in call.last


def test_a_hold_that_ended_before_the_answer_holds_nothing_up() -> None:
    assert Call("N1")(e.HoldSignalled(True), e.HoldSignalled(False), e.Answered()).did(f.PlayNotice)


@pytest.mark.rule("G05")
def test_a_party_without_sound_yet_hears_the_notice_and_is_not_recorded_until_it_sends() -> None:
    call = Call("N1")(e.PartySoundChanged(False)).answer()
    assert (call.status.headline, call.reasons[0]) == (Headline.NOTICE, Reason.WAITING_FOR_NOTICE)
    call(e.NoticeHeard())
    assert (call.status.headline, call.reasons[0]) == (Headline.PAUSED, Reason.NO_SOUND)
    assert call(e.PartySoundChanged(True)).recorded == {DOC}
    assert call.entries[0][0] == "party_sound_back"


def test_the_moment_before_a_party_is_heard_first_is_in_no_log() -> None:
    call = Call("N1")(e.PartySoundChanged(False), e.Answered(), e.PartySoundChanged(True))
    assert not call.noted("party_sound_gone")
    assert not call.noted("party_sound_back")
    assert call(e.NoticeStarted(8.0), e.NoticeHeard()).recorded == {DOC}
