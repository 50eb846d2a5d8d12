"""What holds the tests to their habits, tried on tests that break them: a run of pytest in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.logged import raised_in, unexpected

ROOT = Path(__file__).parent.parent
IMPURE = """
import socket, subprocess
def test_process():
    subprocess.run(["true"])
def test_socket():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
def test_database():
    from sqlcipher3 import dbapi2
    dbapi2.connect(":memory:").close()
"""
LOGGED = """
import logging, threading, pytest
expected = pytest.mark.expected_log("bug ValueError", reason="it is planted")
def bug():
    logging.getLogger("klartone.engine").error("bug %s", "ValueError at x.py:1:f")
def storage():
    logging.getLogger("softphone.archive").warning("storage fails")
def test_bug():
    bug()
@expected
def test_expected():
    bug()
@expected
def test_more():
    bug()
    storage()
@expected
def test_missing():
    pass
def test_unwritable():
    logging.getLogger("klartone").warning("%d", "x")
def test_thread():
    ended = threading.Thread(target=int, args=("x",))
    ended.start()
    ended.join()
"""


def run(folder: Path, test: str, *plugins: str) -> str:
    """What pytest said of a file with that test."""
    file = folder / "test_one.py"
    file.write_text(test, "utf-8")
    given = [word for plugin in plugins for word in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "--strict-markers", "-p", "no:cacheprovider", *given]
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [*command, *options, str(file)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return ran.stdout + ran.stderr


def test_a_pure_test_that_is_none_fails_in_the_quick_run_alone(tmp_path: Path) -> None:
    told = run(tmp_path, IMPURE, "tests.pure")
    for event in ("subprocess.Popen", "socket.bind", "sqlcipher3.connect"):
        assert f"{event} in a test that .ci/quick calls pure" in told
    assert "3 passed" in run(tmp_path, IMPURE)


def test_what_is_logged_or_thrown_and_not_expected_fails_the_test(tmp_path: Path) -> None:
    told = run(tmp_path, LOGGED)
    for name, said in {
        "bug": "logged and not expected:\n  ERROR klartone.engine bug ValueError",
        "more": "logged and not expected:\n  WARNING softphone.archive storage fails",
        "missing": "expected and not logged: bug ValueError",
    }.items():
        assert f"ERROR at teardown of test_{name} " in told
        assert said in told
    assert "test_expected" not in told
    assert {"FAILED test_one.py::test_unwritable", "FAILED test_one.py::test_thread"} <= {
        line.partition(" - ")[0] for line in told.splitlines()
    }


def test_what_a_process_left_in_its_log_or_on_its_stderr_is_found(tmp_path: Path) -> None:
    log, errors = tmp_path / "engine.log", tmp_path / "errors"
    log.write_text("2026 INFO klartone.engine started\n2026 WARNING klartone.edge edge ended\n", "utf-8")
    errors.write_text("Traceback (most recent call last):\n  File x\nValueError: x\n", "utf-8")
    found = raised_in(log, errors, tmp_path / "never")
    assert found == ["2026 WARNING klartone.edge edge ended", "Traceback (most recent call last):"]
    assert unexpected(found, ["edge ended"]) == found[1:]
