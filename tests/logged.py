"""Fails each test during which the program logged a warning, a bug or a traceback that the test did not expect.

Loaded into every test run. A test that expects something says what, and why:

    @pytest.mark.expected_log("bug ValueError", reason="the keyring's backend is broken here")

Each given text must be logged (one given as `maybe` may be), within a line such as `ERROR klartone.engine bug ValueError at …`.
Nothing else may be, of WARNING and above. What engines and desks in processes of their own write is read by whoever started
them (`raised_in`). Unraisable errors, and those that end a thread, fail a test by pytest itself; Qt's warnings by pytest-qt.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

PROGRAM = ("klartone", "softphone")
"""loggers that do not hand on to the root once `start_log` was called"""
_RAISED = re.compile(
    r" (WARNING|ERROR|CRITICAL) |^Traceback \(most recent call last\)|^Fatal Python error|^Exception ignored in"
)


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._last: logging.LogRecord | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record is self._last:
            return  # by way of a logger of the program, and then of the root
        self._last = record
        line = f"{record.levelname} {record.name} {record.getMessage()}"
        if record.exc_info and (kind := record.exc_info[0]):
            line += f" ({kind.__name__}: {record.exc_info[1]})"
        self.lines.append(line)


def unexpected(lines: Iterable[str], expected: Iterable[str]) -> list[str]:
    """Those of the lines that hold none of the texts."""
    texts = tuple(expected)
    return [line for line in lines if not any(text in line for text in texts)]


def raised_in(*files: Path) -> list[str]:
    """What went wrong, line by line, by a process's logs and its stderr. A file that was never begun tells nothing."""
    there = [file for file in files if file.is_file()]
    return [line for file in there for line in file.read_text("utf-8", "replace").splitlines() if _RAISED.search(line)]


@pytest.fixture(autouse=True)
def logged(request: pytest.FixtureRequest) -> Generator[list[str]]:
    """What was logged so far, of WARNING and above."""
    heard = _Heard()
    failed = request.session.testsfailed
    loggers = [logging.getLogger(), *map(logging.getLogger, PROGRAM)]
    unwritable: list[str] = []

    def cannot_be_written(_: logging.Handler, record: logging.LogRecord) -> None:
        unwritable.append(f"ERROR {record.name} could not be logged: {record.msg!r} ({sys.exc_info()[1]!r})")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.Handler, "handleError", cannot_be_written)
        for logger in loggers:
            logger.addHandler(heard)
        try:
            yield heard.lines
        finally:
            for logger in loggers:
                logger.removeHandler(heard)
    marks = list(request.node.iter_markers("expected_log"))
    texts = [str(text) for mark in marks for text in mark.args]
    may = [str(mark.kwargs["maybe"]) for mark in marks if "maybe" in mark.kwargs]
    assert all(mark.kwargs.get("reason") for mark in marks), "an expected log has a reason"
    lines = unwritable + unexpected(heard.lines, texts + may)
    missing = [text for text in texts if not any(text in line for line in heard.lines)]
    if lines:
        pytest.fail("logged and not expected:\n  " + "\n  ".join(lines), pytrace=False)
    if missing and request.session.testsfailed == failed:
        pytest.fail("expected and not logged: " + ", ".join(missing), pytrace=False)
