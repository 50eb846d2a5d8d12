"""kill -9 of a process that records: what was told to be on the disk is there, whole, and can be heard."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from softphone.archive.archive import Archive
from softphone.archive.verify import verify
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, FRAME, strength


def killed(folder: Path, lines: int) -> list[list[str]]:
    """Starts the writer, reads so many lines and kills it: what it had said by then."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.archive.writer", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    told = [child.stdout.readline().split() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    told += [line.split() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    child.wait(10)
    child.stdout.close()
    return told


def prove(folder: Path, lines: int) -> None:
    told = killed(folder, lines)
    recording = told[0][1]
    sealed: dict[int, int] = {}
    for line in told:
        if line[0] == "sealed":
            sealed[int(line[2])] = int(line[3])
    committed = [int(line[1]) for line in told if line[0] == "committed"]

    archive = Archive.open(folder, DemoKeyFile(folder / "demo-keys.json"))
    proof = verify(archive)
    assert proof.ok, proof.findings
    assert proof.audit_ok
    assert {finding.code for finding in proof.findings} <= {"broke_off", "torn", "segment_empty"}
    archive.repair(datetime.now(UTC))
    proof = verify(archive)
    assert proof.ok, proof.findings
    assert {finding.code for finding in proof.findings} <= {"broke_off", "segment_empty"}
    assert "recording_broke_off" in [row.event for row in archive.audit_of(recording)]
    assert archive.repair(datetime.now(UTC)) == []
    row = archive.find(recording)
    if committed:
        assert KeyRole.TRAINING not in row.opens_for
    opened = archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION)
    segments = {segment.number: segment for segment in opened.segments}
    delay = opened.header.delay
    for number, samples in sealed.items():
        # Of what a chunk holds, the codec's delay comes with the next.
        assert segments[number].samples >= samples - delay
    sound = np.concatenate(list(opened.pcm()))
    assert len(sound) >= sum(sealed.values()) - delay
    last_second = sound[len(sound) // (50 * FRAME) * 50 * FRAME - 50 * FRAME :][: 50 * FRAME]
    assert strength(last_second[:, 0], 440) > 2_000
    archive.close()


@pytest.mark.parametrize("lines", [3, 17])
def test_what_was_on_the_disk_survives_kill_9(tmp_path: Path, lines: int) -> None:
    prove(tmp_path / "archive", lines)


@pytest.mark.torture
@pytest.mark.parametrize("round_", range(60))
def test_it_survives_kill_9_at_any_moment(tmp_path: Path, round_: int) -> None:
    prove(tmp_path / "archive", random.Random(round_).randint(3, 120))
