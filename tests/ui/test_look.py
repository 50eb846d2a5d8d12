"""Colours, icons and words of the desk: contrast is computed, both catalogs are whole, pictures can be taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from softphone.domain.errors import EngineError
from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.pictures import Camera, Picture, take_all
from softphone.ui.theme.tokens import Theme, load_themes
from tests.ui import several
from tests.ui import states as s
from tests.ui.conftest import RESOURCES, Scene

LIGHT, DARK = load_themes(RESOURCES / "themes")
UI = Path(__file__).parents[2] / "softphone" / "ui"


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_aa_contrast_on_its_ground(theme: Theme) -> None:
    grounds = [
        (theme.text, theme.window),
        (theme.text, theme.surface),
        (theme.muted, theme.window),
        (theme.muted, theme.surface),
        (theme.accent, theme.surface),
        (theme.on_accent, theme.accent),
        (theme.hang_up.ink, theme.hang_up.fill),
        (theme.accent, theme.chosen),
        (theme.window, theme.text),
        ("#0B1B13" if theme.dark else "#FFFFFF", theme.ok),
        (theme.danger, theme.surface),
        (theme.danger, theme.window),
        (theme.lock_ink, theme.lock_fill),
        (theme.lock_ink, theme.surface),
    ]
    for name in ("neutral", "amber", "red", "blue", "fault"):
        tone = theme.tone(name)
        grounds.append((tone.ink, tone.fill))
        card = theme.card(name)
        grounds.append((card.ink, card.fill))
        if name != "red":
            grounds.append((theme.muted, card.fill))
    for ink, ground in grounds:
        assert contrast(ink, ground) >= 4.5, (ink, ground)
    for name in ("neutral", "amber", "red", "blue", "fault"):
        card = theme.card(name)
        assert contrast(card.mark, card.fill) >= 3.0, name
        # The card that says that nothing is recorded is seen as well as the one that says the opposite (WCAG 1.4.11).
        for ground in (theme.window, theme.surface):
            assert contrast(card.edge, ground) >= 3.0, name
        assert contrast(theme.tone(name).mark, theme.window) >= 3.0, name
    assert contrast("#FFFFFF", theme.red.fill) >= 6.0


def test_every_icon_is_a_drawing_and_every_icon_that_is_named_exists(qapp: QApplication) -> None:
    drawn = {file.stem for file in (RESOURCES / "icons").glob("*.svg")}
    for file in (RESOURCES / "icons").glob("*.svg"):
        assert QSvgRenderer(str(file)).isValid(), file.name
        assert "currentColor" in file.read_text(encoding="utf-8"), file.name
    named = set[str]()
    for module in UI.rglob("*.py"):
        named |= set(re.findall(r'icon="(\w+)"', module.read_text(encoding="utf-8")))
    assert named
    assert named <= drawn


@pytest.mark.parametrize(
    ("sentence", "button"), [("card.read.starts", "press.notice_read"), ("card.paused.by_hand", "press.resume")]
)
@pytest.mark.parametrize("language", Language)
def test_a_button_named_in_a_sentence_stands_in_quotation_marks(language: Language, sentence: str, button: str) -> None:
    said = Texts(RESOURCES / "translations", language)
    opened, closed = "»«" if language is Language.DA else "“”"
    assert f"{opened}{said(button)}{closed}" in said(sentence)


def test_every_code_that_the_desk_names_has_a_sentence() -> None:
    known = Texts(RESOURCES / "translations", Language.DA)
    for module in UI.rglob("*.py"):
        source = module.read_text(encoding="utf-8")
        for code in re.findall(r'(?:texts|say)\(\s*"([a-z_.]+)"', source):
            assert code in known, f"{module.name}: {code}"


def test_pictures_are_taken_in_both_languages_and_looks(qapp: QApplication, tmp_path: Path) -> None:
    told: list[Path] = []
    pictures = [
        Picture("recording", s.snapshot(s.call(s.RECORDING)), s.NOW),
        Picture("corner", s.snapshot(s.INCOMING), s.NOW, corner=True),
    ]
    resources = (RESOURCES / "translations", RESOURCES / "icons", RESOURCES / "themes")
    files = take_all(pictures, tmp_path, *resources, report=told.append)
    assert sorted(file.name for file in files) == sorted(
        f"{name}-{language}-{look}.png"
        for name in ("recording", "corner")
        for language in ("da", "en")
        for look in ("light", "dark")
    )
    assert told == files
    images = {file.name: QImage(str(file)) for file in files}
    assert all(images[name].width() >= (336 if name.startswith("corner") else 376) for name in images)
    assert images["corner-da-light.png"].height() < 300  # it alone, not the desk's window
    assert images["recording-da-light.png"] != images["recording-en-light.png"]
    assert images["recording-da-light.png"] != images["recording-da-dark.png"]
    card = images["recording-da-light.png"].pixelColor(300, 200).name().upper()
    assert card == LIGHT.red.fill


def test_a_picture_that_cannot_be_written_is_an_error_for_a_person(qapp: QApplication, tmp_path: Path) -> None:
    camera = Camera(RESOURCES / "translations", RESOURCES / "icons", RESOURCES / "themes")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(EngineError) as refused:
        camera.take(Picture("a", s.READY, s.NOW), tmp_path / "taken.png", Language.DA, dark=False)
    assert refused.value.code == "error.pictures.unwritable"
    assert refused.value.code in Texts(RESOURCES / "translations", Language.DA)


def test_the_tabs_keep_away_from_the_windows_edge(scene: Scene) -> None:
    window = scene.open(several.STATES["several_calls"]).window
    scene.qtbot.waitUntil(lambda: len(window.top.tabs.shown()) == 3)
    for tab in window.top.tabs.shown():
        place = tab.mapTo(window, tab.rect().topLeft())
        assert place.y() >= 4
        assert place.y() + tab.height() <= window.top.geometry().bottom()
