"""Which calls are in the sample: an exact share in every block, in an order nobody can foresee; and when it is enough."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from softphone.domain.sampling import (
    LONGEST,
    SampleRun,
    block_length,
    free_place,
    is_drawn,
    reviewers_have_enough,
    use,
)

SEED = bytes(range(32))
SEEDS = some.binary(min_size=32, max_size=32)
SHARES = some.integers(0, 1_000_000).map(lambda millionths: Fraction(millionths, 1_000_000))
"""every share that a policy can name: hundredths of a percent's hundredths"""
EVEN = some.sampled_from(
    [Fraction(1, 10), Fraction(1, 40), Fraction(1, 3), Fraction(3, 4), Fraction(1, 2), Fraction(7, 8)]
)


def answered(run: SampleRun, calls: int) -> tuple[SampleRun, list[bool]]:
    """So many calls, one after the other: whether each was drawn."""
    drawn: list[bool] = []
    for _ in range(calls):
        place = free_place(run)
        drawn.append(is_drawn(run, place))
        run = use(run, place)
    return run, drawn


def blocks(seed: bytes, share: Fraction, count: int) -> Iterator[list[bool]]:
    run = SampleRun(seed, share)
    for _ in range(count):
        run, drawn = answered(run, block_length(seed, share, run.block))
        yield drawn


# --- the share -------------------------------------------------------------------------------------


@pytest.mark.rule("G34")
@pytest.mark.parametrize(
    ("percent", "of"), [("10", 10), ("2.5", 40), ("50", 2), ("75", 4), ("100", 1), ("0", 1), ("0.1", 1000)]
)
def test_every_block_holds_its_exact_share(percent: str, of: int) -> None:
    share = Fraction(percent) / 100
    for drawn in blocks(SEED, share, 40):
        assert len(drawn) % of == 0
        assert len(drawn) <= min(3 * of, LONGEST)
        assert sum(drawn) == len(drawn) * share


@pytest.mark.rule("G34")
@settings(max_examples=30, deadline=None)
@given(SEEDS, SHARES)
def test_any_share_is_held_to_a_call_at_the_end_of_every_block(seed: bytes, share: Fraction) -> None:
    calls = hits = 0
    for drawn in blocks(seed, share, 6):
        calls, hits = calls + len(drawn), hits + sum(drawn)
        assert len(drawn) <= LONGEST
        assert floor(calls * share) <= hits <= ceil(calls * share)


