"""How many of PJSIP's descriptors are taken at the moment, as far as others can take them: by calls, and by TCP connections.

PJSIP has room for 64 sockets of each kind, gives one that was closed free half a second late, and aborts without room: the only
way to survive a flood is to read no more of it for that long. It knows no call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from softphone.engine.turns import seconds

AT_ONCE = 8
"""calls that may go, and connections that may come or go, within a moment"""
MOMENT = 0.8
"""seconds: what was closed before is free again, also on a busy machine"""
CONNECTIONS = 16
"""that may stand; a phone has one for each account and call at most"""


@dataclass(slots=True)
class _Standing:
    spoke: bool = False
    """a message has come by it"""
    ours: bool = False
    """an account's own: its registrar has answered by it"""
    leaves: bool = False


class Crowd:
    """`now` is monotonic."""

    def __init__(self, now: Callable[[], float] = seconds) -> None:
        self._now = now
        self._calls: deque[float] = deque(maxlen=AT_ONCE)
        self._connections: deque[float] = deque(maxlen=AT_ONCE)
        self._standing: dict[int, _Standing] = {}

    def call_went(self) -> None:
        self._calls.append(self._now())

    def connected(self, connection: int) -> int | None:
        """The connection that is to be let go, where there is no room for one more: the oldest that has brought no message, or
        else the oldest that no account of ours uses. Never the newest while there is another: it may be the phone's own."""
        self._connections.append(self._now())
        self._standing[connection] = _Standing()
        stay = {number: it for number, it in self._standing.items() if not it.leaves}
        if len(stay) <= CONNECTIONS:
            return None
        silent = (number for number, it in stay.items() if not it.spoke)
        others = (number for number, it in stay.items() if not it.ours)
        chosen = next(silent)
        if chosen == connection:
            chosen = next(others)
        self._standing[chosen].leaves = True
        return chosen

    def spoke(self, connection: int, *, ours: bool) -> None:
        """A message came by it; `ours`: a registrar's answer to us."""
        if it := self._standing.get(connection):
            it.spoke, it.ours = True, it.ours or ours

    def disconnected(self, connection: int) -> None:
        if connection in self._standing:
            del self._standing[connection]
            self._connections.append(self._now())

    def too_many(self) -> bool:
        """Whether reading more just now would be dangerous. It passes by itself."""
        return any(len(one) == AT_ONCE and self._now() - one[0] < MOMENT for one in (self._calls, self._connections))
