"""The demo is told to end: nothing of it goes on, and the shell is told so. Real processes, as a terminal would signal them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from softphone.archive.archive import Archive
from softphone.archive.examine.verify import verify
from softphone.bootstrap.home import key_store
from softphone.system.endpoint import read_endpoint
from softphone.system.single import take_turn

ENVIRONMENT = {**os.environ, "LANG": "C", "LC_ALL": "C"}


def command(folder: Path, *options: str) -> list[str]:
    told = ["demo", "--headless", "--notice", "N1", "--seconds", "60", "--archive", str(folder)]
    return [sys.executable, "-m", "softphone.cli", *told, *options]


@contextmanager
def demo(folder: Path, *options: str) -> Generator[subprocess.Popen[str]]:
    """In a process group of its own, as a shell starts it."""
    process = subprocess.Popen(
        command(folder, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        process_group=0,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], event: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("event") == event:
            return
    raise AssertionError(f"no {event}: {process.stderr and process.stderr.read()}")


def working_in(folder: Path) -> list[str]:
    """The command lines of processes that have to do with this folder."""
    lines = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"]) if one.pid != os.getpid()]
    return [" ".join(words) for words in lines if any(word.startswith(str(folder)) for word in words)]


def group_of(process: psutil.Process) -> int | None:
    if sys.platform == "win32":
        return None
    try:
        return os.getpgid(process.pid)
    except OSError:
        return None  # it has just ended


def end_by(number: int, process: subprocess.Popen[str], folder: Path) -> None:
    """In mid-call: customer, engine and desk end."""
    wait_for(process, "first_sample")
    assert read_endpoint(folder / "phone" / "runtime") is not None
    assert len(working_in(folder)) >= 3
    # A terminal and `timeout` signal the group, which is the demo alone: it ends the customer and the engine itself.
    assert [one.pid for one in psutil.process_iter() if group_of(one) == process.pid] == [process.pid]
    process.send_signal(number)
    os.kill(-process.pid, number)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert errors == ""
    assert json.loads(output.splitlines()[-1])["event"] == "interrupted"
    assert working_in(folder) == []
    take_turn(folder / "phone" / "runtime", 0).close()
    archive = Archive.open(folder, key_store(folder))
    assert verify(archive).ok
    archive.close()


@pytest.mark.journey
def test_a_signal_in_mid_call_ends_customer_engine_and_desk(folder: Path) -> None:
    with demo(folder, "--json") as process:
        end_by(signal.SIGTERM, process, folder)


@pytest.mark.journey
def test_a_second_demo_in_the_folder_of_a_running_one_is_refused_and_ctrl_c_ends_the_first(
    folder: Path,
) -> None:
    with demo(folder, "--json") as first:
        wait_for(first, "ready")
        policy = folder / "phone" / "config" / "policy.toml"
        written = policy.stat().st_mtime_ns
        second = subprocess.run(
            command(folder), capture_output=True, text=True, timeout=30, env=ENVIRONMENT, check=False
        )
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.startswith(f"A demo is already running in {folder}")
        assert policy.stat().st_mtime_ns == written
        end_by(signal.SIGINT, first, folder)


@pytest.mark.journey
def test_an_engine_that_breaks_off_in_mid_call_ends_the_demo_in_a_sentence(folder: Path) -> None:
    with demo(folder, "--json") as process:
        wait_for(process, "first_sample")
        endpoint = read_endpoint(folder / "phone" / "runtime")
        assert endpoint is not None
        psutil.Process(endpoint.pid).kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the phone crashed in the middle of it" in errors
    assert working_in(folder) == []


INTERRUPTED_IN_A_SLOT = """
import signal, sys
from softphone import cli
from softphone.ui import app
make = app.make_application
def made():
    one = make()
    one.applicationNameChanged.connect(lambda: signal.raise_signal(signal.SIGTERM))
    one.setApplicationName("signalled")
    return one
app.make_application = made
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.journey
def test_a_signal_while_qt_is_at_work_before_its_loop_is_kept_not_lost_in_a_slot(folder: Path) -> None:
    words = command(folder)[3:]
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IN_A_SLOT, *words],
        capture_output=True,
        text=True,
        timeout=30,
        env=ENVIRONMENT,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (run.returncode, run.stderr) == (143, "")
    assert "Interrupted." in run.stdout
    assert working_in(folder) == []


@pytest.mark.journey
def test_a_signal_while_the_demo_is_coming_up_leaves_nothing(folder: Path) -> None:
    with demo(folder) as process:
        assert process.stdout is not None
        assert str(folder) in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (143, "")
    assert "Interrupted." in output
    assert working_in(folder) == []
