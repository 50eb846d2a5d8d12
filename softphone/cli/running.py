"""A phone of this user that runs, as `doctor` sees it: also one that says nothing, or is of another version.

`softphone.bootstrap.running` speaks with one that is well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from softphone.bootstrap.running import connected
from softphone.domain.errors import EngineError
from softphone.system.endpoint import read_endpoint
from softphone.wire.codec import WireError, decode_from_engine, encode
from softphone.wire.from_engine import Hello, Snapshot
from softphone.wire.to_engine import Attach


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
        connection = connected(endpoint)
    except EngineError as error:
        return Running(endpoint.pid, "", None) if isinstance(error.__cause__, TimeoutError) else None
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
