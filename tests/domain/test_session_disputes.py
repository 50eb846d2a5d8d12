"""Disputes: raised, armed, undone, and every order of a hold and an opt-out."""

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Headline, KeyRole, Reason
from softphone.domain.status import DisputeKind, HoldPhase, OptOutKind, Stays
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import DOC, NOW, TRAIN

PARTY, CONTROLLER = HoldBy.PARTY, HoldBy.CONTROLLER
UNDO = e.TimedOut(e.Timer.UNDO)


def held(name: str, by: HoldBy, *yes: str) -> Call:
    call = Call(name).hear()
    for digit in yes:
        call.say_yes(digit)
    return call.dispute(by)


@pytest.mark.rule("G10")
def test_a_dispute_is_a_hold_at_once_and_takes_the_training_wraps_away() -> None:
    call = held("N7", CONTROLLER)
    (hold,) = call.changed(c.PlaceHold)
    assert (hold.recording, hold.by, hold.provisional_until) == ("c-1", CONTROLLER, None)
    assert hold.confirm_by == call.now.utc + call.scene.terms.hold_unconfirmed
    assert [(it.role, it.reason) for it in call.changed(c.DropWraps)] == [(KeyRole.TRAINING, "hold")]
    assert not call.did(f.StopRecorder)
    assert call.status.headline is Headline.RECORDING
    assert Reason.DISPUTE_CONTROLLER in call.reasons


def test_locked_is_only_said_when_the_store_has_confirmed_it() -> None:
    call = Call("N7").hear()
    call.store_answers = False
    call.dispute()
    assert call.status.hold is not None
    assert call.status.hold.phase is HoldPhase.LOCKING
    call(*(e.Committed(it.ticket) for it in call.did(c.Commit)))
    assert call.status.hold.phase is HoldPhase.LOCKED


def test_pressed_twice_it_is_the_same_hold() -> None:
    call = held("N7", CONTROLLER)
    assert call.dispute(PARTY).last == ()


def test_a_segment_begun_while_held_has_no_training_wrap() -> None:
    call = held("N7", CONTROLLER)(e.HoldSignalled(True), e.HoldSignalled(False))
    assert [(it.purposes, it.withheld) for it in call.changed(c.OpenSegment)] == [((DOC,), (TRAIN,))]


def test_before_the_first_sample_it_is_armed_and_takes_effect_with_it() -> None:
    call = Call("N7").answer()
    assert call.status.dispute.kind == DisputeKind.ARM
    call.dispute()
    assert call.status.hold is not None
    assert call.status.hold.phase is HoldPhase.ARMED
    assert not call.changed(c.PlaceHold)
    call(e.NoticeHeard())
    assert [it.recording for it in call.changed(c.PlaceHold)] == ["c-1"]
    assert call.status.hold.phase is HoldPhase.LOCKED


def test_a_call_that_ends_unrecorded_voids_an_armed_hold_and_logs_it() -> None:
    call = Call("N7").answer().dispute()(e.NoticeFailed(), e.CallEnded())
    assert ("hold_void", "G10") in call.entries
    assert call.status.hold is not None
    assert call.status.hold.phase is HoldPhase.VOID
    assert not call.ever_changed(c.PlaceHold)


def test_with_nothing_kept_and_nothing_to_come_the_button_is_off_and_says_why() -> None:
    call = Call("N4").hear().opt_out()
    assert (call.status.dispute.kind, call.status.dispute.enabled) == (DisputeKind.NONE, False)
    assert call.status.dispute.why_not == "nothing_kept"
    assert call.dispute(PARTY).last == ()


def test_a_dispute_can_be_raised_at_wrap_up() -> None:
    call = Call("N7").hear()(e.CallEnded()).dispute()
    assert call.changed(c.PlaceHold)
    assert call.reasons[0] is Reason.DISPUTE_CONTROLLER


def test_a_hold_reaches_every_recording_of_the_call() -> None:
    call = Call("N1 obligation").hear()(e.NotUnderstood(), e.NoticeAgain(), e.NoticeHeard())
    assert call.status.recordings == ("c-1", "c-2")
    call.dispute()
    assert [it.recording for it in call.changed(c.PlaceHold)] == ["c-1", "c-2"]


def test_a_hold_reaches_a_recording_that_begins_later() -> None:
    call = held("N4", PARTY).opt_out()(e.PartyAsksForRecording(Call("N4").scene.decision), e.NoticeHeard())
    assert [it.recording for it in call.changed(c.PlaceHold)] == ["c-2"]


# --- a hold and an opt-out, in every order -------------------------------------------------------------


def test_a_hold_stands_beside_what_an_opt_out_leaves() -> None:
    call = held("N7", CONTROLLER).opt_out()
    assert not call.changed(c.Discard)
    assert not call.changed(c.Restrict)
    assert not call.changed(c.LiftHold)
    assert call.recorded == {DOC}
    assert not call.status.choices


