"""A notice's text as it is shown and as it is spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.domain.decision import NoticeId
from softphone.domain.notice import NoticeText, Piece, asks
from softphone.domain.purpose import Language, Purpose

TEXT = NoticeText(
    Language.EN,
    (
        Piece("Recorded. See ", "Recorded. See "),
        Piece("a.dk/x", "a dot d k, slash x"),
        Piece(". Press 1.", ". Press 1."),
    ),
    essentials=9,
    informed=21,
    question=22,
)


def test_a_page_is_shown_in_one_way_and_spoken_in_another() -> None:
    assert TEXT.shown == "Recorded. See a.dk/x. Press 1."
    assert TEXT.spoken == "Recorded. See a dot d k, slash x. Press 1."
    assert TEXT.whole


def test_a_word_that_is_spoken_is_found_where_it_is_shown() -> None:
    at = TEXT.spoken.index("See")
    assert (TEXT.shown_at(at), TEXT.shown_at(at + 3, end=True)) == (10, 13)
    slash = TEXT.spoken.index("slash")
    assert TEXT.shown[TEXT.shown_at(slash) : TEXT.shown_at(slash + 5, end=True)] == "a.dk/x"
    press = TEXT.spoken.index("Press")
    assert TEXT.shown[TEXT.shown_at(press) :] == "Press 1."
    assert TEXT.spoken[TEXT.spoken_at(TEXT.question or 0) :] == "Press 1."


@given(
    st.lists(
        st.tuples(st.text("ab .", min_size=1), st.text("cd ,", min_size=1), st.booleans()), min_size=1, max_size=6
    ),
    st.data(),
)
def test_offsets_stay_within_the_text_and_in_order(parts: list[tuple[str, str, bool]], data: st.DataObject) -> None:
    pieces = tuple(Piece(shown, shown if same else spoken) for shown, spoken, same in parts)
    text = NoticeText(Language.DA, pieces, 1, 1, None)
    first = data.draw(st.integers(0, len(text.spoken)))
    second = data.draw(st.integers(first, len(text.spoken)))
    start, end = text.shown_at(first), text.shown_at(second, end=True)
    assert 0 <= start <= len(text.shown)
    assert 0 <= end <= len(text.shown)
    if first < second:
        assert start <= end


@pytest.mark.parametrize("marks", [(0, 21, 22), (9, 8, 22), (9, 23, 22), (9, 21, 99), (9, 31, None)])
def test_marks_outside_the_text_or_out_of_order_make_it_no_notice(marks: tuple[int, int, int | None]) -> None:
    assert not NoticeText(Language.EN, TEXT.pieces, *marks).whole


@pytest.mark.rule("G03")
def test_a_notice_asks_for_the_purposes_on_consent_alone() -> None:
    assert asks(NoticeId.N3) == (Purpose.TRAINING,)
    assert asks(NoticeId.N2_N3) == (Purpose.DOCUMENTATION, Purpose.TRAINING)
    assert [asks(notice) for notice in (NoticeId.N1, NoticeId.N4, NoticeId.N5, NoticeId.N7, NoticeId.N8, None)] == [
        ()
    ] * 6


def test_reading_takes_as_long_as_its_words() -> None:
    words = NoticeText(Language.EN, (Piece("word " * 160, "word " * 160),), 1, 1, None)
    assert words.reading_time == pytest.approx(60)
