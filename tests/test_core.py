"""A crash leaves nothing on a disk of what engine and edge hold in memory. Real processes, and this system's core files."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from softphone.bootstrap.home import Home
from softphone.system.endpoint import read_endpoint
from tests.peers.processes import until

resource = pytest.importorskip("resource", reason="Windows writes no core files")


def unlimited() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_crash_of_engine_or_edge_leaves_no_core_file(tmp_path: Path) -> None:
    abort = [sys.executable, "-c", "import os; os.abort()"]
    subprocess.run(abort, cwd=tmp_path, preexec_fn=unlimited, check=False)
    there = list(tmp_path.glob("*core*"))
    if not there:
        pytest.skip("this system keeps core files in another place")
    there[0].unlink()
    home = Home.within(tmp_path / "home")
    words = [sys.executable, "-m", "softphone", "--home", str(tmp_path / "home"), "engine"]
    with subprocess.Popen(words, cwd=tmp_path, preexec_fn=unlimited) as engine:
        until(lambda: read_endpoint(home.folders.runtime) is not None, 40, "an engine")
        [edge] = [one for one in psutil.Process(engine.pid).children() if "softphone.edge" in one.cmdline()]
        edge.send_signal(signal.SIGABRT)
        until(lambda: not edge.is_running() or edge.status() == psutil.STATUS_ZOMBIE, 10, "its end")
        engine.send_signal(signal.SIGABRT)
        assert engine.wait(20) == -signal.SIGABRT
    assert [one.name for one in tmp_path.rglob("*") if "core" in one.name] == []
