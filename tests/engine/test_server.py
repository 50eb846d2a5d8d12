"""The engine's door: who is let in, and that nobody makes the loop wait."""

from __future__ import annotations

import contextlib
import errno
import queue
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from softphone.engine import server
from softphone.engine.outbox import LIMIT, Outbox
from softphone.engine.server import Attached, ClientMessage, Detached, Server
from softphone.wire import codec, from_engine, to_engine

SECRET = "a-throw-away-secret"


class Door:
    def __init__(self, folder: Path, *, unix: bool) -> None:
        self.inbox: queue.SimpleQueue[Attached | ClientMessage | Detached] = queue.SimpleQueue()
        self.server = Server(folder, SECRET, "0", self.inbox.put, unix=unix)

    def connect(self) -> socket.socket:
        kind, _, where = self.server.address.partition(":")
        if kind == "unix":
            client = socket.socket(socket.AF_UNIX)
            client.connect(where)
        else:
            host, _, port = where.rpartition(":")
            client = socket.create_connection((host, int(port)))
        client.settimeout(10)
        return client


@pytest.fixture(params=["unix", "tcp"])
def door(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Door]:
    door = Door(tmp_path / "run", unix=request.param == "unix")
    yield door
    door.server.close()


def test_a_client_with_the_secret_is_greeted_and_heard(door: Door) -> None:
    with door.connect() as client:
        client.sendall(codec.encode(to_engine.Attach(SECRET)) + codec.encode(to_engine.Answer("1", "call")))
        hello = codec.decode_from_engine(client.makefile("rb").readline())
        assert isinstance(hello, from_engine.Hello)
        attached = door.inbox.get(timeout=10)
        assert isinstance(attached, Attached)
        assert attached.client.desk
        told = door.inbox.get(timeout=10)
        assert isinstance(told, ClientMessage)
        assert told.message == to_engine.Answer("1", "call")
    assert isinstance(door.inbox.get(timeout=10), Detached)


@pytest.mark.parametrize(
    "first",
    [codec.encode(to_engine.Attach("wrong")), codec.encode(to_engine.Ping()), b"\x00\xff\n", b"GET / HTTP/1.1\r\n"],
)
def test_whoever_does_not_know_the_secret_is_shown_out_without_a_word(door: Door, first: bytes) -> None:
    with door.connect() as client:
        client.sendall(first)
        assert client.recv(100) == b""
    assert door.inbox.empty()


def test_a_line_that_is_no_message_is_refused_and_the_next_is_heard(door: Door) -> None:
    with door.connect() as client:
        client.sendall(codec.encode(to_engine.Attach(SECRET)) + b"nonsense\n" + codec.encode(to_engine.Quit("2")))
        lines = client.makefile("rb")
        lines.readline()
        assert isinstance(codec.decode_from_engine(lines.readline()), from_engine.Refused)
        door.inbox.get(timeout=10)
        told = door.inbox.get(timeout=10)
        assert isinstance(told, ClientMessage)
        assert told.message == to_engine.Quit("2")


def test_the_tail_of_a_line_that_is_too_long_is_never_a_message(door: Door) -> None:
    with door.connect() as client:
        client.sendall(codec.encode(to_engine.Attach(SECRET)))
        lines = client.makefile("rb")
        assert isinstance(codec.decode_from_engine(lines.readline()), from_engine.Hello)
        with contextlib.suppress(OSError):
            client.sendall(b" " * codec.LINE_LIMIT + codec.encode(to_engine.Quit("2")))
        assert isinstance(door.inbox.get(timeout=10), Attached)
        # Not a word of what stood in it: the client is gone.
        assert isinstance(door.inbox.get(timeout=10), Detached)


