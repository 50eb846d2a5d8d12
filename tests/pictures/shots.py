"""A picture of the review's window as it stands, and the hand that brings it there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from softphone.domain.purpose import Language
from softphone.ui.review.app import Review
from softphone.ui.review.window import HEIGHT, WIDTH
from softphone.wire.snapshot import Look


def shoot(
    folder: Path, name: str, on: Review, language: Language, look: Look, width: int = WIDTH, height: int = HEIGHT
) -> None:
    """`<folder>/<name>-<language>-<look>.png`."""
    on.window.resize(width, height)
    for _ in range(3):
        QApplication.processEvents()
    on.draw()
    QApplication.processEvents()
    file = folder / f"{name}-{language}-{'dark' if look is Look.DARK else 'light'}.png"
    assert on.window.grab().save(str(file), "PNG")


def press(on: Review, key: Qt.Key) -> None:
    """Its keys are the window's in front, and there may be two."""
    on.window.activateWindow()
    until(lambda: QApplication.activeWindow() is on.window)
    QTest.keyClick(on.window.list, key)


def until(happened: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"{happened.__code__.co_name}, line {happened.__code__.co_firstlineno}")
        QApplication.processEvents()
        time.sleep(0.005)
