"""The team lead at work: ten recordings by the keyboard alone, what is said of them, what is heard of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import Mark, MarkKind
from softphone.archive.review.sample import SampleFilter
from softphone.domain.archive.reviews import TeamLed
from softphone.domain.errors import SoundError
from softphone.domain.policy import LocalText
from softphone.ui import controls
from softphone.ui.review.app import Review
from softphone.ui.theme import scale
from tests.archive.scene import AT, DOCUMENTATION, RATE, TRAINING, Scene, strength, voices
from tests.ui.review.team import ALMA, ANNA, JONAS, SALES, Reviewed, take


def key(review: Review, pressed: Qt.Key) -> None:
    """Pressed as a person does: where the focus is."""
    QTest.keyClick(QApplication.focusWidget() or review.window, pressed)


def opened(qtbot: QtBot, review: Review, recording: str) -> None:
    qtbot.waitUntil(lambda: review.opened is not None and review.opened.row.recording == recording, timeout=10_000)


def listen(qtbot: QtBot, on: Reviewed) -> None:
    """To so much of the open recording that it counts as heard."""
    review = on.review
    assert review is not None
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(on.speaker.pull(0.1)) and review.listening.is_heard, timeout=10_000)


def rows(qtbot: QtBot, review: Review, count: int) -> None:
    qtbot.waitUntil(lambda: len(review.window.model.rows) == count, timeout=10_000)


def events(desk: Scene, recording: str) -> list[str]:
    return [row.event for row in desk.archive.audit_of(recording)]


@pytest.mark.rule("G33")
def test_ten_recordings_are_reviewed_by_the_keyboard_alone(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    sample = [
        take(
            desk,
            (ANNA, ALMA, JONAS)[number % 3],
            AT - timedelta(hours=number + 1),
            sound=voices(0.4),
            keep="P7D" if number % 2 else None,
            purposes=(DOCUMENTATION, TRAINING) if number % 4 == 0 else (TRAINING,),
        )
        for number in range(10)
    ]
    review = on.open()
    rows(qtbot, review, 10)
    qtbot.waitUntil(lambda: review.window.panel.figures is not None, timeout=10_000)
    key(review, Qt.Key.Key_N)
    for number, recording in enumerate(sample):
        opened(qtbot, review, recording)
        assert "recording_opened" in events(desk, recording)
        listen(qtbot, on)
        key(review, Qt.Key.Key_4)
        key(review, Qt.Key.Key_5)
        if number % 5 == 0:
            key(review, Qt.Key.Key_C)
            QTest.keyClicks(review.window.detail.comments.line, "Fin opsamling")
            key(review, Qt.Key.Key_Return)
            qtbot.waitUntil(lambda: len(review.window.detail.comments.comments) == 1, timeout=10_000)
        key(review, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: review.opened is None and not review.window.model.rows, timeout=10_000)
    assert [events(desk, recording).count("recording_reviewed") for recording in sample] == [1] * 10
    assert review.window.detail.place.isVisible()
    qtbot.waitUntil(lambda: review.window.panel.counts["reviewed"].number.text() == "10", timeout=10_000)
    assert review.window.panel.counts["waiting"].number.text() == "0"
    key(review, Qt.Key.Key_N)
    assert review.opened is None
    on.close()
    assert verify(desk.archive).ok


@pytest.mark.rule("G33")
def test_what_has_not_been_played_is_counted_by_the_second_press_alone(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (take(desk, ANNA, AT - timedelta(hours=back), sound=voices(3), keep="P7D") for back in (1, 2))
    now = [1000.0]
    monkeypatch.setattr(controls, "monotonic", lambda: now[0])
    monkeypatch.setattr(QApplication, "doubleClickInterval", lambda: 400)
    review = on.open()
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, first)
    foot = review.window.detail.foot
    asked = "Optagelsen er ikke afspillet, så den er ikke talt med. Tryk R igen, hvis den skal tælle med alligevel."
    now[0] += 60
    key(review, Qt.Key.Key_R)
    assert (foot.text(), foot.isVisible(), foot.property("role")) == (asked, True, "")
    now[0] += 0.2
    key(review, Qt.Key.Key_R)  # the second of two
    qtbot.wait(50)
    assert "recording_reviewed" not in events(desk, first)
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: foot.text() != asked, timeout=10_000)  # it is as it was once it plays
    now[0] += 60
    key(review, Qt.Key.Key_R)
    assert foot.text() == asked
    now[0] += 60
    key(review, Qt.Key.Key_R)
    opened(qtbot, review, second)
    assert foot.text().startswith("Kun til uddannelse.")
    assert heard(desk, first) == [0]


@pytest.mark.rule("G33")
def test_the_log_tells_how_many_seconds_were_heard_each_counted_once_over_all_openings(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    first, second = (take(desk, ANNA, AT - timedelta(hours=back), sound=voices(20), keep="P7D") for back in (1, 2))
    review = on.open()
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, first)

    def play(seconds: int) -> None:
        key(review, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: review.sound.has_sound, timeout=10_000)
        for _ in range(10 * seconds):
            qtbot.waitUntil(lambda: review.sound.has_sound, timeout=10_000)
            on.speaker.pull(0.1)
        key(review, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: not review.sound.playing, timeout=10_000)

    play(3)
    key(review, Qt.Key.Key_Left)
    play(2)  # the same again
    key(review, Qt.Key.Key_Right)
    play(2)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, second)
    key(review, Qt.Key.Key_Up)
    key(review, Qt.Key.Key_Return)
    opened(qtbot, review, first)
    key(review, Qt.Key.Key_R)
    opened(qtbot, review, second)
    assert heard(desk, first) == [5]


def heard(desk: Scene, recording: str) -> list[object]:
    return [row.params["heard"] for row in desk.archive.audit_of(recording) if row.event == "recording_reviewed"]


def test_a_recording_is_shared_by_one_key_and_taken_back_by_the_same(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_D)  # nothing is open
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, recording)
    said: list[str] = []
    review.listening.announced.connect(said.append)
    for event, sentence in (("review_shared", "Deles med Anna"), ("review_unshared", "Deles ikke med Anna")):
        key(review, Qt.Key.Key_D)
        assert said.pop() == sentence
        qtbot.waitUntil(lambda event=event: event in events(desk, recording), timeout=10_000)
    assert not review.window.detail.scores.share.isChecked()


def test_one_key_shows_what_waits_what_has_been_reviewed_and_all_in_turn(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    first, second = (take(desk, ANNA, AT - timedelta(hours=back), sound=voices(0.4), keep="P7D") for back in (1, 2))
    review = on.open()
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, first)
    listen(qtbot, on)
    key(review, Qt.Key.Key_R)
    opened(qtbot, review, second)
    for shown, count in ((SampleFilter.REVIEWED, 1), (SampleFilter.ALL, 2), (SampleFilter.WAITING, 1)):
        key(review, Qt.Key.Key_V)
        rows(qtbot, review, count)
        assert [one for one, pill in review.window.filters.items() if pill.isChecked()] == [shown]
    assert review.opened is not None
    assert review.opened.row.recording == second


def test_the_comments_are_gone_through_by_keys_which_are_letters_where_something_is_written(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(20))
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, recording)
    comments = review.window.detail.comments
    for number, seconds in enumerate((12, 4), start=1):
        review.sound.seek(seconds * RATE)
        key(review, Qt.Key.Key_C)
        QTest.keyClicks(comments.line, f"Nr. {seconds}, dv")
        key(review, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda number=number: len(comments.comments) == number, timeout=10_000)
    assert [one.text for one in comments.comments] == ["Nr. 4, dv", "Nr. 12, dv"]
    assert not review.window.detail.scores.share.isChecked()
    said: list[str] = []
    review.listening.announced.connect(said.append)
    review.sound.seek(0)
    places: list[int] = []
    for pressed in (".", ".", ".", ",", ","):
        key(review, Qt.Key.Key_Period if pressed == "." else Qt.Key.Key_Comma)
        places.append(review.sound.position // RATE)
    assert places == [4, 12, 12, 4, 4]
    assert said == [
        "Kommentar 1 ved 0:04: Nr. 4, dv", "Kommentar 2 ved 0:12: Nr. 12, dv", "Kommentar 1 ved 0:04: Nr. 4, dv",
    ]  # fmt: skip
    review.sound.seek(12 * RATE)
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(on.speaker.pull(0.1)) and review.sound.position > 12 * RATE, timeout=10_000)
    key(review, Qt.Key.Key_Comma)  # the one that has just begun is not the one before
    assert review.sound.position // RATE == 4


def pressed_by(qtbot: QtBot, review: Review, how: str, what: str) -> None:
    button = review.window.detail.reviewed_button if what == "reviewed" else review.window.detail.next_button
    if how == "key":
        key(review, Qt.Key.Key_R if what == "reviewed" else Qt.Key.Key_N)
    elif how == "mouse":
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    else:
        QAccessible.queryAccessibleInterface(button).actionInterface().doAction("Press")
        qtbot.waitUntil(lambda: not button.isDown(), timeout=10_000)  # it is pressed down for a moment, and then let go


@pytest.mark.rule("G33")
@pytest.mark.parametrize(
    ("how", "what"), [("key", "reviewed"), ("mouse", "reviewed"), ("screen reader", "reviewed"), ("key", "next")]
)
def test_the_second_of_two_presses_does_nothing_to_the_recording_that_has_just_been_opened(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch, how: str, what: str
) -> None:
    first, second, third = (take(desk, ANNA, AT - timedelta(hours=back), sound=voices(0.4)) for back in (1, 2, 3))
    now = [1000.0]
    monkeypatch.setattr(controls, "monotonic", lambda: now[0])
    monkeypatch.setattr(QApplication, "doubleClickInterval", lambda: 400)
    review = on.open()
    rows(qtbot, review, 3)
    review.open_recording(first)
    opened(qtbot, review, first)
    listen(qtbot, on)
    now[0] += 60
    pressed_by(qtbot, review, how, what)
    opened(qtbot, review, second)
    listen(qtbot, on)
    now[0] += 0.2
    pressed_by(qtbot, review, how, what)
    assert review.opened is not None
    assert review.opened.row.recording == second
    now[0] += 0.5
    pressed_by(qtbot, review, how, what)
    opened(qtbot, review, third)
    if what == "reviewed":
        qtbot.waitUntil(lambda: events(desk, second).count("recording_reviewed") == 1, timeout=10_000)
    else:
        assert "recording_reviewed" not in events(desk, second)


@pytest.mark.parametrize("what", ["reviewed", "next"])
def test_the_buttons_at_the_foot_mean_another_thing_with_each_recording(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    first, second, _ = (take(desk, ANNA, AT - timedelta(hours=back), sound=voices(0.4)) for back in (1, 2, 3))
    now = [1000.0]
    monkeypatch.setattr(controls, "monotonic", lambda: now[0])
    monkeypatch.setattr(QApplication, "doubleClickInterval", lambda: 400)
    review = on.open()
    rows(qtbot, review, 3)
    review.open_recording(first)
    opened(qtbot, review, first)
    qtbot.wait(1)
    now[0] += 60
    detail = review.window.detail
    button = detail.reviewed_button if what == "reviewed" else detail.next_button
    review.draw()
    assert button.takes_presses
    review.open_recording(second)
    opened(qtbot, review, second)
    assert not button.takes_presses


def test_moving_through_the_list_opens_nothing_and_enter_does(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    first, second = (take(desk, ANNA, AT - timedelta(hours=hours), sound=voices(0.4)) for hours in (1, 2))
    review = on.open()
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_Down)
    assert review.window.list.currentIndex().row() == 1
    qtbot.wait(50)
    assert review.opened is None
    assert "recording_opened" not in events(desk, first) + events(desk, second)
    key(review, Qt.Key.Key_Return)
    opened(qtbot, review, second)


def test_what_is_said_of_a_recording_is_there_when_it_is_opened_again(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(2))
    other = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, recording)
    detail = review.window.detail
    review.sound.seek(RATE)
    key(review, Qt.Key.Key_C)
    assert detail.comments.line.hasFocus()
    QTest.keyClicks(detail.comments.line, "Ro på: 3 gange nej")  # letters and digits are words here, and no keys
    key(review, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(detail.comments.comments) == 1, timeout=10_000)
    for digit in (Qt.Key.Key_4, Qt.Key.Key_2):
        key(review, digit)
    qtbot.mouseClick(detail.scores.share, Qt.MouseButton.LeftButton)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, other)
    assert (detail.comments.comments, dict(detail.scores.points), detail.scores.share.isChecked()) == ((), {}, False)
    key(review, Qt.Key.Key_Up)
    key(review, Qt.Key.Key_Return)
    opened(qtbot, review, recording)
    assert [(one.sample, one.text) for one in detail.comments.comments] == [(RATE, "Ro på: 3 gange nej")]
    assert dict(detail.scores.points) == {"listening": 4, "clarity": 2}
    assert detail.scores.share.isChecked()
    remove = detail.findChild(QWidget, "removeComment_1")
    assert remove is not None
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not detail.comments.comments, timeout=10_000)


def test_a_comment_that_is_left_with_escape_is_not_kept_and_the_sound_goes_on(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(3))
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, recording)
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: review.sound.playing, timeout=10_000)
    key(review, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: not review.sound.playing, timeout=10_000)
    QTest.keyClicks(review.window.detail.comments.line, "nej")
    key(review, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: review.sound.playing, timeout=10_000)
    assert review.window.detail.comments.comments == ()


def test_both_voices_are_heard_from_wherever_one_jumps_to(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    """Agent and party are tones of different pitch; a fast one keeps its pitch."""
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(20))
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, recording)
    key(review, Qt.Key.Key_Space)

    def hear() -> bool:
        heard = np.frombuffer(on.speaker.pull(0.3), np.int16)
        return strength(heard, 440) > 800 and strength(heard, 1000) > 800

    qtbot.waitUntil(hear, timeout=10_000)
    key(review, Qt.Key.Key_Right)
    key(review, Qt.Key.Key_Right)
    assert 10 * RATE <= review.sound.position < 12 * RATE
    qtbot.waitUntil(hear, timeout=10_000)
    key(review, Qt.Key.Key_S)
    key(review, Qt.Key.Key_S)
    assert review.window.detail.transport.speed.text() == "1,5×"
    qtbot.waitUntil(hear, timeout=10_000)
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not review.sound.playing, timeout=10_000)
    assert not hear()
    # A click in the picture of the sound.
    wave = review.window.detail.waveform
    qtbot.mouseClick(wave, Qt.MouseButton.LeftButton, pos=wave.rect().center())
    assert abs(review.sound.position - 10 * RATE) < 2 * RATE


def test_a_pause_of_the_recording_is_drawn_with_its_length_and_skipped_with_the_silence(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(1), more=[(50 + 30 * 50, voices(1))])
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: review.opened is not None, timeout=10_000)
    detail = review.window.detail
    qtbot.waitUntil(detail.marks.isVisible, timeout=10_000)
    assert detail.waveform.marks == (Mark(MarkKind.PAUSE, RATE, 30 * RATE),)
    assert detail.marks.text() == "Pause 0:30 ved 0:01"
    key(review, Qt.Key.Key_K)
    key(review, Qt.Key.Key_Space)

    def through() -> bool:
        on.speaker.pull(0.2)
        return not review.sound.playing and review.sound.position == 32 * RATE

    qtbot.waitUntil(through, timeout=10_000)
    loud = np.abs(np.frombuffer(bytes(on.speaker.heard), np.int16)) > 300
    assert 1.6 * RATE < np.flatnonzero(loud)[-1] - np.flatnonzero(loud)[0] < 3 * RATE


def test_without_a_speaker_everything_else_works_and_a_sentence_says_so(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(2))
    on.speaker.fault = SoundError("no_speaker", device="", reason="")
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, recording)
    key(review, Qt.Key.Key_Space)
    fault = review.window.detail.fault
    qtbot.waitUntil(fault.isVisible, timeout=10_000)
    assert fault.text().startswith("Der er ingen højttaler")
    qtbot.waitUntil(lambda: review.window.detail.waveform.drawn_whole, timeout=10_000)
    key(review, Qt.Key.Key_5)
    assert dict(review.window.detail.scores.points) == {"listening": 5}
    on.speaker.fault = None
    key(review, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: review.sound.playing and not fault.isVisible(), timeout=10_000)


def test_the_list_is_searched_by_agent_and_by_day_and_filtered(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    take(desk, ALMA, AT - timedelta(days=1), sound=voices(0.4), keep="P7D")
    take(desk, ALMA, AT - timedelta(days=2), sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 3)
    key(review, Qt.Key.Key_F)
    QTest.keyClicks(review.window.search, "alma")
    key(review, Qt.Key.Key_Return)
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_F)
    QTest.keyClicks(review.window.search, "i går")
    key(review, Qt.Key.Key_Return)
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: review.opened is not None, timeout=10_000)
    listen(qtbot, on)
    key(review, Qt.Key.Key_R)
    rows(qtbot, review, 0)
    qtbot.waitUntil(review.window.empty.isVisible, timeout=10_000)
    qtbot.mouseClick(review.window.filters[SampleFilter.REVIEWED], Qt.MouseButton.LeftButton)
    rows(qtbot, review, 1)
    assert review.window.model.rows[0].reviewed_at is not None
    key(review, Qt.Key.Key_F)
    key(review, Qt.Key.Key_Escape)
    qtbot.mouseClick(review.window.filters[SampleFilter.ALL], Qt.MouseButton.LeftButton)
    rows(qtbot, review, 3)


def test_a_call_that_comes_meanwhile_stands_at_the_top_of_the_list(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    take(desk, ANNA, AT - timedelta(hours=2), sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 1)
    new = take(desk, ALMA, AT - timedelta(hours=1), sound=voices(0.4))
    rows(qtbot, review, 2)
    assert review.window.model.rows[0].recording == new


def test_everything_that_takes_the_focus_has_a_name_for_a_screen_reader(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(1))
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, recording)
    key(review, Qt.Key.Key_C)
    QTest.keyClicks(review.window.detail.comments.line, "Her")
    key(review, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(review.window.detail.comments.comments) == 1, timeout=10_000)
    jump = review.window.findChild(QWidget, "moment_1")
    assert jump is not None
    qtbot.waitUntil(jump.isVisible, timeout=10_000)
    reached: list[QWidget] = []
    here = review.window.list
    while here not in reached:
        reached.append(here)
        QTest.keyClick(here, Qt.Key.Key_Tab)
        found = QApplication.focusWidget()
        assert found is not None
        here = found
    assert [one.objectName() for one in reached][1:] == [
        *("waveform", "play", "speed", "skipSilence", "commentHere", "back", "on"),
        *("moment_1", "removeComment_1", "score_listening", "score_clarity", "score_next", "score_tone", "share"),
        *("reviewed", "search", "showKeys", "toggleLook"),
        *("filter_waiting", "filter_reviewed", "filter_all"),
    ]
    assert [one.objectName() for one in reached if not one.accessibleName().strip()] == []
    told = review.window.model.data(review.window.model.index(0), int(Qt.ItemDataRole.AccessibleTextRole))
    assert told == "Anna L., Salgslinjen, I dag 10.41, 1 sekund, 92 dage"


def test_the_window_stays_whole_where_the_text_of_the_system_is_large(on: Reviewed) -> None:
    scale.take_system_size(20)
    on.open()
    assert scale.factor() == 1.0


def test_the_keys_are_shown_and_put_away_by_the_same_key(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_Question)
    assert review.window.detail.keys.isVisible()
    key(review, Qt.Key.Key_Question)
    assert not review.window.detail.keys.isVisible()


def test_while_the_keys_are_shown_a_key_only_puts_them_away(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    first, _ = (take(desk, ANNA, AT - timedelta(hours=hours), sound=voices(0.4)) for hours in (1, 2))
    review = on.open()
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, first)
    detail = review.window.detail
    for pressed in ("R", "C", "D", "V", "Period", "Space", "4", "N", "Down", "F", "Escape"):
        key(review, Qt.Key.Key_Question)
        assert detail.keys.isVisible()
        QTest.keyClick(review.window.list, getattr(Qt.Key, f"Key_{pressed}"))
        assert not detail.keys.isVisible(), pressed
        told = detail.comments.writing, dict(detail.scores.points), detail.scores.share.isChecked()
        assert told == (False, {}, False), pressed
        assert review.window.filters[SampleFilter.WAITING].isChecked(), pressed
        assert review.window.list.currentIndex().row() == 0, pressed
        assert review.window.list.hasFocus(), pressed
    qtbot.wait(50)
    assert review.opened is not None
    assert review.opened.row.recording == first
    assert not review.sound.playing


@pytest.mark.parametrize("pressed", [Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_a_team_is_chosen_by_the_keyboard_in_the_opened_list(
    qtbot: QtBot, desk: Scene, on: Reviewed, pressed: Qt.Key
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    other = take(desk, ALMA, AT - timedelta(hours=2), line="service", sound=voices(0.4))
    service = TeamLed("service", LocalText(da="Service", en="Service"), ("service",), (ALMA,))
    review = on.open((replace(SALES, agents=(ANNA,)), service))
    rows(qtbot, review, 1)
    teams = review.window.teams
    teams.setFocus()
    QTest.keyClick(teams, pressed)
    qtbot.waitUntil(teams.view().isVisible, timeout=10_000)
    assert teams.hasFocus() or teams.view().hasFocus()
    QTest.keyClick(teams.view(), Qt.Key.Key_Down)
    QTest.keyClick(teams.view(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [row.recording for row in review.window.model.rows] == [other], timeout=10_000)


def test_who_leads_several_teams_chooses_among_them(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    first = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    other = take(desk, ALMA, AT - timedelta(hours=2), line="service", sound=voices(0.4))
    sales = replace(SALES, agents=(ANNA,))
    service = TeamLed("service", LocalText(da="Service", en="Service"), ("service",), (ALMA,))
    review = on.open((sales, service))
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, first)
    teams = review.window.teams
    assert [teams.itemText(number) for number in range(teams.count())] == ["Salg", "Service"]
    teams.setFocus()
    QTest.keyClick(teams, Qt.Key.Key_End)
    teams.activated.emit(teams.currentIndex())
    qtbot.waitUntil(lambda: [row.recording for row in review.window.model.rows] == [other], timeout=10_000)
    assert review.opened is None
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, other)
    assert review.window.detail.scores.none.isVisible()
    key(review, Qt.Key.Key_5)  # no card: a digit means nothing
    assert dict(review.window.detail.scores.points) == {}


def test_the_player_counts_to_as_long_as_the_list_says(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    recording = take(desk, ANNA, AT, sound=voices(1.8), lasts=2.1)
    review = on.open()
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, recording)
    time, model = review.window.detail.transport.time, review.window.model
    qtbot.waitUntil(lambda: "/" in time.text(), timeout=10_000)
    assert "2 sekunder" in str(model.data(model.index(0), int(Qt.ItemDataRole.AccessibleTextRole)))
    assert time.text() == "0:00 / 0:02"
