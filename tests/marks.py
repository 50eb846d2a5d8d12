"""Loaded into every test run: marks become properties of the JUnit file, calls are spread over the run, no generated example
is timed, and Qt draws without a screen."""

import gc
import os
from collections import defaultdict

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# What is collected stays to the end: nobody looks for garbage in it, neither now nor in each test that does.
gc.disable()

CALLS_END = 0.8
"""of the run: no worker is to wait for the last long call"""


def spread(items: list[pytest.Item]) -> None:
    """Modules of real calls, which mostly wait, among those that compute: so the machine is busy all along. Those come first
    that have the longest tests, then those that have the most."""
    modules: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        modules[item.nodeid.partition("::")[0]].append(item)
    calls = [name for name, own in modules.items() if any(it.get_closest_marker("journey") for it in own)]
    long_first = sorted(calls, key=lambda name: (-max(map(may_take, modules[name])), -len(modules[name])))
    others = [name for name in modules if name not in calls]
    at = {name: CALLS_END * index / len(long_first) for index, name in enumerate(long_first)}
    at |= {name: index / len(others) for index, name in enumerate(others)}
    items[:] = [item for name in sorted(modules, key=at.__getitem__) for item in modules[name]]


def may_take(item: pytest.Item) -> float:
    """Seconds, where the test has a time-out of its own."""
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark and not item.get_closest_marker("torture") else 0.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    spread(items)
    for item in items:
        for name in ("rule", "peer"):
            for mark in item.iter_markers(name):
                item.user_properties.extend((name, str(value)) for value in mark.args)


@pytest.fixture
def forked_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of commands, each of which starts the rulebook's host: a process of its own as ever, that loads nothing anew."""
    from softphone.plugin import client
    from tests.peers.forked import ForkedProcesses, load

    load()
    monkeypatch.setattr(client, "subprocess", ForkedProcesses)


def pytest_collection_finish() -> None:
    gc.freeze()
    # Python's own 700 new objects are soon made: a twelfth of what a walk of the session computes was looking for garbage.
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """How far the session has been walked."""
    told = [
        dict(report.user_properties)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
    ]
    walks = [one for one in told if "states" in one and "transitions" in one]
    if walks:
        states, transitions = (sum(int(str(one[name])) for one in walks) for name in ("states", "transitions"))
        terminalreporter.write_line(
            f"session walked: {states} states, {transitions} transitions, in {len(walks)} walks, "
            f"{sum(str(one.get('whole')) == '1' for one in walks)} of them to the end"
        )
