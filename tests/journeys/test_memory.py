"""Calls leave nothing behind in memory."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.journeys.spare_engine import SPARE
from tests.journeys.stage import stage

WARM = 220
"""calls: of the newest two hundred facts and rows are kept on purpose, some kB each"""
CALLS = 100
A_CALL = 6_000
"""bytes: what the allocator leaves between two calls on a busy machine, and no more"""


@pytest.mark.journey
@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_the_engines_memory_stays_flat_over_hundreds_of_calls(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n1",), program=SPARE, notice_seconds=0.5) as on:
        engine = psutil.Process(on.engine.pid)
        warm = 0
        for number in range(WARM + CALLS):
            if number == WARM:
                warm = engine.memory_info().rss
            call = on.call("n1")
            on.desk.wait_event("first_sample", call=call)
            on.over(call)
        grown = (engine.memory_info().rss - warm) / CALLS
        print(f"{grown:.0f} bytes a call")
        assert grown < A_CALL
        on.end()
