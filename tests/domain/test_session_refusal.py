"""No, in all its ways: opt-out, objection, grounds, withdrawal, kept out, private, and what the party may ask for afterwards."""

from dataclasses import replace

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Headline, KeyRole, Reason
from softphone.domain.status import OptOutKind, PurposePhase
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import DOC, SCENES, TRAIN

START, STOP = f.StartRecorder, f.StopRecorder


@pytest.mark.rule("G31")
def test_opt_out_of_training_ends_it_at_once_and_documentation_goes_on_without_a_gap() -> None:
    call = Call("N7").hear()
    call.store_answers = False
    call.opt_out()
    assert call.last[0] == STOP("c-1", 0, hold_frames=True)
    assert [it.role for it in call.changed(c.DropWraps)] == [KeyRole.TRAINING]
    assert [(it.segment, it.purposes) for it in call.changed(c.OpenSegment)] == [(1, (DOC,))]
    assert call.recorded == {DOC}
    assert call.status.headline is Headline.RECORDING
    call(*(e.Committed(it.ticket) for it in call.did(c.Commit)))
    assert [it for it in call.log if isinstance(it, START)][-1] == START("c-1", 1)
    assert not [it for it in call.log if isinstance(it, f.DropFrames)]


def test_frames_held_for_documentation_are_forgotten_when_it_ends_too() -> None:
    call = Call("N7").hear()
    call.store_answers = False
    call.opt_out()(e.HoldSignalled(True))
    assert f.DropFrames("c-1") in call.last


@pytest.mark.rule("G31")
def test_opt_out_where_training_is_all_there_is_stops_and_deletes() -> None:
    call = Call("N4").hear()
    assert call.status.opt_out.kind == OptOutKind.STOP_AND_DELETE
    call.opt_out()
    assert call.last[0] == STOP("c-1", 0)
    assert [it.recording for it in call.changed(c.Discard)] == ["c-1"]
    assert call.changed(c.RememberRefusal)
    assert not call.status.kept
    assert call.status.headline is Headline.NOT_RECORDING
    assert call.reasons[0] is Reason.DECLINED_BY_VOICE


@pytest.mark.rule("N4")
def test_where_the_policy_calls_back_the_party_is_put_on_the_list() -> None:
    call = Call("N4 call back").hear()
    assert call.status.opt_out.kind == OptOutKind.CALL_BACK
    call.opt_out()
    assert call.changed(c.ListCallBack)
    assert call.changed(c.Discard)
    assert Reason.CALL_BACK in call.reasons


@pytest.mark.rule("N4")
def test_who_is_to_be_called_back_at_a_withheld_number_is_listed_and_asked_for_it_in_time() -> None:
    known, withheld = (Call(replace(SCENES["N4 call back"], withheld=it)).hear().opt_out() for it in (False, True))
    assert known.status.notes == ("call_back_listed",)
    assert withheld.status.notes == ("call_back_listed", "ask_for_number")
    assert withheld.changed(c.ListCallBack)
    assert withheld(e.CallEnded()).status.notes == ("call_back_listed",)


@pytest.mark.parametrize("press", ["button", "keys", "sip"])
def test_opt_out_during_the_notice_lets_it_play_on_for_documentation(press: str) -> None:
    call = Call("N7 obligation").answer()
    _refuse(call, press)
    assert f.StopNotice() not in call.last
    call(e.NoticeHeard())
    assert call.recorded == {DOC}


@pytest.mark.parametrize("press", ["button", "keys", "sip"])
def test_opt_out_during_the_notice_stops_it_where_nothing_is_left(press: str) -> None:
    call = Call("N4").answer()
    _refuse(call, press)
    assert call.last[0] == f.StopNotice()
    assert f.SetMicrophone(True) in call.last
    assert call(e.NoticeHeard()).recorded == set()


def test_opt_out_before_the_notice_counts_too() -> None:
    call = Call("N4")(e.PreferenceSignalled(False), e.Answered())
    assert call.reasons[0] is Reason.DECLINED_BY_SIP
    assert not [it for it in call.log if isinstance(it, f.PlayNotice)]


def _refuse(call: Call, how: str) -> None:
    if how == "button":
        call.opt_out()
    elif how == "keys":
        call.press("*9")
    else:
        call(e.PreferenceSignalled(False))


