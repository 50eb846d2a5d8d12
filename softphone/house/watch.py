"""Asks the house for news, on a thread of its own, from the joining until the engine ends or the desk leaves.

A changed policy is in its place before anybody is told of it, so it counts for the next call.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from softphone import __version__
from softphone.domain.errors import HouseError, KlartoneError, NotSignedInError
from softphone.domain.house_knows import HouseWaiting
from softphone.house.connection import Connection
from softphone.house.joining import Desk
from softphone.house.membership import Membership
from softphone.house.news import Hints, Taken, take_news
from softphone.system.logbook import log, log_bug

EVERY = 60.0
"""seconds, give or take a quarter: a house's desks do not all ask at once"""
_LONGEST, _SIGNED_OUT = 600.0, 300.0
_SEEN_EVERY = 240.0
"""seconds after which IT's list hears of this desk again, though nothing has changed"""
_log = log.getChild("house")


@dataclass(frozen=True, slots=True)
class Heard:
    """`at`: when the house last answered. `trouble`: what its user and IT are told, as a code with parameters. `shared`: how many
    own reviews are shared that nobody has opened here."""

    membership: Membership
    at: datetime | None = None
    trouble: KlartoneError | None = None
    shared: int = 0


class NewsWatch:
    """`connection`: also for whoever else speaks to the house. All of these are called on its thread: `taken` once what is new
    is in its place, `heard` after each answer or failure, `gone` when the desk has left. `waiting`: what has not been shipped,
    and a code of what failed. `backlog` hears what waits for the house's reviewers."""

    def __init__(
        self,
        desk: Desk,
        connection: Connection,
        *,
        taken: Callable[[Taken], None],
        heard: Callable[[Heard], None],
        gone: Callable[[], None],
        waiting: Callable[[], tuple[int, str]] = lambda: (0, ""),
        backlog: Callable[[HouseWaiting], None] = lambda _waiting: None,
        every: float = EVERY,
    ) -> None:
        self._desk, self._connection = desk, connection
        self._taken, self._heard, self._gone, self._waiting = taken, heard, gone, waiting
        self._backlog = backlog
        self._every = every
        self._wake = threading.Event()
        self._ending = False
        self._at = desk.folder.heard()
        self._fails = 0
        self._told: tuple[int, str] | None = None
        self._told_at = 0.0
        self._refused: tuple[str, ...] = ()
        self._tag, self._hints = "", Hints()

    def start(self) -> None:
        threading.Thread(target=self._run, name="house", daemon=True).start()

    def look(self) -> None:
        """Ask now."""
        self._wake.set()

    def stop(self) -> None:
        """A request that is under way is left to itself."""
        self._ending = True
        self._wake.set()

    def _run(self) -> None:
        while not self._ending:
            self._wake.clear()
            try:
                membership = self._desk.folder.read()
                if membership is None:
                    self._gone()
                    return
                pause = self._turn(membership)
            except KlartoneError as error:
                _log.warning("no news of the house: %s", error.code)
                pause = _LONGEST
            except Exception as error:  # noqa: BLE001 - a fault of ours must not end the news in silence
                log_bug(_log, error, "news of the house")
                pause = _LONGEST
            self._wake.wait(pause)

    def _turn(self, membership: Membership) -> float:
        """The seconds until the next."""
        trouble: KlartoneError | None = None
        try:
            taken = take_news(self._connection, self._desk.folder, self._desk.keyring, membership, tag=self._tag)
            membership, self._at, self._fails = taken.membership, datetime.now(UTC), 0
            self._tag, self._hints = taken.tag, taken.hints or self._hints
            self._desk.folder.note_heard()
            if taken.refused != self._refused:
                self._refused = taken.refused
                for code in taken.refused:
                    _log.warning("not taken: %s", code)
            if taken.refused:
                trouble = HouseError(taken.refused[0])
            if taken.changed:
                self._taken(taken)
            if self._hints.waiting is not None:
                self._backlog(HouseWaiting(self._at, self._hints.waiting))
            self._tell()
        except KlartoneError as error:
            self._fails += 1
            if self._fails == 1:
                _log.info("no news of the house: %s", error.code)
            trouble = error
        unopened = self._hints.shared.difference(self._desk.folder.opened())
        self._heard(Heard(membership, self._at, trouble, len(unopened)))
        if isinstance(trouble, NotSignedInError):
            return _SIGNED_OUT
        again = trouble.again if isinstance(trouble, HouseError) else None
        wait = min(self._every * 2 ** max(self._fails - 1, 0), _LONGEST)
        return max(wait * random.uniform(0.75, 1.25), again or 0.0)

    def _tell(self) -> None:
        """What IT's list says of this desk."""
        waiting, failed = self._waiting()
        said = (waiting, self._refused[0] if self._refused else failed)
        if said != self._told or time.monotonic() - self._told_at > _SEEN_EVERY:
            body = {"program": __version__, "waiting": min(said[0], 1_000_000), "failed": said[1]}
            self._connection.ask("PUT", "/v1/desk", body)
            self._told, self._told_at = said, time.monotonic()
