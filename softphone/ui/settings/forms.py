"""The parts of the settings: sound, appearance, and what all of them have in common. Each shows the current values and asks
for others."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from softphone.domain.purpose import Language
from softphone.ui.controls import FilledButton
from softphone.ui.fields import Card, ComboBox, TextLabel
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, new_id
from softphone.wire import Levels, Look, Settings, TestTone, TextSize

_SILENCE_DB = -60.0


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

    def field(self, code: str, widget: QWidget, inside: QVBoxLayout | None = None) -> None:
        """`inside`: another place than the card's own."""
        layout = inside or self.body
        label = TextLabel(size=SMALL, role="muted")
        label.setBuddy(widget)
        self._labels.append((label, code, widget))
        if layout.count():
            layout.addSpacing(6)
        layout.addWidget(label)
        layout.addWidget(widget)

    def show_field(self, widget: QWidget, *, shown: bool) -> None:
        """With its label."""
        for label, _, labelled in self._labels:
            if labelled is widget:
                label.setVisible(shown)
        widget.setVisible(shown)

    def render_view(self, view: View) -> None:
        self.heading.setText(view.texts(f"settings.{self.name}"))
        for label, code, widget in self._labels:
            label.setText(view.texts(code))
            widget.setAccessibleName(view.texts(code))
        if view.snapshot:
            self.settings = view.snapshot.settings


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


def line_field(name: str) -> QLineEdit:
    """A field for one line of text."""
    field = QLineEdit()
    field.setObjectName(name)
    return field
