"""What may no longer be heard for training leaves the page at once, also while it is open and plays."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Collection
from datetime import timedelta

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from softphone.archive.files.reader import OpenedRecording
from softphone.archive.seen.access import choose_signer
from softphone.archive.seen.reviewing import Reviews
from softphone.audio.playback import Playback
from softphone.domain.archive.reviews import SampleFilter
from softphone.domain.changes import Change, Discard, DropWraps, HoldBy, PlaceHold
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.system.signature import new_signing_key, public_half
from softphone.ui.review.app import Review
from softphone.ui.review.work.thread import WorkerThread
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene, voices
from tests.ui.review.many import stalled
from tests.ui.review.team import ALMA, ANNA, Reviewed, take

WITHDRAWN = "Den må ikke længere bruges til uddannelse. Lyd, kommentarer og vurdering er fjernet herfra."


def playing(qtbot: QtBot, on: Reviewed, count: int) -> Review:
    """The newest of so many is open, commented on, and heard."""
    review = on.open()
    qtbot.waitUntil(lambda: len(review.window.model.rows) == count, timeout=10_000)
    QTest.keyClick(review.window.list, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: review.opened is not None, timeout=10_000)
    QTest.keyClick(review.window.list, Qt.Key.Key_C)
    QTest.keyClicks(review.window.detail.comments.line, "Her blev kunden afbrudt")
    QTest.keyClick(review.window.detail.comments.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(review.window.detail.comments.comments) == 1, timeout=10_000)
    QTest.keyClick(review.window.list, Qt.Key.Key_3)
    QTest.keyClick(review.window.list, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(np.frombuffer(on.speaker.pull(0.1), np.int16).any()), timeout=10_000)
    qtbot.waitUntil(lambda: review.window.detail.waveform.drawn_whole, timeout=10_000)
    return review


def test_closed_the_window_goes_at_once_and_an_archive_that_hangs_is_waited_for_once(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkerThread, "waits", 2.0)
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(1))
    review = playing(qtbot, on, 1)
    shown: list[bool] = []
    stop = review.browsing.stop
    monkeypatch.setattr(review.browsing, "stop", lambda: (stop(), shown.append(review.window.isVisible())))
    with stalled(monkeypatch) as stall:
        review.browsing._count()
        qtbot.waitUntil(lambda: len(stall.kept) > 1, timeout=10_000)
        began = time.monotonic()
        review.close()
        assert time.monotonic() - began < 3.5
    assert shown == [False]


def withdraw(recording: str) -> tuple[Change, ...]:
    return (DropWraps(recording, KeyRole.TRAINING, "withdrawn"), Discard(recording, "withdrawn"))


def decline(recording: str) -> tuple[Change, ...]:
    return (DropWraps(recording, KeyRole.TRAINING, "declined_by_key"),)


def hold(recording: str) -> tuple[Change, ...]:
    return (PlaceHold("h", recording, HoldBy.PARTY, "desk-3", AT, None),)


def heard_by_now() -> list[Playback | OpenedRecording]:
    """All that holds sound in this process, also what other tests have left."""
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, Playback | OpenedRecording)]


@pytest.mark.rule("G31")
@pytest.mark.parametrize("change", [withdraw, decline, hold])
def test_what_is_withdrawn_declined_or_held_while_it_plays_is_silent_within_a_second_and_gone(
    qtbot: QtBot, desk: Scene, on: Reviewed, change: Callable[[str], tuple[Change, ...]]
) -> None:
    recording = take(
        desk,
        ANNA,
        AT - timedelta(hours=1),
        sound=voices(12),
        purposes=(TRAINING, DOCUMENTATION)[: 1 + (change is decline)],
    )
    other = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4))
    others = heard_by_now()
    review = playing(qtbot, on, 2)
    began = time.monotonic()
    desk.commit(*change(recording), recording=recording)
    qtbot.waitUntil(lambda: review.opened is None, timeout=10_000)
    assert not np.frombuffer(on.speaker.pull(0.2), np.int16).any()
    assert time.monotonic() - began < 1.2
    detail = review.window.detail
    assert detail.place.isVisible()
    assert detail.place.more.text() == WITHDRAWN
    assert [row.recording for row in review.window.model.rows] == [other]
    assert not detail.waveform.shows_sound
    assert (detail.comments.comments, dict(detail.scores.points)) == ((), {})
    assert "Anna" not in detail.title.text()
    qtbot.waitUntil(lambda: on.speaker.ask is None, timeout=10_000)
    review.shelf.stop() if review.shelf else None
    assert [one for one in heard_by_now() if all(one is not other for other in others)] == []


@pytest.mark.rule("G11")
def test_what_plays_by_a_policy_that_counts_no_more_is_silent_within_a_second_and_why_is_told(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(12))
    review = playing(qtbot, on, 1)
    signer = public_half(new_signing_key())
    choose_signer(desk.archive, signer, AT)
    qtbot.waitUntil(lambda: review.opened is None, timeout=10_000)
    assert not np.frombuffer(on.speaker.pull(0.2), np.int16).any()
    place = review.window.detail.place
    assert place.heading.text() == "Afspilningen er standset"
    assert signer in place.more.text()
    # It is there for whoever has a policy that counts.
    assert [row.recording for row in review.window.model.rows] == [recording]
    QTest.keyClick(review.window.list, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: desk.archive.audit_of()[-1].event == "policy_refused", timeout=10_000)
    assert review.opened is None


def test_the_next_one_is_a_key_away_when_the_open_one_goes(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(5))
    other = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4))
    review = playing(qtbot, on, 2)
    desk.commit(*withdraw(recording), recording=recording)
    qtbot.waitUntil(lambda: review.opened is None, timeout=1500)
    QTest.keyClick(review.window.list, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: review.opened is not None and review.opened.row.recording == other, timeout=10_000)


@pytest.mark.rule("G31")
def test_however_much_is_asked_for_meanwhile_what_is_withdrawn_is_silent_within_a_second(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(12))
    take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4))
    review = playing(qtbot, on, 2)
    shelf = review.shelf
    assert shelf is not None
    ends = threading.Event()
    slow = threading.Event()

    def again(_archive: object = None) -> None:
        slow.wait(0.02)
        if not ends.is_set():
            shelf._ask(again)  # pyright: ignore[reportPrivateUsage]

    again()
    again()
    try:
        desk.commit(*withdraw(recording), recording=recording)
        qtbot.waitUntil(lambda: review.opened is None, timeout=10_000)
        assert not np.frombuffer(on.speaker.pull(0.2), np.int16).any()
    finally:
        ends.set()


@pytest.mark.rule("G31")
def test_while_the_catalog_is_busy_with_one_long_thing_what_is_withdrawn_is_silent_within_a_second(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(12))
    review = playing(qtbot, on, 1)
    assert review.shelf is not None
    begun, over = threading.Event(), threading.Event()

    def search_in_vain(_archive: object) -> None:
        begun.set()
        over.wait(20)

    review.shelf._ask(search_in_vain)  # pyright: ignore[reportPrivateUsage]
    qtbot.waitUntil(begun.is_set, timeout=10_000)
    try:
        desk.commit(*withdraw(recording), recording=recording)
        qtbot.waitUntil(lambda: review.opened is None, timeout=10_000)
        assert not np.frombuffer(on.speaker.pull(0.2), np.int16).any()
        assert review.window.model.rows == []
    finally:
        over.set()


@pytest.mark.rule("G31")
def test_while_a_long_list_is_checked_what_is_withdrawn_is_silent_within_a_second(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(12))
    held = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4))
    third = take(desk, ALMA, AT - timedelta(hours=3), sound=voices(0.4))
    review = playing(qtbot, on, 3)
    assert review.shelf is not None
    asked = threading.Event()

    living = Reviews.living

    def living_slowly(reviews: Reviews, recordings: list[str]) -> Collection[str]:
        asked.set()
        threading.Event().wait(0.05)
        return living(reviews, recordings)

    monkeypatch.setattr(Reviews, "living", living_slowly)
    monkeypatch.setattr(review.shelf, "_shown", [third] * 40_000)
    desk.commit(*hold(held), recording=held)
    qtbot.waitUntil(asked.is_set, timeout=10_000)
    desk.commit(*withdraw(recording), recording=recording)
    qtbot.waitUntil(lambda: review.opened is None, timeout=10_000)
    assert not np.frombuffer(on.speaker.pull(0.2), np.int16).any()


@pytest.mark.rule("G36")
def test_what_comes_to_its_day_while_it_is_open_goes_though_nobody_has_written(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(5), retention="P7D")
    review = playing(qtbot, on, 1)
    on.now = AT + timedelta(days=7)
    qtbot.waitUntil(lambda: review.opened is None, timeout=2500)
    assert review.window.detail.place.heading.text() == "Optagelsens frist er nået"
    assert not np.frombuffer(on.speaker.pull(0.2), np.int16).any()


@pytest.mark.rule("G36")
def test_over_night_the_list_loses_what_expires_and_tells_the_days_anew_by_itself(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4), retention="P1D")
    stays = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4), retention="P3D")
    review = on.open()
    model = review.window.model
    qtbot.waitUntil(lambda: len(model.rows) == 2, timeout=10_000)

    def told() -> str:
        return str(model.data(model.index(0), int(Qt.ItemDataRole.AccessibleTextRole)))

    on.now = AT + timedelta(days=1)
    qtbot.waitUntil(lambda: [row.recording for row in model.rows] == [stays], timeout=10_000)
    assert told() == "Alma F., Salgslinjen, I går 09.41, 0 sekunder, 2 dage"
    on.now = AT + timedelta(days=2)
    qtbot.waitUntil(lambda: told() == "Alma F., Salgslinjen, 25. nov. 09.41, 0 sekunder, 1 dag", timeout=10_000)
    assert review.opened is None


def test_what_was_searched_for_as_today_is_another_day_after_midnight(qtbot: QtBot, desk: Scene, on: Reviewed) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    review = on.open()
    model = review.window.model
    review.window.searched.emit("i dag")
    qtbot.waitUntil(lambda: len(model.rows) == 1, timeout=10_000)
    on.now = AT + timedelta(days=1)
    qtbot.waitUntil(lambda: not model.rows and model.whole, timeout=10_000)


def test_one_that_went_before_it_was_opened_is_refused_with_the_same_words(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(0.4))
    review = on.open()
    qtbot.waitUntil(lambda: len(review.window.model.rows) == 1, timeout=10_000)
    desk.commit(*hold(recording), recording=recording)
    QTest.keyClick(review.window.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not review.window.model.rows, timeout=10_000)
    assert review.opened is None


def test_one_of_the_list_that_is_held_leaves_it_and_the_open_one_plays_on(
    qtbot: QtBot, desk: Scene, on: Reviewed
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(5))
    held = take(desk, ALMA, AT - timedelta(hours=2), sound=voices(0.4))
    review = playing(qtbot, on, 2)
    desk.commit(*hold(held), recording=held)
    qtbot.waitUntil(lambda: len(review.window.model.rows) == 1, timeout=10_000)
    assert review.opened is not None
    assert review.sound.playing


def test_where_the_archive_can_no_longer_be_asked_nothing_plays_on_and_the_recording_stays_listed(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = take(desk, ANNA, AT - timedelta(hours=1), sound=voices(5))
    review = playing(qtbot, on, 1)
    qtbot.waitUntil(lambda: review.filter_counts.get(SampleFilter.WAITING) == 1, timeout=10_000)

    def silent(*_: object, **__: object) -> bool:
        raise ArchiveError("error.archive.unwritable", path=str(desk.folder), detail="disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(Reviews, "still", silent)
        qtbot.waitUntil(lambda: review.opened is None, timeout=2500)
    assert not np.frombuffer(on.speaker.pull(0.2), np.int16).any()
    place = review.window.detail.place
    assert place.heading.text() == "Afspilningen er standset"
    assert "disk I/O error" in place.more.text()
    assert [row.recording for row in review.window.model.rows] == [recording]
    assert review.filter_counts[SampleFilter.WAITING] == review.filter_counts[SampleFilter.ALL] == 1
    QTest.keyClick(review.window.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: review.opened is not None, timeout=10_000)


def test_where_the_archive_fails_to_answer_once_it_is_asked_again_and_the_sound_goes_on(
    qtbot: QtBot, desk: Scene, on: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(desk, ANNA, AT - timedelta(hours=1), sound=voices(5))
    review = playing(qtbot, on, 1)
    asked: list[object] = []

    def hesitant(reviews: Reviews, recording: str) -> bool:
        asked.append(recording)
        if len(asked) == 1:
            raise ArchiveError("error.archive.unwritable", path=str(desk.folder), detail="database is locked")
        return still(reviews, recording)

    still = Reviews.still
    monkeypatch.setattr(Reviews, "still", hesitant)
    qtbot.waitUntil(lambda: len(asked) > 2, timeout=10_000)
    assert review.opened is not None
    assert review.sound.playing
