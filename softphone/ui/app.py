"""Starting and running the desk: one application, one bridge, one window. What it needs comes from the bootstrap."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from PySide6.QtCore import (
    QObject,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtWidgets import QApplication

from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.domain.status import InformedPhase
from softphone.texts import Texts
from softphone.ui.application import (
    Application,
    dress,
    ended_by_signals,
    make_application,
    system_language,
    translate_qt,
    wear_icon,
)
from softphone.ui.bridge import Bridge
from softphone.ui.dependencies import DeskDependencies
from softphone.ui.incoming import IncomingWindow
from softphone.ui.kept_typing import KeptTyping
from softphone.ui.leaving import LeavingDesk, Standing
from softphone.ui.levels import LevelsWatch
from softphone.ui.links import Links
from softphone.ui.note_field import NoteField
from softphone.ui.owed import Owed
from softphone.ui.place import remember, restore
from softphone.ui.settings.jobs import SettingsJobs
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.tokens import Theme, load_themes
from softphone.ui.tray import Tray
from softphone.ui.unsaved_notes import UnsavedNotes
from softphone.ui.view import View, new_id, readable_target, say_coded
from softphone.ui.window import DeskWindow
from softphone.wire.from_engine import Done, Fault, Levels, Occurred, Refused, Snapshot
from softphone.wire.snapshot import CallPhase, Look, PolicyPhase, TextSize
from softphone.wire.to_engine import Act, Command, OptOut, ReadSettings, SaveNote, SaveSettings, WatchLevels

log = logging.getLogger(__name__)

_TICK, _TICK_NOTICE = 250, 50
"""ms between drawings while something counts, and while words are being marked"""
_SESSION_ENDS = 30_000
"""ms after which a session that was to end, and did not, goes on"""


class Desk(QObject):
    """The running desk. `.window`, `.bridge`, `.incoming`; ready() after the first whole state has been drawn."""

    ready = Signal()

    def __init__(self, deps: DeskDependencies) -> None:
        super().__init__()
        self._deps = deps
        self._icons = Icons(deps.icons)
        self._light, self._dark = load_themes(deps.themes)
        self._snapshot: Snapshot | None = None
        self._settings = deps.settings
        self._theme: Theme | None = None
        self._text_size: TextSize | None = None
        self._language: Language | None = None
        self._first = True
        self._told_of_tray = self._closed = False
        self._dialled = Standing()
        self._links: Links | None = None
        self._pressed_since: set[str] = set()
        self._to_be_told: dict[str, str] = {}
        """what is taken back after a call: who hears that it is done, by the press"""
        self._trouble: KlartoneError | None = None
        """why the phone does not come up"""
        self.bridge = Bridge(deps.find_endpoint, deps.start_engine, self, why_not=deps.why_not)
        self._notes = UnsavedNotes(self.bridge.send, self)
        self._leaving = LeavingDesk(self.bridge.send, self._is_typed_in, self._save_notes, self)
        self._watch = LevelsWatch()
        self._owed = Owed(lambda code: self._say(lambda texts: texts(code)))
        self.window = DeskWindow()
        self._jobs = SettingsJobs(deps, self.window, self)
        self._jobs.settled.connect(lambda: self.bridge.send(ReadSettings(new_id())))
        self._typing = KeptTyping(self._notes, self.window.ready.dial.target, deps.keep_notes, deps.kept_notes, self)
        self.incoming = IncomingWindow()
        self.tray = Tray(self)
        self._tick = QTimer(self)
        self._tick.timeout.connect(self.draw)

        self.bridge.snapshot.connect(self._take)
        self.bridge.connected.connect(self._attached)
        self.bridge.disconnected.connect(self._gone)
        self.bridge.fault.connect(self._fault)
        self.bridge.occurred.connect(self._occurred)
        self.bridge.done.connect(self._done)
        self.bridge.refused.connect(self._refused)
        self.bridge.unanswered.connect(self._unanswered)
        self.bridge.levels.connect(self._show_levels)
        self.bridge.starting_failed.connect(self._starting_failed)
        self.window.command.connect(self._send)
        self.window.look.connect(self._other_look)
        self.window.update_bar.taken.connect(self._leaving.now)
        self.window.note.close_button.clicked.connect(self._typing.give_up_refused)
        self._leaving.left.connect(self._leave)
        self.incoming.command.connect(self._send)
        self.incoming.opened.connect(self._raise)
        self.tray.pressed.connect(self._raise)
        self.tray.left.connect(self._quit)
        self.window.has_tray = self.tray.there
        self.window.unsaved_note = lambda: self._notes.last
        self.window.put_away.connect(self._put_away)
        self.window.seen.connect(self._draw_corner)
        self.window.seen.connect(self._keep_place)
        self.window.settings.review.connect(lambda: self._start_review(shared=False))
        self.window.ready.shared.wanted.connect(lambda: self._start_review(shared=True))
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        wear_icon(deps.icons.parent)
        app.styleHints().colorSchemeChanged.connect(self.draw)
        app.commitDataRequest.connect(self._session_ends, Qt.ConnectionType.DirectConnection)
        if isinstance(app, Application):
            app.quits.connect(self._qt_quits)
        # Styled once all of it is put together: under a style sheet, Qt works the style out anew for a whole part whenever
        # the part moves.
        self.draw()

    # --- running --------------------------------------------------------------------------------

    def open(self) -> None:
        """Show the window and attach to the engine; start one if none runs."""
        if self._deps.place is not None:
            restore(self.window, self._deps.place)
        if self._deps.show:
            self.window.show()
        # The first paint comes before the first byte.
        QTimer.singleShot(0, self.bridge.open)
        if self._deps.links is not None:
            self._links = Links(self._deps.links, self, self._ends)
            self._links.opened.connect(self._link)
            self._links.shown.connect(self._raise)
        if self._deps.target:
            self._offer(self._deps.target)

    def close(self) -> None:
        """Detach from the engine and close the windows; the call goes on. A second time does nothing."""
        if self._closed:
            return
        if self._deps.place is not None:
            remember(self.window.place, self._deps.place)
        self._closed = True
        self._tick.stop()
        if self._links is not None:
            self._links.close()
        self._save_notes()
        self.bridge.close()
        self.window.leave()
        self.incoming.hide()
        self.tray.close()

    def hand_over_notes(self) -> None:
        """As the program ends."""
        self._save_notes()
        self._typing.hand_over(self.bridge)

    def _save_notes(self) -> None:
        for note in self.window.findChildren(NoteField):
            note.save()
        self._notes.send()

    # --- drawing --------------------------------------------------------------------------------

    def view(self) -> View:
        """What there is to draw, now."""
        language = self._settings.language or system_language()
        zone = time_zone(self._snapshot)
        texts = Texts(self._deps.texts, language, zone)
        theme = self._theme or self._light
        trouble = texts.error(self._trouble) if self._trouble else ""
        return View(self._snapshot, texts, theme, self._icons, self._deps.now(), self.bridge.attached, trouble=trouble)

    def draw(self) -> None:
        """Draw everything from the last snapshot. Called for each snapshot, and by the clock while something counts."""
        self._dress()
        view = self.view()
        if view.texts.language is not self._language:
            self._language = view.texts.language
            translate_qt(view.texts.language)
        self.window.render_view(view)
        self._draw_corner()
        self.tray.render_view(view)
        self._pace(view)

    def _draw_corner(self) -> None:
        """The corner window shows the call while the desk does not."""
        if not self._closed:
            in_sight = self.window.in_sight or not self._deps.show
            view = self.view()
            self.incoming.render_view(view, in_sight=in_sight)
            seen = self._deps.show and (self.window.in_sight or self.incoming.isVisible())
            if (due := self._watch.next(view, in_sight=seen)) is not None:
                self.bridge.send(due)

    def _show_levels(self, levels: Levels) -> None:
        self.window.settings.show_levels(levels)
        for card in (self.window.call.card, self.incoming.talking.card):
            card.show_levels(levels)

    def _keep_place(self) -> None:
        """As it goes out of sight: then a killed program knows at least that."""
        if self._deps.place is not None and not self._closed and not self.window.in_sight:
            remember(self.window.place, self._deps.place)

    def _dress(self) -> None:
        theme, size = self._dark if self._is_dark() else self._light, self._settings.text_size
        if (theme, size) != (self._theme, self._text_size):
            self._theme, self._text_size = theme, size
            dress(theme, size)

    def _pace(self, view: View) -> None:
        calls = view.snapshot.calls if view.snapshot else ()
        counting = any(call.phase is not CallPhase.ENDED or _undo_runs(call.status, view.now) for call in calls)
        marking = any(
            call.status and call.status.notice and call.status.notice.told is InformedPhase.PLAYING for call in calls
        )
        if not counting or not view.connected:
            self._tick.stop()
            return
        pace = _TICK_NOTICE if marking else _TICK
        if not self._tick.isActive() or self._tick.interval() != pace:
            self._tick.start(pace)

    def _is_dark(self) -> bool:
        look = self._settings.look
        if look is Look.SYSTEM:
            app = QApplication.instance()
            assert isinstance(app, QApplication)
            return app.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return look is Look.DARK

    # --- what the bridge tells ------------------------------------------------------------------

    def _take(self, snapshot: Snapshot) -> None:
        self._snapshot, self._settings = snapshot, snapshot.settings
        self._notes.follow(snapshot)
        self.draw()
        if (owed := self._owed.next(snapshot)) is not None:
            self._send(owed)
        self._leaving.follow(snapshot)
        if self._first:
            self._first = False
            if not snapshot.settings.accounts:
                self.window.open_settings()
            elif not snapshot.calls:
                self.window.ready.dial.target.setFocus(Qt.FocusReason.OtherFocusReason)
            self.ready.emit()
            self._jobs.ask_for_review()
            self._typing.fetch()
            if self._deps.on_ready:
                self._deps.on_ready(self)

    def _attached(self) -> None:
        self._trouble = None
        self._deps.came_up()
        if self.window.settings_open:
            self.window.settings.watch(on=True)

    def _gone(self) -> None:
        self._owed.broke_off()
        self._leaving.engine_gone()
        self._notes.engine_gone()
        self._watch.forget()
        self.window.settings.engine_gone()
        self.window.ready.dial.given_up()
        self.draw()

    def _fault(self, fault: Fault) -> None:
        self._say(lambda texts: say_coded(texts, fault.said))

    def _occurred(self, event: Occurred) -> None:
        """The length of what is missing is known only as it happens."""
        if event.event == "stood_still":
            seconds = max(1, round(float(event.params.get("seconds") or 0)))
            self._say(lambda texts: texts("occurred.stood_still", count=seconds))

    def _done(self, done: Done) -> None:
        if self._leaving.answered(done.id, taken=True):
            return
        self._answered(done.id, taken=True)
        if (note := self._notes.answered(done.id)) is not None:
            self._typing.taken(note.call)
        if done.id in self._pressed_since:
            self.window.note.hide()
        party = self._to_be_told.pop(done.id, "")
        if self._owed.done(done.id):
            self._say(lambda texts: texts("owed.done", party=party), fault=False)
        elif party:
            self._say(lambda texts: texts("later.tell", party=party), fault=False)
        if (locked := done.result.get("locked")) is not None:
            counts = {
                "earlier.locked": int(locked),
                "refused.earlier.unreadable": int(done.result.get("unreadable", 0)),
            }
            self._say(
                lambda texts: " ".join(texts(code, count=count) for code, count in counts.items() if count),
                fault=bool(counts["refused.earlier.unreadable"]),
            )

    def _refused(self, refused: Refused) -> None:
        if self._leaving.answered(refused.id, taken=False):
            return  # something goes on after all: the line above the page says so
        self._owed.refused(refused.id)
        self._answered(refused.id, taken=False)
        if (note := self._notes.answered(refused.id)) is not None:
            why = refused.said
            self._typing.refused(note)
            self._say(lambda texts: texts("note.not_saved", why=say_coded(texts, why), note=note.text))
            return
        self._say(lambda texts: say_coded(texts, refused.said))

    def _answered(self, command: str, *, taken: bool) -> None:
        """The engine does it, or nobody will."""
        self.window.settings.answered(command, taken=taken)
        self.window.ready.dial.answered(command, taken=taken)

    def _unanswered(self) -> None:
        self.window.ready.dial.given_up()
        self._say(lambda texts: texts("bridge.unanswered"))

    def _starting_failed(self, error: KlartoneError) -> None:
        known, self._trouble = self._trouble, error
        self.draw()
        if str(known) != str(error):
            self.window.announce(self.view().trouble)

    def _say(self, said: Callable[[Texts], str], *, fault: bool = True) -> None:
        """Until it is closed, or a press is made after it was read."""
        self._pressed_since.clear()
        self.window.say(said, self.view().texts, fault=fault)

    def _is_typed_in(self) -> bool:
        """Whether the desk's end would take something from the agent. Notes are saved here, and no more typed once they are."""
        window = self.window
        fields = window.findChildren(NoteField)
        for one in fields:
            if not one.is_written_in:
                one.save()
        written = any(one.is_written_in for one in fields) or bool(self._notes.last)
        dial = window.ready.dial
        dialled = self._dialled.is_fresh(dial.target.text().strip()) and not dial.offered.untouched
        typed = dialled or window.settings.is_typed_in
        return written or self._owed.waits or typed

    def _leave(self) -> None:
        """The engine has said that it ends now."""
        self._typing.leave_number()
        self.bridge.let_engine_end()
        self.window.leave()

    def _ends(self, now: bool) -> bool:
        """Somebody asks a window whose phone does not run: it has no call, and nobody else could end it. What is typed is kept
        as at other ends; an account cannot be, so that is waited for unless it must be `now`."""
        typed = self.window.settings.is_typed_in and not now
        if self.bridge.attached or self._owed.waits or typed:
            return False
        QTimer.singleShot(0, self, self._leave)
        return True

    # --- what the window wants ------------------------------------------------------------------

    def _send(self, command: Command) -> None:
        if isinstance(command, WatchLevels):
            self._watch.settings = command.on  # the card may need them too
            self._draw_corner()
            return
        if isinstance(command, SaveNote):
            self._notes.save(command)
            return
        if not self.window.note.isHidden():
            self._pressed_since.add(command.id)
        if self.bridge.send(command):
            self._owed.sent(command)
            self._note_whom_to_tell(command)
        else:
            self._answered(command.id, taken=False)

    def _note_whom_to_tell(self, command: Command) -> None:
        """Somebody who takes something back after the call is no longer there to hear that it is done."""
        if not isinstance(command, OptOut | Act):
            return
        if isinstance(command, Act) and not command.action.startswith(("withdraw_", "object")):
            return
        calls = {call.id: call for call in self._snapshot.calls} if self._snapshot else {}
        call = calls.get(command.call)
        if call is not None and call.phase is CallPhase.ENDED:
            self._to_be_told[command.id] = self.view().party(call)

    def _other_look(self) -> None:
        look = Look.LIGHT if self._is_dark() else Look.DARK
        self.bridge.send(SaveSettings(new_id(), replace(self._settings, look=look)))

    def _start_review(self, *, shared: bool) -> None:
        try:
            self._deps.start_review(shared)
        except KlartoneError as error:
            refusal = error
            self._say(lambda texts: texts.error(refusal))

    def _put_away(self) -> None:
        if not self._told_of_tray:
            self._told_of_tray = True
            self.tray.tell(self.view(), "close.tray")

    def _quit(self) -> None:
        if self.view().call is not None:
            self._raise()  # the reason is said there
        self.window.quit()

    def _qt_quits(self) -> None:
        if self.view().call is not None and not self._closed:
            self._raise()
        self.window.let_go(call_too=False)

    def _session_ends(self) -> None:
        """The system asks before a log-out, and another program may still prevent it."""
        self.window.let_go(call_too=True)
        QTimer.singleShot(_SESSION_ENDS, self, self.window.stay)

    def _link(self, link: str) -> None:
        """Offered, and no more: whoever wrote the link must not be able to make this phone call, nor to take the keyboard."""
        self._offer(link)
        self._raise(keyboard=False)

    def _offer(self, link: str) -> None:
        from softphone.calls.numbers import dialable  # with its tables of all countries; few are started by a link

        if target := dialable(link):
            self.window.ready.dial.offer(target)
            if self.view().call is not None:
                self._say_beside(lambda texts: texts("dial.offered.waits", target=readable_target(target)))
        else:
            self._say_beside(lambda texts: texts("dial.link.nobody"))

    def _say_beside(self, said: Callable[[Texts], str]) -> None:
        """Heard, and shown unless another message stands there."""
        if self.window.note.isHidden():
            self._say(said, fault=False)
        else:
            self.window.announce(said(self.view().texts))

    def _raise(self, *, keyboard: bool = True) -> None:
        """`keyboard`: what is typed goes here from now on. Without, it goes where it went."""
        window = self.window
        if keyboard:
            window.showNormal()
            window.raise_()
            window.activateWindow()
            return
        window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, on=False)
        QApplication.alert(window)


def run_desk(deps: DeskDependencies) -> int:
    """Run the desk until its window is closed, or SIGINT or SIGTERM comes. Returns the process's exit code; for a signal 128
    and its number."""
    app = make_application()
    app.setQuitOnLastWindowClosed(False)  # it may be in the tray
    with ended_by_signals(app):
        desk = Desk(deps)
        desk.window.closed.connect(app.quit)
        desk.open()
        code = app.exec()
        desk.hand_over_notes()
        desk.close()
    return code


def time_zone(snapshot: Snapshot | None) -> str | None:
    """The zone of the policy in use, which `controller` names; else None, the machine's."""
    policy = snapshot.policy if snapshot else None
    return policy.time_zone if policy and (policy.controller or policy.phase is PolicyPhase.READY) else None


def _undo_runs(status: object, now: datetime) -> bool:
    hold = getattr(status, "hold", None)
    until = getattr(hold, "undo_until", None)
    return until is not None and until > now
