"""The review over an archive that takes its time, or stops answering: the window says what it does, and nothing typed is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from softphone.domain.archive.interface import SeenArchive
from softphone.domain.errors import KlartoneError, UnreachableError
from softphone.ui.review.app import Review
from softphone.ui.review.dependencies import ReviewDependencies
from tests.archive.scene import AT, Scene
from tests.ui.review.team import ANNA, Reviewed, conversation, take

AWAY = UnreachableError("error.house.unreachable", server="arkiv.nordlys.example")


class Line:
    """To the archive: each question waits while it is `held`, and fails while all is `cut` or its name among `fails`."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()
        self.cut = False
        self.fails: set[str] = set()
        self.asked: Counter[str] = Counter()

    def held(self, held: bool) -> None:
        (self._free.clear if held else self._free.set)()

    def __call__(self, name: str) -> None:
        self._free.wait(20)
        self.asked[name] += 1
        if self.cut or name in self.fails:
            raise AWAY


class Far:
    """What lies behind that line, asked for by its own names."""

    def __init__(self, near: Any, line: Line) -> None:
        self._near, self._line = near, line

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(self._near, name)
        if name in ("reviews", "reader"):
            return Far(found, self._line)
        if not callable(found) or name == "close":
            return found

        def asked(*words: Any, **named: Any) -> Any:
            if name == "pcm":
                return self._pieces(found(*words))
            self._line(name)
            told: Any = found(*words, **named)
            return Far(told, self._line) if name in ("beside", "open") else told

        return asked

    def _pieces(self, near: Any) -> Iterator[Any]:
        for piece in near:
            self._line("pcm")
            yield piece


@pytest.fixture
def line(on: Reviewed, monkeypatch: pytest.MonkeyPatch) -> Line:
    made, deps = Line(), on.deps

    def far(teams: Any, **named: Any) -> ReviewDependencies:
        near = deps(teams, **named)
        return replace(near, archive=cast("SeenArchive", Far(near.archive, made)))

    monkeypatch.setattr(on, "deps", far)
    return made


def says(qtbot: QtBot, said: Callable[[], str], text: str) -> None:
    qtbot.waitUntil(lambda: text in said(), timeout=10_000)


def opens(qtbot: QtBot, review: Review) -> None:
    QTest.keyClick(review.window.list, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: review.opened is not None, timeout=10_000)


def asks_on(qtbot: QtBot, line: Line, name: str) -> None:
    """Three times more."""
    so_far = line.asked[name]
    qtbot.waitUntil(lambda: line.asked[name] >= so_far + 3, timeout=10_000)


def test_a_window_over_a_slow_archive_stays_alive_and_says_what_it_waits_for(
    qtbot: QtBot, desk: Scene, on: Reviewed, line: Line
) -> None:
    for hours in (1, 2):
        take(desk, ANNA, AT - timedelta(hours=hours), sound=conversation(20), keep="P7D")
    line.held(True)
    review = on.open()
    window, place = review.window, review.window.detail.place.heading
    says(qtbot, window.empty.text, "Henter listen …")
    line.held(False)
    qtbot.waitUntil(lambda: len(window.model.rows) == 2, timeout=10_000)
    assert window.empty.isHidden()
    line.held(True)
    QTest.keyClick(window.list, Qt.Key.Key_N)
    says(qtbot, place.text, "Åbner …")
    line.held(False)
    qtbot.waitUntil(lambda: window.detail.waveform.drawn_whole, timeout=10_000)
    time = window.detail.transport.time
    line.held(True)
    QTest.keyClick(window.list, Qt.Key.Key_Space)
    says(qtbot, time.text, "henter …")
    line.held(False)
    says(qtbot, time.text, "0:00 / 0:20")
    for _ in range(12):
        qtbot.waitUntil(lambda: review.sound.has_sound, timeout=10_000)
        on.speaker.pull(0.1)
    says(qtbot, time.text, "0:01 / 0:20")
    line.held(True)
    QTest.keyClick(window.list, Qt.Key.Key_R)
    says(qtbot, place.text, "Gemmer …")
    line.held(False)
    qtbot.waitUntil(lambda: review.opened is not None and len(window.model.rows) == 1, timeout=10_000)


