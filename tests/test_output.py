"""What a command says cannot be written, or nobody reads on: it ends, in a sentence or silently. Real processes and files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from softphone.archive.archive import Archive
from softphone.bootstrap.home import DEMO_KEYS
from softphone.system.secrets import DemoKeyFile
from tests.demo.test_interrupted import working_in

ROOT = Path(__file__).parent.parent
EXPLAIN = ["policy", "explain", str(ROOT / "resources" / "policies" / "demo.toml")]
SESSION = ["session", "--stdio", "--policy", EXPLAIN[-1]]
ENVIRONMENT = {**os.environ, "LANG": "C", "LC_ALL": "C"}

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")


def klartone(*words: str, out: IO[bytes], env: dict[str, str] = ENVIRONMENT) -> tuple[int, list[str]]:
    """Its status and what it said on stderr."""
    run = subprocess.run(
        [sys.executable, "-m", "softphone", *words],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        env=env,
        cwd=ROOT,
        check=False,
    )
    return run.returncode, run.stderr.splitlines()


@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [(["archive", "list"], ""), (SESSION, ""), (EXPLAIN, ""), (EXPLAIN, "1"), (["--help"], ""), (["--help"], "1")],
)
def test_words_that_have_no_room_are_one_sentence(words: list[str], unbuffered: str, tmp_path: Path) -> None:
    Archive.create(tmp_path, DemoKeyFile(tmp_path / DEMO_KEYS), demo=True).close()
    named = ["--archive", str(tmp_path)] if "list" in words else ["--home", str(tmp_path)] if words is SESSION else []
    with Path("/dev/full").open("wb") as full:
        status, told = klartone(*words, *named, out=full, env=ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered})
    assert (status, len(told)) == (1, 1), told
    assert told[0].startswith("The command's output could not be written (No space left on device).")


def test_what_an_output_cannot_encode_is_spelt_and_ends_no_command(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text('policy = "/nowhere/π.toml"')
    with (tmp_path / "out").open("wb") as out:
        env = ENVIRONMENT | {"LANG": "da_DK", "LC_ALL": "da_DK", "PYTHONIOENCODING": "latin-1"}
        status, told = klartone("--home", str(tmp_path), "doctor", out=out, env=env)
    said = (tmp_path / "out").read_bytes().decode("latin-1").splitlines()
    assert told == []
    # Without their signs nobody could tell what works from what does not.
    assert {line.split()[0] for line in said[:-2] if not line.startswith(" ")} == {"ok", "!!", "·"}
    assert status == 1
    assert any("/nowhere/?.toml" in line for line in said)
    assert any("nøglering" in line for line in said)


@pytest.mark.parametrize(("words", "unbuffered"), [(["policy", "schema"], ""), (["--help"], "1")])
def test_a_reader_who_has_gone_ends_a_command_silently(words: list[str], unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        assert klartone(*words, out=out, env=ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered}) == (0, [])


@pytest.mark.journey
@pytest.mark.parametrize("as_json", [pytest.param(True, marks=pytest.mark.torture), False])
def test_a_demo_whose_reader_goes_ends_at_once_with_all_that_it_has_started(as_json: bool, tmp_path: Path) -> None:
    words = ["demo", "--headless", "--seconds", "600", "--archive", str(tmp_path), *(["--json"] if as_json else [])]
    process = subprocess.Popen(
        [sys.executable, "-m", "softphone", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (0, "")
    assert working_in(tmp_path) == []


@pytest.mark.journey
def test_a_demo_that_cannot_tell_its_story_says_so_and_leaves_nothing_running(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        words = ["demo", "--headless", "--json", "--seconds", "600", "--archive", str(tmp_path)]
        status, told = klartone(*words, out=full)
    assert (status, len(told)) == (1, 1)
    assert told[0].startswith("The command's output could not be written")
    assert working_in(tmp_path) == []


INTERRUPTED_AS_IT_LOADS = """
import signal, sys, time, weakref
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "softphone.bootstrap":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
# Whoever runs the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from softphone.__main__ import main
sys.exit(main())
"""


AS_IT_RUNS = """
import signal, sys, time, types, weakref
def run():
    one = set()
    gone = weakref.ref(one, lambda _: signal.raise_signal(signal.SIGINT))
    del one
    time.sleep(30)  # until it comes again
