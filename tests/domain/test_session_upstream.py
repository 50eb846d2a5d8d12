"""What the party was told before it came to us, and in which language it is told."""

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Headline, Language, Reason
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import DOC, TRAIN


@pytest.mark.rule("G05")
def test_an_exchange_that_vouches_for_all_of_it_spares_the_party_the_notice() -> None:
    call = Call("N1")(e.UpstreamVouched(NoticeId.N1), e.Answered())
    assert call.recorded == {DOC}
    assert not [it for it in call.log if isinstance(it, f.PlayNotice)]
    assert call.status.notice is not None
    assert call.status.notice.how == "upstream"


@pytest.mark.rule("G05")
def test_what_an_exchange_does_not_cover_is_played() -> None:
    call = Call("N7")(e.UpstreamVouched(NoticeId.N1), e.Answered())
    assert call.did(f.PlayNotice)
    assert call.recorded == set()


def test_an_exchange_that_vouches_late_cuts_the_notice() -> None:
    call = Call("N1").answer()(e.UpstreamVouched(NoticeId.N1))
    assert f.StopNotice() in call.last
    assert call.recorded == {DOC}


@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    ("told", "decided"),
    [("N1", "N7"), ("N4", "N3"), ("N3", "N4"), ("N5", "N4"), ("N4", "N5"), ("N8", "N7"), ("N7", "N6"), ("N3", "N6")],
)
def test_a_notice_that_treats_training_in_another_way_does_not_cover_it(told: str, decided: str) -> None:
    call = Call(decided)(e.UpstreamVouched(NoticeId(told)), e.Answered())
    assert call.did(f.PlayNotice)
    assert call.recorded == set()


@pytest.mark.rule("G05")
@pytest.mark.parametrize(("told", "decided"), [("N7", "N1"), ("N6", "N1"), ("N7", "N4"), ("N2+N4", "N4"), ("N8", "N5")])
def test_a_notice_that_says_more_covers_what_it_says_in_the_same_way(told: str, decided: str) -> None:
    call = Call(decided)(e.UpstreamVouched(NoticeId(told)), e.Answered())
    assert not call.did(f.PlayNotice)
    assert call.recorded == set(call.scene.bases)


@pytest.mark.rule("G03")
def test_the_keys_that_an_exchange_reports_stand_in_the_log() -> None:
    call = Call("N3")(e.UpstreamVouched(NoticeId.N3, "1"), e.Answered())
    assert [it["keys"] for it in call.noted("upstream_vouched")] == ["1"]
    assert Call("N1")(e.UpstreamVouched(NoticeId.N1)).noted("upstream_vouched")[0]["keys"] is None


@pytest.mark.rule("G03")
def test_a_key_that_an_exchange_reports_counts_as_pressed_at_the_question() -> None:
    assert Call("N3")(e.UpstreamVouched(NoticeId.N3, "1"), e.Answered()).recorded == {TRAIN}


@pytest.mark.rule("G03")
@pytest.mark.parametrize("keys", ["", "7", "2", "17"])
def test_no_other_key_that_an_exchange_reports_is_a_yes(keys: str) -> None:
    call = Call("N3")(e.UpstreamVouched(NoticeId.N3, keys), e.Answered())
    assert call.status.headline is Headline.ASKED


@pytest.mark.rule("G03")
def test_a_key_pressed_upstream_answers_the_question_that_was_asked_there() -> None:
    assert Call("N3")(e.UpstreamVouched(NoticeId.N2_N3, "2"), e.Answered()).recorded == {TRAIN}
    assert Call("N3")(e.UpstreamVouched(NoticeId.N2_N3, "1"), e.Answered()).recorded == set()


@pytest.mark.rule("G31")
def test_opt_out_keys_that_an_exchange_reports_are_an_opt_out() -> None:
    call = Call("N7")(e.UpstreamVouched(NoticeId.N7, "*9"), e.Answered())
    assert call.status.purposes[TRAIN].reason is Reason.DECLINED_BY_KEY


