"""The words for a connection, in both languages."""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.words.quality import quality_rows, quality_word
from softphone.wire.snapshot import Quality
from tests.ui import states as s
from tests.ui.conftest import RESOURCES, Scene

LINE = Quality("bad", 51.24, 2.64, loss=0.0312, jitter=0.0184, round_trip=0.24, buffer=0.06, codec="PCMA")


def test_all_the_figures_stand_in_the_menu_of_the_call(scene: Scene) -> None:
    call = s.call(s.RECORDING)
    desk = scene.open(s.snapshot(call))
    menu = desk.window.call.tools.menu.quality
    assert not menu.menuAction().isEnabled()
    scene.engine.tell(s.snapshot(replace(call, quality=LINE)))
    scene.qtbot.waitUntil(lambda: menu.menuAction().isEnabled(), timeout=3000)
    assert menu.rows[2].text() == "Packet loss in – 3.1%"
    assert menu.rows[-1].text() == "Codec – PCMA"


def test_a_good_line_says_nothing_and_what_the_other_end_does_not_tell_is_not_made_up() -> None:
    danish = Texts(RESOURCES / "translations", Language.DA)
    assert quality_word(danish, None) == quality_word(danish, replace(LINE, word="good")) == ""
    assert quality_word(danish, LINE) == "Dårlig forbindelse"
    rows = dict(quality_rows(danish, LINE))
    assert rows["Samlet vurdering"] == "51 af 100 (MOS 2,6)"
    assert rows["Pakketab ind"] == "3,1 %"
    assert rows["Pakketab ud"] == "Oplyses ikke af den anden ende"
    assert rows["Svartid"] == "240 ms"
    assert ("Packet loss in", "3.1%") in quality_rows(Texts(RESOURCES / "translations", Language.EN), LINE)
