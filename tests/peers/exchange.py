"""An exchange by TCP or TLS in the test's own process: it registers whoever asks, keeps what it hears, and says on the phone's
own connection what the test wants, to the byte.

    with exchange(authority.sign("server", "127.0.0.1")) as one:
        phone.do("account", address=f"agent@127.0.0.1:{one.port}", transport="tls", …)
        one.wait_for("REGISTER")
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from uuid import uuid4

from tests.peers.authority import Signed
from tests.peers.wire import header, headers

HOST = "127.0.0.1"
_LENGTH = re.compile(r"^content-length:[ \t]*(\d+)", re.MULTILINE | re.IGNORECASE)


def server_context(signed: Signed, change: Callable[[ssl.SSLContext], object] = lambda _: None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)
    change(context)
    return context


class Exchange:
    """The last of `flows` is the phone's connection now. `first` holds the first bytes of each, as they came."""

    def __init__(self, context: ssl.SSLContext | None = None, *, mute: bool = False) -> None:
        self._context = context
        self._mute = mute
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self.flows: list[socket.socket] = []
        self.first: list[bytes] = []
        self.heard: list[str] = []
        self.registered = 0
        self._sockets: list[socket.socket] = []
        self._taken = 0
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def say(self, text: str | bytes) -> None:
        self.flows[-1].sendall(text.encode() if isinstance(text, str) else text)

    def drop(self) -> None:
        """The phone's connection breaks."""
        with suppress(OSError):
            self.flows[-1].shutdown(socket.SHUT_RDWR)
        self.flows[-1].close()

    def wait_for(self, start: str, seconds: float = 10) -> str:
        """The next message that begins so; those before it are passed over."""
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                for at in range(self._taken, len(self.heard)):
                    if self.heard[at].startswith(start):
                        self._taken = at + 1
                        return self.heard[at]
                if not self._changed.wait(max(0.0, limit - time.monotonic())):
                    raise TimeoutError(f"no {start!r}, but {[one.splitlines()[0] for one in self.heard]}")

    def close(self) -> None:
        for one in (self._listening, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # who waits for it goes on
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    # --- threads ---------------------------------------------------------------------------------

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                flow = self._listening.accept()[0]
                thread = threading.Thread(target=self._flow, args=(flow,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _flow(self, flow: socket.socket) -> None:
        with flow, suppress(OSError):
            self._sockets.append(flow)
            self.first.append(flow.recv(64, socket.MSG_PEEK))
            if self._mute:
                while flow.recv(1024):
                    pass
            elif self._context is not None:
                with self._context.wrap_socket(flow, server_side=True, do_handshake_on_connect=False) as secure:
                    self._sockets.append(secure)
                    self._greet(secure)
            elif b"SIP/2.0" in self.first[-1]:  # else it goes, as a server does with what is no SIP
                self._read(flow)

    def _greet(self, flow: ssl.SSLSocket) -> None:
        try:
            flow.do_handshake()
        except ssl.SSLError:
            # Once the phone has read why: to close at once would take it back.
            with socket.socket(fileno=flow.detach()) as raw:
                self._sockets.append(raw)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(1024):
                    pass
        else:
            self._read(flow)

    def _read(self, flow: socket.socket) -> None:
        self.flows.append(flow)
        waiting = b""
        while data := flow.recv(65_536):
            waiting += data
            while (end := waiting.find(b"\r\n\r\n")) >= 0:
                head = waiting[: end + 4].decode("utf-8", "replace")
                length = _LENGTH.search(head)
                whole = end + 4 + (int(length[1]) if length else 0)
                if len(waiting) < whole:
                    break
                message, waiting = waiting[:whole].decode("utf-8", "replace"), waiting[whole:]
                if not message.strip():
                    flow.sendall(b"\r\n")
                    continue
                if message.startswith("REGISTER"):
                    flow.sendall(self._registers(message))
                    self.registered += 1
                with self._changed:
                    self.heard.append(message)
                    self._changed.notify_all()

    def _registers(self, request: str) -> bytes:
        contact = re.sub(r";expires=\d+", "", header(request, "Contact"))
        more = f"Contact: {contact};expires=300\r\n" if contact else ""  # without one it only asks what there is
        return self.answer(request, "200 OK", more=more).encode()

    # --- what it may say -------------------------------------------------------------------------

    def answer(self, request: str, status: str, *, more: str = "", body: str = "") -> str:
        copied = "".join(f"Via: {one}\r\n" for one in headers(request, "Via"))
        to = header(request, "To")
        to = to if ";tag=" in to else f"{to};tag=exchange"
        return (
            f"SIP/2.0 {status}\r\n{copied}From: {header(request, 'From')}\r\nTo: {to}\r\n"
            f"Call-ID: {header(request, 'Call-ID')}\r\nCSeq: {header(request, 'CSeq')}\r\n{more}{_described(body)}"
        )

    def request(
        self,
        method: str,
        user: str,
        *,
        more: str = "",
        body: str = "",
        call: str,
        to: str = "",
        cseq: int = 1,
        contact: str = "",
    ) -> str:
        """To `user`, or in a dialog whose other side is `to`."""
        contact = contact or f"<sip:exchange@{HOST}:{self.port};transport=tls>"
        return (
            f"{method} sip:{user}@{HOST}:{self.port} SIP/2.0\r\n"
            f"Via: SIP/2.0/TLS {HOST}:{self.port};branch=z9hG4bK{uuid4().hex};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:+4520123456@{HOST}>;tag=exchange\r\nTo: {to or f'<sip:{user}@{HOST}>'}\r\nCall-ID: {call}\r\n"
            f"CSeq: {cseq} {method}\r\nContact: {contact}\r\n{more}{_described(body)}"
        )


def _described(body: str) -> str:
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return f"{kind}Content-Length: {len(body.encode())}\r\n\r\n{body}"


@contextmanager
def exchange(
    signed: Signed | None = None,
    change: Callable[[ssl.SSLContext], object] = lambda _: None,
    *,
    mute: bool = False,
) -> Generator[Exchange]:
    """By TLS with that certificate, else by TCP. `change`: what is odd about its TLS. `mute`: it never says a word."""
    one = Exchange(server_context(signed, change) if signed else None, mute=mute)
    try:
        yield one
    finally:
        one.close()
