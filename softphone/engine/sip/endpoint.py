"""The one pjsua2 endpoint of this process: library, log, null sound device, codecs, transports.

Polled, never threaded (`threadCnt` 0): only the polling thread may call pjsua2. It knows neither accounts nor calls.
"""

# ruff: noqa: N802 - callbacks bear PJSIP's own names

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import re
import socket
import stat
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pjsua2 as pj

from softphone.domain.errors import EngineError
from softphone.engine.sip.message import MOST_HEADER, caller, mended, parse_message
from softphone.engine.sip.raw_events import CallbackFailed, InviteRejected, Post, guarded
from softphone.engine.sip.settings import CLOCK_RATE, FRAME_MS, PhoneSettings

log = logging.getLogger("softphone.engine.sip")

MAX_CALLS = 4
LOG_LEVEL = 3
DEEPEST_MS = 120
"""how long a packet may be waited for"""
FULL_MS = 240
"""of sound that may wait: what a network holds back comes all at once"""
LOOPBACK = "127.0.0.1"

_PERSONAL = re.compile(r"(?:sips?|tel):[^\s>;,]+|\"[^\"]*\"|[+\d][\d ]{5,}|\S+@\S+")
_FIRST_ROUTE = re.compile(r"^Record-Route: ([^\r\n]*)", re.MULTILINE)
"""as the edge writes it"""


class _Log(pj.LogWriter):
    """PJSIP's warnings, without what could name a person."""

    def __init__(self, post: Post) -> None:
        super().__init__()
        self._post = post
        self._failed = False

    def write(self, entry: pj.LogEntry) -> None:
        try:
            text = _PERSONAL.sub("…", mended(entry.msg, MOST_HEADER)).strip()
            # Never a warning: what matters of it comes to the engine as an event.
            log.log(logging.INFO if entry.level == 1 else logging.DEBUG, "%s", text)
        except Exception as error:  # noqa: BLE001 - nothing may pass into C++
            # Once: PJSIP has more to say each second.
            if not self._failed:
                self._failed = True
                self._post(CallbackFailed("_Log.write", type(error).__name__))


class EndpointDirector(pj.Endpoint):
    def __init__(self, post: Post) -> None:
        super().__init__()
        self.post = post
        self.index_of: Callable[[str], int | None] = lambda _: None
        """the library's number of the account that a route of the edge's names"""

    @guarded
    def onSelectAccount(self, prm: pj.OnSelectAccountParam) -> None:
        """The library goes by To alone. The edge knows by whose connection it came, and says so in its own Record-Route."""
        route = _FIRST_ROUTE.search(prm.rdata.wholeMsg)
        index = self.index_of(route[1]) if route is not None else None
        if index is not None:
            prm.accountIndex = index

    @guarded
    def onRejectedIncomingCall(self, prm: pj.OnRejectedIncomingCallParam) -> None:
        # `remoteInfo` is the address alone: the name stands in the message.
        who = caller(parse_message(prm.rdata.wholeMsg).headers)
        self.post(InviteRejected(who.name, who.user))


def connect_own(port: int, address: tuple[str, int]) -> None:
    """The kernel lets only `address` reach PJSIP's loopback socket on `port`.

    The socket is found among this process's descriptors. Where they cannot be listed it stays open to local senders: on
    Windows, whose firewall keeps users no better apart.
    """
    for descriptor in _descriptors():
        with contextlib.suppress(OSError):
            one = socket.socket(fileno=descriptor)
            try:
                if one.type == socket.SOCK_DGRAM and one.getsockname() == (LOOPBACK, port):
                    one.connect(address)
            finally:
                one.detach()  # it is PJSIP's


def _descriptors() -> list[int]:
    """Of sockets alone. None of them is copied. To close a copy of a file's would take every lock that this process has on
    that file, and a number may have become a file's meanwhile."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return [number for one in Path(folder).iterdir() if _is_socket(number := int(one.name))]
    return []


def _is_socket(descriptor: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return False


@contextlib.contextmanager
def _stdout_aside() -> Generator[None]:
    """Keep the output of C code out of fd 1, which may carry a protocol.

    `libCreate` prints its banner before its log can be set. C's own buffer has to be flushed too, or the banner comes out at
    exit.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        runtime = ctypes.cdll.ucrtbase if sys.platform == "win32" else ctypes.CDLL(None)
        runtime.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


