"""The catalog's side of the review, on a thread of its own: pages, opening a recording, storing what is said of it.

It also watches the catalog's files and the day for recordings that may no longer be heard, and reports them at once (`watch`
does so for the open one). It knows no widget and no sound.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date, datetime

from PySide6.QtCore import QObject, Signal

from softphone.domain.archive.interface import Reviewing, SeenArchive
from softphone.domain.archive.reviews import Comment, SamplePage, SampleQuery
from softphone.domain.errors import KlartoneError
from softphone.domain.retention import local_day
from softphone.system.logbook import log_bug
from softphone.ui.review.dependencies import Opened, Stored
from softphone.ui.review.watch import ErasureWatch

log = logging.getLogger(__name__)

PAGE, MORE = 200, 1_000
"""rows of a list's first page, which is waited for, and of each later one"""
WATCH = 0.2
"""seconds between two looks at the catalog's files and at the day"""
BATCH = 400
"""recordings asked about at a time"""
NEWS = 2.0
"""seconds between two counts, however much changes"""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the list shows. `turn` counts the lists: answers for an earlier one are dropped."""

    turn: int
    query: SampleQuery
    capacity: int | None = None
    items: tuple[tuple[str, int], ...] = ()
    """the score card: each question's id, and how many points there are"""


class ArchiveWorker(QObject):
    """Signals:

    - paged(turn, SamplePage, at_the_top): `at_the_top` are rows that came anew; missed(turn): the list lacks rows, and must
      begin anew
    - opened(Opened); refused(recording, KlartoneError)
    - told(Reviewing, Stored): after each attempt to store something; commented(Reviewing, it could): after a comment
    - reviewed(recording, its SampleRow, or None if it went with that); not_reviewed(recording): it could not be stored
    - gone(recordings); unsure(recording, KlartoneError or None): it is not known whether the open one may be heard
    - changed(): something must be counted anew; new_day(): days have changed their names; failed(KlartoneError)
    """

    paged = Signal(int, object, bool)
    opened = Signal(object)
    refused = Signal(str, object)
    missed = Signal(int)
    stored = Signal(object, object)
    commented = Signal(object, bool)
    reviewed = Signal(str, object)
    not_reviewed = Signal(str)
    gone = Signal(object)
    unsure = Signal(str, object)
    changed = Signal()
    new_day = Signal()
    failed = Signal(object)

    def __init__(self, archive: SeenArchive, now: Callable[[], datetime], time_zone: str) -> None:
        """`time_zone`: the reader's own; each call has one as well."""
        super().__init__()
        self._given, self._now = archive, now
        self._jobs: deque[Callable[[SeenArchive], None]] = deque()
        self._bell = threading.Condition()
        self._ends = False
        self._watched: Watched | None = None
        self._shown: list[str] = []
        self._open: Reviewing | None = None
        self._seen: object = None
        self._days: dict[str, date] = {time_zone: local_day(now(), time_zone)}
        """in each time zone that is shown"""
        self._checking: Iterator[None] | None = None
        self._counted_at = 0.0
        self._news = self._changed = False
        self._thread = threading.Thread(target=self._run, name="review-shelf", daemon=True)
        self._watch = ErasureWatch(archive)
        self._watch.gone.connect(self._open_gone)
        self._watch.unsure.connect(self.unsure)

    def start(self) -> None:
        self._thread.start()
        self._watch.start()

    def stop(self) -> None:
        """Pending requests are carried out first, and the open recording closed."""
        self._watch.stop()
        with self._bell:
            self._ends = True
            self._bell.notify()
        if self._thread.is_alive():
            self._thread.join(10)

    # --- what the window asks -------------------------------------------------------------------

    def watch(self, watched: Watched) -> None:
        """Another list: its first page comes."""

        def begin(archive: SeenArchive) -> None:
            self._watched, self._shown, self._checking = watched, [], None
            self._page(archive, watched, None, PAGE)

        self._do(begin)

    def more(self, watched: Watched, after: str | None) -> None:
        def go_on(archive: SeenArchive) -> None:
            if watched is self._watched:
                self._page(archive, watched, after, MORE)

        self._do(go_on)

    def open(self, recording: str) -> None:
        self._do(lambda archive: self._open_it(archive, recording))

    def close(self, reviewing: Reviewing) -> None:
        """Once nothing reads it any more."""
        self._do(lambda _archive: self._close(reviewing))

    def comment(self, reviewing: Reviewing, sample: int, text: str) -> None:
        self._say(
            reviewing,
            lambda: reviewing.comment(sample, text),
            lambda done: self.commented.emit(reviewing, done),
        )

    def remove(self, reviewing: Reviewing, comment: Comment) -> None:
        self._say(reviewing, lambda: reviewing.remove(comment.id))

    def score(self, reviewing: Reviewing, item: str, points: int) -> None:
        self._say(reviewing, lambda: reviewing.score(item, points))

    def share(self, reviewing: Reviewing, *, on: bool) -> None:
        self._say(reviewing, lambda: reviewing.share(on))

    def review(self, reviewing: Reviewing, heard: int) -> None:
        """It counts as used, and is closed: nothing may read it any more. `heard`: seconds of it."""

        def use(archive: SeenArchive) -> None:
            recording = reviewing.row.recording
            # A recording that ends because it was used is not gone.
            self._watch.let_go(recording)
            try:
                reviewing.reviewed(heard=heard)
            except KlartoneError:
                gone = False
                with suppress(KlartoneError):  # no answer does not mean that it is gone
                    gone = not reviewing.still()
                if gone:
                    self._gone({recording})
                    return
                self.not_reviewed.emit(recording)
                raise
            finally:
                self._close(reviewing)
            self._used(archive, recording)

        self._do(use)

    def use_up(self, recording: str, heard: int) -> None:
        """As `review`, for one that is no longer open."""

        def use(archive: SeenArchive) -> None:
            try:
                archive.reviews.mark(recording, heard=heard)
            except KlartoneError:
                gone = False
                with suppress(KlartoneError):  # no answer does not mean that it is gone
                    gone = not archive.reviews.still(recording)
                if gone:
                    self._gone({recording})
                    return
                self.not_reviewed.emit(recording)
                raise
            self._used(archive, recording)

        self._do(use)

    # --- on its thread --------------------------------------------------------------------------

    def _used(self, archive: SeenArchive, recording: str) -> None:
        row = archive.reviews.row(recording)
        if row is None:
            self._forget({recording})
        self.reviewed.emit(recording, row)
        self._news = True

    def _do(self, job: Callable[[SeenArchive], None]) -> None:
        with self._bell:
            self._jobs.append(job)
            self._bell.notify()

    def _run(self) -> None:
        try:
            archive = self._given.beside()
        except KlartoneError as error:
            self.failed.emit(error)
            return
        try:
            self._seen = archive.written()
            while True:
                with self._bell:
                    if not self._jobs and not self._ends and self._checking is None:
                        self._bell.wait(WATCH)
                    job = self._jobs.popleft() if self._jobs else None
                    if job is None and self._ends:
                        break
                self._guarded(lambda: self._look(archive))
                self._guarded(lambda job=job: job(archive) if job is not None else self._watch_over(archive))
            if self._open is not None:
                self._close(self._open)
        finally:
            archive.close()

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except KlartoneError as error:
            self.failed.emit(error)
        except Exception as error:  # noqa: BLE001 - the thread must outlive it: it takes away what may no longer be heard
            log_bug(log, error, "the review's shelf")

    def _page(self, archive: SeenArchive, watched: Watched, after: str | None, rows: int) -> None:
        found = archive.reviews.page(watched.query, after, rows)
        self._shown += self._known(found)
        self.paged.emit(watched.turn, found, False)

    def _known(self, found: SamplePage) -> list[str]:
        for row in found.rows:
            self._days.setdefault(row.time_zone, local_day(self._now(), row.time_zone))
        return [row.recording for row in found.rows]

    def _open_it(self, archive: SeenArchive, recording: str) -> None:
        items = self._watched.items if self._watched is not None else ()
        with ExitStack() as undone:
            try:
                reviewing = archive.reviews.open(recording, items)
                undone.callback(reviewing.close)
                said = reviewing.comments(), dict(reviewing.scores()), reviewing.shared
            except KlartoneError as error:
                self.refused.emit(recording, error)
                return
            undone.pop_all()
        self._open = reviewing
        self._watch.over(recording)
        self.opened.emit(Opened(reviewing, reviewing.reader, reviewing.row, *said, reviewing.reader.length))

    def _close(self, reviewing: Reviewing) -> None:
        if self._open is reviewing:
            self._open = None
            self._watch.let_go(reviewing.row.recording)
        reviewing.close()

    def _say(
        self, reviewing: Reviewing, action: Callable[[], object], tell: Callable[[bool], None] = lambda _done: None
    ) -> None:
        def do(_archive: SeenArchive) -> None:
            if reviewing is not self._open:
                return
            done = True
            try:
                action()
            except KlartoneError as error:
                # Refused because it is gone: report that, and nothing else.
                if not self._check_open():
                    return
                done = False
                self.failed.emit(error)
            tell(done)
            self.stored.emit(reviewing, Stored(reviewing.comments(), dict(reviewing.scores()), reviewing.shared))

        self._do(do)

    # --- what is no longer to be heard ----------------------------------------------------------

    def _watch_over(self, archive: SeenArchive) -> None:
        if self._checking is not None:
            if next(self._checking, True):
                self._checking = None
            return
        if self._changed:
            self._changed, self._news = False, True
            self._checking = self._check(archive, list(self._shown))
        if self._news and self._watched is not None and time.monotonic() - self._counted_at > NEWS:
            self._counted_at, self._news = time.monotonic(), False
            self._come_anew(archive, self._watched)
            self.changed.emit()

    def _look(self, archive: SeenArchive) -> None:
        """Whether somebody has written, or another day has begun in the zone of one of the calls."""
        seen = archive.written()
        days = {zone: local_day(self._now(), zone) for zone in self._days}
        self._changed = self._changed or seen != self._seen or days != self._days
        turned, self._seen, self._days = days != self._days, seen, days
        if turned:
            self.new_day.emit()

    def _open_gone(self, recording: str) -> None:
        """Reported at once; its state here goes when its turn comes."""
        self.gone.emit({recording})

        def forget(_archive: SeenArchive) -> None:
            self._forget({recording})
            self._news = True

        self._do(forget)

    def _check_open(self) -> bool:
        """Whether something is open that may still be heard."""
        if self._open is None:
            return False
        recording = self._open.row.recording
        try:
            still = self._open.still()
        except KlartoneError as error:
            # No answer is not a yes.
            self._watch.let_go(recording)
            self.unsure.emit(recording, error)
            return False
        if not still:
            self._gone({recording})
        return still

    def _check(self, archive: SeenArchive, shown: Sequence[str]) -> Iterator[None]:
        for at in range(0, len(shown), BATCH):
            batch = shown[at : at + BATCH]
            lost = set(batch) - set(archive.reviews.living(batch))
            if lost:
                self._gone(lost)
            yield

    def _gone(self, recordings: set[str]) -> None:
        self._forget(recordings)
        self._news = True
        self.gone.emit(recordings)

    def _forget(self, recordings: set[str]) -> None:
        self._shown = [one for one in self._shown if one not in recordings]

    def _come_anew(self, archive: SeenArchive, watched: Watched) -> None:
        """New recordings: they stand above those shown."""
        found = archive.reviews.page(watched.query, None, PAGE)
        known = set(self._shown[: 2 * PAGE])
        new = [row.recording for row in found.rows if row.recording not in known]
        if new and (not self._shown or len(new) < len(found.rows)):
            self._known(found)
            self._shown = new + self._shown
            self.paged.emit(watched.turn, found, True)
        elif new:
            # So many that those between them and the shown ones are not known.
            self.missed.emit(watched.turn)
