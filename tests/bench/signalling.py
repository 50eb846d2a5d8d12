"""What the edge takes for a message: read, and written anew, without the sockets around it."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from softphone.edge.sip.message import write
from softphone.edge.sip.reading import parse
from softphone.edge.sip.sdp import SessionDescription
from tests.bench.figures import Figure

SDP = (
    b"v=0\r\no=root 1821 1821 IN IP4 10.0.0.2\r\ns=Exchange\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 12184 RTP/AVP 9 8 0 101\r\n"
    b"a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:150\r\na=sendrecv\r\n"
)
INVITE = (
    b"INVITE sip:4521@10.0.0.7:5060;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK3b1a.5e0f7d2a8.0\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.2:5062;received=10.0.0.2;rport=5062;branch=z9hG4bKPj9f3a1b\r\nMax-Forwards: 69\r\n"
    b'From: "Anna Hansen" <sip:+4533445566@pbx.example.com>;tag=as5e0f7d2a\r\nTo: <sip:4521@pbx.example.com>\r\n'
    b"Contact: <sip:+4533445566@10.0.0.2:5062;ob>\r\nCall-ID: 5e0f7d2a8b1c4f6d@10.0.0.2\r\nCSeq: 102 INVITE\r\n"
    b"Record-Route: <sip:10.0.0.1;lr;ftag=as5e0f7d2a>\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO\r\n"
    b"Supported: replaces, timer, 100rel\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n"
    b'P-Asserted-Identity: "Anna Hansen" <sip:+4533445566@pbx.example.com>\r\nUser-Agent: Exchange 20.5\r\n'
    b"Date: Sat, 28 Nov 2026 22:00:00 GMT\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(SDP)
) + SDP
FOLDED = INVITE.replace(b": ", b" :\r\n  ").replace(b">;", b"> ; ").replace(b";branch=", b" ;\r\n branch = ")
"""the same, with white space where the grammar bears it"""


def measure(times: int = 20_000) -> list[Figure]:
    return [
        Figure(
            "a message read and written",
            f"{_microseconds(lambda: write(parse(INVITE)), times):.0f} µs",
            "150 µs",
            f"an INVITE of {len(INVITE)} bytes with 18 headers, strictly; {times:,} times, the median of ten parts",
        ),
        Figure(
            "… folded and spaced",
            f"{_microseconds(lambda: write(parse(FOLDED)), times // 10):.0f} µs",
            "",
            "the same with white space where the grammar bears it, so that each value is tightened first",
        ),
        Figure(
            "… its session description",
            f"{_microseconds(lambda: SessionDescription.parse(SDP).rewritten('127.0.0.1', 40000, 40001), times):.0f} µs",
            "",
            "read, and written with the relay's address",
        ),
    ]


def _microseconds(deed: Callable[[], object], times: int) -> float:
    parts: list[float] = []
    for _ in range(10):
        began = time.process_time()
        for _ in range(times // 10):
            deed()
        parts.append((time.process_time() - began) / (times // 10) * 1e6)
    return median(parts)
