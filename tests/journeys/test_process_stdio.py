"""`klartone engine --stdio`, driven by hand: what is no message is answered with a sentence, and the end of input ends it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from softphone.wire.snapshot import CodedText
from tests.journeys.fault_words import sentence, told_plainly
from tests.journeys.stage import ENGINE, build
from tests.peers.second_phone import ROOT

pytestmark = pytest.mark.journey

SECRET = "a-password-by-mistake"


@pytest.mark.parametrize("last", ['{"type": "quit", "id": "q"}\n', ""], ids=["quit", "end of input"])
def test_lines_that_are_no_messages_are_refused_with_a_sentence_and_the_engine_ends_politely(
    tmp_path: Path, last: str
) -> None:
    on = build(tmp_path, lines=("n7",))
    lines = [
        "hello\n",
        "{\n",
        "[]\n",
        '{"type": "dance"}\n',
        f'{{"type": "answer", "id": "1", "password": "{SECRET}"}}\n',
        '{"type": "answer", "id": "2", "call": "nobody"}\n',
        '{"type": "ping"}\n',
        "\x00\x01\n",
    ]
    done = subprocess.run(
        [sys.executable, *ENGINE, "--home", str(on.home.root), "engine", "--stdio"],
        cwd=ROOT,
        input="".join(lines) + last,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    told: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert told[0]["type"] == "hello"
    refused = [one for one in told if one["type"] == "refused"]
    assert len(refused) == 7
    assert [one["id"] for one in refused if one["id"]] == ["1", "2"], "whatever has an id is answered under it"
    for one in refused[:4]:
        sentence(CodedText(one["said"]["code"], one["said"]["params"]))
    assert SECRET not in done.stdout
    assert not done.stderr
    logs = "".join(file.read_text() for file in on.home.folders.log.glob("*.log"))
    assert SECRET not in logs
    told_plainly(logs)
