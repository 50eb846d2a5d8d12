"""A phone of the plainest kind, for what no softphone says or leaves out: it writes its SIP itself, from any loopback address.

It calls, or is called (`pick_up` answers), acknowledges, answers every re-INVITE, allows no UPDATE, and keeps all that it was
sent. It says silence, or nothing at all (`mute`), and swallows what it hears.

    with plain_phone("127.0.0.2") as phone:
        phone.call("127.0.0.1", port, "70102030", headers={"Klartone-Told": "N1"})
        phone.wait_for("INVITE", "a=record:on")
        phone.hang_up()
"""

from __future__ import annotations

import itertools
import re
import socket
import struct
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import uuid4

import av
import numpy as np

from softphone.audio.filters import resampled
from tests.peers.processes import until

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS"
"""what it takes"""
EVENTS = "0123456789*#ABCD"
SILENCE = b"\xd5" * 160
"""20 ms in A-law"""


def alaw(pcm: bytes) -> bytes:
    """Of 16 bit, 16 kHz."""
    narrow = np.frombuffer(resampled(pcm, 16_000, 8_000), "<i2")
    encoder = cast("Any", av.CodecContext.create("pcm_alaw", "w"))
    encoder.sample_rate, encoder.format, encoder.layout = 8_000, "s16", "mono"
    frame = av.AudioFrame.from_ndarray(narrow.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = 8_000
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


class PlainPhone:
    """`heard` is every message it was sent. `number` is who calls, `name` its bytes as they go out; `aware`: it says that it is
    record-aware; `allow`: what it says that it takes."""

    def __init__(self, host: str, number: str, *, name: bytes, aware: bool, allow: str) -> None:
        self.refuses = ""
        """how it answers a re-INVITE: a status line's end, `silence`, or as a phone that agrees"""
        self.direction = "sendrecv"
        """of every SDP it makes"""
        self.nowhere = False
        """every SDP it makes has the address 0.0.0.0, a hold of old"""
        self.options = "200 OK"
        """how it answers OPTIONS; empty: not at all"""
        self.mute = False
        self._falls_silent = False
        """it sends no RTP"""
        self.loses = 0
        """one in so many of its packets"""
        self.held_up: tuple[int, int] = (0, 0)
        """of each so many packets the last so many come together, as from a network that was held up"""
        self.says: list[bytes] = []
        """frames of 20 ms in A-law that it says before it is silent again"""
        self._allow = allow
        self._supported = "record-aware" if aware else "replaces"
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.bind((host, 0))
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind((host, 0))
        self._host, self._port = self._sip.getsockname()
        shown = f'"{_text(name)}" ' if name else ""
        self._me = f"{shown}<sip:{number}@{host}:{self._port}>;tag={uuid4().hex[:8]}"
        self._them = ""
        self._call_id = uuid4().hex
        self._peer = ("", 0)
        self._numbers = itertools.count(1)
        self._over = False
        self.keys = True
        """its SDP names telephone-event (RFC 4733)"""
        self.wishes: Sequence[str] = ()
        """attributes of every SDP it makes"""
        self.heard: list[str] = []
        self._sent = 0
        self._down: list[tuple[int, int, int]] = []
        """packets of a key that is held: its event, which packet of how many"""
        self.sound_to: tuple[str, int] | None = None
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._listen, self._speak)]
        for one in self._threads:
            one.start()

    def call(
        self,
        host: str,
        port: int,
        number: str,
        *,
        headers: Mapping[str, str] | None = None,
        attributes: Sequence[str] = (),
    ) -> None:
        """INVITE; who is called may answer in its own time, and gets its ACK. `attributes` go into every SDP of this phone."""
        self._peer, self.wishes = (host, port), attributes
        self._them = f"<sip:{number}@{host}:{port}>"
        self._request("INVITE", headers or {}, self._sdp())

    @property
    def target(self) -> str:
        """Where it can be dialled."""
        return f"sip:plain@{self._host}:{self._port}"

    def ring(self, *, early: bool = False) -> None:
        """180, or 183 with its SDP, to who calls it."""
        self._reply(
            self._wait_for_call(), "183 Session Progress" if early else "180 Ringing", self._sdp() if early else ""
        )

    def pick_up(self, *, body: bool = True) -> None:
        """200 to who calls it; `body`: with its SDP."""
        self._reply(self._wait_for_call(), "200 OK", self._sdp() if body else "")

    def offer(self, *, attributes: Sequence[str] = (), headers: Mapping[str, str] | None = None) -> None:
        """A re-INVITE that says these from now on."""
        self.wishes = attributes
        self._request("INVITE", headers or {}, self._sdp())

    def move(self) -> None:
        """Its sound comes from, and goes to, another port from now on, as behind an exchange that leaves the path."""
        self._rtp.close()
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind((self._host, 0))
        self.offer()

    def put_through(self, number: str) -> None:
        """Somebody else is there now, and says so (RFC 4916)."""
        self._me = re.sub(r"sip:[^@]+@", f"sip:{number}@", self._me)
        self.offer()

    def say(self, pcm: bytes) -> None:
        """16 bit, 16 kHz."""
        said = alaw(pcm)
        self.says += [said[at : at + 160].ljust(160, b"\xd5") for at in range(0, len(said), 160)]

    def hear(self, packets: int) -> bytes:
        """What the next packets say; 16 bit, 16 kHz."""
        decoder = cast("Any", av.CodecContext.create("pcm_alaw", "r"))
        decoder.sample_rate, decoder.layout = 8_000, "mono"
        self._rtp.settimeout(5)
        heard = b"".join(self._rtp.recv(2_000)[12:] for _ in range(packets))
        frames = [*decoder.decode(av.Packet(heard)), *decoder.decode(None)]
        return resampled(b"".join(one.to_ndarray().astype("<i2").tobytes() for one in frames), 8_000, 16_000)

    def press(self, sign: str) -> None:
        """A key, by INFO."""
        self._request("INFO", {}, f"Signal={sign}\r\nDuration=160\r\n")

    def hold_key(self, sign: str, seconds: float) -> None:
        """A key as RFC 4733 has it, down for so long; it has been let go when this returns."""
        packets = round(seconds / 0.02)
        self._down = [(EVENTS.index(sign), place, packets) for place in range(packets)]
        until(lambda: not self._down, seconds + 10, "the key is let go")

    def suppress_silence(self) -> None:
        """A packet of comfort noise (RFC 3389), and no more until it speaks again."""
        self._falls_silent = True
        until(lambda: not self._falls_silent, 10, "comfort noise is sent")

    def hang_up(self) -> None:
        self._request("BYE", {}, "")

    def wait_for(self, start: str, *parts: str, seconds: float = 10) -> str:
        """The first message that starts so and holds these parts."""

        def found() -> str:
            return next((one for one in self.heard if one.startswith(start) and all(p in one for p in parts)), "")

        until(lambda: bool(found()), seconds, f"{start} {parts} among {[one.splitlines()[0] for one in self.heard]}")
        return found()

    def count(self, start: str) -> int:
        return sum(one.startswith(start) for one in self.heard)

    def close(self) -> None:
        self._over = True
        self._ended.set()
        # A word to itself: nothing else wakes who listens.
        self._sip.sendto(b"over", (self._host, self._port))
        for one in self._threads:
            one.join(2)
        self._sip.close()
        self._rtp.close()

    # --- SIP -------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while True:
            data, source = self._sip.recvfrom(65_536)
            if self._over:
                return
            text = _text(data)
            if not text.strip():
                continue
            self.heard.append(text)
            address = re.search(r"^c=IN IP4 (\S+)", text, re.MULTILINE)
            if address and (media := re.search(r"^m=audio (\d+)", text, re.MULTILINE)):
                self.sound_to = address[1], int(media[1])
            if text.startswith("SIP/2.0 200") and "INVITE" in header(text, "CSeq"):
                self._them = header(text, "To")
                self._send("ACK", int(header(text, "CSeq").split()[0]), {}, "")
            elif text.startswith("INVITE") and ";tag=" not in header(text, "To"):
                if self._them:
                    continue  # once more
                self._peer, self._call_id = source, header(text, "Call-ID")
                self._me, self._them = f"{header(text, 'To')};tag={uuid4().hex[:8]}", header(text, "From")
            elif text.startswith(("INVITE", "UPDATE", "BYE", "INFO")) or (text.startswith("OPTIONS") and self.options):
                self._answer(text)

    def _answer(self, request: str) -> None:
        method = request.split()[0]
        # It does not know UPDATE, whatever anybody makes of its Allow.
        status, body = ("501 Not Implemented", "") if method == "UPDATE" else ("200 OK", "")
        if method == "OPTIONS":
            status = self.options
        if method == "INVITE" and self.refuses == "silence":
            return
        if method == "INVITE":
            status, body = (self.refuses, "") if self.refuses else (status, self._sdp())
        self._reply(request, status, body)

    def _reply(self, request: str, status: str, body: str) -> None:
        # All of these: proxies have put theirs on top.
        path = re.findall(r"^((?:Via|Record-Route):.*?)\r?$", request.partition("\r\n\r\n")[0], re.MULTILINE)
        copied = "".join(f"{line}\r\n" for line in path)
        copied += "".join(f"{name}: {header(request, name)}\r\n" for name in ("From", "Call-ID", "CSeq"))
        to = header(request, "To")
        to = to if ";tag=" in to else self._me
        self._out(f"SIP/2.0 {status}\r\n{copied}To: {to}\r\n{self._common(body)}{body}")

    def _wait_for_call(self) -> str:
        """The INVITE that called it, once it has been taken in."""
        until(lambda: bool(self._them), 10, "a call to it")
        return next(one for one in self.heard if one.startswith("INVITE"))

    def _request(self, method: str, headers: Mapping[str, str], body: str) -> None:
        self._send(method, next(self._numbers), headers, body)

    def _send(self, method: str, number: int, headers: Mapping[str, str], body: str) -> None:
        target = f"sip:{self._peer[0]}:{self._peer[1]}"
        user = re.search(r"sip:([^@>]+)@", self._them)
        uri = target.replace("sip:", f"sip:{user[1]}@") if user else target
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._out(
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self._host}:{self._port};branch=z9hG4bK{uuid4().hex}\r\n"
            f"Max-Forwards: 70\r\nFrom: {self._me}\r\nTo: {self._them}\r\nCall-ID: {self._call_id}\r\n"
            f"CSeq: {number} {method}\r\n{more}{self._common(body)}{body}"
        )

    def _common(self, body: str) -> str:
        kind = "sdp" if body.startswith("v=") else "dtmf-relay"
        kind = f"Content-Type: application/{kind}\r\n" if body else ""
        return (
            f"Contact: <sip:plain@{self._host}:{self._port}>\r\nAllow: {self._allow}\r\nSupported: {self._supported}\r\n"
            f"{kind}Content-Length: {len(_bytes(body))}\r\n\r\n"
        )

    def _sdp(self) -> str:
        wishes = "".join(f"a={one}\r\n" for one in self.wishes)
        formats, event = ("8 101", "a=rtpmap:101 telephone-event/8000\r\n") if self.keys else ("8", "")
        host = "0.0.0.0" if self.nowhere else self._host
        return (
            f"v=0\r\no=- 1 {next(self._numbers)} IN IP4 {self._host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {self._rtp.getsockname()[1]} RTP/AVP {formats}\r\na=rtpmap:8 PCMA/8000\r\n"
            f"{event}a={self.direction}\r\n"
            f"{wishes}"
        )

    def _speak(self) -> None:
        waiting: list[bytes] = []
        while not self._ended.wait(0.02):
            if self.sound_to is not None and not self.mute:
                self._sent += 1
                if self._falls_silent:
                    # From here: no sound that is under way comes after it.
                    head = struct.pack("!BBHII", 0x80, 13, self._sent & 0xFFFF, self._sent * 160, 1)
                    self._rtp.sendto(head + b"\x40", self.sound_to)
                    self.mute, self._falls_silent = True, False
                    continue
                if self._down:
                    # One timestamp for the whole of it, and how long it has lasted.
                    event, place, packets = self._down.pop(0)
                    kind, ends = 101 | (0x80 if place == 0 else 0), 0x80 if place == packets - 1 else 0
                    head = struct.pack("!BBHII", 0x80, kind, self._sent & 0xFFFF, (self._sent - place) * 160, 1)
                    said = struct.pack("!BBH", event, ends | 10, (place + 1) * 160)
                    self._rtp.sendto(head + said, self.sound_to)
                    continue
                head = struct.pack("!BBHII", 0x80, 8, self._sent & 0xFFFF, self._sent * 160, 1)
                said = self.says.pop(0) if self.says else SILENCE
                if not self.loses or self._sent % self.loses:
                    waiting.append(head + said)
                every, together = self.held_up
                if not every or not every - together < self._sent % every < every:
                    while waiting:
                        self._rtp.sendto(waiting.pop(0), self.sound_to)

    def _out(self, text: str) -> None:
        self._sip.sendto(_bytes(text), self._peer)


def _text(raw: bytes) -> str:
    """Whatever bytes it is, the same go out again."""
    return raw.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def header(text: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*?)\r?$", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


@contextmanager
def plain_phone(
    host: str = "127.0.0.1",
    number: str = "+4520123456",
    *,
    name: bytes = b"",
    aware: bool = True,
    allow: str = ALLOW,
) -> Generator[PlainPhone]:
    phone = PlainPhone(host, number, name=name, aware=aware, allow=allow)
    try:
        yield phone
    finally:
        phone.close()
