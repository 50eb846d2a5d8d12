"""Which of a line's calls are its training sample: blocks with a set number of drawn places, in an order that nobody can
foresee; and when the reviewers have enough (G33, G34).

Pure. Seeds, counts and days come from outside; where a run is kept, and who holds a place while it rings, is the archive's.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import ceil

LONGEST = 1_000
"""places of the longest block"""
_SHORTEST_UNEVEN = 100
"""of a share that comes out even in no such block"""
_MOST_TIMES = 3
_WEEK = 7
_SIDES = 1 << 64


@dataclass(frozen=True, slots=True)
class SampleRun:
    """The answered calls of one line and one agent under one share. A changed share is a new run, with a seed of its own.

    Each call takes a place, counted from 0. `taken` are those used up beyond `next`, before which all are: calls that ring at
    once are answered in any order, or not at all.
    """

    seed: bytes = field(repr=False)
    """secret, random: who has it knows what is to come"""
    share: Fraction
    """0 to 1"""
    block: int = 0
    """the earliest that has a free place"""
    start: int = 0
    """its first place"""
    next: int = 0
    taken: frozenset[int] = frozenset()


def free_place(run: SampleRun, held: Collection[int] = ()) -> int:
    """The first place that is neither used up nor held by another call."""
    place = run.next
    while place in run.taken or place in held:
        place += 1
    return place


def is_drawn(run: SampleRun, place: int) -> bool:
    """Whether the call that takes this place is in the sample. It must be a free one: the run knows no block that is full."""
    block, start = run.block, run.start
    while place >= (end := start + block_length(run.seed, run.share, block)):
        block, start = block + 1, end
    return place - start in _drawn_in(run.seed, run.share, block, start)


def use(run: SampleRun, place: int) -> SampleRun:
    """The run after the call with this place was answered. A place used up already changes nothing."""
    if place < run.next or place in run.taken:
        return run
    block, start, following, taken = run.block, run.start, run.next, {*run.taken, place}
    while following in taken:
        taken.remove(following)
        following += 1
    while following >= (end := start + block_length(run.seed, run.share, block)):
        block, start = block + 1, end
    return replace(run, block=block, start=start, next=following, taken=frozenset(taken))


@lru_cache(maxsize=1024)
def block_length(seed: bytes, share: Fraction, block: int) -> int:
    """How many places a block has: once, twice or three times the fewest in which the share comes out even (10 %: 1 in 10,
    2 in 20, 3 in 30), by the seed. With blocks of one length, their last places would be known when the others are.

    A share that comes out even in no block of bearable length has some of a rounder number; what is left over is carried on.
    """
    even = share.denominator
    if even > LONGEST:
        even = min(LONGEST, max(_SHORTEST_UNEVEN, 2 * ceil(1 / share)))
    times = min(_MOST_TIMES, LONGEST // even)
    return even * (1 + _number(seed, "length", block) % times)


def drawn_of(seed: bytes, share: Fraction, places: int) -> int:
    """How many of a run's first `places` are drawn, where a block ends there: their share, an uneven one rounded up or down
    by the seed once for the whole run."""
    return int(places * share + Fraction(_number(seed, "carry"), _SIDES))


@lru_cache(maxsize=256)
def _drawn_in(seed: bytes, share: Fraction, block: int, start: int) -> frozenset[int]:
    length = block_length(seed, share, block)
    count = drawn_of(seed, share, start + length) - drawn_of(seed, share, start)
    order = sorted(range(length), key=lambda place: _number(seed, "order", block, place))
    return frozenset(order[:count])


def _number(seed: bytes, what: str, *of: int) -> int:
    """An even number in [0, 2**64), by HMAC-SHA256."""
    text = " ".join((what, *map(str, of)))
    return int.from_bytes(hmac.digest(seed, text.encode("ascii"), "sha256")[:8])


def reviewers_have_enough(waiting: Mapping[int, int], new: int, capacity: int | None) -> bool:
    """Whether one more recording would make more than the reviewers can review before it expires (G33).

    `waiting`: how many that are not reviewed expire in so many days, today counted. `new`: the days of the one to come.
    `capacity`: how many they review in a week, None for no limit. The new one must fit in what its days allow; to those that
    wait a begun one is granted, or the last day of each would stop the sample.
    """
    if capacity is None:
        return False
    ahead = 1 + sum(count for days, count in waiting.items() if days <= new)
    if ahead * _WEEK > capacity * new:
        return True
    number = 0
    for days in sorted(waiting):
        number += waiting[days]
        if number + (days > new) > ceil(Fraction(capacity * days, _WEEK)):
            return True
    return False


class Verdict(StrEnum):
    """What became of a sample says this of its size (G33, G34)."""

    FITS = "fits"
    TOO_MANY = "too_many"
    """not all that waits can be reviewed before it expires"""
    UNSEEN = "unseen"
    """some was recorded, and expired before anybody reviewed it: the sample is larger than what is used"""
    UNREVIEWED = "unreviewed"
    """some waits, and it is neither said nor seen how many are reviewed in a week"""
    NONE = "none"
    """nothing: no sample, or none of it waits and nobody has said how many would be too many"""


def judge_sample(
    drawn: int, waiting: Mapping[int, int], expired_unseen: int, capacity: int | None, pace: Fraction | None
) -> Verdict:
    """`waiting`: how many that are not reviewed expire in so many days, today counted. `capacity`: how many the reviewers say
    they review in a week, `pace`: how many they do; the better of them counts, since who is done with all is not slow.
    """
    a_week = max((Fraction(one) for one in (capacity, pace) if one is not None), default=None)
    if a_week is not None and not _can_be_reviewed(waiting, a_week):
        return Verdict.TOO_MANY
    if expired_unseen:
        return Verdict.UNSEEN
    waits = any(waiting.values())
    if a_week is None:
        return Verdict.UNREVIEWED if waits else Verdict.NONE
    return Verdict.FITS if drawn or waits else Verdict.NONE


def _can_be_reviewed(waiting: Mapping[int, int], a_week: Fraction) -> bool:
    """All before its day comes, the soonest first; a begun one is granted."""
    number = 0
    for days in sorted(waiting):
        number += waiting[days]
        if number > ceil(a_week * days / _WEEK):
            return False
    return True
