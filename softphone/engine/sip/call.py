"""A call's pjsua2 director, and what the phone remembers about one call.

The director copies plain values into the queue. Two things it must do inside the callback: add our RFC 7866 attributes to an
SDP in the making, and read the call's state before it is gone.
"""

# ruff: noqa: N802 - callbacks bear PJSIP's own names

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pjsua2 as pj
from uuid_utils import uuid7

from softphone.calls.turns import seconds
from softphone.domain.ending import Said
from softphone.engine.sip.events import PeerRecordingState, RecordWish
from softphone.engine.sip.media.notice import Notice
from softphone.engine.sip.media.ports import CallSound
from softphone.engine.sip.message import (
    Identity,
    Message,
    identity_of,
    is_record_aware,
    mended,
    parse_message,
    said_in,
    tags_in,
    with_attributes,
)
from softphone.engine.sip.offers import Offers
from softphone.engine.sip.raw_events import (
    MediaReached,
    MediaState,
    OfferAnswered,
    Post,
    RawDigit,
    RawEvent,
    SipMessageReceived,
    StateReached,
    guarded,
)

DECLINE = 603
_PLAIN_PROFILE = re.compile(r"^(m=audio \d+ )RTP/AVP ", re.MULTILINE)
_ENDS = re.compile(r"BYE |SIP/2\.0 [3-6]")
"""what a message begins with that may end a call, and say why"""


_IS_UPDATE = 1
"""PJMEDIA_STREAM_DTMF_IS_UPDATE, which pjsua2 does not have"""


def new_call_id() -> str:
    return str(uuid7())


def call_params(record_aware: bool) -> pj.CallOpParam:
    """One audio stream; from a record-aware phone, also its word on recording (RFC 7866 section 6.2)."""
    params = pj.CallOpParam(True)
    params.opt.audioCount = 1
    params.opt.videoCount = 0
    if record_aware:
        header = pj.SipHeader()
        header.hName, header.hValue = "Supported", "record-aware"
        params.txOption.headers.append(header)
    return params


class CallDirector(pj.Call):
    """`attributes` are added to every SDP made for this call from now on."""

    def __init__(self, account: pj.Account, call: str, post: Post, pjsua_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, pjsua_id)
        self.call = call
        self.post = post
        self.attributes: tuple[str, ...] = ()
        self.keys_alone = False
        """offers say RTP/SAVP where PJSIP would say RTP/AVP, with keys beside it"""
        self.sip_call_id = ""
        """the Call-ID on the wire, by which the edge names this call"""
        self.tags: tuple[str, str] | None = None
        """ours and theirs, once both are known"""
        self.redirected_to = ""
        """whom a 3xx names instead"""
        self._redirected: tuple[int, str] | None = None
        """the answer's code that would have led elsewhere"""

    def media_state(self, info: pj.CallInfo) -> MediaState | None:
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                return MediaState(media.status, media.dir)
        return None

    def media_ends(self) -> list[tuple[int, tuple[str, int]]]:
        """Of RTP and RTCP: the port here, and the address of its peer. Empty without a stream."""
        try:
            own, stream = self.getMedTransportInfo(0), self.getStreamInfo(0)
        except pj.Error:
            return []
        ends = (own.localRtpName, stream.remoteRtpAddress), (own.localRtcpName, stream.remoteRtcpAddress)
        pairs = ((_port(here), _address(there)) for here, there in ends)
        return [(here, there) for here, there in pairs if here and there is not None]

    def has_srtp(self) -> bool:
        """PJMEDIA's own word, whatever SDP says: both ways have keys and are in use."""
        try:
            return bool(re.search(r"SRTP status: Active", self.dump(True, "")))
        except pj.Error:
            return False

    @guarded
    def onCallState(self, prm: pj.OnCallStateParam) -> None:
        info = self.getInfo()
        if prm.e.type == pj.PJSIP_EVENT_TSX_STATE:
            self._read(prm.e.body.tsxState)
        elif prm.e.type == pj.PJSIP_EVENT_RX_MSG:
            # An ACK with the answer to our own offer, in the 200.
            self._tell(prm.e.body.rxMsg.rdata.wholeMsg)
        code, reason = self._redirected or (info.lastStatusCode, info.lastReason)
        self.post(StateReached(self.call, info.state, code, mended(reason), self.media_state(info)))

    @guarded
    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:  # noqa: ARG002
        self.post(MediaReached(self.call, self.media_state(self.getInfo())))

    @guarded
    def onCallSdpCreated(self, prm: pj.OnCallSdpCreatedParam) -> None:
        if self.attributes:
            prm.sdp.wholeSdp = with_attributes(prm.sdp.wholeSdp, self.attributes)
        if self.keys_alone and not prm.remSdp.wholeSdp:
            prm.sdp.wholeSdp = _PLAIN_PROFILE.sub(r"\1RTP/SAVP ", prm.sdp.wholeSdp)

    @guarded
    def onCallRxOffer(self, prm: pj.OnCallRxOfferParam) -> None:
        self.post(SipMessageReceived(self.call, None, prm.offer.wholeSdp))

    @guarded
    def onCallTsxState(self, prm: pj.OnCallTsxStateParam) -> None:
        if prm.e.type != pj.PJSIP_EVENT_TSX_STATE:
            return
        event = prm.e.body.tsxState
        transaction = event.tsx
        if transaction.method not in ("INVITE", "UPDATE", "REFER", "NOTIFY"):
            return
        self._read(event)
        if transaction.role != pj.PJSIP_ROLE_UAC:
            return
        # An INVITE's 2xx ends its transaction at once; everything else is completed first.
        ended = transaction.state == pj.PJSIP_TSX_STATE_COMPLETED or (
            transaction.state == pj.PJSIP_TSX_STATE_TERMINATED and event.prevState != pj.PJSIP_TSX_STATE_COMPLETED
        )
        if ended and transaction.statusCode >= 200:
            self.post(OfferAnswered(self.call, transaction.method, transaction.statusCode))

    def onCallRedirected(self, prm: pj.OnCallRedirectedParam) -> int:
        """A 3xx: nobody is dialled without a press. PJSIP would report it as a call that was given up (487)."""
        self._remember(prm.e)
        return pj.PJSIP_REDIRECT_STOP

    @guarded
    def _remember(self, event: pj.SipEvent) -> None:
        transaction = event.body.tsxState.tsx
        self._redirected = transaction.statusCode, transaction.statusText
        if not self.redirected_to:
            # pjsua2's own target lacks the port.
            contact = parse_message(event.body.tsxState.src.rdata.wholeMsg).headers.get("contact", "")
            self.redirected_to = contact.partition("<")[2].partition(">")[0] or contact

    @guarded
    def onCallTransferRequest(self, prm: pj.OnCallTransferRequestParam) -> None:
        """A REFER: PJSIP would dial whom the party names, from the agent's account."""
        prm.statusCode = DECLINE

    @guarded
    def onCallReplaceRequest(self, prm: pj.OnCallReplaceRequestParam) -> None:
        """An INVITE with Replaces: PJSIP would swap the party."""
        prm.statusCode = DECLINE

    @guarded
    def onDtmfDigit(self, prm: pj.OnDtmfDigitParam) -> None:
        form = "info" if prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "rtp"
        self.post(RawDigit(self.call, prm.digit, seconds(), form))

    @guarded
    def onDtmfEvent(self, prm: pj.OnDtmfEventParam) -> None:
        """Of a key by RTP: also each packet that says how long it is down. `onDtmfDigit` has told its beginning."""
        if prm.method == pj.PJSUA_DTMF_METHOD_RFC2833 and prm.flags & _IS_UPDATE:
            self.post(RawDigit(self.call, prm.digit, seconds(), goes_on=True))

    def _read(self, event: pj.TsxStateEvent) -> None:
        if event.type == pj.PJSIP_EVENT_RX_MSG:
            self._tell(event.src.rdata.wholeMsg)

    def _tell(self, text: str) -> None:
        if not text.startswith("SIP/2.0 100"):
            self.tags = tags_in(text) or self.tags
            message = parse_message(text)
            self.post(
                SipMessageReceived(
                    self.call,
                    is_record_aware(message.headers),
                    message.body,
                    identity_of(message),
                    said_in(message) if _ENDS.match(text) else None,
                )
            )


