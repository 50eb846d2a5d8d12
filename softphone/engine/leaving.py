"""Whether the phone has been asked to end once it is idle, for an update, and what the agent says to that.

It ends nothing itself, and knows no call: the loop says what goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from softphone.calls.turns import seconds
from softphone.wire.snapshot import QuitAsked, QuitPhase

POSTPONED = timedelta(hours=1)


class Leaving:
    def __init__(self, now: Callable[[], float] = seconds) -> None:
        self._now = now
        self._asked = False
        self._forgotten_at: float | None = None
        self._again_at: float | None = None
        self._until: datetime | None = None

    def ask(self, within: float) -> None:
        """Seconds; 0: it stands. A request that stands is not weakened, and one that the agent has put off stays so."""
        stands = self._asked and self._forgotten_at is None
        self._forgotten_at = self._now() + within if within and not stands else None
        self._asked = True

    def postpone(self) -> bool:
        """Whether there was anything to put off."""
        if not self._asked:
            return False
        self._again_at = self._now() + POSTPONED.total_seconds()
        self._until = datetime.now(UTC) + POSTPONED
        return True

    def shown(self, *, idle: bool) -> QuitAsked | None:
        """For the snapshot. To be asked in each turn: what has run out is forgotten here."""
        now = self._now()
        if self._forgotten_at is not None and now >= self._forgotten_at:
            self._asked, self._forgotten_at = False, None
        if self._again_at is not None and now >= self._again_at:
            self._again_at = self._until = None
        if not self._asked:
            return None
        if self._again_at is not None:
            return QuitAsked(QuitPhase.POSTPONED, self._until)
        return QuitAsked(QuitPhase.DUE if idle else QuitPhase.WAITS)
