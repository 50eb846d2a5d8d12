"""The review over a hundred thousand calls: how long the window is held up while it scrolls and filters; how soon sound comes
from another place.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from softphone.archive.review.sample import SampleFilter
from softphone.ui.review.app import Review
from tests.archive.scene import AT, RATE, scene
from tests.bench.figures import Figure, spread
from tests.ui.review.many import Turns, add_sample
from tests.ui.review.team import ANNA, Reviewed, conversation, take

GOAL_STALL, GOAL_SEEK = 50, 100
"""ms"""


def measure(count: int = 100_000, seeks: int = 20) -> list[Figure]:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from softphone.ui.application import make_application

    make_application().setDoubleClickInterval(0)  # nobody presses twice
    switches = sys.getswitchinterval()
    sys.setswitchinterval(0.001)  # as `run_review`
    with tempfile.TemporaryDirectory() as place, scene(Path(place) / "archive") as desk:
        # Newer than all of the others, so that it is the first of the list.
        take(desk, ANNA, AT - timedelta(minutes=30), sound=conversation(30))
        add_sample(desk.archive, count)
        on = Reviewed(desk)
        try:
            review = on.open()
            _until(lambda: len(review.window.model.rows) > 0)
            figures = [_seeking(on, review, seeks)]
            figures.insert(0, _scrolling(review, count))
        finally:
            sys.setswitchinterval(switches)
            on.close()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return figures


def _scrolling(review: Review, count: int) -> Figure:
    window, model = review.window, review.window.model
    turns = Turns()
    window.filters[SampleFilter.ALL].click()
    _scroll(review, to=count)
    window.filters[SampleFilter.REVIEWED].click()
    _until(lambda: bool(model.rows) and model.rows[0].reviewed_at is not None)
    window.filters[SampleFilter.ALL].click()
    window.search.setText("anna")
    _until(lambda: bool(model.rows) and all((row.agent or "").startswith("anna") for row in model.rows[:50]))
    _scroll(review, to=count // 3)
    return Figure(
        "review: longest hold-up of the window",
        f"{max(turns.gaps) * 1000:.0f} ms (own work {max(turns.works) * 1000:.0f})",
        f"{GOAL_STALL} ms",
        "between two turns of its loop, by the clock, with whatever else ran; and what of one is its own work; "
        f"{count:,} calls scrolled through, and filtered three times",
    )


def _scroll(review: Review, to: int) -> None:
    """As far down as so many rows."""
    while len(review.window.model.rows) < to:
        review.window.list.scrollToBottom()
        _turn()


def _seeking(on: Reviewed, review: Review, seeks: int) -> Figure:
    """From the jump to the first sound of the new place that a device would get."""
    review.open_recording(review.window.model.rows[0].recording)
    _until(lambda: review.opened is not None and review.window.detail.waveform.drawn_whole)
    review.sound.play()
    _until(lambda: bool(np.frombuffer(on.speaker.pull(0.1), np.int16).any()))
    took: list[float] = []
    for number in range(seeks):
        review.sound.seek((number * 7 % 25 + 1) * RATE)
        began = time.perf_counter()
        while not review.sound.has_sound:
            time.sleep(0.0005)
        took.append((time.perf_counter() - began) * 1000)
    review.sound.pause()
    return Figure(
        "review: sound after a jump",
        spread(took, "ms"),
        f"{GOAL_SEEK} ms",
        "from the sealed container, ready for the device",
    )


def _turn() -> None:
    QApplication.processEvents()
    time.sleep(0.001)


def _until(happened: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError
        _turn()
