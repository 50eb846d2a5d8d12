"""The engine's side of the edge: opens the sockets, starts the process that reads from them, and starts it again when it
dies.

The sockets belong to the engine, so no message is refused while an edge is away: it waits in the socket for the next one.
Nothing here blocks the caller; the edge's messages come on a thread of this module.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from softphone.domain.errors import EngineError
from softphone.edge.channel import (
    LINE_LIMIT,
    Configure,
    EdgeAccount,
    EdgeState,
    FromEdge,
    Heartbeat,
    Ready,
    Remember,
    Sockets,
    ToEdge,
    encode,
    from_edge,
)
from softphone.processes import HIDDEN
from softphone.system.logbook import log

BEAT = 1.0
"""seconds between two heartbeats"""
DEAF = 3
"""heartbeats without a word after which a ready edge hangs, and is ended"""
DEAF_AT_FIRST = 30
"""the same for an edge that has not begun yet: a machine that is logging in has much to do"""
SHORT_LIFE = 2.0
PAUSE = 0.5
"""seconds before the next start, if the last edge lived no longer than `SHORT_LIFE`"""
FIRST_WITHIN = 10.0
"""seconds for the first edge: a machine that is logging in has much to do"""
MISSED_AFTER = 1.5
"""seconds without an edge until that is reported, once there was one"""
ENDS_WITHIN = 0.2
"""seconds in which an edge that has closed its end has to give its status"""
UNSENT = 2000
"""lines that may wait for an edge that does not read; more end it"""
_TRIES = 20
KEEP_ALIVE = 15
"""seconds; NATs seldom forget a way in less than 30"""
LONGEST_KEEP_ALIVE = 3600

_log = log.getChild("edge")


class Edge:
    """One for an engine. `bind` first, which starts a process to load; then `start`; `close` ends it.

    `on_message`, `gone` and `missing` are called on a thread of its own, and the last two by `beat` too.
    """

    def __init__(
        self,
        address: str,
        port: int,
        command: Sequence[str],
        accept_from: tuple[str, ...] = (),
        keep_alive: int = KEEP_ALIVE,
        stun: str = "",
        rtp_ports: tuple[int, int] | None = None,
    ) -> None:
        self._address = address
        self._wanted_port = port
        self._command = command
        keep_alive = max(0, min(keep_alive, LONGEST_KEEP_ALIVE))
        first, last = rtp_ports or (0, 0)
        self._configure = Configure(
            accept_from=accept_from, keep_alive=keep_alive, stun=stun, rtp_first=first, rtp_last=last
        )
        self._told: Callable[[FromEdge], None] = lambda _: None
        self._missing: Callable[[bool], None] = lambda _: None
        self._gone: Callable[[float], None] = lambda _: None
        self.inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        """its end of the way to pjsua2, which the phone makes as it starts"""
        self._sockets: dict[str, socket.socket] = {}
        self._lock = threading.Lock()
        self._outbox: queue.Queue[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._missed = False
        self._heard_at = 0.0
        self._gone_at: float | None = None
        """since when no sound passes; None while there is an edge, and before the first"""
        self._closing = threading.Event()
        self._begun = threading.Event()
        """there is a phone for it"""
        self._beat = Heartbeat()
        self._beat_due = 0.0
        self._unanswered = 0
        self._supervisor: threading.Thread | None = None
        self._overdue: threading.Timer | None = None
        self._status = 0
        self._counters: dict[str, int] = {}

    # --- for the phone's thread ------------------------------------------------------------------

    def bind(self) -> None:
        """Open its sockets, and let the process load that will read them; a second time: nothing. Raises EngineError
        `settings.port`, `bind` or `port_taken`."""
        if self._sockets:
            return
        self._sockets |= open_public(self._address, self._wanted_port)
        self._sockets["inner"] = self.inner
        self._supervisor = threading.Thread(target=self._supervise, name="edge", daemon=True)
        self._supervisor.start()

    @property
    def port(self) -> int:
        """The same for UDP and TCP; 0 before `bind`."""
        udp = self._sockets.get("udp")
        return int(udp.getsockname()[1]) if udp else 0

    def start(
        self,
        on_message: Callable[[FromEdge], None],
        missing: Callable[[bool], None],
        gone: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`inner` leads to pjsua2. `missing`: whether there has been no edge for a while. `gone`: as soon as one has
        gone, with the seconds for which its calls have had no sound already."""
        self._told, self._missing, self._gone = on_message, missing, gone
        self._expect(FIRST_WITHIN)
        self._begun.set()

    def know(self, account: EdgeAccount) -> None:
        """Before its first message. Another with the same id takes its place."""
        with self._lock:
            others = tuple(one for one in self._configure.accounts if one.id != account.id)
            self._configure = replace(self._configure, accounts=(*others, account))
        self.tell(replace(self._configure, remembered=""))

    def forget(self, account: str) -> None:
        """Once nothing comes from it any more."""
        with self._lock:
            accounts = tuple(one for one in self._configure.accounts if one.id != account)
            self._configure = replace(self._configure, accounts=accounts)
        self.tell(replace(self._configure, remembered=""))

    def beat(self, *, busy: bool, ends: bool = False) -> None:
        """At each turn of the loop. Sends a heartbeat once a second, and at once when it says something else."""
        now, beat = time.monotonic(), Heartbeat(busy, ends)
        if now < self._beat_due and beat == self._beat:
            return
        if now >= self._beat_due:
            self._beat_due = now + BEAT
            self._unanswered += 1
            if self._unanswered > (DEAF if self._ready else DEAF_AT_FIRST) and (process := self._process) is not None:
                self._unanswered = 0
                if self._ready:
                    silent = now - self._heard_at
                    _log.error("edge hangs: no word for %.1f s", silent)
                    self._lose(silent)
                    # Nothing has come or gone for so long, however quick its successor is.
                    self._missed = True
                    self._missing(True)
                else:
                    _log.error("edge does not begin")
                process.kill()
        self._beat = beat
        self.tell(self._beat)

    def tell(self, message: ToEdge) -> None:
        """Lost without an edge: the next one gets all that matters."""
        with self._lock:
            outbox, process = self._outbox, self._process
        if outbox is not None:
            try:
                outbox.put_nowait(encode(message))
            except queue.Full:
                if process is not None:
                    process.kill()

    def close(self) -> dict[str, int]:
        """What the edge counted to its very end. Asked to end, it has a second to say it."""
        self._closing.set()
        self._begun.set()
        if self._overdue is not None:
            self._overdue.cancel()
        with self._lock:
            outbox, process = self._outbox, self._process
        if self._ready:
            # The edge has them too, and they end with it: no message waits where nobody reads.
            for name, one in self._sockets.items():
                if name != "inner":
                    one.close()
        if self._supervisor is not None:
            if outbox is not None:
                with contextlib.suppress(queue.Full):
                    outbox.put_nowait(b"")
                self._supervisor.join(1)
            if process is not None:
                process.terminate()
            self._supervisor.join(3)
        for one in (*self._sockets.values(), self.inner):
            one.close()
        self._sockets.clear()
        return self._counters

    # --- the supervisor's thread -----------------------------------------------------------------

    def _supervise(self) -> None:
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                self._live()
            except OSError as error:
                _log.error("edge cannot be started: %s", error.strerror)
            with self._lock:
                was_ready, self._outbox, self._process, self._ready = self._ready, None, None, False
            if self._closing.is_set():
                return
            _log.warning("edge ended%s", f" with status {self._status}" if self._status > 0 else "")
            if was_ready:
                self._lose(0.0)
                self._expect(MISSED_AFTER)
            if time.monotonic() - began < SHORT_LIFE:
                self._closing.wait(PAUSE)

    def _expect(self, seconds: float) -> None:
        """An edge must be ready by then, however many are tried; else that is reported."""
        self._overdue = threading.Timer(seconds, self._miss)
        self._overdue.daemon = True
        self._overdue.start()

    def _live(self) -> None:
        """One process, from its start to its end."""
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            creationflags=HIDDEN,
            pass_fds=() if sys.platform == "win32" else [one.fileno() for one in self._sockets.values()],
        )
        assert process.stdin
        assert process.stdout
        outbox: queue.Queue[bytes] = queue.Queue(UNSENT)
        with self._lock:
            self._process = process
        self._begun.wait()
        with self._lock:
            for message in (self._handed(process.pid), self._configure, self._beat):
                outbox.put(encode(message))
            self._outbox, self._unanswered, self._counters = outbox, 0, {}
        if self._closing.is_set():
            process.terminate()
        writer = threading.Thread(target=_write, args=(process, outbox), name="edge-writer", daemon=True)
        writer.start()
        try:
            while line := process.stdout.readline(LINE_LIMIT):
                self._hear(from_edge(line))
        except ValueError as error:
            _log.error("edge said %s", error)
        finally:
            # An edge that falls silent is over.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDS_WITHIN)
            process.kill()
            self._status = process.wait()
            outbox.put(b"") if not outbox.full() else None
            process.stdout.close()

    def _hear(self, message: FromEdge) -> None:
        self._unanswered, self._heard_at = 0, time.monotonic()
        if isinstance(message, EdgeState):
            self._counters = message.counters
        match message:
            case Ready():
                if self._overdue is not None:
                    self._overdue.cancel()
                if self._gone_at is not None:
                    _log.info("edge is back after %.1f s", self._heard_at - self._gone_at)
                    self._gone_at = None
                self._ready = True
                self._told(message)
                if self._missed:
                    self._missed = False
                    self._missing(False)
            case Remember(state=state):
                with self._lock:
                    self._configure = replace(self._configure, remembered=state)
            case _:
                self._told(message)

    def _lose(self, silent: float) -> None:
        """Reported once for each edge that has gone."""
        with self._lock:
            first = self._gone_at is None
            if first:
                self._gone_at = time.monotonic() - silent
        if first:
            self._gone(silent)

    def _miss(self) -> None:
        if not self._ready and not self._closing.is_set():
            self._missed = True
            self._missing(True)

    def _handed(self, pid: int) -> Sockets:
        return Sockets(**{name: _hand(one, pid) for name, one in self._sockets.items()})


