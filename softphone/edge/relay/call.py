"""One call's RTP and RTCP between the network and pjsua2: two pairs of ports, and what passes them.

Toward pjsua2 everything comes from one address of this machine. So pjsua2's own rule (follow the busiest sender) finds
nobody to follow. `source` decides who the party is, `presence` whether it is there, `identity` whether it is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from softphone.edge.channel import PartyHears, SoundWay, SourceChanged, SourceReturned
from softphone.edge.relay.events import Counters, RelayEvent
from softphone.edge.relay.identity import Identity
from softphone.edge.relay.packets import (
    COMFORT_NOISE,
    EVENT_BYTES,
    OLD_COMFORT_NOISE,
    Rtp,
    read_rtcp,
    read_rtp,
    read_srtcp,
)
from softphone.edge.relay.ports import FIRST, LAST, Port, is_address, open_pair
from softphone.edge.relay.presence import Presence
from softphone.edge.relay.source import Address, Doubt, Source, Verdict
from softphone.edge.relay.srtp import TAG, SrtpCheck
from softphone.edge.relay.state import RelayState
from softphone.edge.relay.stun import is_stun
from softphone.edge.turns import EdgeLoop

LOOPBACK = "127.0.0.1"
DYNAMIC = 96
REPORTS_EVERY = 1.0
"""seconds; RTCP itself comes every five"""
RTCP_PORT_KEPT = 15.0
"""seconds for which the port of the party's RTCP stays believed after its last packet"""


