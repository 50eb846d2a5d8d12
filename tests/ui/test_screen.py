"""A desk that has no screen to be seen on says so, before it starts or writes anything. Real processes, in empty homes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from softphone.bootstrap.program import has_screen

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
NO_SCREEN = {name: value for name, value in os.environ.items() if name not in SCREENS} | {"LANG": "C", "LC_ALL": "C"}

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")


@pytest.mark.parametrize("words", [[], ["desk"]])
def test_without_a_screen_the_desk_is_refused_in_a_sentence_and_no_engine_started(
    words: list[str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    run = subprocess.run(
        [sys.executable, "-m", "softphone.cli", "--home", str(home), *words],
        capture_output=True,
        text=True,
        timeout=30,
        env=NO_SCREEN,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    (told,) = run.stderr.splitlines()
    assert told.startswith("There is no screen here")
    assert told.endswith("demo --headless")
    assert not home.exists()


@pytest.mark.parametrize("name", SCREENS)
def test_a_display_or_a_platform_named_to_qt_is_a_screen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in SCREENS:
        monkeypatch.delenv(other, raising=False)
    assert not has_screen()
    monkeypatch.setenv(name, "offscreen")
    assert has_screen()


def test_qts_last_words_before_it_gives_up_are_heard(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from softphone.ui.app import make_application; make_application()"],
        capture_output=True,
        text=True,
        timeout=30,
        env=NO_SCREEN | {"QT_QPA_PLATFORM": "nowhere", "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode != 0
    assert "no Qt platform plugin could be initialized" in run.stderr
