"""The desk's window: account line, and below it the page of the moment. It draws a `View` and passes commands on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QCloseEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from softphone.texts import Texts
from softphone.ui.call.moment import KEYED
from softphone.ui.call.page import CallPage
from softphone.ui.compact import Compact
from softphone.ui.controls import Control
from softphone.ui.glance import Glance
from softphone.ui.note import Note, announcement
from softphone.ui.note_field import NoteField
from softphone.ui.ready.page import ReadyPage
from softphone.ui.settings.page import SettingsPage
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import MARGIN
from softphone.ui.top import CallStrip, TopLine
from softphone.ui.update_bar import UpdateBar
from softphone.ui.view import View, new_id, readable, upper_first
from softphone.ui.words.card import CardWords, card_words, no_engine_card
from softphone.ui.words.moment import aside_lines, to_say
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Activate, Answer, BackToParty, FollowTransfer, Seen

WIDTH, HEIGHT, NARROWEST, WIDEST = 376, 800, 320, 480
"""units; lines in a column of more than WIDEST are hard to read, so a wider window has margins. HEIGHT is high enough to read
the longest notice aloud without scrolling, if the screen is"""
_FRAME = 40
"""px of a screen's height for the window's own frame"""


class DeskWindow(QWidget):
    """Signals: command(a command of `wire`), password(account_id, password), look(): the other look is wanted, closed(),
    put_away(): into the tray; seen(): it came into sight, or went out of it."""

    command = Signal(object)
    password = Signal(str, str)
    look = Signal()
    closed = Signal()
    put_away = Signal()
    seen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("desk")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumWidth(px(NARROWEST))
        self.resize(px(WIDTH), min(px(HEIGHT), self.screen().availableGeometry().height() - _FRAME))
        self.top = TopLine()
        self.account, self.settings_button = self.top.account, self.top.settings
        self.strip = CallStrip()
        self.update_bar = UpdateBar()
        self.ready = ReadyPage()
        self.call = CallPage()
        self.settings = SettingsPage()
        self.pages = QStackedWidget()
        for page in (self.ready, self.call, self.settings):
            self.pages.addWidget(page)
        self.note = Note()
        self.compact = Compact(self)
        self.glance = Glance(self)
        self.has_tray = False
        """whether it can be brought back once it is in the tray"""
        self.unsaved_note: Callable[[], str] = str
        """what was written last and is not saved; empty: nothing"""
        self._settings_open = False
        self._leaving = False
        self._call = ""
        self._headline = ""
        self._beside: tuple[str, ...] = ()
        self._unsaved = ""
        """the note that a close has been stopped for"""
        self._said: Callable[[Texts], str] | None = None
        self._view: View | None = None

        around = QHBoxLayout()
        around.setContentsMargins(MARGIN, 4, MARGIN, 4)
        around.addWidget(self.strip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.top)
        layout.addWidget(self.update_bar)
        layout.addWidget(self.pages, 1)
        self.note.shown.connect(self.call.make_room)
        self._place_note()
        self.settings.put_above(around)
        self.strip.hide()

        for page in (self.ready, self.call, self.settings):
            page.command.connect(self.command)
        self.update_bar.command.connect(self.command)
        self.glance.used.connect(self._has_seen)
        self.command.connect(self._turns)
        self.ready.settings.connect(self.open_settings)
        self.ready.faults_wanted.connect(self.open_policy)
        self.settings.password.connect(self.password)
        self.settings.back.connect(self.close_settings)
        self.strip.clicked.connect(self.close_settings)
        self.settings_button.clicked.connect(self._toggle_settings)
        self.top.look.clicked.connect(self.look)
        self.top.compact.clicked.connect(self.compact.toggle)
        self.top.on_top.clicked.connect(self.compact.stay_on_top)
        self.top.hang_up.clicked.connect(lambda: self.call.hang_up.click())
        self.top.tabs.command.connect(self.command)
        self.top.tabs.wanted.connect(self._show_waiting)
        self._make_shortcuts()

    # --- drawing --------------------------------------------------------------------------------

    def render_view(self, view: View) -> None:
        """Draw the whole state. Drawing it twice changes nothing."""
        self._view = view
        call = view.call
        if call is not None:
            self.call.render_view(view, call)
        self.ready.render_view(view)
        known, self._call = self._call, call.id if call is not None else ""
        if known != self._call:
            self.note.hide()
            if self._settings_open and call is not None and call.phase is CallPhase.INCOMING:
                self._cover_settings()
        if self._settings_open:
            self.settings.render_view(view)
        self._show_page(self.settings if self._settings_open else self.call if call is not None else self.ready)
        self.glance.watch(on=bool(view.missed) and self.pages.currentWidget() is self.ready)
        self.compact.follow(view)
        self.update_bar.render_view(view, is_compact=self.compact.on)
        self.top.render_view(view, is_compact=self.compact.on, asks=self.call.moment.asks)
        words = card_words(view, call) if call is not None else None
        self.strip.setVisible(self._settings_open and words is not None)
        if words is not None:
            self.strip.show_words(view, words)
        elif not view.connected and view.snapshot is not None:
            words = no_engine_card(view)
        self._tell_headline(view, words)
        if self._said is not None:
            self.note.show_words(upper_first(self._said(view.texts)))
        self.note.close_button.show_as(view, "", icon="close", name=view.texts("note.close"))

    def _has_seen(self) -> None:
        """Who has been missed stands above the page between calls, and somebody is there."""
        if self._view is not None and self._view.connected and self._view.missed:
            self.glance.watch(on=False)  # until the engine has answered
            self.command.emit(Seen(new_id(), tuple(row.id for row in self._view.missed)))

    def _show_page(self, page: QWidget) -> None:
        if self.pages.currentWidget() is page:
            return
        note = self.call.moment.beside.note
        writing = note.hasFocus()
        self.pages.setCurrentWidget(page)
        if page is self.call:
            self.ready.dial.put_away()
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        elif page is self.ready and writing:
            self.ready.write_on(note)
        self._place_note()

    def _place_note(self) -> None:
        """In a call above the tools, which stay; else at the foot."""
        page = self.pages.currentWidget()
        self.note.leave_below(0 if page is self.call else MARGIN)
        if page is self.call:
            self.call.take_note(self.note, self.note.close_button)
        elif page is self.settings:
            self.settings.take_note(self.note)
        else:
            self.ready.take_note(self.note)

    def _tell_headline(self, view: View, words: CardWords | None) -> None:
        """The headline in the window's title. A screen reader says it when it changes, not with every second."""
        call = view.call
        missed = len(view.missed)
        parts = [words.sentence] if words else [view.texts("missed.count", count=missed)] if missed else []
        if call is not None:
            parts.append(call.name or readable(call.number))
        title = " – ".join([*(part for part in parts if part), "Klartone"])
        if title != self.windowTitle():
            self.setWindowTitle(title)
        said: list[str] = []
        key = f"{call.id if call else ''}|{words.key}" if words else ""
        if key != self._headline:
            self._headline = key
            said += [words.sentence, words.lock] if words else []
        # News beside it, and what to say, is said once too.
        beside = (*aside_lines(view, call), to_say(view, call)) if call is not None else ()
        said += [line for line in beside if line not in self._beside]
        self._beside = beside
        if any(said):
            self.announce(". ".join(line.rstrip(".") for line in said if line))

    def announce(self, sentence: str) -> None:
        """To a screen reader, interrupting what it is saying."""
        QAccessible.updateAccessibility(announcement(self.call.card, sentence))

    def say(self, said: Callable[[Texts], str], texts: Texts, *, fault: bool = True) -> None:
        """Show a person a message, on the window; in another language once that is chosen."""
        self._said = said
        self.note.say(upper_first(said(texts)), fault=fault)

    # --- pages ----------------------------------------------------------------------------------

    @property
    def settings_open(self) -> bool:
        return self._settings_open

    def open_settings(self) -> None:
        if self._settings_open:
            return
        self._settings_open = True
        self.again()
        self.settings.watch(on=True)
        first = self._view is not None and self._view.snapshot is not None and not self._view.snapshot.settings.accounts
        (self.settings.account.address if first else self.settings.back_button).setFocus(
            Qt.FocusReason.OtherFocusReason
        )

    def open_policy(self) -> None:
        """The settings, at the policy's part."""
        self.open_settings()
        QTimer.singleShot(0, self.settings, self.settings.show_policy)  # once it has its place

    def close_settings(self) -> None:
        if self._settings_open:
            self._leave_settings()
            self.again()

    def _leave_settings(self) -> None:
        self._settings_open = False
        self.settings.watch(on=False)

    def _cover_settings(self) -> None:
        """The call closes the settings. Perhaps in the middle of a word: half a path must not become the policy's."""
        with QSignalBlocker(self.settings.policy.path):
            self._leave_settings()
            self._show_page(self.call)

    def _back_to_call(self) -> None:
        self._cover_settings()
        self.again()

    def _toggle_settings(self) -> None:
        if self._settings_open:
            self.close_settings()
        else:
            self.open_settings()

    def again(self) -> None:
        if self._view is not None:
            self.render_view(self._view)

    def leave(self) -> None:
        """Close, whatever is going on."""
        self._leaving = True
        self.close()

    def let_go(self, *, call_too: bool) -> None:
        """Qt or the session is about to close it, which is no wish to have it in the tray. In a call only an ending session
        may."""
        self._leaving = self._leaving or call_too or not self._keeps_a_call()

    def stay(self) -> None:
        """The session did not end after all."""
        self._leaving = False

    @property
    def in_sight(self) -> bool:
        """Whether it is on the screen, as far as anybody can know."""
        return self.isVisible() and not self.isMinimized()

    def rescale(self) -> None:
        """The text size has changed."""
        self.setMinimumWidth(px(NARROWEST))
        self._keep_column()

    def _keep_column(self) -> None:
        aside = max(0, (self.width() - px(WIDEST)) // 2)
        self.setContentsMargins(aside, 0, aside, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_column()

    def _turns(self, command: object) -> None:
        """By a press of the agent's own, who then is done writing about the call before."""
        if isinstance(command, Activate | Answer | BackToParty | FollowTransfer):
            self.call.moment.beside.note.go_over()

    def _show_waiting(self) -> None:
        """Who rings, with the keyboard at the answer."""
        self.compact.leave()
        if self._settings_open:
            self._back_to_call()
        self.call.show_keypad(wanted=False)
        self.call.moment.waiting.answer.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def place(self) -> QRect:
        """Where it is when it is neither compact nor as large as the screen."""
        return self.compact.before if self.compact.on else self.normalGeometry()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self.seen.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.seen.emit()

    def quit(self) -> None:
        """Close for good, unless a call is going on, or a note would be lost."""
        if not (self._keeps_a_call() or self._keeps_a_note()):
            self.leave()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._leaving and (self._keeps_a_call() or self._stays_reachable() or self._keeps_a_note()):
            event.ignore()
            return
        super().closeEvent(event)
        self.closed.emit()

    def _keeps_a_call(self) -> bool:
        """A call is going on: the phone would keep it, and nobody could see or end it."""
        call = self._view.call if self._view is not None and self._view.connected else None
        if self._view is None or call is None:
            return False
        self.say(lambda texts: texts(f"close.{call.phase}"), self._view.texts)
        return True

    def _keeps_a_note(self) -> bool:
        """Nobody has it while the engine is away. The window says so; who closes it again has read it."""
        view = self._view
        if view is None or view.connected:
            return False
        for field in self.findChildren(NoteField):
            field.save()
        note = self.unsaved_note()
        if not note or (self._unsaved == note and not self.note.isHidden()):
            return False
        self._unsaved = note
        self.say(lambda texts: texts("close.note", note=note), view.texts)
        return True

    def _stays_reachable(self) -> bool:
        """Without its window the phone is off. So closing puts it into the tray; without a tray it says so, and the next
        press closes it. A phone that nobody can call is simply closed."""
        view = self._view
        if view is None or view.snapshot is None or not view.snapshot.accounts:
            return False
        if self.has_tray:
            self.hide()
            self.put_away.emit()
            return True
        if not view.connected or (self._said is _closing and not self.note.isHidden()):
            return False
        self.say(_closing, view.texts, fault=False)
        return True

    # --- keyboard -------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Digits go to the open keypad wherever the focus is in the window."""
        if self.pages.currentWidget() is not self.call or not self.call.type_digit(event):
            super().keyPressEvent(event)

    def _make_shortcuts(self) -> None:
        call, ready = self.call, self.ready
        # Each key presses the very button that is shown, so a key can do nothing that the button could not.
        for keys, buttons in {
            "Ctrl+Return": (call.answer,),
            "Ctrl+Backspace": (call.hang_up, call.decline),
            "Ctrl+O": (call.rights.opt_out, ready.wrap_up.rights.buttons.opt_out),
            "Ctrl+D": (call.rights.dispute, ready.wrap_up.rights.buttons.dispute),
            "Ctrl+M": (call.tools.mute,),
            "Ctrl+H": (call.tools.hold,),
            "Ctrl+K": (call.tools.keys,),
            "Ctrl+P": (call.tools.pause,),
            "Ctrl+T": (call.tools.forward,),
            "Ctrl+L": (self.top.compact,),
            "Ctrl+E": (call.tools.more,),
            "Ctrl+,": (self.settings_button,),
        }.items():
            self._shortcut(keys, lambda buttons=buttons: self._press(*buttons))
            for button in buttons:
                button.set_keys(keys)
        for position in range(KEYED):
            self._shortcut(f"Alt+{position + 1}", lambda position=position: self._press_of_moment(position))
        for tab in self.top.tabs.tabs:
            self._shortcut(f"Ctrl+{self.top.tabs.tabs.index(tab) + 1}", lambda tab=tab: self._press(tab))
        self._shortcut("Ctrl+N", ready.dial.go_to)
        self._shortcut("Ctrl+Shift+C", lambda: self._press(call.party.number))
        self._shortcut("Ctrl+Q", self.quit)
        self._shortcut("Escape", self._escape)

    def _shortcut(self, keys: str, press: object) -> None:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(press)  # type: ignore[arg-type]

    def _press(self, *buttons: Control) -> None:
        """Click the first of these that is within reach."""
        button = next((one for one in buttons if self._within_reach(one) and one.isEnabled()), None)
        if button is None:
            return
        tools = self.call.tools
        if self.compact.on and button in (tools.keys, tools.forward, tools.more):
            self.compact.leave()  # what they open needs room
        covered = self._settings_open and self.call.isAncestorOf(button)
        if covered and button is tools.more:
            self._back_to_call()
            tools.open_menu()  # it has its place only now
            return
        button.click()
        if covered and button not in (tools.mute, tools.hold):
            self._back_to_call()  # the outcome stands there

    def _within_reach(self, button: Control) -> bool:
        """In sight, or on the call's page behind the settings or left out of the compact window: its keys still work."""
        if button.isVisible():
            return True
        if self.compact.on and button in self.call.tools.tiles:
            return True
        behind = self._settings_open and self._view is not None and self._view.call is not None
        return behind and self.call.isAncestorOf(button) and button.isVisibleTo(self.call)

    def _press_of_moment(self, position: int) -> None:
        if (self._settings_open or self.compact.on) and self._view is not None and self._view.call is not None:
            self.compact.leave()
            self._back_to_call()  # show what the moment asks before it is answered
            return
        presses = self.call.moment.first_presses()
        if position < len(presses):
            self._press(presses[position])

    def _escape(self) -> None:
        sure = self.call.rights.sure
        if not self.note.isHidden():
            self.note.hide()
        elif self.compact.on and not sure.isVisible():
            self.compact.leave()
        elif sure.isVisible():
            sure.answered.emit(False)
        elif self._settings_open:
            self.close_settings()
        elif self.call.keypad_open or self.call.transfer_open or self.call.quality_open:
            self.call.show_keypad(wanted=False)


def _closing(texts: Texts) -> str:
    return texts("close.no_tray")
