"""A link to call somebody (`tel:`, `sip:`), which the system opens with this program: the desk that runs gets it from a second
one, which then ends. It is offered in the field for numbers. Nobody is called by it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

LONGEST = 1000
SHOW = ""
"""in a link's place: the window alone is wanted"""
END, END_NOW = "end", "end now"
"""in a link's place: the window is to close, where its phone does not run. The second waits for nothing that is typed"""
APART = 1000
"""milliseconds between two that are offered: a page may open as many as it likes, and each raises the window"""
_WITHIN = 5000
"""milliseconds"""


class Links(QObject):
    """Takes the links of other processes of this user, for the desk of this home."""

    opened = Signal(str)
    shown = Signal()
    """somebody has started the program again"""

    def __init__(self, folder: Path, parent: QObject, ends: Callable[[bool], bool] = lambda _: False) -> None:
        """`ends(now)`: whether the window closes, as it was asked to."""
        super().__init__(parent)
        self._ends = ends
        self._waiting = ""
        self._apart = QTimer(self, interval=APART, singleShot=True)
        self._apart.timeout.connect(self._offer)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take)
        if not self._server.listen(_name(folder)) and not _answers(folder):
            QLocalServer.removeServer(_name(folder))  # of a desk that was killed
            self._server.listen(_name(folder))

    def close(self) -> None:
        self._server.close()

    def _take(self) -> None:
        while self._server.hasPendingConnections():
            other = self._server.nextPendingConnection()
            other.readyRead.connect(lambda other=other: self._read(other))
            other.disconnected.connect(other.deleteLater)
            if other.bytesAvailable():
                self._read(other)

    def _read(self, other: QLocalSocket) -> None:
        if other.bytesAvailable() > LONGEST:
            other.abort()  # half a number is another number
        elif other.canReadLine():
            link = bytes(other.readLine(LONGEST).data()).decode(errors="replace").strip()
            taken = self._ends(link == END_NOW) if link in (END, END_NOW) else True
            other.write(b"taken\n" if taken else b"refused\n")
            other.disconnectFromServer()
            if link == SHOW:
                self.shown.emit()
            if link in (SHOW, END, END_NOW):
                return
            self._waiting = link
            if not self._apart.isActive():
                self._offer()

    def _offer(self) -> None:
        """The last of those that came meanwhile."""
        if link := self._waiting:
            self._waiting = ""
            self._apart.start()
            self.opened.emit(link)


def hand_over(folder: Path, link: str) -> bool:
    """Give it to the desk that runs in this home. False if none does, it says nothing, or it refuses."""
    socket = QLocalSocket()
    socket.connectToServer(_name(folder))
    if not socket.waitForConnected(_WITHIN):
        return False
    socket.write(link.encode() + b"\n")
    return socket.waitForReadyRead(_WITHIN) and bytes(socket.readLine(LONGEST).data()) == b"taken\n"


def _answers(folder: Path) -> bool:
    probe = QLocalSocket()
    probe.connectToServer(_name(folder))
    return probe.waitForConnected(_WITHIN)


def _name(folder: Path) -> str:
    """A file in the runtime folder; on Windows a pipe, whose names are the whole machine's."""
    if sys.platform == "win32":
        return f"klartone-{hashlib.sha256(str(folder).casefold().encode()).hexdigest()[:24]}"
    return str(folder / "desk.sock")
