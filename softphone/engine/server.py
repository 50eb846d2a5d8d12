"""The engine's door: clients over a local socket or over stdin and stdout, each with a reader and a writer thread.

It carries messages and knows no call. Whatever a client does, the loop never waits for it.
"""

from __future__ import annotations

import contextlib
import hmac
import io
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from softphone.domain.errors import EngineError
from softphone.engine.outbox import Outbox
from softphone.wire.codec import LINE_LIMIT, PROTOCOL, WireError, decode_to_engine, id_of
from softphone.wire.from_engine import Hello, Refused
from softphone.wire.snapshot import CodedText
from softphone.wire.to_engine import Attach, Command, Ping

LONGEST_PATH = 100
"""bytes of a Unix socket's path that work everywhere; a longer one is not used"""
LINES_A_SECOND = 100
"""of one client a second; what it sends beyond that waits in its own connection"""
LAST_WORDS = 2.0
"""seconds in which a client that says no more still gets what waits for it"""
ATTACH_TIME = 5.0
"""seconds in which a client must have sent its whole first line, however it comes"""
UNKNOWN_AT_ONCE = 32
"""clients that have not said the secret yet; one more shows the first of them out: a client with the secret says it at once"""
ATTACH_LIMIT = 4096
"""bytes of that first line"""
ACCEPT_AGAIN = 0.5
"""seconds until the next try after failing to accept a client (too many open files, or it is gone already)"""


@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """An attached client. `desk` can press opt-out. A desk that does not ping counts as there until it is gone."""

    desk: bool
    outbox: Outbox
    pings: bool = True


@dataclass(frozen=True, slots=True)
class Attached:
    client: Client


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A client said something."""

    client: Client
    message: Command | Ping


@dataclass(frozen=True, slots=True)
class Detached:
    client: Client


Inbox = Callable[[Attached | ClientMessage | Detached], None]


class Server:
    """Listens in `folder` (a Unix socket) or, where there are none, on loopback TCP.

    Clients connect to `address`. Raises EngineError if it cannot listen.
    """

    def __init__(self, folder: Path, secret: str, version: str, inbox: Inbox, *, unix: bool) -> None:
        self._secret = secret.encode()
        self._hello = Hello(PROTOCOL, version, os.getpid())
        self._inbox = inbox
        self._path: Path | None = None
        self._closed = threading.Event()
        self._unknown: dict[socket.socket, None] = {}
        self._unknown_lock = threading.Lock()
        try:
            path = folder / f"engine-{os.getpid()}.sock"
            if sys.platform != "win32" and unix and len(os.fsencode(path)) <= LONGEST_PATH:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._path = path
                self._path.unlink(missing_ok=True)
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.bind(str(self._path))
                self._path.chmod(0o600)
                self.address = f"unix:{self._path}"
            else:
                self._socket = socket.create_server(("127.0.0.1", 0))
                self.address = f"tcp:127.0.0.1:{self._socket.getsockname()[1]}"
            self._socket.listen()
        except OSError as error:
            raise EngineError("error.engine.cannot_listen", folder=str(folder), detail=str(error)) from None
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        self._socket.close()
        if self._path:
            self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._closed.wait(ACCEPT_AGAIN):
                    return
                continue
            self._take_in(connection)
            threading.Thread(target=self._serve, args=(connection,), name="client", daemon=True).start()

    def _take_in(self, connection: socket.socket) -> None:
        with self._unknown_lock:
            self._unknown[connection] = None
            crowded_out = next(iter(self._unknown)) if len(self._unknown) > UNKNOWN_AT_ONCE else None
            if crowded_out is not None:
                del self._unknown[crowded_out]
                _cut(crowded_out)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            try:
                first, rest = _first_line(connection)
                attached = decode_to_engine(first)
            except WireError:
                return
            finally:
                with self._unknown_lock:
                    self._unknown.pop(connection, None)
            if not (isinstance(attached, Attach) and hmac.compare_digest(attached.secret.encode(), self._secret)):
                return
            connection.settimeout(None)
            reader = io.BufferedReader(_PrefixedStream(rest, connection))

            converse(
                reader,
                connection.makefile("wb"),
                self._hello,
                self._inbox,
                desk=attached.role == "desk",
                cut=lambda: _cut(connection),
            )


def converse(
    reader: IO[bytes],
    writer: IO[bytes],
    hello: Hello,
    inbox: Inbox,
    *,
    desk: bool,
    cut: Callable[[], None],
    pings: bool = True,
) -> None:
    """Serves one client until it is gone: its lines into the inbox, its outbox onto the writer.

    `cut` ends a client whose outbox has run over. A line that is not a message is answered with `Refused`; one that is too
    long ends the client.
    """
    client = Client(desk, Outbox(cut), pings)
    client.outbox.put(hello)

    def write() -> None:
        try:
            while (waiting := client.outbox.take()) is not None:
                writer.write(waiting)
                writer.flush()
        except OSError:
            pass  # it is gone
        finally:
            cut()

    writing = threading.Thread(target=write, name="client writer", daemon=True)
    writing.start()
    inbox(Attached(client))
    pace = _LineLimiter()
    try:
        while line := reader.readline(LINE_LIMIT + 1):
            if len(line) > LINE_LIMIT:
                # The rest is its tail and not a message of its own, whatever it looks like.
                client.outbox.put(
                    Refused("", CodedText("error.wire.not_understood", {"detail": f"longer than {LINE_LIMIT} bytes"}))
                )
                break
            pace()
            if not line.strip():
                continue
            try:
                message = decode_to_engine(line)
            except WireError as error:
                client.outbox.put(Refused(id_of(line), CodedText(error.code, error.params)))
                continue
            if not isinstance(message, Attach):
                inbox(ClientMessage(client, message))
    except (OSError, ValueError):
        pass
    finally:
        # The job that takes this closes the outbox, once everything before has been answered.
        inbox(Detached(client))
        writing.join(LAST_WORDS)
        client.outbox.close()


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _first_line(connection: socket.socket) -> tuple[bytes, bytes]:
    """The first line and what came after it, all within `ATTACH_TIME`. Raises OSError: it did not come in time."""
    until, got = time.monotonic() + ATTACH_TIME, b""
    while b"\n" not in got and len(got) < ATTACH_LIMIT:
        connection.settimeout(max(until - time.monotonic(), 0.001))
        more = connection.recv(ATTACH_LIMIT)
        if not more or time.monotonic() > until:
            raise TimeoutError
        got += more
    first, _, rest = got.partition(b"\n")
    return first, rest


class _LineLimiter:
    """Called once a line; waits if there were too many of late."""

    def __init__(self) -> None:
        self._began, self._lines = time.monotonic(), 0

    def __call__(self) -> None:
        self._lines += 1
        since = time.monotonic() - self._began
        if since >= 1.0:
            self._began, self._lines = time.monotonic(), 1
        elif self._lines > LINES_A_SECOND:
            time.sleep(1.0 - since)


class _PrefixedStream(io.RawIOBase):
    """What a connection sends, after what has been taken from it already."""

    def __init__(self, taken: bytes, connection: socket.socket) -> None:
        self._taken, self._connection = taken, connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self._taken:
            size = min(len(buffer), len(self._taken))
            buffer[:size], self._taken = self._taken[:size], self._taken[size:]
            return size
        return self._connection.recv_into(buffer)
