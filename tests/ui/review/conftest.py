"""What the review's tests share: a real archive, and the window over it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from softphone.ui.review import undo
from tests.archive.scene import Scene, scene
from tests.ui.review.team import Reviewed


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def on(qapp: QApplication, desk: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reviewed]:
    """What is erased by being reviewed can be undone in no time; `test_undo.py` gives it its ten seconds."""
    monkeypatch.setattr(undo, "SECONDS", 0.0)
    reviewed = Reviewed(desk)
    yield reviewed
    reviewed.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()  # Qt's objects in circles go here; on a worker's thread that would end the process
