"""The parts of the settings: account, sound, appearance. Each shows the current values and asks for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.controls import FilledButton
from softphone.ui.fields import Card, ComboBox, TextLabel
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, new_id
from softphone.wire import Account, Levels, Look, Registration, Settings, TestTone, TextSize, Transport

_SILENCE_DB = -60.0
_AFTER: dict[Registration | None, tuple[str, str]] = {
    None: ("settings.account.saved", "muted"),
    Registration.REGISTERING: ("settings.account.saved.registering", "muted"),
    Registration.REFUSED: ("settings.account.saved.refused", "danger"),
    Registration.NO_PASSWORD: ("settings.account.saved.no_password", "danger"),
    Registration.UNREACHABLE: ("settings.account.saved.unreachable", "danger"),
}
"""the sentence about a saved account for each state of its registration, and its colour; else it is saved and well"""


class Section(QWidget):
    """A heading and a card of fields. save(Settings): all of the settings as wanted."""

    save = Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.heading = TextLabel(f"{name}Heading", strong=True)
        self.card = Card(f"{name}Card")
        self.body = QVBoxLayout(self.card)
        self.body.setContentsMargins(14, 12, 14, 14)
        self.body.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.heading)
        layout.addWidget(self.card)
        self._labels: list[tuple[TextLabel, str, QWidget]] = []
        self.settings = Settings()

    def field(self, code: str, widget: QWidget) -> None:
        label = TextLabel(size=SMALL, role="muted")
        label.setBuddy(widget)
        self._labels.append((label, code, widget))
        if self.body.count():
            self.body.addSpacing(6)
        self.body.addWidget(label)
        self.body.addWidget(widget)

    def render_view(self, view: View) -> None:
        self.heading.setText(view.texts(f"settings.{self.name}"))
        for label, code, widget in self._labels:
            label.setText(view.texts(code))
            widget.setAccessibleName(view.texts(code))
        if view.snapshot:
            self.settings = view.snapshot.settings


class AccountSection(Section):
    """Address, user, password, transport. password(account_id, password) comes before `save`, if one was typed."""

    password = Signal(str, str)

    def __init__(self) -> None:
        super().__init__("account")
        self.address = line_field("accountAddress")
        self.user = line_field("accountUser")
        self.secret = line_field("accountPassword")
        self.secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.transport = ComboBox("accountTransport")
        self.transport.addItem("UDP", "udp")
        self.transport.addItem("TCP", "tcp")
        self.state = TextLabel("accountSaved", size=SMALL, role="muted", wrap=True)
        self.button = FilledButton("saveAccount", "accent", 40)
        self.field("settings.account.address", self.address)
        self.field("settings.account.user", self.user)
        self.field("settings.account.password", self.secret)
        self.field("settings.account.transport", self.transport)
        self.body.addSpacing(6)
        self.body.addWidget(self.state)
        self.body.addSpacing(4)
        self.body.addWidget(self.button)
        self.button.clicked.connect(self.press)
        for line in (self.address, self.user, self.secret):
            line.returnPressed.connect(self.press)
        self._loaded: Account | None = None
        self._view: View | None = None
        self._waiting: Settings | None = None
        self._stored = False
        """whether the keyring already has the password of what is being saved"""
        self._told: Callable[[Texts], str] | None = None
        self._saved = False
        """the last message; the registration's state follows it"""

    def render_view(self, view: View) -> None:
        super().render_view(view)
        self._view = view
        account = self.settings.accounts[0] if self.settings.accounts else None
        if account != self._loaded:
            self._loaded = account
            if account:
                self.address.setText(account.address)
                self.user.setText(account.user)
                self.transport.setCurrentIndex(max(0, self.transport.findData(account.transport)))
        self.transport.render_view(view)
        if self._saved:
            self._tell_saved(view)
        if self._told is not None:
            self.state.setText(self._told(view.texts))
        self.address.setPlaceholderText(view.texts("settings.account.address.example"))
        self.user.setPlaceholderText(view.texts("settings.account.user.same"))
        kept = account is not None and not _lacks_password(view, account)
        self.secret.setPlaceholderText(view.texts(f"settings.account.password.{'kept' if kept else 'new'}"))
        why = "" if view.connected else view.texts("why_not.no_engine")
        self.button.show_as(view, view.texts("settings.account.save"), enabled=view.connected, why=why)

    def press(self) -> None:
        """Save: the password into the keyring first, then the account."""
        if self._view is None or not self.button.isEnabled():
            return
        address = self.address.text().strip().removeprefix("sip:")
        user, _, host = address.partition("@")
        if not user or not host or " " in address:
            self.tell(lambda texts: texts("settings.account.bad_address"), "danger")
            self.address.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if self.secret.text() and self._view.call is not None:
            # The account's own password would change at once, while the account must stay as it is.
            self.tell(lambda texts: texts("error.settings.in_call"), "danger")
            return
        before = self.settings.accounts[0] if self.settings.accounts else None
        transport: Transport = "tcp" if self.transport.currentData() == "tcp" else "udp"
        wanted = Account(before.id if before else new_id(), address, self.user.text().strip(), transport)
        if before:
            wanted = replace(before, address=wanted.address, user=wanted.user, transport=transport)
        self._waiting = replace(self.settings, accounts=(wanted, *self.settings.accounts[1:]))
        if self.secret.text():
            self.tell(lambda texts: texts("settings.account.saving"))
            self.password.emit(wanted.id, self.secret.text())
        else:
            self._send()

    def password_stored(self) -> None:
        """The keyring holds it: now the account can follow."""
        if self._waiting:
            self._stored = True
            self._send()

    def _send(self) -> None:
        if self._waiting:
            wanted, self._waiting = self._waiting, None
            self.tell(lambda texts: texts("settings.account.saving"))
            self.save.emit(wanted)

    def saved(self, *, taken: bool) -> None:
        """Whether the engine has taken it; if not, the window says why. Until then what was typed stays where it is."""
        alone, self._stored = self._stored and not taken, False
        if taken:
            self.secret.clear()
            if self._view is not None:
                self._tell_saved(self._view)
        else:
            self.tell(lambda texts: texts("settings.account.password_alone") if alone else "", "danger")

    def _tell_saved(self, view: View) -> None:
        """Saved, and what came of it: never green here while red stands above."""
        states = view.snapshot.accounts if view.snapshot else ()
        registration = states[0].registration if states else None
        code, role = _AFTER.get(registration, ("settings.account.saved", "ok")) if registration else _AFTER[None]
        self.tell(lambda texts: texts(code), role)
        self._saved = True

    def password_refused(self, error: KlartoneError) -> None:
        """Nothing is saved, and what was typed stays."""
        self._waiting = None
        self.tell(lambda texts: texts.error(error), "danger")

    def tell(self, said: Callable[[Texts], str], role: str = "muted") -> None:
        """Beside the button; in another language once that is chosen."""
        self._told, self._saved = said, False
        self.state.set_role(role)
        if self._view:
            self.state.setText(said(self._view.texts))


