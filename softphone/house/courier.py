"""The courier: ships to the house what has happened here, on a thread of its own, and never in a call's way.

First refusals, withdrawals and holds, at once, then finished recordings, then the log. What fails is tried again, later and
later. A crash at any instant loses nothing: what is to be shipped stands in the archive, and the house knows what it has.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from softphone.archive.archive import Archive
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.outbox import rows, shipping
from softphone.archive.outbox.shipping import Waiting
from softphone.domain.errors import ArchiveError, HouseError, KlartoneError, NotSignedInError, UnreachableError
from softphone.domain.policy import Policy
from softphone.house import tallies
from softphone.house.giving_way import give_way_on_disk
from softphone.house.shipping import Asks, Carrier, GivesWay, follow_heads
from softphone.system.logbook import log, log_bug

LOOK = 30.0
"""seconds until it looks again where nobody has told it of anything new"""
_FIRST, _LONGEST = 2.0, 300.0
"""seconds of the first wait after a failure, and of the longest: each is twice the one before, give or take half"""
_REFUSED = 3600.0
"""seconds until what the house has refused is tried again"""
_HEADS, _HEADS_ALONE = 300.0, 3600.0
"""seconds between two looks at the house's signed heads: while copies here wait for one, and else"""
_ASKED, _ASKS = 3600.0, 500
"""seconds until the house is asked again which copies here it has erased, and about how many at once"""
_QUIET = 60.0
"""seconds that a recording waits for a moment without a call"""
_IN_CALL, _SLICE = 64 << 10, 16 << 10
"""bytes a second that an upload may take beside a call, and that are sent at once"""
_TALLIES, _COPY = "tallies", "copy "
_AT_ONCE = 50
"""copies that go before it looks again what is first"""
_IN_WORDS = {"error.team.not_yours": "error.house.not_this_agents"}
"""of a recording it says something else than of a press"""
_ALL_WAITS = frozenset({401, 408, 429})
_log = log.getChild("courier")


@dataclass(frozen=True, slots=True)
class Report:
    """What waits, and what keeps it: a code with its parameters, None where nothing does."""

    waiting: Waiting
    trouble: KlartoneError | None = None
    joined: bool = True

    def same(self, other: Report) -> bool:
        ours, theirs = (one.trouble and (one.trouble.code, dict(one.trouble.params)) for one in (self, other))
        # How long the log is behind is nobody's concern.
        waits = replace(self.waiting, entries=0) == replace(other.waiting, entries=0)
        return waits and ours == theirs and self.joined == other.joined


