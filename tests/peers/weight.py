"""What a process and its children weigh: memory in use, memory of their own, descriptors, threads.

The memory of their own swings by megabytes, as allocators take from the system and give back. So what calls leave behind is told
by the bytes in use, which programs that run through `weighed` tell of themselves; of the others it is the memory of their own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import psutil

from tests.peers import weighed as asked
from tests.peers.processes import until

WEIGHED = ("-m", "tests.peers.weighed", "softphone.cli")
"""a stage's program, in place of the engine's"""


class Weight(NamedTuple):
    calls: int
    in_use: int
    own: int
    """what it takes from the system: with what its allocators keep"""
    descriptors: int
    threads: int


def weighed(pid: int, calls: int) -> Weight:
    """An engine that runs through `weighed`, after so many calls."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    own = {one: one.memory_full_info().uss for one in family}
    tell = [process, *(one for one in family if asked.__name__ in one.cmdline())]
    assert len(tell) == 2, "an engine and its edge"
    return Weight(
        calls,
        sum(_in_use(one.pid) if one in tell else own[one] for one in family),
        sum(own.values()),
        sum(one.num_fds() for one in family),
        sum(one.num_threads() for one in family),
    )


def _in_use(pid: int) -> int:
    told = asked.told_by(pid)
    told.unlink(missing_ok=True)
    os.kill(pid, asked.ASKED)
    until(told.exists, 30, "its weight")
    return sum(map(int, told.read_text().split()))


def lightest(weights: Sequence[Weight]) -> Weight:
    """The least of each, after as many calls as the middle one."""
    middle = weights[len(weights) // 2].calls
    return Weight(middle, *(min(which) for which in zip(*(one[1:] for one in weights), strict=True)))


def bytes_a_call(first: Weight, last: Weight) -> float:
    return (last.in_use - first.in_use) / (last.calls - first.calls)