REASON = {"keys": Reason.DECLINED_BY_KEY, "sip": Reason.DECLINED_BY_SIP}


@pytest.mark.parametrize("how", ["keys", "sip"])
def test_a_refusal_of_unclear_scope_ends_all_that_can_be_ended(how: str) -> None:
    call = Call("N2+N3").hear().say_yes("1")
    _refuse(call, how)
    assert [call.status.purposes[p].reason for p in (DOC, TRAIN)] == [Reason.WITHDRAWN, REASON[how]]
    assert call.changed(c.Discard)


@pytest.mark.parametrize(("name", "how"), [("N1", "keys"), ("N1", "sip"), ("N7", "sip"), ("N8", "keys")])
@pytest.mark.rule("G23")
def test_a_refusal_of_unclear_scope_is_an_objection_to_documentation_on_interest(name: str, how: str) -> None:
    call = Call(name, objection_stops=True).hear()
    _refuse(call, how)
    assert [it.reason for it in call.changed(c.Restrict)] == ["objection"]
    assert Reason.OBJECTION in call.reasons


@pytest.mark.rule("G31")
@pytest.mark.parametrize("name", ["N6", "N7", "N7 obligation", "N6 obligation"])
@pytest.mark.parametrize("when", ["before the notice", "in it", "after it"])
def test_the_keys_refuse_what_the_notice_ties_them_to_and_documentation_is_not_objected_to(
    name: str, when: str
) -> None:
    call = Call(name)
    if when == "before the notice":
        call(e.UpstreamIgnored(), e.Answered()).press("*9")(e.NoticeHeard())
    elif when == "in it":
        call.answer().press("*9")(e.NoticeHeard())
    else:
        call.hear().press("*9")
    assert call.status.purposes[TRAIN].reason is Reason.DECLINED_BY_KEY
    assert call.recorded == {DOC}
    assert not call.ever_changed(c.Restrict)
    assert not {"objection_received", "request_noted"} & set(call.status.notes)
    assert call.ever_changed(c.RememberRefusal)
    assert call.press("*9").last == (), "pressed again it says no more"


@pytest.mark.rule("G31")
@pytest.mark.rule("G03")
def test_the_keys_leave_a_yes_to_documentation_and_its_question_where_a_notice_ties_them_to_training() -> None:
    call = Call("N2+N4").hear().press("*9")
    assert "said_yes" in call.status.actions, "documentation is asked for still"
    assert call.say_yes("1").recorded == {DOC}
    call = Call("N2+N4").hear().say_yes("1").press("*9")
    assert call.recorded == {DOC}
    assert not call.ever_changed(c.Discard)


@pytest.mark.rule("G31")
@pytest.mark.parametrize(("after", "refused"), [(1.0, True), (1800.0, False)])
def test_a_key_that_begins_the_opt_out_is_forgotten_when_no_other_follows(after: float, refused: bool) -> None:
    call = Call("N4").hear().press("*").wait(after).press("9")
    assert (call.status.purposes[TRAIN].phase is PurposePhase.ENDED) is refused
    assert call.press("*9").status.purposes[TRAIN].phase is PurposePhase.ENDED, "pressed together they always count"


@pytest.mark.rule("G23")
@pytest.mark.parametrize(
    ("name", "asks"), [("N7", ["training_ends", "objection"]), ("N2+N4", ["training_ends", "stop_and_delete"])]
)
def test_a_button_that_now_goes_further_than_the_press_before_it_says_so(name: str, asks: list[str]) -> None:
    call = Call(name).hear().say_yes("1")
    first = call.status.opt_out
    second = call.opt_out().status.opt_out
    assert [first.kind, second.kind] == asks
    assert [first.asks, second.asks] == [False, True]
    assert not Call("N1").hear().status.opt_out.asks, "nothing was pressed before"


def test_a_refusal_of_unclear_scope_is_noted_where_the_law_requires_the_recording() -> None:
    call = Call("N1 obligation").hear().press("*9")
    assert ("request_noted", "G23") in call.entries
    assert call.changed(c.RememberRefusal), "no other call is in a sample, and the calls before this one leave theirs"
    assert call.recorded == {DOC}
    assert "request_noted" in call.status.notes


