"""The archive as the engine uses it: opened beside the loop, asked without waiting, and done without where it fails.

The answers of its threads are posted to the loop. What the archive is, is in `softphone.archive`.
"""

from __future__ import annotations

import os
import queue
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from softphone.archive.changes import CallFacts
from softphone.archive.keys import Recipient
from softphone.archive.ledger import Ledger
from softphone.archive.vault import Vault
from softphone.domain.changes import Commit
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import Policy
from softphone.domain.purpose import Purpose, Reason
from softphone.engine.live import LiveCall
from softphone.system.logbook import log, where
from softphone.wire import Said, StoreState

Post = Callable[[Callable[[], None]], None]
"""has something done on the loop's thread"""


_log = log.getChild("engine")
FULL = 64 * 1024
"""bytes; with less left a disk is full"""


class Opened(Protocol):
    """An archive that is open for writing."""

    demo: bool
    vault: Vault

    def ledger(
        self,
        on_done: Callable[[int, Mapping[tuple[str, int], bytes]], None],
        on_failed: Callable[[int, Reason, str], None],
        on_storage: Callable[[bool, str], None],
    ) -> Ledger: ...

    def declined_earlier(self, number: str | None, now: datetime) -> bool:
        """Whether this party declined training within the last twelve months (G31). Raises ArchiveError."""
        ...

    def close(self) -> None: ...


