"""The sweep that comes by itself: when the engine starts and once a day, on a thread of its own, between the calls.

What is due is the archive's to say. A day is counted by a clock that nobody can set, which also bears witness to the other.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from softphone.archive.archive import Archive
from softphone.archive.retention.sweep import DEFAULT_TERMS, SweepTerms, Swept, sweeping
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import Policy
from softphone.engine.housekeeping import Housekeeper
from softphone.wire import PolicyPhase, Said

_NOT_SWEPT = "error.archive.not_swept"
DAY = 24 * 3600.0
_AGAIN = 3600.0
"""seconds, after one that could not be done"""
_LOOK = 300.0
"""seconds: a machine that slept is late by no more"""
FIRST = 5.0
"""seconds: an engine that starts has other things to do"""


def _utc() -> datetime:
    return datetime.now(UTC)


def _since_boot() -> float:
    """Seconds by a clock that no one sets, and that goes on while the machine sleeps (where it has one)."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def terms_of(policy: Policy | None, phase: PolicyPhase) -> SweepTerms | None:
    """What the sweep goes by. While a policy is being read, or cannot be used, no other's terms are taken for its own."""
    if policy is not None:
        return SweepTerms(policy.judge_within, policy.audit_retention)
    return DEFAULT_TERMS if phase is PolicyPhase.MISSING else None


class Sweeper(Housekeeper):
    """`report` gets what keeps it from sweeping, and None when it has swept, on the sweeper's thread. `terms`: what the policy in
    force says; None where it is not known which that is."""

    def __init__(
        self,
        report: Callable[[Said | None], None],
        *,
        now: Callable[[], datetime] = _utc,
        elapsed: Callable[[], float] = _since_boot,
        first: float | None = None,
        terms: Callable[[], SweepTerms | None] = lambda: DEFAULT_TERMS,
    ) -> None:
        super().__init__("sweep", FIRST if first is None else first, _NOT_SWEPT)
        self._report = report
        self._terms = terms
        self._now = now
        self._elapsed = elapsed
        self._next: float | None = None
        self._believed: tuple[datetime, float, datetime | None] | None = None
        """what the clock said when it was last believed here, by the other clock when, and what the catalog then held"""

    def _turn(self, open_beside: Callable[[], Archive]) -> float:
        if self._next is None or self._elapsed() >= self._next:
            fault = self._tried(open_beside, self._sweep)
            self._next = self._elapsed() + (_AGAIN if fault else DAY)
            if not self._ending:
                self._report(fault)
        return _LOOK

    def _said(self, error: KlartoneError) -> Said:
        detail = error.params.get("detail") or error.params.get("path") or error.code
        return Said(_NOT_SWEPT, {"detail": str(detail)})

    def _sweep(self, archive: Archive) -> Said | None:
        now, elapsed = self._now(), self._elapsed()
        witness = None
        if self._believed is not None and archive.last_seen() == self._believed[2]:
            # Where somebody has agreed with the clock in the meantime, the catalog says so, and that counts.
            witness = self._believed[0] + timedelta(seconds=elapsed - self._believed[1])
        counts: Counter[Swept] = Counter()
        since = ""
        for item in sweeping(archive, now, clock=now, witness=witness, go_on=self._go_on, terms=self._terms()):
            counts[item.what] += 1
            since = item.since.isoformat() if item.what is Swept.CLOCK_DOUBTFUL and item.since else since
        if counts[Swept.CLOCK_DOUBTFUL]:
            return Said("error.archive.clock_doubtful", {"since": since, "today": now.date().isoformat()})
        self._believed = (now, elapsed, archive.last_seen())
        if counts:
            self._log.info("swept: %s", _told(counts))
        return None


def _told(counts: Mapping[Swept, int]) -> str:
    """How much of what: the log holds no recording's id."""
    return ", ".join(f"{what.value} {counts[what]}" for what in Swept if what in counts)
