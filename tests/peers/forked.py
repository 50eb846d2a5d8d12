"""Processes that need not load the program each time: one that has loaded it forks each of them.

    process = forked("softphone.cli", "--home", home, "engine", stderr=words)

As `python -m MODULE …` with a pipe to its stdin, and a second of a core less. Outside of pytest it is started just so. What a
start itself proves is started by `subprocess`. Nothing here knows what runs.
"""

from __future__ import annotations

import atexit
import contextlib
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
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
LOADED = ("softphone.bootstrap.engine_parts", "softphone.cli", "softphone.plugin.host", "tests.peers.customer")
RUN = ("softphone.plugin.host", "tests.peers.customer")
"""of those, what a process runs as its own main module"""
_MOST = 1 << 17
"""bytes of a request: arguments and environment"""


class Forked:
    """As `subprocess.Popen` of bytes, as far as tests use one."""

    def __init__(
        self,
        module: str,
        words: Sequence[str],
        stdout: int,
        stderr: int,
        env: Mapping[str, str],
        *,
        start_new_session: bool = False,
    ) -> None:
        reading, stdin = os.pipe()
        self.stdin: IO[bytes] = os.fdopen(stdin, "wb")
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        passed = [reading]
        if stdout == subprocess.PIPE:
            heard, stdout = os.pipe()
            passed.append(stdout)
            self.stdout = os.fdopen(heard, "rb")
        self.returncode: int | None = None
        self._state, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = json.dumps({"module": module, "words": list(words), "env": dict(env), "session": start_new_session})
        try:
            _ask(request.encode(), [reading, stdout, stderr, theirs.fileno()])
        finally:
            theirs.close()
            for descriptor in passed:
                os.close(descriptor)
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
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


TimeoutExpired = subprocess.TimeoutExpired
Process = Forked | subprocess.Popen[bytes]


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
    with Path(os.devnull).open("wb") as nothing:
        return Forked(
            module,
            words,
            nothing.fileno() if stdout == subprocess.DEVNULL else stdout,
            2 if stderr is None else stderr.fileno(),
            os.environ if env is None else env,
        )


class ForkedHosts:
    """In `subprocess`'s place where the program starts plugins' hosts."""

    PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL

    @staticmethod
    def Popen(command: Sequence[str], *, start_new_session: bool, **_pipes: int) -> Forked:  # noqa: N802 - its name there
        _python, _m, module, *words = command
        with Path(os.devnull).open("wb") as nothing:
            return Forked(
                module, words, subprocess.PIPE, nothing.fileno(), os.environ, start_new_session=start_new_session
            )


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


def _serve(asked: socket.socket) -> tuple[str, list[str]]:
    """In the parent until nobody asks any more; in each child, what it is to run."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(asked, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not asked:
                    _tell_end(waiting, key)
                    continue
                request, descriptors, _, _ = socket.recv_fds(asked, _MOST, 4)
                if not request:
                    sys.exit()
                pid = os.fork()
                if pid == 0:
                    for other in [*waiting.get_map().values()]:
                        if other.fileobj is not asked:
                            os.close(other.fd)
                            other.data[1].close()
                    asked.close()
                    return _become(json.loads(request), descriptors)
                for descriptor in descriptors[:3]:
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
    with socket.socket(fileno=descriptors[3]) as state:
        state.send(str(os.getpid()).encode())
    return request["module"], request["words"]


def _main() -> None:
    for name in LOADED:
        importlib.import_module(name)
    for name in RUN:
        del sys.modules[name]
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = socket.socket(fileno=int(sys.argv[1]))
    asked.send(b"1")
    module, words = _serve(asked)
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
