"""The list of the sample by itself: what goes and comes at once, and that it lacks nothing."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from softphone.archive.review.sample import SampleFilter, SamplePage, SampleRow
from softphone.ui.review.samples import SampleList, SampleModel
from tests.archive.scene import AT, Scene, voices
from tests.ui.review.team import ALMA, ANNA, ZONE, Reviewed, take
from tests.ui.review.test_review import key, listen, opened, rows


def row(number: int) -> SampleRow:
    at = AT - timedelta(minutes=number)
    return SampleRow(f"r{number:06}", ANNA, "salg", at, 60, ZONE, date(2027, 1, 1), None, 0)


@pytest.mark.parametrize("apart", [1, 60], ids=["beside each other", "here and there"])
def test_four_hundred_of_very_many_go_at_once(qtbot: QtBot, apart: int) -> None:
    model = SampleModel()
    view = SampleList(model)
    qtbot.addWidget(view)
    view.show()
    model.take(SamplePage(tuple(row(number) for number in range(24_000)), None))
    gone = {f"r{at * apart:06}" for at in range(400)}
    began = time.thread_time()
    dropped = model.drop(gone)
    took = time.thread_time() - began
    print(f"400 of 24,000: {took * 1000:.0f} ms")
    assert took < 0.15
    assert {one.recording for one in dropped} == gone
    assert len(model.rows) == view.verticalHeader().count() == 23_600
    assert model.find("r000000") is None
    assert model.find(model.rows[500].recording) == 500


def test_one_that_may_be_heard_again_comes_back_wherever_it_belongs(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    first = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    other = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 2)
    review.window.model.drop([other])  # as if it had been missed
    assert review.shelf is not None
    review.shelf.changed.emit()
    qtbot.waitUntil(lambda: [one.recording for one in review.window.model.rows] == [first, other], timeout=10_000)


def test_the_filters_tell_what_the_list_shows_as_soon_as_one_is_reviewed(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    first = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4), keep="P7D")
    other = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 2)
    qtbot.waitUntil(lambda: review.filter_counts.get(SampleFilter.WAITING) == 2, timeout=10_000)
    key(review, Qt.Key.Key_N)
    opened(qtbot, review, first)
    listen(qtbot, on)
    with qtbot.waitSignal(review.shelf.reviewed if review.shelf else review.window.closed, timeout=10_000):
        key(review, Qt.Key.Key_R)
    assert review.window.filters[SampleFilter.WAITING].text() == "Venter 1"
    assert review.filter_counts == {SampleFilter.WAITING: 1, SampleFilter.REVIEWED: 1, SampleFilter.ALL: 2}
    opened(qtbot, review, other)


@pytest.mark.parametrize(
    ("typed", "found"), [("Anna L.", ANNA), ("alma f", ALMA), ("kundeserv", ALMA), ("nna.l@", ANNA)]
)
def test_the_search_finds_what_the_list_shows(qtbot: QtBot, desk: Scene, on: Reviewed, typed: str, found: str) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    take(desk, ALMA, AT - timedelta(hours=2), line="service", sound=voices(0.4))
    review = on.open()
    rows(qtbot, review, 2)
    key(review, Qt.Key.Key_F)
    QTest.keyClicks(review.window.search, typed)
    key(review, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [one.agent for one in review.window.model.rows] == [found], timeout=10_000)