@pytest.mark.parametrize("ways", [("N3", "2"), ("N4",), ("N2", "1")])
def test_a_hold_raised_by_the_party_leaves_a_choice_and_only_custody_opens_it_meanwhile(ways: tuple[str, ...]) -> None:
    name, *yes = ways
    call = held(name, PARTY, *yes).opt_out()
    assert [it.reason for it in call.changed(c.Restrict)] == ["hold_only"]
    assert not call.changed(c.Discard)
    (choice,) = call.status.choices
    assert (choice.id, choice.options, choice.default) == ("kept_for_complaint", ("keep", "delete"), "keep")
    assert call.status.kept
    assert Reason.HOLD_ONLY in call.reasons


def test_the_party_keeps_it_for_the_complaint_when_nobody_chooses() -> None:
    call = held("N3", PARTY, "2").opt_out()(e.CallEnded(), e.WrapUpEnded())
    assert ("kept_for_complaint", "G10") in call.entries
    assert call.status.kept
    assert not call.ever_changed(c.Discard)


@pytest.mark.rule("G04")
@pytest.mark.parametrize("when", ["in the call", "at wrap-up"])
def test_the_party_may_have_it_deleted_in_spite_of_its_own_hold(when: str) -> None:
    call = held("N3", PARTY, "2").opt_out()
    if when == "at wrap-up":
        call(e.CallEnded())
    call(e.Chosen("kept_for_complaint", "delete"))
    assert call.changed(c.LiftHold)
    assert call.changed(c.Discard)
    assert not call.status.kept
    assert not call.status.choices


@pytest.mark.parametrize("how", ["opt-out", "withdrawal"])
def test_our_hold_with_documentation_among_its_purposes_is_provisional(how: str) -> None:
    call = held("N2", CONTROLLER, "1")
    if how == "opt-out":
        call.opt_out()
    else:
        call(e.Withdrawn(DOC))
    (changed,) = call.changed(c.ChangeHold)
    assert changed.provisional_until == call.now.utc + call.scene.terms.hold_after_refusal
    assert [it.reason for it in call.changed(c.Restrict)] == ["hold_only"]
    assert not call.status.choices
    assert call.status.kept


@pytest.mark.rule("G31")
@pytest.mark.parametrize("ways", [("N3", "2"), ("N4",)])
def test_our_hold_on_training_alone_does_not_stand_against_an_opt_out(ways: tuple[str, ...]) -> None:
    name, *yes = ways
    call = held(name, CONTROLLER, *yes).opt_out()
    assert call.changed(c.LiftHold)
    assert call.changed(c.Discard)
    assert not call.status.kept
    assert call.status.hold is None


def test_after_an_opt_out_took_the_last_purpose_there_is_nothing_to_hold() -> None:
    call = Call("N3").hear().say_yes("2").opt_out()
    assert call.changed(c.Discard)
    assert call.dispute(PARTY).last == ()


def test_after_an_opt_out_that_left_documentation_a_dispute_locks_it() -> None:
    call = Call("N7").hear().opt_out().dispute(CONTROLLER)
    assert [it.recording for it in call.changed(c.PlaceHold)] == ["c-1"]


def test_an_opt_out_at_wrap_up_is_held_against_a_hold_in_the_same_way() -> None:
    kept = held("N3", PARTY, "2")(e.CallEnded()).opt_out()
    assert not kept.changed(c.Discard)
    gone = held("N3", CONTROLLER, "2")(e.CallEnded()).opt_out()
    assert gone.changed(c.Discard)


# --- who asks for it -------------------------------------------------------------------------------------


def test_who_asks_for_it_can_be_changed_until_the_call_ends() -> None:
    call = held("N7", CONTROLLER)
    (choice,) = call.status.choices
    assert (choice.id, choice.default, choice.chosen) == ("dispute_by", "controller", "controller")
    call(e.Chosen("dispute_by", "party"))
    assert [it.by for it in call.changed(c.ChangeHold)] == [PARTY]
    call(e.CallEnded())
    assert not call.status.choices
    assert call(e.Chosen("dispute_by", "controller")).last == ()


def test_who_asked_for_it_cannot_be_changed_after_an_opt_out() -> None:
    call = held("N7", CONTROLLER).opt_out()
    assert call(e.Chosen("dispute_by", "party")).last == ()


# --- undone -----------------------------------------------------------------------------------------------


def test_an_own_hold_for_us_can_be_undone_within_its_minute() -> None:
    call = held("N7", CONTROLLER)
    assert call.did(f.StartTimer) == [f.StartTimer(e.Timer.UNDO, 60.0)]
    assert (call.status.dispute.kind, call.status.dispute.until) == (DisputeKind.UNDO, call.state.holds[0].undo_until)
    call(e.DisputeUndone("anna"))
    assert [it.restore_training for it in call.changed(c.LiftHold)] == [True]
    assert call.status.hold is None


def test_an_undone_hold_does_not_bring_training_back_after_it_was_declined() -> None:
    call = held("N7", CONTROLLER).opt_out()(e.DisputeUndone("anna"))
    assert [it.restore_training for it in call.changed(c.LiftHold)] == [False]


