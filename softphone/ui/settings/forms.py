"""The parts of the settings: appearance, and what all of them have in common. Each shows the current values and asks
for others."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from softphone.domain.purpose import Language
from softphone.ui.fields import Card, ComboBox, TextLabel
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View
from softphone.wire.snapshot import Look, Settings, TextSize


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
            label.setContentsMargins(0, 6, 0, 0)  # with the label, the room above it goes too
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


class SaidLabel(TextLabel):
    """What came of a press, below its button: it takes no room while there is nothing to say."""

    def __init__(self, name: str) -> None:
        super().__init__(name, size=SMALL, role="muted", wrap=True)
        self.hide()

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setVisible(bool(text))


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
