"""Ports and processes for the real peers: a free port, a process that is ended by its id, and waiting
until something is so. Nothing here knows any one peer.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable

import psutil

from tests.peers.forked import Process


def free_port(*, and_next: bool = False) -> int:
    """A port that is free for UDP and TCP on loopback at this moment; `and_next`: so is the next one, for TCP."""
    for _ in range(50):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as following,
        ):
            udp.bind(("127.0.0.1", 0))
            port = int(udp.getsockname()[1])
            with contextlib.suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                if and_next:
                    following.bind(("127.0.0.1", port + 1))
                return port
    raise OSError("no port is free for both UDP and TCP")


def until(met: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition of another process. Raises TimeoutError naming `what`."""
    limit = time.monotonic() + seconds
    while not met():
        if time.monotonic() > limit:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.01)


def command_line(process: psutil.Process) -> str:
    """Its command; nothing of one that has ended since it was found."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def end(process: Process | subprocess.Popen[str], grace: float = 3.0) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
