"""Where a running engine is found: a file in the user's runtime folder, readable by the user alone.

It holds the address of the engine's socket and the throw-away secret that a client says first. Not a protocol.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from softphone.replacing import replace_file

FILE = "engine.json"
ANSWERS_WITHIN = 1.0
"""seconds; a local socket with a listener accepts at once"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`address` is `unix:<path>` or `tcp:127.0.0.1:<port>`."""

    address: str
    secret: str
    pid: int
    protocol: int


def unix_sockets() -> bool:
    """Whether local sockets are files here; elsewhere it is loopback TCP."""
    return sys.platform != "win32"


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def write_endpoint(folder: Path, endpoint: Endpoint) -> None:
    """Written whole or not at all, readable for the user alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = folder / f"{FILE}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(endpoint), file)
    replace_file(fresh, folder / FILE)


def read_endpoint(folder: Path) -> Endpoint | None:
    """The endpoint of the engine that last started here, or None. It may be gone: only connecting shows."""
    try:
        return own_endpoint(folder)
    except PermissionError:
        return None


def own_endpoint(folder: Path) -> Endpoint | None:
    """The same. Raises PermissionError for another user's."""
    try:
        return Endpoint(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except PermissionError:
        if sys.platform == "win32":
            return None  # it is just being replaced
        raise
    except (OSError, ValueError, TypeError):
        return None


def answers(endpoint: Endpoint) -> bool:
    """Whether anybody listens there."""
    kind, _, where = endpoint.address.partition(":")
    try:
        if kind == "tcp":
            host, _, port = where.rpartition(":")
            with socket.create_connection((host, int(port)), ANSWERS_WITHIN):
                return True
        if sys.platform == "win32":
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(ANSWERS_WITHIN)
            probe.connect(where)
            return True
    except (OSError, ValueError):
        return False


def remove_endpoint(folder: Path, pid: int) -> None:
    """Only our own: a newer engine's stays."""
    endpoint = read_endpoint(folder)
    if endpoint and endpoint.pid == pid:
        with suppress(OSError):  # Windows: a desk is just reading it. An engine that has gone answers nobody
            (folder / FILE).unlink()
