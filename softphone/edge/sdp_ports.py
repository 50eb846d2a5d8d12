"""Each call's sound: the relay gets what either side's SDP says, and each side's SDP then names the relay's ports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from softphone.edge.call_ice import CallIce
from softphone.edge.dialogs import MOST_TAGS, tag_of
from softphone.edge.relay import MediaRelay, RelayedCall, RelayState
from softphone.edge.relay.ports import FIRST, LAST
from softphone.edge.relay.srtp import party_key, read_keys
from softphone.edge.relay.stun import StunServer
from softphone.edge.sip.body import session_description
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.sdp import Attribute, Media, SessionDescription

LOOPBACK = "127.0.0.1"
SDP = "application/sdp"
_SECURED = {"RTP/AVP": "RTP/SAVP", "RTP/AVPF": "RTP/SAVPF"}


@dataclass(slots=True)
class _Call:
    relayed: RelayedCall
    exchanges: int = 0
    description: bytes = b""
    """the peer's last description, as it came"""
    description_before: bytes = b""
    """the one before its last offer"""
    by_tag: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """what each ringing phone has said, by its tag; empty once one has answered"""
    answered: bool = False
    held_by_them: bool = False
    held_by_us: bool = False
    before: bool = False
    """whether we held it before our last offer"""
    their_keys: dict[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    our_keys: dict[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    """of SRTP, by tag; empty without"""
    ice: CallIce | None = None
    """of an account that has it"""
    moved: bool = False
    """others may see its ports elsewhere now"""
    profile: str = ""
    """of the peer's last offer, if it was a plain one with keys: our answer has to name the same"""

    @property
    def held(self) -> bool:
        return self.held_by_them or self.held_by_us

    def tell_keys(self) -> None:
        key = party_key(self.our_keys, self.their_keys)
        self.relayed.secured(key is not None, key)

    def tell_hold(self) -> None:
        self.relayed.held(self.held, theirs=self.held_by_them)


class MediaSessions:
    def __init__(
        self,
        relay: MediaRelay,
        count: Callable[[str], None] = lambda _: None,
        offer_anew: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`offer_anew`: the engine should describe this call's sound to the party again, since its way has gone."""
        self._relay = relay
        self._offer_anew = offer_anew
        self._calls: dict[str, _Call] = {}
        self._count = count
        self._resumed_ice: list[str] = []
        self.stun = StunServer(time.monotonic)

    def use_ports(self, first: int, last: int) -> None:
        """For the calls to come; 0: those below the system's own."""
        self._relay.ports = (first, last) if first else (FIRST, LAST)

    async def prepare(self, call_id: str) -> None:
        """Ask how others see this call's ports, before its description says where they are."""
        try:
            call = self._call(call_id)
        except OSError:
            return  # its description will find none either
        call.moved, relayed = False, call.relayed
        before = relayed.control

        def told(component: int, data: bytes, source: tuple[str, int]) -> None:
            if not self.stun.take(data, source) and before is not None:
                before(component, data, source)

        relayed.control = told
        rtp, rtcp = relayed.outer_ports
        relayed.mapped = (await asyncio.gather(self.stun.ask(rtp.send), self.stun.ask(rtcp.send)))[:2]
        if relayed.control is told:
            relayed.control = before

    def moved(self) -> None:
        """This machine, or the NAT before it, is elsewhere: what was said of the calls' ports holds no more."""
        for call in self._calls.values():
            call.moved, call.relayed.mapped = True, (None, None)
            if call.ice is not None:
                call.ice.has_moved()

    def has_moved(self, call_id: str) -> bool:
        """Whether its next offer has to ask again."""
        return call_id in self._calls and self._calls[call_id].moved

    def inward(self, message: SipMessage, call_id: str, *, secure: bool = False, ice: bool = False) -> None:
        """A body other than SDP is left out: nobody behind the edge reads one. `secure`: keys of SRTP that it came with count;
        others may have read them, and are left out. `ice`: the account has it. Raises Malformed; OSError without ports."""
        kind = (message.get("Content-Type") or "").partition(";")[0].strip().lower()
        body = message.body
        if kind.startswith("multipart/"):
            body = session_description(message.get("Content-Type") or "", body) or b""
            kind = SDP
        tag = "" if message.is_request else tag_of(message, "To")
        if not body or kind != SDP:
            bare(message)
            self._answered_by(call_id, message, tag)
            return
        sdp = SessionDescription.parse(body)
        if not secure:
            sdp.drop_keys()
        call = self._call(call_id)
        if message.is_request:
            call.profile = _encrypt(sdp)
        if message.is_request and body != call.description:
            call.description_before = call.description
        if tag and not call.answered and (tag in call.by_tag or len(call.by_tag) < MOST_TAGS):
            call.by_tag[tag] = body
        self._look_at_ice(call_id, call, ice)
        if call.ice is not None and message.is_request:
            call.ice.offered(sdp)
        elif call.ice is not None:
            call.ice.answered(sdp, final=message.code >= 200)
        self._take(call, body, sdp, answers=not message.is_request)
        message.set_first("Content-Type", SDP)
        message.body = sdp.rewritten(LOOPBACK, call.relayed.inner_port, call.relayed.inner_port + 1)

    def outward(
        self, message: SipMessage, call_id: str, host: str, *, secure: bool = False, ice: bool = False, peer: str = ""
    ) -> None:
        """`host`: this machine's address on the way to the peer. Keys of SRTP go out by TLS alone (`secure`). Raises
        Malformed, and OSError without ports."""
        if not message.body or (message.get("Content-Type") or "").partition(";")[0].strip().lower() != SDP:
            return
        sdp = SessionDescription.parse(message.body)
        if not secure:
            sdp.drop_keys()
        call = self._call(call_id)
        if (address := sdp.audio_address()) is not None:
            call.relayed.inner_signalled(address, payloads=_payloads(sdp), event_payloads=sdp.telephone_events)
            call.our_keys = _keys(sdp)
            call.tell_keys()
        if message.is_request:
            call.before = call.held_by_us
        call.held_by_us = sdp.held
        call.tell_hold()
        if not message.is_request and call.profile and sdp.audio is not None:
            sdp.audio.protocol = call.profile
        self._look_at_ice(call_id, call, ice)
        # What the party says of our sound can be read if it is not encrypted (RFC 3611 5).
        lines: list[Attribute] = [] if call.our_keys else [("rtcp-xr", "voip-metrics")]
        if call.ice is not None and message.is_request:
            lines += call.ice.offer(host, established=call.answered)
        elif call.ice is not None:
            lines += call.ice.answer(host)
        rtp, rtcp = (host, call.relayed.outer_port), (host, call.relayed.outer_port + 1)
        if self.stun.counts_for(peer) and (seen := call.relayed.mapped[0]) and (":" in seen[0]) is (":" in host):
            rtp, rtcp = seen, call.relayed.mapped[1] or (seen[0], seen[1] + 1)
        message.body = sdp.rewritten(rtp[0], rtp[1], rtcp[1], more=lines)

    def peer_host(self, call_id: str) -> str:
        """Where the peer wants our sound, as its last description says; empty if it has said nothing."""
        call = self._calls.get(call_id)
        address = (
            SessionDescription.parse(call.description).audio_address()
            if call is not None and call.description
            else None
        )
        return address[0] if address is not None else ""

    def refused_by_us(self, call_id: str) -> None:
        """We refused the peer's offer (fax, say): what it said before still holds."""
        call = self._calls.get(call_id)
        if call is not None and call.description_before:
            self._take(call, call.description_before, SessionDescription.parse(call.description_before))

    def refused(self, call_id: str) -> None:
        """Our offer was refused: what held before still does."""
        if (call := self._calls.get(call_id)) is not None:
            call.held_by_us = call.before
            call.tell_hold()
            if call.ice is not None:
                call.ice.refused()

    def answered(self, call_id: str) -> None:
        if (call := self._calls.get(call_id)) is not None:
            call.answered = True
            call.by_tag.clear()
            call.relayed.answered()

    def same_source(self, call_id: str) -> None:
        if (call := self._calls.get(call_id)) is not None:
            call.relayed.same_source()

    def party_answers(self, call_id: str, there: bool) -> None:
        if (call := self._calls.get(call_id)) is not None:
            call.relayed.party_answers(there)

    def close(self, call_id: str) -> None:
        if (call := self._calls.pop(call_id, None)) is not None:
            if call.ice is not None:
                call.ice.end()
            call.relayed.close()

    def counters(self) -> dict[str, int]:
        return {f"rtp.{name}": count for name, count in asdict(self._relay.counters).items() if count}

    # --- for the edge after this one -------------------------------------------------------------

    def written(self, call_id: str) -> Any:
        call = self._calls.get(call_id)
        if call is None:
            return None
        return [call.relayed.state().to_json(), call.exchanges, call.held_by_them, call.held_by_us]

    def read(self, call_id: str, written: Any) -> None:
        """Raises ValueError, TypeError or KeyError if it cannot be read, and OSError if somebody else has the ports."""
        if written is None:
            return
        fields, exchanges, held_by_them, held_by_us = cast("tuple[dict[str, Any], int, bool, bool]", written)
        state = RelayState.from_json(fields)
        call = _Call(self._relay.open(call_id, state), exchanges, answered=state.answered)
        call.held_by_them, call.held_by_us = held_by_them, held_by_us
        if state.by_ice:
            self._look_at_ice(call_id, call, wanted=True, resumed=True)
            self._resumed_ice.append(call_id)
        self._calls[call_id] = call
        call.tell_hold()

    def _answered_by(self, call_id: str, message: SipMessage, tag: str) -> None:
        """A 200 to our INVITE without SDP: what that phone said while it rang holds, whatever others said after it."""
        call = self._calls.get(call_id)
        said = call.by_tag.get(tag) if call is not None and 200 <= message.code < 300 else None
        if call is not None and said:
            sdp = SessionDescription.parse(said)
            if call.ice is not None:
                call.ice.answered(sdp)
            self._take(call, said, sdp, answers=True)

    def _take(self, call: _Call, body: bytes, sdp: SessionDescription, *, answers: bool = False) -> None:
        if body == call.description:
            return
        call.description = body
        call.exchanges += 1
        call.their_keys = _keys(sdp)
        call.tell_keys()
        # An answer to our own hold may be `inactive`: that is not a hold of theirs.
        call.held_by_them = sdp.held and (call.held_by_them or not (answers and call.held_by_us))
        if call.held:
            # The earlier speaker is the address signalled before it, not the music.
            call.tell_hold()
        call.relayed.peer_signalled(
            sdp.audio_address(),
            offer_answer=call.exchanges,
            rtcp=sdp.rtcp_address(),
            payloads=_payloads(sdp),
            event_payloads=sdp.telephone_events,
        )
        call.tell_hold()

    def look_at_resumed(self) -> None:
        """Calls by ICE of an edge that died: the party's agent hears nothing of it, and would soon give up the way."""
        resumed, self._resumed_ice = self._resumed_ice, []
        for call_id in resumed:
            self._anew(call_id)

    def _anew(self, call_id: str) -> None:
        call = self._calls.get(call_id)
        if call is not None and call.answered:
            self._offer_anew(call_id)

    def _look_at_ice(self, call_id: str, call: _Call, wanted: bool, *, resumed: bool = False) -> None:
        if wanted and call.ice is None:
            call.ice = CallIce(call.relayed, self._count, lambda: self._anew(call_id), resumed=resumed)

    def _call(self, call_id: str) -> _Call:
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = _Call(self._relay.open(call_id))
        return call


def is_plain(message: SipMessage, *, takes_keys: bool = True) -> bool:
    """Whether it describes sound without keys of SRTP, or is that once its keys are not taken. Raises Malformed."""
    audio = _sound_of(message)
    if audio is None:
        return False
    return not audio.values("crypto") or not (takes_keys or audio.protocol in _SECURED.values())


def needs_keys(message: SipMessage) -> bool:
    """Whether it describes sound that is encrypted or not there. Raises Malformed."""
    audio = _sound_of(message)
    return audio is not None and audio.protocol in _SECURED.values()


def _sound_of(message: SipMessage) -> Media | None:
    if not message.body or (message.get("Content-Type") or "").partition(";")[0].strip().lower() != SDP:
        return None
    audio = SessionDescription.parse(message.body).audio
    return audio if audio is not None and audio.port else None


def bare(message: SipMessage) -> None:
    """Without its body."""
    message.body = b""
    for name in ("Content-Type", "Content-Encoding", "Content-Disposition"):
        message.remove(name)


def _encrypt(sdp: SessionDescription) -> str:
    """Keys beside the plain profile offer SRTP to whoever has it. pjsua2 takes that for SRTP where it must have it, too."""
    audio, before = sdp.audio, sdp.audio.protocol if sdp.audio else ""
    if audio is None or before not in _SECURED or not audio.values("crypto"):
        return ""
    audio.protocol = _SECURED[before]
    return before


def _keys(sdp: SessionDescription) -> dict[str, bytes]:
    return read_keys(sdp.audio.values("crypto")) if sdp.audio else {}


def _payloads(sdp: SessionDescription) -> tuple[int, ...]:
    return tuple(int(one) for one in sdp.audio.formats) if sdp.audio else ()
