"""Loaded by `make quick`: its tests are pure. One that starts a process, talks to another or opens a database fails.

What is pure is chosen in `.ci/quick`, and held to it here.
"""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest

IMPURE = {
    "subprocess.Popen",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.exec",
    "socket.connect",
    "socket.bind",
    "sqlite3.connect",
}
_running = False


class ImpureError(Exception):
    """A pure test did what only a test with real parts may."""


def _heard(event: str, _: tuple[object, ...]) -> None:
    if _running and event in IMPURE:
        raise ImpureError(f"{event} in a test that .ci/quick calls pure: take its file out of that list")


sys.addaudithook(_heard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    global _running
    _running = True
    try:
        return (yield)
    finally:
        _running = False
