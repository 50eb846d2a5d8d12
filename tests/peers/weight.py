"""What a process and its children weigh: memory of their own, descriptors, threads.

Memory swings by megabytes from one moment to the next, as the allocator takes and gives back. So what hundreds of calls leave
behind is told by the lightest moments of the first and of the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psutil


class Weight(NamedTuple):
    calls: int
    memory: int
    descriptors: int
    threads: int


def weighed(pid: int, calls: int) -> Weight:
    """After so many calls."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return Weight(
        calls,
        sum(one.memory_full_info().uss for one in family),
        sum(one.num_fds() for one in family),
        sum(one.num_threads() for one in family),
    )


def lightest(weights: Sequence[Weight]) -> Weight:
    """The least of each, after as many calls as the middle one."""
    middle = weights[len(weights) // 2].calls
    return Weight(middle, *(min(which) for which in zip(*(one[1:] for one in weights), strict=True)))


def bytes_a_call(first: Weight, last: Weight) -> float:
    return (last.memory - first.memory) / (last.calls - first.calls)
