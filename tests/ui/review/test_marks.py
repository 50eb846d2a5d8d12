"""What of a recording was not recorded, never came, is missing or broke off: drawn, and told in words to who cannot see it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from softphone.archive.files.container import Chunk, read_header, scan
from softphone.archive.files.reader import Mark, MarkKind
from softphone.domain.errors import SoundError
from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.review import words
from softphone.ui.review.app import Review
from softphone.ui.review.waveform import TOP, Waveform
from softphone.ui.review.window import HEIGHT, LOWEST, NARROWEST, WIDTH
from softphone.ui.theme.tokens import load_themes
from tests.archive.scene import AT, RATE, Scene, voices
from tests.ui.review.team import ANNA, RESOURCES, Reviewed, take
from tests.ui.review.test_panel import view
from tests.ui.review.test_review import key, listen, rows

DANISH = Texts(RESOURCES / "translations", Language.DA)
LIGHT, _ = load_themes(RESOURCES / "themes")


def damage(desk: Scene, recording: str, kind: MarkKind) -> None:
    """The third second is changed; the end cut off; or the second segment changed as a whole."""
    path = desk.archive.vault.path(recording)
    whole = bytearray(path.read_bytes())
    chunks = [one for one in scan(bytes(whole), read_header(bytes(whole))[1]) if isinstance(one, Chunk)]
    if kind is MarkKind.BROKE_OFF:
        del whole[chunks[-1].offset :]
    for chunk in chunks:
        if (kind is MarkKind.DAMAGED and chunk.index == 2) or (kind is MarkKind.LOST and chunk.segment == 1):
            whole[chunk.offset + 40] ^= 1
    path.write_bytes(whole)


def first_open(qtbot: QtBot, on: Reviewed) -> Review:
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: review.opened is not None, timeout=10_000)
    return review


@pytest.mark.parametrize("kind", [MarkKind.DAMAGED, MarkKind.BROKE_OFF, MarkKind.LOST])
def test_a_recording_that_is_not_whole_does_not_look_whole(
    qtbot: QtBot, desk: Scene, on: Reviewed, kind: MarkKind
) -> None:
    more = [(8 * 50, voices(1))] if kind is MarkKind.LOST else []
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(5), more=more)
    damage(desk, recording, kind)
    review = first_open(qtbot, on)
    detail, wave = review.window.detail, review.window.detail.waveform
    qtbot.waitUntil(detail.marks.isVisible, timeout=10_000)
    (mark,) = wave.marks
    at, told = {
        MarkKind.DAMAGED: (2 * RATE, "Mangler 0:01 ved 0:01"),
        MarkKind.BROKE_OFF: (4 * RATE, "Afbrudt ved 0:0"),
        MarkKind.LOST: (5 * RATE, "En del af optagelsen kan ikke åbnes"),
    }[kind]
    assert (mark.kind, mark.at) == (kind, pytest.approx(at, abs=RATE))
    assert detail.marks.text().startswith(told)
    assert detail.marks.text() in wave.accessibleDescription()
    # In the picture too, and in the colour of what is wrong.
    qtbot.waitUntil(lambda: wave.drawn_whole, timeout=10_000)
    seen = wave.grab().toImage()
    wanted = QColor(LIGHT.amber.fill if mark.samples else LIGHT.amber.mark)
    amber = [x for x in range(seen.width()) if seen.pixelColor(x, TOP + 3) == wanted]
    assert amber
    assert abs(amber[0] - wave._x(mark.at)) < 6


def test_comments_close_together_stand_beside_each_other_and_lead_to_their_moments(qtbot: QtBot) -> None:
    wave = Waveform()
    qtbot.addWidget(wave)
    wave.resize(400, 120)
    wave.begin(3600 * RATE)
    wave.render_view(view(), "", "")
    wave.show_moments([600 * RATE, 630 * RATE, 660 * RATE])
    seen, here = wave.grab().toImage(), round(wave._x(660 * RATE))
    above, below = (
        [x for x in range(seen.width()) if seen.pixelColor(x, y) == QColor(LIGHT.accent)] for y in (TOP // 2, TOP + 1)
    )
    assert max(above) > here + 30
    assert here - 10 < min(below) < max(below) < here + 10


def test_what_is_told_names_the_worst_first_no_blinks_and_not_all_of_very_many() -> None:
    pauses = [Mark(MarkKind.PAUSE, number * 10 * RATE, RATE) for number in range(1, 8)]
    blink = Mark(MarkKind.GAP, 5 * RATE, 640)
    gap, lost = Mark(MarkKind.GAP, 65 * RATE, 2 * RATE), Mark(MarkKind.LOST, 90 * RATE, 0)
    broke_off = Mark(MarkKind.BROKE_OFF, 80 * RATE, 0)
    assert words.marks(DANISH, [blink]) == ""
    assert words.marks(DANISH, [pauses[0], blink, gap, broke_off, lost]) == (
        "Afbrudt ved 1:20 · en del af optagelsen kan ikke åbnes · pause 0:01 ved 0:10 · uden lyd 0:02 ved 1:05"
    )
    assert words.marks(DANISH, pauses).endswith("pause 0:01 ved 0:50 · 2 mere")


def test_a_screen_reader_hears_of_the_picture_in_seconds_and_can_move_in_it(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4), more=[(60 * 50, voices(1))])
    review = first_open(qtbot, on)
    wave, sound = review.window.detail.waveform, review.sound
    qtbot.waitUntil(review.window.detail.marks.isVisible, timeout=10_000)
    value = QAccessible.queryAccessibleInterface(wave).valueInterface()
    assert (value.currentValue(), value.maximumValue()) == (0, 61)
    review.listening._seek(20 * RATE + 100)  # pyright: ignore[reportPrivateUsage]
    assert (value.currentValue(), sound.position) == (20, 20 * RATE + 100)
    assert wave.accessibleDescription() == "20 sekunder af 1 minut 1 sekund. Pause 1:00 ved 0:00"
    wave.setFocus()
    key(review, Qt.Key.Key_PageUp)
    assert sound.position == 50 * RATE + 100
    key(review, Qt.Key.Key_PageDown)
    key(review, Qt.Key.Key_PageDown)
    assert sound.position == 0
    key(review, Qt.Key.Key_End)
    assert sound.position == 61 * RATE
    key(review, Qt.Key.Key_Home)
    value.setCurrentValue(7)
    assert sound.position == 7 * RATE


def test_a_headset_that_is_pulled_out_is_said_and_the_button_plays_again(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(3))
    review = first_open(qtbot, on)
    detail = review.window.detail
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: detail.transport.play.plays, timeout=10_000)
    qtbot.waitUntil(lambda: bool(on.speaker.pull(0.1)) and review.sound.position > 0, timeout=10_000)
    on.speaker.active = False
    qtbot.waitUntil(detail.fault.isVisible, timeout=10_000)
    assert detail.fault.text().startswith("Højttaleren forsvandt, så afspilningen er standset.")
    qtbot.waitUntil(lambda: not detail.transport.play.plays, timeout=10_000)
    on.speaker.active = True
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: detail.transport.play.plays and not detail.fault.isVisible(), timeout=10_000)
    assert review.sound.position > 0


def test_a_file_that_cannot_be_read_on_leaves_a_button_that_plays(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(3))
    review = first_open(qtbot, on)
    detail = review.window.detail
    qtbot.waitUntil(lambda: detail.waveform.drawn_whole, timeout=10_000)
    assert review.opened is not None
    failed: list[object] = []
    review.sound.failed.connect(failed.append)

    def broken(_at: int, _size: int) -> bytes:
        raise SoundError("speaker_failed", device="", reason="I/O error")

    monkeypatch.setattr(review.opened.reader, "_read", broken)
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(failed), timeout=10_000)
    qtbot.waitUntil(lambda: not detail.transport.play.plays, timeout=10_000)
    assert not review.sound.playing


def test_of_one_that_is_gone_nothing_stays_on_the_page_that_is_hidden(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4), more=[(100, voices(1))], keep="P7D")
    review = first_open(qtbot, on)
    detail = review.window.detail
    qtbot.waitUntil(detail.marks.isVisible, timeout=10_000)
    key(review, Qt.Key.Key_4)
    assert detail.until.text().startswith("Til uddannelse senest til ")
    listen(qtbot, on)
    key(review, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: review.opened is None and not review.window.model.rows, timeout=10_000)
    labels = (detail.title, detail.until, detail.marks)
    assert [(one.text(), one.accessibleName(), one.toolTip()) for one in labels] == [("", "", "")] * 3
    assert {one.points for one in detail.scores.rings} == {0}
    assert detail.waveform.accessibleDescription() == ""


def test_the_keys_take_the_focus_are_read_aloud_and_enter_puts_them_away(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 1)
    keys = review.window.detail.keys
    key(review, Qt.Key.Key_Question)
    assert keys.hasFocus()
    assert (keys.accessibleName(), "R, Z: Gennemgået; fortryd" in keys.accessibleDescription()) == ("Taster", True)
    for said in ("0 – 9: Point", "+ −: Ét point", "Page Up, Page Down: 30 sekunder"):
        assert said in keys.accessibleDescription()
    QTest.keyClick(keys, Qt.Key.Key_Return)
    assert not keys.isVisible()
    assert review.window.list.hasFocus()
    assert review.opened is None


@pytest.mark.parametrize("language", list(Language))
def test_the_window_fits_a_screen_of_1024_by_700_and_so_does_all_that_is_in_it(
    qtbot: QtBot, desk: Scene, on: Reviewed, language: Language
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    on.language = language
    review = on.open()
    rows(qtbot, review, 1)
    qtbot.waitUntil(lambda: review.window.panel.figures is not None, timeout=10_000)
    window = review.window
    window.fit(QRect(0, 0, 1024, 700))
    assert (window.width(), window.height()) == (1024, 660), "with its frame it is 700 high"
    layout = window.layout()
    assert layout is not None
    least = layout.totalMinimumSize()
    assert least.width() <= 1024
    assert max(least.height(), layout.totalMinimumHeightForWidth(1024)) <= 660
    window.fit(QRect(0, 0, 2560, 1400))
    assert (window.width(), window.height()) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("language", list(Language))
def test_all_keys_are_seen_whole_in_the_smallest_window(
    qtbot: QtBot, desk: Scene, on: Reviewed, language: Language
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    on.language = language
    review = on.open()
    review.window.resize(NARROWEST, LOWEST)
    rows(qtbot, review, 1)
    qtbot.waitUntil(lambda: review.window.panel.figures is not None, timeout=10_000)
    key(review, Qt.Key.Key_Question)
    keys = review.window.detail.keys
    qtbot.waitUntil(lambda: keys.isVisible() and keys.table.width() < keys.width() < NARROWEST, timeout=10_000)
    assert keys.table.height() >= keys.table.heightForWidth(keys.table.width())
    assert keys.table.geometry().bottom() < keys.height()
