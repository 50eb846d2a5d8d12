"""A sample of a hundred thousand calls: the list scrolls and filters, page by page, and the window goes on turning.

By the clock a turn is as long as the machine makes it. So it is shown of what it consists: of little work, and of no waiting for
the archive, for the loop turns on however long that stalls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from softphone.archive.review.sample import SampleFilter
from tests.archive.scene import AT, Scene, voices
from tests.ui.review.many import COUNT, Turns, add_sample, stalled
from tests.ui.review.team import JONAS, Reviewed, take

WORK = 50
"""ms of its own that the window may take between two turns: what else the machine does meanwhile is not its own"""
ON = 50
"""turns of the loop, which a window that waits for something does not make"""


@pytest.mark.parametrize("count", [20_000, pytest.param(COUNT, marks=pytest.mark.torture)])
def test_very_many_recordings_scroll_and_filter(
    qtbot: QtBot,
    desk: Scene,
    on: Reviewed,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    # A key gives its role where it opens something: this one.
    take(desk, JONAS, AT - timedelta(minutes=30), sound=voices(0.4))
    add_sample(desk.archive, count)
    review = on.open()
    window, model = review.window, review.window.model
    qtbot.waitUntil(lambda: len(model.rows) >= 200, timeout=20_000)
    turns = Turns()
    while not model.whole:
        window.list.scrollToBottom()
        QApplication.processEvents()
    # The oldest that nobody has reviewed; every fifth was.
    assert (len(model.rows), model.rows[-1].recording[:8]) == (count * 4 // 5 + 1, "00000001")
    assert len({row.recording for row in model.rows}) == len(model.rows)
    assert [row.opened_at for row in model.rows] == sorted((row.opened_at for row in model.rows), reverse=True)
    turns.forget()

    def only(*those: SampleFilter) -> None:
        for one in those:
            qtbot.mouseClick(window.filters[one], Qt.MouseButton.LeftButton)
            QApplication.processEvents()

    for key in (Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp):
        QTest.keyClick(window.list, key)
        QApplication.processEvents()
    with while_it_stalls(qtbot, turns, monkeypatch, lambda: only(SampleFilter.REVIEWED)):
        only(SampleFilter.ALL, SampleFilter.REVIEWED)
    qtbot.waitUntil(lambda: bool(model.rows) and all(row.reviewed_at for row in model.rows[:200]), timeout=10_000)
    QTest.keyClick(window.list, Qt.Key.Key_F)
    with while_it_stalls(qtbot, turns, monkeypatch, lambda: QTest.keyClicks(window.search, "anna")):
        only(SampleFilter.WAITING, SampleFilter.REVIEWED)
    qtbot.waitUntil(
        lambda: bool(model.rows) and all(row.agent and row.agent.startswith("anna") for row in model.rows[:200]),
        timeout=10_000,
    )
    gap, work = (max(times) * 1000 for times in (turns.gaps, turns.works))
    with capsys.disabled():
        print(
            f"\n{count} recordings: between two turns of the window's loop {gap:.0f} ms at most, {work:.0f} ms its own work"
        )
    assert work < WORK
    qtbot.waitUntil(lambda: 0 < review.filter_counts.get(SampleFilter.ALL, 0) < count, timeout=20_000)
    counts = review.filter_counts
    assert (
        counts[SampleFilter.ALL]
        == counts[SampleFilter.WAITING] + counts[SampleFilter.REVIEWED]
        == count // 3 + (count % 3 > 0)
    )
    assert len({row.recording for row in model.rows}) == len(model.rows)
    assert [row.opened_at for row in model.rows] == sorted((row.opened_at for row in model.rows), reverse=True)
    assert AT - timedelta(days=80) < model.rows[-1].opened_at


@contextmanager
def while_it_stalls(
    qtbot: QtBot, turns: Turns, monkeypatch: pytest.MonkeyPatch, asks: Callable[[], None]
) -> Generator[None]:
    """`asks` wants something of an archive that stalls: the window does all the same what comes then, and its loop turns on."""
    with stalled(monkeypatch) as stall:
        asks()
        # The list's thread, and the counting one.
        qtbot.waitUntil(lambda: len(stall.kept) > 1, timeout=10_000)
        yield
        made = len(turns.gaps)
        qtbot.waitUntil(lambda: len(turns.gaps) > made + ON, timeout=10_000)
        assert threading.get_ident() not in stall.kept
        assert stall.lasted
