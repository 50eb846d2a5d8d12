"""What stands where: nothing moves when the state changes, no words are cut off, and every page fits a small screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QScrollBar, QWidget

from softphone.domain.purpose import Language
from softphone.ui.call.tiles import ActionButton
from softphone.ui.window import HEIGHT, WIDTH
from softphone.wire.snapshot import CodedText
from tests.ui import events as e
from tests.ui import states as s
from tests.ui.conftest import Scene
from tests.ui.window.places import place


@pytest.mark.parametrize("language", Language)
def test_every_page_fits_the_narrowest_window_and_a_screen_at_200_percent(scene: Scene, language: Language) -> None:
    scene.language = language
    desk = scene.open(s.READY)
    faulty = replace(s.READY, policy=s.PolicyState(s.PolicyPhase.FAULTY, faults=(CodedText("a", line=3, key="b"),)))
    states = (s.READY, faulty, e.TO_CALL_BACK, e.LAST_GOOD, e.UNSIGNED, e.WITH_REMARKS)
    for state in (*states, s.snapshot(s.LOCKED_CALL), s.snapshot(s.INCOMING)):
        scene.show(state)
        for opened in (False, True):
            if opened:
                desk.window.open_settings()
            QApplication.processEvents()
            assert desk.window.minimumSizeHint().width() <= 320
            assert desk.window.minimumSizeHint().height() <= 540  # 1080 pixels at 200 %
            desk.window.close_settings()


@pytest.mark.parametrize("width", [320, 376])
def test_long_danish_words_of_a_policy_stay_within_their_places(scene: Scene, width: int) -> None:
    why = (
        "Samtaler om skadesanmeldelser og dækningstilsagn i sundhedsforsikringsordningerne skal kunne dokumenteres i "
        "nævnet og over for enhver, der senere beder om at få sagen prøvet eller anmeldelsen genoptaget på ny"
    )
    party, line = "sundhedsforsikringstageren", "Sundhedsforsikringsselskabernes kundeservice"
    sales = replace(s.SALES, party={Language.DA: party}, name={Language.DA: line}, why={s.DOC: {Language.DA: why}})
    desk = scene.open(s.snapshot())
    desk.window.resize(width, 640)
    for name, call in e.EVERY.items():
        scene.show(replace(s.snapshot(replace(call, line="salg")), lines=(sales,)))
        QApplication.processEvents()
        assert desk.window.width() == width
        for button in desk.window.call.findChildren(ActionButton):
            if button.isVisible():
                assert not button.overflows(), f"{name}: {button.text()} / {button.sub()}"
        words = desk.window.call.card.words
        assert words is not None
        if desk.window.call.card.overflows():
            assert words.body in desk.window.call.card.toolTip()
    scene.show(replace(s.snapshot(s.call(s.DOCUMENTED)), lines=(sales,)))
    assert desk.window.call.card.shown_body().endswith(" …")
    assert why[1:] in desk.window.call.card.toolTip()


def test_a_name_too_long_for_the_window_is_shortened_and_pushes_nothing_out(scene: Scene) -> None:
    name = "Sundhedsforsikringsselskabernes Fællesadministration og Kundeservicecenter"
    desk = scene.open(s.snapshot(s.call(s.RECORDING, name=name)))
    desk.window.resize(320, 700)
    QApplication.processEvents()
    assert desk.window.width() == 320
    assert desk.window.call.party.name.elided()
    timer = desk.window.call.party.timer
    assert timer.mapTo(desk.window, QPoint(timer.width(), 0)).x() <= 320


@pytest.mark.parametrize("width", [320, 376])
def test_the_bar_of_what_scrolls_covers_nothing(scene: Scene, width: int) -> None:
    desk = scene.open(s.snapshot(s.call(s.READING)))
    desk.window.resize(width, 545)
    QApplication.processEvents()
    reel = desk.window.call.first.reel
    bar = next(one for one in reel.findChildren(QScrollBar) if one.parent() is reel)
    assert bar.isVisible()
    for part in desk.window.call.moment.findChildren(QWidget):
        if part.isVisible():
            assert not place(part).intersects(place(bar)), part.objectName()


def test_what_goes_on_below_the_edge_fades_out_there_and_its_end_does_not(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.READING)))
    desk.window.resize(320, 620)
    QApplication.processEvents()
    reel = desk.window.call.first.reel
    fade = reel.findChild(QWidget, "fade")
    assert fade is not None
    assert fade.isVisible()

    def colours_above_the_edge() -> set[str]:
        seen, box = desk.window.grab().toImage(), place(reel)
        return {seen.pixelColor(x, box.bottom() - 1).name() for x in range(box.left() + 4, box.right() - 12)}

    assert len(colours_above_the_edge()) <= 3, "a line is cut through"
    bar = reel.verticalScrollBar()
    bar.setValue(bar.maximum())
    QApplication.processEvents()
    text = desk.window.call.moment.notice.card
    assert place(text).bottom() <= place(reel).bottom()
    assert not fade.isVisible()


@pytest.mark.parametrize("language", Language)
def test_a_window_of_its_usual_size_shows_the_longest_text_to_read_aloud_whole(
    scene: Scene, language: Language
) -> None:
    scene.language = language
    desk = scene.open(s.snapshot(s.call(s.READING)))
    desk.window.resize(WIDTH, HEIGHT)
    QApplication.processEvents()
    assert desk.window.call.first.reel.verticalScrollBar().maximum() == 0