def _address(written: str) -> tuple[str, int] | None:
    host, _, port = written.rpartition(":")
    return (host, int(port)) if host and port.isdigit() and int(port) else None


def _port(written: str) -> int:
    address = _address(written)
    return address[1] if address else 0


@dataclass(frozen=True, slots=True)
class InviteArrived:
    """The one raw event with more than plain values: nobody else holds its director yet."""

    director: CallDirector
    account: str
    message: Message
    peer: str
    proved: str = ""
    """the name of the server there, by TLS"""
    replaces: str = ""
    """the call, by its Call-ID, in whose place it comes"""


PhonePost = Callable[[RawEvent | InviteArrived], None]


@dataclass(slots=True)
class Press:
    """A key of the party's, from when to when it was down as far as is known, and the forms in which it has come."""

    digit: str
    at: float
    until: float
    forms: set[str]

    def apart(self, at: float, until: float) -> float:
        """Seconds between it and another; 0 for two that overlap."""
        return max(0.0, at - self.until, self.at - until)


@dataclass(slots=True)
class Leg:
    """One call as the phone knows it. `director` is the only reference to the pjsua2 call."""

    call: str
    account: str
    director: CallDirector
    incoming: bool
    sound: CallSound
    dialled: tuple[str, tuple[tuple[str, str], ...]] = ("", ())
    """the URI and our headers"""
    party_heard: bool = False
    """the edge has reported the party's sound"""
    relayed_by: list[tuple[int, tuple[str, int]]] = field(default_factory=list[tuple[int, tuple[str, int]]])
    """the ports that are closed to all but the edge's relay"""
    source_doubted: bool = False
    by_tls: bool = False
    encrypted: bool = False
    """as last reported"""
    offers: Offers = field(default_factory=Offers)
    answered: bool = False
    """by us; only the ACK is missing"""
    established: bool = False
    ending: bool = False
    media: MediaState | None = None
    media_active: bool = False
    """and its way is open"""
    way_open: bool = True
    """our sound reaches the party, as the edge says"""
    held_by_us: bool = False
    held_by_them: bool = False
    held_alone: bool = False
    """the peer has refused our hold: nobody is heard here all the same, until the agent resumes"""
    record_aware: bool = False
    keyless: bool = False
    """by the peer's last SDP"""
    identity: Identity = field(default=Identity(), repr=False)
    progress: Literal["calling", "ringing", "early", ""] = ""
    recording: PeerRecordingState | None = None
    """what a record-aware peer should hear"""
    preference: RecordWish | None = None
    peer_records: str = ""
    takes_update: bool = True
    """until it has shown that it does not, whatever it says"""
    digits_until: float = 0.0
    """when the last digit has been sent; monotonic seconds"""
    presses: list[Press] = field(default_factory=list["Press"])
    """the party's keys of the last moments"""
    microphone_open: bool = True
    notice: Notice | None = None
    said: Said = field(default_factory=Said)
    """by the other side, of why it ends the call"""
