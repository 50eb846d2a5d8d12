"""Loaded by `make quick`: its tests are pure. One that starts a process, talks to another or opens a database fails.

What is pure is chosen in `.ci/quick`, and held to it here.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest
from sqlcipher3 import dbapi2  # pyright: ignore[reportUnknownVariableType]

IMPURE = {
    "subprocess.Popen",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.exec",
    "socket.connect",
    "socket.bind",
    "sqlite3.connect",
    "sqlcipher3.connect",
}
_running = False


class ImpureError(Exception):
    """A pure test did what only a test with real parts may."""


def _heard(event: str, _: tuple[object, ...]) -> None:
    if _running and event in IMPURE:
        raise ImpureError(f"{event} in a test that .ci/quick calls pure: take its file out of that list")


sys.addaudithook(_heard)
_sqlcipher: Any = dbapi2
_connect = _sqlcipher.connect


def _audited(*args: Any, **options: Any) -> object:
    """SQLCipher's module tells no audit hook, as Python's own does."""
    sys.audit("sqlcipher3.connect")
    return _connect(*args, **options)


_sqlcipher.connect = _audited


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    global _running
    _running = True
    try:
        return (yield)
    finally:
        _running = False
