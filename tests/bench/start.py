"""Cold start: no engine runs, and a desk is started as a person starts it, until its window shows the account as registered.

The registrar is a real Kamailio; the password lies in a demo's key file, where a user's would lie in the keyring.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from softphone.bootstrap.home import DEMO_KEYS, password_name
from softphone.bootstrap.running import ended_within
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import load_settings, save_settings
from softphone.wire.snapshot import Account
from tests.bench.figures import Figure, spread
from tests.journeys.stage import ENDS_WITHIN, Stage, build
from tests.peers.kamailio import kamailio
from tests.peers.processes import end
from tests.peers.second_phone import ROOT

USER, PASSWORD = "agent", "a password of the bench"
MARKS = ("window", "engine", "registered")


def measure(times: int = 5) -> list[Figure]:
    took: dict[str, list[float]] = {mark: [] for mark in MARKS}
    with kamailio({USER: PASSWORD}) as server:
        for number in range(times + 1):
            with tempfile.TemporaryDirectory() as folder:
                marks = _start(Path(folder), server.address)
            if number:  # the first fills the system's cache of files
                for mark in MARKS:
                    took[mark].append(marks[mark])
    return [
        Figure(
            "cold start, registered",
            spread(took["registered"], "s", 2),
            "1.5 s",
            f"process start to the account shown as registered; {times} times, files in the cache",
        ),
        Figure("… window drawn", spread(took["window"], "s", 2), "", "the first paint"),
        Figure("… engine attached", spread(took["engine"], "s", 2), "", "the first whole state drawn"),
    ]


def home_of(folder: Path, registrar: str) -> Stage:
    """A home with one account there; nothing runs yet."""
    on = build(folder, lines=("n1",))
    DemoKeyFile(on.archive_folder / DEMO_KEYS).set(password_name("agent"), PASSWORD.encode())
    config = on.home.folders.config
    account = Account("agent", f"{USER}@{registrar}", user=USER, register=True)
    save_settings(config, replace(load_settings(config), accounts=(account,)))
    return on


def _start(folder: Path, registrar: str) -> dict[str, float]:
    on = home_of(folder, registrar)
    began = time.monotonic()
    desk = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.watched_desk", str(on.home.root)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    marks: dict[str, float] = {}
    assert desk.stdout is not None
    for line in desk.stdout:
        told = json.loads(line)
        marks.setdefault(told["mark"], told["at"] - began)
    end(desk)
    if not ended_within(on.home.folders.runtime, ENDS_WITHIN):  # it still writes into its folder, which is about to go
        raise TimeoutError("the engine did not end after its desk")
    return marks
