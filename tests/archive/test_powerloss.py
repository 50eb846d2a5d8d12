"""The power goes, or the disk fails, in the middle of everything an archive has done to it: what was said to be done is done,
what was said to be on the disk can be heard, and nothing comes back."""

from __future__ import annotations

import copy
import json
import random
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from softphone.domain.errors import ArchiveError
from tests.archive.powerloss import CALLS, Disk, read_log, strace
from tests.archive.test_crash import ROOT, SEED, Killed, memory

__all__ = ["memory"]


def run(killed: Killed, words: list[str], deeds: int) -> list[str]:
    order = json.dumps(asdict(killed.promises.order(killed.chance.randrange(1 << 32), deeds)))
    child = [sys.executable, "-m", "tests.archive.deeds", str(killed.folder), str(killed.keys), order]
    done = subprocess.run([*words, *child], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stderr)
    return done.stdout.splitlines(keepends=True)


class Traced:
    """What a run asked of the system, and what was promised before it."""

    def __init__(self, folder: Path, seed: int, deeds: int) -> None:
        self.killed = Killed(folder, seed)
        self.before = copy.deepcopy(self.killed.promises)
        self.disk = Disk(self.killed.folder)
        run(self.killed, strace(folder / "calls", "-e", f"trace={CALLS}"), deeds)
        calls = list(read_log(folder / "calls"))
        # What comes before the first word is Python's own.
        self.calls = calls[next(at for at, call in enumerate(calls) if call.name == "writev") :]

    def cut(self, times: int, *, synced: bool = True) -> None:
        """The power goes at some moments; each time what is left must keep what had been promised by then."""
        place, disk, chance = self.killed.folder.with_name("after"), copy.deepcopy(self.disk), self.killed.chance
        changing = [at for at, call in enumerate(self.calls) if call.name not in ("openat", "close", "lseek")]
        moments = set(chance.sample(changing, times))
        for number, call in enumerate(self.calls):
            if synced or not call.name.endswith("sync"):
                disk.take(call)
            if number in moments:
                disk.lose_power(place, chance)
                print(f"the power goes after call {number} of {len(self.calls)}, and {len(disk.said)} lines")
                promises = copy.deepcopy(self.before)
                promises.hear(disk.said)
                promises.check(place, self.killed.store)
                promises.swept(place, self.killed.store)
        if synced:
            # After the last withdrawal, and nothing is there but what was made fast.
            disk.lose_power(place, _Least())
            promises = copy.deepcopy(self.before)
            promises.hear(disk.said)
            promises.check(place, self.killed.store)


class _Least(random.Random):
    def random(self) -> float:
        return 0.0


def prove(folder: Path, seed: int, deeds: int) -> None:
    print(f"KLARTONE_TORTURE_SEED={SEED}")
    Traced(folder, seed, deeds).cut(20)


def test_what_was_done_and_what_was_sealed_survives_the_loss_of_power(memory: Path) -> None:
    print(f"KLARTONE_TORTURE_SEED={SEED}")
    traced = Traced(memory, SEED, 40)
    traced.cut(10)
    # Were nothing made fast in time, this would tell.
    with pytest.raises((AssertionError, ArchiveError)):
        traced.cut(10, synced=False)


@pytest.mark.torture
@pytest.mark.parametrize("part", range(1, 26))
def test_it_survives_the_loss_of_power_five_hundred_times(memory: Path, part: int) -> None:
    prove(memory, SEED + part, 60)


# --- a disk that fails ------------------------------------------------------------------------------

_ERRORS = ("ENOSPC", "EIO", "EROFS", "EDQUOT")
_FAILING = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate")


def fault(chance: random.Random) -> list[str]:
    """Some calls fail, for good or for a while; each thread's are counted by themselves."""
    names = chance.sample(_FAILING, chance.randint(1, len(_FAILING)))
    first = chance.randint(1, 60)
    when = f"{first}+" if chance.random() < 0.4 else f"{first}..{first + chance.randint(0, 15)}"
    return [
        "-e",
        f"trace={','.join(names)}",
        "-e",
        f"inject={','.join(names)}:error={chance.choice(_ERRORS)}:when={when}",
    ]


def prove_faults(folder: Path, seed: int, rounds: int) -> None:
    print(f"KLARTONE_TORTURE_SEED={SEED}")
    killed = Killed(folder, seed)
    killed.promises.faulty = True
    for _ in range(rounds):
        words = fault(killed.chance)
        print(*words)
        killed.promises.hear(run(killed, ["strace", "-f", "-qq", "-o", "/dev/null", *words], 40))
        killed.promises.check(killed.folder, killed.store)
    killed.promises.swept(killed.folder, killed.store)


def test_a_disk_that_is_full_or_fails_takes_nothing_that_was_said_to_be_there(memory: Path) -> None:
    prove_faults(memory, SEED, 2)


@pytest.mark.torture
@pytest.mark.parametrize("part", range(1, 6))
def test_it_takes_nothing_sixty_times(memory: Path, part: int) -> None:
    prove_faults(memory, SEED + part, 12)


@pytest.fixture(autouse=True)
def _strace_is_there() -> None:
    assert shutil.which("strace"), "these tests need the Debian package strace"
