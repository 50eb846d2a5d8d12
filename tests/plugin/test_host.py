"""The plugin host process by itself, spoken to by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from softphone.plugin.contract import DECIDE
from tests.plugin import hostile
from tests.plugin.test_client import ASKED


class ByHand:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def say(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def decide(self, plugin: str, number: int, timeout: float = 5.0) -> None:
        self.say(id=number, plugin=plugin, hook="load", params={}, timeout=5)
        assert self.hear()["id"] == number
        params = DECIDE.params.dump_python(ASKED, mode="json")
        self.say(id=number + 1, plugin=plugin, hook="decide", params=params, timeout=timeout)


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[ByHand]:
    folders = [str(hostile.plugin(tmp_path, way).folder) for way in ("good", "throws", "catastrophic")]
    with subprocess.Popen(
        [sys.executable, "-m", "softphone.plugin.host", *folders],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield ByHand(process)
        process.kill()


def test_no_plugins_code_runs_before_the_host_is_ready(by_hand: ByHand) -> None:
    assert by_hand.hear() == {"ready": by_hand.process.pid}


def test_the_host_ends_when_its_engine_is_gone(by_hand: ByHand) -> None:
    by_hand.hear()
    assert by_hand.process.stdin is not None
    by_hand.process.stdin.close()
    assert by_hand.process.wait(15) == 0


def test_an_exceptions_text_leaves_the_host_neither_as_an_answer_nor_on_stderr(by_hand: ByHand) -> None:
    by_hand.hear()
    by_hand.decide("throws", 1)
    assert by_hand.hear() == {"id": 2, "threw": "RuntimeError"}
    assert by_hand.process.stdin is not None
    assert by_hand.process.stderr is not None
    by_hand.process.stdin.close()
    assert b"4520123456" not in by_hand.process.stderr.read()


def test_a_hanging_plugin_does_not_outlive_a_killed_engine(by_hand: ByHand) -> None:
    by_hand.hear()
    by_hand.decide("catastrophic", 1, timeout=0.2)
    began = time.monotonic()
    by_hand.process.wait(10)
    assert time.monotonic() - began < 8
