"""What became of a sample says whether its size is right (G33, G34): a table, and that all waits in time exactly when it fits."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from softphone.domain.sampling import Verdict, judge_sample

FITS, TOO_MANY, UNSEEN, NONE = Verdict.FITS, Verdict.TOO_MANY, Verdict.UNSEEN, Verdict.NONE
UNREVIEWED = Verdict.UNREVIEWED
HALF = Fraction(1, 2)


@pytest.mark.rule("G33")
@pytest.mark.rule("G34")
@pytest.mark.parametrize(
    ("drawn", "waiting", "expired_unseen", "capacity", "pace", "verdict"),
    [
        # Nothing is sampled, or none of it has come to be reviewed.
        (0, {}, 0, None, None, NONE),
        (0, {}, 0, 20, Fraction(3), NONE),
        (12, {}, 0, None, None, NONE),
        (12, {30: 0}, 0, None, None, NONE),
        # Some waits, and nobody knows how many are reviewed.
        (40, {30: 35}, 0, None, None, UNREVIEWED),
        (0, {30: 5}, 0, None, None, UNREVIEWED),
        (12, {30: 5}, 2, None, None, UNSEEN),
        # All of it can be reviewed: at the capacity, or at the pace that is seen.
        (12, {}, 0, 20, None, FITS),
        (120, {55: 46}, 0, 20, None, FITS),
        (120, {55: 46}, 0, None, Fraction(20), FITS),
        (0, {7: 1}, 0, 1, None, FITS),
        # Who has had little to do is not slow, and who does more than was said can do more.
        (12, {14: 4}, 0, 2, HALF, FITS),
        (12, {14: 4}, 0, 1, Fraction(2), FITS),
        # The last day of each is granted a whole one.
        (12, {1: 1}, 0, 1, None, FITS),
        (12, {1: 2}, 0, 1, None, TOO_MANY),
        # A pile that is too high; also where only its soonest part is.
        (12, {14: 5}, 0, 2, None, TOO_MANY),
        (12, {3: 3, 90: 1}, 0, 2, Fraction(1), TOO_MANY),
        (12, {7: 3, 14: 2}, 0, 2, HALF, TOO_MANY),
        (12, {90: 400}, 0, None, Fraction(20), TOO_MANY),
        (12, {30: 1}, 0, None, Fraction(0), TOO_MANY),
        # Some was never used: the pile to come weighs more than what has been.
        (12, {}, 1, 20, None, UNSEEN),
        (0, {}, 3, None, None, UNSEEN),
        (12, {90: 2}, 1, None, Fraction(5), UNSEEN),
        (12, {14: 5}, 4, 2, None, TOO_MANY),
    ],
)
def test_what_became_of_a_sample_says_whether_it_fits(
    drawn: int,
    waiting: Mapping[int, int],
    expired_unseen: int,
    capacity: int | None,
    pace: Fraction | None,
    verdict: Verdict,
) -> None:
    assert judge_sample(drawn, waiting, expired_unseen, capacity, pace) is verdict


@pytest.mark.rule("G33")
@given(some.dictionaries(some.integers(1, 90), some.integers(1, 30), max_size=8), some.integers(1, 40))
def test_it_fits_exactly_when_reviewers_who_take_the_soonest_first_lose_none(
    waiting: Mapping[int, int], a_day: int
) -> None:
    # So many a day, so that days need no rounding.
    pile, lost = sorted(days for days, count in waiting.items() for _ in range(count)), False
    for day in range(1, 91):
        done, pile = pile[:a_day], pile[a_day:]
        lost = lost or any(days < day for days in done) or any(days <= day for days in pile)
    verdict = judge_sample(1, waiting, 0, 7 * a_day, None)
    assert verdict is (TOO_MANY if lost else FITS)
