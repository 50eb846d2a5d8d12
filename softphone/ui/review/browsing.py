"""What the list shows: one team's recordings, by a filter and a search, with their counts.

It opens nothing and marks nothing. It asks the archive's worker and keeps the list true to what was counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from softphone.domain.archive.reviews import Figures, SampleFilter, SamplePage, SampleQuery
from softphone.ui.review import words
from softphone.ui.review.dependencies import ReviewDependencies, TeamLed, Watched
from softphone.ui.review.window import ReviewWindow
from softphone.ui.review.work.archive_worker import ArchiveWorker
from softphone.ui.view import View

SOON = 400
"""ms in which an archive answers as a rule: until then nothing is said of waiting"""
_AGAIN = 500
"""ms between two counts that do not agree with the list"""


class Browsing(QObject):
    """`.team`, `.shown`, `.search`, `.counts` as the filters show them. changed(): draw anew."""

    changed = Signal()

    def __init__(
        self,
        deps: ReviewDependencies,
        window: ReviewWindow,
        shelf: ArchiveWorker | None,
        view: Callable[[], View],
        opened: Callable[[], str],
    ) -> None:
        """opened(): the id of the recording that is open, or ''."""
        super().__init__()
        self._deps, self._window, self._shelf, self._view, self._opened = deps, window, shelf, view, opened
        self.team: TeamLed | None = deps.teams[0] if deps.teams else None
        self.shown, self.search = SampleFilter.ALL if deps.agent else SampleFilter.WAITING, ""
        self.counts: Mapping[SampleFilter, int] = {}
        self._watched: Watched | None = None
        self._turn = 0
        self._again = ""
        """the row to be found in the new list"""
        self._slow = QTimer(self, singleShot=True, interval=SOON)
        """since the list was asked for"""
        self._slow.timeout.connect(self.changed)
        self._differed: tuple[int, int] | None = None
        self._begun_for: tuple[int, int] | None = None
        """rows shown, and counted"""
        window.searched.connect(self.find)
        window.shown.connect(self.show_only)
        window.model.wanted.connect(self._more)
        if shelf is not None:
            shelf.paged.connect(self._take_page)
            shelf.missed.connect(self._missed)
            shelf.changed.connect(self._count)
            shelf.counted.connect(self._take_counts)
            shelf.figured.connect(self._take_figures)

    def line_name(self, line: str | None) -> str:
        name = self._deps.lines.get(line or "")
        return name[self._view().texts.language] if name is not None else line or ""

    # --- which ones -----------------------------------------------------------------------------

    def find(self, typed: str) -> None:
        if typed.strip() != self.search:
            self.search = typed.strip()
            self.begin()

    def show_only(self, shown: SampleFilter) -> None:
        if shown is not self.shown:
            self.shown = shown
            self.begin()
        self.changed.emit()

    def show_following(self) -> None:
        """Waiting, reviewed, all, and then again."""
        all_of = list(SampleFilter)
        self.show_only(all_of[(all_of.index(self.shown) + 1) % len(all_of)])

    def lead(self, team: TeamLed) -> None:
        self.team, self.counts, self._window.panel.figures = team, {}, None
        self.begin()

    def new_day(self) -> None:
        """A search for today means another day now."""
        if self.search:
            self._missed(self._turn)

    def begin(self) -> None:
        """Another list, from its beginning."""
        if self._shelf is None or self.team is None:
            return
        team = self.team
        found = words.searched(self.search, self._view().texts, self._deps.now(), self._deps.time_zone)
        named = tuple(line for line in self._deps.lines if found.agent and found.agent in self.line_name(line).lower())
        query = SampleQuery(team.lines, team.agents, self.shown, found.agent, found.since, found.until, named)
        self._turn += 1
        self._again = ""
        items = tuple((item.id, item.points) for item in team.card)
        self._watched = Watched(self._turn, query, team.capacity, items)
        self._window.model.begin()
        self._slow.start()
        self._shelf.watch(self._watched)
        self._count()

    def stop(self) -> None:
        """What the archive answers from now on is for nobody."""
        self._watched = None

    # --- what comes ----------------------------------------------------------------------------

    def _count(self) -> None:
        if self._shelf is not None and self._watched is not None:
            self._shelf.count(self._watched)

    def _more(self, after: str) -> None:
        if self._shelf is not None and self._watched is not None:
            self._shelf.more(self._watched, after)

    def _take_page(self, turn: int, page: SamplePage, new: bool) -> None:
        if self._watched is None or turn != self._watched.turn:
            return
        model = self._window.model
        begins = not model.rows
        (model.take_new if new else model.take)(page)
        if begins and not model.rows:
            self.changed.emit()
        elif begins:
            here = self._again or self._opened()
            self._window.list.setCurrentIndex(model.index(model.find(here) or 0))
            self.changed.emit()
        self._window.list.look_ahead()

    def _take_counts(self, turn: int, counts: Mapping[SampleFilter, int]) -> None:
        if self._watched is not None and turn == self._watched.turn:
            self.counts = counts
            self.changed.emit()
            self._compare(counts)

    def _compare(self, counts: Mapping[SampleFilter, int]) -> None:
        """A complete list that twice in a row has other rows than were counted lacks some: it begins anew.

        Once for each such pair of numbers, since they are counted at different moments.
        """
        model = self._window.model
        differ = (len(model.rows), counts[self.shown]) if model.whole else None
        if differ is None or differ[0] == differ[1]:
            self._differed = None
        elif differ == self._differed:
            self._missed(self._turn)
        elif differ != self._begun_for:
            self._differed = differ
            QTimer.singleShot(_AGAIN, self._count)

    def _missed(self, turn: int) -> None:
        """The list from its beginning, with the same row selected."""
        if turn != self._turn:
            return
        self._begun_for, self._differed = self._differed, None
        index = self._window.list.currentIndex().row()
        rows = self._window.model.rows
        again = rows[index].recording if 0 <= index < len(rows) else ""
        self.begin()
        self._again = again

    def _take_figures(self, turn: int, figures: Figures) -> None:
        if self._watched is not None and turn == self._watched.turn:
            self._window.panel.figures = figures
            self._window.panel.render_view(self._view())

    # --- its rows ------------------------------------------------------------------------------

    def next_row(self, taken: Collection[str]) -> int | None:
        """The row that *next* opens: waiting, not open, and none of those `taken`."""
        model, opened = self._window.model, self._opened()
        here = model.find(opened) if opened else None
        if here is None:
            current = self._window.list.currentIndex().row()
            here = current - 1 if current >= 0 else -1
        found = model.next_waiting(here, taken)
        return None if found is None or model.rows[found].recording == opened else found

    def drop(self, recordings: Collection[str]) -> None:
        for row in self._window.model.drop(recordings):
            self.recount(SampleFilter.REVIEWED if row.reviewed_at else SampleFilter.WAITING, -1)
            self.recount(SampleFilter.ALL, -1)

    def recount(self, shown: SampleFilter, more: int) -> None:
        """A visible change need not wait until all are counted anew."""
        if shown in self.counts:
            self.counts = {**self.counts, shown: max(0, self.counts[shown] + more)}
        panel = self._window.panel
        if shown is SampleFilter.WAITING and panel.figures is not None:
            panel.figures = replace(panel.figures, waiting=max(0, panel.figures.waiting + more))

    def render_view(self, view: View) -> None:
        window, texts = self._window, view.texts
        for shown, pill in window.filters.items():
            count = self.counts.get(shown)
            pill.setChecked(shown is self.shown)
            text = texts(f"review.filter.{shown}")
            pill.show_as(view, text if count is None or shown is SampleFilter.ALL else f"{text} {count}", means=text)
        window.list.render_view(view, self.line_name)
        nothing = "shared" if self._deps.agent else self.shown
        code = "review.empty.found" if self.search else f"review.empty.{nothing}"
        window.empty.setText(texts(code if window.model.whole else "review.list.fetching"))
        waits = window.model.whole or not self._slow.isActive()
        window.empty.setVisible(waits and not window.model.rows and self._shelf is not None)
        window.list_card.setVisible(self._shelf is not None)
        window.panel.setVisible(self._shelf is not None and not self._deps.agent)
        window.search.setEnabled(self._shelf is not None)
