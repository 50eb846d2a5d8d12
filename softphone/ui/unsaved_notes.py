"""Notes that the engine has not yet said it has. They outlive an engine that dies, and are sent to the next one.

What the agent writes in is `softphone.ui.note_field`.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from softphone.wire.from_engine import Snapshot
from softphone.wire.to_engine import Command, SaveNote

_LATEST = 10_000
"""ms after which a note is sent though the engine does not show its call: it then says why not"""


class UnsavedNotes(QObject):
    """The last one for each call. `send` returns whether the engine was there."""

    def __init__(self, send: Callable[[Command], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._send = send
        self._notes: dict[str, SaveNote] = {}
        self._unsent: set[str] = set()
        """the calls whose note this engine has not been told"""
        self._known: set[str] = set()
        """the calls that it shows"""
        self._timer = QTimer(self, interval=_LATEST, singleShot=True)
        self._timer.timeout.connect(self.send)

    @property
    def last(self) -> str:
        """What was written last of what the engine has not said it has; empty: it has it all."""
        return next((note.text for note in reversed(self._notes.values())), "")

    @property
    def left(self) -> dict[str, str]:
        """All that the engine has not said it has, by its call."""
        return {call: note.text for call, note in self._notes.items()}

    def save(self, note: SaveNote) -> None:
        self._notes.pop(note.call, None)
        self._notes[note.call] = note
        self._unsent.add(note.call)
        self._send_known()

    def engine_gone(self) -> None:
        self._timer.stop()
        self._known.clear()
        self._unsent = set(self._notes)

    def follow(self, snapshot: Snapshot) -> None:
        """An engine that has just started may still be reading its earlier calls."""
        self._known = {call.id for call in snapshot.calls} | {past.id for past in snapshot.history}
        self._send_known()

    def send(self) -> None:
        """All that waits, whether or not the engine shows its call."""
        self._tell(set(self._unsent))

    def answered(self, command: str) -> SaveNote | None:
        """The note that this command was about, if it is still the last one for its call."""
        note = next((note for note in self._notes.values() if note.id == command), None)
        return self._notes.pop(note.call) if note else None

    def _send_known(self) -> None:
        self._tell(self._unsent & self._known)
        if self._unsent and not self._timer.isActive():
            self._timer.start()

    def _tell(self, calls: set[str]) -> None:
        for call in sorted(calls):
            if self._send(self._notes[call]):
                self._unsent.discard(call)
