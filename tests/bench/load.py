"""The engine's share of a core in a call with live sound, with and without recording, turn and turn about in one run."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import EndWrapUp
from tests.bench.figures import Figure
from tests.bench.machine import environment, with_devices
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.pulse import null_sinks

SETTLE = 2.0
"""seconds of each call that are not measured"""


def measure(seconds: float = 20.0, rounds: int = 3) -> list[Figure]:
    with_it: list[float] = []
    without: list[float] = []
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        ending.enter_context(environment(ending.enter_context(null_sinks()).env))
        on = ending.enter_context(stage(folder, lines=("n7",)))
        with_devices(on)
        for _ in range(rounds):
            without.append(_call(on, f"sip:nobody@{LOOPBACK}:{on.sip_port}", None, seconds))
            with_it.append(_call(on, f"sip:{NUMBERS['n7']}@{LOOPBACK}:{on.sip_port}", "first_sample", seconds))
    more = [one - other for one, other in zip(with_it, without, strict=True)]
    how = f"{rounds} calls of {seconds:g} s each, live sound through PulseAudio"
    return [
        Figure("a call", f"{statistics.median(without):.1f} % of a core", "5 %", f"the engine, not recording; {how}"),
        Figure(
            "recording, on top",
            f"{statistics.median(more):.1f} % of a core",
            "1.5 %",
            "Opus, sealing, disk; the same run",
        ),
        Figure(
            "recorded / not",
            f"{statistics.median(with_it) / statistics.median(without):.2f}",
            "1.3",
            "the ratio of the two",
        ),
    ]


def _call(on: Stage, target: str, until: str | None, seconds: float) -> float:
    """Per cent of a core that the engine took."""
    on.customer.do("account", id="load", address=f"+4520123456@{LOOPBACK}", register=False)
    on.customer.do("dial", account="load", target=target)
    call = on.desk.answer().id
    if until:
        on.desk.wait_event(until, call=call)
    engine = psutil.Process(on.engine.pid)
    time.sleep(SETTLE)
    before, began = engine.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, took = engine.cpu_times(), time.monotonic() - began
    on.customer.do("hang_up")
    on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
    on.desk.ask(EndWrapUp, call=call)
    on.desk.wait(lambda s: not s.calls, "no call")
    return ((after.user + after.system) - (before.user + before.system)) / took * 100
