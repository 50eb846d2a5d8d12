"""What the window looks like: recording is a signal that needs no colour, red is for it alone, and one press is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QLabel

from softphone.domain.purpose import Headline, Language
from softphone.texts import Texts
from softphone.ui import place as remembered
from softphone.ui.application import dress
from softphone.ui.call.card import StatusCard
from softphone.ui.call.tiles import ActionButton
from softphone.ui.controls import Control
from softphone.ui.segments import Chip
from softphone.ui.theme import motion
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.tokens import Theme, load_themes
from softphone.ui.view import View
from softphone.ui.window import NARROWEST, WIDEST, DeskWindow
from softphone.wire.from_engine import Levels
from softphone.wire.snapshot import Look, TextSize
from tests.ui import events as e
from tests.ui import several
from tests.ui import states as s
from tests.ui.conftest import RESOURCES, Scene
from tests.ui.window.places import place

LOOKS: dict[Look, Theme] = dict(zip((Look.LIGHT, Look.DARK), load_themes(RESOURCES / "themes"), strict=True))
UI = Path(__file__).parents[3] / "softphone" / "ui"


def grey(image: QImage, box: QRect) -> float:
    """How light the box is as the colour-blind may see it: the mean of its greys, 0 to 255."""
    flat = image.convertToFormat(QImage.Format.Format_Grayscale8)
    points = [(x, y) for x in range(box.left(), box.right(), 3) for y in range(box.top(), box.bottom(), 3)]
    return sum(QColor(flat.pixel(x, y)).red() for x, y in points) / len(points)


def has(image: QImage, colour: str) -> bool:
    wanted = QColor(colour).rgb()
    return any(image.pixel(x, y) == wanted for x in range(0, image.width(), 2) for y in range(0, image.height(), 2))


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_recording_is_solid_without_any_colour_too_and_red_stands_for_nothing_else(scene: Scene, look: Look) -> None:
    scene.look, theme = look, LOOKS[look]
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    ground = QColor(theme.surface).lightness()
    for name, call in e.EVERY.items():
        scene.show(s.snapshot(call))
        QApplication.processEvents()
        recorded = call.status is not None and call.status.headline is Headline.RECORDING
        picture = desk.window.grab().toImage()
        card = place(desk.window.call.card)
        # A strip of the ground, between the text and the foot.
        strip = QRect(card.right() - 12, card.top() + 50, 9, 70)
        assert (abs(grey(picture, strip) - ground) > 45) is recorded, name
        assert has(picture, theme.red.fill) is recorded, name
        band = picture.pixelColor(card.left() + 3, card.center().y() - 30).name().upper()
        assert (band == theme.red.edge) is recorded, name


def test_the_card_tells_how_long_is_recorded_and_its_levels_come_only_while_somebody_can_see_them(scene: Scene) -> None:
    counted = replace(s.RECORDING, recorded=30.0, recorded_from=s.NOW - timedelta(seconds=63))
    desk = scene.open(s.snapshot(s.call(counted)))
    card = desk.window.call.card
    assert card.words is not None
    assert (card.words.clock, card.words.voices) == ("01:33", ("Du", "Kunden"))
    scene.qtbot.waitUntil(lambda: scene.watched() == [True], timeout=10_000)
    before = card.grab().toImage()
    scene.engine.tell(Levels(-12.0, -60.0))
    scene.qtbot.waitUntil(lambda: card.voices.shown[0] > 0.5, timeout=10_000)
    assert card.voices.shown[1] == 0.0
    assert card.grab().toImage() != before
    scene.show(s.snapshot(s.call(s.SENSITIVE)))
    scene.qtbot.waitUntil(lambda: scene.watched() == [True, False], timeout=10_000)
    assert card.voices.shown == (0.0, 0.0)
    scene.show(s.snapshot(s.call(s.RECORDING)))
    scene.qtbot.waitUntil(lambda: scene.watched()[2:] == [True], timeout=10_000)
    desk.window.open_settings()  # they need them too
    desk.window.close_settings()
    scene.show(s.snapshot())
    scene.qtbot.waitUntil(lambda: scene.watched()[2:] == [True, False], timeout=10_000)


def test_one_press_at_most_is_filled_and_yes_or_no_is_one_control(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    filled: dict[str, str] = {}
    for name, call in e.EVERY.items():
        scene.show(s.snapshot(call))
        QApplication.processEvents()
        asked = [one for one in desk.window.call.findChildren(ActionButton) if one.isVisible() and one.is_filled]
        assert len(asked) <= 1, name
        if asked:
            filled[name] = asked[0].objectName()
        for yes, no in zip(*[iter(desk.window.call.moment.answers.chips())] * 2, strict=True):
            assert (yes.last, no.first) == (False, False), name
            assert place(yes).right() + 1 == place(no).left(), name
    wanted = {"nobody_confirmed": "personAnswered", "paused_sensitive": "resume", "notice_failed": "playAgain"}
    assert wanted.items() <= filled.items()
    assert "read_aloud" not in filled  # not yet: it takes its time to read
    scene.show(s.snapshot(s.call(replace(s.READING, actions=(s.Action.NOTICE_READ,)))))
    assert [
        one.objectName() for one in desk.window.call.findChildren(ActionButton) if one.is_filled and one.isVisible()
    ] == ["noticeRead"]


def test_the_dock_says_what_is_on_and_its_tiles_keep_their_names_and_places(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    theme, mute = LOOKS[Look.LIGHT], desk.window.call.tools.mute
    words = [tile.text() for tile in desk.window.call.tools.tiles]
    assert words == ["Lydløs", "Hold", "Tastatur", "Omstil", "Pause", "Mere", "Læg på"]

    def ground() -> str:
        return desk.window.grab().toImage().pixelColor(place(mute).topLeft() + QPoint(8, 8)).name().upper()

    off = ground()
    scene.show(s.snapshot(replace(s.call(s.RECORDING), muted=True)))
    on = ground()
    assert (off, on) == (theme.surface, theme.text)
    assert [tile.text() for tile in desk.window.call.tools.tiles] == words
    assert mute.accessibleName() == "Slå mikrofonen til"
    hang_up = desk.window.call.hang_up
    assert hang_up.grab().toImage().pixelColor(8, 8).name().upper() == theme.hang_up.fill
    assert hang_up is desk.window.call.tools.tiles[-1]


def test_the_earlier_calls_take_the_room_that_is_left_and_give_it_back(scene: Scene) -> None:
    desk = scene.open(several.snapshot(several.TALKING))
    desk.window.resize(376, 760)
    QApplication.processEvents()
    moment = desk.window.call.moment
    assert moment.beside.shown == 2
    assert [label.text() for label in moment.beside.findChildren(QLabel) if label.isVisible()] == [
        "Tidligere samtaler",
        *("12. nov.", "Flytning aftalt", "gemt"),
        *("3. nov.", "Kundeservice · 01:35", "slettet"),
    ]
    for call in (s.call(s.PLAYING), s.call(s.READING), e.CALLS["obliged_noted"]):
        scene.show(several.snapshot(call))
        assert moment.beside.shown == 0
        assert not moment.beside.note.isVisible()
    scene.show(several.snapshot(several.TALKING))
    scene.press("noticeFold")
    assert moment.beside.shown == 0
    scene.press("noticeFold")
    QApplication.processEvents()
    scene.show(several.snapshot(replace(several.TALKING, note="Spurgte til bindingsperioden")))
    assert moment.beside.note.isVisible()
    assert moment.beside.note.toPlainText() == "Spurgte til bindingsperioden"
    for height in (620, 600, 580, 560):
        desk.window.resize(376, height)
        QApplication.processEvents()
        assert desk.window.call.first.reel.verticalScrollBar().maximum() == 0, height
        card = moment.beside.card
        assert card.isHidden() or place(card).bottom() <= place(desk.window.call.first.reel).bottom(), height


def test_a_larger_text_chosen_at_run_time_makes_all_of_it_larger(scene: Scene) -> None:
    state = s.snapshot(s.call(s.RECORDING))
    desk = scene.open(state)
    before, card = desk.window.call.party.name.font().pixelSize(), desk.window.call.card.height()
    try:
        scene.show(replace(state, settings=replace(state.settings, text_size=TextSize.LARGE)))
        scene.qtbot.waitUntil(lambda: desk.window.call.party.name.font().pixelSize() > before, timeout=10_000)
        assert desk.window.call.card.height() > card
        assert desk.window.top.dot.width() > 10
        assert desk.window.minimumWidth() > NARROWEST
    finally:
        scene.show(s.snapshot())  # the size is one for the whole program
    assert desk.window.call.card.height() == card


def test_a_wide_window_keeps_a_column_that_can_be_read(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    desk.window.resize(1000, 700)
    QApplication.processEvents()
    card = place(desk.window.call.card)
    assert card.width() <= WIDEST
    assert abs(card.center().x() - 500) <= 1


def test_the_window_comes_back_where_it_was_but_never_to_a_screen_that_has_gone(
    qapp: QApplication, tmp_path: Path
) -> None:
    file, screen = tmp_path / "deep" / "window.json", qapp.primaryScreen().availableGeometry()
    wanted = QRect(screen.left() + 60, screen.top() + 40, 420, 560)

    def opened() -> QRect:
        window = DeskWindow()
        remembered.restore(window, file)
        found = QRect(window.pos(), window.size())
        window.deleteLater()
        return found

    at_first = opened()
    remembered.remember(wanted, file)
    assert opened() == wanted
    remembered.remember(wanted.translated(9000, 0), file)
    away = opened()
    assert away.size() == wanted.size()
    assert away.topLeft() == at_first.topLeft()
    for broken in (
        "",
        "{}",
        '{"x": "a"}',
        '{"x": 1e999, "y": 0, "width": 1, "height": 1}',
        "[1, 2]",
        '{"x":0,"y":0,"width":-3,"height":9}',
    ):
        file.write_text(broken, encoding="utf-8")
        assert opened() == at_first, broken
    file.unlink()
    file.mkdir()
    remembered.remember(wanted, file)  # cannot be written: nobody is troubled with it
    assert opened() == at_first


def test_a_desk_that_goes_out_of_sight_or_ends_has_written_down_where_it_was(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "window.json"
    desk = scene.open(s.snapshot(several.TALKING), place=file)
    desk.window.resize(401, 603)
    desk.window.hide()  # as into the tray
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert (kept["width"], kept["height"]) == (401, 603)
    desk.window.show()
    desk.window.resize(433, 640)
    scene.press("toggleCompact")
    desk.close()
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert (kept["width"], kept["height"]) == (433, 640)


def test_what_was_there_fades_for_a_moment_unless_less_movement_is_asked_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scene.open(s.snapshot(s.call(s.PLAYING)))
    card = desk.window.call.card
    for reduced in (True, False):
        monkeypatch.setattr(motion, "is_reduced", lambda reduced=reduced: reduced)
        scene.show(s.snapshot(s.call(s.PLAYING)))
        scene.qtbot.waitUntil(lambda: not card.fades, timeout=10_000)
        scene.show(s.snapshot(s.call(s.RECORDING)))
        assert card.fades is not reduced
    scene.qtbot.waitUntil(lambda: not card.fades, timeout=10_000)


@pytest.mark.parametrize(
    ("file", "words", "reduced"),
    [
        ("gtk-3.0/settings.ini", "[Settings]\ngtk-enable-animations=0\n", True),
        ("gtk-4.0/settings.ini", "[Settings]\ngtk-enable-animations=true\n", False),
        ("kdeglobals", "[KDE]\nAnimationDurationFactor=0\n", True),
        ("kdeglobals", "no settings at all", False),
    ],
)
def test_a_desktop_that_wants_less_movement_is_heard(tmp_path: Path, file: str, words: str, reduced: bool) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(words, encoding="utf-8")
    assert motion.desktop_says_no(tmp_path) is reduced


def test_a_tooltip_says_what_cannot_be_read_on_the_button(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    for state in (s.snapshot(s.call(s.RECORDING)), several.STATES["several_calls"], s.READY):
        scene.show(state)
        for control in desk.window.findChildren(Control):
            if control.isVisible() and control.text() and control.isEnabled():
                first = control.toolTip().partition("\n")[0]
                assert first.partition(" · ")[0] != control.text(), control.objectName()
    assert desk.window.call.tools.hold.toolTip() == "Sæt samtalen på hold · Ctrl+H"
    assert desk.window.call.rights.dispute.toolTip() == "Ctrl+D"


class Painted(QObject):
    """Hears what is painted anew, by name."""

    def __init__(self, app: QApplication) -> None:
        super().__init__()
        self.names = set[str]()
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 Qt calls it by this name
        if event.type() is QEvent.Type.Paint and isinstance(watched, Control | StatusCard | QLabel):
            self.names.add(watched.objectName())
        return False


@pytest.mark.parametrize("state", ["recording", "four_calls", "ready"])
def test_a_second_that_passes_paints_what_it_has_changed_and_nothing_else(qapp: QApplication, state: str) -> None:
    fourth = replace(several.OTHER, id="call-4", name="Alma Friis")
    snapshot, counts = {
        "recording": (s.snapshot(several.TALKING), {"callTimer", "statusCard"}),
        "four_calls": (
            several.snapshot(several.TALKING, several.OTHER, fourth, several.RINGS),
            {"callTimer", "statusCard", "waitingSince", "callTab_0", "callTab_1", "callTab_2"},
        ),
        "ready": (s.READY, set[str]()),
    }[state]
    theme, icons = LOOKS[Look.LIGHT], Icons(RESOURCES / "icons")
    texts = Texts(RESOURCES / "translations", Language.DA, "Europe/Copenhagen")
    dress(theme)
    window = DeskWindow()  # without a desk, whose own seconds pass too
    window.show()
    heard: list[set[str]] = []
    for second in (1, 1, 1, 2):
        painted = Painted(qapp)
        window.render_view(View(snapshot, texts, theme, icons, s.NOW + timedelta(seconds=second), connected=True))
        for _ in range(4):
            QApplication.processEvents()
        qapp.removeEventFilter(painted)
        heard.append(painted.names)
    window.leave()
    window.deleteLater()
    QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
    assert heard[2:] == [set(), counts]


def test_the_program_has_an_icon_of_its_own(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    icon = desk.window.windowIcon()
    assert not icon.isNull()
    drawn = icon.pixmap(64, 64).toImage()
    assert drawn.pixelColor(32, 32) != drawn.pixelColor(12, 12)
    assert drawn.pixelColor(0, 0).alpha() < 40


@pytest.mark.parametrize("language", Language)
def test_chips_of_a_question_stand_in_its_line_where_there_is_room(scene: Scene, language: Language) -> None:
    scene.language = language
    desk = scene.open(s.snapshot(s.LOCKED_CALL))
    desk.window.resize(376, 700)
    QApplication.processEvents()
    row = desk.window.call.moment.choices
    question = next(label for label in row.findChildren(QLabel) if label.text())
    first, second = row.findChildren(Chip)
    assert first.fits()
    assert second.fits()
    assert place(first).top() < place(question).center().y() < place(first).bottom()
