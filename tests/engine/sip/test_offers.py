"""One offer at a time, with all that is wanted by then."""

from __future__ import annotations

from softphone.engine.sip.offers import SENT_LIMIT, Offers, Wish, pause_after_glare


def test_nothing_is_offered_while_nothing_new_is_wanted() -> None:
    assert Offers().next(0.0) is None


def test_a_second_wish_waits_for_the_first_answer_and_then_says_everything() -> None:
    offers = Offers(wanted=Wish(record="on"))
    first = offers.next(0.0)
    assert first == Wish(record="on")
    offers.begin(Wish(record="on"), 0.0)
    offers.wanted = Wish(held=True, record="off")
    assert offers.next(1.0) is None
    offers.accepted()
    assert offers.next(1.0) == Wish(held=True, record="off")


def test_after_glare_the_same_wish_is_offered_again() -> None:
    offers = Offers(wanted=Wish(held=True))
    offers.begin(Wish(held=True), 0.0)
    offers.collided()
    assert offers.next(0.1) == Wish(held=True)


def test_a_refused_wish_is_given_up_and_a_newer_one_is_not() -> None:
    offers = Offers(wanted=Wish(held=True))
    offers.begin(Wish(held=True), 0.0)
    offers.refused()
    assert offers.next(0.1) is None
    offers.wanted = Wish(record="on")
    offers.begin(Wish(record="on"), 0.2)
    offers.wanted = Wish(record="off")
    offers.refused()
    assert offers.next(0.3) == Wish(record="off")


def test_an_offer_that_is_never_answered_is_given_up_after_sips_own_time_out() -> None:
    offers = Offers(wanted=Wish(held=True))
    offers.begin(Wish(held=True), 0.0)
    assert offers.next(SENT_LIMIT - 0.1) is None
    assert offers.next(SENT_LIMIT + 0.1) == Wish(held=True)


def test_the_pause_after_glare_is_longer_for_the_side_that_called() -> None:
    assert [pause_after_glare(True, float), pause_after_glare(True, lambda: 1.0)] == [2.1, 4.0]
    assert [pause_after_glare(False, float), pause_after_glare(False, lambda: 1.0)] == [0.0, 2.0]


def test_a_wish_says_only_what_was_wished_in_the_sdp() -> None:
    assert Wish().attributes() == ()
    assert Wish(record="off", preference=True).attributes() == ("record:off", "recordpref:on")
    assert Wish(record="paused").attributes() == ("record:paused",)
