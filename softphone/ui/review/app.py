"""The review, running: asks the archive's worker and the sound for what the window wants, and draws their answers.

It holds no more of a recording than the open one, and how much of each was heard. When it goes, all of that goes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QWidget

from softphone.domain.archive.reviews import SampleFilter, SampleRow
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.domain.retention import has_expired
from softphone.texts import Texts
from softphone.ui.application import dress, ended_by_signals, make_application, system_language, translate_qt, wear_icon
from softphone.ui.controls import Change
from softphone.ui.note import announcement
from softphone.ui.review import words
from softphone.ui.review.browsing import SOON, Browsing
from softphone.ui.review.dependencies import Opened, ReviewDependencies, TeamLed
from softphone.ui.review.listening import Listening
from softphone.ui.review.undo import PendingErasure
from softphone.ui.review.window import ReviewWindow
from softphone.ui.review.work.archive_worker import ArchiveWorker
from softphone.ui.review.work.sound import Sound
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.scale import take_system_size
from softphone.ui.theme.tokens import Theme, load_themes
from softphone.ui.view import View
from softphone.wire.snapshot import Look


@dataclass(frozen=True, slots=True)
class NothingOpen:
    """Why nothing is open: the heading's code; the other codes derive from it."""

    code: str
    params: Mapping[str, object] | None = None


CHOOSE, STORES = NothingOpen("review.place.choose"), NothingOpen("review.place.storing")


