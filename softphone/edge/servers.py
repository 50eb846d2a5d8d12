"""Which of an account's servers gets the next request: fail-over of RFC 3263, and the way back. Pure, but for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from softphone.edge.transports import Hop

DOWN_FOR = 30.0
"""seconds for which a server that failed comes last"""
LONGEST_DOWN = 600.0
"""whatever its `Retry-After` says: it may be the only one by then"""
MOST_DOWN = 64


class Servers:
    """A REGISTER tries the servers in the order of their name, so that it comes back to the first. Calls go where the account
    is registered: they never pay for trying one that is away."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._registered: dict[str, Hop] = {}
        self._down: dict[Hop, float] = {}

    def order(self, account: str, hops: tuple[Hop, ...], method: str) -> tuple[Hop, ...]:
        """The servers that are down come last: nobody else may be there."""
        first = None if method == "REGISTER" else self._registered.get(account)
        return tuple(sorted(hops, key=lambda hop: (self.is_down(hop), hop != first)))

    def is_down(self, hop: Hop) -> bool:
        return self._down.get(hop, 0.0) > self._now()

    def failed(self, account: str, hop: Hop, seconds: float = 0.0) -> bool:
        """Whether the account is registered there: then it must register elsewhere."""
        now = self._now()
        self._down[hop] = now + min(max(seconds, DOWN_FOR), LONGEST_DOWN)
        if len(self._down) > MOST_DOWN:
            self._down = dict(sorted(self._down.items(), key=lambda one: one[1])[-MOST_DOWN // 2 :])
        if self._registered.get(account) == hop:
            del self._registered[account]
            return True
        return False

    def lost(self, account: str) -> None:
        """The server where this account is registered has gone."""
        if (hop := self._registered.get(account)) is not None:
            self.failed(account, hop)

    def answered(self, hop: Hop) -> None:
        self._down.pop(hop, None)

    def registered(self, account: str, hop: Hop) -> None:
        self._registered[account] = hop

    def forget(self, account: str) -> None:
        self._registered.pop(account, None)

    def moved(self) -> None:
        """This machine is in another network: what could not be reached may be there now."""
        self._down.clear()
