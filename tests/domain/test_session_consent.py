"""Questions and answers: the rows on consent keys, time, and asking again (G03)."""

import pytest

from softphone.calls.commands import NOT_NOW, to_event
from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Headline, KeyRole, Language, Reason
from softphone.domain.status import Action, PurposePhase
from softphone.wire.to_engine import Act
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import DOC, TRAIN

START = f.StartRecorder
SETTLES, ANSWER = e.TimedOut(e.Timer.KEY_SETTLES), e.TimedOut(e.Timer.ANSWER)
QUESTION = e.NoticeReached(e.Mark.QUESTION)


@pytest.mark.rule("G03")
def test_a_key_is_a_yes_once_it_has_stood_alone_for_a_second_and_a_half() -> None:
    call = Call("N3").hear().press("2")
    assert call.did(f.StartTimer) == [f.StartTimer(e.Timer.KEY_SETTLES, 1.5)]
    assert call.recorded == set()
    call.wait(1.5)(SETTLES)
    assert call.recorded == {TRAIN}
    assert call.status.purposes[TRAIN].at == call.now.utc
    assert ("consent_given", "G03") in call.entries


@pytest.mark.rule("G03")
@pytest.mark.parametrize("digits", ["1", "5", "0", "#", "*", "9", "15"])
def test_any_other_key_is_not_a_yes(digits: str) -> None:
    call = Call("N3").hear().press(digits).wait(1.5)(SETTLES)
    assert not [it for it in call.log if isinstance(it, START)]


@pytest.mark.rule("G03")
def test_a_further_digit_shows_that_the_key_was_part_of_a_number() -> None:
    call = Call("N3").hear().press("27").wait(1.5)(SETTLES)
    assert call.recorded == set()
    assert call.status.headline is Headline.ASKED


@pytest.mark.rule("G03")
def test_keys_of_questions_open_together_do_not_cancel_each_other() -> None:
    call = Call("N2+N3").hear().press("1").wait(1.0).press("2").wait(0.5)(SETTLES)
    assert call.recorded == {DOC}
    assert [(it.timer, it.seconds) for it in call.did(f.StartTimer)] == [(e.Timer.KEY_SETTLES, pytest.approx(1.0))]
    call.wait(1.0)(SETTLES)
    assert call.recorded == {DOC, TRAIN}


@pytest.mark.rule("G03")
def test_a_yes_to_one_purpose_is_not_a_yes_to_the_other() -> None:
    call = Call("N2+N3").hear().say_yes("1")
    assert call.recorded == {DOC}
    assert call.status.purposes[TRAIN].phase is PurposePhase.ASKED


def test_a_key_before_the_question_is_nothing_and_the_question_is_asked() -> None:
    call = Call("N3").answer().press("2").wait(1.5)(SETTLES, QUESTION, e.NoticeHeard())
    assert call.recorded == set()
    assert call.status.headline is Headline.ASKED


def test_a_key_from_the_start_of_the_question_is_remembered_and_the_question_does_not_stop() -> None:
    call = Call("N3").answer()(QUESTION).press("2").wait(1.5)(SETTLES)
    assert call.recorded == set()
    assert f.StopNotice() not in call.log
    call(e.NoticeHeard())
    assert call.recorded == {TRAIN}


def test_a_key_in_a_notice_that_breaks_off_is_forgotten() -> None:
    call = (
        Call("N3").answer()(QUESTION).press("2").wait(1.5)(SETTLES, e.NoticeFailed(), e.NoticeAgain(), e.NoticeHeard())
    )
    assert call.recorded == set()


def test_in_time_is_pressed_in_time() -> None:
    call = Call("N3").hear().wait(7.9).press("2").wait(0.1)(ANSWER)
    assert call.status.headline is Headline.ASKED
    call.wait(1.4)(SETTLES)
    assert call.recorded == {TRAIN}


