"""An agent's notes that no engine had taken when the desk had to end, and a number left standing: they lie in the user's keyring
until its next start, for they may lie in no file that somebody can read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from softphone.system.logbook import log

if TYPE_CHECKING:
    from softphone.archive.crypto.wraps import KeyStore

PLACES = tuple(f"kept-note-{n}" for n in range(8))
"""one each: Windows' keyring takes 1,280 characters under a name"""


class KeptNotes:
    def __init__(self, store: Callable[[], KeyStore]) -> None:
        self._store = store

    def keep(self, notes: Mapping[str, str]) -> None:
        """These alone; the last ones, if there are too many, which the log then says. Raises KeyringError."""
        store, last = self._store(), [*notes.items()][-len(PLACES) :]
        if len(last) < len(notes):
            log.getChild("desk").warning("%d notes could not be kept until the next start", len(notes) - len(last))
        for name in PLACES[len(last) :]:
            store.delete(name)
        for name, note in zip(PLACES, last, strict=False):
            store.set(name, json.dumps(note, ensure_ascii=False).encode())

    def read(self) -> dict[str, str]:
        """Raises KeyringError."""
        store, found = self._store(), dict[str, str]()
        for name in PLACES:
            if (kept := store.get(name)) is None:
                break
            call, text = json.loads(kept)
            found[str(call)] = str(text)
        return found
