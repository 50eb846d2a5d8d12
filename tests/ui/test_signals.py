"""Ctrl+C and a polite kill end the desk, in a call too: at once, without a word, with the status that a shell expects, and with
the note that was just being written. So does closing its window, whatever it has asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.processes import end
from tests.ui.conftest import RESOURCES


@pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot be sent these signals")
@pytest.mark.parametrize(
    ("number", "more", "became"), [(signal.SIGINT, [], "noted"), (signal.SIGTERM, ["--deaf"], "kept")]
)
def test_a_signal_ends_the_desk_in_the_middle_of_a_call(number: signal.Signals, more: list[str], became: str) -> None:
    """`--deaf`: the engine does not take the note, so that it is kept until the next start."""
    desk = subprocess.Popen(
        [sys.executable, "-m", "tests.ui.signalled_desk", str(RESOURCES), *more],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert desk.stdout is not None
        assert desk.stdout.readline().strip() == "drawn"
        desk.send_signal(number)
        assert desk.wait(15) == 128 + number
        assert desk.stdout.readline() == f"{became} Ring mandag\n"
        assert desk.stderr is not None
        assert desk.stderr.read() == ""
    finally:
        end(desk)


def test_a_desk_that_is_closed_while_the_keyring_is_asked_ends_without_a_word() -> None:
    desk = subprocess.run(
        [sys.executable, "-m", "tests.ui.signalled_desk", str(RESOURCES), "--storing"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (desk.returncode, desk.stdout, desk.stderr) == (0, "drawn\n", "")


@pytest.mark.parametrize("how", ["--quit", "--quit-in-call", "--session-ends"])
def test_qts_quit_and_the_sessions_end_are_not_taken_for_a_wish_to_keep_it_in_the_tray(how: str) -> None:
    """A log-out reaches a program as these two. In a call, quitting says why it does not; a session's end takes the window."""
    desk = subprocess.run(
        [sys.executable, "-m", "tests.ui.signalled_desk", str(RESOURCES), how],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "LANGUAGE": "en"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (desk.returncode, desk.stderr) == (0, "")
    said = desk.stdout.splitlines()[1:]
    assert len(said) == (1 if how == "--quit-in-call" else 0)
    assert not said or "Hang up" in said[0]
