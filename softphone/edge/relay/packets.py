"""RTP and RTCP as the relay reads them: is it whole and sane, whose is it, what is it for (RFC 3550, RFC 5761).

It looks at headers alone. What does not fit is not a packet (None), and goes no further.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

LONGEST = 1500
RTP_HEADER = 12
COMFORT_NOISE = 13
OLD_COMFORT_NOISE = 19
"""reserved today; older gateways still send it"""
EVENT_BYTES = 4
"""of a telephone-event's payload (RFC 4733)"""

_RTCP_AS_RTP = range(72, 77)
"""payload types that are RTCP's packet types 200 to 204 without their marker bit"""
_RTCP_TYPES = range(200, 208)
_SDES, _BYE, _XR = 202, 203, 207
_VOIP_METRICS, _VOIP_METRICS_WORDS = 7, 8
_CNAME = 1
_FIRST = struct.Struct("!BBHII")
_HEADER = struct.Struct("!BBHI")


@dataclass(frozen=True, slots=True)
class Rtp:
    payload_type: int
    ssrc: int
    payload_bytes: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """How the sender hears us (RFC 3611 4.7): shares of 1 that were lost on the way, and that came too late to be heard."""

    loss: float
    discarded: float


@dataclass(frozen=True, slots=True)
class Rtcp:
    """`ssrc` is the sender's; `cname` is the sender's own name, if the packet has it."""

    ssrc: int
    cname: bytes | None = field(default=None, repr=False)
    bye: bool = False
    heard: Heard | None = None


def read_rtp(data: bytes, tag: int = 0) -> Rtp | None:
    """`tag`: bytes of authentication behind SRTP, whose padding cannot be read."""
    size = len(data)
    if not RTP_HEADER <= size <= LONGEST:
        return None
    first, second, number, _, ssrc = _FIRST.unpack_from(data)
    payload_type = second & 0x7F
    if first >> 6 != 2 or payload_type in _RTCP_AS_RTP:
        return None
    begins = RTP_HEADER + 4 * (first & 0x0F)
    if first & 0x10:
        if begins + 4 > size:
            return None
        begins += 4 + 4 * int.from_bytes(data[begins + 2 : begins + 4], "big")
    padding = data[-1] if first & 0x20 and not tag else tag
    if first & 0x20 and not padding:
        return None
    left = size - begins - padding
    return Rtp(payload_type, ssrc, left, number) if left >= 0 else None


def read_srtcp(data: bytes, tag: int) -> Rtcp | None:
    """Its first header alone: the rest is encrypted (RFC 3711 3.4)."""
    if not 12 + tag <= len(data) <= LONGEST:
        return None
    first, kind, _, ssrc = _HEADER.unpack_from(data)
    return Rtcp(ssrc) if first >> 6 == 2 and kind in _RTCP_TYPES else None


def read_rtcp(data: bytes) -> Rtcp | None:
    """A compound packet, or a single one (RFC 5506)."""
    size = len(data)
    if not 8 <= size <= LONGEST or size % 4:
        return None
    sender: int | None = None
    cname: bytes | None = None
    bye = False
    heard: Heard | None = None
    at = 0
    while at < size:
        if at + 8 > size:
            return None
        first, kind, words, ssrc = _HEADER.unpack_from(data, at)
        ends = at + 4 * (words + 1)
        if first >> 6 != 2 or kind not in _RTCP_TYPES or words < 1 or ends > size:
            return None
        if sender is None:
            sender = ssrc
        if kind == _SDES and ssrc == sender and first & 0x1F:
            cname = _cname_in(data[at + 8 : ends])
        if kind == _XR and ssrc == sender:
            heard = _voip_metrics(data[at + 8 : ends]) or heard
        bye = bye or kind == _BYE
        at = ends
    return None if sender is None else Rtcp(sender, cname, bye, heard)


def _voip_metrics(blocks: bytes) -> Heard | None:
    """The first block of them; others are passed over."""
    at = 0
    while at + 4 <= len(blocks):
        kind, _, words = struct.unpack_from("!BBH", blocks, at)
        ends = at + 4 * (words + 1)
        if ends > len(blocks):
            return None
        if kind == _VOIP_METRICS and words == _VOIP_METRICS_WORDS:
            return Heard(blocks[at + 8] / 256, blocks[at + 9] / 256)
        at = ends
    return None


def _cname_in(items: bytes) -> bytes | None:
    at = 0
    while at + 2 <= len(items) and items[at]:
        kind, length = items[at], items[at + 1]
        if kind == _CNAME and at + 2 + length <= len(items):
            return items[at + 2 : at + 2 + length]
        at += 2 + length
    return None