sys.modules["softphone.cli"] = types.SimpleNamespace(main=run)
signal.signal(signal.SIGINT, signal.default_int_handler)
from softphone.__main__ import main
sys.exit(main())
"""


CUT_OFF = INTERRUPTED_AS_IT_LOADS.replace(
    "            signal.raise_signal(signal.SIGINT)\n",
    "            try:\n"
    "                signal.raise_signal(signal.SIGINT)\n"
    "                time.sleep(0.2)\n"
    "            except BaseException:\n"
    "                sys.stderr.write('cut off')\n",
)
"""as some libraries do of themselves, where others abort the process"""


AS_IT_RUNS_SLOWLY = AS_IT_RUNS.replace(
    "signal.signal(",
    "from softphone.system import loading\n"
    "again = loading.again\n"
    "loading.again = lambda number: (again(number), time.sleep(0.2))\n"
    "signal.signal(",
)
"""the hook that brings it back is still running when it comes"""


@pytest.mark.parametrize(
    "script",
    [INTERRUPTED_AS_IT_LOADS, CUT_OFF, AS_IT_RUNS, AS_IT_RUNS_SLOWLY],
    ids=["loads", "loads-long", "runs", "runs-slowly"],
)
def test_ctrl_c_ends_a_command_as_it_loads_and_in_a_callback_with_no_traceback_and_cuts_no_library_off(
    tmp_path: Path, script: str
) -> None:
    code = [sys.executable, "-c", script, "--home", str(tmp_path), *SESSION]
    with subprocess.Popen(code, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as run:
        # It waits for what another phone says.
        assert run.stderr is not None
        run.wait(60)
        errors = run.stderr.read()
    assert (run.returncode, errors) == (130, b"")


AT_A_TERMINAL = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from softphone.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("words", "language", "says"),
    [
        (["policy", "new", "{new}"], "en", "Interrupted."),
        (["keys", "--archive", "{archive}", "escrow", "make", "{new}"], "da", "Afbrudt."),
    ],
    ids=["policy-new", "escrow-make"],
)
def test_ctrl_c_at_a_question_says_that_nothing_was_written(
    words: list[str], language: str, says: str, tmp_path: Path
) -> None:
    new, archive = tmp_path / "new", tmp_path / "archive"
    Archive.create(archive, DemoKeyFile(archive / DEMO_KEYS), demo=True).close()
    master, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, *(word.format(new=new, archive=archive) for word in words)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "LC_ALL": f"{language}.UTF-8"},
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(terminal)
    with process, os.fdopen(master, "rb", buffering=0) as seen:
        try:
            assert seen.read(1)
            process.send_signal(signal.SIGINT)
            told = b""
            with suppress(OSError):  # the terminal is gone with the last that had it open
                while part := seen.read(4096):
                    told += part
            status = process.wait(60)
        finally:
            process.kill()
    assert status == 130
    assert f"\r\n{says}" in told.decode()
    assert not new.exists()


A_TABLE = """
from softphone.cli.tables import show_table
show_table([("1", "", "G31", "Opened by the team lead " * 6), ("20", "", "\\x1b[2J", "Deleted")])
"""


def test_a_table_is_folded_on_a_terminal_and_a_line_a_row_where_it_is_piped() -> None:
    def shown(out: int) -> None:
        env = {**ENVIRONMENT, "COLUMNS": "70"}
        subprocess.run([sys.executable, "-c", A_TABLE], stdout=out, env=env, cwd=ROOT, check=True, timeout=60)

    reading, pipe = os.pipe()
    shown(pipe)
    os.close(pipe)
    master, terminal = os.openpty()
    shown(terminal)
    with os.fdopen(reading) as piped, os.fdopen(master, "rb", buffering=0) as folded:
        plain, lines = piped.read().splitlines(), folded.read(4096).decode().splitlines()
    os.close(terminal)
    assert plain == [f"1   G31        {'Opened by the team lead ' * 6}".rstrip(), "20  \\u001b[2J  Deleted"]
    assert max(map(len, lines)) <= 70
    assert [line[:15].strip() for line in lines] == ["1   G31", "", "", "20  \\u001b[2J"]
    assert " ".join(lines).split() == " ".join(plain).split()


A_THREAD_IN_A_LIBRARY = """
import sys, threading
from typing import Annotated
from pydantic import AfterValidator, TypeAdapter
from softphone import cli
from softphone.__main__ import main

within = threading.Event()

def busy(value):
    within.set()
    while True:
        threading.Event().wait(0.0001)

def command():
    validated = TypeAdapter(Annotated[int, AfterValidator(busy)]).validate_python
    threading.Thread(target=validated, args=(1,), daemon=True).start()
    within.wait()
    print("done", end="")
    return 3

cli.main = command
sys.exit(main())
"""


def test_a_thread_that_is_still_within_a_library_ends_with_its_command_which_says_what_it_said() -> None:
    for _ in range(3):
        code = [sys.executable, "-c", A_THREAD_IN_A_LIBRARY]
        run = subprocess.run(code, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
        assert (run.returncode, run.stdout, run.stderr) == (3, "done", "")
