"""How the cost of the rules grows: a year of calls on six lines, simulated, at ten thousand, a hundred thousand, a million.

Rulebook, session, sample and retention as they are; every block's share, the backlog and every day's end are checked on the way.
What grows with the calls are draws, lists and dates: each kind of call goes through the session once. One row steps every call.
"""

from __future__ import annotations

import time

from tests.bench.figures import Figure
from tests.domain.year import Year

SIZES = (10_000, 100_000, 1_000_000)


def measure(sizes: tuple[int, ...] = SIZES) -> list[Figure]:
    figures: list[Figure] = []
    for calls, every in [(sizes[0], True), *((calls, False) for calls in sizes)]:
        began = time.perf_counter()
        told = Year(calls, seed=1, every=every).run()
        took = time.perf_counter() - began
        figures.append(
            Figure(
                f"a year of {calls:,} calls{', each stepped' if every else ''}",
                f"{took:.1f} s",
                "seconds" if calls <= 100_000 and not every else "",
                f"{took / calls * 1e6:.0f} µs a call on six lines, {told.stepped:,} of them stepped through the session; "
                f"{told.blocks:,} blocks exact, {told.drawn:,} drawn, {told.stopped:,} not recorded for full reviewers, "
                f"{told.gone:,} of {told.recordings:,} recordings gone",
            )
        )
    return figures