class Meter(QWidget):
    """Loudness in dBFS as a bar, -60 to 0."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFixedHeight(8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._level = _SILENCE_DB
        self._view: View | None = None

    @property
    def level(self) -> float:
        return self._level

    def sizeHint(self) -> QSize:
        return QSize(80, 8)

    def render_view(self, view: View) -> None:
        self._view = view
        self.setAccessibleName(view.texts("settings.sound.level"))
        self.update()

    def set_level(self, level: float) -> None:
        self._level = min(0.0, max(_SILENCE_DB, level))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._view is None:
            return
        theme = self._view.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.neutral.fill))
        painter.drawRoundedRect(QRectF(0, 1, self.width(), 6), 3, 3)
        share = 1 - self._level / _SILENCE_DB
        painter.setBrush(QColor(theme.amber.mark if self._level > -3 else theme.ok))
        if share > 0:
            painter.drawRoundedRect(QRectF(0, 1, self.width() * share, 6), 3, 3)
        painter.end()


class SoundSection(Section):
    """Microphone and speaker, with level and a test tone. command(TestTone)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("sound")
        self.microphone = ComboBox("microphone")
        self.speaker = ComboBox("speaker")
        self.meter = Meter("microphoneLevel")
        self.speaker_meter = Meter("speakerLevel")
        self.tone = FilledButton("testTone", "plain", 40)
        self.fault = TextLabel("soundFault", size=SMALL, role="danger", wrap=True)
        self.field("settings.sound.microphone", self.microphone)
        self.body.addWidget(self.meter)
        self.field("settings.sound.speaker", self.speaker)
        self.body.addWidget(self.speaker_meter)
        self.body.addSpacing(6)
        self.body.addWidget(self.fault)
        self.body.addWidget(self.tone)
        self.microphone.activated.connect(lambda: self._pick(microphone=str(self.microphone.currentData())))
        self.speaker.activated.connect(lambda: self._pick(speaker=str(self.speaker.currentData())))
        self.tone.clicked.connect(lambda: self.command.emit(TestTone(new_id())))

    def render_view(self, view: View) -> None:
        super().render_view(view)
        sound = view.snapshot.sound if view.snapshot else None
        devices = sound.devices if sound else ()
        standard: tuple[str, str | None] = (view.texts("settings.sound.default"), "")
        microphones: list[tuple[str, str | None]] = [
            standard,
            *((device.name, device.id) for device in devices if device.microphone),
        ]
        speakers: list[tuple[str, str | None]] = [
            standard,
            *((device.name, device.id) for device in devices if device.speaker),
        ]
        if not any(device.microphone for device in devices):
            microphones = [(view.texts("settings.sound.no_microphone"), "")]
        if not any(device.speaker for device in devices):
            speakers = [(view.texts("settings.sound.no_speaker"), "")]
        self.microphone.show_entries(view, microphones, self.settings.microphone)
        self.speaker.show_entries(view, speakers, self.settings.speaker)
        self.meter.render_view(view)
        self.speaker_meter.render_view(view)
        self.fault.setVisible(sound is not None and sound.fault is not None)
        if sound and sound.fault:
            self.fault.setText(view.texts(sound.fault.code, **sound.fault.params))
        able = view.connected and any(device.speaker for device in devices)
        why = view.texts("why_not.no_engine" if not view.connected else "settings.sound.no_speaker")
        self.tone.show_as(
            view, view.texts("settings.sound.test"), icon="speaker", enabled=able, why="" if able else why
        )

    def show_levels(self, levels: Levels) -> None:
        self.meter.set_level(levels.microphone)
        self.speaker_meter.set_level(levels.speaker)

    def _pick(self, **change: str) -> None:
        self.save.emit(replace(self.settings, **change))


