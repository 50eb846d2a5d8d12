"""TLS over a stream, with its handshake on a thread. Checking a certificate takes milliseconds, and where the system does it
(Windows) it may wait for the network. asyncio's own TLS does all of that on the loop, which relays the calls' sound.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from typing import Any, NamedTuple

from softphone.edge.tls import ConnectionFault, fault_of

GOODBYE_LIMIT = 1.0
"""seconds for what is still to be sent at the end"""
_PIECE = 65_536


class Secured(NamedTuple):
    """After a handshake. What has come behind it waits in `incoming`."""

    end: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO


def shake_hands(sock: socket.socket, context: ssl.SSLContext, name: str, seconds: float) -> Secured | ConnectionFault:
    """On a thread: it waits for the other side, and for the system's check. The socket stays open."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = context.wrap_bio(incoming, outgoing, server_hostname=name)
    limit = time.monotonic() + seconds
    try:
        while True:
            try:
                end.do_handshake()
                break
            except ssl.SSLWantReadError:
                _exchange(sock, incoming, outgoing, limit)
        sock.sendall(outgoing.read())
    except ssl.SSLError as error:
        with contextlib.suppress(OSError):
            sock.sendall(outgoing.read())  # why, as an alert
        return fault_of(error) or ConnectionFault("tls_other")
    except TimeoutError:
        return ConnectionFault("tls_silent")
    except (OSError, ValueError):
        return ConnectionFault("tls_none")
    finally:
        sock.setblocking(False)
    return Secured(end, incoming, outgoing)


def _exchange(sock: socket.socket, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, limit: float) -> None:
    if (left := limit - time.monotonic()) <= 0:
        raise TimeoutError
    sock.settimeout(left)
    sock.sendall(outgoing.read())
    if data := sock.recv(_PIECE):
        incoming.write(data)
    else:
        incoming.write_eof()


class TlsStream(asyncio.Protocol, asyncio.Transport):
    """A transport for `protocol`, above that of the socket."""

    def __init__(self, secured: Secured, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._end, self._incoming, self._outgoing = secured
        self._above = protocol
        self._below: asyncio.Transport | None = None
        self._closed = False
        self._failed: ssl.SSLError | None = None

    # --- for the socket's transport ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._below = transport
        self._above.connection_made(self)
        self._read()

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._above.connection_lost(self._failed or exc)

    def _read(self) -> None:
        try:
            while not self._closed and (data := self._end.read(_PIECE)):
                self._above.data_received(data)
        except ssl.SSLWantReadError:
            self._send()  # TLS's own answers
        except ssl.SSLZeroReturnError:
            self.close()
        except ssl.SSLError as error:
            self._failed = error
            self.abort()

    def _send(self) -> None:
        if self._below is not None and (data := self._outgoing.read()):
            self._below.write(data)

    # --- for the protocol above --------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._closed:
            return
        try:
            self._end.write(data)
        except ssl.SSLError as error:
            self._failed = error
            self.abort()
        else:
            self._send()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(ssl.SSLError):
            self._end.unwrap()  # it says goodbye, and need not be answered
        self._send()
        if self._below is not None:
            self._below.close()
            asyncio.get_running_loop().call_later(GOODBYE_LIMIT, self._below.abort)

    def abort(self) -> None:
        self._closed = True
        if self._below is not None:
            self._below.abort()

    def is_closing(self) -> bool:
        return self._closed or self._below is None or self._below.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "peercert":
            return self._end.getpeercert()
        return self._below.get_extra_info(name, default) if self._below is not None else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if self._below is not None:
            self._below.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._below.get_write_buffer_size() if self._below is not None else 0
