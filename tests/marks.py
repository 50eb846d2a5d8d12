"""Loaded into every test run: marks become properties of the JUnit file, and Qt draws without a screen."""

import os

import pytest
from _pytest.terminal import TerminalReporter

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in ("rule", "peer"):
            for mark in item.iter_markers(name):
                item.user_properties.extend((name, str(value)) for value in mark.args)


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