@pytest.mark.rule("G31")
def test_opt_out_keys_bind_even_if_the_exchange_s_notice_covers_nothing() -> None:
    call = Call("N4")(e.UpstreamVouched(NoticeId.N1, "*9"), e.Answered())
    assert call.status.purposes[TRAIN].reason is Reason.DECLINED_BY_KEY
    assert Call("N4").hear()(e.UpstreamVouched(NoticeId.N4, "*9")).recorded == set()


@pytest.mark.rule("G03")
def test_opt_out_keys_that_an_exchange_reports_are_no_yes_however_they_begin() -> None:
    call = Call("N6", opt_out_key="1*")(e.UpstreamVouched(NoticeId.N6, "1*"), e.Answered())
    assert call.recorded == {DOC}
    assert call.status.purposes[TRAIN].reason is Reason.DECLINED_BY_KEY


@pytest.mark.rule("G05")
def test_an_exchange_speaks_for_nobody_who_joined_since() -> None:
    call = Call("N7")(e.UpstreamVouched(NoticeId.N1)).answer()(e.NewPerson(), e.UpstreamVouched(NoticeId.N7))
    assert call.recorded == set()
    assert call(e.NoticeAgain(), e.NoticeHeard()).recorded == {DOC, TRAIN}


@pytest.mark.rule("G05")
def test_what_an_unlisted_exchange_claims_is_noted_and_changes_nothing() -> None:
    call = Call("N1")
    before = call.status
    call(e.UpstreamIgnored())
    assert call.entries == [("upstream_ignored", "G05")]
    assert call.status == before
    assert call(e.Answered()).did(f.PlayNotice)


# --- in which language -------------------------------------------------------------------------------------


def _with_language_key(name: str) -> Call:
    return Call(name, language_key="8", other_language=Language.EN)


@pytest.mark.rule("G05")
def test_the_language_key_begins_the_notice_anew_in_the_other_language_and_is_remembered() -> None:
    call = _with_language_key("N3").answer()(e.NoticeReached(e.Mark.QUESTION)).press("2").press("8")
    assert f.StopNotice() in call.last
    assert call.did(f.PlayNotice) == [f.PlayNotice(NoticeId.N3, Language.EN)]
    assert [it.language for it in call.changed(c.RememberLanguage)] == [Language.EN]
    assert ("language_chosen", "G05") in call.entries
    call(e.NoticeHeard())
    assert call.recorded == set()
    assert call.status.headline is Headline.ASKED


def test_the_language_key_pressed_again_leads_back() -> None:
    call = _with_language_key("N1").answer().press("88")
    played = [it.language for it in call.log if isinstance(it, f.PlayNotice)]
    assert played == [Language.DA, Language.EN, Language.DA]


def test_after_the_notice_and_without_one_the_language_key_is_like_any_other() -> None:
    call = _with_language_key("N3").hear().press("8")
    assert not call.did(f.PlayNotice)
    assert not call.ever_changed(c.RememberLanguage)
    assert not Call("N1").answer().press("8").did(f.PlayNotice)


@pytest.mark.rule("G31")
def test_the_opt_out_keys_are_matched_before_the_language_key() -> None:
    call = Call("N4", language_key="9", other_language=Language.EN).answer().press("*9")
    assert call.status.purposes[TRAIN].reason is Reason.DECLINED_BY_KEY
    assert not call.ever_changed(c.RememberLanguage)


def test_a_language_that_the_agent_chooses_is_remembered_and_the_same_one_is_not() -> None:
    call = Call("N7").answer()(e.NoticeFailed(), e.NoticeAgain(read=True, language=Language.EN))
    assert [it.language for it in call.changed(c.RememberLanguage)] == [Language.EN]
    assert not Call("N7").answer()(e.NoticeFailed(), e.NoticeAgain(language=Language.DA)).changed(c.RememberLanguage)