class Review(QObject):
    """`.window`, `.shelf`, `.listening`; `.opened` is the recording that is open, or None."""

    def __init__(self, deps: ReviewDependencies) -> None:
        super().__init__()
        self._deps = deps
        self._icons = Icons(deps.icons)
        self._light, self._dark = load_themes(deps.themes)
        self._look = deps.settings.look
        self._theme: Theme | None = None
        self._language: Language | None = None
        self._texts: Texts | None = None
        take_system_size(0)  # its labels alone would grow, and be cut; QT_SCALE_FACTOR makes the whole window larger
        self._dress()
        self.window = ReviewWindow(agent=deps.agent)
        self.window.panel.house = self.window.detail.scores.house = deps.house
        self._place = CHOOSE
        self._wanted = ""
        """the recording that is being opened"""
        self._came = Change()
        """another recording was opened under the hand"""
        self._using: set[str] = set()
        """those that are being marked as reviewed"""
        self._unheard = ""
        """the recording whose warning that nothing of it was heard has been shown: another press counts it all the same"""
        self._unheard_said = Change()
        self._ails = ""
        """why not everything comes, as it was said"""
        self._slow = QTimer(self, singleShot=True, interval=SOON)
        """since something was asked for whose answer changes what is open"""
        self._keys = False
        self._closes = False
        """as soon as the comment's line is stored; asked again, all the same"""
        self.shelf: ArchiveWorker | None = None
        if deps.archive is not None:
            self.shelf = ArchiveWorker(deps.archive, deps.now, deps.time_zone)
        self.listening = Listening(self.window, self.shelf, deps.speaker, self.view)
        self.browsing = Browsing(deps, self.window, self.shelf, self.view, self._opened_id)
        self._connect()
        self.draw()

    def _connect(self) -> None:
        window = self.window
        if (shelf := self.shelf) is not None:
            shelf.opened.connect(self._take_opened)
            shelf.refused.connect(self._refused)
            shelf.reviewed.connect(self._reviewed)
            shelf.not_reviewed.connect(self._not_reviewed)
            shelf.gone.connect(self._gone)
            shelf.unsure.connect(self._unsure)
            shelf.failed.connect(self._failed)
            shelf.ails.connect(self._ail)
            shelf.new_day.connect(self._new_day)
        self.browsing.changed.connect(self._draw_both)
        self.listening.changed.connect(self._sound_changed)
        self.listening.announced.connect(self._announce)
        self._slow.timeout.connect(self._says_waiting)
        window.key.connect(self._key)
        window.team.connect(self._choose_team)
        window.look.connect(self._other_look)
        window.detail.keys.left.connect(lambda: self._show_keys(on=False))
        window.detail.comments.closed.connect(self._goes_on)
        window.undo.due.connect(self._erase)
        window.undo.undone.connect(self._undone)
        window.undo.counted.connect(self._show_leaving)
        window.holds = self._holds
        window.list.asked.connect(self.open_recording)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        wear_icon(self._deps.icons.parent)
        app.styleHints().colorSchemeChanged.connect(self.draw)

    @property
    def filter_counts(self) -> Mapping[SampleFilter, int]:
        """As the filters show them."""
        return self.browsing.counts

    @property
    def opened(self) -> Opened | None:
        return self.listening.opened

    def _opened_id(self) -> str:
        return self.opened.row.recording if self.opened is not None else ""

    @property
    def sound(self) -> Sound:
        return self.listening.sound

    # --- running --------------------------------------------------------------------------------

    def open(self) -> None:
        if self._deps.show:
            self.window.show()
        self.listening.start()
        if self.shelf is not None:
            self.shelf.start()
            self.browsing.begin()
        self.window.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def close(self) -> None:
        """Nothing of a recording is left; the threads have ended when this returns."""
        self._closes = True
        if self.window.detail.comments.unsaved:
            self.window.detail.comments.write()
        self.window.undo.carry_out()
        self._slow.stop()
        self._leave()
        # An archive that hangs keeps nobody before a window that does not answer.
        self.window.hide()
        self.browsing.stop()
        self.listening.stop()
        if self.shelf is not None:
            self.shelf.stop()
        self.window.close()

    # --- drawing --------------------------------------------------------------------------------

    def view(self) -> View:
        language = self._deps.settings.language or system_language()
        if self._texts is None or self._texts.language is not language:
            self._texts = Texts(self._deps.texts, language, self._deps.time_zone)
        return View(None, self._texts, self._theme or self._light, self._icons, self._deps.now(), connected=True)

    def _party(self, line: str | None, texts: Texts) -> str:
        word = self._deps.parties.get(line or "")
        return word[texts.language] if word is not None else texts("party.default")

    def draw(self) -> None:
        self._dress()
        view, window, texts = self.view(), self.window, self.view().texts
        if texts.language is not self._language:
            self._language = texts.language
            translate_qt(texts.language)
        title = texts("review.title.shared" if self._deps.agent else "review.title")
        window.heading.setText(title)
        window.heading.setFixedWidth(window.heading.fontMetrics().horizontalAdvance(window.heading.text()) + 4)
        window.setWindowTitle(f"{title} – Klartone")
        several = len(self._deps.teams) > 1
        team = self._name(self.browsing.team, texts)
        about = texts("review.about") if several or not team else texts("review.about.team", team=team)
        window.about.setText(texts("review.about.shared") if self._deps.agent else about)
        window.teams.setVisible(several)
        window.teams.setAccessibleName(texts("review.team"))
        window.teams.show_entries(
            view,
            [(self._name(one, texts), one.id) for one in self._deps.teams],
            self.browsing.team.id if self.browsing.team is not None else None,
        )
        dark = view.theme.dark
        window.look_button.show_as(
            view, "", icon="sun" if dark else "moon", name=texts("look.to_light" if dark else "look.to_dark")
        )
        window.keys_button.set_keys("?")
        window.keys_button.show_as(view, "", icon="keyboard", name=texts("review.keys"))
        window.show_search(view)
        window.note.close_button.show_as(view, "", icon="close", name=texts("note.close"))
        window.panel.render_view(view)
        window.undo.render_view(view)
        self._draw_both()

    def _draw_both(self) -> None:
        view = self.view()
        self.browsing.render_view(view)
        self._draw_detail(view)

    def _name(self, team: TeamLed | None, texts: Texts) -> str:
        return team.name[texts.language] if team is not None and team.name is not None else ""

    def _draw_detail(self, view: View) -> None:
        detail, texts = self.window.detail, view.texts
        row = self.opened.row if self.opened is not None else None
        place = self._place_now()
        params = place.params or {}
        detail.place.show_words(texts(place.code, **params), texts(f"{place.code}.more", **params))
        shown: QWidget = detail.keys if self._keys else detail.open_page if row is not None else detail.place
        party = self._party(row.line if row is not None else None, texts)
        line = self.browsing.line_name(row.line) if row is not None else ""
        can_next, unheard = (
            self.browsing.next_row(self._using) is not None,
            row is not None and row.recording == self._unheard,
        )
        others = self.opened.others if self.opened is not None else ()
        detail.render_view(view, row, line, party, can_next=can_next, unheard=unheard, shown=shown, others=others)
        for widget in (detail.foot, detail.next_button):
            widget.setVisible(self.shelf is not None)
        detail.reviewed_button.setVisible(self.shelf is not None and not self._deps.agent)
        if row is not None:
            self.listening.render_view(view)

    def _place_now(self) -> NothingOpen:
        if self._deps.refusal is not None:
            return NothingOpen(self._deps.refusal.code, self._deps.refusal.params)
        soon = self._slow.isActive()
        if self._wanted and not soon:
            return NothingOpen("review.place.opening")
        place = CHOOSE if self._place == STORES and soon else self._place
        counted = self.browsing.counts.get(SampleFilter.ALL)
        if place == CHOOSE and counted is not None:
            if not counted and not self.browsing.search:
                return NothingOpen("review.place.empty.shared" if self._deps.agent else "review.place.empty")
            if self._deps.agent:
                return NothingOpen("review.place.choose.shared")
            if not self.browsing.counts[SampleFilter.WAITING] and not self.browsing.search:
                return NothingOpen("review.place.done")
        return place

    def _dress(self) -> None:
        dark = self._look is Look.DARK
        if self._look is Look.SYSTEM:
            app = QApplication.instance()
            assert isinstance(app, QApplication)
            dark = app.styleHints().colorScheme() is Qt.ColorScheme.Dark
        theme = self._dark if dark else self._light
        if theme is not self._theme:
            self._theme = theme
            dress(theme)

    # --- the team and the day -------------------------------------------------------------------

    def _new_day(self) -> None:
        """One day fewer is left of each row."""
        self.browsing.new_day()
        self.draw()

    def _choose_team(self, id: str) -> None:
        team = next(one for one in self._deps.teams if one.id == id)
        if team is not self.browsing.team:
            self.listening.when_stored(partial(self._lead, team))
        self.draw()

    def _lead(self, team: TeamLed) -> None:
        self._leave()
        self._place = CHOOSE
        self.browsing.lead(team)
        self.draw()

    # --- opening and letting go -----------------------------------------------------------------

    def open_recording(self, recording: str) -> None:
        if self.shelf is None or recording == self._wanted:
            return
        if self.opened is not None and recording == self.opened.row.recording:
            return
        if (waits := self.window.undo.waits) is not None and waits.recording == recording:
            self.window.undo.undo()
            return
        self.listening.when_stored(partial(self._open, self.shelf, recording))

    def _open(self, shelf: ArchiveWorker, recording: str) -> None:
        self._leave()
        self._wanted = recording
        self._slow.start()
        shelf.open(recording)

    def _says_waiting(self) -> None:
        if self.opened is None and (self._wanted or self._place == STORES):
            self.draw()
            self._announce(self._told_place())

    def _open_next(self) -> None:
        row = self.browsing.next_row(self._using)
        if row is not None:
            index = self.window.model.index(row)
            self.window.list.setCurrentIndex(index)
            self.open_recording(self.window.model.rows[row].recording)

    def _take_opened(self, opened: Opened) -> None:
        if opened.row.recording != self._wanted:
            assert self.shelf is not None
            self.shelf.close(opened.number)
            return
        self._wanted = ""
        self._closes = False
        self._came.happened()
        self._show_keys(on=False)
        self.listening.take(opened, self.browsing.team.card if self.browsing.team is not None else ())
        self.draw()
        window = self.window
        self._announce(f"{window.detail.title.accessibleName()}. {window.detail.until.text()}")

    def _leave(self, then: Callable[[], None] | None = None, *, for_now: bool = False) -> None:
        """`for_now`: what is being written of it is there again with it."""
        self._wanted = self._unheard = ""
        self.listening.let_go(then, for_now=for_now)

    def _take_away(self, recordings: Collection[str]) -> None:
        if (waits := self.window.undo.waits) is not None and waits.recording in recordings:
            self.window.undo.forget()
            self._show_leaving()
        self.listening.forget(recordings)
        self.browsing.drop(recordings)

    def _gone(self, recordings: set[str]) -> None:
        opened = self.opened
        if self._using & recordings:
            # It went before it could be counted.
            self._using -= recordings
            self._place = NothingOpen("review.place.gone")
        if opened is not None and opened.row.recording in recordings:
            on = opened.row.expires_on
            expired = on is not None and has_expired(on, self._deps.now(), opened.row.time_zone)
            self._leave()
            self._place = NothingOpen("review.place.expired" if expired else "review.place.gone")
            self._take_away(recordings)
            self.draw()
            self.window.list.setFocus(Qt.FocusReason.OtherFocusReason)
            self._announce(self._told_place())
            return
        self._take_away(recordings)
        self.draw()

    def _unsure(self, recording: str, error: KlartoneError | None) -> None:
        """Silent, since its permission is not known; it keeps its place in the list."""
        if self.opened is None or self.opened.row.recording != recording:
            return
        self._leave(for_now=True)
        if error is not None and error.code == "error.archive.policy_unsigned":
            self._place = NothingOpen("review.place.unsigned", error.params)
        else:
            texts = self.view().texts
            why = [texts.error(error)] if error else []
            kept = [texts("review.place.unsure.kept")] if self.listening.keeps(recording) else []
            self._place = NothingOpen("review.place.unsure", {"why": " ".join([*why, *kept])})
        self.draw()
        if self._ails and self._ails in self.window.detail.place.more.text():
            self.window.note.hide()
        self.window.list.setFocus(Qt.FocusReason.OtherFocusReason)
        self._announce(self._told_place())

    def _refused(self, recording: str, error: KlartoneError) -> None:
        """It went before it could be opened, or something is wrong with it."""
        if recording != self._wanted:
            return
        self._wanted = ""
        if error.code == "error.archive.closed_to_role":
            self._place = NothingOpen("review.place.gone")
            self._take_away([recording])
        else:
            self._place = NothingOpen("review.place.refused", {"why": self.view().texts.error(error)})
        self.draw()
        self._announce(self._told_place())

    def _told_place(self) -> str:
        place = self.window.detail.place
        return f"{place.heading.text()} {place.more.text()}"

    def _reviewed(self, recording: str, row: SampleRow | None) -> None:
        """The next one opens, unless another has been asked for since."""
        model = self.window.model
        self._using.discard(recording)
        self.listening.forget([recording])
        self.browsing.recount(SampleFilter.WAITING, -1)
        self.browsing.recount(SampleFilter.REVIEWED if row else SampleFilter.ALL, 1 if row else -1)
        if row is None or self.browsing.shown is SampleFilter.WAITING:
            model.drop([recording])
        else:
            model.renew(row)
        self._place = STORES if self._using else NothingOpen("review.place.reviewed" if row else "review.place.used")
        self.draw()
        if self.opened is None and not self._wanted:
            self._open_next()
            if not self._wanted:
                self._announce(self._told_place())

    def _not_reviewed(self, recording: str) -> None:
        """It could not be stored: it is there again as before."""
        if recording in self._using:
            self._using.discard(recording)
            if self.opened is None and not self._wanted:
                self.open_recording(recording)

    def _failed(self, error: KlartoneError) -> None:
        texts = self.view().texts
        text = texts.error(error)
        self.window.note.say(f"{text} {texts('review.close_again')}" if self._closes else text)

    def _ail(self, error: KlartoneError | None) -> None:
        """Once, and where it is not said already; it goes when all comes again."""
        note, before = self.window.note, self._ails
        self._ails = self.view().texts.error(error) if error is not None else ""
        if error is None:
            if note.text.text() == before:
                note.hide()
        elif self._ails not in self.window.detail.place.more.text() and not (
            note.isVisible() and note.text.text() == self._ails
        ):
            note.say(self._ails)

    def _holds(self) -> bool:
        """Whether the window stays open for now: the comment's line is stored first, and that one is lost is said once."""
        lost = self.listening.keeps_any
        if self._closes or not (lost or (self.opened is not None and self.window.detail.comments.unsaved)):
            return False
        self._closes = True
        if lost:
            self.window.note.say(self.view().texts("review.close_again"))
        else:
            self.listening.when_stored(self.window.close)
        return True

    def _goes_on(self) -> None:
        self._closes = False

    def _sound_changed(self) -> None:
        if self.sound.playing:
            self._unheard = ""
        if self.opened is not None:
            self._draw_detail(self.view())
        self.listening.count()

    def _announce(self, sentence: str) -> None:
        QAccessible.updateAccessibility(announcement(self.window, sentence))

    # --- keys and buttons -----------------------------------------------------------------------

    def _key(self, what: str) -> None:
        if what == "keys" or self._keys:
            # While they are shown, any key closes them and does nothing else.
            self._show_keys(on=not self._keys)
        elif what == "escape" and self.window.detail.comments.writing:
            self.window.detail.comments.leave()
        elif what == "escape":
            if self.window.search.hasFocus():
                self.window.search.clear()
                self.browsing.find("")
            self.window.list.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif what in ("next", "reviewed") and (self._came.is_fresh or self._unheard_said.is_fresh):
            # The second press of two was meant for the one before; this one nobody has heard.
            return
        elif self._deps.agent and what in ("reviewed", "undo", "filter", "share"):
            return
        elif what == "next":
            self._open_next()
        elif what == "reviewed":
            self._review()
        elif what == "undo":
            self.window.undo.undo()
        elif what == "filter":
            self.browsing.show_following()
            self._announce(self.view().texts(f"review.filter.{self.browsing.shown}"))
        else:
            self.listening.key(what)
            self.draw()

    def _show_keys(self, *, on: bool) -> None:
        """With the focus in them, so that they can be read aloud."""
        if on == self._keys:
            return
        keys, self._keys = self.window.detail.keys, on
        focused = keys.hasFocus()
        self.draw()
        if on:
            keys.setFocus(Qt.FocusReason.OtherFocusReason)
            self._announce(f"{keys.accessibleName()}. {keys.accessibleDescription()}")
        elif focused:
            self.window.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _review(self) -> None:
        opened, shelf = self.opened, self.shelf
        if opened is None or opened.row.reviewed_at is not None or shelf is None:
            return
        if self.listening.is_heard or opened.row.recording == self._unheard:
            self.listening.when_stored(partial(self._use, shelf, opened))
            return
        self._unheard = opened.row.recording
        self._unheard_said.happened()
        self.draw()
        self._announce(self.window.detail.foot.text())

    def _use(self, shelf: ArchiveWorker, opened: Opened) -> None:
        heard, row = self.listening.heard, opened.row
        if not row.kept_reviewed:
            self._leave()
            self._wait_to_erase(PendingErasure(row.recording, heard, self._who(row)))
            return
        self._leave(lambda: shelf.review(opened.number, heard))
        self._using.add(row.recording)
        self._stores()
        self.draw()

    def _stores(self) -> None:
        """To be said if it takes long, until there is something else to say."""
        self._place = STORES
        self._slow.start()

    # --- erased by being reviewed, unless it is undone -------------------------------------------

    def _wait_to_erase(self, waits: PendingErasure) -> None:
        """It is closed and silent, and stands in its row; the next one opens."""
        undo = self.window.undo
        undo.begin(waits)
        self._place = NothingOpen("review.place.undo")
        self.draw()
        self._announce(f"{undo.words.text()} {self.view().texts('review.undo.key')}")
        self._open_next()

    def _who(self, row: SampleRow) -> str:
        texts = self.view().texts
        agent = words.agent_name(row.agent) if row.agent else texts("review.no_agent")
        return f"{agent}, {words.when(texts, row, self._deps.now())}"

    def _show_leaving(self) -> None:
        undo, texts = self.window.undo, self.view().texts
        text = texts("review.row.leaving", count=undo.seconds) if undo.waits else ""
        self.window.model.show_leaving(undo.waits.recording if undo.waits else "", text)

    def _erase(self, waits: PendingErasure) -> None:
        self._show_leaving()
        if self.shelf is not None:
            self._using.add(waits.recording)
            if self._place.code == "review.place.undo":
                self._stores()
            self.shelf.use_up(waits.recording, waits.heard)

    def _undone(self, waits: PendingErasure) -> None:
        """Open again as it was; it still waits to be reviewed."""
        self._show_leaving()
        self._announce(self.view().texts("review.undo.done", who=waits.who))
        self.open_recording(waits.recording)

    def _other_look(self) -> None:
        self._look = Look.LIGHT if self.view().theme.dark else Look.DARK
        self.draw()


def run_review(deps: ReviewDependencies) -> int:
    """Until its window is closed, or SIGINT or SIGTERM comes: then it returns 128 and the signal's number."""
    app = make_application()
    # Seconds that the window waits for a computing thread: its own turns must stay short.
    sys.setswitchinterval(0.001)
    with ended_by_signals(app):
        review = Review(deps)
        review.window.closed.connect(app.quit)
        review.open()
        code = app.exec()
        review.close()
    return code
