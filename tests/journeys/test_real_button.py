"""The demo's agent acts through the real widget: where its button is unplugged, nothing happens. And who clicks twice to answer
does not hang up, though the engine has answered in between.

What it does where it is plugged in, `tests/demo/test_demo.py` shows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.peers.second_phone import ROOT

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

SECONDS = 4


@pytest.mark.rule("G31")
def test_without_its_opt_out_button_the_demos_opt_out_never_reaches_the_engine(tmp_path: Path) -> None:
    story = _demo(tmp_path, "N3", "opt-out", "optOut")
    summary = story[-1]["summary"]
    assert [one["button"] for one in story if one["event"] == "press"] == ["answer", "optOut"]
    assert _pressed(story) == []
    assert summary["consent"] is True
    assert summary["recorded_seconds"] > 1
    assert (summary["kept"], summary["purposes"], summary["status"]) == (True, ["training"], "recording")


@pytest.mark.rule("G10")
def test_without_its_dispute_button_the_demos_dispute_never_reaches_the_engine(tmp_path: Path) -> None:
    story = _demo(tmp_path, "N1", "dispute", "dispute")
    summary = story[-1]["summary"]
    assert [one["button"] for one in story if one["event"] == "press"] == ["answer", "dispute"]
    assert _pressed(story) == []
    assert (summary["kept"], summary["on_hold"], summary["purposes"]) == (True, False, ["documentation"])
    # The second click on the place of *Answer* was on *Hang up*, and the call went on to its end all the same.
    assert [one["button"] for one in story if one["event"] == "pressed_again"] == ["hangUp"]
    assert summary["recorded_seconds"] > SECONDS / 2


@pytest.mark.rule("G05")
def test_without_its_answer_button_the_demos_call_never_comes_about(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired) as waited:
        _run(tmp_path, "N1", "nothing", "answer", within=20)
    output = waited.value.stdout or b""
    told = [json.loads(line)["event"] for line in output.decode().splitlines()]
    assert "press" in told
    assert "arrived" in told
    assert "answered" not in told


def _pressed(story: list[dict[str, Any]]) -> list[str]:
    """What reached the engine."""
    return [one["command"] for one in story if one["event"] == "pressed"]


def _demo(folder: Path, notice: str, agent: str, unplugged: str) -> list[dict[str, Any]]:
    done = _run(folder, notice, agent, unplugged, within=120)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [{"event": "summary", **one} if "summary" in one else one for one in lines]


def _run(folder: Path, notice: str, agent: str, unplugged: str, within: float) -> subprocess.CompletedProcess[str]:
    """The demo's process with that button unplugged."""
    program = ["-m", "tests.journeys.unplugged_demo", unplugged]
    options = ["--notice", notice, "--agent", agent, "--seconds", str(SECONDS), "--archive", str(folder / "archive")]
    return subprocess.run(
        [sys.executable, *program, "demo", "--headless", "--json", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