class Answers(Protocol):
    """Who hears of the store, on the loop's thread."""

    def committed(self, call_id: str, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None: ...
    def commit_failed(self, call_id: str, ticket: int, reason: Reason) -> None: ...
    def looked_up(self, call_id: str, declined_earlier: bool) -> None: ...
    def storage_works(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Ticket:
    """A commit's own ticket is counted a call; the ledger's a store."""

    call: str
    ticket: int


class Store:
    """`open_archive` may take its time (a keyring that asks): it runs on a thread, and until it is done nothing is recorded."""

    def __init__(self, open_archive: Callable[[], Opened], post: Post, changed: Callable[[], None]) -> None:
        self._open_archive = open_archive
        self._post = post
        self._changed = changed
        self._answers: Answers | None = None
        self._archive: Opened | None = None
        self._ledger: Ledger | None = None
        self._facts: dict[str, CallFacts] = {}
        self._tickets: dict[int, _Ticket] = {}
        self._last = 0
        self._unopened = False
        self._look_ups: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self.state = StoreState(works=False)
        self.on_opened: Callable[[Vault], None] = lambda _vault: None

    def start(self, answers: Answers) -> None:
        self._answers = answers
        threading.Thread(target=self._open, name="open archive", daemon=True).start()

    def close(self) -> bool:
        """Writes what was committed. False where that did not succeed."""
        written = self._ledger.stop() if self._ledger else True
        if self._archive:
            self._archive.close()
        return written

    def cause(self) -> str | None:
        """Why writing fails, as far as the disk itself tells: disk_full, unwritable."""
        if self._archive is None:
            return None
        folder = self._archive.vault.folder
        try:
            if shutil.disk_usage(folder).free < FULL:
                return "disk_full"
        except OSError:
            return "unwritable"
        return None if os.access(folder, os.W_OK) else "unwritable"

    # --- what a call needs -----------------------------------------------------------------------

    @property
    def opened(self) -> bool:
        return self._ledger is not None

    @property
    def unopened(self) -> bool:
        """Whether the archive could not be opened: then nobody needs to be told that a call is recorded."""
        return self._unopened

    def look_up(self, call: LiveCall) -> None:
        """Whether the party declined earlier: the answer comes to `looked_up`."""
        if call.e164 is None or self._unopened:
            self._looked_up(call.id, declined_earlier=False)
        else:
            # An archive that is still being opened is waited for, as long as a rulebook is: it knows who declined.
            self._look_ups.put((call.id, call.e164))

    def ring(self, call: LiveCall, policy: Policy | None) -> None:
        line = call.line
        facts = CallFacts(
            call=call.id,
            line=line.id if line else None,
            direction=call.direction,
            number=call.e164,
            started_at=call.arrived_at,
            language=call.language,
            time_zone=policy.time_zone if policy else "UTC",
            retention={one: kept for one in Purpose if line and (kept := line.retention(one))},
            notice=call.notice_id,
            recipients=recipients_of(policy) if policy else (),
        )
        if self._ledger:
            self._ledger.register_call(facts)
        else:
            self._facts[call.id] = facts

    def commit(self, call: str, commit: Commit) -> None:
        if self._ledger is None:
            self._fail(call, commit.ticket, Reason.STORAGE_FAILED)
            return
        self._last += 1
        self._tickets[self._last] = _Ticket(call, commit.ticket)
        self._ledger.submit(replace(commit, ticket=self._last))

    def forget_keys(self, recording: str) -> None:
        if self._ledger:
            self._ledger.forget_keys(recording)

    # --- beside the loop -------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            archive = self._open_archive()
        except KlartoneError as error:
            fault = Said(error.code, error.params)
            self._post(lambda: self._cannot_open(fault))
            return
        except Exception as error:  # noqa: BLE001 - a path that no system takes, a backend's own error: said, never silent
            _log.error("bug %s", where(type(error), error.__traceback__))
            unknown = Said("error.archive.unopenable", {"detail": type(error).__name__})
            self._post(lambda: self._cannot_open(unknown))
            return
        threading.Thread(target=self._read, args=(archive,), name="store reader", daemon=True).start()
        self._post(lambda: self._opened(archive))

    def _read(self, archive: Opened) -> None:
        while True:
            call, number = self._look_ups.get()
            try:
                declined = archive.declined_earlier(number, datetime.now(UTC))
            except KlartoneError:
                # Not known whether they declined: then the careful answer holds.
                declined = True
            self._post(lambda call=call, declined=declined: self._looked_up(call, declined_earlier=declined))

    # --- on the loop -----------------------------------------------------------------------------

    def _cannot_open(self, fault: Said) -> None:
        """Nothing can be recorded, so that nothing hangs on who declined."""
        self._unopened = True
        self._set_state(StoreState(works=False, fault=fault))
        while not self._look_ups.empty():
            self._looked_up(self._look_ups.get()[0], declined_earlier=False)

    def _opened(self, archive: Opened) -> None:
        self._archive = archive
        post = self._post
        self._ledger = archive.ledger(
            lambda ticket, keys: post(lambda: self._done(ticket, keys)),
            lambda ticket, reason, _detail: post(lambda: self._failed(ticket, reason)),
            lambda works, detail: post(lambda: self._storage(works, detail)),
        )
        for facts in self._facts.values():
            self._ledger.register_call(facts)
        self._facts.clear()
        self._ledger.start()
        self.on_opened(archive.vault)
        self._set_state(StoreState(works=True, demo=archive.demo))
        if self._answers:
            self._answers.storage_works()

    def _done(self, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None:
        if (known := self._tickets.pop(ticket, None)) and self._answers:
            self._answers.committed(known.call, known.ticket, keys)

    def _failed(self, ticket: int, reason: Reason) -> None:
        if known := self._tickets.pop(ticket, None):
            self._fail(known.call, known.ticket, reason)

    def _fail(self, call: str, ticket: int, reason: Reason) -> None:
        self._post(lambda: self._answers.commit_failed(call, ticket, reason) if self._answers else None)

    def _storage(self, works: bool, detail: str) -> None:
        demo = self._archive.demo if self._archive else False
        if not works:
            _log.warning("storage fails: %s", detail)
        self._set_state(StoreState(works, None if works else Said("error.archive.storage_failed"), demo))
        if works and self._answers:
            self._answers.storage_works()

    def _looked_up(self, call: str, *, declined_earlier: bool) -> None:
        if self._answers:
            self._answers.looked_up(call, declined_earlier)

    def _set_state(self, state: StoreState) -> None:
        self.state = state
        self._changed()


def recipients_of(policy: Policy) -> tuple[Recipient, ...]:
    """Whom this policy lets open recordings."""
    return tuple(Recipient.from_policy(one.id, one.purpose, one.public_key) for one in policy.recipient)
