"""R where the policy keeps nothing that was reviewed: it says that it erases, and can be undone for ten seconds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from softphone.archive.review.sample import living
from softphone.archive.seen.reviewing import Reviews
from softphone.ui.review import undo
from softphone.ui.review.app import Review
from tests.archive.scene import AT, Scene, voices
from tests.ui.review.team import ALMA, ANNA, JONAS, Reviewed, take
from tests.ui.review.test_review import events, key, listen, opened, rows
from tests.ui.review.test_said import comments_of, full, write

pytestmark = pytest.mark.rule("G38")


@pytest.fixture
def three(desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Two that being reviewed erases, and one that is kept for a week; and all of the ten seconds."""
    monkeypatch.setattr(undo, "SECONDS", 10.0)
    agents = zip((ANNA, ALMA, JONAS), (None, None, "P7D"), strict=True)
    return tuple(
        take(desk, agent, AT - timedelta(hours=hours + 1), sound=voices(2), keep=keep)
        for hours, (agent, keep) in enumerate(agents)
    )


def begun(qtbot: QtBot, on: Reviewed, three: tuple[str, ...]) -> Review:
    """The first is open, heard and commented on."""
    review = on.open()
    rows(qtbot, review, 3)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, three[0])
    listen(qtbot, on)
    write(qtbot, review, "Fin opsamling")
    key(review, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(review.window.detail.comments.comments) == 1, timeout=10_000)
    return review


def test_it_says_beforehand_what_it_erases_and_nothing_of_it_where_it_is_kept(
    qtbot: QtBot, on: Reviewed, three: tuple[str, ...]
) -> None:
    review = begun(qtbot, on, three)
    detail = review.window.detail
    assert detail.reviewed_button.text() == "Gennemgået, slettes"
    assert detail.foot.text().startswith(
        "R sletter lyd, kommentarer og vurdering herfra. Du kan fortryde i ti sekunder."
    )
    review.open_recording(three[2])
    opened(qtbot, review, three[2])
    assert detail.reviewed_button.text() == "Gennemgået"
    assert not detail.foot.text().startswith("R sletter")


def test_within_ten_seconds_it_is_undone_and_all_that_was_said_of_it_is_there(
    qtbot: QtBot, desk: Scene, on: Reviewed, three: tuple[str, ...]
) -> None:
    review = begun(qtbot, on, three)
    window = review.window
    key(review, Qt.Key.Key_R)
    assert window.undo.words.text() == "Anna L., I dag 10.41: slettes herfra om 10 sek."
    assert window.model.leaving == (three[0], "slettes om 10 sek.")
    assert "slettes om 10 sek." in str(window.model.index(0).data(int(Qt.ItemDataRole.AccessibleTextRole)))
    opened(qtbot, review, three[1])  # the work goes on
    assert window.undo.isVisible()
    assert comments_of(desk.archive, three[0]) == 1
    assert "recording_reviewed" not in events(desk, three[0])
    key(review, Qt.Key.Key_Z)
    opened(qtbot, review, three[0])
    assert not window.undo.isVisible()
    assert window.model.leaving[0] == ""
    assert [one.text for one in window.detail.comments.comments] == ["Fin opsamling"]
    assert "recording_reviewed" not in events(desk, three[0])


def test_after_them_it_is_erased_and_another_is_not_kept_waiting_for_it(
    qtbot: QtBot, desk: Scene, on: Reviewed, three: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    review = begun(qtbot, on, three)
    key(review, Qt.Key.Key_R)
    opened(qtbot, review, three[1])
    listen(qtbot, on)
    monkeypatch.setattr(undo, "SECONDS", 0.2)
    key(review, Qt.Key.Key_R)  # one can be undone at a time: the first goes now
    for recording in three[:2]:
        qtbot.waitUntil(lambda recording=recording: "training_used" in events(desk, recording), timeout=10_000)
        assert not living(desk.archive, [recording], AT)
    assert comments_of(desk.archive, three[0]) == 0
    rows(qtbot, review, 1)
    opened(qtbot, review, three[2])
    assert not review.window.undo.isVisible()


def test_a_window_that_is_closed_meanwhile_has_erased_it(
    qtbot: QtBot, desk: Scene, on: Reviewed, three: tuple[str, ...]
) -> None:
    review = begun(qtbot, on, three)
    key(review, Qt.Key.Key_R)
    opened(qtbot, review, three[1])
    on.close()
    assert "training_used" in events(desk, three[0])
    assert comments_of(desk.archive, three[0]) == 0
    assert "recording_reviewed" not in events(desk, three[1])


def test_where_it_cannot_be_stored_it_is_said_and_still_waits(
    qtbot: QtBot, on: Reviewed, three: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    review = begun(qtbot, on, three)
    monkeypatch.setattr(undo, "SECONDS", 0.2)
    monkeypatch.setattr(Reviews, "mark", full)
    key(review, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "disk full" in review.window.note.text.text(), timeout=10_000)
    assert [row.recording for row in review.window.model.rows] == list(three)
    assert review.window.model.leaving[0] == ""