class SipEndpoint:
    """Start, poll, end. `udp` and `tcp` are the bound ports, read back after `start`."""

    def __init__(self, settings: PhoneSettings, post: Post, inner: socket.socket | None = None) -> None:
        """`inner`: behind an edge, the edge's end. From `start` on it leads to pjsua2 and hears nobody else."""
        self._settings = settings
        self._post = post
        self._log: _Log | None = None
        self._log_proxy: object = None
        self._waker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.lib: EndpointDirector | None = None
        self.udp = 0
        self.tcp = 0
        self.tcp_transport = -1
        self.udp_transport = -1
        self.inner = inner

    @property
    def edge(self) -> str:
        """Where the edge listens for pjsua2, `host:port`; empty without one."""
        return "{}:{}".format(*self.inner.getsockname()) if self.inner else ""

    def start(self) -> None:
        """Raises EngineError `sip_start`, `port_taken` or `settings.port` (parameter `port`), or `bind`."""
        self._check_address()
        lib = EndpointDirector(self._post)
        self.lib = lib
        try:
            with _stdout_aside():
                lib.libCreate()
                lib.libInit(self._config())
            self._open_transports(lib)
            lib.audDevManager().setNullDev()
            self._order_codecs(lib)
            lib.libStart()
        except pj.Error as error:
            self.destroy()
            raise EngineError("sip_start", status=error.status, reason=error.reason) from None
        except BaseException:
            self.destroy()
            raise

    def _config(self) -> pj.EpConfig:
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = MAX_CALLS
        config.uaConfig.userAgent = self._settings.user_agent
        config.uaConfig.mwiUnsolicitedEnabled = False
        config.uaConfig.natTypeInSdp = 0
        config.medConfig.clockRate = CLOCK_RATE
        config.medConfig.sndClockRate = CLOCK_RATE
        config.medConfig.channelCount = 1
        config.medConfig.audioFramePtime = FRAME_MS
        config.medConfig.ptime = FRAME_MS
        # Silence is sent like speech: recorders, NATs and jitter buffers want a packet each 20 ms.
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        self._keep_every_packet(config.medConfig)
        config.logConfig.msgLogging = 0
        # The writer stands in for the console: it gets what the console would have got.
        config.logConfig.consoleLevel = LOG_LEVEL
        config.logConfig.level = LOG_LEVEL
        # The library deletes its writer at the end; Python keeps the other half alive until then.
        self._log = _Log(self._post)
        self._log_proxy = self._log.__disown__()
        config.logConfig.writer = self._log
        return config

    def _keep_every_packet(self, media: pj.MediaConfig) -> None:
        """A jitter buffer that waits longer where packets come unevenly, and throws nothing away before it is full.

        PJSIP's own shrinks itself to the next tick by cutting sound out of the middle of speech. Then it fills every late
        packet with invented sound. Both would be in a recording. One that is full before the network has caught up starts
        anew, and loses all of it.
        """
        media.jbInit = media.jbMinPre = self._settings.jitter_ms
        media.jbMaxPre = max(DEEPEST_MS, self._settings.jitter_ms)
        media.jbMax = FULL_MS
        # The binding cannot set this one field; its own reader of configurations can.
        document = pj.JsonDocument()
        document.writeObject(media)
        text = re.sub(r'"jbDiscardAlgo":\s*\d+', '"jbDiscardAlgo": 0', document.saveString())
        document = pj.JsonDocument()
        document.loadString(text)
        document.readObject(media)

    def _open_transports(self, lib: EndpointDirector) -> None:
        if self._settings.behind_edge:
            # UDP alone: with TCP there, PJSIP would send an INVITE over 1300 bytes past the edge.
            self.udp_transport, self.udp = self._listen(lib, pj.PJSIP_TRANSPORT_UDP, 0)
            assert self.inner is not None
            # The kernel drops what other local users send to either.
            self.inner.bind((LOOPBACK, 0))
            self.inner.connect((LOOPBACK, self.udp))
            connect_own(self.udp, self.inner.getsockname())
            return
        self.udp_transport, self.udp = self._listen(lib, pj.PJSIP_TRANSPORT_UDP, self._settings.port)
        try:
            self.tcp_transport, self.tcp = self._listen(lib, pj.PJSIP_TRANSPORT_TCP, self.udp)
        except EngineError:
            if self._settings.port:
                raise
            self.tcp_transport, self.tcp = self._listen(lib, pj.PJSIP_TRANSPORT_TCP, 0)

    def _check_address(self) -> None:
        """PJSIP would say that the port is taken, and take another one for an invalid port."""
        settings = self._settings
        if settings.behind_edge:
            return
        if not 0 <= settings.port <= 65535:
            raise EngineError("settings.port", port=settings.port)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.bind((settings.address or "0.0.0.0", 0))  # noqa: S104 - as a phone listens
        except (OSError, TypeError, ValueError):
            raise EngineError("bind", bind=settings.address) from None

    def _listen(self, lib: EndpointDirector, kind: int, port: int) -> tuple[int, int]:
        config = pj.TransportConfig()
        config.port = port
        config.boundAddress = LOOPBACK if self._settings.behind_edge else self._settings.address
        try:
            transport = lib.transportCreate(kind, config)
        except pj.Error as error:
            raise EngineError("port_taken", port=port, reason=error.reason) from None
        return transport, int(lib.transportGetInfo(transport).localName.rsplit(":", 1)[1])

    def _order_codecs(self, lib: EndpointDirector) -> None:
        wanted = {name: 255 - place for place, name in enumerate(self._settings.codecs)}
        for codec in lib.codecEnum2():
            lib.codecSetPriority(codec.codecId, wanted.get(codec.codecId, 0))

    def name_accounts(self, index_of: Callable[[str], int | None]) -> None:
        if self.lib is not None:
            self.lib.index_of = index_of

    def poll(self, timeout_ms: int) -> None:
        if self.lib is not None:
            self.lib.libHandleEvents(timeout_ms)

    def wake(self) -> None:
        """From any thread: end the wait of the current poll, or of the next. It is too short for a message, so it is read
        and dropped like a peer's keep-alive."""
        with contextlib.suppress(OSError):
            if self.inner is not None:
                self.inner.send(b"\r\n")
            else:
                self._waker.sendto(b"\r\n", (self._settings.address or LOOPBACK, self.udp))

    def stop_clock(self) -> None:
        """No frame callback comes any more. Dropping a port during one costs the process."""
        if self.lib is not None:
            with contextlib.suppress(pj.Error):
                self.lib.audDevManager().setNoDev()

    def destroy(self) -> None:
        """End the library. Every port, call and account must have been dropped before."""
        self._waker.close()
        if self.inner is not None:
            self.inner.close()
        lib, self.lib = self.lib, None
        if lib is None:
            return
        gc.collect()
        with contextlib.suppress(pj.Error):
            lib.libDestroy(pj.PJSUA_DESTROY_NO_RX_MSG)
        self._log_proxy = None
        self._log = None
