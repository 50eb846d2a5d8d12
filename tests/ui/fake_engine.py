"""An engine that plays a script: real wire bytes over a real local socket, in threads of its own. No part of ours is in it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from softphone.system.endpoint import Endpoint
from softphone.wire.codec import PROTOCOL, WireError, decode_to_engine, encode
from softphone.wire.from_engine import Hello, Snapshot
from softphone.wire.to_engine import Attach, Ping


class FakeEngine:
    """`received` holds every message a client sent, in order; `snapshot` is what an attached client is told first, after
    a greeting in `protocol`. `left` counts clients that went by themselves."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self.snapshot = snapshot
        self.protocol = PROTOCOL
        self.left = 0
        self.received: list[object] = []
        self.attached: list[Attach] = []
        self.pings = 0
        self.starts = 0
        self.endpoint: Endpoint | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="kt-"))
        self._listener: socket.socket | None = None
        self._clients: list[socket.socket] = []
        self._changed = threading.Condition()

    def start(self) -> None:
        """Listen, under a new address and a new secret, and take in who comes."""
        if sys.platform == "win32":
            self.start_on_tcp()
            return
        threading.Thread(target=self._accept, args=(self.listen(),), daemon=True).start()

    def listen(self) -> socket.socket:
        """As an engine that has not come to its door yet, or is just dying."""
        self.starts += 1
        path = self._folder / f"s{self.starts}"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        self._listener = listener
        self.endpoint = Endpoint(f"unix:{path}", secrets.token_urlsafe(16), os.getpid(), PROTOCOL)
        return listener

    def start_on_tcp(self) -> None:
        self.starts += 1
        listener = socket.create_server(("127.0.0.1", 0))
        self._listener = listener
        address = f"tcp:127.0.0.1:{listener.getsockname()[1]}"
        self.endpoint = Endpoint(address, secrets.token_urlsafe(16), os.getpid(), PROTOCOL)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def die(self) -> None:
        """As after kill -9: every socket is closed at once, the endpoint file stays."""
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        clients, self._clients = self._clients, []
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()

    def close(self) -> None:
        self.die()
        shutil.rmtree(self._folder, ignore_errors=True)

    def tell(self, *messages: object) -> None:
        """All messages in one write to whoever is attached."""
        self.tell_bytes(b"".join(encode(message) for message in messages))

    def tell_bytes(self, lines: bytes) -> None:
        self._clients[-1].sendall(lines)

    def wait_for(self, met: Callable[[], bool], seconds: float = 15.0) -> bool:
        with self._changed:
            return self._changed.wait_for(met, seconds)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            with contextlib.suppress(OSError, ValueError, WireError), client.makefile("rb") as lines:
                first = decode_to_engine(lines.readline())
                if not isinstance(first, Attach) or self.endpoint is None or first.secret != self.endpoint.secret:
                    return
                self._clients.append(client)
                client.sendall(encode(Hello(self.protocol, "1", os.getpid())))
                if self.snapshot:
                    client.sendall(encode(self.snapshot))
                self._note(first)
                for line in lines:
                    self._note(decode_to_engine(line))
            # One that goes while it is still being written to has gone by itself too.
            if client in self._clients:
                with self._changed:
                    self.left += 1
                    self._changed.notify_all()

    def _note(self, message: object) -> None:
        with self._changed:
            if isinstance(message, Attach):
                self.attached.append(message)
            elif isinstance(message, Ping):
                self.pings += 1
            else:
                self.received.append(message)
            self._changed.notify_all()
