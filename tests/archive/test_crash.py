"""kill -9 at any moment of recording, opting out, withdrawing, holding, lifting, reviewing, sweeping and rotating keys: what
was said to be done is done, and what was said to be on the disk can be heard."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto.wraps import create_key_pair
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.promises import Promises

ROOT = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("KLARTONE_TORTURE_SEED") or random.SystemRandom().randrange(1 << 32))
"""of all that is left to chance here; printed, so that a failure can be had again"""
MEMORY = Path("/dev/shm")


class Killed:
    """An archive, and a process that works on it and is killed, over and over."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.keys = folder / "archive", folder / "keys.json"
        self.chance = random.Random(seed)
        self.store = DemoKeyFile(self.keys)
        Archive.create(self.folder, self.store, demo=True).close()
        self.promises = Promises({role.value: create_key_pair(self.store).hex() for role in KeyRole})

    @contextmanager
    def served(self) -> Generator[subprocess.Popen[str]]:
        words = [sys.executable, "-m", "tests.archive.deeds", str(self.folder), str(self.keys)]
        with subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        ) as server:
            yield server
            assert server.stdin is not None
            server.stdin.close()
            assert server.wait(20) == 0

    def kill(self, server: subprocess.Popen[str]) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(asdict(self.promises.order(self.chance.randrange(1 << 32)))) + "\n")
        server.stdin.flush()
        word, child = server.stdout.readline().split()
        assert word == "opening"
        until, told = self.chance.randint(0, 30), list[str]()
        while len(told) < until:
            told.append(server.stdout.readline())
        time.sleep(self.chance.random() * 0.02)  # somewhere within the next deed: there is no event for that
        os.kill(int(child), signal.SIGKILL)
        self.promises.hear([*told, *iter(server.stdout.readline, "over\n")])
        self.promises.check(self.folder, self.store)


def prove(folder: Path, part: int, kills: int) -> None:
    print(f"KLARTONE_TORTURE_SEED={SEED}")
    killed = Killed(folder, SEED + part)
    with killed.served() as server:
        for number in range(kills):
            print(f"kill {number}, after {killed.promises.deeds} deeds")
            killed.kill(server)
    assert killed.promises.deeds > 2 * kills
    killed.promises.swept(killed.folder, killed.store)


@pytest.fixture
def memory(tmp_path: Path) -> Generator[Path]:
    """A folder in memory, where there is one: what is killed here loses no power, and need not wait for a disk."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="klartone-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.mark.rule("G10")
@pytest.mark.parametrize("part", range(2))
def test_what_was_done_and_what_was_sealed_survives_kill_9(memory: Path, part: int) -> None:
    prove(memory, part, 12)


@pytest.mark.torture
@pytest.mark.parametrize("part", range(4, 29))
def test_it_survives_kill_9_five_hundred_times(memory: Path, part: int) -> None:
    prove(memory, part, 20)
