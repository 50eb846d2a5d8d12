"""A phone of this user that runs, asked over its socket by a command. It looks on: it is no desk, and disturbs no call."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from softphone.system.endpoint import Endpoint, read_endpoint
from softphone.wire.codec import WireError, decode_from_engine, encode
from softphone.wire.from_engine import Hello, Snapshot
from softphone.wire.to_engine import Attach

ANSWERS_WITHIN = 3.0
"""seconds; its loop never stands still for so long"""


@dataclass(frozen=True, slots=True)
class Running:
    """`snapshot`: its state; None if it says nothing in time, or is of a version whose state cannot be read."""

    pid: int
    version: str
    snapshot: Snapshot | None


def look_at_running(runtime: Path) -> Running | None:
    """The phone that runs in this home; None: none answers."""
    endpoint = read_endpoint(runtime)
    if endpoint is None:
        return None
    try:
        connection = connect(endpoint)
    except TimeoutError:
        return Running(endpoint.pid, "", None)
    except (OSError, ValueError):
        return None
    version = ""
    with connection, connection.makefile("rb") as lines:
        try:
            connection.sendall(encode(Attach(endpoint.secret, role="observer")))
            for line in lines:
                message = decode_from_engine(line)
                if isinstance(message, Hello):
                    version = message.version
                if isinstance(message, Snapshot):
                    return Running(endpoint.pid, version, message)
        except (OSError, WireError):
            pass
    return Running(endpoint.pid, version, None)


def connect(endpoint: Endpoint, seconds: float = ANSWERS_WITHIN) -> socket.socket:
    """Raises OSError or ValueError: nobody listens there."""
    kind, _, where = endpoint.address.partition(":")
    if kind == "tcp":
        host, _, port = where.rpartition(":")
        return socket.create_connection((host, int(port)), seconds)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(seconds)
    try:
        made.connect(where)
    except BaseException:
        made.close()
        raise
    return made
