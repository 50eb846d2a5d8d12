"""The backup that comes by itself: when it is due, between the calls; and what has ended meanwhile, told to its folder at once.

How a backup is made is the archive's to know. A folder that is not there is waited for, and said once the backup is overdue.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.backup.run import Health, back_up, health, tell
from softphone.domain.errors import KlartoneError, SettingsError
from softphone.domain.policy.period import Period
from softphone.system.logbook import log, where
from softphone.wire import Said

_log = log.getChild("engine.backup")
FIRST = 15.0
"""seconds: an engine that starts has other things to do"""
LOOK = 5.0
"""seconds: so soon is told what has ended"""
AGAIN = 300.0
"""seconds, after something that could not be done"""
_HEARD = timedelta(hours=1)
"""so often the folder hears that nothing has ended, so that later it is known up to when"""
_PATIENCE = 60.0
"""seconds that a recording waits for a moment without a call"""
_ANEW = frozenset({"error.backup.set_back", "error.backup.journal_changed", "error.backup.unfinished"})
"""what the folder says that only a whole backup mends"""


def _utc() -> datetime:
    return datetime.now(UTC)


class BackupRunner:
    """`report` gets what keeps it from its work once the backup is overdue, and None when it is made, on its own thread.

    `folder` is absolute, `every` ISO 8601 (`P1D`, `PT12H`). Raises SettingsError.
    """

    def __init__(
        self,
        folder: str,
        every: str,
        report: Callable[[Said | None], None],
        *,
        now: Callable[[], datetime] = _utc,
        first: float = FIRST,
    ) -> None:
        self._folder = Path(folder)
        if not self._folder.is_absolute():
            raise SettingsError("error.settings.backup_folder", path=folder)
        try:
            self._every = Period.parse(every)
        except ValueError:
            raise SettingsError("error.settings.backup_every", every=every) from None
        if self._every == Period():
            raise SettingsError("error.settings.backup_every", every=every)
        self._report = report
        self._now = now
        self._first = first
        self._wake = threading.Event()
        self._ending = False
        self._quiet = threading.Event()
        self._quiet.set()
        self._thread: threading.Thread | None = None
        self._anew = False
        self._heard_at: datetime | None = None

    def start(self, open_beside: Callable[[], Archive]) -> None:
        self._thread = threading.Thread(target=self._run, args=(open_beside,), name="backup", daemon=True)
        self._thread.start()

    def talking(self, talking: bool) -> None:
        """Whether there is a call: nothing is copied beside it, as long as that can wait."""
        if talking:
            self._quiet.clear()
        else:
            self._quiet.set()

    def look(self) -> None:
        """Whether there is something to do is asked now, and not in some seconds."""
        self._wake.set()

    def stop(self) -> None:
        self._ending = True
        self._wake.set()
        self._quiet.set()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self, open_beside: Callable[[], Archive]) -> None:
        self._wake.wait(self._first)
        while not self._ending:
            self._wake.clear()
            works = self._try(open_beside)
            self._wake.wait(LOOK if works else AGAIN)

    def _try(self, open_beside: Callable[[], Archive]) -> bool:
        state: Health | None = None
        try:
            with closing(open_beside()) as archive:
                state = next((one for one in health(archive) if one.folder == self._folder), None)
                self._step(archive, state)
        except KlartoneError as error:
            if self._ending:
                return True
            _log.warning("no backup: %s", error.code)
            self._anew = self._anew or error.code in _ANEW
            self._say(state, Said(error.code, error.params))
            return error.code in _ANEW
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the backups in silence
            _log.error("bug %s", where(type(error), error.__traceback__))
            self._say(state, Said("error.backup.not_made", {"detail": type(error).__name__}))
            return False
        return True

    def _step(self, archive: Archive, state: Health | None) -> None:
        now = self._now()
        if self._anew or state is None or not state.number or now >= self._due(state.at):
            done = back_up(archive, self._folder, now, progress=self._go_on)
            self._anew, self._heard_at = False, now
            _log.info("backed up: %d recordings, %d copied, %d erased", done.recordings, done.copied, done.erased)
            if hurt := len(done.missing) + len(done.differs):
                _log.warning("backed up: %d recordings are missing or changed here", hurt)
            self._report(None)
        elif state.waiting or self._heard_at is None or now - self._heard_at >= _HEARD:
            tell(archive, self._folder, now, anyway=True)
            self._heard_at = now

    def _say(self, state: Health | None, fault: Said) -> None:
        """A disk that is away for a day is no matter for somebody who talks to people."""
        if state is None or not state.number or self._now() >= self._due(self._due(state.at)):
            self._report(fault)

    def _due(self, at: datetime) -> datetime:
        day = Period(months=self._every.months, days=self._every.days).after(at.date())
        return datetime.combine(day, at.timetz()) + timedelta(seconds=self._every.seconds)

    def _go_on(self, what: str, _done: int, _total: int) -> bool:
        if what == "recordings":
            self._quiet.wait(_PATIENCE)
        return not self._ending