@pytest.mark.rule("G34")
def test_an_awkward_share_carries_what_is_left_over_to_the_next_block() -> None:
    share = Fraction(123_457, 1_000_000)
    calls, drawn = 0, list(blocks(SEED, share, 60))
    for number, block in enumerate(drawn, 1):
        calls += len(block)
        hits = sum(sum(one) for one in drawn[:number])
        assert hits in (floor(calls * share), ceil(calls * share))
    assert {sum(block) * 100 // len(block) for block in drawn} == {12, 13}


@pytest.mark.rule("G34")
def test_none_are_drawn_at_nought_and_all_at_a_hundred_percent() -> None:
    assert not any(answered(SampleRun(SEED, Fraction(0)), 500)[1])
    assert all(answered(SampleRun(SEED, Fraction(1)), 500)[1])


# --- places ----------------------------------------------------------------------------------------


@pytest.mark.rule("G34")
@settings(max_examples=80, deadline=None)
@given(SEEDS, EVEN, some.randoms(use_true_random=False))
def test_calls_at_once_that_are_answered_or_not_in_any_order_leave_the_share_exact(
    seed: bytes, share: Fraction, chance: random.Random
) -> None:
    run = SampleRun(seed, share)
    ringing: list[tuple[int, bool]] = []
    used: dict[int, bool] = {}
    for _ in range(150):
        if len(ringing) < 4 and chance.random() < 0.5:
            place = free_place(run, [held for held, _ in ringing])
            assert place not in used
            assert place not in [held for held, _ in ringing]
            ringing.append((place, is_drawn(run, place)))
        elif ringing:
            place, drawn = ringing.pop(chance.randrange(len(ringing)))
            if chance.random() < 0.6:
                run = use(use(run, place), place)
                used[place] = drawn
            else:
                assert is_drawn(run, place) == drawn
    assert run.next + len(run.taken) == len(used)
    assert all(place in used for place in range(run.next))
    whole = [used[place] for place in range(run.start)]
    assert sum(whole) == run.start * share
    # What was drawn while others were still ringing is what the run says of it in order.
    assert whole == answered(SampleRun(seed, share), run.start)[1]


def test_a_place_given_back_is_the_next_call_s_and_keeps_its_lot() -> None:
    run = SampleRun(SEED, Fraction(1, 2))
    first = free_place(run)
    second = free_place(run, [first])
    lot = is_drawn(run, first)
    run = use(run, second)
    assert free_place(run) == first
    assert is_drawn(run, first) == lot
    assert free_place(use(run, first)) == second + 1


def test_a_run_that_is_put_down_and_taken_up_goes_on_the_same() -> None:
    run, _ = answered(SampleRun(SEED, Fraction(1, 10)), 37)
    again = SampleRun(run.seed, Fraction(str(run.share)), run.block, run.start, run.next, frozenset(run.taken))
    assert answered(again, 200)[1] == answered(SampleRun(SEED, Fraction(1, 10)), 237)[1][37:]


# --- nobody can foresee it -------------------------------------------------------------------------


@pytest.mark.rule("G34")
def test_another_seed_gives_another_order() -> None:
    orders = {tuple(answered(SampleRun(bytes([n]) * 32, Fraction(1, 2)), 64)[1]) for n in range(200)}
    assert len(orders) == 200


@pytest.mark.rule("G34")
def test_the_seed_is_in_nothing_that_is_printed() -> None:
    assert SEED.hex() not in repr(SampleRun(SEED, Fraction(1, 2)))
    assert str(SEED) not in repr(SampleRun(SEED, Fraction(1, 2)))


@pytest.mark.rule("G34")
def test_every_place_of_a_block_is_drawn_as_often_as_any_other() -> None:
    """Chi-square over 3,000 seeds: 19 degrees of freedom, 43.8 would be passed once in a thousand times."""
    share, length = Fraction(1, 10), 20
    seeds = [n.to_bytes(32) for n in range(20_000)]
    those = [seed for seed in seeds if block_length(seed, share, 0) == length][:3_000]
    places = Counter(
        place for seed in those for place, drawn in enumerate(answered(SampleRun(seed, share), length)[1]) if drawn
    )
    expected = len(those) * share
    assert len(those) == 3_000
    assert sum(float((places[place] - expected) ** 2 / expected) for place in range(length)) < 43.8


@pytest.mark.rule("G34")
def test_a_block_s_last_place_is_not_known_from_those_before_it() -> None:
    """Blocks of one length would give away the tenth call after nine that were not drawn. Here it is drawn now and then,
    and so is the one after a drawn one."""
    after_nine: list[bool] = []
    for n in range(3_000):
        drawn = answered(SampleRun(n.to_bytes(32), Fraction(1, 10)), 10)[1]
        if not any(drawn[:9]):
            after_nine.append(drawn[9])
    assert len(after_nine) > 300
    assert 0.1 < sum(after_nine) / len(after_nine) < 0.6
    _, drawn = answered(SampleRun(SEED, Fraction(1, 10)), 5_000)
    assert (True, True) in pairwise(drawn)


@pytest.mark.rule("G34")
@settings(max_examples=30, deadline=None)
@given(SEEDS, some.integers(10_000, 990_000).map(lambda millionths: Fraction(millionths, 1_000_000)))
def test_one_agent_s_calls_tell_nothing_of_another_s(seed: bytes, share: Fraction) -> None:
    """Two runs under one share: as many agreements as two coins of that share have, within five deviations."""
    other = bytes(255 - byte for byte in seed)
    ours, theirs = (answered(SampleRun(one, share), 600)[1] for one in (seed, other))
    agree = sum(one == two for one, two in zip(ours, theirs, strict=True))
    chance = float(share**2 + (1 - share) ** 2)
    assert abs(agree - 600 * chance) <= 5 * (600 * chance * (1 - chance)) ** 0.5 + 2


# --- enough for the reviewers ----------------------------------------------------------------------


@pytest.mark.rule("G33")
@pytest.mark.parametrize(
    ("waiting", "new", "capacity", "enough"),
    [
        ([], 90, None, False),
        ([1] * 500, 90, None, False),
        ([], 90, 1, False),
        ([7] * 4, 7, 5, False),
        ([7] * 5, 7, 5, True),
        ([90] * 63, 90, 5, False),
        ([90] * 64, 90, 5, True),
        # one that is at its last day does not stop the sample, two that cannot both be done do
        ([1], 90, 5, False),
        ([1, 1], 90, 5, True),
        # a retention made shorter: those that are kept longer come later
        ([90] * 20, 7, 5, False),
        ([7] * 4 + [90] * 62, 7, 5, True),
        # not even the one would be done
        ([], 3, 2, True),
    ],
)
def test_one_more_is_recorded_exactly_when_it_can_be_reviewed_before_it_expires(
    waiting: list[int], new: int, capacity: int | None, enough: bool
) -> None:
    assert reviewers_have_enough(Counter(waiting), new, capacity) is enough
    assert reviewers_have_enough(Counter(reversed(waiting)), new, capacity) is enough


@pytest.mark.rule("G33")
@given(some.lists(some.integers(1, 120), max_size=60), some.integers(1, 120), some.integers(1, 50))
def test_fewer_that_wait_or_more_who_review_never_stop_a_sample(waiting: list[int], new: int, capacity: int) -> None:
    if not reviewers_have_enough(Counter(waiting), new, capacity):
        assert not reviewers_have_enough(Counter(waiting), new, capacity + 1)
        fewer = [Counter(waiting[:n] + waiting[n + 1 :]) for n in range(len(waiting))]
        assert not any(reviewers_have_enough(less, new, capacity) for less in fewer)
        assert (sum(days <= new for days in waiting) + 1) * 7 <= capacity * new


@pytest.mark.rule("G33")
@settings(max_examples=40, deadline=None)
@given(some.integers(1, 40), some.integers(7, 100), some.randoms(use_true_random=False))
def test_what_is_let_in_is_reviewed_in_time_by_reviewers_who_keep_their_pace(
    capacity: int, kept: int, chance: random.Random
) -> None:
    waiting: list[int] = []
    for day in range(200):
        waiting = [expires for expires in waiting if expires > day] if day else waiting
        for _ in range(chance.choice([0, 1, capacity, 3 * capacity])):
            days = Counter(expires - day for expires in waiting)
            if not reviewers_have_enough(days, kept, capacity):
                waiting.append(day + kept)
        assert len(waiting) * 7 <= capacity * kept
        done = capacity * (day + 1) // 7 - capacity * day // 7
        waiting = waiting[done:]
        assert all(expires > day + 1 for expires in waiting)
