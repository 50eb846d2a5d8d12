"""Four processes on one archive, as in a day's work: one writes, one looks, one for long, one sweeps. No lock reaches anybody."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.examine.repair import repair
from softphone.archive.examine.verify import verify
from softphone.archive.retention.sweep import sweep
from tests.archive.promises import REFUSED
from tests.archive.scene import AT
from tests.archive.test_crash import ROOT, SEED, Killed
from tests.archive.together import SWEPT


def work(folder: Path, seconds: float) -> dict[str, list[str]]:
    """What each of them said: what was done, and at last how often."""
    made = Killed(folder, SEED)
    order = json.dumps(asdict(made.promises.order(SEED)))
    print(f"KLARTONE_TORTURE_SEED={SEED}")

    def started(which: str, *more: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.archive.together", which, str(made.folder), str(made.keys), str(seconds)]
        return subprocess.Popen([*words, *more], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    running = {"engine": started("engine", order), "desk": started("desk"), "sweeper": started("sweeper")}
    running["reader"] = started("reader")
    told: dict[str, list[str]] = {}
    for which, process in running.items():
        told[which] = process.communicate(timeout=seconds + 100)[0].splitlines()
        assert process.returncode == 0, "\n".join(told[which][-30:])
    archive = Archive.open(made.folder, made.store)
    try:
        repair(archive, AT)
        sweep(archive, SWEPT, clock=SWEPT, witness=SWEPT)
        proof = verify(archive)
        assert proof.ok, proof.findings
    finally:
        archive.close()
    return told


def prove(folder: Path, seconds: float) -> None:
    told = work(folder, seconds)
    failed = [line for line in told["engine"] if line.split()[0] in ("failed", "storage", "crashed")]
    assert not [line for line in failed if line.split()[-1].rpartition(".")[2] not in REFUSED]
    counts = {which: int(lines[-1]) for which, lines in told.items()}
    print(counts)
    assert min(count for which, count in counts.items() if which != "reader") >= seconds / 2


@pytest.mark.timeout(120)
def test_who_writes_who_looks_and_who_sweeps_do_not_lock_each_other_out(tmp_path: Path) -> None:
    prove(tmp_path, 5)


@pytest.mark.torture
def test_nor_in_minutes(tmp_path: Path) -> None:
    prove(tmp_path, 180)
