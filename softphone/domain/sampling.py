"""Which of a line's calls are its training sample, and when the reviewers have enough (G33, G34).

Blocks with a set number of drawn places, in an order that nobody can foresee. Pure: seeds, counts and days come from
outside. The archive keeps a run, and knows which ringing calls hold its places.
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
"""for a share that comes out even in no such block"""
_MOST_TIMES = 3
_WEEK = 7
_SIDES = 1 << 64


@dataclass(frozen=True, slots=True)
class SampleRun:
    """The answered calls of one line and one agent under one share. A changed share is a new run, with a seed of its own.

    Each call takes a place, counted from 0. All places before `next` are used up, and `taken` are those beyond it: calls
    that ring at once are answered in any order, or not at all.
    """

    seed: bytes = field(repr=False)
    """secret and random: it tells what is to come"""
    share: Fraction
    """0 to 1"""
    block: int = 0
    """the earliest place that is free"""
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
    """Whether the call that takes this place is in the sample. The place must be free: full blocks are no longer known."""
    block, start = run.block, run.start
    while place >= (end := start + block_length(run.seed, run.share, block)):
        block, start = block + 1, end
    return place - start in _drawn_in(run.seed, run.share, block, start)


def use(run: SampleRun, place: int) -> SampleRun:
    """The run after the call with this place was answered. A place that is used up already changes nothing."""
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
    """How many places a block has, by the seed.

    Once, twice or three times the fewest in which the share comes out even (10 %: 1 in 10, 2 in 20, 3 in 30). With blocks of
    one length, the known places of a block would give its last ones away. A share that comes out even in no bearable block
    takes a rounder number; the rest is carried on.
    """
    even = share.denominator
    if even > LONGEST:
        even = min(LONGEST, max(_SHORTEST_UNEVEN, 2 * ceil(1 / share)))
    times = min(_MOST_TIMES, LONGEST // even)
    return even * (1 + _number(seed, "length", block) % times)


def drawn_of(seed: bytes, share: Fraction, places: int) -> int:
    """How many of a run's first `places` are drawn, where a block ends there: their share.

    The seed rounds an uneven one up or down, once for the whole run.
    """
    return int(places * share + Fraction(_number(seed, "carry"), _SIDES))


@lru_cache(maxsize=256)
def _drawn_in(seed: bytes, share: Fraction, block: int, start: int) -> frozenset[int]:
    length = block_length(seed, share, block)
    count = drawn_of(seed, share, start + length) - drawn_of(seed, share, start)
    order = sorted(range(length), key=lambda place: _number(seed, "order", block, place))
    return frozenset(order[:count])


def _number(seed: bytes, what: str, *of: int) -> int:
    """A number evenly distributed over [0, 2**64), by HMAC-SHA256."""
    text = " ".join((what, *map(str, of)))
    return int.from_bytes(hmac.digest(seed, text.encode("ascii"), "sha256")[:8])


def reviewers_have_enough(waiting: Mapping[int, int], new: int, capacity: int | None) -> bool:
    """Whether one more recording would make more than the reviewers can review before it expires (G33).

    `waiting`: how many unreviewed ones expire in so many days, today counted. `new`: the days of the one to come.
    `capacity`: how many they review in a week, None for no limit. The new one must fit into its days. Those that wait are
    granted a begun one, or the last day of each would stop the sample.
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
    """What became of a sample says this about its size (G33, G34)."""

    FITS = "fits"
    TOO_MANY = "too_many"
    """not all that wait can be reviewed before they expire"""
    UNSEEN = "unseen"
    """some expired before anybody reviewed them: the sample is larger than what is used"""
    UNREVIEWED = "unreviewed"
    """some wait, and nothing says or shows how many are reviewed in a week"""
    NONE = "none"
    """nothing to say: no sample, or none of it waits and no limit is given"""


def judge_sample(
    drawn: int, waiting: Mapping[int, int], expired_unseen: int, capacity: int | None, pace: Fraction | None
) -> Verdict:
    """`waiting`: how many unreviewed ones expire in so many days, today counted.

    `capacity`: how many the reviewers say they review in a week; `pace`: how many they do. The higher counts, since
    reviewers with nothing left to do are not slow.
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
    """All before their day comes, the soonest first. A begun one is granted."""
    number = 0
    for days in sorted(waiting):
        number += waiting[days]
        if number > ceil(a_week * days / _WEEK):
            return False
    return True
