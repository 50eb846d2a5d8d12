"""The ledger: writes what the session commits, in sequence, state and audit entry in one transaction, on its own thread.

It decides nothing. A commit is written whole or not at all (`execution`), and the session tries again what failed.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from softphone.archive.catalog import own_calls
from softphone.archive.catalog.condemned import remove_condemned
from softphone.archive.catalog.database import Catalog
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.changes.call import CallFacts, call_of
from softphone.archive.changes.execution import Execution, Memory, NoKeyError, OvertakenError
from softphone.archive.changes.lookups import SamplePlaces
from softphone.archive.changes.table import carry_out
from softphone.archive.crypto import policy_signer
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.files.vault import SLOW_SECONDS, Vault
from softphone.archive.files.writing import Written
from softphone.archive.log import written
from softphone.archive.log.checkpoint import Signer
from softphone.archive.outbox import rows as outbox
from softphone.domain.changes import Commit
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Reason

_log = logging.getLogger(__name__)
SegmentKeys = Mapping[tuple[str, int], bytes]
"""(recording, segment) to its data key: for the recorder, never stored"""
PROBE_SECONDS = 1.0
_PROBE_SECONDS_AT_MOST = 60.0
_LOOK_SECONDS = 5.0
"""until it looks who signs policies"""
_OWN_KEPT = 200
_RELAPSE_SECONDS = 30.0
"""storage that soon fails again is tried half as often"""


class Ledger:
    """Only `stop` blocks. The callbacks come on the ledger's thread and must only enqueue.

    `on_done(ticket, keys)`: committed and on the disk; `keys` of the segments that it opened. `on_failed(ticket, reason,
    detail)`: nothing of it was written. `STORAGE_FAILED` or `NO_KEY`; detail is a code for the log.

    `on_overtaken(ticket, recording)`: nothing was written either, and trying again would not help
    (`CommitFailed.overtaken`). Without it, that has failed too.

    `on_storage(works, detail)`: the storage has failed (a code); or, once it has been tried with success, works again.
    """

    def __init__(
        self,
        catalog: Catalog,
        vault: Vault,
        secrets: Secrets,
        places: SamplePlaces,
        signer: Signer,
        on_done: Callable[[int, SegmentKeys], None],
        on_failed: Callable[[int, Reason, str], None],
        on_storage: Callable[[bool, str], None] | None = None,
        on_overtaken: Callable[[int, str], None] | None = None,
    ) -> None:
        self._catalog = catalog
        self._vault = vault
        self._secrets = secrets
        self._places = places
        self._signer = signer
        self._on_done = on_done
        self._on_failed = on_failed
        self._on_storage: Callable[[bool, str], None] = on_storage or (lambda _works, _detail: None)
        self._on_overtaken: Callable[[int, str], None] = on_overtaken or (
            lambda ticket, _of: on_failed(ticket, Reason.STORAGE_FAILED, "overtaken")
        )
        self._memory = Memory()
        self.on_signer: Callable[[str], None] = lambda _key: None
        """whose signature a policy must have from now on, on the ledger's thread; before the start"""
        self._policy_signer = ""
        self._suspected = False
        self._own: dict[str, OwnCall] = {}
        """rows of own calls that could not be written yet"""
        self._pause = PROBE_SECONDS
        self._looked = 0.0
        self._worked_since = -_RELAPSE_SECONDS
        vault.on_fault = self.suspect
        self._inbox: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        """jobs in sequence; None: that was all"""
        vault.on_ended = lambda of, segment, has: self._inbox.put(partial(self._ended, of, segment, has))
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Write what was submitted, then end. False if that took longer."""
        self._inbox.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def knows(self, call: str) -> bool:
        return call in self._memory.facts

    def register_call(self, facts: CallFacts) -> None:
        """Before the first commit of this call. Kept in memory alone until something of the call is kept."""
        self._memory.register(facts)

    def submit(self, commit: Commit) -> None:
        self._inbox.put(partial(self._take, commit))

    def forget_keys(self, recording: str) -> None:
        """`ForgetKeys`: after what was submitted before it."""
        self._inbox.put(partial(self._memory.forget_keys, recording))

    def give_up_place(self, call: str) -> None:
        """The call is over: its place in the sample, where no answer has used it up, is another's. After what was submitted."""
        self._inbox.put(partial(self._places.give_up, call))

    def list_own(self, call: OwnCall) -> None:
        """A row of the agent's own calls. No right depends on it, so others report a disk that takes nothing. It waits until
        it can be written, or for the next of the same call."""
        self._inbox.put(partial(self._take_own, call))

    def once_listed(self, action: Callable[[], object]) -> None:
        """On the ledger's thread, after the rows that `list_own` was given so far; not at all while one cannot be written."""
        self._inbox.put(lambda: None if self._own else action())

    def suspect(self, detail: str) -> None:
        """The vault found, on the recorder's thread, that the storage fails (a full disk). It is tried until it works."""
        self._inbox.put(partial(self._trouble, detail))

    # --- the ledger's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        self._look_to_signer()
        self._looked = time.monotonic()
        while True:
            pause = self._pause if self._suspected else _LOOK_SECONDS
            left = self._looked + pause - time.monotonic()
            if left <= 0:
                self._look()
                continue
            try:
                item = self._inbox.get(timeout=left)
            except queue.Empty:
                continue
            if item is None:
                with suppress(ArchiveError), self._catalog.writing() as tx:
                    self._signer.sign(tx.connection, datetime.now(UTC))
                return
            item()

    @contextmanager
    def _timed(self) -> Generator[None]:
        """A thread that waits for a disk cannot say so meanwhile."""
        told = threading.Event()

        def tell() -> None:
            told.set()
            self._vault.on_slow(True)

        late = threading.Timer(SLOW_SECONDS, tell)
        late.daemon = True
        late.start()
        try:
            yield
        finally:
            late.cancel()
            late.join()
            if told.is_set():
                self._vault.on_slow(False)

    def _take(self, commit: Commit) -> None:
        try:
            with self._timed():
                opened = self._execute(commit)
        except OvertakenError as error:
            self._on_overtaken(commit.ticket, str(error))
        except NoKeyError as error:
            self._on_failed(commit.ticket, Reason.NO_KEY, str(error))
        except ArchiveError as error:
            self._trouble(error.code)
            self._on_failed(commit.ticket, Reason.STORAGE_FAILED, error.code)
        except Exception as error:  # noqa: BLE001 - a fault here must not end the thread: later stops have to be written
            _log_bug(error)
            self._on_failed(commit.ticket, Reason.STORAGE_FAILED, type(error).__name__)
        else:
            self._on_done(commit.ticket, opened)

    def _ended(self, recording: str, segment: int, has: Written) -> None:
        """A segment's writer has ended, with this on the disk. It is written with the recording's own end, or by itself if
        that came first."""
        if recording not in self._memory.closed:
            self._memory.written.setdefault(recording, {})[segment] = has
            return
        try:
            with self._catalog.writing() as tx:
                call = call_of(tx.connection, recording)
                if call is not None:
                    tx.log(*written.count(tx.connection, recording, call, {segment: has}, datetime.now(UTC)))
        except ArchiveError as error:
            # The next start counts them.
            self._trouble(error.code)
        except Exception as error:  # noqa: BLE001 - nor may a fault here: later stops have to be written
            _log_bug(error)

    def _take_own(self, call: OwnCall) -> None:
        self._own[call.call] = call.after(self._own.get(call.call))
        self._list_own()

    def _list_own(self) -> None:
        with suppress(ArchiveError):
            if self._own:
                with self._catalog.writing() as tx:
                    for one in self._own.values():
                        own_calls.put(tx, self._secrets, one)
                        outbox.note_written(tx, self._secrets, one)
                self._own.clear()
        while len(self._own) > _OWN_KEPT:
            del self._own[next(iter(self._own))]

    def _trouble(self, detail: str) -> None:
        if not self._suspected:
            self._suspected = True
            self._looked = time.monotonic()
            relapse = time.monotonic() - self._worked_since < _RELAPSE_SECONDS
            self._pause = min(self._pause * 2, _PROBE_SECONDS_AT_MOST) if relapse else PROBE_SECONDS
            self._on_storage(False, detail)

    def _look(self) -> None:
        """At what others do and nobody tells, and whether the storage works again."""
        self._look_to_signer()
        if self._suspected:
            self._probe()
        self._looked = time.monotonic()

    def _probe(self) -> None:
        try:
            with self._catalog.writing():
                self._vault.probe()
        except ArchiveError:
            return
        self._suspected = False
        self._list_own()
        self._worked_since = time.monotonic()
        self._on_storage(True, "")

    def _execute(self, commit: Commit) -> SegmentKeys:
        done = None
        try:
            with self._catalog.writing() as tx:
                done = Execution(tx, self._memory, self._vault, self._secrets, self._places)
                carry_out(done, commit)
        except BaseException:
            for recording in done.created if done else ():
                with suppress(ArchiveError):
                    self._vault.delete(recording)
            raise
        self._memory.keep(done)
        if done.dropped or done.discarded:
            with suppress(ArchiveError):
                self._catalog.empty_log()
        if done.discarded:
            # Committed it is; a file that cannot go now goes when the archive is next opened or swept.
            with suppress(ArchiveError):
                remove_condemned(self._catalog, self._vault)
        return done.opened

    def _look_to_signer(self) -> None:
        """Custody chooses by a command, in another process."""
        with suppress(ArchiveError), self._catalog.reading() as connection:
            chosen = policy_signer.chosen(connection)
            if chosen != self._policy_signer:
                self._policy_signer = chosen
                self.on_signer(chosen)


def _log_bug(error: Exception) -> None:
    at = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("bug %s at %s:%d", type(error).__name__, Path(at.filename).name, at.lineno or 0)