class RelayedCall:
    """Made by `MediaRelay.open`; `close` ends it. Ports are those of RTP; RTCP has the next one."""

    def __init__(
        self,
        call_id: str,
        host: str,
        *,
        loop: EdgeLoop,
        tell: Callable[[RelayEvent], None],
        counters: Counters,
        closed: Callable[[RelayedCall], None],
        resumes: RelayState | None = None,
        ports: tuple[int, int] = (FIRST, LAST),
    ) -> None:
        self.call_id = call_id
        self._loop = loop
        self._tell = tell
        self._counters = counters
        self._closed = closed
        self._outer = open_pair(loop, host, resumes.outer_port if resumes else 0, ports)
        try:
            self._inner = open_pair(loop, LOOPBACK, resumes.inner_port if resumes else 0)
        except OSError:
            for port in self._outer:
                port.close()
            raise
        self.outer_port, self.inner_port = self._outer[0].number, self._inner[0].number
        self.control: Callable[[int, bytes, Address], None] | None = None
        """gets what looks like STUN, by its component: 1 is RTP, 2 RTCP"""
        self.mapped: tuple[Address | None, Address | None] = (None, None)
        """how others see our two ports, as a STUN server says"""
        self._by_ice = False
        self._nominated: Address | None = None
        self._way_open = True
        """as last told"""
        self._signalled: tuple[Address, Address] | None = None
        """for RTP and RTCP; ICE chooses others"""
        self._source = Source(counters)
        self._presence = Presence(call_id, tell)
        self._identity = Identity()
        self._payloads: frozenset[int] = frozenset()
        self._event_payloads: frozenset[int] = frozenset()
        self._own_payloads: frozenset[int] = frozenset()
        self._own_event_payloads: frozenset[int] = frozenset()
        self._peer: Address | None = None
        """as signalled, also while nothing is"""
        self._peer_rtcp: Address | None = None
        self._rtcp_from: tuple[Address, float] | None = None
        self._inside: Address | None = None
        self._reported_at = 0.0
        """when the party's report on our sound was passed on"""
        self._tag = 0
        """bytes of authentication, by SRTP"""
        self._key: bytes | None = None
        self._check: SrtpCheck | None = None
        self._offer_answer = -1
        self._answered = self._held = self._theirs = self._no_address = self._over = False
        for port, handler in (
            (self._outer[0], self._from_network),
            (self._outer[1], self._rtcp_from_network),
            (self._inner[0], self._from_inside),
            (self._inner[1], self._rtcp_from_inside),
        ):
            port.read_by(handler)
        if resumes is not None:
            self._resume(resumes)

    # --- what SIP says -----------------------------------------------------------------------------

    def peer_signalled(
        self,
        address: Address | None,
        *,
        offer_answer: int,
        rtcp: Address | None = None,
        payloads: Iterable[int] = (),
        event_payloads: Iterable[int] = (),
    ) -> None:
        """The audio address in the peer's SDP. None, port 0 or *any*: it wants to hear nothing (a hold of old).

        `offer_answer` counts the call's offers and answers, so that a late one changes nothing. `rtcp`: its `a=rtcp`.
        `payloads`: the types that it names, empty for any; `event_payloads`: those that are telephone-events. It may send by
        these or, by RFC 3264 (5.1), by those that pjsua2 names.
        """
        if self._over or offer_answer < self._offer_answer:
            return
        self._offer_answer = offer_answer
        self._payloads, self._event_payloads = frozenset(payloads), frozenset(event_payloads)
        usable = address is not None and 0 < address[1] < 65_536 and is_address(address[0])
        self._no_address = not usable
        self._look_at_hold()
        if address is None or not usable:
            return
        self._signalled = address, rtcp or (address[0], min(address[1] + 1, 65_535))
        if not self._by_ice:
            self._go_by_signalled()

    @property
    def outer_ports(self) -> tuple[Port, Port]:
        return self._outer

    @property
    def by_ice(self) -> bool:
        return self._by_ice

    def ice(self, on: bool) -> None:
        """From now on a pair that is nominated counts and nothing else; `on` anew with each start of ICE. Until then not one
        packet passes, unless the call stands: it keeps its way until the new one is nominated. Without ICE the address that
        was signalled last counts."""
        was, self._by_ice = self._by_ice, on
        if not (on and self._answered):
            self._nominated = None
        elif not was:
            self._nominated = self._peer
        if was and not on:
            self._go_by_signalled()
        self._tell_way()

    def nominated(self, address: Address | None, rtcp: Address | None = None) -> None:
        """ICE's word; None: the way has gone. RTCP takes the next port where it has no pair of its own."""
        if self._over or not self._by_ice:
            return
        self._nominated = address
        if address is None:
            self._tell_way()
            return
        if self._peer is not None and self._peer != address:
            self._identity.moved()
        self._rtcp_from = None
        self._peer, self._peer_rtcp = address, rtcp or (address[0], min(address[1] + 1, 65_535))
        self._source.signal(address)
        self._tell_doubts()
        self._tell_way()

    def inner_signalled(
        self, address: Address, *, payloads: Iterable[int] = (), event_payloads: Iterable[int] = ()
    ) -> None:
        """The audio address in pjsua2's SDP, and its types. From now on the system lets nobody else in on this side."""
        self._own_payloads, self._own_event_payloads = frozenset(payloads), frozenset(event_payloads)
        if not self._over and address != self._inside and 0 < address[1] < 65_535:
            self._inside = address
            self._inner[0].only_from(address)
            self._inner[1].only_from((address[0], address[1] + 1))

    def secured(self, on: bool, key: bytes | None = None) -> None:
        """Both sides have agreed on SRTP; `key`: what the party sends with, if it is known."""
        self._tag = TAG if on else 0
        if key != self._key:
            self._key = key
            self._check = SrtpCheck(key) if key is not None else None

    def answered(self) -> None:
        """The call stands: a 2xx to INVITE went either way. What came before pins nothing."""
        if not self._over and not self._answered:
            self._answered = True
            self._source.answer()
            self._presence.answered()

    def held(self, on: bool, *, theirs: bool = True) -> None:
        """Held by either side, as the last SDP says; `theirs`: by the party, alone or too."""
        self._held, self._theirs = on, theirs
        self._look_at_hold()

    def same_source(self) -> None:
        """The agent's press *Same caller*."""
        self._source.same_caller(self._loop.time())
        self._tell_doubts()

    def party_answers(self, alive: bool) -> None:
        """The answer to `PartySilent`."""
        self._presence.party_answers(self._loop.time(), alive=alive)

    def close(self) -> None:
        if not self._over:
            self._over = True
            for port in (*self._outer, *self._inner):
                port.close()
            self._closed(self)

    # --- for the relay -----------------------------------------------------------------------------

    def look(self) -> None:
        """A few times a second, since silence makes no packet."""
        self._presence.look(self._loop.time())

    def state(self) -> RelayState:
        return RelayState(
            self.outer_port,
            self.inner_port,
            self._peer,
            self._source.pinned,
            self._inside,
            tuple(sorted(self._payloads)),
            tuple(sorted(self._event_payloads)),
            self._offer_answer,
            self._answered,
            self._held,
            self._presence.state,
            tuple(sorted(self._own_payloads)),
            tuple(sorted(self._own_event_payloads)),
            self._source.doubted,
            self._source.before_hold,
            self._peer_rtcp,
            bool(self._tag),
            self._by_ice,
        )

    def _resume(self, state: RelayState) -> None:
        self.secured(state.secure)
        self.peer_signalled(
            state.peer,
            offer_answer=state.offer_answer,
            rtcp=state.peer_rtcp,
            payloads=state.payloads,
            event_payloads=state.event_payloads,
        )
        if state.inner is not None:
            self.inner_signalled(state.inner, payloads=state.own_payloads, event_payloads=state.own_event_payloads)
        if state.answered:
            self._answered = True
            self._source.resume(state.pinned, self._loop.time(), state.doubted, state.before_hold)
            self._presence.resume(state.presence, self._loop.time())
        self.held(state.held, theirs=False)
        self._tell_doubts()

    def _look_at_hold(self) -> None:
        now, on = self._loop.time(), self._held or self._no_address
        changed = on is not self._source.held
        if changed or on:
            self._source.hold(on=on, now=now, theirs=self._theirs)
        if changed:
            self._presence.hold(on=on, now=now)
            if not on:
                self._identity.moved()

    def _go_by_signalled(self) -> None:
        if self._signalled is None:
            return
        address, rtcp = self._signalled
        if self._peer is not None and self._peer != address:
            self._identity.moved()
            self._rtcp_from = None
        self._peer, self._peer_rtcp = address, rtcp
        self._source.signal(address)
        self._tell_doubts()

    @property
    def _is_open(self) -> bool:
        return not self._by_ice or self._nominated is not None

    def _tell_way(self) -> None:
        if self._is_open is not self._way_open and not self._over:
            self._way_open = self._is_open
            self._tell(SoundWay(self.call_id, self._way_open))

    def _tell_doubts(self) -> None:
        for doubt in self._source.read_news():
            event = SourceChanged if doubt is Doubt.RAISED else SourceReturned
            self._tell(event(self.call_id))

    # --- packets -----------------------------------------------------------------------------------

    def _from_network(self, data: bytes, address: Address) -> None:
        counters = self._counters
        counters.received += 1
        if self.control is not None and is_stun(data):
            self.control(1, data, address)
            return
        if self._by_ice and address != self._nominated:
            counters.strangers += 1
            return
        packet = read_rtp(data, self._tag)
        if packet is None:
            counters.malformed += 1
            return
        if not self._may_send(packet):
            counters.unasked += 1
            return
        now = self._loop.time()
        check = self._check
        authentic = partial(check.proves, data, packet.ssrc, packet.number) if check is not None else None
        verdict = self._source.judge(address, now, authentic)
        if self._source.has_news:
            self._tell_doubts()
        if verdict is Verdict.DROP:
            counters.strangers += 1
            return
        if address == self._source.doubted and self._is_key(packet):
            counters.unasked += 1
            return
        if address == self._source.pinned and verdict is not Verdict.UNPROVED:
            self._identity.rtp(packet.ssrc)
            self._presence.rtp(now, packet.number, comfort_noise=_comfort(packet))
        self._pass(self._inner[0], data)

    def _may_send(self, packet: Rtp) -> bool:
        asked = not self._payloads or packet.payload_type in self._payloads | self._own_payloads
        return asked or _comfort(packet)

    def _is_key(self, packet: Rtp) -> bool:
        """No codec's frame is as short as a key's packet, whatever the SDP calls it."""
        dynamic = packet.payload_type >= DYNAMIC and packet.payload_bytes <= EVENT_BYTES
        return dynamic or packet.payload_type in self._event_payloads | self._own_event_payloads

    def _rtcp_from_network(self, data: bytes, address: Address) -> None:
        counters = self._counters
        counters.received += 1
        if self.control is not None and is_stun(data):
            self.control(2, data, address)
            return
        if self._by_ice and (self._nominated is None or address != self._peer_rtcp):
            counters.rtcp += 1
            return
        packet = read_srtcp(data, self._tag) if self._tag else read_rtcp(data)
        if packet is None:
            counters.malformed += 1
            return
        now, source = self._loop.time(), self._source.pinned or self._peer
        if self._check is not None:
            theirs = self._check.proves_control(data, packet.ssrc)
        else:
            theirs = source is not None and address[0] == source[0] and self._may_send_rtcp(address, now)
        if not theirs:
            counters.rtcp += 1
            return
        if self._identity.ssrc is not None and packet.ssrc != self._identity.ssrc:
            counters.rtcp += 1
            return
        self._rtcp_from = (address, now)
        self._presence.rtcp(now)
        if packet.heard is not None and now - self._reported_at >= REPORTS_EVERY:
            self._reported_at = now
            self._tell(PartyHears(self.call_id, packet.heard.loss, packet.heard.discarded))
        if self._source.pinned is not None and self._identity.is_another(packet.ssrc, packet.cname):
            self._source.doubt(self._source.pinned)
            self._tell_doubts()
        self._pass(self._inner[1], data)

    def _may_send_rtcp(self, address: Address, now: float) -> bool:
        """The signalled port, or the one port that it has come from (NAT), until that falls silent."""
        if address == self._peer_rtcp or self._rtcp_from is None:
            return True
        known, at = self._rtcp_from
        return address == known or now - at > RTCP_PORT_KEPT

    def _from_inside(self, data: bytes, address: Address) -> None:
        # Packets that lay in the socket before it was closed to others may be theirs.
        if not self._is_open:
            return
        if address == self._inside and not self._no_address and (to := self._source.pinned or self._peer):
            self._pass(self._outer[0], data, to)

    def _rtcp_from_inside(self, data: bytes, address: Address) -> None:
        if self._inside is None or self._no_address or address != (self._inside[0], self._inside[1] + 1):
            return
        if not self._is_open:
            return
        to = self._rtcp_from[0] if self._rtcp_from else self._peer_rtcp
        if to is not None:
            self._pass(self._outer[1], data, to)

    def _pass(self, port: Port, data: bytes, to: Address | None = None) -> None:
        if port.send(data, to):
            self._counters.forwarded += 1
        else:
            self._counters.unsent += 1


def _comfort(packet: Rtp) -> bool:
    return packet.payload_type in (COMFORT_NOISE, OLD_COMFORT_NOISE)
