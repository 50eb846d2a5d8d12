"""The catalog's side of the review, on a thread of its own: pages, opening a recording, storing what is said of it.

It also watches the catalog's files and the day for recordings that may no longer be heard, and reports them at once (`watch`
does so for the open one). It knows no widget and no sound.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime

from PySide6.QtCore import Signal

from softphone.domain.archive.interface import Reviewing, SeenArchive
from softphone.domain.archive.reviews import Comment, SamplePage, SampleRow
from softphone.domain.errors import KlartoneError
from softphone.domain.retention import local_day
from softphone.ui.review.dependencies import Opened, Stored, Watched
from softphone.ui.review.work.count_worker import CountWorker
from softphone.ui.review.work.erasure_watch import ErasureWatch
from softphone.ui.review.work.thread import ArchiveThread

PAGE, MORE = 200, 1_000
"""rows of a list's first page, which is waited for, and of each later one"""
BATCH = 400
"""recordings asked about at a time"""
NEWS = 2.0
"""seconds between two counts, however much changes, and between two attempts where something does not come"""
OTHERS = 5.0
"""seconds between two looks at who else has the open one open, where several may"""


class ArchiveWorker(ArchiveThread):
    """Signals:

    - paged(turn, SamplePage, at_the_top): `at_the_top` are rows that came anew; missed(turn): the list lacks rows, and must
      begin anew
    - opened(Opened); refused(recording, KlartoneError)
    - stored(opening's number, Stored): after each attempt to store something; commented(its number, it could): after a comment
    - reread(opening's number, Stored): somebody else may have said something of it
    - reviewed(recording, its SampleRow, or None if it went with that); not_reviewed(recording): it could not be stored
    - gone(recordings); unsure(recording, KlartoneError or None): it is not known whether the open one may be heard
    - counted(turn, mapping of Shown), figured(turn, Figures)
    - changed(): something must be counted anew; new_day(): days have changed their names
    - ails(KlartoneError, or None: it answers again): what nobody asked for does not come; told once
    """

    paged = Signal(int, object, bool)
    opened = Signal(object)
    refused = Signal(str, object)
    missed = Signal(int)
    stored = Signal(int, object)
    reread = Signal(int, object)
    commented = Signal(int, bool)
    reviewed = Signal(str, object)
    not_reviewed = Signal(str)
    gone = Signal(object)
    unsure = Signal(str, object)
    changed = Signal()
    new_day = Signal()
    counted = Signal(int, object)
    figured = Signal(int, object)
    ails = Signal(object)

    def __init__(self, archive: SeenArchive, now: Callable[[], datetime], time_zone: str) -> None:
        """`time_zone`: the reader's own; each call has one as well."""
        super().__init__("review-shelf", archive)
        self._now = now
        self._watched: Watched | None = None
        self._shown: list[str] = []
        self._openings: dict[int, Reviewing] = {}
        """by their numbers, until nothing reads them any more"""
        self._number = 0
        """of the one that is open; 0 where none is"""
        self._numbers = itertools.count(1)
        self._seen: object = None
        self._days: dict[str, date] = {time_zone: local_day(now(), time_zone)}
        """in each time zone that is shown"""
        self._checking: Iterator[None] | None = None
        self._counted_at = self._looked_at = self._reread_at = 0.0
        self._news = self._changed = self._reread = False
        self._begun = True
        """the list's first page has come"""
        self._ailing: dict[str, KlartoneError] = {}
        """by the question: why it is not answered; the one that began first is told"""
        self._told = ""
        self._watch = ErasureWatch(archive)
        self._watch.gone.connect(self._open_gone)
        self._watch.unsure.connect(self.unsure)
        self._counting = CountWorker(archive)
        self._counting.counted.connect(self.counted)
        self._counting.figured.connect(self.figured)

    def start(self) -> None:
        super().start()
        self._watch.start()
        self._counting.start()

    def stop(self, until: float | None = None) -> None:
        """Pending requests are carried out first, and the open recording closed. All three threads end at once."""
        until = until or time.monotonic() + self.waits
        self._watch.end_soon()
        self._counting.end_soon()
        super().stop(until)
        self._watch.stop(until)
        self._counting.stop(until)

    # --- what the window asks -------------------------------------------------------------------

    def watch(self, watched: Watched) -> None:
        """Another list: its first page comes."""

        def begin(archive: SeenArchive) -> None:
            self._watched, self._shown, self._checking, self._begun = watched, [], None, False
            with self._asking("page"):
                self._page(archive, watched, None, PAGE)

        self._ask(begin)

    def count(self, watched: Watched) -> None:
        """How many there are of each, when they are counted."""
        self._counting.count(watched)

    def more(self, watched: Watched, after: str | None) -> None:
        def go_on(archive: SeenArchive) -> None:
            if watched is self._watched:
                self._page(archive, watched, after, MORE)

        self._ask(go_on)

    def open(self, recording: str) -> None:
        self._ask(lambda archive: self._open_it(archive, recording))

    def close(self, number: int) -> None:
        """Once nothing reads it any more."""
        self._ask(lambda _archive: self._close(number))

    def comment(self, number: int, sample: int, text: str) -> None:
        self._say(number, lambda it: it.comment(sample, text), lambda done: self.commented.emit(number, done))

    def remove(self, number: int, comment: Comment) -> None:
        self._say(number, lambda it: it.remove(comment.id))

    def score(self, number: int, item: str, points: int) -> None:
        self._say(number, lambda it: it.score(item, points))

    def share(self, number: int, *, on: bool) -> None:
        self._say(number, lambda it: it.share(on))

    def review(self, number: int, heard: int) -> None:
        """It counts as used, and is closed: nothing may read it any more. `heard`: seconds of it."""

        def use(archive: SeenArchive) -> None:
            row = self._openings[number].row
            # A recording that ends because it was used is not gone.
            self._watch.let_go(row.recording)
            try:
                used = self._mark(archive, row.recording, heard)
            finally:
                self._close(number)
            if used:
                self._used(archive, row.recording, replace(row, reviewed_at=self._now()))

        self._ask(use)

    def use_up(self, recording: str, heard: int) -> None:
        """As `review`, for one that is no longer open."""

        def use(archive: SeenArchive) -> None:
            if self._mark(archive, recording, heard):
                self._used(archive, recording, None)

        self._ask(use)

    # --- on its thread --------------------------------------------------------------------------

    def _mark(self, archive: SeenArchive, recording: str, heard: int) -> bool:
        """False where it went before. Raises KlartoneError."""
        try:
            archive.reviews.mark(recording, heard=heard)
        except KlartoneError:
            gone = False
            with suppress(KlartoneError):  # no answer does not mean that it is gone
                gone = not archive.reviews.still(recording)
            if not gone:
                self.not_reviewed.emit(recording)
                raise
            self._gone({recording})
            return False
        return True

    def _used(self, archive: SeenArchive, recording: str, row: SampleRow | None) -> None:
        """It is stored. `row`: as it is told where the archive does not answer any more; all is looked at anew then."""
        try:
            row = archive.reviews.row(recording)
        except KlartoneError:
            self._changed = True
        if row is None:
            self._forget({recording})
        self.reviewed.emit(recording, row)
        self._news = True

    def _patience(self) -> float:
        return 0 if self._checking is not None and "written" not in self._ailing else self.archive.looks

    def _before_each(self) -> None:
        """Whether somebody has written, or another day has begun where one of the calls was."""
        if time.monotonic() - self._looked_at < self.archive.looks:
            return
        seen = self._seen
        with self._asking("written"):
            seen = self.archive.written()
        self._looked_at = time.monotonic()
        if "written" in self._ailing:
            return
        days = {zone: local_day(self._now(), zone) for zone in self._days}
        other = self._seen is not None and seen != self._seen
        self._changed = self._changed or other or days != self._days
        turned, self._seen, self._days = days != self._days, seen, days
        if turned:
            self.new_day.emit()

    @contextmanager
    def _asking(self, question: str) -> Generator[None]:
        """For what nobody waits for: it is asked again until it is answered."""
        try:
            yield
        except KlartoneError as error:
            self._ail(question, error)
        else:
            self._ail(question, None)

    def _ail(self, question: str, error: KlartoneError | None) -> None:
        if error is not None:
            self._ailing[question] = error.with_traceback(None)  # which would hold this worker in a circle
        else:
            self._ailing.pop(question, None)
        first = next(iter(self._ailing.values()), None)
        code: str = first.code if first is not None else ""
        if code != self._told:
            self._told = code
            self.ails.emit(first)

    def _between(self) -> None:
        """Nothing more is asked of an archive that does not even say whether somebody has written."""
        self._ail("counts", self._counting.ailing)
        if "written" not in self._ailing:
            self._look_on(self.archive)

    def _look_on(self, archive: SeenArchive) -> None:
        if self._checking is not None:
            if next(self._checking, True):
                self._checking = None
            return
        rested = time.monotonic() - self._counted_at > NEWS
        if self._changed or (self._ailing and rested):
            self._changed, self._news, self._reread = False, True, True
            self._checking = self._check(archive, list(self._shown))
        if self._news and self._watched is not None and rested:
            self._counted_at, self._news = time.monotonic(), False
            with self._asking("page"):
                if self._begun:
                    self._come_anew(archive, self._watched)
                else:
                    self._page(archive, self._watched, None, PAGE)
            self.changed.emit()

        if self._number and (self._reread or time.monotonic() - self._reread_at > OTHERS):
            self._reread, self._reread_at = False, time.monotonic()
            self._read_anew(self._number)

    def _read_anew(self, number: int) -> None:
        """What others have said of the open one; where it may not be heard any more, the watch tells that."""
        with suppress(KlartoneError):
            self.reread.emit(number, _stored(self._openings[number]))

    def _end(self) -> None:
        for number in [*self._openings]:
            self._guarded(lambda number=number: self._close(number))
        super()._end()

    def _page(self, archive: SeenArchive, watched: Watched, after: str | None, rows: int) -> None:
        found = archive.reviews.page(watched.query, after, rows)
        self._begun = True
        self._shown += self._known(found)
        self.paged.emit(watched.turn, found, False)

    def _known(self, found: SamplePage) -> list[str]:
        for row in found.rows:
            self._days.setdefault(row.time_zone, local_day(self._now(), row.time_zone))
        return [row.recording for row in found.rows]

    def _open_it(self, archive: SeenArchive, recording: str) -> None:
        items = self._watched.items if self._watched is not None else ()
        try:
            with ExitStack() as undone:
                reviewing = archive.reviews.open(recording, items)
                undone.callback(reviewing.close)
                said = _stored(reviewing)
                undone.pop_all()
        except KlartoneError as error:
            self.refused.emit(recording, error)
            return
        number = self._number = next(self._numbers)
        self._openings[number] = reviewing
        self._watch.over(recording)
        self._reread_at = time.monotonic()
        length, saying = reviewing.reader.length, (said.comments, said.scores, said.shared)
        self.opened.emit(Opened(number, reviewing.reader, reviewing.row, *saying, length, said.others))

    def _close(self, number: int) -> None:
        reviewing = self._openings.pop(number, None)
        if reviewing is None:
            return
        if number == self._number:
            self._number = 0
            self._watch.let_go(reviewing.row.recording)
        reviewing.close()

    def _say(
        self, number: int, action: Callable[[Reviewing], object], tell: Callable[[bool], None] = lambda _done: None
    ) -> None:
        def do(archive: SeenArchive) -> None:
            if number != self._number:
                return
            reviewing, done = self._openings[number], True
            try:
                action(reviewing)
            except KlartoneError as error:
                # Refused because it is gone: report that, and nothing else.
                if not self._check_open(archive):
                    return
                done = False
                self.failed.emit(error)
            tell(done)
            self.stored.emit(number, _stored(reviewing))

        self._ask(do)

    # --- what is no longer to be heard ----------------------------------------------------------

    def _open_gone(self, recording: str) -> None:
        """Reported at once; its state here goes when its turn comes."""
        self.gone.emit({recording})

        def forget(_archive: SeenArchive) -> None:
            self._forget({recording})
            self._news = True

        self._ask(forget)

    def _check_open(self, archive: SeenArchive) -> bool:
        """Whether something is open that may still be heard."""
        if not self._number:
            return False
        recording = self._openings[self._number].row.recording
        try:
            still = archive.reviews.still(recording)
        except KlartoneError as error:
            # No answer is not a yes.
            self._watch.let_go(recording)
            self.unsure.emit(recording, error)
            return False
        if not still:
            self._gone({recording})
        return still

    def _check(self, archive: SeenArchive, shown: Sequence[str]) -> Iterator[None]:
        with self._asking("living"):
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


def _stored(reviewing: Reviewing) -> Stored:
    """As it stands now. Raises KlartoneError."""
    return Stored(reviewing.comments(), dict(reviewing.scores()), reviewing.shared, reviewing.others())