def test_the_time_to_say_the_secret_is_not_begun_anew_by_every_byte(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ATTACH_TIME", 0.5)
    with door.connect() as client:
        client.settimeout(0.1)
        limit = time.monotonic() + 5
        while not _shown_out(client):
            assert time.monotonic() < limit
    assert door.inbox.empty()


def _shown_out(client: socket.socket) -> bool:
    """After one byte more."""
    try:
        client.sendall(b" ")
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_crowd_that_does_not_know_the_secret_keeps_nobody_out_who_does(door: Door) -> None:
    with contextlib.ExitStack() as crowd:
        silent = [crowd.enter_context(door.connect()) for _ in range(3 * server.UNKNOWN_AT_ONCE)]
        # The first had to go for the last: nobody is taken in without end.
        assert silent[0].recv(1) == b""
        with door.connect() as client:
            client.sendall(codec.encode(to_engine.Attach(SECRET)))
            assert isinstance(codec.decode_from_engine(client.makefile("rb").readline()), from_engine.Hello)


def test_the_socket_is_the_users_alone(tmp_path: Path) -> None:
    door = Door(tmp_path / "run", unix=True)
    path = Path(door.server.address.removeprefix("unix:"))
    assert path.stat().st_mode & 0o077 == 0
    door.server.close()
    assert not path.exists()


def test_a_client_that_does_not_read_holds_nobody_up(door: Door) -> None:
    with door.connect() as client:
        client.sendall(codec.encode(to_engine.Attach(SECRET)))
        attached = door.inbox.get(timeout=10)
        assert isinstance(attached, Attached)
        event = from_engine.Occurred("call", "x" * 10_000, datetime.now(UTC), None)
        began = time.monotonic()
        for _ in range(2 * LIMIT):
            attached.client.outbox.put(event)
        assert time.monotonic() - began < 5
        assert isinstance(door.inbox.get(timeout=20), Detached)


def test_of_several_snapshots_the_latest_is_written_and_every_event() -> None:
    outbox = Outbox()
    for level in range(5):
        outbox.put(from_engine.Levels(-float(level), 0.0))
        outbox.put(from_engine.Tone("call", "started"))
    waiting = outbox.take()
    assert waiting is not None
    messages = [codec.decode_from_engine(line) for line in waiting.splitlines()]
    assert messages == [from_engine.Tone("call", "started")] * 5 + [from_engine.Levels(-4.0, 0.0)]


@pytest.mark.expected_log("could not be encoded", reason="it cannot")
def test_what_cannot_be_encoded_is_left_out_and_logged_by_its_type_alone(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    with door.connect() as client:
        client.sendall(codec.encode(to_engine.Attach(SECRET)))
        attached = door.inbox.get(timeout=10)
        assert isinstance(attached, Attached)
        no_message = from_engine.Occurred(
            "call",
            "arrived",
            datetime.now(UTC),
            None,
            {"name": SimpleNamespace(x="Anna")},  # pyright: ignore[reportArgumentType]
        )
        for message in (no_message, from_engine.Tone("call", "started")):
            attached.client.outbox.put(message)
        lines = client.makefile("rb")
        assert isinstance(codec.decode_from_engine(lines.readline()), from_engine.Hello)
        assert codec.decode_from_engine(lines.readline()) == from_engine.Tone("call", "started")
    assert "Occurred" in caplog.text
    assert "Anna" not in caplog.text


def test_a_closed_outbox_hands_out_what_waits_and_ends() -> None:
    outbox = Outbox()
    outbox.put(from_engine.Tone("call", "stopped"))
    outbox.close()
    assert outbox.take() is not None
    assert outbox.take() is None


def test_a_client_that_could_not_be_taken_in_keeps_no_later_one_out(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = socket.socket.accept
    failed = threading.Event()

    def fail_once(listening: socket.socket) -> tuple[socket.socket, object]:
        if not failed.is_set():
            failed.set()
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(listening)

    monkeypatch.setattr(server, "ACCEPT_AGAIN", 0.01)
    monkeypatch.setattr(socket.socket, "accept", fail_once)
    # The door waits in the real one by now; its next try fails.
    with door.connect():
        assert failed.wait(10)
    with door.connect() as client:
        client.sendall(codec.encode(to_engine.Attach(SECRET)))
        assert isinstance(codec.decode_from_engine(client.makefile("rb").readline()), from_engine.Hello)