class Courier:
    """`ask`: as `Connection.ask`. `report` gets what waits whenever that changes, on the courier's thread. `receipt_keys`: those
    of the policy in force. `since`: when this desk joined. `head_key`: the one for signed heads; empty: none. `policy`: the one
    in force."""

    def __init__(
        self,
        ask: Asks,
        report: Callable[[Report], None],
        receipt_keys: Callable[[], Sequence[str]],
        since: datetime,
        *,
        head_key: Callable[[], str] = str,
        policy: Callable[[], Policy | None] = lambda: None,
        first: float = 1.0,
    ) -> None:
        self._report = report
        self._head_key = head_key
        self._since = since
        self._first = first
        self._carrier = Carrier(ask, self._paced, self._urgent, lambda: not self._ending, receipt_keys, policy)
        self._wake = threading.Event()
        self._quiet = threading.Event()
        self._quiet.set()
        self._calls: frozenset[str] = frozenset()
        self._ending = False
        self._thread: threading.Thread | None = None
        self._fails = 0
        self._trouble: KlartoneError | None = None
        self._joined = True
        self._told: Report | None = None
        self._not_before: dict[str, float] = {}
        """when what was refused is tried again, by its id"""
        self._heads_at = -_HEADS_ALONE
        self._asked_at = -_ASKED
        self._to_ask: list[str] = []
        """copies here, about which the house is asked next"""
        self._tallied: tallies.Tallies = []
        """the counts that the house was told last"""
        self._patience: float | None = None
        """until when an upload waits for a moment without a call"""

    def joins(self, archive: Archive) -> None:
        """From now on each change tells the outbox. Before anything is written; raises ArchiveError."""
        with archive.catalog.writing() as tx:
            rows.begin(tx, self._since)

    def start(self, open_beside: Callable[[], Archive]) -> None:
        self._thread = threading.Thread(target=self._run, args=(open_beside,), name="courier", daemon=True)
        self._thread.start()

    def calls(self, those: frozenset[str]) -> None:
        """Those that go on, or are in their wrap-up: their recordings wait, and others give way to them."""
        if self._calls - those:
            self._wake.set()
        self._calls = those
        if those:
            self._quiet.clear()
        else:
            self._quiet.set()

    def look(self) -> None:
        """Something new may wait."""
        self._wake.set()

    def stop(self, seconds: float = 1.0) -> None:
        """A request that is under way is left to itself: whatever becomes of it, the next run goes on from there."""
        self._ending = True
        self._wake.set()
        self._quiet.set()
        if self._thread is not None:
            self._thread.join(seconds)

    # --- its own thread ---------------------------------------------------------------------------

    def _run(self, open_beside: Callable[[], Archive]) -> None:
        give_way_on_disk()
        self._wake.wait(self._first)
        while not self._ending:
            self._wake.clear()
            pause = self._turn(open_beside)
            if not self._ending:
                self._wake.wait(pause)

    def _turn(self, open_beside: Callable[[], Archive]) -> float:
        """Until nothing can be done now. Returns the seconds until the next."""
        again: float | None = None
        try:
            with closing(open_beside()) as archive:
                try:
                    self._work(archive)
                    self._fails, self._trouble, self._joined = 0, None, True
                except InterruptedError:
                    return 0.0
                except KlartoneError as error:
                    again = error.again if isinstance(error, HouseError) else None
                    self._failed(error)
                except Exception as error:  # noqa: BLE001 - a fault of ours must not end the work in silence
                    log_bug(_log, error)
                    self._failed(HouseError("error.house.courier"))
                self._tell(archive)
        except KlartoneError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - nor must one that keeps it from being told
            log_bug(_log, error)
            self._fails += 1
        if not self._fails:
            return LOOK
        pause = min(_FIRST * 2 ** min(self._fails - 1, 10), _LONGEST) * random.uniform(0.5, 1.5)
        return max(pause, again or 0.0)

    def _failed(self, error: KlartoneError) -> None:
        self._fails += 1
        self._joined = not isinstance(error, NotSignedInError)
        if self._trouble is None or self._trouble.code != error.code:
            _log.warning("not shipped: %s", error.code)
        self._trouble = error

    def _tell(self, archive: Archive) -> None:
        with archive.catalog.reading() as connection:
            now = Report(shipping.waiting(connection, archive.desk), self._trouble, self._joined)
        if self._told is None or not now.same(self._told):
            self._told = now
            self._report(now)

    def _work(self, archive: Archive) -> None:
        """Raises HouseError where all of it has to wait."""
        with suppress(ArchiveError):
            # A file that cannot go now goes another time, and keeps nothing from being told.
            shipping.finish(archive.catalog, archive.vault)
        with archive.catalog.writing() as tx:
            shipping.tidy(tx)
        while self._step(archive) or self._end_what_ended_there(archive) or self._let_copies_go(archive):
            self._tell(archive)
            if self._ending:
                raise InterruptedError
        self._tally(archive)

    def _tally(self, archive: Archive) -> None:
        """How the sample goes, once all else has gone, and only what is new of it."""
        counted = tallies.of_this_desk(archive, datetime.now(UTC))
        if counted != self._tallied and self._may(_TALLIES):
            with self._refusals(archive, _TALLIES, lambda _tx, _code: None):
                tallies.tell(self._carrier.ask, counted)
                self._tallied = counted

    def _end_what_ended_there(self, archive: Archive) -> bool:
        """What has ended in the house ends here too, also where no head lets its copy go. Whether there is more to ship now."""
        if time.monotonic() < self._asked_at + _ASKED:
            return False
        if not self._to_ask:
            with archive.catalog.reading() as connection:
                self._to_ask = shipping.received_here(connection)
            random.shuffle(self._to_ask)
        for recording in (self._to_ask.pop() for _ in range(min(len(self._to_ask), _ASKS))):
            if self._may(_COPY + recording):
                with self._refusals(archive, _COPY + recording, lambda _tx, _code: None):
                    self._carrier.ask_after(archive, recording)
            if self._ending:
                raise InterruptedError
            if self._urgent(archive):
                return True
        self._asked_at = time.monotonic()
        with archive.catalog.reading() as connection:
            return bool(shipping.due(connection, self._calls))

    def _let_copies_go(self, archive: Archive) -> bool:
        """Those of which the house has said that its own cannot be lost, between calls. Whether there is more to ship now: the
        log has an entry for each."""
        with archive.catalog.reading() as connection:
            there = shipping.copies(connection)
        every = _HEADS if there else _HEADS_ALONE
        if time.monotonic() < self._heads_at + every or not (key := self._head_key()):
            return False
        newest = follow_heads(archive, self._carrier.ask, key)
        self._heads_at = time.monotonic()
        with archive.catalog.reading() as connection:
            set_back = shipping.copies(connection) < there
            durable = shipping.durable(connection, newest.durable_to) if newest else ()
            safe = list(islice((one for one in durable if self._may(_COPY + one)), _AT_ONCE))
        for recording in safe:
            while not self._until_quiet():
                if self._urgent(archive):
                    # What is to be heard at once goes first, and the rest of these right after.
                    self._heads_at -= every
                    return True
            with self._refusals(archive, _COPY + recording, lambda _tx, _code: None):
                self._carrier.let_copy_go(archive, recording)
        return bool(safe) or set_back

    def _urgent(self, archive: Archive) -> bool:
        with archive.catalog.reading() as connection:
            return any(self._may(one.id) for one in rows.read(connection, archive.secrets))

    def _step(self, archive: Archive) -> bool:
        """The next thing that can be done; False: nothing can."""
        with archive.catalog.reading() as connection:
            items = [one for one in rows.read(connection, archive.secrets) if self._may(one.id)]
            due = [one for one in shipping.due(connection, self._calls) if self._may(one.recording)]
            orphaned = [one for one in shipping.orphaned(connection) if self._may(one)]
        if items:
            item = items[0]
            with self._refusals(archive, item.id, lambda tx, code: rows.refused(tx, item, code)):
                self._carrier.tell(archive, item)
        elif due:
            recording, call = due[0].recording, due[0].call
            if not self._until_quiet():
                return True
            with (
                self._refusals(
                    archive, recording, lambda tx, code: shipping.refused(tx, recording, _IN_WORDS.get(code, code))
                ),
                suppress(GivesWay),
            ):
                if not self._carrier.ship(archive, recording, call):
                    self._later(recording, LOOK)
        elif orphaned:
            one = orphaned[0]
            with self._refusals(archive, one, lambda _tx, _code: None):
                self._carrier.give_up(archive, one)
        else:
            return self._may("log") and self._ship_log(archive)
        return True

    def _ship_log(self, archive: Archive) -> bool:
        with self._refusals(archive, "log", shipping.log_refused):
            return self._carrier.ship_log(archive) > 0
        return True

    @contextmanager
    def _refusals(self, archive: Archive, id: str, note: Callable[[Transaction, str], None]) -> Generator[None]:
        """What the house refuses of one thing keeps no other waiting."""
        try:
            yield
        except (NotSignedInError, UnreachableError):
            raise
        except HouseError as error:
            if error.status in _ALL_WAITS or error.status >= 500:
                raise
            _log.warning("refused by the house: %s", error.code)
            self._later(id, _REFUSED)
            with archive.catalog.writing() as tx:
                note(tx, error.code)

    def _may(self, id: str) -> bool:
        return time.monotonic() >= self._not_before.get(id, 0.0)

    def _later(self, id: str, seconds: float) -> None:
        self._not_before = {one: at for one, at in self._not_before.items() if at > time.monotonic()}
        self._not_before[id] = time.monotonic() + seconds

    def _until_quiet(self) -> bool:
        """False: look again what is first. Beside a call that lasts, an upload goes on slowly (`_paced`)."""
        if self._patience is None:
            self._patience = time.monotonic() + _QUIET
        while not self._quiet.wait(0.2) and time.monotonic() < self._patience and not self._ending:
            if self._wake.is_set():
                self._wake.clear()
                return False
        if self._ending:
            raise InterruptedError
        self._patience = None
        return True

    def _paced(self, archive: Archive, data: bytes) -> Iterator[bytes]:
        """In a call's presence no faster than a call itself."""
        for at in range(0, len(data), _SLICE):
            if self._ending:
                raise InterruptedError
            if self._wake.is_set():
                self._wake.clear()
                if self._urgent(archive):
                    raise GivesWay
            if not self._quiet.is_set():
                self._quiet.wait(_SLICE / _IN_CALL)
            yield data[at : at + _SLICE]