class AppearanceSection(Section):
    """Language, look and text size, at once."""

    def __init__(self) -> None:
        super().__init__("appearance")
        self.language = ComboBox("language")
        self.look = ComboBox("look")
        self.text_size = ComboBox("textSize")
        self.field("settings.language", self.language)
        self.field("settings.look", self.look)
        self.field("settings.text_size", self.text_size)
        for box in (self.language, self.look, self.text_size):
            box.activated.connect(self._pick)

    def render_view(self, view: View) -> None:
        super().render_view(view)
        system: tuple[str, str | None] = (view.texts("settings.language.system"), "")
        chosen = self.settings.language
        entries: list[tuple[str, str | None]] = [system, ("Dansk", "da"), ("English", "en")]
        self.language.show_entries(view, entries, chosen.value if chosen else "")
        looks: list[tuple[str, str | None]] = [(view.texts(f"settings.look.{look}"), look.value) for look in Look]
        self.look.show_entries(view, looks, self.settings.look.value)
        sizes: list[tuple[str, str | None]] = [(view.texts(f"settings.text_size.{one}"), one.value) for one in TextSize]
        self.text_size.show_entries(view, sizes, self.settings.text_size.value)

    def _pick(self) -> None:
        chosen = str(self.language.currentData())
        language = Language(chosen) if chosen else None
        look, size = Look(str(self.look.currentData())), TextSize(str(self.text_size.currentData()))
        self.save.emit(replace(self.settings, language=language, look=look, text_size=size))


def _lacks_password(view: View, account: Account) -> bool:
    states = view.snapshot.accounts if view.snapshot else ()
    return any(one.account.id == account.id and one.registration is Registration.NO_PASSWORD for one in states)


def line_field(name: str) -> QLineEdit:
    """A field for one line of text."""
    field = QLineEdit()
    field.setObjectName(name)
    return field
