"""Calls leave nothing behind in memory."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.journeys.stage import stage

WARM = 220
"""calls: facts and rows of the newest two hundred are kept on purpose, some kB each"""
CALLS = 180
A_CALL = 3_000
"""bytes; a full look showed 1.9 kB from the 220th call to the 400th, and 0.6 kB from there to the 450th"""


@pytest.mark.journey
@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_the_engines_memory_stays_flat_over_hundreds_of_calls(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n1",), notice_seconds=0.5) as on:
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
