"""What the engine holds at rest, and whether it grows over many calls, each told, recorded and ended."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import psutil

from softphone.wire.to_engine import EndWrapUp
from tests.bench.figures import Figure
from tests.journeys.stage import stage

MB = 1_000_000
REST = 3.0


def measure(calls: int = 200) -> list[Figure]:
    told: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), lines=("n7",)) as on:
        time.sleep(REST)
        engine = psutil.Process(on.engine.pid)
        told[0] = _resident(engine)
        own = engine.memory_full_info().uss / MB
        host = sum(_resident(child) for child in engine.children(recursive=True))
        descriptors = 0
        marks = {10, calls // 4, calls // 2, calls}
        for number in range(1, calls + 1):
            call = on.call("n7")
            on.desk.wait_event("first_sample", call=call)
            on.hang_up(call)
            on.desk.ask(EndWrapUp, call=call)
            on.desk.wait(lambda s: not s.calls, "no call")
            on.desk.events.clear()
            on.desk.events_at.clear()
            on.customer.do("forget")
            if number in marks:
                told[number] = _resident(engine)
            if number == 10:
                descriptors = _open_files(engine)
        grown = _open_files(engine) - descriptors
    path = ", ".join(f"{size:.0f} after {number}" for number, size in told.items() if number)
    half, whole = told[calls // 2], told[calls]
    return [
        Figure(
            "memory at rest",
            f"{told[0]:.0f} MB",
            "130 MB",
            f"the engine, resident; {own:.0f} MB of it its own; its plugin host {host:.0f} MB beside it",
        ),
        Figure(
            "memory over calls",
            f"{whole - half:+.1f} MB",
            "flat",
            f"the second half of {calls} recorded calls: {path} MB",
        ),
        Figure("open files over calls", f"{grown:+d}", "0", f"the engine, from the 10th to the {calls}th call"),
    ]


def _open_files(process: psutil.Process) -> int:
    return process.num_handles() if sys.platform == "win32" else process.num_fds()


def _resident(process: psutil.Process) -> float:
    return process.memory_info().rss / MB
