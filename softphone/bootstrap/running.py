"""The phone that runs in this home, seen by another process of the same user: its state, and a word to it. Others cannot read
the file that says where it is."""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from softphone.domain.errors import EngineError, KlartoneError
from softphone.locking import held_by_another
from softphone.system.endpoint import Endpoint, answers, own_endpoint, read_endpoint
from softphone.system.single import DESK
from softphone.system.single import FILE as ENGINE
from softphone.wire.codec import PROTOCOL, WireError, decode_from_engine, encode
from softphone.wire.from_engine import Done, Hello, Refused, Snapshot
from softphone.wire.to_engine import Attach, ForEverybody

ANSWERS_WITHIN = 5.0
"""seconds"""
_LOOK_EVERY = 0.05


class NobodyThereError(EngineError):
    """No process listens: what the file says is of one that has gone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A phone that somebody only looks at. `snapshot`: its state; None if it says nothing in time, or is of a version whose
    state cannot be read. `version` is empty where it has not even said that."""

    pid: int
    version: str
    snapshot: Snapshot | None


class Running:
    """Attached as an observer. `hello` and `snapshot` are its first words."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Raises EngineError if it says nothing that this program understands."""
        self._socket = connected(endpoint)
        self._lines = self._socket.makefile("rb")
        self._socket.settimeout(ANSWERS_WITHIN)
        self.snapshot: Snapshot | None = None
        self._version = ""
        try:
            self._send(Attach(endpoint.secret, "observer"))
            hello = self._next()
            if not isinstance(hello, Hello):
                raise EngineError("error.running.other_version")
            self.hello, self._version = hello, hello.version
            if hello.protocol != PROTOCOL:
                raise EngineError("error.running.other_version", version=hello.version)
            while self.snapshot is None:
                self._next()
        except EngineError:
            self.close()
            raise

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, command: ForEverybody) -> None:
        """Raises KlartoneError if it refuses, EngineError if it does not answer."""
        self._send(command)
        while True:
            said = self._next()
            if isinstance(said, Refused):
                raise KlartoneError(said.said.code, **said.said.params)
            if isinstance(said, Done):
                return

    def _send(self, message: object) -> None:
        try:
            self._socket.sendall(encode(message))
        except OSError as error:
            raise EngineError("error.running.silent") from error

    def _next(self) -> object:
        try:
            line = self._lines.readline()
            said = decode_from_engine(line) if line else None
        except WireError as error:
            raise EngineError("error.running.other_version", version=self._version) from error
        except OSError as error:
            raise EngineError("error.running.silent", version=self._version) from error
        if said is None:
            raise EngineError("error.running.silent", version=self._version)
        if isinstance(said, Snapshot):
            self.snapshot = said
        return said


def running(runtime: Path) -> Running | None:
    """The phone that runs there; None if none does. Raises PermissionError for another user's, EngineError for one that does
    not answer."""
    endpoint = own_endpoint(runtime)
    return Running(endpoint) if endpoint is not None and answers(endpoint) else None


def look_at_running(runtime: Path) -> Seen | None:
    """The same for who only looks: also one that says nothing, or is of another version. None: none is there, or it is
    another user's."""
    endpoint = read_endpoint(runtime)
    if endpoint is None:
        return None
    try:
        with Running(endpoint) as phone:
            return Seen(endpoint.pid, phone.hello.version, phone.snapshot)
    except NobodyThereError:
        return None
    except EngineError as error:
        return Seen(endpoint.pid, str(error.params.get("version", "")), None)


def desk_runs(runtime: Path) -> bool:
    """Whether a window is open there."""
    return held_by_another(runtime / DESK)


def ended_within(runtime: Path, seconds: float) -> bool:
    """Whether engine and window are gone, at the latest after so many seconds."""
    until = time.monotonic() + seconds
    while held_by_another(runtime / ENGINE) or held_by_another(runtime / DESK):
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_EVERY)
    return True


def tell_of_settings(runtime: Path) -> bool | None:
    """Have the phone that runs read them anew. None: none runs; False: it does not understand, or does not answer."""
    from softphone.wire.to_engine import ReadSettings

    try:
        phone = running(runtime)
        if phone is None:
            return None
        with phone:
            phone.ask(ReadSettings("settings"))
    except (KlartoneError, OSError):
        return False
    return True


def connected(endpoint: Endpoint) -> socket.socket:
    """Raises EngineError; NobodyThereError if nobody listens."""
    kind, _, where = endpoint.address.partition(":")
    try:
        if kind == "tcp" or sys.platform == "win32":
            host, _, port = where.rpartition(":")
            return socket.create_connection((host, int(port)), ANSWERS_WITHIN)
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.settimeout(ANSWERS_WITHIN)
        found.connect(os.fspath(where))
    except TimeoutError as error:
        raise EngineError("error.running.silent") from error
    except (OSError, ValueError) as error:
        raise NobodyThereError("error.running.silent") from error
    return found
