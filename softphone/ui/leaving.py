"""The desk's side of an end that was asked for: when nothing is typed in it, it lets the phone end and ends with it.

Notes that the engine has not taken by then, and a number left standing, are handed to whoever keeps them until the next
start.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from softphone.ui.view import new_id
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CallPhase, QuitPhase
from softphone.wire.to_engine import Command, EndWrapUp, QuitWhenIdle

_LOOK_EVERY = 500
"""ms between two looks whether something is still typed"""


LEFT_STANDING = 600.0
"""seconds after which a number that nobody touches is no longer waited for: it comes back with the next start"""


class Standing:
    """A text that is looked at again and again."""

    def __init__(self) -> None:
        self._text = ""
        self._since = 0.0

    def is_fresh(self, text: str) -> bool:
        """Whether somebody may still be typing it."""
        now = time.monotonic()
        if text != self._text:
            self._text, self._since = text, now
        return bool(text) and now - self._since < LEFT_STANDING


class LeavingDesk(QObject):
    """`send` returns whether the engine was there; `typed` whether anything would be lost. left(): the engine ends."""

    left = Signal()

    def __init__(
        self,
        send: Callable[[Command], bool],
        typed: Callable[[], bool],
        save_notes: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._send, self._typed, self._save_notes = send, typed, save_notes
        self._snapshot: Snapshot | None = None
        self._said = ""
        """the command that the engine has not answered yet"""
        self._wanted = False
        """the agent has said: now"""
        self._again = QTimer(self, interval=_LOOK_EVERY)
        self._again.timeout.connect(self._look)

    def follow(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        asked = snapshot.quit_asked
        if asked is None or asked.phase is QuitPhase.POSTPONED:
            self._wanted = False
        if asked is not None and asked.phase is QuitPhase.DUE:
            self._again.start()
            self._look()
        else:
            self._again.stop()

    def now(self) -> None:
        """By a press: what is typed is the agent's to give up, a call is not."""
        calls = self._snapshot.calls if self._snapshot else ()
        if any(call.phase is not CallPhase.ENDED for call in calls):
            return
        self._wanted = True
        self._save_notes()
        for call in calls:
            self._send(EndWrapUp(new_id(), call.id))
        self._look()

    def answered(self, command: str, *, taken: bool) -> bool:
        """Whether this was about a command of its own."""
        if not self._said or command != self._said:
            return False
        self._said = ""
        if taken:
            self._again.stop()
            self.left.emit()
        return True

    def engine_gone(self) -> None:
        self._said = ""
        self._again.stop()

    def _look(self) -> None:
        asked = self._snapshot.quit_asked if self._snapshot else None
        due = asked is not None and asked.phase is QuitPhase.DUE
        if due and not self._said and (self._wanted or not self._typed()):
            command = QuitWhenIdle(new_id(), ready=True)
            if self._send(command):
                self._said = command.id
