"""What the engine asks of the archive, answered on a thread of its own, one question after another.

A question whose answer fails is logged; who asked hears the safe answer, or nothing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from softphone.archive.archive import Archive
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.changes.lookups import CallBackRow, PartyQuery
from softphone.archive.finding.history import History, PastRow
from softphone.calls.turns import Post
from softphone.domain.decision import LookupResult
from softphone.system.logbook import log, log_failed

OF_AN_EARLIER_RUN = 200
"""calls at most that are read back when the archive is opened"""
_log = log.getChild("engine")


class CallBackList:
    """The list of those to be called back must be read anew."""


@dataclass(frozen=True, slots=True)
class OwnCalls:
    """The last calls of these accounts' addresses are to be read."""

    agents: tuple[str, ...]
    since: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call of earlier is to be read."""

    call: str
    now: datetime


class ReaderListener(Protocol):
    """Who gets the answers, on the loop's thread."""

    def looked_up(self, call: str, known: LookupResult) -> None: ...
    def listed(self, rows: list[CallBackRow]) -> None: ...
    def remembered(self, past: Sequence[PastRow], own: Sequence[OwnCall]) -> None: ...
    def taken_up(self, call: str, past: PastRow | None, *, failed: bool) -> None: ...


class StoreReader:
    """Questions wait until `start`."""

    def __init__(self, post: Post, answers: ReaderListener) -> None:
        self._post = post
        self._answers = answers
        self._asked: queue.SimpleQueue[PartyQuery | CallBackList | OwnCalls | PastCall | None] = queue.SimpleQueue()
        self._ended = False

    def ask(self, asked: PartyQuery | CallBackList | OwnCalls | PastCall) -> None:
        self._asked.put(asked)

    def drop(self) -> Iterator[PartyQuery]:
        """What waits is not asked any more: the parties among it."""
        while not self._asked.empty():
            if isinstance(asked := self._asked.get(), PartyQuery):
                yield asked

    def start(self, archive: Archive) -> None:
        threading.Thread(target=self._read, args=(archive,), name="store reader", daemon=True).start()

    def stop(self) -> None:
        """No answer comes any more: the archive is about to close, beneath a question that is being answered too."""
        self._ended = True
        self._asked.put(None)

    def _read(self, archive: Archive) -> None:
        history = History(archive.catalog, archive.secrets)
        answers, post = self._answers, self._post
        while not self._ended:
            match self._asked.get():
                case None:
                    return
                case PartyQuery() as asked:
                    try:
                        known = archive.lookups.look_up(asked)
                    except Exception as error:  # noqa: BLE001 - whatever it is: this thread is the only one that looks up
                        self._failed(error, "not looked up")
                        # Whether they declined, or are in the sample, is not known: nothing is recorded for training.
                        known = LookupResult(looked_up=False)
                    post(lambda call=asked.call, known=known: answers.looked_up(call, known))
                case CallBackList():
                    try:
                        rows = archive.lookups.call_backs(datetime.now(UTC))
                    except Exception as error:  # noqa: BLE001 - as above; the list stays as it was
                        self._failed(error, "not listed")
                    else:
                        post(lambda rows=rows: answers.listed(rows))
                case OwnCalls(agents, since, now):
                    try:
                        found = history.own(agents, since, now, OF_AN_EARLIER_RUN)
                    except Exception as error:  # noqa: BLE001 - as above; of an earlier run nothing is shown
                        self._failed(error, "not looked back")
                    else:
                        post(lambda found=found: answers.remembered(*found))
                case PastCall(call, now):
                    failed, one = False, None
                    try:
                        one = history.call(call, now)
                    except Exception as error:  # noqa: BLE001 - as above; it is said
                        self._failed(error, "not taken up")
                        failed = True
                    post(lambda call=call, one=one, failed=failed: answers.taken_up(call, one, failed=failed))

    def _failed(self, error: Exception, what: str) -> None:
        if not self._ended:
            log_failed(_log, error, what)
