"""A peer of a real pjsua2 that sends datagrams of any kind, and sees whether the phone lives: it answers an OPTIONS.

The phone is `tests.peers.second_phone`, in a process of its own, without an edge. `handed_in` is the part of the edge that counts
here: what it parsed, with a Via of its own on top, written anew.
"""

from __future__ import annotations

import hashlib
import re
import select
import socket
import time
from collections.abc import Iterable
from typing import Self

from softphone.edge.sip.message import SipMessage, parse, write
from tests.peers.second_phone import SecondPhone

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
)


class PhoneDiedError(AssertionError):
    pass


class RawPeer:
    def __init__(self, phone: SecondPhone) -> None:
        self.phone = phone
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._asked = 0
        self.sdp = SDP % self._media.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._media.close()

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, ("127.0.0.1", self.phone.udp))

    def received(self, wanted: bytes, seconds: float = 5) -> bytes:
        """The next datagram that begins so; others before it are passed over."""
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], min(left, 0.2))[0]:
                if self.died():
                    raise PhoneDiedError(f"waiting for {wanted!r}")
                continue
            data = self._socket.recv(65_536)
            if data.startswith(wanted):
                return data
        raise TimeoutError(f"no {wanted!r}")

    def died(self) -> bool:
        return any(one["event"] == "Gone" for one in self.phone.events)

    def lives(self, seconds: float = 20) -> bool:
        """The phone answers an OPTIONS that is asked after all that was sent."""
        self._asked += 1
        asked = self.request("OPTIONS", call=f"alive-{self._asked}", branch=f"alive{self._asked}")
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.send(asked)
            try:
                while b"alive-%d\r\n" % self._asked not in self.received(b"SIP/2.0 ", 0.7):
                    pass
            except PhoneDiedError:
                return False
            except TimeoutError:
                continue
            return True
        return False

    def request(
        self,
        method: str,
        *,
        call: str,
        branch: str,
        number: int = 1,
        to_tag: str = "",
        extra: Iterable[str] = (),
        body: bytes = b"",
    ) -> bytes:
        lines = (
            f"{method} sip:customer@127.0.0.1:{self.phone.udp} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch=z9hG4bK{branch}",
            "Max-Forwards: 70",
            f"From: <sip:raw@127.0.0.1:{self.port}>;tag=raw",
            f"To: <sip:customer@127.0.0.1:{self.phone.udp}>{f';tag={to_tag}' if to_tag else ''}",
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:raw@127.0.0.1:{self.port}>",
            *extra,
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def call(self, name: str) -> str:
        """Calls a phone that answers by itself; the phone's tag."""
        invite = self.request(
            "INVITE", call=name, branch=f"{name}i", extra=("Content-Type: application/sdp",), body=self.sdp
        )
        self.send(invite)
        while f"Call-ID: {name}\r\n".encode() not in (answered := self.received(b"SIP/2.0 200")):
            pass
        tag = re.search(rb"\r\nTo: [^\r]*;tag=([^\r;]+)", answered)
        assert tag
        self.send(self.request("ACK", call=name, branch=f"{name}a", to_tag=tag[1].decode()))
        self.phone.wait_for("CallEstablished")
        return tag[1].decode()

    def handed_in(self, data: bytes) -> bytes:
        """What pjsua2 would read of it. Raises Malformed."""
        return write(self.pushed(parse(data)))

    def pushed(self, message: SipMessage) -> SipMessage:
        """A name in a header is the resolver's: here each is this peer."""
        if message.is_request:
            mark = hashlib.sha256(repr(message.all("Via")[0]).encode()).hexdigest()[:16]
            message.uri = f"sip:customer@127.0.0.1:{self.phone.udp}"
            message.insert_before("Via", f"SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch=z9hG4bK{mark}")
        return message
