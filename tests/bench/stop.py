"""From a press on *opt out*, as the desk sends it, until the recorder's gate is closed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from softphone.domain.purpose import Headline
from softphone.wire.to_engine import EndWrapUp
from tests.bench.figures import Figure, spread
from tests.journeys.stage import stage


def measure(times: int = 20) -> list[Figure]:
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), lines=("n4",)) as on:
        for number in range(times):
            # Another number each time: who declined once is not recorded again.
            call = on.call("n4", f"+45201234{number:02}")
            on.desk.wait_event("first_sample", call=call)
            on.desk.wait_status(lambda status: status.headline is Headline.RECORDING, "recording", call)
            pressed = time.time()
            on.desk.opt_out(call)
            stopped = on.desk.wait_event("recorder_stopped", call=call)
            took.append((stopped.at.timestamp() - pressed) * 1000)
            on.hang_up(call)
            on.desk.ask(EndWrapUp, call=call)
            on.desk.wait(lambda s: not s.calls, "no call")
    return [
        Figure("stop", spread(took, "ms"), "20 ms", f"press on opt-out to the recorder's closed gate; {times} calls")
    ]
