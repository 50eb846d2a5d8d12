"""How each call's connection is: pjsua2's counters of RTP and RTCP, read now and then on the polling thread.

It judges nothing about recording. The library here is built without RTCP-XR (RFC 3611): the edge reads what the party sends of
it, and none is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import fmean

import pjsua2 as pj

from softphone.calls.turns import seconds
from softphone.domain.quality import Judge, codec_named, mos, r_factor
from softphone.engine.sip import events
from softphone.engine.sip.call import Leg
from softphone.engine.sip.timers import Timers
from softphone.system.logbook import log
from softphone.wire.snapshot import Quality

LOOK_EVERY = 3.0
"""seconds; half as many packets a second are lost before anybody hears it"""
SAID_FOR = 15.0
"""seconds for which the party's own word on our sound holds"""
ENDS_MS = 80.0
"""from mouth to ear without network and jitter buffer, between two phones of this kind on an idle machine"""

_log = log.getChild("engine.sip")


@dataclass(frozen=True, slots=True)
class Counted:
    """Since the stream began. Times are ms; `there` is the peer's report on our packets."""

    packets: int
    lost: int
    late: int
    sent: int
    lost_there: int
    jitter: float
    jitter_there: float
    round_trip: float | None
    reports: int
    """how often the peer has reported"""
    buffer: float


@dataclass(slots=True)
class _Watched:
    codec: str
    last: Counted
    judge: Judge = field(default_factory=Judge)
    rs: list[float] = field(default_factory=list[float])
    worst: float = 0.0
    """share of loss in the worst look"""
    lost: int = 0
    packets: int = 0
    jitter: float = 0.0
    round_trip: float = 0.0
    there: tuple[float, float] | None = None
    """when the party last said what share of our sound it does not hear, and that share"""


class QualityWatch:
    """`begin` when a call is established, `end` before it is dropped."""

    def __init__(self, legs: Mapping[str, Leg], timers: Timers, emit: Callable[[events.PhoneEvent], None]) -> None:
        self._legs = legs
        self._timers = timers
        self._emit = emit
        self._watched: dict[str, _Watched] = {}

    def begin(self, call: str) -> None:
        if call in self._legs:
            self.look(self._legs[call])
        self._timers.after(LOOK_EVERY, lambda: self._again(call))

    def _again(self, call: str) -> None:
        leg = self._legs.get(call)
        if leg is not None and not leg.ending:
            self.look(leg)
            self._timers.after(LOOK_EVERY, lambda: self._again(call))

    def heard_there(self, call: str, lost: float) -> None:
        """Its receiver reports know nothing of what came too late to be played."""
        if (watched := self._watched.get(call)) is not None:
            watched.there = seconds(), min(lost, 1.0)

    def look(self, leg: Leg) -> None:
        found = counted(leg)
        if found is None:
            return
        codec, now = found
        watched = self._watched.get(leg.call)
        if watched is None or codec != watched.codec or now.packets < watched.last.packets:
            # The first look, or another stream than at the last: its beginning says nothing yet.
            judge = watched.judge if watched else Judge()
            fresh = _Watched(codec, now, judge)
            if watched:
                fresh.rs, fresh.lost, fresh.packets, fresh.there = (
                    watched.rs,
                    watched.lost,
                    watched.packets,
                    watched.there,
                )
            self._watched[leg.call] = fresh
            return
        before, watched.last = watched.last, now
        came, lost = now.packets - before.packets, now.lost + now.late - before.lost - before.late
        if leg.held_by_us or leg.held_by_them or came + lost <= 0:
            return
        self._measure(leg.call, watched, before, share=max(lost, 0) / (came + max(now.lost - before.lost, 0)))
        watched.lost += max(lost, 0)
        watched.packets += came

    def _measure(self, call: str, watched: _Watched, before: Counted, share: float) -> None:
        now = watched.last
        heard = now.reports > 0
        sent = now.sent - before.sent
        share_there = min(max(now.lost_there - before.lost_there, 0) / sent, 1.0) if heard and sent > 0 else 0.0
        if watched.there is not None and seconds() - watched.there[0] < SAID_FOR:
            heard, share_there = True, max(share_there, watched.there[1])
        one_way = ENDS_MS + now.buffer + (now.round_trip or 0.0) / 2
        codec = codec_named(watched.codec)
        r = min(r_factor(codec, loss=one, one_way_ms=one_way) for one in (share, share_there))
        watched.rs.append(r)
        watched.worst = max(watched.worst, share)
        watched.jitter = max(watched.jitter, now.jitter)
        watched.round_trip = max(watched.round_trip, now.round_trip or 0.0)
        self._emit(
            events.QualityMeasured(
                call,
                Quality(
                    word=watched.judge.look(r),
                    r=round(r, 1),
                    mos=round(mos(r), 2),
                    loss=round(share, 4),
                    jitter=now.jitter / 1000,
                    round_trip=None if now.round_trip is None else now.round_trip / 1000,
                    loss_there=round(share_there, 4) if heard else None,
                    jitter_there=now.jitter_there / 1000 if heard else None,
                    buffer=now.buffer / 1000,
                    codec=watched.codec,
                ),
            )
        )

    def end(self, leg: Leg) -> None:
        """Log the call's figures, if it was long enough to have any."""
        watched = self._watched.pop(leg.call, None)
        if watched is not None and watched.rs:
            _log.info(
                "quality %s r %.0f lowest %.0f loss %.2f%% worst %.1f%% jitter %.0f ms round trip %.0f ms",
                watched.codec,
                fmean(watched.rs),
                min(watched.rs),
                100 * watched.lost / max(watched.packets + watched.lost, 1),
                100 * watched.worst,
                watched.jitter,
                watched.round_trip,
            )


def counted(leg: Leg) -> tuple[str, Counted] | None:
    """The codec's name and the counters; None without a stream."""
    try:
        info, stat = leg.director.getStreamInfo(0), leg.director.getStreamStat(0)
    except pj.Error:
        return None
    rtcp = stat.rtcp
    here, there = rtcp.rxStat, rtcp.txStat
    trip = rtcp.rttUsec
    return info.codecName, Counted(
        packets=here.pkt,
        lost=here.loss,
        late=here.discard,
        sent=there.pkt,
        lost_there=there.loss,
        jitter=here.jitterUsec.last / 1000,
        jitter_there=there.jitterUsec.last / 1000,
        round_trip=trip.last / 1000 if trip.n else None,
        reports=there.updateCount,
        buffer=float(stat.jbuf.avgDelayMsec),
    )
