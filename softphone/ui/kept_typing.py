"""What the agent has typed as the desk ends: notes that no engine has taken, and a number left standing. Both are kept until
the next start, and taken up there.

Where they lie is the bootstrap's. Notes of a desk that runs are `softphone.ui.unsaved_notes`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from PySide6.QtCore import QEventLoop, QObject, QTimer, Signal
from PySide6.QtWidgets import QLineEdit

from softphone.domain.errors import KeyringError
from softphone.system.logbook import log_bug
from softphone.ui.aside import Aside, aside, tell
from softphone.ui.bridge import Bridge
from softphone.ui.unsaved_notes import UnsavedNotes
from softphone.ui.view import new_id
from softphone.wire.to_engine import SaveNote

log = logging.getLogger(__name__)

_NUMBER = ""
"""in a call's place among what is kept: the dial field"""
_NOTES_TAKEN, _NOTES_KEPT = 2000, 3.0
"""ms and seconds that an ending desk waits for the engine, and for the keyring"""


class KeptTyping(QObject):
    """`keep(notes)` and `kept()` reach what outlives the desk; both may block, and raise KeyringError."""

    _found = Signal(object)

    def __init__(
        self,
        notes: UnsavedNotes,
        number: QLineEdit,
        keep: Callable[[Mapping[str, str]], None],
        kept: Callable[[], Mapping[str, str]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._notes, self._number, self._keep, self._kept = notes, number, keep, kept
        self._left = ""
        """the number that stood there as the desk ended for an update"""
        self._known = False
        """what the start before has left has been asked for"""
        self._forgetting: Aside | None = None
        self._fetching: Aside | None = None
        self._to_forget: set[str] = set()
        """calls whose note was kept from the start before"""
        self._not_taken: dict[str, str] = {}
        """those of them that the engine has refused, until the agent closes the message"""
        self._found.connect(self._take)

    def fetch(self) -> None:
        """Of the desk before this one, once an engine is there that can take it."""
        self._known = True

        def fetch() -> None:
            with suppress(KeyringError):  # the doctor says what is wrong with it
                if kept := self._kept():
                    tell(self._found, kept)

        self._fetching = aside(fetch)

    def leave_number(self) -> None:
        self._left = self._number.text().strip()

    def hand_over(self, bridge: Bridge) -> None:
        """As the program ends: wait a moment until the engine has all notes. What it has not taken is kept."""
        if self._notes.last and bridge.attached:
            loop = QEventLoop()
            bridge.done.connect(lambda: self._notes.last or loop.quit())
            QTimer.singleShot(_NOTES_TAKEN, loop.quit)
            loop.exec()
        number = {_NUMBER: self._left} if self._left else {}
        if left := {**self._not_taken, **self._notes.left, **number}:
            keeping = threading.Thread(target=lambda: self._add(left), name="notes", daemon=True)
            keeping.start()
            keeping.join(_NOTES_KEPT)

    def taken(self, call: str) -> None:
        """The engine has it, or the agent has read that it does not take it."""
        if call in self._to_forget:
            self._to_forget.discard(call)
            if not self._to_forget:
                self._forgetting = aside(lambda: self._keep_alone({}))

    def refused(self, note: SaveNote) -> None:
        if note.call in self._to_forget:
            self._not_taken[note.call] = note.text

    def give_up_refused(self) -> None:
        """The message with its words has been closed."""
        while self._not_taken:
            self.taken(self._not_taken.popitem()[0])

    def _take(self, kept: Mapping[str, str]) -> None:
        """What is written meanwhile is newer."""
        notes = dict(kept)
        if (number := notes.pop(_NUMBER, "")) and not self._number.text():
            self._number.setText(number)
        self._to_forget = set(notes)
        if not notes:
            self._forgetting = aside(lambda: self._keep_alone({}))
        for call, text in notes.items():
            if call not in self._notes.left:
                self._notes.save(SaveNote(new_id(), call, text))

    def _add(self, notes: Mapping[str, str]) -> None:
        """To what the start before has left, if nobody has taken that up since."""
        before: Mapping[str, str] = {}
        if not self._known:
            with suppress(KeyringError):
                before = self._kept()
        self._keep_alone({**before, **notes})

    def _keep_alone(self, notes: Mapping[str, str]) -> None:
        try:
            self._keep(notes)
        except KeyringError as error:
            log.warning("notes that the engine had not taken could not be kept: %s", error.code)
        except Exception as error:  # noqa: BLE001 - whatever a keyring throws: its words may hold the note
            log_bug(log, error)
