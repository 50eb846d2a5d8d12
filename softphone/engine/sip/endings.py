"""How calls end, and why, as far as the other side says it. pjsua2 hands on no CANCEL: the edge says why one came."""

from __future__ import annotations

from collections.abc import Callable

from softphone.domain.ending import Said, ending_of
from softphone.engine.sip import events
from softphone.engine.sip.call import Leg
from softphone.engine.sip.endpoint import MAX_CALLS
from softphone.engine.sip.timers import Timers

CANCEL_TOLD_WITHIN = 0.1
"""seconds that the end of a call waits for the edge's word on its CANCEL"""


class Endings:
    def __init__(self, timers: Timers, emit: Callable[[events.PhoneEvent], None], *, by_edge: bool) -> None:
        self._timers = timers
        self._emit = emit
        self._by_edge = by_edge
        self._cancelled: dict[str, Said] = {}
        """why callers take their calls back, by Call-ID"""
        self._untold: dict[str, Callable[[], None]] = {}
        """ends of calls that wait for that"""

    def tell(self, leg: Leg, code: int, reason: str, *, by_us: bool) -> None:
        answered, said = leg.established, leg.said
        # Values alone: the pjsua2 call is not kept beyond its end.
        call, sip_id, incoming, elsewhere = leg.call, leg.director.sip_call_id, leg.incoming, leg.director.redirected_to

        def tell() -> None:
            last = said if answered else self._cancelled.pop(sip_id, said)
            why = ending_of(code, last, incoming=incoming, answered=answered, by_us=by_us)
            self._emit(events.CallEnded(call, code, reason, by_us, elsewhere, why, last.again))

        if self._by_edge and incoming and not (answered or by_us or sip_id in self._cancelled):
            # The edge may be later than pjsua2.
            self._untold[sip_id] = tell
            self._timers.after(CANCEL_TOLD_WITHIN, lambda: self._tell_waiting(sip_id))
        else:
            tell()

    def cancelled(self, call_id: str, said: Said) -> None:
        """Why the caller takes its call back."""
        self._cancelled[call_id] = said
        while len(self._cancelled) > MAX_CALLS:
            del self._cancelled[next(iter(self._cancelled))]
        self._tell_waiting(call_id)

    def _tell_waiting(self, call_id: str) -> None:
        if (tell := self._untold.pop(call_id, None)) is not None:
            tell()
