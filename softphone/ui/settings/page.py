"""The settings, in the window. No dialog stands in the way of a call, and the call's state stays in sight at the top."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLayout, QLineEdit, QVBoxLayout, QWidget

from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import ScrollArea, TextLabel
from softphone.ui.settings.accounts import AccountSection
from softphone.ui.settings.forms import AppearanceSection
from softphone.ui.settings.house import HouseSection
from softphone.ui.settings.network import NetworkSection
from softphone.ui.settings.policy import PolicySection
from softphone.ui.settings.sound import SoundSection
from softphone.ui.settings.support import SupportSection
from softphone.ui.theme.style import MARGIN, SMALL
from softphone.ui.view import View, new_id
from softphone.ui.words.machine import causes
from softphone.wire.from_engine import Levels
from softphone.wire.snapshot import Settings
from softphone.wire.to_engine import SaveSettings, WatchLevels


class SettingsPage(QWidget):
    """command(SaveSettings | WatchLevels | TestTone), password(account_id, password), back(), review(): it is to be opened."""

    command = Signal(object)
    password = Signal(str, str)
    back = Signal()
    review = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.back_button = QuietButton("back", size=20)
        self.title = TextLabel("settingsTitle", size=19, strong=True)
        self.welcome = TextLabel("settingsWelcome", size=SMALL, role="muted", wrap=True)
        self.account = AccountSection()
        self.network = NetworkSection()
        self.network.hide()
        self.sound = SoundSection()
        self.policy = PolicySection()
        self.house = HouseSection()
        self.appearance = AppearanceSection()
        self.support = SupportSection()
        head = QHBoxLayout()
        head.setContentsMargins(MARGIN - 8, 0, MARGIN, 6)
        head.setSpacing(4)
        head.addWidget(self.back_button)
        head.addWidget(self.title, 1)
        inside = QWidget()
        inner = QVBoxLayout(inside)
        inner.setContentsMargins(MARGIN, 4, MARGIN, MARGIN)
        inner.setSpacing(18)
        inner.addWidget(self.welcome)
        for section in (self.account, self.network, self.sound, self.policy, self.house, self.appearance):
            inner.addWidget(section)
        self._inner, self._house_first = inner, False
        for section in (self.network, self.sound, self.policy, self.appearance):
            section.save.connect(self._save)
        self.account.save.connect(self._save_account)
        self.account.opened.connect(self.network.setVisible)
        self._account_sent = ""
        self._view: View | None = None
        self._shared = ""
        self.review_button = FilledButton("openReview", "plain")
        self.review_button.hide()
        self.review_button.clicked.connect(self.review)
        inner.addWidget(self.support)
        inner.addWidget(self.review_button)
        inner.addStretch(1)
        self.reel = ScrollArea("settingsReel", inside)
        layout = self._outer = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.reel, 1)
        self.back_button.clicked.connect(self.back)
        self.account.password.connect(self.password)
        self.sound.command.connect(self.command)

    def render_view(self, view: View) -> None:
        self.back_button.show_as(view, "", icon="back", name=view.texts("settings.back"))
        self.title.setText(view.texts("settings.title"))
        first = view.snapshot is not None and not view.snapshot.settings.accounts
        said = causes(view)
        self.welcome.setVisible(first or bool(said))
        locked = view.snapshot is not None and "accounts" in view.snapshot.locked
        welcome = view.texts("settings.welcome.locked" if locked else "settings.welcome")
        self.welcome.setText(view.texts(said[0].code, **said[0].params) if said else welcome)
        self.welcome.set_role("danger" if said else "muted")
        self._place_house(first=first)
        for section in (
            *(self.account, self.network, self.sound, self.policy, self.house, self.appearance),
            self.support,
        ):
            section.render_view(view)
        self._view = view
        self._show_review(view)
        self.reel.render_view(view)

    def _place_house(self, *, first: bool) -> None:
        """A fresh phone that has a link needs nothing further down; most have none, so the account comes first."""
        if first != self._house_first:
            self._house_first = first
            self._inner.removeWidget(self.house)
            beside = self.network if first else self.appearance
            self._inner.insertWidget(self._inner.indexOf(beside), self.house)
            QWidget.setTabOrder(self.account if first else self.policy, self.house)

    @property
    def is_typed_in(self) -> bool:
        """Whether something typed is not saved: an account waits for its button, all other fields until they are left."""
        unsaved = any(one.isModified() and one.text() for one in self.account.findChildren(QLineEdit))
        return unsaved or any(one.hasFocus() and one.isModified() for one in self.findChildren(QLineEdit))

    def offer_review(self, shared: bool) -> None:
        """This keyring can hear training recordings; `shared`: what leads share with who is here."""
        self._shared = ".shared" if shared else ""
        if self._view is not None:
            self._show_review(self._view)
        self.review_button.show()

    def _show_review(self, view: View) -> None:
        code = f"settings.review{self._shared}"
        self.review_button.show_as(view, view.texts(code), icon="play", why=view.texts(f"{code}.why"))

    def show_policy(self) -> None:
        """Bring the policy's part into sight."""
        bar = self.reel.verticalScrollBar()
        bar.setValue(min(bar.maximum(), self.policy.y()))
        self.policy.choose.setFocus(Qt.FocusReason.OtherFocusReason)

    def put_above(self, layout: QLayout) -> None:
        """The call's state stays in sight over the settings."""
        self._outer.insertLayout(0, layout)

    def take_note(self, note: QWidget) -> None:
        """A message for the person, at the foot."""
        self._outer.addWidget(note)

    def watch(self, *, on: bool) -> None:
        """Levels are sent only while somebody looks at them."""
        self.command.emit(WatchLevels(new_id(), on))

    def show_levels(self, levels: Levels) -> None:
        self.sound.show_levels(levels)

    def answered(self, command: str, *, taken: bool) -> None:
        """The engine's answer to the command with this id, or none will come. Only what the engine has taken is saved."""
        if command and command == self._account_sent:
            self._account_sent = ""
            self.account.saved(taken=taken)

    def engine_gone(self) -> None:
        """Nothing that was sent will be answered."""
        self.answered(self._account_sent, taken=False)

    def _save(self, settings: Settings) -> None:
        self.command.emit(SaveSettings(new_id(), settings))

    def _save_account(self, settings: Settings) -> None:
        command = SaveSettings(new_id(), settings)
        self._account_sent = command.id
        self.command.emit(command)
