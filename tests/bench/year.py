"""How the cost of the rules grows: a year of calls on six lines, simulated, at ten thousand, a hundred thousand, a million.

Rulebook, session, sample and retention as they are; every block's share, the backlog and every day's end are checked on the way.
"""

from __future__ import annotations

import time

from tests.bench.figures import Figure
from tests.domain.year import Year

SIZES = (10_000, 100_000, 1_000_000)


def measure(sizes: tuple[int, ...] = SIZES) -> list[Figure]:
    figures: list[Figure] = []
    for calls in sizes:
        began = time.perf_counter()
        told = Year(calls, seed=1).run()
        took = time.perf_counter() - began
        figures.append(
            Figure(
                f"a year of {calls:,} calls on six lines",
                f"{took:.1f} s",
                "seconds" if calls <= 100_000 else "",
                f"{took / calls * 1e6:.0f} µs a call; {told.blocks:,} blocks exact, {told.drawn:,} drawn, "
                f"{told.stopped:,} not recorded for full reviewers, {told.gone:,} of {told.recordings:,} recordings gone",
            )
        )
    return figures
