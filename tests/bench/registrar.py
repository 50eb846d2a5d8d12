"""A registrar as a stopwatch: it asks for a digest, takes any, and tells when it did. Nothing else of SIP."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

HOST = "127.0.0.1"
REALM = "klartone.bench"


class Registrar:
    """`at`: the monotonic moment of its first 200, once `registered` is set; `contact`: the URI that it is for."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self.address = f"{HOST}:{self._socket.getsockname()[1]}"
        self.at = 0.0
        self.contact = ""
        self.registered = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, source = self._socket.recvfrom(65_535)
            if not data:
                return
            text = data.decode("utf-8", "replace")
            if text.startswith("REGISTER "):
                self._answer(text, source)

    def _answer(self, text: str, source: tuple[str, int]) -> None:
        contact = re.search(r"(?im)^(?:Contact|m) *: *(.+?)\r?$", text)
        told = re.findall(r"(?im)^((?:Via|v|From|f|To|t|Call-ID|i|CSeq) *: *.+?)\r?$", text)
        allowed = re.search(r"(?im)^Authorization *:", text)
        line = "200 OK" if allowed else "401 Unauthorized"
        own = [f"Contact: {contact[1]};expires=600"] if allowed and contact else []
        if not allowed:
            own = [f'WWW-Authenticate: Digest realm="{REALM}", nonce="0123456789abcdef", algorithm=MD5']
        said = [f"SIP/2.0 {line}", *(f"{one};tag=1" if re.match(r"(?i)t(?:o)? *:", one) else one for one in told), *own]
        self._socket.sendto(("\r\n".join([*said, "Content-Length: 0"]) + "\r\n\r\n").encode(), source)
        if allowed and not self.registered.is_set():
            self.at = time.monotonic()
            found = re.search(r"<([^>]*)>", contact[1]) if contact else None
            self.contact = found[1] if found else ""
            self.registered.set()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join(2)
        self._socket.close()


@contextmanager
def registrar() -> Generator[Registrar]:
    one = Registrar()
    try:
        yield one
    finally:
        one.close()
