"""kill -9 of a process that sweeps, holds, lifts and reviews: nothing that is held is gone, nothing that has gone is readable."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.sweep import sweep
from softphone.archive.verify import verify
from softphone.domain.changes import CloseRecording
from softphone.domain.purpose import KeyRole, Purpose
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, DOCUMENTATION, RATE, TRAINING, Scene

ROOT = Path(__file__).resolve().parents[2]
LATER = "2030-01-01T00:00:00+00:00"
_DEEDS = """
import sys
from datetime import datetime
from pathlib import Path
from softphone.archive import holding
from softphone.archive import sweep as sweeping
from softphone.archive.archive import Archive
from softphone.archive.keys.wraps import Recipient
from softphone.archive.reviewing import review
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
folder, at, later, public = Path(sys.argv[1]), *map(datetime.fromisoformat, sys.argv[2:4]), sys.argv[4]
to_hold, to_lift, to_review = (words.split(",") for words in sys.argv[5:8])
archive = Archive.open(folder, DemoKeyFile(folder / "demo-keys.json"))
lead = Recipient("lead", KeyRole.TRAINING, bytes.fromhex(public))
def said(*words):
    print(*words, flush=True)
    return True
said("begun")
for recording in to_hold:
    holding.raise_hold(archive, recording, HoldBy.PARTY, "x", "x", at)
    said("held", recording)
for recording in to_review:
    review(archive, recording, "lead", at)
    said("reviewed", recording)
for recording in to_lift:
    hold = holding.raise_hold(archive, recording, HoldBy.CONTROLLER, "x", "x", at)
    holding.lift(archive, hold, "x", [lead], at)
    said("lifted", recording)
sweeping.BATCH = 1
sweeping.sweep(archive, later, clock=later, witness=later, go_on=lambda: said("batch"))
said("swept")
"""


def prove(folder: Path, lines: int, pause: float) -> None:
    folder.mkdir()
    store = DemoKeyFile(folder / "demo-keys.json")
    desk = Scene(folder, demo=True, store=store)

    def made(count: int, *purposes: Purpose, kept: str = "P3M") -> list[str]:
        found = [desk.recorded(1, *purposes, call=desk.call(retention=kept)) for _ in range(count)]
        for recording in found:
            desk.commit(CloseRecording(recording, AT, purposes), recording=recording)
        return found

    to_hold, to_lift = made(2, DOCUMENTATION, TRAINING), made(1, DOCUMENTATION, TRAINING, kept="P50Y")
    to_review, due = made(2, TRAINING, kept="P50Y"), made(3, DOCUMENTATION)
    wraps = {of: [one.sealed for one in desk.archive.wraps_of(of)] for of in (*to_hold, *to_review, *due)}
    lists = [",".join(one) for one in (to_hold, to_lift, to_review)]
    public = desk.recipients[KeyRole.TRAINING].public_key.hex()
    desk.close()

    words = [sys.executable, "-c", _DEEDS, str(folder), AT.isoformat(), LATER, public, *lists]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [child.stdout.readline().split() for _ in range(lines)]
        time.sleep(pause)  # somewhere within the next deed: there is no event for that
        child.send_signal(signal.SIGKILL)
        told += [line.split() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]

    desk.archive = Archive.open(folder, store)
    try:
        left = {row.recording: row for row in desk.archive.list(AT)}
        pages = desk.pages()
        for recording in [line[1] for line in told if line[0] == "held"]:
            assert left[recording].holds
            assert desk.archive.open_recording(recording, AT, role=KeyRole.CUSTODY).length() == RATE
        for recording in [line[1] for line in told if line[0] == "reviewed"]:
            assert recording not in left
        for recording in wraps.keys() - left.keys():
            assert recording not in to_hold
            assert not desk.archive.vault.path(recording).exists()
            assert not any(one in pages for one in wraps[recording])
        if ["swept"] in told:
            assert not left.keys() & set(due)
        assert verify(desk.archive).ok, verify(desk.archive).findings
        # What was not reached is done the next time.
        later = AT.fromisoformat(LATER)
        sweep(desk.archive, later, clock=later, witness=later)
        assert not {row.recording for row in desk.archive.list(AT)} & set(due)
        assert set(to_lift) <= {row.recording for row in desk.archive.list(AT)}
        assert all(finding.code == "kept_without_reason" for finding in verify(desk.archive).findings)
    finally:
        desk.archive.close()


@pytest.mark.parametrize("lines", [2, 7])
def test_what_sweeps_holds_and_reviews_survives_kill_9(tmp_path: Path, lines: int) -> None:
    prove(tmp_path / "archive", lines, 0.003)


@pytest.mark.torture
@pytest.mark.parametrize("round_", range(60))
def test_it_survives_kill_9_at_any_moment(tmp_path: Path, round_: int) -> None:
    chance = random.Random(round_)
    prove(tmp_path / "archive", chance.randint(1, 12), chance.random() * 0.02)
