"""`klartone quit`, as an update calls it: when it ends, an idle phone and its window are gone, and no other takes their place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from softphone import cli
from softphone.bootstrap.home import Home
from softphone.crashes import FOLDER
from softphone.system.settings import save_settings
from softphone.wire.snapshot import Account, Settings
from tests.peers.processes import end, until
from tests.peers.second_phone import ROOT

pytestmark = pytest.mark.journey


def test_an_idle_phone_ends_with_its_window_and_starts_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home.within(tmp_path)
    account = Account("a", "a@127.0.0.1", register=False)
    save_settings(home.folders.config, Settings((account,), microphone="none", speaker="none", bind="127.0.0.1"))

    def klartone(*words: str) -> tuple[int, str]:
        status = cli.main(["--home", str(home.root), *words])
        return status, capsys.readouterr().out

    def ready() -> bool:
        status, told = klartone("status", "--json")
        return status == 0 and json.loads(told)["window"]

    opens = [sys.executable, "-m", "softphone", "--home", str(home.root), "desk"]
    offscreen = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    desk = subprocess.Popen(opens, cwd=ROOT, env=offscreen, stderr=subprocess.PIPE)
    try:
        until(ready, 60, "a phone with its window")
        # Opened once more, it is still one window: a second one would start the phone again.
        assert subprocess.run(opens, cwd=ROOT, env=offscreen, timeout=30, check=False).returncode == 0
        assert desk.poll() is None
        status, told = klartone("quit", "--wait", "30")
        assert status == 0, told
        assert desk.wait(1) == 0
        assert desk.stderr is not None
        assert desk.stderr.read() == b""
    finally:
        end(desk)
    assert klartone("status", "--json")[0] == 3
    engines = [one.name for one in (home.folders.log / FOLDER).glob("engine-*")]
    assert len(engines) == 1, "another engine has been started"