@pytest.mark.parametrize("how", ["by another", "too late", "the party's", "nothing else keeps it"])
def test_a_hold_cannot_be_undone(how: str) -> None:
    call = held("N2", PARTY if how == "the party's" else CONTROLLER, "1")
    if how == "too late":
        call(UNDO)
    if how == "nothing else keeps it":
        call.opt_out()
    call(e.DisputeUndone("bo" if how == "by another" else "anna"))
    assert not call.ever_changed(c.LiftHold)
    assert call.status.hold is not None


def test_the_hold_stands_until_its_undoing_is_written_and_when_that_fails() -> None:
    call = held("N7", CONTROLLER)
    call.store_answers = False
    call(e.DisputeUndone("anna"))
    (commit,) = call.did(c.Commit)
    assert call.status.hold is not None
    call(e.CommitFailed(commit.ticket, Reason.STORAGE_FAILED))
    assert call.status.hold is not None


def test_custody_learns_by_when_to_confirm_a_hold() -> None:
    (hold,) = Call("N1", hold_unconfirmed=NOW.utc - NOW.utc).hear().dispute().changed(c.PlaceHold)
    assert hold.confirm_by == hold.at


@pytest.mark.rule("G31")
def test_a_second_hold_keeps_training_out_though_undoing_the_first_is_on_its_way() -> None:
    call = held("N7", CONTROLLER)
    call.store_answers = False
    call(e.DisputeUndone("anna"))
    (undone,) = [it.ticket for it in call.did(c.Commit) if any(isinstance(x, c.LiftHold) for x in it.changes)]
    call(e.DisputeRaised(PARTY, "bo"))
    assert [(it.role, it.reason) for it in call.changed(c.DropWraps)] == [(KeyRole.TRAINING, "hold")]
    call(e.Committed(undone))
    assert Reason.DISPUTE_PARTY in call.reasons


@pytest.mark.rule("G10")
def test_while_a_lock_keeps_training_out_the_status_does_not_let_the_agent_believe_it_is_used() -> None:
    call = Call("N7").hear()
    assert "held_from_training" not in call.status.notes
    call.dispute()
    assert call.recorded == {DOC, TRAIN}
    assert "held_from_training" in call.status.notes
    call(e.DisputeUndone("anna"))
    assert "held_from_training" not in call.status.notes
    assert "held_from_training" not in Call("N1").hear().dispute().status.notes


def test_what_no_refusal_has_ended_is_not_deleted_while_our_own_hold_stands() -> None:
    call = Call("N4").hear().dispute()(e.DisputeRaised(PARTY, "bo")).press("*9")
    call(e.PartyAsksForRecording(call.scene.decision), e.NoticeHeard(), e.NotUnderstood())
    call(e.Chosen("kept_for_complaint", "delete"))
    assert [it.recording for it in call.changed(c.Discard)] == ["c-1"]
    assert call.status.recordings == ("c-1", "c-2")
    assert call.status.kept
    assert call.status.hold is not None


@pytest.mark.rule("G31")
def test_a_press_to_delete_does_not_open_to_training_what_the_same_hold_kept_out_of_a_later_recording() -> None:
    call = held("N4", PARTY).opt_out()
    call(e.PartyAsksForRecording(call.scene.decision), e.NoticeHeard(), e.FirstSample("c-2", 0))
    assert [it.recording for it in call.ever_changed(c.PlaceHold)] == ["c-1", "c-2"]
    call(e.Chosen("kept_for_complaint", "delete"))
    assert [it.recording for it in call.changed(c.Discard)] == ["c-1"]
    assert not any(it.restore_training for it in call.changed(c.LiftHold))


@pytest.mark.rule("G10")
@pytest.mark.rule("G04")
@pytest.mark.parametrize(
    ("name", "by", "yes", "stays"),
    [
        ("N4", None, "", None),
        ("N4", CONTROLLER, "", None),
        ("N4", PARTY, "", Stays.FOR_THE_COMPLAINT),
        ("N3", PARTY, "2", Stays.FOR_THE_COMPLAINT),
        ("N2", None, "1", None),
        ("N2", CONTROLLER, "1", Stays.FOR_CUSTODY),
        ("N2", PARTY, "1", Stays.FOR_THE_COMPLAINT),
    ],
)
@pytest.mark.parametrize("over", [False, True])
def test_what_the_button_says_will_stay_is_what_stays(
    name: str, by: HoldBy | None, yes: str, stays: Stays | None, over: bool
) -> None:
    call = held(name, by, *yes) if by else Call(name).hear()
    if not by:
        for digit in yes:
            call.say_yes(digit)
    if over:
        call(e.CallEnded())
    assert call.status.opt_out.kind == OptOutKind.STOP_AND_DELETE
    assert call.status.opt_out.stays == stays
    call(e.OptedOut(OptOutKind.STOP_AND_DELETE))
    assert call.status.kept is (stays is not None)
    asked = [choice.id for choice in call.status.choices] == ["kept_for_complaint"]
    assert asked is (stays is Stays.FOR_THE_COMPLAINT)
