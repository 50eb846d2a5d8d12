"""The relay of RTP and RTCP: between the network and pjsua2, a random pair of ports a call on either side.

It pins the party's source, counts, and drops what is not the party's. It knows no SIP: the edge passes on what the SDP says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from softphone.edge.relay.call import RelayedCall
from softphone.edge.relay.events import Counters, PartySilent, RelayEvent
from softphone.edge.relay.ports import FIRST, LAST
from softphone.edge.relay.state import RelayState
from softphone.edge.turns import EdgeLoop

__all__ = ["Counters", "MediaRelay", "PartySilent", "RelayEvent", "RelayState", "RelayedCall"]

LOOK_EVERY = 0.25
"""seconds between two looks at who has fallen silent"""


class MediaRelay:
    """One for the process. Everything, `on_event` too, runs on `loop`.

    `host` is the address of the network's side; empty: every address.
    """

    def __init__(self, loop: EdgeLoop, host: str, on_event: Callable[[RelayEvent], None]) -> None:
        self.counters = Counters()
        self.ports: tuple[int, int] = FIRST, LAST
        """the first and the last that a call may have on the network's side"""
        self._loop = loop
        self._host = host
        self._on_event = on_event
        self._calls: set[RelayedCall] = set()
        self._timer: asyncio.TimerHandle | None = None

    def open(self, call_id: str, resumes: RelayState | None = None) -> RelayedCall:
        """Raises OSError where no pair of ports is free. `resumes`: the same ports again, of a relay that is gone."""
        call = RelayedCall(
            call_id,
            self._host,
            loop=self._loop,
            tell=self._on_event,
            counters=self.counters,
            closed=self._calls.discard,
            resumes=resumes,
            ports=self.ports,
        )
        self._calls.add(call)
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK_EVERY, self._look)
        return call

    def close(self) -> None:
        for call in [*self._calls]:
            call.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = self._loop.call_later(LOOK_EVERY, self._look) if self._calls else None
        for call in [*self._calls]:
            call.look()
