"""A desk that has no screen to be seen on says so, before it starts or writes anything. Real processes, in empty homes, and a
real X server: with its cookie, without it, and gone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from ctypes import CDLL
from pathlib import Path

import pytest

from softphone import cli
from softphone.bootstrap import screen as trying
from softphone.bootstrap.screen import has_screen
from tests.peers.screen import screen

ROOT = Path(__file__).parents[2]
NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XAUTHORITY", "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE")
NO_SCREEN = {name: value for name, value in os.environ.items() if name not in NAMES} | {"LANG": "C", "LC_ALL": "C"}
QT = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")


@pytest.fixture(scope="module")
def seen() -> Generator[dict[str, str]]:
    with screen() as there:
        yield there


@pytest.fixture(scope="module")
def gone() -> dict[str, str]:
    with screen() as there:
        return there


@pytest.fixture(params=["nothing named", "gone", "no cookie"])
def unseen(request: pytest.FixtureRequest, seen: dict[str, str], gone: dict[str, str]) -> dict[str, str]:
    named: dict[str, dict[str, str]] = {
        "nothing named": {},
        "gone": gone,
        "no cookie": {"DISPLAY": seen["DISPLAY"], "XAUTHORITY": os.devnull},
    }
    return NO_SCREEN | named[request.param]


def environment(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    """This process's, for as long as the test."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)


def klartone(home: Path, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "softphone", "--home", str(home), *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=env,
        cwd=ROOT,
        check=False,
    )


@pytest.mark.parametrize("words", [[], ["desk"], ["review"]])
def test_without_a_screen_a_window_is_refused_in_a_sentence_and_nothing_started_or_written(
    words: list[str],
    unseen: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    environment(monkeypatch, unseen)
    home = tmp_path / "home"
    status, said = cli.main(["--home", str(home), *words]), capfd.readouterr()
    assert (status, said.out) == (1, "")
    (told,) = said.err.splitlines()
    assert told.startswith("There is no screen here")
    assert words == ["review"] or told.endswith("demo --headless")
    assert not home.exists()


def test_the_program_itself_ends_with_that_sentence(gone: dict[str, str], tmp_path: Path) -> None:
    run = klartone(tmp_path / "home", "review", env=NO_SCREEN | gone)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("There is no screen here")


@pytest.mark.journey
def test_the_demo_on_a_screen_that_is_gone_goes_the_same_way_unseen_and_says_so(
    gone: dict[str, str], tmp_path: Path
) -> None:
    run = klartone(tmp_path, "demo", "--notice", "none", "--seconds", "1", env=NO_SCREEN | gone)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("There is no screen here, so the same desk runs in memory.\n")


@pytest.mark.parametrize(
    ("more", "there"),
    [
        ({}, True),
        ({"QT_QPA_PLATFORM": "xcb"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "/nonexistent"}, True),
        ({"QT_QPA_PLATFORM": "wayland", "WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "/nonexistent"}, False),
        ({"QT_QPA_PLATFORM": "wayland;xcb"}, True),
        ({"XAUTHORITY": os.devnull}, False),
        ({"XAUTHORITY": os.devnull, "QT_QPA_PLATFORM": "xcb"}, False),
        ({"XAUTHORITY": os.devnull, "QT_QPA_PLATFORM": "offscreen:size=80x60"}, True),
        ({"XAUTHORITY": os.devnull, "QT_QPA_PLATFORM": "xcb;minimal"}, True),
    ],
)
def test_there_is_a_screen_exactly_where_qt_comes_up(
    more: dict[str, str], there: bool, seen: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(monkeypatch, NO_SCREEN | seen | more)
    assert has_screen() is there
    qt = subprocess.run([sys.executable, "-c", QT], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert (qt.returncode == 0) is there


def test_a_tunnel_that_listens_and_says_nothing_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "ANSWERS_WITHIN", 0.3)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as dead:
        # X's display N is TCP's port 6000 + N.
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{dead.getsockname()[1] - 6000}")
        assert not has_screen()
        dead.accept()[0].close()  # it had come that far


def test_a_screen_whose_libraries_load_slowly_is_still_one(
    seen: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(monkeypatch, NO_SCREEN | seen)
    monkeypatch.setattr(trying, "ANSWERS_WITHIN", 0.3)
    plugin = trying._plugin

    def slowly(name: str, library: str) -> CDLL:
        time.sleep(0.6)
        return plugin(name, library)

    monkeypatch.setattr(trying, "_plugin", slowly)
    assert trying.has_screen()


def test_qts_last_words_before_it_gives_up_are_heard(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from softphone.ui.application import make_application; make_application()"],
        capture_output=True,
        text=True,
        timeout=30,
        env=NO_SCREEN | {"QT_QPA_PLATFORM": "nowhere", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode != 0
    assert "no Qt platform plugin could be initialized" in run.stderr
