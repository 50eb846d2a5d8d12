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
from softphone.wire.snapshot import CallPhase, QuitAsked, QuitPhase
from softphone.wire.to_engine import Command, EndWrapUp, QuitWhenIdle

_LOOK_EVERY = 500
"""ms between two looks whether something is still typed"""
_ENDS = (QuitPhase.DUE, QuitPhase.NOW)

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
        self._before: QuitAsked | None = None
        """what stood as the engine broke off: the next one is asked the same"""
        self._again = QTimer(self, interval=_LOOK_EVERY)
        self._again.timeout.connect(self._look)

    def follow(self, snapshot: Snapshot) -> None:
        known = self._snapshot.quit_asked if self._snapshot else None
        self._snapshot = snapshot
        asked, before = snapshot.quit_asked, self._before
        self._before = None
        if asked is None and before is not None:
            self._send(QuitWhenIdle(new_id(), latest=before.latest))
        put_off = asked is not None and asked.phase is QuitPhase.POSTPONED
        if asked is None or (put_off and (self._in_call or known is None or known.phase is not QuitPhase.POSTPONED)):
            self._wanted = False
        if asked is not None and (asked.phase in _ENDS or (put_off and self._wanted)):
            self._again.start()
            self._look()
        else:
            self._again.stop()

    def now(self) -> None:
        """By a press: what is typed is the agent's to give up, a call is not."""
        if self._snapshot is None or self._in_call:
            return
        self._wanted = True
        self._save_notes()
        for call in self._snapshot.calls:
            self._send(EndWrapUp(new_id(), call.id))
        self._again.start()
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
        asked = self._snapshot.quit_asked if self._snapshot else None
        self._before = asked if asked is not None and asked.stands else self._before
        self._said = ""
        self._again.stop()

    @property
    def _in_call(self) -> bool:
        return self._snapshot is not None and any(one.phase is not CallPhase.ENDED for one in self._snapshot.calls)

    def _look(self) -> None:
        asked = self._snapshot.quit_asked if self._snapshot else None
        if asked is None or asked.phase is QuitPhase.WAITS or self._said:
            return
        over = asked.phase is QuitPhase.NOW
        if over:
            self._save_notes()
        if over or self._wanted or (asked.phase is QuitPhase.DUE and not self._typed()):
            command = QuitWhenIdle(new_id(), ready=True)
            if self._send(command):
                self._said = command.id
