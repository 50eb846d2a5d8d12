"""What is said of a recording: what could not be stored is not shown as if it were, and no text is lost or seen elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from softphone.archive.archive import Archive
from softphone.archive.review.session import Reviewing
from softphone.domain.changes import Discard, DropWraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.ui.review.app import Review
from tests.archive.scene import AT, Scene, voices
from tests.ui.review.team import ALMA, ANNA, Reviewed, take
from tests.ui.review.test_review import key, opened, rows


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
    qtbot.waitUntil(review.window.detail.comments.line.hasFocus, timeout=1000)
    QTest.keyClicks(review.window.detail.comments.line, text)


def full(*_: object) -> None:
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
    qtbot.waitUntil(lambda: review.opened is None, timeout=3000)
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
        qtbot.waitUntil(lambda: "disk full" in review.window.note.text.text(), timeout=3000)
        qtbot.waitUntil(lambda: not detail.comments.storing, timeout=3000)
        qtbot.waitUntil(lambda: not detail.scores.share.isChecked() and not detail.scores.points, timeout=3000)
        assert (detail.comments.line.text(), detail.comments.line.isVisible()) == ("En lang kommentar", True)
        key(review, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: not detail.comments.storing, timeout=3000)
        review.window.key.emit("next")
        qtbot.waitUntil(lambda: not detail.comments.storing, timeout=3000)
        assert review.opened is not None
        assert review.opened.row.recording == two[0]
    key(review, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [one.text for one in detail.comments.comments] == ["En lang kommentar"], timeout=3000)
    assert not detail.comments.line.isVisible()


@pytest.mark.parametrize("what", ["next", "reviewed", "close"])
def test_leaving_a_recording_stores_what_stands_in_the_line(qtbot: QtBot, desk: Scene, on: Reviewed, what: str) -> None:
    first = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(1), keep="P7D")
    other = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(1))
    review = first_open(qtbot, on, (first, other))
    write(qtbot, review, "Hør slutningen")
    review.window.detail.transport.pressed.emit("comment")  # the button, with the mouse: it takes nothing away
    assert review.window.detail.comments.line.text() == "Hør slutningen"
    if what == "close":
        on.close()
    else:
        review.window.key.emit(what)
        opened(qtbot, review, other)
    assert comments_of(desk.archive, first) == 1


def test_one_that_cannot_be_counted_as_reviewed_is_there_again(
    qtbot: QtBot, on: Reviewed, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review = first_open(qtbot, on, two)
    with monkeypatch.context() as broken:
        broken.setattr(Reviewing, "reviewed", full)
        key(review, Qt.Key.Key_R)
        qtbot.waitUntil(lambda: "disk full" in review.window.note.text.text(), timeout=3000)
        opened(qtbot, review, two[0])
    key(review, Qt.Key.Key_R)
    opened(qtbot, review, two[1])


def test_after_a_comment_is_removed_the_keyboard_is_at_the_next_one_and_after_the_last_in_the_list(
    qtbot: QtBot, on: Reviewed, two: tuple[str, str]
) -> None:
    review = first_open(qtbot, on, two)
    assert review.opened is not None
    assert review.shelf is not None
    comments = review.window.detail.comments
    for at in (1, 2):
        review.shelf.comment(review.opened.reviewing, at, f"nr. {at}")
    qtbot.waitUntil(lambda: len(comments.comments) == 2, timeout=3000)
    for left in (1, 0):
        remove = comments.findChildren(QWidget, "removeComment_1")[-1]
        assert isinstance(remove, QWidget)
        remove.setFocus()
        QTest.keyClick(remove, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda left=left: len(comments.comments) == left, timeout=3000)
        here = QApplication.focusWidget()
        assert here is not None
        assert here.objectName() == ("removeComment_1" if left else "sampleList")
