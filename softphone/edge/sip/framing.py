"""Messages out of a stream (RFC 3261 18.3), by the blank line and Content-Length. It keeps no byte beyond the limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.reading import MOST_BYTES

PING = b"\r\n\r\n"
PONG = b"\r\n"
"""RFC 5626 4.4.1"""

_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*+:(?:[ \t]|\r\n[ \t])*+([0-9]{1,6})[ \t]*+(?=\r\n)", re.IGNORECASE
)
_NAMED = re.compile(rb"\r\n(?:content-length|l)[ \t]*+:", re.IGNORECASE)


class StreamFramer:
    """One for a connection. After Malformed the connection must be closed, since the next message's beginning is not known."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._seen = 0
        """searched so far without a head's end: a head in a thousand pieces is not searched a thousand times"""
        self._wanted = 0
        """length of the current message, once its head is there"""

    @property
    def waiting(self) -> int:
        """bytes of an unfinished message"""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The whole messages so far, and PING or PONG for a keep-alive. A fault is raised after what came before it."""
        self._buffer += data
        while self._buffer:
            if not self._wanted:
                if self._buffer[0] in b"\r\n":
                    if (alive := self._keep_alive()) is None:
                        return
                    yield alive
                    continue
                if not self._head():
                    return
            if len(self._buffer) < self._wanted:
                return
            message = bytes(self._buffer[: self._wanted])
            del self._buffer[: self._wanted]
            self._wanted = self._seen = 0
            yield message

    def _keep_alive(self) -> bytes | None:
        for alive in (PING, PONG):
            if self._buffer.startswith(alive):
                del self._buffer[: len(alive)]
                return alive
        if not PING.startswith(self._buffer):
            raise Malformed("line_end")
        return None

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n", max(0, self._seen - 3), MOST_BYTES)
        if end < 0:
            self._seen = len(self._buffer)
            if self._seen >= MOST_BYTES:
                raise Malformed("too_long", 513)
            return False
        head = bytes(self._buffer[: end + 2])
        lengths = _LENGTH.findall(head)
        if len(lengths) != 1 or len(_NAMED.findall(head)) != 1:
            raise Malformed("Content-Length")
        self._wanted = end + 4 + int(lengths[0])
        if self._wanted > MOST_BYTES:
            raise Malformed("too_long", 513)
        return True
