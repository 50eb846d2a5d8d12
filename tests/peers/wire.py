"""SIP by hand, from any loopback address: what is sent is written here to the byte, and what comes is kept as it came.

It answers nothing by itself. For calls that behave there is `plain_phone`.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from uuid import uuid4

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class Wire:
    """`tag` is its own, and `call_id` that of the call it makes."""

    def __init__(self, host: str, port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.host, self.port = self.socket.getsockname()
        self.tag, self.call_id = uuid4().hex[:8], uuid4().hex
        self.them = ""
        """the other side's From or To, with its tag"""
        self.heard: list[str] = []

    def send(self, text: str, to: tuple[str, int]) -> None:
        self.socket.sendto(text.encode(), to)

    def wait_for(self, start: str, seconds: float = 15) -> str:
        """The next message that begins so; those before it are kept and passed over."""
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data, self.peer = self.socket.recvfrom(65_536)
            except TimeoutError:
                break
            text = data.decode("utf-8", "replace")
            self.heard.append(text)
            if text.startswith(start):
                return text
        raise TimeoutError(
            f"no {start!r} within {seconds:g} s, but {[one.splitlines()[:1] for one in self.heard[-20:]]}"
        )

    def silent(self, seconds: float = 0.5) -> bool:
        """Nothing comes for so long."""
        try:
            self.wait_for("", seconds)
        except TimeoutError:
            return True
        return False

    def request(
        self,
        method: str,
        port: int,
        *,
        more: str = "",
        body: str = "",
        kind: str = "application/sdp",
        cseq: int = 1,
        to: str = "",
        contact: str = "",
        call_id: str = "",
        branch: str = "",
    ) -> str:
        """Of a phone as it should be, to one on 127.0.0.1: `to` as in a dialog, else the first of one."""
        contact = contact or f"<sip:wire@{self.host}:{self.port}>"
        return (
            f"{method} sip:own@127.0.0.1:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch={branch or 'z9hG4bK' + uuid4().hex};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:wire@{self.host}>;tag={self.tag}\r\n"
            f"To: {to or self.them or f'<sip:own@127.0.0.1:{port}>'}\r\nCall-ID: {call_id or self.call_id}\r\n"
            f"CSeq: {cseq} {method}\r\nContact: {contact}\r\n{more}"
            + (f"Content-Type: {kind}\r\n" if body else "")
            + f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
        )

    def answer(self, request: str, status: str, *, contact: str = "", more: str = "", body: str = "") -> str:
        copied = "".join(f"Via: {one}\r\n" for one in headers(request, "Via"))
        to = header(request, "To")
        to = to if ";tag=" in to else f"{to};tag={self.tag}"
        contact = contact or f"<sip:wire@{self.host}:{self.port}>"
        return (
            f"SIP/2.0 {status}\r\n{copied}From: {header(request, 'From')}\r\nTo: {to}\r\n"
            f"Call-ID: {header(request, 'Call-ID')}\r\nCSeq: {header(request, 'CSeq')}\r\nContact: {contact}\r\n{more}"
            + ("Content-Type: application/sdp\r\n" if body else "")
            + f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
        )

    def call(self, port: int) -> None:
        """INVITE, and ACK once it is answered: `answered` waits for that."""
        self.send(self.request("INVITE", port, body=SDP), ("127.0.0.1", port))

    def answered(self, port: int) -> None:
        self.them = header(self.wait_for("SIP/2.0 200", 10), "To")
        self.send(self.request("ACK", port), ("127.0.0.1", port))


def header(text: str, name: str) -> str:
    return next(iter(headers(text, name)), "")


def headers(text: str, name: str) -> list[str]:
    return re.findall(rf"^{name}:[ \t]*(.*?)\r?$", text.partition("\r\n\r\n")[0] + "\r\n", re.MULTILINE | re.IGNORECASE)


@contextmanager
def wire(host: str = "127.0.0.1", port: int = 0) -> Generator[Wire]:
    one = Wire(host, port)
    try:
        yield one
    finally:
        one.socket.close()
