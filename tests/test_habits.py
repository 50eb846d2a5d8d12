"""What holds the tests to their habits, tried on tests that break them: a run of pytest in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.logged import raised_in, unexpected

ROOT = Path(__file__).parent.parent
PROCESS = """
import subprocess
def test_it():
    subprocess.run(["true"])
"""
SOCKET = """
import socket
def test_it():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
"""


def run(folder: Path, test: str, *plugins: str) -> str:
    """What pytest said of a file with that test."""
    file = folder / "test_one.py"
    file.write_text("import logging, threading, pytest\n" + test, "utf-8")
    given = [word for plugin in plugins for word in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "--strict-markers", "-p", "no:cacheprovider", *given]
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [*command, *options, str(file)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("test", "event"), [(PROCESS, "subprocess.Popen"), (SOCKET, "socket.bind")], ids=["process", "socket"]
)
def test_a_pure_test_that_is_none_fails_in_the_quick_run_alone(tmp_path: Path, test: str, event: str) -> None:
    assert f"{event} in a test that .ci/quick calls pure" in run(tmp_path, test, "tests.pure")
    assert "1 passed" in run(tmp_path, test)


EXPECTED = '@pytest.mark.expected_log("bug ValueError", reason="it is planted")'
BUG = 'logging.getLogger("klartone.engine").error("bug %s", "ValueError at x.py:1:f")'
OTHER = 'logging.getLogger("softphone.archive").warning("storage fails")'


@pytest.mark.parametrize(
    ("mark", "deeds", "said"),
    [
        ("", (BUG,), "logged and not expected:\n  ERROR klartone.engine bug ValueError"),
        (EXPECTED, (BUG,), ""),
        (EXPECTED, (BUG, OTHER), "logged and not expected:\n  WARNING softphone.archive storage fails"),
        (EXPECTED, (), "expected and not logged: bug ValueError"),
        ("", ('logging.getLogger("klartone").warning("%d", "x")',), "TypeError"),
        ("", ("t = threading.Thread(target=int, args=('x',)); t.start(); t.join()",), "Unhandled"),
    ],
    ids=["a bug", "one that is expected", "more than is expected", "nothing", "unwritable", "a thread that ends"],
)
def test_what_is_logged_or_thrown_and_not_expected_fails_the_test(
    tmp_path: Path, mark: str, deeds: tuple[str, ...], said: str
) -> None:
    test = "\n    ".join((f"{mark}\ndef test_it():", "pass", *deeds)) + "\n"
    told = run(tmp_path, test)
    assert (said in told) if said else ("1 passed" in told), told


def test_what_a_process_left_in_its_log_or_on_its_stderr_is_found(tmp_path: Path) -> None:
    log, errors = tmp_path / "engine.log", tmp_path / "errors"
    log.write_text("2026 INFO klartone.engine started\n2026 WARNING klartone.edge edge ended\n", "utf-8")
    errors.write_text("Traceback (most recent call last):\n  File x\nValueError: x\n", "utf-8")
    found = raised_in(log, errors, tmp_path / "never")
    assert found == ["2026 WARNING klartone.edge edge ended", "Traceback (most recent call last):"]
    assert unexpected(found, ["edge ended"]) == found[1:]
