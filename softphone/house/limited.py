"""Connections whose answer has a limit as a whole. A socket's own counts for each read: who drips holds it for ever.

It begins once all is sent, and ends a proxy's answer too. It knows nothing of what is asked.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class Limit:
    """Of one answer. `over`: its time has passed, and what came last is no answer."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.over = False
        self._socket: socket.socket | None = connection.sock
        self._timer: threading.Timer | None = None
        if isinstance(connection.timeout, int | float) and self._socket is not None:
            self._timer = threading.Timer(connection.timeout, self._cut)
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _cut(self) -> None:
        self.over = True
        with suppress(OSError):
            # Not the TLS socket's own: after that one it would read on without TLS.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # pyright: ignore[reportArgumentType]


def limit_of(response: object) -> Limit:
    return response.klartone_limit  # pyright: ignore


@contextmanager
def _limited(connection: HTTPConnection) -> Generator[Limit]:
    limit = Limit(connection)
    try:
        yield limit
    except BaseException:
        limit.end()
        if limit.over:
            raise TimeoutError from None
        raise
    if limit.over:
        raise TimeoutError


class _Answers(HTTPConnection):
    def getresponse(self) -> HTTPResponse:
        with _limited(self) as limit:
            response: Any = super().getresponse()
            response.klartone_limit = limit
            if limit.over:
                response.close()  # cut off in its head, it looks like a whole one
        return response

    def _tunnel(self) -> None:
        with _limited(self) as limit:
            super()._tunnel()  # pyright: ignore
        limit.end()


class _Secure(_Answers, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Answers  # pyright: ignore[reportAssignmentType]


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure  # pyright: ignore[reportAssignmentType]


def limited(pools: PoolManager) -> PoolManager:
    pools.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}  # pyright: ignore[reportAttributeAccessIssue]
    return pools
