"""The only hop between the engine's socket and Qt: JSON lines in, signals out; commands in, lines out.

It draws nothing and decides nothing. It attaches as a desk and says every second that it lives. When the engine is gone it
says so at once, starts it again and attaches again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from PySide6.QtCore import QIODevice, QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalSocket, QTcpSocket

from softphone.domain.errors import KlartoneError
from softphone.system import logbook
from softphone.system.endpoint import Endpoint
from softphone.wire.codec import LINE_LIMIT, PROTOCOL, WireError, decode_from_engine, encode
from softphone.wire.from_engine import Done, Fault, Hello, Levels, Occurred, Refused, Snapshot, Tone
from softphone.wire.snapshot import CodedText
from softphone.wire.to_engine import Attach, Command, Ping

log = logging.getLogger(__name__)
_log = logbook.log.getChild("desk")
"""what a supporter asks: that the phone was there, and gone"""

_SNAPSHOT_END = b'"type":"snapshot"}'
_PING_EVERY = 1000
_TRY_EVERY = 60
"""ms between attempts to attach while the engine starts"""
_ANSWER_TIME = 3.0
"""seconds within which every command is answered"""
_START_AGAIN_AFTER = 4000
"""ms after which an engine that has not appeared is started again, unless it is still coming up"""
OTHER_VERSION_AGAIN = 12_000
"""ms until an engine of another version is tried again: without a desk it ends after ten seconds"""


class Bridge(QObject):
    """Signals, in the order of the lines that brought them; of several snapshots read at once only the last is told.

    connected()          the first snapshot after attaching has come
    disconnected()       the engine is gone
    snapshot(Snapshot)   occurred(Occurred)   fault(Fault)   done(Done)   refused(Refused)   levels(Levels)   tone(Tone)
    starting_failed(KlartoneError)   the engine cannot be started, or does not come up; it is tried again
    unanswered()         a command has had no answer for three seconds, though the engine seems to be there
    """

    connected = Signal()
    disconnected = Signal()
    snapshot = Signal(object)
    occurred = Signal(object)
    fault = Signal(object)
    done = Signal(object)
    refused = Signal(object)
    levels = Signal(object)
    tone = Signal(object)
    starting_failed = Signal(object)
    unanswered = Signal()

    def __init__(
        self,
        find: Callable[[], Endpoint | None],
        start_engine: Callable[[], None],
        parent: QObject | None = None,
        *,
        why_not: Callable[[], KlartoneError | None] = lambda: None,
    ) -> None:
        """`start_engine` may be called though one is still coming up; `why_not` tells, once, why that one does not."""
        super().__init__(parent)
        self._find, self._start_engine, self._why_not = find, start_engine, why_not
        self._awaited = False
        self._socket: QLocalSocket | QTcpSocket | None = None
        self._read = bytearray()
        self._secret = ""
        self._said = False
        self._said_at = 0.0
        self._attached = False
        self._closing = False
        self._ping = QTimer(self, interval=_PING_EVERY)
        self._ping.timeout.connect(self._alive)
        self._sent: dict[str, float] = {}
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._try)
        self._waited = _START_AGAIN_AFTER
        self._failures = 0
        self._hello = 0, ""
        self._told_of: Hello | None = None
        """the engine of another version that was reported to a person"""

    @property
    def attached(self) -> bool:
        """Whether the engine's state is known and commands reach it."""
        return self._attached

    def open(self) -> None:
        """Attach to a running engine, else start one. Returns at once; `connected` says when it is done."""
        self._closing = False
        self._try()

    def close(self) -> None:
        """Detach from the engine. The call goes on without a desk."""
        self._closing = True
        self._again.stop()
        self._drop()

    def let_engine_end(self) -> None:
        """It ends for good: no other is started."""
        self._closing = True
        self._again.stop()

    def send(self, command: Command) -> bool:
        """False if the engine is gone. Nothing is kept for later: a press means what was shown when it was made."""
        if not (self._attached and self._write(encode(command))):
            return False
        self._sent[command.id] = time.monotonic()
        return True

    def _alive(self) -> None:
        now = time.monotonic()
        if not self._attached and now - self._said_at > _ANSWER_TIME:
            log.warning("whoever listens for the engine says nothing; starting another")
            self._drop()
            self._start()
            return
        self._write(encode(Ping()))
        late = [id for id, at in self._sent.items() if now - at > _ANSWER_TIME]
        for id in late:
            del self._sent[id]
        if late:
            self.unanswered.emit()

    # --- attaching ------------------------------------------------------------------------------

    def _try(self) -> None:
        if self._closing:
            return
        endpoint = self._find()
        if endpoint is None:
            self._start()
            return
        self._secret = endpoint.secret
        kind, _, where = endpoint.address.partition(":")
        if kind == "tcp":
            host, _, port = where.rpartition(":")
            tcp = QTcpSocket(self)
            self._hold(tcp)
            tcp.connectToHost(host, int(port))
        else:
            local = QLocalSocket(self)
            self._hold(local)
            local.setServerName(where)
            local.connectToServer(QIODevice.OpenModeFlag.ReadWrite)

    def _hold(self, socket: QLocalSocket | QTcpSocket) -> None:
        self._socket = socket
        self._read.clear()
        socket.connected.connect(self._attach)
        socket.readyRead.connect(self._readable)
        socket.disconnected.connect(self._lost)
        socket.errorOccurred.connect(self._failed)

    def _attach(self) -> None:
        socket, said = self._socket, self._write(encode(Attach(self._secret)))
        if self._socket is socket:  # else writing has noticed its end, and the next try is under way
            self._said, self._said_at = said, time.monotonic()
            self._ping.start()

    def _start(self) -> None:
        """Start an engine, unless one was started a moment ago and may still be coming up."""
        if self._awaited and (why := self._why_not()) is not None:
            self.starting_failed.emit(why)
        if self._waited >= _START_AGAIN_AFTER:
            self._waited, self._awaited = 0, True
            try:
                self._start_engine()
            except KlartoneError as error:
                self.starting_failed.emit(error)
                self._waited = _START_AGAIN_AFTER - 2000
        self._wait(_TRY_EVERY)

    def _wait(self, milliseconds: int) -> None:
        self._waited += milliseconds
        self._again.start(milliseconds)

    def _failed(self, _error: object) -> None:
        if self._socket is None or self._said:
            return  # it was there: `disconnected` reports its end
        self._drop()
        self._start()

    def _lost(self) -> None:
        was = self._attached
        self._drop()
        if self._closing:
            return
        if was:
            _log.info("phone gone")
            self._failures = 0
            self._waited = _START_AGAIN_AFTER
            self.disconnected.emit()
            self._try()
        else:  # it closed before its first word: an old secret, or an engine that is ending
            self._failures += 1
            self._wait(min(2000, _TRY_EVERY * 2**self._failures))

    def _drop(self) -> None:
        socket, self._socket = self._socket, None
        self._said = self._attached = False
        self._sent.clear()
        self._ping.stop()
        self._read.clear()
        if socket is not None:
            socket.blockSignals(True)
            socket.abort()
            socket.deleteLater()

    def _write(self, line: bytes) -> bool:
        if self._socket is None or self._socket.write(line) != len(line):
            return False
        self._socket.flush()
        return True

    # --- reading --------------------------------------------------------------------------------

    def _readable(self) -> None:
        if self._socket is None:
            return
        self._read += bytes(self._socket.readAll().data())
        *lines, rest = self._read.split(b"\n")
        self._read = bytearray(rest)
        if len(rest) > LINE_LIMIT:
            log.warning("the engine sent a line beyond the limit; attaching again")
            self._lost()
            return
        last = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].rstrip().endswith(_SNAPSHOT_END)), -1)
        for i, line in enumerate(lines):
            if line.strip() and (i == last or not line.rstrip().endswith(_SNAPSHOT_END)):
                self._told(bytes(line))

    def _told(self, line: bytes) -> None:
        if self._socket is None:
            return  # one of the lines before detached it
        try:
            message = decode_from_engine(line)
        except WireError as error:
            log.warning("a line of the engine was not understood: %s", error.params.get("detail", ""))
            self.fault.emit(Fault(CodedText(error.code, dict(error.params))))
            return
        match message:
            case Hello(protocol=protocol):
                self._hello = message.pid, message.version
                if protocol != PROTOCOL:
                    self._drop()
                    self._wait(OTHER_VERSION_AGAIN)
                    if message != self._told_of:
                        self._told_of = message
                        self.fault.emit(Fault(CodedText("bridge.other_version")))
            case Snapshot():
                first, self._attached = not self._attached, True
                if first:
                    self._failures, self._awaited = 0, False
                    _log.info("phone attached: process %d, version %s", *self._hello)
                    self.connected.emit()
                self.snapshot.emit(message)
            case Occurred():
                self.occurred.emit(message)
            case Fault():
                self.fault.emit(message)
            case Done(id=id):
                self._sent.pop(id, None)
                self.done.emit(message)
            case Refused(id=id):
                self._sent.pop(id, None)
                self.refused.emit(message)
            case Levels():
                self.levels.emit(message)
            case Tone():
                self.tone.emit(message)
