"""What is said of a recording: what could not be stored is not shown as if it were, and no text is lost or seen elsewhere."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from softphone.archive.archive import Archive
from softphone.archive.files.reader import OpenedRecording
from softphone.archive.review.sample import SampleFilter
from softphone.archive.seen.reviewing import Reviewing, Reviews
from softphone.domain.changes import Discard, DropWraps
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import LocalText, ScoreItem
from softphone.domain.purpose import KeyRole
from softphone.ui.review.app import Review
from tests.archive.scene import AT, Scene, voices
from tests.ui.review.team import ALMA, ANNA, SALES, Reviewed, take
from tests.ui.review.test_review import key, listen, opened, rows


@pytest.fixture
def two(desk: Scene) -> tuple[str, str]:
    return (
        take(desk, ANNA, AT - timedelta(hours=1), sound=voices(2)),
        take(desk, ALMA, AT - timedelta(hours=2), sound=voices(2)),
    )


def first_open(qtbot: QtBot, on: Reviewed, two: tuple[str, str]) -> Review:
    review = on.open()
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, two[0])
    return review


def write(qtbot: QtBot, review: Review, text: str) -> None:
    key(review, Qt.Key.Key_C)
    qtbot.waitUntil(review.window.detail.comments.line.hasFocus, timeout=10_000)
    QTest.keyClicks(review.window.detail.comments.line, text)


def full(*_: object, **_named: object) -> None:
    raise ArchiveError("error.archive.unwritable", path="x", detail="disk full")


def comments_of(archive: Archive, recording: str) -> int:
    with archive.catalog.reading() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM review_comments WHERE recording = ?", (recording,))
        return int(found.scalar_one())


@pytest.mark.rule("G31")
def test_what_was_written_of_one_that_is_gone_does_not_come_back_with_another(
    qtbot: QtBot, desk: Scene, on: Reviewed, two: tuple[str, str]
) -> None:
    review = first_open(qtbot, on, two)
    line = review.window.detail.comments.line
    write(qtbot, review, "om kunden")
    desk.commit(DropWraps(two[0], KeyRole.TRAINING, "withdrawn"), Discard(two[0], "withdrawn"), recording=two[0])
    qtbot.waitUntil(lambda: review.opened is None, timeout=10_000)
    assert QApplication.focusWidget() is review.window.list
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, two[1])
    key(review, Qt.Key.Key_C)
    for _ in range(12):
        QTest.keyClick(line, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert line.text() == ""


def test_what_cannot_be_stored_is_not_shown_as_stored_and_the_text_stays(
    qtbot: QtBot, on: Reviewed, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review = first_open(qtbot, on, two)
    detail = review.window.detail
    with monkeypatch.context() as broken:
        for name in ("share", "score", "comment"):
            broken.setattr(Reviewing, name, full)
        qtbot.mouseClick(detail.scores.share, Qt.MouseButton.LeftButton)
        key(review, Qt.Key.Key_4)
        write(qtbot, review, "En lang kommentar")
        key(review, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: "disk full" in review.window.note.text.text(), timeout=10_000)
        qtbot.waitUntil(lambda: not detail.comments.storing, timeout=10_000)
        qtbot.waitUntil(lambda: not detail.scores.share.isChecked() and not detail.scores.points, timeout=10_000)
        assert (detail.comments.line.text(), detail.comments.line.isVisible()) == ("En lang kommentar", True)
        key(review, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: not detail.comments.storing, timeout=10_000)
        review.window.key.emit("next")
        qtbot.waitUntil(lambda: not detail.comments.storing, timeout=10_000)
        assert review.opened is not None
        assert review.opened.row.recording == two[0]
    key(review, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [one.text for one in detail.comments.comments] == ["En lang kommentar"], timeout=10_000)
    assert not detail.comments.line.isVisible()


@pytest.mark.parametrize("what", ["next", "reviewed", "close"])
def test_leaving_a_recording_stores_what_stands_in_the_line(qtbot: QtBot, desk: Scene, on: Reviewed, what: str) -> None:
    first = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(1), keep="P7D")
    other = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(1))
    review = first_open(qtbot, on, (first, other))
    listen(qtbot, on)
    write(qtbot, review, "Hør slutningen")
    review.window.detail.transport.pressed.emit("comment")  # the button, with the mouse: it takes nothing away
    assert review.window.detail.comments.line.text() == "Hør slutningen"
    if what == "close":
        on.close()
    else:
        review.window.key.emit(what)
        opened(qtbot, review, other)
    assert comments_of(desk.archive, first) == 1


@pytest.mark.parametrize("fails", [("mark",), ("mark", "still")], ids=" and ".join)
def test_one_that_cannot_be_counted_as_reviewed_is_there_again(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch, fails: tuple[str, ...]
) -> None:
    two = (
        take(desk, ANNA, AT - timedelta(hours=1), sound=voices(2), keep="P7D"),
        take(desk, ALMA, AT - timedelta(hours=2), sound=voices(2), keep="P7D"),
    )
    review = first_open(qtbot, on, two)
    listen(qtbot, on)
    with monkeypatch.context() as broken:
        for one in fails:
            broken.setattr(Reviews, one, full)
        key(review, Qt.Key.Key_R)
        qtbot.waitUntil(lambda: "disk full" in review.window.note.text.text(), timeout=10_000)
    # Not before: what plays is silent where nobody can say that it still may.
    opened(qtbot, review, two[0])
    key(review, Qt.Key.Key_R)
    opened(qtbot, review, two[1])


def test_where_neither_a_score_can_be_stored_nor_the_archive_asked_it_is_silent_and_stays_in_the_list(
    qtbot: QtBot, on: Reviewed, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review = first_open(qtbot, on, two)
    with monkeypatch.context() as broken:
        broken.setattr(Reviewing, "score", full)
        broken.setattr(Reviews, "still", full)
        key(review, Qt.Key.Key_4)
        qtbot.waitUntil(lambda: review.opened is None, timeout=10_000)
    place = review.window.detail.place
    assert (place.heading.text(), "disk full" in place.more.text()) == ("Afspilningen er standset", True)
    assert [row.recording for row in review.window.model.rows] == list(two)


def test_after_a_comment_is_removed_the_keyboard_is_at_the_next_one_and_after_the_last_in_the_list(
    qtbot: QtBot, on: Reviewed, two: tuple[str, str]
) -> None:
    review = first_open(qtbot, on, two)
    assert review.opened is not None
    assert review.shelf is not None
    comments = review.window.detail.comments
    for at in (1, 2):
        review.shelf.comment(review.opened.number, at, f"nr. {at}")
    qtbot.waitUntil(lambda: len(comments.comments) == 2, timeout=10_000)
    for left in (1, 0):
        remove = comments.findChildren(QWidget, "removeComment_1")[-1]
        assert isinstance(remove, QWidget)
        remove.setFocus()
        QTest.keyClick(remove, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda left=left: len(comments.comments) == left, timeout=10_000)
        here = QApplication.focusWidget()
        assert here is not None
        assert here.objectName() == ("removeComment_1" if left else "sampleList")


def test_plus_and_minus_give_point_after_point_to_one_question_and_a_digit_goes_on_to_the_next(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    ten = ScoreItem(id="whole", name=LocalText(da="Helhed", en="The whole"), points=10)
    review = on.open((replace(SALES, card=(ten, *SALES.card)),))
    rows(qtbot, review, 1)
    key(review, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: review.opened is not None, timeout=10_000)
    scores = review.window.detail.scores
    whole, listening = scores.rings[:2]
    whole.setFocus()
    key(review, Qt.Key.Key_9)
    assert listening.hasFocus()
    whole.setFocus()
    for _ in range(3):
        key(review, Qt.Key.Key_Plus)
    assert (dict(scores.points), whole.hasFocus(), whole.is_next) == ({"whole": 10}, True, True)
    for _ in range(4):
        key(review, Qt.Key.Key_Minus)
    assert dict(scores.points) == {"whole": 6}
    key(review, Qt.Key.Key_0)
    assert (dict(scores.points), whole.hasFocus()) == ({}, True)
    key(review, Qt.Key.Key_Minus)
    assert dict(scores.points) == {}
    assert "Tast 1–9," in whole.accessibleDescription()
    assert "Tast 1–5," in listening.accessibleDescription()


def test_what_a_key_does_elsewhere_than_at_the_focus_is_said_aloud(
    qtbot: QtBot, on: Reviewed, two: tuple[str, str]
) -> None:
    review = first_open(qtbot, on, two)
    said: list[str] = []
    review.listening.announced.connect(said.append)
    for pressed in (Qt.Key.Key_S, Qt.Key.Key_K, Qt.Key.Key_K, Qt.Key.Key_4, Qt.Key.Key_0):
        key(review, pressed)
    write(qtbot, review, "Fin ro")
    key(review, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(review.window.detail.comments.comments) == 1, timeout=10_000)
    assert said == [
        "Hastighed 1,25×",
        "Tavshed springes over",
        "Tavshed springes ikke over",
        "Lyttede og spurgte ind: 4 af 5",
        "Forklarede aftalen klart: ingen point endnu",
        "Kommentaren er gemt",
    ]
    moment = review.window.findChild(QWidget, "moment_1")
    assert moment is not None
    assert moment.accessibleName() == "Kommentar 1 ved 0:00: Fin ro. Spil derfra"


def test_a_window_whose_comment_cannot_be_stored_says_so_and_closes_only_when_told_again(
    qtbot: QtBot, desk: Scene, on: Reviewed, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review = first_open(qtbot, on, two)
    line, note = review.window.detail.comments.line, review.window.note
    write(qtbot, review, "En lang kommentar")
    closed: list[bool] = []
    review.window.closed.connect(lambda: closed.append(True))
    with monkeypatch.context() as broken:
        broken.setattr(Reviewing, "comment", full)
        assert not review.window.close()
        qtbot.waitUntil(lambda: "disk full" in note.text.text(), timeout=10_000)
        qtbot.waitUntil(lambda: not review.window.detail.comments.storing, timeout=10_000)
        assert note.text.text().endswith("Kommentaren er ikke gemt. Luk vinduet igen, hvis det skal lukkes uden den.")
        assert (line.text(), line.isVisible(), closed) == ("En lang kommentar", True, [])
        assert review.window.close()
    assert closed == [True]
    assert comments_of(desk.archive, two[0]) == 0


def test_a_window_that_is_closed_over_an_unfinished_comment_closes_once_that_is_stored(
    qtbot: QtBot, desk: Scene, on: Reviewed, two: tuple[str, str]
) -> None:
    review = first_open(qtbot, on, two)
    write(qtbot, review, "En lang kommentar")
    with qtbot.waitSignal(review.window.closed, timeout=10_000):
        review.window.close()
    assert comments_of(desk.archive, two[0]) == 1


def test_another_that_is_pressed_while_one_is_counted_as_reviewed_is_the_one_that_opens(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    first, second, third = (
        take(desk, ANNA, AT - timedelta(hours=hours), sound=voices(0.4), keep="P7D") for hours in (1, 2, 3)
    )
    review = on.open()
    rows(qtbot, review, 3)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, first)
    listen(qtbot, on)
    key(review, Qt.Key.Key_R)
    review.open_recording(third)
    opened(qtbot, review, third)
    qtbot.waitUntil(lambda: len(review.window.model.rows) == 2, timeout=10_000)
    assert review.opened is not None
    assert review.opened.row.recording == third
    assert "recording_opened" not in [row.event for row in desk.archive.audit_of(second)]


def test_one_that_is_kept_after_it_was_reviewed_stands_there_with_the_days_it_has_then(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4), keep="P7D")
    review = on.open()
    qtbot.mouseClick(review.window.filters[SampleFilter.ALL], Qt.MouseButton.LeftButton)
    rows(qtbot, review, 1)
    review.open_recording(recording)
    opened(qtbot, review, recording)
    listen(qtbot, on)
    key(review, Qt.Key.Key_R)
    model = review.window.model
    qtbot.waitUntil(lambda: model.rows[0].reviewed_at is not None, timeout=10_000)
    assert model.rows[0].expires_on == (AT + timedelta(days=7)).date()
    assert str(model.data(model.index(0))).endswith("7 dage, gennemgået")


def test_one_of_which_nothing_can_be_read_once_it_is_open_is_refused_and_can_be_asked_for_again(
    qtbot: QtBot, on: Reviewed, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review = on.open()
    rows(qtbot, review, 2)
    with monkeypatch.context() as broken:
        broken.setattr(Reviewing, "scores", full)
        key(review, Qt.Key.Key_N)
        place = review.window.detail.place
        qtbot.waitUntil(lambda: place.heading.text() == "Optagelsen kan ikke åbnes", timeout=10_000)
    gc.collect()
    assert [one for one in gc.get_objects() if isinstance(one, OpenedRecording) and not one._file.closed] == []
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, two[0])
