"""The engine comes up while Qt is still being loaded: one engine, whoever asks first. Real engines, in homes of their own."""

from __future__ import annotations

import ast
import os
import signal
import socket
import sys
from collections.abc import Generator
from functools import partial
from pathlib import Path

import psutil
import pytest

from softphone.bootstrap import starting
from softphone.bootstrap.desk import desk_dependencies, start_early
from softphone.bootstrap.home import Home
from softphone.bootstrap.starting import EngineStarter
from softphone.demo.director import Played
from softphone.demo.engines import DemoEngines
from softphone.domain.errors import KlartoneError
from softphone.system.endpoint import Endpoint, answers, read_endpoint
from tests.peers.processes import until

ROOT = Path(__file__).parent.parent
# An engine outlives who started it, on purpose: Python's warning about it is not ours.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")


@pytest.fixture
def home(tmp_path: Path) -> Generator[Home]:
    home = Home.within(tmp_path)
    yield home
    for engine in engines(home):
        os.kill(engine.pid, signal.SIGTERM)
        engine.wait(10)


def engines(home: Home) -> list[psutil.Process]:
    """The engines of this home that are ours to end."""
    ours = psutil.Process().children()
    return [one for one in ours if one.status() != psutil.STATUS_ZOMBIE and str(home.root) in one.cmdline()]


def one_engine(home: Home) -> psutil.Process:
    """A process that has just begun does not show its command at once."""
    until(lambda: len(engines(home)) == 1, 15, "one engine")
    return engines(home)[0]


def there(home: Home) -> Endpoint:
    def up() -> bool:
        endpoint = read_endpoint(home.folders.runtime)
        return endpoint is not None and answers(endpoint)

    until(up, 30, "an engine that answers")
    endpoint = read_endpoint(home.folders.runtime)
    assert endpoint
    return endpoint


def test_the_desks_first_wish_for_an_engine_takes_the_one_that_is_on_its_way(home: Home) -> None:
    start = start_early(home)
    first = one_engine(home)
    start()
    assert there(home).pid == first.pid
    assert engines(home) == [first]


def test_a_desk_that_finds_an_engine_starts_none(home: Home) -> None:
    start_early(home)
    running = there(home).pid
    start_early(home)
    assert [one.pid for one in engines(home)] == [running]


def test_an_engine_that_came_to_nothing_is_started_again(home: Home) -> None:
    start = start_early(home)
    first = one_engine(home)
    first.kill()
    first.wait(10)
    start()
    assert there(home).pid != first.pid


def why_not(start: EngineStarter) -> KlartoneError:
    found: list[KlartoneError] = []

    def told() -> bool:
        found.extend([why] if (why := start.why_not()) else [])
        return bool(found)

    until(told, 30, "a reason")
    assert start.why_not() is None, "each is told once"
    return found[0]


@pytest.mark.parametrize("what", ["port", "bind", "runtime"])
def test_an_engine_that_cannot_start_tells_the_desk_why(home: Home, what: str) -> None:
    home.folders.config.mkdir(parents=True)
    settings = home.folders.config / "settings.toml"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        match what:
            case "port":
                settings.write_text(f"port = {port}")
            case "bind":
                settings.write_text('bind = "192.0.2.7"')
            case _:
                home.folders.runtime.write_text("no folder")
        start = EngineStarter(home)
        start()
        why = why_not(start)
    assert (why.code, why.params.get("bind"), why.params.get("port"), why.params.get("folder")) == {
        "port": ("port_taken", None, port, None),
        "bind": ("bind", "192.0.2.7", None, None),
        "runtime": ("error.engine.cannot_listen", None, None, str(home.folders.runtime)),
    }[what]
    if what == "port":
        start()
        assert there(home)
        assert start.why_not() is None


def test_an_engine_whose_log_cannot_be_written_starts_all_the_same(home: Home) -> None:
    home.folders.log.write_text("no folder")
    start = EngineStarter(home)
    start()
    assert there(home)
    assert start.why_not() is None


def test_an_engine_that_crashes_as_it_starts_is_told_of_with_its_last_line(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "print('earlier'); raise SystemExit('ImportError: libasound.so.2')"
    monkeypatch.setattr(starting, "klartone_command", lambda: (sys.executable, "-c", said))
    start = EngineStarter(home)
    start()
    why = why_not(start)
    assert why.code == "error.engine.crashed"
    assert why.params["detail"] == "ImportError: libasound.so.2"


def test_an_engine_that_is_slow_is_waited_for_by_desk_and_demo(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played()
    start = DemoEngines(home, played, lambda: False)
    start()
    first = one_engine(home)
    first.suspend()
    for _ in range(3):
        start()
    assert engines(home) == [first]
    monkeypatch.setattr(starting, "SLOW_AFTER", 0.0)
    assert why_not(start).code == "error.engine.slow"
    first.resume()
    assert there(home).pid == first.pid
    assert (played.failed, played.fault) == (None, None)
    # One that had come up is gone for the desk before its process has ended.
    start.came_up()
    first.suspend()
    start()
    assert len(engines(home)) == 2
    first.kill()
    assert there(home)


def test_what_engines_say_as_they_start_is_kept_until_it_is_long(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    start = EngineStarter(home)
    for said, size in ((3, 3), (3, 6), (1_000_001, 1_000_007), (4, 4)):
        program = [sys.executable, "-c", f"import sys; sys.stderr.write('x' * {said}); sys.exit(1)"]
        monkeypatch.setattr(starting, "klartone_command", partial(list[str], program))
        start()
        assert why_not(start).params["detail"] == "x" * min(said, 300)
        assert (home.folders.log / "engine-start.log").stat().st_size == size


def test_a_desk_leaves_a_faulty_settings_file_for_the_engine_to_tell_of(tmp_path: Path) -> None:
    home = Home.within(tmp_path)
    home.folders.config.mkdir(parents=True)
    file = home.folders.config / "settings.toml"
    file.write_text("policyy = 'a slip'\n", encoding="utf-8")
    desk_dependencies(home)
    assert file.exists()
    _, told = home.settings()
    assert told is not None
    assert told.code == "error.settings.faulty"
    assert not file.exists()
    # Nor is it forgotten at the next start.
    _, told = home.settings()
    assert told is not None
    assert told.code == "error.settings.set_aside"
    file.write_text("port = 0\n", encoding="utf-8")
    assert home.settings()[1] is None


def test_a_settings_file_that_cannot_be_read_stays_where_it_is(tmp_path: Path) -> None:
    home = Home.within(tmp_path)
    file = home.folders.config / "settings.toml"
    file.mkdir(parents=True)  # whoever runs the tests may read every file
    for _ in range(2):
        _, told = home.settings()
        assert told is not None
        assert told.code == "error.settings.unreadable"
        assert file.exists()


def test_no_process_that_is_started_opens_a_console_on_windows() -> None:
    """Only Windows shows one, so this reads the source. `HIDDEN` and `DETACHED` are tried there by hand."""
    flags = dict[str, str]()
    for path in (ROOT / "softphone").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("subprocess.Popen", "subprocess.run"):
                given = {one.arg: ast.unparse(one.value) for one in node.keywords}
                flags[f"{path.name}:{node.lineno}"] = given.get("creationflags", "")
    assert len(flags) >= 5
    assert {where: flag for where, flag in flags.items() if flag not in ("HIDDEN", "DETACHED")} == {}