def test_a_key_that_was_pressed_in_time_counts_though_it_comes_in_a_moment_later() -> None:
    call = Call("N3").hear()
    assert f.StartTimer(e.Timer.ANSWER, 8.3) in call.log
    pressed = call.wait(7.9).mono
    call.wait(0.35)(e.DigitPressed("2", pressed)).wait(0.05)(ANSWER)
    assert call.status.headline is Headline.ASKED
    call.wait(1.1)(SETTLES)
    assert call.recorded == {TRAIN}


def test_a_key_pressed_late_does_not_count_even_if_it_arrives_with_timely_ones() -> None:
    call = Call("N3", repeat=0).hear().wait(8.1).press("2").wait(0.2)(ANSWER, SETTLES)
    assert call.recorded == set()
    assert call.reasons[0] is Reason.NO_ANSWER


def test_a_key_pressed_after_its_time_is_too_late() -> None:
    call = Call("N3").hear().wait(8.1)
    call(e.DigitPressed("2", call.mono), SETTLES, ANSWER)
    assert call.recorded == set()
    assert call.reasons[0] is Reason.NO_ANSWER


def test_a_late_key_that_was_no_answer_ends_the_question() -> None:
    call = Call("N3").hear().wait(7.9).press("2").wait(0.1)(ANSWER).press("4")
    assert call.reasons[0] is Reason.NO_ANSWER


@pytest.mark.parametrize("name", ["N2", "N3", "N2+N3", "N6"])
@pytest.mark.rule("G03")
def test_silence_is_never_a_yes(name: str) -> None:
    call = Call(name, repeat=0).hear().wait(8)(ANSWER)
    asked = [p for p, basis in call.scene.bases.items() if basis == "consent"]
    assert all(call.status.purposes[p].phase is PurposePhase.ENDED for p in asked)
    assert all(call.status.purposes[p].reason is Reason.NO_ANSWER for p in asked)
    assert call.recorded.isdisjoint(asked)


def test_the_question_is_repeated_once_and_the_whole_notice_is_not() -> None:
    call = Call("N2").hear().wait(8)(ANSWER)
    assert call.did(f.PlayNotice) == [f.PlayNotice(NoticeId.N2, Language.DA, question_only=True)]
    call(e.NoticeHeard())
    assert f.StartTimer(e.Timer.ANSWER, 8.3) in call.last
    call.wait(8)(ANSWER)
    assert not call.did(f.PlayNotice)
    assert call.reasons[0] is Reason.NO_ANSWER


def test_a_key_in_the_repeated_question_counts_when_it_has_been_heard() -> None:
    call = Call("N2").hear().wait(8)(ANSWER).press("1").wait(1.5)(SETTLES)
    assert call.recorded == set()
    assert call(e.NoticeHeard()).recorded == {DOC}


def test_the_question_is_never_repeated_over_a_conversation_that_is_recorded() -> None:
    call = Call("N6").hear().wait(8)(ANSWER)
    assert not call.did(f.PlayNotice)
    assert call.status.purposes[TRAIN].reason is Reason.NO_ANSWER
    assert call.recorded == {DOC}


def test_what_got_no_answer_can_be_asked_once_more_with_one_press() -> None:
    call = Call("N3").hear().wait(8)(ANSWER)
    assert "ask_again" in call.status.actions
    call(e.AskedAgain())
    assert call.did(f.PlayNotice)[0].question_only
    call(e.NoticeHeard(), ANSWER)
    assert "ask_again" not in call.status.actions
    call(e.AskedAgain())
    assert call.last == ()


@pytest.mark.rule("G05")
@pytest.mark.parametrize("joins", [e.NewPerson(), e.IdentityChanged()], ids=["joins", "put through"])
def test_who_joins_after_no_answer_is_not_recorded_by_the_question_alone(joins: e.Event) -> None:
    call = Call("N3").hear().wait(8)(ANSWER)(joins)
    assert Reason.NOT_TOLD in call.reasons
    assert "ask_again" not in call.status.actions
    assert "new_person" not in call.status.actions
    assert call(e.AskedAgain()).say_yes("2").recorded == set()
    # The party wants a recording after all: everybody hears the whole notice, and is asked.
    call(e.PartyAsksForRecording(call.state.decision))
    (notice,) = call.did(f.PlayNotice)
    assert (notice.question_only, notice.newcomer) == (False, False)
    assert call.recorded == set()
    assert call(e.NoticeHeard()).say_yes("2").recorded == {TRAIN}


