"""A sample of a hundred thousand calls: the list scrolls and filters, page by page, and the window goes on turning."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from softphone.archive.review.sample import Shown
from tests.archive.scene import AT, Scene
from tests.ui.review.many import COUNT, Turns, add_sample
from tests.ui.review.team import Reviewed

WORK = 50
"""ms of its own that the window may take between two turns: what else the machine does meanwhile is not its own"""


def test_a_hundred_thousand_recordings_scroll_and_filter(
    qtbot: QtBot, desk: Scene, on: Reviewed, capsys: pytest.CaptureFixture[str]
) -> None:
    add_sample(desk.archive)
    review = on.open()
    window, model = review.window, review.window.model
    qtbot.waitUntil(lambda: len(model.rows) >= 200, timeout=20_000)
    turns = Turns()
    while not model.whole:
        window.list.scrollToBottom()
        QApplication.processEvents()
    # The oldest that nobody has reviewed; every fifth was.
    assert (len(model.rows), model.rows[-1].recording[:8]) == (COUNT * 4 // 5, "00000001")
    assert len({row.recording for row in model.rows}) == len(model.rows)
    assert [row.opened_at for row in model.rows] == sorted((row.opened_at for row in model.rows), reverse=True)
    turns.forget()
    window.list.scrollToTop()
    QTest.keyClick(window.list, Qt.Key.Key_End)
    QTest.keyClick(window.list, Qt.Key.Key_PageUp)
    qtbot.mouseClick(window.filters[Shown.REVIEWED], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(model.rows) and all(row.reviewed_at for row in model.rows[:200]), timeout=10_000)
    QTest.keyClick(window.list, Qt.Key.Key_F)
    QTest.keyClicks(window.search, "anna")
    qtbot.waitUntil(
        lambda: bool(model.rows) and all(row.agent and row.agent.startswith("anna") for row in model.rows[:200]),
        timeout=10_000,
    )
    gap, work = (max(times) * 1000 for times in (turns.gaps, turns.works))
    with capsys.disabled():
        print(
            f"\n{COUNT} recordings: between two turns of the window's loop {gap:.0f} ms at most, {work:.0f} ms its own work"
        )
    assert work < WORK
    qtbot.waitUntil(lambda: 0 < review.filter_counts.get(Shown.ALL, 0) < COUNT, timeout=20_000)
    counts = review.filter_counts
    assert counts[Shown.ALL] == counts[Shown.WAITING] + counts[Shown.REVIEWED] == COUNT // 3 + (COUNT % 3 > 0)
    assert len({row.recording for row in model.rows}) == len(model.rows)
    assert [row.opened_at for row in model.rows] == sorted((row.opened_at for row in model.rows), reverse=True)
    assert AT - timedelta(days=80) < model.rows[-1].opened_at