def test_a_signal_that_recording_is_welcome_is_not_a_yes() -> None:
    call = Call("N3").hear()(e.PreferenceSignalled(True))
    assert call.last == ()
    assert call.recorded == set()


def test_opt_out_keys_are_matched_first() -> None:
    call = Call("N3", opt_out_key="22").hear().press("22").wait(1.5)(e.TimedOut(e.Timer.KEY_SETTLES))
    assert call.reasons[0] is Reason.DECLINED_BY_KEY


def test_a_stale_press_of_the_button_does_nothing() -> None:
    call = Call("N7").hear().opt_out()
    call(e.OptedOut(OptOutKind.TRAINING_ENDS))
    assert call.last == ()
    assert call.recorded == {DOC}


# --- objection --------------------------------------------------------------------------------------


@pytest.mark.rule("G23")
def test_an_objection_pauses_where_the_policy_stops_and_only_custody_opens_what_there_is() -> None:
    call = Call("N1").hear()
    assert call.status.opt_out.kind == OptOutKind.OBJECTION
    call.opt_out()
    assert call.did(STOP) == [STOP("c-1", 0)]
    assert [(it.recording, it.reason) for it in call.changed(c.Restrict)] == [("c-1", "objection")]
    assert call.status.headline is Headline.PAUSED
    assert call.reasons[0] is Reason.OBJECTION
    assert call.status.kept


@pytest.mark.rule("G23")
def test_an_objection_goes_on_where_the_policy_says_so_and_only_custody_can_open_it() -> None:
    call = Call("N1 goes on").hear()(e.Objected())
    assert not call.did(STOP)
    assert call.changed(c.Restrict)
    assert call.status.headline is Headline.RECORDING
    assert Reason.CASE_OPEN in call.reasons
    call(e.HoldSignalled(True), e.HoldSignalled(False))
    assert [(it.purposes, it.withheld) for it in call.changed(c.OpenSegment)] == [((), (DOC,))]


def test_an_objection_before_recording_restricts_what_is_recorded_later() -> None:
    call = Call("N1 goes on").answer()(e.Objected(), e.NoticeHeard())
    assert call.recorded == {DOC}
    assert [(it.purposes, it.withheld) for it in call.changed(c.OpenSegment)] == [((), (DOC,))]
    assert call.changed(c.Restrict)


def test_an_objection_ends_training() -> None:
    call = Call("N7", objection_stops=False).hear()(e.Objected())
    assert call.status.purposes[TRAIN].phase is PurposePhase.ENDED
    assert len(call.changed(c.RememberRefusal)) == 1
    assert call.recorded == {DOC}


def test_an_objection_where_the_law_requires_the_recording_is_noted_and_goes_on() -> None:
    call = Call("N1 obligation").hear()
    assert call.status.opt_out.kind == OptOutKind.NOTE_REQUEST
    call.opt_out()
    assert not call.did(STOP)
    assert ("request_noted", "G23") in call.entries
    assert call.status.opt_out.enabled is False


def test_an_objection_to_what_is_kept_can_be_made_at_wrap_up() -> None:
    call = Call("N1").hear()(e.CallEnded(), e.Objected())
    assert [it.reason for it in call.changed(c.Restrict)] == ["objection"]


# --- special circumstances ----------------------------------------------------------------------------


@pytest.mark.rule("G32")
def test_grounds_given_stop_training_and_leave_the_rest_to_custody() -> None:
    call = Call("N5").hear()
    assert call.status.opt_out.kind == OptOutKind.GROUNDS
    call.opt_out()
    assert call.did(STOP)
    assert [it.reason for it in call.changed(c.Restrict)] == ["grounds_given"]
    assert not call.changed(c.Discard)
    assert call.reasons[0] is Reason.GROUNDS_GIVEN
    assert Reason.CASE_OPEN in call.reasons
    assert call.changed(c.RememberRefusal)


@pytest.mark.rule("G32")
def test_grounds_given_leave_documentation_as_it_is() -> None:
    call = Call("N8").hear().opt_out()
    assert call.did(STOP)[0].hold_frames
    assert [it.role for it in call.changed(c.DropWraps)] == [KeyRole.TRAINING]
    assert not call.changed(c.Restrict)
    assert call.recorded == {DOC}


