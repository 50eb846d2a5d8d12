"""Processes that need not load the program each time: one that has loaded it forks each of them.

    process = forked("softphone.cli", "--home", home, "engine", stderr=words)

As `python -m MODULE …` with a pipe to its stdin, and a second of a core less. What it starts of the program is forked too, and
is no child of it. Outside of pytest it is started just so. What a start itself proves is started by `subprocess`. Nothing here
knows what runs.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import psutil

ROOT = Path(__file__).resolve().parents[2]
LOADED = (
    "softphone.bootstrap.engine_parts",
    "softphone.cli",
    "softphone.demo.director",
    "softphone.demo.story",
    "softphone.edge.process",
    "softphone.plugin.host",
    "softphone.ui.app",
    "tests.peers.customer",
)
RUN = ("softphone.plugin.host", "tests.peers.customer")
"""of those, what a process runs as its own main module"""
STARTING = (
    "softphone.bootstrap.starting",
    "softphone.demo.director",
    "softphone.engine.edge",
    "softphone.plugin.client",
)
"""what starts processes: in one that was forked, these are forked too"""
WEIGHED = "tests.peers.weighed"
"""what starts its own, since they are weighed as its children"""
_MOST = 1 << 17
"""bytes of a request: arguments and environment"""
_MOST_DESCRIPTORS = 32
_OURS = 500
"""the first of the descriptors that are no concern of the program's"""


class Forked:
    """As `subprocess.Popen` of bytes, as far as tests use one."""

    def __init__(
        self,
        module: str,
        words: Sequence[str],
        stdin: int | IO[Any] | None = subprocess.PIPE,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | Path = ROOT,
        start_new_session: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.args = [sys.executable, "-m", module, *words]
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        self.returncode: int | None = None
        self._state, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {
            "module": module,
            "words": list(words),
            "env": dict(os.environ if env is None else env),
            "cwd": str(cwd),
            "session": start_new_session,
            "asked by": os.getpid(),
            "numbers": list(pass_fds),
        }
        with contextlib.ExitStack() as ours:
            ours.enter_context(theirs)
            streams: list[int] = []
            for number, given in enumerate((stdin, stdout, stderr)):
                if given == subprocess.PIPE:
                    reading, writing = os.pipe()
                    child, parent = (writing, reading) if number else (reading, writing)
                    setattr(self, ("stdin", "stdout", "stderr")[number], os.fdopen(parent, "rb" if number else "wb"))
                    ours.callback(os.close, child)
                elif given == subprocess.DEVNULL:
                    child = os.open(os.devnull, os.O_RDWR)
                    ours.callback(os.close, child)
                else:
                    child = number if given is None else given if isinstance(given, int) else given.fileno()
                streams.append(child)
            _ask(json.dumps(request).encode(), [*streams, theirs.fileno(), *pass_fds])
        self.pid = int(self._state.recv(64))

    def poll(self) -> int | None:
        with contextlib.suppress(TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._state.settimeout(timeout)
            try:
                self.returncode = int(self._state.recv(64))
            except (TimeoutError, BlockingIOError):
                raise TimeoutExpired(["python", str(self.pid)], timeout or 0) from None
            self._state.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended this moment
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


TimeoutExpired = subprocess.TimeoutExpired
Process = Forked | subprocess.Popen[bytes]
Ended = subprocess.CompletedProcess[str]


def forked(
    module: str,
    *words: str,
    stdout: int = subprocess.DEVNULL,
    stderr: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    inside: Sequence[str] = (),
) -> Process:
    """`stdout`: as `subprocess` names it. `inside`: what puts a process into another network, where none is forked."""
    if inside or "PYTEST_VERSION" not in os.environ:
        command = [*inside, sys.executable, "-m", module, *words]
        return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr)
    return Forked(module, words, stdout=stdout, stderr=stderr, env=env)


def run(module: str, *words: str, env: Mapping[str, str] | None = None, cwd: str | Path = ROOT) -> Ended:
    """As `subprocess.run` of text, to its end; nothing is on stdin."""
    with tempfile.TemporaryFile() as complained:
        process = Forked(
            module, words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complained, env=env, cwd=cwd
        )
        assert process.stdout
        with process.stdout:
            told = process.stdout.read()
        status = process.wait()
        complained.seek(0)
        return Ended(process.args, status, told.decode(), complained.read().decode())


def children(pid: int) -> list[psutil.Process]:
    """Those of a forked process: the ones it has started, and the ones that were forked for it."""
    own = psutil.Process(pid).children()
    return own + [one for one in psutil.process_iter(["name"]) if one.info["name"].endswith(f" {pid}")]


class ForkedProcesses:
    """In `subprocess`'s place where the program starts its own modules."""

    PIPE, DEVNULL, TimeoutExpired = subprocess.PIPE, subprocess.DEVNULL, subprocess.TimeoutExpired

    @staticmethod
    def Popen(command: Sequence[str], *, creationflags: int = 0, **how: Any) -> Process:  # noqa: N802 - its name there
        if list(command[:2]) != [sys.executable, "-m"]:
            return cast("subprocess.Popen[bytes]", subprocess.Popen(command, **how))
        how.setdefault("cwd", Path.cwd())
        return Forked(command[2], command[3:], **how)


# --- the one that forks --------------------------------------------------------------------------

_asked: list[socket.socket] = []
_one_at_a_time = threading.Lock()


def load() -> None:
    """So that the first one's start takes no longer than the next one's."""
    with _one_at_a_time:
        if not _asked:
            _asked.append(_start())


def _ask(request: bytes, descriptors: Sequence[int]) -> None:
    load()
    with _one_at_a_time:
        socket.send_fds(_asked[0], [request], descriptors)


def _start() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    number = theirs.fileno()
    process = subprocess.Popen([sys.executable, "-m", "tests.peers.forked", str(number)], cwd=ROOT, pass_fds=[number])
    theirs.close()
    assert ours.recv(1), "nothing was loaded"

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(asked: Sequence[socket.socket]) -> tuple[dict[str, Any], list[int]]:
    """In the parent until nobody asks any more; in each child, what it is to run, and its descriptors."""
    with selectors.DefaultSelector() as waiting:
        for one in asked:
            waiting.register(one, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.data:
                    _tell_end(waiting, key)
                    continue
                asking = next(one for one in asked if one is key.fileobj)
                request, descriptors, _, _ = socket.recv_fds(asking, _MOST, _MOST_DESCRIPTORS)
                if not request:
                    sys.exit()
                pid = os.fork()
                if pid == 0:
                    for other in [*waiting.get_map().values()]:
                        if other.data:
                            os.close(other.fd)
                            other.data[1].close()
                    for one in asked:
                        one.close()
                    return json.loads(request), descriptors
                for descriptor in (*descriptors[:3], *descriptors[4:]):
                    os.close(descriptor)
                state = socket.socket(fileno=descriptors[3])
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, state))


