"""A peer of a real pjsua2 that sends datagrams of any kind, and sees whether the phone lives: it answers an OPTIONS.

The phone is `tests.peers.second_phone`, in a process of its own, without an edge. `handed_in` is the part of the edge that counts
here: what it parsed, with a Via of its own on top, written anew.
"""

from __future__ import annotations

import re
import select
import socket
import time
from typing import Self

from softphone.edge.admission import Bucket
from softphone.edge.sip.dtmf import DTMF_TYPES
from softphone.edge.sip.message import SipMessage, write
from softphone.edge.sip.reading import parse
from softphone.edge.sip.sdp import SessionDescription
from softphone.edge.sip.uri import NameAddr, SipUri
from tests.peers.second_phone import SecondPhone

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
)

_TARGETS = frozenset({"Contact", "Route", "Record-Route", "Service-Route", "Path"})


class PhoneDiedError(AssertionError):
    pass


def answer(request: bytes, code: int, *extra: str, body: bytes = b"") -> bytes:
    """To a request of the phone's, with the SDP if there is a body."""
    echoed = [line.decode() for line in request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    lines = [line for line in echoed if line.startswith(("Via: ", "From: ", "Call-ID: ", "CSeq: "))]
    to = next(line for line in echoed if line.startswith("To: "))
    lines += [to if ";tag=" in to else f"{to};tag=answered", *extra]
    lines += ["Content-Type: application/sdp"] if body else []
    return "\r\n".join((f"SIP/2.0 {code} Said", *lines, f"Content-Length: {len(body)}")).encode() + b"\r\n\r\n" + body


class RawPeer:
    def __init__(self, phone: SecondPhone) -> None:
        self.phone = phone
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self._asked = 0
        self.calls = Bucket(8.0, 6.0)
        """new ones that the phone is let have a second, and at once"""
        self.media_port: int = self._media.getsockname()[1]
        self.sdp = SDP % self.media_port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self._media.close()

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, ("127.0.0.1", self.phone.udp))

    def received(self, wanted: bytes, seconds: float = 15) -> bytes:
        """The next datagram that begins so; others before it are passed over."""
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], min(left, 0.2))[0]:
                if self.died():
                    raise PhoneDiedError(f"waiting for {wanted!r}")
                continue
            data = self.socket.recv(65_536)
            if data.startswith(wanted):
                return data
        raise TimeoutError(f"no {wanted!r}")

    def waiting(self, seconds: float) -> bytes:
        """The next datagram, if one comes in time."""
        return self.socket.recv(65_536) if select.select([self.socket], [], [], seconds)[0] else b""

    def died(self) -> bool:
        return any(one["event"] == "Gone" for one in self.phone.events)

    def lives(self, seconds: float = 20) -> bool:
        """The phone answers an OPTIONS that is asked after all that was sent."""
        name = f"alive-{self.number()}"
        asked = self.request("OPTIONS", call=name)
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.send(asked)
            try:
                while f"Call-ID: {name}\r\n".encode() not in self.received(b"SIP/2.0 ", 0.7):
                    pass
            except PhoneDiedError:
                return False
            except TimeoutError:
                continue
            return True
        return False

    def number(self) -> int:
        self._asked += 1
        return self._asked

    def request(
        self, method: str, *, call: str, to_tag: str = "", extra: tuple[str, ...] = (), body: bytes = b"", cseq: int = 0
    ) -> bytes:
        """From `raw` to the phone; the next CSeq, if none is given."""
        number = self.number()
        lines = (
            f"{method} sip:customer@127.0.0.1:{self.phone.udp} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch=z9hG4bK{self.port}-{number}",
            "Max-Forwards: 70",
            f"From: <sip:raw@127.0.0.1:{self.port}>;tag=raw",
            f"To: <sip:customer@127.0.0.1:{self.phone.udp}>{f';tag={to_tag}' if to_tag else ''}",
            f"Call-ID: {call}",
            f"CSeq: {cseq or number} {method}",
            f"Contact: <sip:raw@127.0.0.1:{self.port}>",
            *extra,
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def call(self) -> tuple[str, str]:
        """Calls a phone that answers by itself; the Call-ID and the phone's tag."""
        name = f"call-{self.number()}"
        invite = self.request("INVITE", call=name, extra=("Content-Type: application/sdp",), body=self.sdp)
        number = int(re.findall(rb"CSeq: (\d+)", invite)[0])
        self.send(invite)
        while f"Call-ID: {name}\r\n".encode() not in (answered := self.received(b"SIP/2.0 200")):
            pass
        tag = re.findall(rb"\r\nTo: [^\r]*;tag=([^\r;]+)", answered)[0].decode()
        self.send(self.request("ACK", call=name, to_tag=tag, cseq=number))
        self.phone.wait_for("CallEstablished")
        return name, tag

    def handed_in(self, data: bytes) -> bytes:
        """What pjsua2 would read of it; nothing of a digit's INFO. Raises Malformed."""
        message = parse(data)
        kind = (message.get("Content-Type") or "").partition(";")[0].lower()
        if kind in DTMF_TYPES:
            return b""
        self._push(message)
        if kind == "application/sdp" and message.body:
            message.body = SessionDescription.parse(message.body).rewritten(
                "127.0.0.1", self.media_port, self.media_port + 1
            )
        return write(message)

    def _push(self, message: SipMessage) -> None:
        """As the edge does: itself into the path, and addresses for names, since each here is this peer.

        Each request is a new one: what pjsua2 has answered before it would not read again.
        """
        if message.is_request:
            number = self.number()
            message.uri = f"sip:customer@127.0.0.1:{self.phone.udp}"
            message.insert_before("Via", f"SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch=z9hG4bK{self.port}x{number}")
            message.insert_before("Record-Route", f"<sip:127.0.0.1:{self.port};lr>")
            if NameAddr.parse(message.get("To") or "").param("tag"):
                message.set_first("CSeq", f"{1_000 + number} {message.method}")
            else:
                message.set_first("Call-ID", f"{number}-{message.get('Call-ID')}")
        elif 101 <= message.code < 300 and message.method == "INVITE":
            message.insert_after("Record-Route", f"<sip:127.0.0.1:{self.port};lr>")
        message.headers = [(name, self._resolved(name, value)) for name, value in message.headers]

    def _resolved(self, name: str, value: str) -> str:
        if name not in _TARGETS or value == "*":
            return value
        target = NameAddr.parse(value)
        if not target.uri.startswith(("sip:", "sips:")):
            return value
        uri = SipUri.parse(target.uri)
        return (
            value
            if re.fullmatch(r"[0-9.]+|\[.*", uri.host)
            else str(target.with_uri(uri._replace(host="127.0.0.1", port=9)))
        )