def test_what_is_being_written_outlives_an_archive_that_stops_answering(
    qtbot: QtBot, desk: Scene, on: Reviewed, line: Line
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=conversation(20))
    review = on.open()
    window, comments = review.window, review.window.detail.comments
    qtbot.waitUntil(lambda: len(window.model.rows) == 1, timeout=10_000)
    opens(qtbot, review)
    review.sound.seek(9 * 16_000)
    QTest.keyClick(window.list, Qt.Key.Key_C)
    QTest.keyClicks(comments.line, "Godt spurgt")
    line.cut = True
    says(qtbot, window.detail.place.heading.text, "Afspilningen er standset")
    away = "Organisationens arkiv på arkiv.nordlys.example svarer ikke."
    assert away in window.detail.place.more.text()
    assert window.detail.place.more.text().endswith("Det, du var ved at skrive, er her igen, når du åbner den.")
    asks_on(qtbot, line, "written")
    assert window.note.isHidden()  # it is said already
    window.close()
    assert window.note.text.text().startswith("Kommentaren er ikke gemt. Luk vinduet igen,")
    assert not window.isHidden()
    line.cut = False
    opens(qtbot, review)
    assert (comments.writing, comments.line.text()) == (True, "Godt spurgt")
    QTest.keyClick(comments.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [(one.sample, one.text) for one in comments.comments] == [(144_000, "Godt spurgt")])


@pytest.mark.parametrize(("first", "last"), [("page", "figures"), ("counts", "living")])
def test_while_one_question_alone_is_not_answered_it_is_told_once(
    qtbot: QtBot, desk: Scene, on: Reviewed, line: Line, monkeypatch: pytest.MonkeyPatch, first: str, last: str
) -> None:
    monkeypatch.setattr("softphone.ui.review.work.archive_worker.NEWS", 0.05)
    take(desk, ANNA, AT - timedelta(hours=1), sound=conversation(2))
    review = on.open()
    window = review.window
    told: list[KlartoneError | None] = []
    assert review.shelf is not None
    review.shelf.ails.connect(told.append)
    qtbot.waitUntil(lambda: len(window.model.rows) == 1 and review.filter_counts != {}, timeout=10_000)
    line.fails = {first, last}
    take(desk, ANNA, AT - timedelta(hours=2), sound=conversation(2))
    for fails in ({first, last}, {last}):
        line.fails = fails
        asks_on(qtbot, line, first)
        asks_on(qtbot, line, last)
    assert told == [AWAY]
    assert not window.note.isHidden()
    line.fails = set()
    qtbot.waitUntil(lambda: told == [AWAY, None], timeout=10_000)
    qtbot.waitUntil(window.note.isHidden, timeout=10_000)
    qtbot.waitUntil(lambda: len(window.model.rows) == 2, timeout=10_000)


def test_what_is_stored_as_reviewed_is_told_so_though_nothing_more_is_answered(
    qtbot: QtBot, desk: Scene, on: Reviewed, line: Line
) -> None:
    for hours in (1, 2):
        take(desk, ANNA, AT - timedelta(hours=hours), sound=conversation(2), keep="P7D")
    review = on.open()
    window, place = review.window, review.window.detail.place
    qtbot.waitUntil(lambda: len(window.model.rows) == 2, timeout=10_000)
    opens(qtbot, review)
    line.fails = {"row", "open"}
    QTest.keyClick(window.list, Qt.Key.Key_Space)
    for _ in range(12):
        qtbot.waitUntil(lambda: review.sound.has_sound, timeout=10_000)
        on.speaker.pull(0.1)
    QTest.keyClick(window.list, Qt.Key.Key_R)
    says(qtbot, place.heading.text, "Optagelsen kan ikke åbnes")
    assert len(window.model.rows) == 1
    line.fails = set()
    opens(qtbot, review)
