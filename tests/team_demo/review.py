"""A lead at `klartone review`, in this process: opens what the house offers, scores it, says something about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from softphone.bootstrap.archive.house import house_seen
from softphone.bootstrap.home import Home
from softphone.bootstrap.review import review_dependencies
from softphone.bootstrap.reviewing import offers_review
from softphone.ui.review.app import Review
from tests.peers.processes import until
from tests.team_demo.people import Person


class Reviewing:
    def __init__(self, lead: Person) -> None:
        own = Home.of(argparse.Namespace(home=lead.home.root))
        with lead.at_home():
            assert offers_review(own)
            settings, _ = own.settings(only_look=True)
            deps = review_dependencies(settings, own.archive(settings), house=lambda: house_seen(own, settings))
        assert deps.refusal is None, deps.refusal
        self.review = Review(deps)
        self.review.open()

    @property
    def offered(self) -> set[str]:
        return {one.recording for one in self.review.window.model.rows}

    def opens_next(self) -> str:
        """The newest that nobody has reviewed; what its heading says of it."""
        self.awaits(lambda: bool(self.offered), "the house's sample")
        self.press(Qt.Key.Key_N)
        self.awaits(lambda: self.review.opened is not None, "an open recording")
        return self.review.window.detail.title.text()

    @property
    def seconds(self) -> float:
        """Of the sound that is open."""
        assert self.review.opened is not None
        return self.review.opened.length / 16_000

    def says(self, text: str) -> None:
        self.press(Qt.Key.Key_C)
        comments = self.review.window.detail.comments
        QTest.keyClicks(comments.line, text)
        QTest.keyClick(comments.line, Qt.Key.Key_Return)
        self.awaits(lambda: any(text in label.text() for _, _, label, _ in comments._rows), "the comment")

    def scores(self, points: int) -> None:
        self.press(Qt.Key(Qt.Key.Key_0.value + points))
        self.awaits(lambda: points in dict(self.review.window.detail.scores.points).values(), "the points")

    def press(self, key: Qt.Key) -> None:
        window = self.review.window
        window.activateWindow()
        self.awaits(lambda: QApplication.activeWindow() is window, "the review's window in front")
        QTest.keyClick(window.list, key)

    def awaits(self, met: Callable[[], bool], what: str, seconds: float = 15) -> None:
        def now() -> bool:
            QApplication.processEvents()
            return met()

        until(now, seconds, what)


@contextmanager
def reviewing(lead: Person) -> Generator[Reviewing]:
    made = Reviewing(lead)
    try:
        yield made
    finally:
        made.review.close()
        made.review.window.deleteLater()