@pytest.mark.rule("G32")
@pytest.mark.parametrize("how", ["note", "keys"])
def test_without_grounds_it_is_noted_and_goes_on(how: str) -> None:
    call = Call("N5").hear()
    if how == "note":
        call(e.OptedOut(OptOutKind.NOTE_REQUEST))
    else:
        call.press("*9")
    assert ("request_noted", "G32") in call.entries
    assert call.recorded == {TRAIN}


# --- withdrawal, kept out -----------------------------------------------------------------------------


@pytest.mark.rule("G04")
@pytest.mark.parametrize("when", ["in the call", "at wrap-up"])
def test_a_withdrawn_consent_deletes_what_it_alone_kept(when: str) -> None:
    call = Call("N3").hear().say_yes("2")
    if when == "at wrap-up":
        call(e.CallEnded())
    assert "withdraw_training" in call.status.actions
    call(e.Withdrawn(TRAIN))
    assert call.changed(c.Discard)
    assert call.status.purposes[TRAIN].reason is Reason.WITHDRAWN
    assert ("recording_discarded", "G04") in call.entries


@pytest.mark.rule("G04")
def test_a_withdrawn_consent_ends_its_purpose_in_all_segments() -> None:
    call = Call("N6").hear().say_yes("2")(e.Withdrawn(TRAIN))
    assert [it.role for it in call.changed(c.DropWraps)] == [KeyRole.TRAINING]
    assert call.recorded == {DOC}


def test_what_was_never_consented_to_cannot_be_withdrawn() -> None:
    assert Call("N7").hear()(e.Withdrawn(TRAIN)).last == ()
    assert Call("N3").hear()(e.Withdrawn(TRAIN)).last == ()


@pytest.mark.rule("G31")
@pytest.mark.rule("G33")
def test_the_agent_can_keep_a_call_out_of_training_without_the_party_having_asked() -> None:
    call = Call("N7").hear()(e.KeptOutOfTraining())
    assert call.recorded == {DOC}
    assert not call.changed(c.RememberRefusal)
    # What the party itself says to it counts for its later calls too, and once.
    assert call.press("*9").changed(c.RememberRefusal)
    assert not call.press("*9").changed(c.RememberRefusal)
    assert call.recorded == {DOC}
    assert call.status.purposes[TRAIN].reason is Reason.KEPT_OUT_OF_TRAINING


@pytest.mark.rule("G02")
@pytest.mark.rule("G23")
@pytest.mark.parametrize("before", [Reason.DECLINED_EARLIER, Reason.CALL_BACK])
def test_what_is_heard_late_ends_neither_a_yes_of_this_call_nor_what_the_law_obliges_to_record(before: Reason) -> None:
    late = e.RefusedBefore((DOC, TRAIN), before)
    assert Call("N2").hear().say_yes("1")(late).recorded == {DOC}
    assert Call("N2").hear()(late).say_yes("1").recorded == set()
    assert Call("N7 obligation").hear()(late).recorded == {DOC}
    held = Call("N1").hear()(e.DisputeRaised(HoldBy.PARTY, "anna"), late)
    assert not held.recorded
    assert [it.reason for it in held.changed(c.Restrict)] == ["hold_only"]
    assert not held.changed(c.RememberRefusal)
    assert not held.changed(c.Discard)
    gone = Call("N1").hear()(e.Objected(), late)
    assert gone.changed(c.Discard)
    assert gone(e.CallEnded()).reasons[0] is before, "no case is open of what is gone"


@pytest.mark.parametrize("how", [e.OptedOut(OptOutKind.SAID_NO), e.Withdrawn(TRAIN), e.KeptOutOfTraining()])
def test_no_key_revives_what_was_declined_withdrawn_or_kept_out(how: e.Event) -> None:
    call = Call("N3").hear()
    if not isinstance(how, e.OptedOut):
        call.say_yes("2")
    call(how)
    assert call.say_yes("2").recorded == set()
    assert call(e.AskedAgain()).last == ()
    assert "ask_again" not in call.status.actions


# --- a yes that is taken back ----------------------------------------------------------------------------

