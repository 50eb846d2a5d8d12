"""The demo's agent acts through the real widget: where its button is unplugged, nothing happens. And who clicks twice to answer
does nothing else to the call, though the engine has answered in between.

What it does where it is plugged in, `test_demo.py` shows.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers.forked import Process, forked
from tests.peers.processes import end

pytestmark = pytest.mark.journey

SECONDS = 3


@pytest.mark.rule("G31")
@pytest.mark.rule("G10")
def test_without_their_buttons_the_demos_opt_out_and_dispute_never_reach_the_engine(folder: Path) -> None:
    with _demo(folder, "N3", "optOut,dispute") as process:
        assert process.stdout is not None
        *story, last = [json.loads(line) for line in process.stdout]
        assert process.wait() == 0
    summary = last["summary"]
    assert _all(story, "press", "button") == ["answer", "optOut", "dispute"]
    # What reached the engine.
    assert _all(story, "pressed", "command") == []
    assert summary["consent"] is True
    assert (summary["kept"], summary["on_hold"], summary["purposes"]) == (True, False, ["training"])
    assert summary["status"] == "recording"
    # The second click on the place of *Answer* was on a tool, and the call went on all the same, heard on both sides.
    assert len(_all(story, "pressed_again", "button")) == 1
    assert summary["recorded_seconds"] > SECONDS / 2


def test_without_its_answer_button_the_demos_call_never_comes_about(folder: Path) -> None:
    with _demo(folder, "N1", "answer") as process:
        assert process.stdout is not None
        told: list[str] = []
        while "press" not in told:
            told.append(json.loads(process.stdout.readline())["event"])
        # Where the button is plugged in, the call is answered within milliseconds.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        process.terminate()
        told += [json.loads(line)["event"] for line in process.stdout]
    assert "arrived" in told
    assert "answered" not in told


def _all(story: list[dict[str, Any]], event: str, what: str) -> list[str]:
    return [one[what] for one in story if one["event"] == event]


@contextmanager
def _demo(folder: Path, notice: str, unplugged: str) -> Generator[Process]:
    """The demo's process with these buttons unplugged; the customer says yes where she is asked."""
    options = ["--notice", notice, "--party", "yes", "--seconds", str(SECONDS), "--archive", str(folder)]
    words = [unplugged, "demo", "--headless", "--json", *options]
    process = forked("tests.demo.unplugged_demo", *words, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        end(process)
