"""The parts of the settings: appearance, and what all of them have in common. Each shows the current values and asks
for others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from softphone.domain.purpose import Language
from softphone.system.settings_schema import ACCOUNT_SCHEMA, SCHEMA
from softphone.ui.fields import Card, ComboBox, TextLabel
from softphone.ui.theme.scale import px
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View
from softphone.wire.snapshot import Look, Settings, TextSize

_KEYS = {one.label: "accounts" for one in ACCOUNT_SCHEMA} | {one.label: one.key for one in SCHEMA}
"""the setting that a field with this name changes"""


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
        self.managed = TextLabel(f"{name}Managed", size=SMALL, role="muted", wrap=True)
        self.managed.setContentsMargins(0, 0, 0, 6)
        self.managed.hide()
        self.body.addWidget(self.managed)
        self._fields: list[Field] = []
        self.settings = Settings()
        self._locked: Mapping[str, str] = {}

    def field(self, code: str, widget: QWidget, inside: QVBoxLayout | None = None) -> None:
        """`inside`: another place than the card's own."""
        layout = inside or self.body
        field = Field(code, widget, apart=layout.count() > 1)
        self._fields.append(field)
        layout.addWidget(field.row)
        layout.addWidget(widget)

    def show_field(self, widget: QWidget, *, shown: bool) -> None:
        """With its label."""
        for field in self._fields:
            if field.widget is widget:
                field.row.setVisible(shown)
        widget.setVisible(shown)

    def render_view(self, view: View) -> None:
        self.heading.setText(view.texts(f"settings.{self.name}"))
        if view.snapshot:
            self.settings, self._locked = view.snapshot.settings, view.snapshot.locked
        for field in self._fields:
            field.render_view(view, self._locked.get(field.key, ""))
        places = dict.fromkeys(self._locked[one.key] for one in self._fields if one.key in self._locked)
        self.managed.setVisible(bool(places))
        self.managed.setText(view.texts("settings.managed", place=", ".join(places)) if places else "")

    def place_of_lock(self, key: str) -> str:
        """Where the organisation has locked this setting; empty: the user may change it."""
        return self._locked.get(key, "")

    def hint(self, field: QLineEdit, text: str) -> None:
        """What an empty field means; nothing where it is locked, which would read as something that can be typed."""
        field.setPlaceholderText(text if self.can_change(field) else "")

    def can_change(self, widget: QWidget) -> bool:
        """Whether the organisation leaves it to the user."""
        return not any(one.widget is widget and one.key in self._locked for one in self._fields)


class Field:
    """A name over what can be changed, with a lock where the organisation has set it."""

    def __init__(self, code: str, widget: QWidget, *, apart: bool) -> None:
        self.code, self.widget = code, widget
        self.key = _KEYS.get(code, "")
        self.row = QWidget()
        self.label = TextLabel(size=SMALL, role="muted")
        self.label.setBuddy(widget)
        self.lock = Lock()
        row = QHBoxLayout(self.row)
        row.setContentsMargins(0, 6 if apart else 0, 0, 0)  # with the label, the room above it goes too
        row.setSpacing(5)
        row.addWidget(self.lock)
        row.addWidget(self.label, 1)
        self._was_locked = False

    def render_view(self, view: View, place: str) -> None:
        name = view.texts(self.code)
        self.label.setText(name)
        said = view.texts("settings.managed", place=place) if place else ""
        self.lock.show_for(view, said)
        self.widget.setAccessibleName(view.texts("settings.managed.name", name=name) if place else name)
        if place or self._was_locked:
            self.widget.setAccessibleDescription(said)
            self.widget.setToolTip(said)
            self.widget.setEnabled(not place)
        self._was_locked = bool(place)


class Lock(QWidget):
    """A small lock; it takes no room where nothing is locked."""

    def __init__(self) -> None:
        super().__init__()
        self._view: View | None = None
        self.hide()

    def sizeHint(self) -> QSize:
        return QSize(px(14), px(14))

    def show_for(self, view: View, said: str) -> None:
        self._view = view
        self.setFixedSize(self.sizeHint())
        self.setToolTip(said)
        self.setAccessibleName(said)
        self.setVisible(bool(said))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._view is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._view.icons.draw(painter, "lock", self._view.theme.muted, QRectF(self.rect()))
            painter.end()


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
