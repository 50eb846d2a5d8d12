"""What holds the tests to their habits, tried on tests that break them: a run of pytest in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