KEYS = tuple(e.DigitPressed(digit, 0.0) for digit in "*9")
BY = {
    "keys": KEYS,
    "SIP": (e.PreferenceSignalled(False),),
    "the button": (e.OptedOut(OptOutKind.STOP_AND_DELETE),),
    "the button, at wrap-up": (e.CallEnded(), e.OptedOut(OptOutKind.STOP_AND_DELETE)),
}


@pytest.mark.rule("G04")
@pytest.mark.parametrize("events", BY.values(), ids=BY)
@pytest.mark.parametrize(("name", "key"), [("N2", "1"), ("N3", "2")])
def test_however_a_yes_that_was_given_is_taken_back_it_is_a_withdrawal(
    name: str, key: str, events: tuple[e.Event, ...]
) -> None:
    call = Call(name).hear().say_yes(key)(*events)
    assert {("purpose_ended", "G04"), ("recording_discarded", "G04")} <= set(call.entries)
    assert [it.rule for it in call.status.reasons if it.reason is Reason.WITHDRAWN] == ["G04"]
    assert not [it for it in call.status.reasons if it.reason.value.startswith("declined_by")], "it is no mere no"


@pytest.mark.rule("G03")
def test_a_no_to_the_question_is_not_a_withdrawal_nor_is_a_newcomers() -> None:
    assert ("purpose_ended", "G03") in Call("N3").hear()(KEYS[0], KEYS[1]).entries
    call = Call("N3").hear().say_yes("2")(e.NewPerson(), e.TimedOut(e.Timer.READABLE), e.NoticeRead())
    call(e.SpokenAnswer(TRAIN, yes=False))
    assert ("purpose_ended", "G03") in call.entries
    assert call.status.kept


@pytest.mark.rule("G04")
def test_the_keys_take_back_what_others_have_said_yes_to_while_a_newcomer_is_asked() -> None:
    call = Call("N3").hear().say_yes("2")(e.NewPerson(), e.TimedOut(e.Timer.READABLE), e.NoticeRead(), *KEYS)
    assert {("purpose_ended", "G04"), ("recording_discarded", "G04")} <= set(call.entries)


# --- a new notice, and a private call ------------------------------------------------------------------


def test_what_the_party_asks_for_after_a_no_needs_a_new_notice_and_is_a_new_recording() -> None:
    call = Call("N4").hear().opt_out()
    assert "party_asks_for_recording" in call.status.actions
    call(e.PartyAsksForRecording(call.scene.decision))
    assert call.did(f.PlayNotice)
    assert call.recorded == set()
    call(e.NoticeHeard())
    assert call.recorded == {TRAIN}
    assert call.status.recordings == ("c-1", "c-2")


def test_a_call_outside_the_sample_is_not_recorded_because_somebody_asks() -> None:
    assert Call("none").hear()(e.PartyAsksForRecording(Call("N4").scene.decision)).last == ()


@pytest.mark.rule("G10")
@pytest.mark.rule("G23")
@pytest.mark.parametrize("name", ["N1", "N8"])
def test_a_case_keeps_nothing_a_private_call_is_gone_whatever_was_objected_to(name: str) -> None:
    call = Call(name, objection_stops=False).hear()
    call(e.OptedOut(OptOutKind.GROUNDS)) if name == "N8" else call(e.Objected())
    call(e.PrivateCall())
    assert [it.recording for it in call.changed(c.Discard)] == ["c-1"]
    assert not call.status.kept
    assert Reason.CASE_OPEN not in call.reasons


def test_a_private_call_stops_and_discards() -> None:
    call = Call("N7").hear()(e.PrivateCall())
    assert call.did(STOP)
    assert call.changed(c.Discard)
    assert call.reasons[0] is Reason.PRIVATE


def test_a_call_that_the_law_requires_recorded_cannot_be_made_private() -> None:
    call = Call("N7 obligation").hear()
    assert "private_call" not in call.status.actions
    assert call(e.PrivateCall()).last == ()


def test_what_is_held_stays_when_a_call_is_made_private_for_custody_alone() -> None:
    call = Call("N4").hear().dispute(HoldBy.CONTROLLER)(e.PrivateCall())
    assert not call.changed(c.Discard)
    assert [it.reason for it in call.changed(c.Restrict)] == ["hold_only"]
