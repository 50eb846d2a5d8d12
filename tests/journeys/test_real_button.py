"""The demo's agent acts through the real widget: where its button is unplugged, nothing happens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.peers.second_phone import ROOT

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

SECONDS = 5


@pytest.mark.rule("G31")
@pytest.mark.parametrize("unplugged", [False, True], ids=["plugged-in", "unplugged"])
def test_the_demos_opt_out_goes_through_its_button_alone(tmp_path: Path, unplugged: bool) -> None:
    story = _demo(tmp_path, "N3", "opt-out", "optOut" if unplugged else "")
    summary, pressed = story[-1]["summary"], _pressed(story)
    assert summary["consent"] is True
    assert summary["recorded_seconds"] > 1
    assert summary["audit_ok"] is True
    assert [one["button"] for one in story if one["event"] == "press"] == ["answer", "optOut"]
    if unplugged:
        assert pressed == []
        assert (summary["kept"], summary["purposes"], summary["status"]) == (True, ["training"], "recording")
    else:
        assert pressed == ["opt_out"]
        assert (summary["kept"], summary["purposes"], summary["status"]) == (False, [], "not_recording")


@pytest.mark.rule("G10")
@pytest.mark.parametrize("unplugged", [False, True], ids=["plugged-in", "unplugged"])
def test_the_demos_dispute_goes_through_its_button_alone(tmp_path: Path, unplugged: bool) -> None:
    story = _demo(tmp_path, "N7", "dispute", "dispute" if unplugged else "")
    summary = story[-1]["summary"]
    assert [one["button"] for one in story if one["event"] == "press"] == ["answer", "dispute"]
    assert summary["kept"] is True
    if unplugged:
        assert _pressed(story) == []
        assert (summary["on_hold"], summary["purposes"]) == (False, ["documentation", "training"])
    else:
        assert _pressed(story) == ["raise_dispute"]
        assert (summary["on_hold"], summary["purposes"]) == (True, ["documentation"])


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
    """The demo's process: the real one, or the one with that button unplugged."""
    program = ["-m", "tests.journeys.unplugged_demo", unplugged] if unplugged else ["-m", "softphone.cli"]
    options = ["--notice", notice, "--agent", agent, "--seconds", str(SECONDS), "--archive", str(folder / "archive")]
    return subprocess.run(
        [sys.executable, *program, "demo", "--headless", "--json", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
