"""The smallest caller: one INVITE over UDP, and the time at which each packet of sound arrived. It says nothing itself.

Written on sockets, because a phone would add its own jitter buffer to what is measured.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field

HOST = "127.0.0.1"
SILENCE = frozenset({0xD5, 0x55, 0xD4, 0x54})
"""A-law's smallest values, and what they become on the wire"""


@dataclass
class Heard:
    """Monotonic times, seconds. `packets` are (arrival, payload)."""

    invited: float
    answered: float | None = None
    packets: list[tuple[float, bytes]] = field(default_factory=list[tuple[float, bytes]])

    def first_sound(self) -> float | None:
        """When the first packet arrived that is not silence."""
        return next((at for at, payload in self.packets if not set(payload) <= SILENCE), None)


def call(number: str, port: int, seconds: float) -> Heard:
    """Calls, answers with an ACK, listens for `seconds` after it, hangs up."""
    with ExitStack() as sockets:
        sip = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        rtp = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sip.bind((HOST, 0))
        rtp.bind((HOST, 0))
        talk = _Dialogue(number, port, sip.getsockname()[1], rtp.getsockname()[1])
        heard = Heard(time.monotonic())
        sip.sendto(talk.invite(), (HOST, port))
        events = sockets.enter_context(selectors.DefaultSelector())
        events.register(sip, selectors.EVENT_READ)
        events.register(rtp, selectors.EVENT_READ)
        until = heard.invited + 10
        while (left := until - time.monotonic()) > 0:
            for key, _ in events.select(left):
                data = key.fileobj.recv(4096) if isinstance(key.fileobj, socket.socket) else b""
                now = time.monotonic()
                if key.fileobj is rtp:
                    heard.packets.append((now, data[12:]))
                elif data.startswith(b"SIP/2.0 200") and b"INVITE" in data:
                    sip.sendto(talk.ack(data), (HOST, port))
                    if heard.answered is None:
                        heard.answered = now
                        until = now + seconds
        sip.sendto(talk.bye(), (HOST, port))
        return heard


class _Dialogue:
    def __init__(self, number: str, port: int, own: int, rtp: int) -> None:
        self._uri = f"sip:{number}@{HOST}:{port}"
        self._own, self._rtp = own, rtp
        self._id, self._tag = uuid.uuid4().hex, uuid.uuid4().hex[:8]
        self._to, self._target = f"<{self._uri}>", self._uri

    def invite(self) -> bytes:
        media = f"m=audio {self._rtp} RTP/AVP 8"
        lines = ["v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0", media, "a=sendrecv", ""]
        return self._request("INVITE", 1, "\r\n".join(lines))

    def ack(self, answer: bytes) -> bytes:
        text = answer.decode("utf-8", "replace")
        if found := re.search(r"(?im)^To: *(.+?)\r?$", text):
            self._to = found[1]
        if found := re.search(r"(?im)^Contact: *<(.+?)>", text):
            self._target = found[1]
        return self._request("ACK", 1)

    def bye(self) -> bytes:
        return self._request("BYE", 2)

    def _request(self, method: str, number: int, body: str = "") -> bytes:
        head = [
            f"{method} {self._target} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self._own};branch=z9hG4bK{uuid.uuid4().hex};rport",
            f"From: <sip:+4520123456@{HOST}>;tag={self._tag}",
            f"To: {self._to}",
            f"Call-ID: {self._id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:+4520123456@{HOST}:{self._own}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(head) + "\r\n\r\n" + body).encode()
