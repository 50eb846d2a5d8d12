"""The window beside the pictures of it that somebody has looked at (`make pictures-reference` takes them anew)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QFont, QImage
from PySide6.QtWidgets import QApplication

from softphone.ui import application, pictures
from softphone.ui.call.page import CallPage
from softphone.ui.theme import tokens
from softphone.ui.view import View
from softphone.wire.snapshot import CallState
from tests.pictures.reference import FOLDER, REFERENCES, differences, taken

SEEN = Path(__file__).parents[2] / "build" / "pictures" / "compared"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="letters are drawn by other means elsewhere")


def compared(name: str) -> list[str]:
    return list(differences(taken(name, SEEN / f"{name}.png"), QImage(str(FOLDER / f"{name}.png"))))


@pytest.mark.parametrize("name", REFERENCES)
def test_the_window_looks_as_somebody_has_seen_it(qapp: QApplication, name: str) -> None:
    found = compared(name)
    assert not found, f"{SEEN / name}.png beside {FOLDER / name}.png: " + "; ".join(found)


def _moved(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = CallPage.render_view

    def render(self: CallPage, view: View, call: CallState) -> None:
        drawn(self, view, call)
        self.rights.dispute.move(self.rights.dispute.x() + 6, self.rights.dispute.y())

    monkeypatch.setattr(CallPage, "render_view", render)


def _recoloured(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(folder: Path) -> tuple[tokens.Theme, ...]:
        return tuple(replace(theme, accent="#1A60D0") for theme in tokens.load_themes(folder))

    monkeypatch.setattr(pictures, "load_themes", load)


@pytest.mark.parametrize(
    ("planted", "said"), [(_moved, "of 255 off"), (_recoloured, "the colour #1257c7")], ids=["moved", "recoloured"]
)
def test_a_button_moved_by_six_pixels_and_a_blue_that_is_another_are_found(
    qapp: QApplication,
    monkeypatch: pytest.MonkeyPatch,
    planted: Callable[[pytest.MonkeyPatch], None],
    said: str,
) -> None:
    planted(monkeypatch)
    assert any(said in found for found in compared("recording"))


def test_letters_with_other_edges_are_not_told(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = QFont(qapp.font())
    unhinted = QFont(usual)
    unhinted.setHintingPreference(QFont.HintingPreference.PreferNoHinting)

    def set_fonts(app: QApplication) -> None:
        app.setFont(unhinted)

    monkeypatch.setattr(application, "set_fonts", set_fonts)
    try:
        seen = taken("recording", SEEN / "recording.png")
    finally:
        qapp.setFont(usual)
    wanted = QImage(str(FOLDER / "recording.png"))
    assert seen.convertToFormat(wanted.format()) != wanted
    assert list(differences(seen, wanted)) == []