def test_asking_again_in_a_recorded_conversation_plays_nothing() -> None:
    call = Call("N6").hear()(ANSWER, e.AskedAgain())
    assert not call.did(f.PlayNotice)
    assert call.say_yes("2").recorded == {DOC, TRAIN}


def test_a_held_call_stops_the_clock_and_it_starts_again_afterwards() -> None:
    call = Call("N3").hear()(e.HoldSignalled(True))
    assert f.StopTimer(e.Timer.ANSWER) in call.last
    call(ANSWER)
    assert call.status.purposes[TRAIN].phase is PurposePhase.ASKED
    call(e.HoldSignalled(False))
    assert f.StartTimer(e.Timer.ANSWER, 8.3) in call.last


@pytest.mark.parametrize("pause", [e.HoldSignalled(True), e.SensitivePaused(), e.AgentMediaChanged(False)])
def test_a_key_while_held_or_paused_is_not_an_answer(pause: e.Event) -> None:
    call = Call("N3").hear()(pause).press("2").wait(1.5)(SETTLES)
    assert call.status.purposes[TRAIN].phase is PurposePhase.ASKED


def test_while_digits_are_wanted_none_is_an_answer() -> None:
    call = Call("N3").hear()(e.DigitsWanted(True)).press("2").wait(1.5)(SETTLES)
    assert call.status.headline is Headline.ASKED
    call(e.DigitsWanted(False))
    assert call.say_yes("2").recorded == {TRAIN}


def test_digits_wanted_also_takes_back_a_key_that_has_not_settled() -> None:
    call = Call("N3").hear().press("2")(e.DigitsWanted(True)).wait(1.5)(SETTLES)
    assert call.recorded == set()


def test_a_spoken_yes_after_a_played_notice_counts_where_the_policy_allows_it() -> None:
    assert Call("N3").hear()(e.SpokenAnswer(TRAIN, yes=True)).recorded == {TRAIN}
    assert Call("N3", spoken_consent=False).hear()(e.SpokenAnswer(TRAIN, yes=True)).recorded == set()


@pytest.mark.rule("G03")
def test_what_was_asked_and_in_which_language_stands_in_the_log() -> None:
    call = Call("N3", language_key="8", other_language=Language.EN).answer().press("8")
    notices = [(it["notice"], it["language"], it["how"]) for it in call.noted("notice_begun")]
    assert notices == [("N3", "da", "play"), ("N3", "en", "play")]
    call(e.NoticeHeard()).say_yes("2")(e.NewPerson())
    assert call.noted("notice_begun")[-1] == {"notice": NoticeId.N3, "language": Language.EN, "how": "read"}


def test_a_spoken_no_ends_the_question() -> None:
    call = Call("N3").hear()(e.SpokenAnswer(TRAIN, yes=False))
    assert call.reasons[0] is Reason.DECLINED_BY_VOICE
    assert call.say_yes("2").recorded == set()


# --- to use, and to record -----------------------------------------------------------------------------


def test_a_yes_to_use_covers_the_recording_from_its_start() -> None:
    call = Call("N6").hear()(e.SensitivePaused(), e.Resumed()).say_yes("2")
    assert call.changed(c.AddWraps) == [c.AddWraps("c-1", TRAIN, (0, 1))]
    assert [it.purposes for it in call.changed(c.OpenSegment)] == [(DOC, TRAIN)]
    assert call.recorded == {DOC, TRAIN}


