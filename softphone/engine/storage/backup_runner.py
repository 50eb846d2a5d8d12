"""The automatic backup: when it is due, between the calls. Its folder also hears at once what has ended meanwhile.

The archive knows how a backup is made. A missing folder is waited for, and reported once the backup is overdue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.backup.run import Health, back_up, health, tell, tell_within
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.engine.storage.housekeeping import Housekeeper
from softphone.system.settings_schema import check_backup
from softphone.wire.snapshot import CodedText

FIRST = 15.0
"""seconds: an engine that starts has other things to do"""
LOOK = 5.0
"""seconds until the folder hears what has ended"""
AGAIN = 300.0
"""seconds, after a failure"""
_HEARD = timedelta(hours=1)
"""how often the folder hears that nothing has ended, so that later it is known up to when"""
_ANEW = frozenset({"error.backup.set_back", "error.backup.unfinished"})
"""the folder's faults that only a whole backup mends"""


def _utc() -> datetime:
    return datetime.now(UTC)


class BackupRunner(Housekeeper):
    """`report` gets what keeps it from its work once the backup is overdue, and None once it is made, on its own thread.

    `folder` is absolute, `every` ISO 8601 (`P1D`, `PT12H`). Raises SettingsError.
    """

    def __init__(
        self,
        folder: str,
        every: str,
        report: Callable[[CodedText | None], None],
        *,
        now: Callable[[], datetime] = _utc,
        first: float = FIRST,
    ) -> None:
        super().__init__("backup", first, "error.backup.not_made")
        self._folder = Path(folder)
        self._every = check_backup(folder, every)
        self._report = report
        self._now = now
        self._anew = False
        self._heard_at: datetime | None = None
        self._state: Health | None = None
        """what this turn knows of the folder"""
        self._archive: Archive | None = None
        """that a run is made of"""
        self._looked = 0.0

    def _turn(self, open_beside: Callable[[], Archive]) -> float:
        self._state = None
        fault = self._tried(open_beside, self._step)
        if fault is None or self._ending:
            return LOOK
        self._anew = self._anew or fault.code in _ANEW
        if self._overdue():
            self._report(fault)
        return LOOK if fault.code in _ANEW else AGAIN

    def _step(self, archive: Archive) -> None:
        now = self._now()
        self._state = state = next((one for one in health(archive) if one.folder == self._folder), None)
        if self._anew or state is None or not state.number or now >= self._due(state.at):
            self._archive = archive
            try:
                done = back_up(archive, self._folder, now, progress=self._progress)
            finally:
                self._archive = None
            self._anew, self._heard_at = False, now
            self._log.info("backed up: %d recordings, %d copied, %d erased", done.recordings, done.copied, done.erased)
            if hurt := len(done.missing) + len(done.differs):
                self._log.warning("backed up: %d recordings are missing or changed here", hurt)
            self._report(None)
        elif state.waiting or not state.cleared or self._heard_at is None or now - self._heard_at >= _HEARD:
            tell(archive, self._folder, now)
            self._heard_at = now

    def _overdue(self) -> bool:
        """An agent on the phone need not hear of a disk that is away for a day."""
        state = self._state
        return state is None or not state.number or self._now() >= self._due(self._due(state.at))

    def _due(self, at: datetime) -> datetime:
        day = Period(months=self._every.months, days=self._every.days).after(at.date())
        return datetime.combine(day, at.timetz()) + timedelta(seconds=self._every.seconds)

    def _progress(self, what: str, _done: int, _total: int) -> bool:
        if what != "recordings":
            return not self._ending
        self._hear()
        return self._go_on(self._hear)

    def _hear(self) -> None:
        """A run may take hours. What ends in them is told to the backup that counts until then."""
        if self._archive is None or time.monotonic() - self._looked < LOOK:
            return
        # What keeps the folder from it keeps the run too, which says so.
        with suppress(ArchiveError):
            tell_within(self._archive, self._folder, self._now())
        self._looked = time.monotonic()
