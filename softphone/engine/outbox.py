"""What waits to be written to one client. Snapshots and levels replace each other, events queue; nobody waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition

from softphone.system.logbook import log
from softphone.wire.codec import encode
from softphone.wire.from_engine import Levels, Snapshot

_log = log.getChild("engine")

LIMIT = 10_000
"""events waiting for a client that does not read; past that the client is cut off"""


class Outbox:
    """The loop fills it, the client's own writer thread empties it. `cut` ends the client when it runs over."""

    def __init__(self, cut: Callable[[], None] = lambda: None) -> None:
        self._cut = cut
        self._events: deque[object] = deque()
        self._latest: dict[type, object] = {}
        self._changed = Condition()
        self._closed = False

    def put(self, message: object) -> None:
        """Never blocks on the client."""
        with self._changed:
            if isinstance(message, Snapshot | Levels):
                self._latest[type(message)] = message
            elif len(self._events) < LIMIT:
                self._events.append(message)
            elif not self._closed:
                self._closed = True
                self._cut()
            self._changed.notify()

    def close(self) -> None:
        """What waits is still handed out, then `take` returns None."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self) -> bytes | None:
        """All that waits, encoded, the newest snapshot last; None when it is closed and empty. Blocks while empty.

        What cannot be encoded is left out and logged by its type: the client loses that message, not the connection.
        """
        with self._changed:
            while not (self._events or self._latest or self._closed):
                self._changed.wait()
            waiting = [*self._events, *self._latest.values()]
            self._events.clear()
            self._latest.clear()
        return b"".join(_encoded(message) for message in waiting) if waiting else None


def _encoded(message: object) -> bytes:
    try:
        return encode(message)
    except ValueError:  # pydantic's message repeats the contents
        _log.error("a message of type %s could not be encoded", type(message).__name__)
        return b""