def test_the_keys_stay_in_memory_only_while_such_a_yes_may_still_come() -> None:
    call = Call("N6").hear()
    assert f.ForgetKeys("c-1") not in call.log
    call(ANSWER)
    assert f.ForgetKeys("c-1") not in call.log
    call(e.AskedAgain(), ANSWER)
    assert f.ForgetKeys("c-1") in call.last
    assert f.ForgetKeys("c-1") in Call("N6").hear().opt_out().last
    assert f.ForgetKeys("c-1") in Call("N1").hear()(e.CallEnded(), e.WrapUpEnded()).log


def test_a_yes_to_record_covers_what_follows_it() -> None:
    call = Call("N2+N3").hear().say_yes("1").say_yes("2")
    assert not call.ever_changed(c.AddWraps)
    assert [it.purposes for it in call.ever_changed(c.OpenSegment)] == [(DOC,), (DOC, TRAIN)]


def test_a_wider_set_takes_over_without_a_gap() -> None:
    call = Call("N6").hear()
    call.store_answers = False
    call.say_yes("2")
    assert not call.did(f.StopRecorder)
    opening = [it.ticket for it in call.did(c.Commit) if any(isinstance(x, c.OpenSegment) for x in it.changes)]
    call(e.Committed(opening[0]))
    assert call.last[:1] == (f.StopRecorder("c-1", 0, hold_frames=True),)
    assert call.did(START) == [START("c-1", 1)]


def test_a_yes_to_use_while_a_hold_stands_makes_no_wrap_until_it_is_lifted() -> None:
    call = Call("N6").hear().dispute().say_yes("2")
    assert [it.withheld for it in call.changed(c.AddWraps)] == [True]
    assert [(it.purposes, it.withheld) for it in call.changed(c.OpenSegment)] == [((DOC,), (TRAIN,))]


@pytest.mark.rule("G04")
def test_a_no_that_crosses_a_yes_to_use_still_ends_the_purpose_in_the_store() -> None:
    call = Call("N6").hear().dispute()
    call.store_answers = False
    call.say_yes("2")
    assert call.changed(c.AddWraps)
    call(e.Withdrawn(TRAIN))
    assert [it.role for it in call.changed(c.DropWraps)] == [KeyRole.TRAINING]


def _tone(digit: str, *, sure: bool = True) -> e.DigitPressed:
    return e.DigitPressed(digit, 0.0, in_sound=True, sure=sure)


@pytest.mark.rule("G03")
def test_a_key_in_the_sound_is_no_yes_until_the_agent_says_that_it_was_one() -> None:
    """Speech can sound like a key: talk-off would forge a consent."""
    call = Call("N3", spoken_consent=False).hear()
    call(_tone("2", sure=False)).wait(2.0)(SETTLES)
    assert "said_yes" not in call.status.actions, "speech beside it"
    call(e.SpokenAnswer(TRAIN, yes=True))
    assert call.recorded == set()
    call(_tone("5"), _tone("2"), _tone("2")).wait(2.0)(SETTLES)
    assert call.recorded == set()
    assert len(call.noted("tone_heard")) == 1
    assert "said_yes" in call.status.actions
    call(e.SpokenAnswer(TRAIN, yes=True))
    assert call.recorded == {TRAIN}
    assert call.noted("consent_given")[0]["how"] == "tone, confirmed by the agent"


@pytest.mark.rule("G03")
def test_of_two_questions_only_the_one_whose_key_was_heard_can_be_confirmed() -> None:
    call = Call("N2+N3", spoken_consent=False).hear()(_tone("2"))
    assert call.status.yes_by_agent == (TRAIN,)
    version = call.status.version
    for purpose, answer in ((DOC, NOT_NOW), (TRAIN, e.SpokenAnswer(TRAIN, yes=True))):
        press = Act("1", "c", version, Action.SAID_YES, purpose)
        assert to_event(press, call.status, "anna") == answer


@pytest.mark.rule("G31")
def test_a_key_in_the_sound_refuses_whether_it_is_sure_or_not() -> None:
    call = Call("N3").hear().say_yes("2")
    assert call.recorded == {TRAIN}
    for digit in call.scene.terms.opt_out_key:
        call(_tone(digit, sure=False))
    assert call.recorded == set()
