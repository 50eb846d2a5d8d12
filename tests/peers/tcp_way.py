"""A TCP way on loopback that can be cut: connections through it end, and no new one is made, until it is mended.

It may end TLS, and change what goes through it: bytes, or when they come.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Way:
    """`port` leads to port `to`. Each piece that comes goes through `sent`, and what comes back through `answered`."""

    def __init__(self, to: int, tls: ssl.SSLContext | None = None) -> None:
        self.sent: Callable[[bytes], bytes] = bytes
        self.answered: Callable[[bytes], bytes] = bytes
        self._to, self._tls = to, tls
        self._cut = False
        self._ends: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._cut = True
        for one in self._ends:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._ends.clear()

    def mend(self) -> None:
        self._cut = False

    def close(self) -> None:
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            if self._cut:
                here.close()
                continue
            if self._tls is not None:
                try:
                    here = self._tls.wrap_socket(here, server_side=True)
                except OSError:
                    continue
            there = socket.create_connection(("127.0.0.1", self._to))
            self._ends += [here, there]
            for source, sink, by in ((here, there, lambda: self.sent), (there, here, lambda: self.answered)):
                threading.Thread(target=_pass_on, args=(source, sink, by), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, by: Callable[[], Callable[[bytes], bytes]]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(by()(data))
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def way(to: int, tls: ssl.SSLContext | None = None) -> Generator[Way]:
    made = Way(to, tls)
    try:
        yield made
    finally:
        made.close()