def _tell_end(waiting: selectors.BaseSelector, ended: selectors.SelectorKey) -> None:
    pid, state = ended.data
    waiting.unregister(ended.fileobj)
    os.close(ended.fd)
    _, status = os.waitpid(pid, 0)
    with state, contextlib.suppress(OSError):
        state.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], descriptors: Sequence[int]) -> tuple[str, list[str]]:
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    for descriptor in descriptors[:3]:
        os.close(descriptor)
    state, *passed = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, _OURS) for one in descriptors[3:]]
    for one in descriptors[3:]:
        os.close(one)
    for one, number in zip(passed, request["numbers"], strict=True):
        os.dup2(one, number)
        os.close(one)
    # As at a start: the parent's streams take a pipe for what its own outputs were, for instance a file that seeks.
    for number, (name, mode, buffering) in enumerate((("stdin", "r", -1), ("stdout", "w", -1), ("stderr", "w", 1))):
        old = getattr(sys, name)
        stream = open(number, mode, buffering, old.encoding, old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    if request["session"]:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["cwd"])
    for name in () if request["module"] == WEIGHED else STARTING:
        sys.modules[name].subprocess = ForkedProcesses  # pyright: ignore[reportAttributeAccessIssue]
    # Where a command's line would be looked for.
    Path("/proc/self/comm").write_text(f"{request['module'].rpartition('.')[2][:7]} {request['asked by']}")
    with socket.socket(fileno=state) as told:
        told.send(str(os.getpid()).encode())
    return request["module"], request["words"]


def main() -> None:
    for name in LOADED:
        importlib.import_module(name)
    for name in RUN:
        del sys.modules[name]
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = socket.socket(fileno=int(sys.argv[1]))
    by_forked, of_forked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Out of the way of descriptors that are passed on with their numbers.
    _asked.append(socket.socket(fileno=fcntl.fcntl(of_forked, fcntl.F_DUPFD_CLOEXEC, _OURS)))
    of_forked.close()
    asked.send(b"1")
    module, words = _become(*_serve((asked, by_forked)))
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    from tests.peers import forked as loaded

    loaded.main()
