"""What is typed into the settings, and what they have asked the engine to save."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit

from softphone.wire.to_engine import SaveSettings
from tests.ui.conftest import Scene


def field(scene: Scene, name: str) -> QLineEdit:
    found = scene.widget(name)
    assert isinstance(found, QLineEdit)
    return found


def saved(scene: Scene, count: int = 1) -> list[SaveSettings]:
    scene.qtbot.waitUntil(
        lambda: len([c for c in scene.commands() if isinstance(c, SaveSettings)]) >= count, timeout=10_000
    )
    return [command for command in scene.commands() if isinstance(command, SaveSettings)]
