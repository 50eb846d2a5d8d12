"""Whether the phone has been asked to end once it is idle, for an update, until when, and what the agent says to that.

It ends nothing itself, and knows no call: the loop says what goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from softphone.calls.turns import seconds
from softphone.wire.snapshot import QuitAsked, QuitPhase

POSTPONED = timedelta(hours=1)
LONGEST = timedelta(days=366)
"""until a phone ends at the latest, whatever was asked"""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Leaving:
    def __init__(self, now: Callable[[], float] = seconds, utc: Callable[[], datetime] = utc_now) -> None:
        self._now, self._utc = now, utc
        self._asked = False
        self._forgotten_at: float | None = None
        self._again_at: float | None = None
        self._until: datetime | None = None
        self._latest: datetime | None = None

    def ask(self, within: float, latest: datetime | None = None) -> None:
        """Seconds; 0: it stands. A request that stands is not weakened, and one that the agent has put off stays so."""
        stands = self._asked and self._forgotten_at is None
        self._forgotten_at = self._now() + within if within and not stands else None
        self._asked = True
        if latest is not None:
            now = self._utc()
            at = max(now, min(latest, now + LONGEST)).astimezone(UTC)
            self._latest = min(at, self._latest or at)

    @property
    def overdue(self) -> bool:
        """Whether the time that was given is over: then nobody can put it off."""
        return self._asked and self._latest is not None and self._utc() >= self._latest

    def postpone(self) -> bool:
        """Whether there was anything to put off."""
        if not self._asked or self.overdue:
            return False
        until = min(self._utc() + POSTPONED, self._latest or self._utc() + POSTPONED)
        self._again_at = self._now() + (until - self._utc()).total_seconds()
        self._until = until
        return True

    def shown(self, *, idle: bool, calls: bool) -> QuitAsked | None:
        """For the snapshot. `calls`: one is on, or something is unwritten. To be asked in each turn: what has run out is
        forgotten here."""
        now = self._now()
        if self._forgotten_at is not None and now >= self._forgotten_at:
            self._asked, self._forgotten_at = False, None
        if self._again_at is not None and now >= self._again_at:
            self._again_at = self._until = None
        if not self._asked:
            return None
        stands = self._forgotten_at is None
        if self.overdue:
            return QuitAsked(QuitPhase.WAITS if calls else QuitPhase.NOW, None, self._latest, stands)
        if self._again_at is not None:
            return QuitAsked(QuitPhase.POSTPONED, self._until, self._latest, stands)
        return QuitAsked(QuitPhase.DUE if idle else QuitPhase.WAITS, None, self._latest, stands)
