"""The words for a connection, in both languages."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.words.quality import quality_rows, quality_word
from softphone.wire.snapshot import Quality
from tests.ui import states as s
from tests.ui.conftest import RESOURCES, Scene

LINE = Quality("bad", 51.24, 2.64, loss=0.0312, jitter=0.0184, round_trip=0.24, buffer=0.06, codec="PCMA")


def test_all_the_figures_are_a_page_of_the_call_that_the_small_word_and_the_menu_open(scene: Scene) -> None:
    call = s.call(s.RECORDING)
    desk = scene.open(s.snapshot(call))
    page, entry = desk.window.call, desk.window.call.tools.menu.connection
    assert (entry.isEnabled(), entry.text()) == (False, "Forbindelse – måles …")
    scene.show(s.snapshot(replace(call, quality=LINE)))
    scene.press("qualityWord")
    assert page.quality.isVisible()
    shown = [
        (name.text(), figure.text()) for name, figure in zip(page.quality.names, page.quality.figures, strict=True)
    ]
    assert page.quality.title.text() == "Dårlig forbindelse"
    assert shown[:2] == [("Samlet vurdering", "51 af 100 (MOS 2,6)"), ("Pakketab ind", "3,1 %")]
    scene.press("copyQuality")
    assert (
        "Dårlig forbindelse\nSamlet vurdering: 51 af 100 (MOS 2,6)\nPakketab ind: 3,1 %"
        in QApplication.clipboard().text()
    )
    # They go on being those of now, and Escape closes them.
    scene.show(s.snapshot(replace(call, quality=replace(LINE, word="good", loss=0.0))))
    assert page.quality.figures[1].text() == "0,0 %"
    assert not page.party.quality.isVisible()
    scene.keys(Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert not page.quality.isVisible()
    entry.trigger()
    assert page.quality.isVisible()
    # Another call's figures are not these.
    scene.show(s.snapshot(replace(call, id="call-2")))
    assert not page.quality.isVisible()


def test_a_good_line_says_nothing_and_what_the_other_end_does_not_tell_is_not_made_up() -> None:
    danish = Texts(RESOURCES / "translations", Language.DA)
    assert quality_word(danish, None) == quality_word(danish, replace(LINE, word="good")) == ""
    assert quality_word(danish, LINE) == "Dårlig forbindelse"
    rows = dict(quality_rows(danish, LINE))
    assert rows["Samlet vurdering"] == "51 af 100 (MOS 2,6)"
    assert rows["Pakketab ind"] == "3,1 %"
    assert rows["Pakketab ud"] == "oplyses ikke"
    assert rows["Svartid"] == "240 ms"
    assert ("Packet loss in", "3.1%") in quality_rows(Texts(RESOURCES / "translations", Language.EN), LINE)
