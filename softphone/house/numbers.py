"""What the house knows of a party's number, asked while it rings.

It has 0.3 seconds. Then what was last heard of the number counts, and the call is in no sample: a no at another desk could be
unknown (G31). As long as the call lasts, the house is asked on, and what it says of an objection still counts.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from softphone.domain.errors import KlartoneError, UnreachableError
from softphone.domain.house_knows import KEPT, HouseKnows
from softphone.domain.purpose import Language, Purpose
from softphone.house.shipping import Asks
from softphone.system.logbook import log, log_bug

WITHIN = 0.3
"""seconds"""
_PATIENCE = 5.0, 20.0
"""seconds for the first answer, and at most: each one after it has twice as long"""
_AGAIN = 15.0
"""seconds until it is asked once more"""
_ASKERS = 4
_REMEMBERED = 2_000
"""numbers"""
_log = log.getChild("house")
Then = Callable[[HouseKnows | None, bool], None]
"""what is known, and whether the house was silent"""


@dataclass
class _Asked:
    number: str = field(repr=False)
    line: str
    then: Then
    wanted: Callable[[], bool]
    patience: float = _PATIENCE[0]
    told: bool = False


class HouseNumbers:
    """`ask` as `Connection.ask`. For several threads. Numbers stay in memory alone."""

    def __init__(self, ask: Asks, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._ask, self._now = ask, now
        self._lock = threading.Lock()
        self._waiting: queue.LifoQueue[_Asked | None] = queue.LifoQueue()
        """the calls of now come first"""
        self._last: OrderedDict[tuple[str, str], Sequence[Mapping[str, Any]]] = OrderedDict()
        self._closed = False
        for number in range(_ASKERS):
            threading.Thread(target=self._run, name=f"house numbers {number}", daemon=True).start()

    def ask(self, number: str, line: str, then: Then, *, wanted: Callable[[], bool] = lambda: True) -> None:
        """Asks, and does not wait. `then` hears the answer; if none has come `WITHIN` from now, that first. On other threads.

        `wanted` says there whether the call is still on.
        """
        asked = _Asked(number, line, then, wanted)
        _after(WITHIN, lambda: self._tell(asked, silent=True))
        self._waiting.put(asked)

    def close(self) -> None:
        """Who waits still hears what was last known, at its time."""
        self._closed = True
        for _ in range(_ASKERS):
            self._waiting.put(None)

    def _run(self) -> None:
        while (asked := self._waiting.get()) is not None and not self._closed:
            if not asked.wanted():
                continue
            try:
                self._answered(asked)
            except KlartoneError as error:
                # It is said beside the call already: this is for whoever helps from afar.
                _log.info("the house did not tell what it knows of a number: %s", error.code)
                asked.patience = min(2 * asked.patience, _PATIENCE[1])
                _after(_AGAIN, lambda asked=asked: self._waiting.put(asked))
            except Exception as error:  # noqa: BLE001 - whatever it is, the next call is asked about
                log_bug(_log, error, "numbers of the house")

    def _answered(self, asked: _Asked) -> None:
        body = {"number": asked.number, "line": asked.line}
        answer = self._ask("POST", "/v1/numbers/known", body, seconds=asked.patience)
        said = answer.json
        told = cast("dict[str, Any]", said).get("known") if isinstance(said, dict) else None
        if not (isinstance(told, list) and all(isinstance(one, dict) for one in cast("list[Any]", told))):
            raise UnreachableError("error.house.no_service", status=answer.status)
        known = cast("list[dict[str, Any]]", told)
        with self._lock:
            self._last[asked.number, asked.line] = known
            self._last.move_to_end((asked.number, asked.line))
            while len(self._last) > _REMEMBERED:
                self._last.popitem(last=False)
        self._tell(asked, silent=False)

    def _tell(self, asked: _Asked, *, silent: bool) -> None:
        with self._lock:
            last = self._last.get((asked.number, asked.line))
            if not (silent and asked.told):
                asked.told = True
                asked.then(None if last is None else knows(last, self._now()), silent)


def _after(seconds: float, then: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, then)
    timer.daemon = True
    timer.start()


def knows(told: Sequence[Mapping[str, Any]], now: datetime) -> HouseKnows:
    """From the rows of `POST /v1/numbers/known`. What cannot be read of a no is a no."""
    declined, call_back, upheld, language = False, False, set[Purpose](), None
    for one in told:
        if not _lives(one.get("until"), now):
            continue
        what, value, purpose = (str(one.get(name)) for name in ("what", "value", "purpose"))
        if what in ("refused", "do_not_sample"):
            declined = True
        elif what == "upheld":
            upheld |= {Purpose(purpose)} if purpose in set(Purpose) else set(Purpose)
        elif what == "call_back":
            call_back = call_back or value != KEPT
        elif what == "language" and value in set(Language):
            language = Language(value)
    return HouseKnows(declined, frozenset(upheld), language, call_back)


def _lives(until: object, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(until)) > now
    except (ValueError, TypeError):
        return True