def open_public(address: str, port: int) -> dict[str, socket.socket]:
    """UDP and TCP on the same port, of IPv6 too where every address is meant and there is one; port 0 takes a free one.

    Raises EngineError `settings.port`, `bind` or `port_taken`.
    """
    if not 0 <= port <= 65535:
        raise EngineError("settings.port", port=port)
    place = address or "0.0.0.0"  # noqa: S104 - as a phone listens
    _check(place)
    for left in reversed(range(_TRIES)):
        try:
            sockets = _pair(place, port)
        except OSError as error:
            if port or not left:
                raise EngineError("port_taken", port=port, reason=error.strerror or "") from None
            continue
        if address in ("", "0.0.0.0"):  # noqa: S104
            try:
                udp, tcp = _pair("::", sockets["udp"].getsockname()[1]).values()
                sockets |= {"udp6": udp, "tcp6": tcp}
            except OSError as error:
                if error.errno == errno.EADDRINUSE and not port and left:
                    for one in sockets.values():
                        one.close()
                    continue
                # No IPv6 on this machine.
        return sockets
    raise AssertionError


def _pair(place: str, port: int) -> dict[str, socket.socket]:
    """Raises OSError."""
    family = socket.AF_INET6 if ":" in place else socket.AF_INET
    udp, tcp = socket.socket(family, socket.SOCK_DGRAM), None
    try:
        tcp = socket.socket(family, socket.SOCK_STREAM)
        for one in (udp, tcp):
            if family is socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform != "win32":
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp.bind((place, port))
        tcp.bind((place, udp.getsockname()[1]))
        tcp.listen(128)
    except OSError:
        udp.close()
        if tcp is not None:
            tcp.close()
        raise
    return {"udp": udp, "tcp": tcp}


def _check(address: str) -> None:
    """Raises EngineError `bind` if it is not one of this machine's."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except (OSError, TypeError, ValueError):
        raise EngineError("bind", bind=address) from None


def _hand(one: socket.socket, pid: int) -> str:
    if sys.platform == "win32":
        return base64.b64encode(one.share(pid)).decode()
    return str(one.fileno())


def _write(process: subprocess.Popen[bytes], outbox: queue.Queue[bytes]) -> None:
    assert process.stdin
    with contextlib.suppress(OSError, ValueError):
        while line := outbox.get():
            process.stdin.write(line)
            process.stdin.flush()
    with contextlib.suppress(OSError, ValueError):
        process.stdin.close()
