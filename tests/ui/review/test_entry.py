"""The way from the desk to the review: a button in the settings, where this keyring can hear training recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from softphone.domain.errors import EngineError
from softphone.domain.purpose import Language
from softphone.ui.app import Desk
from softphone.ui.dependencies import DeskDependencies
from softphone.wire.snapshot import Settings
from tests.ui.fake_engine import FakeEngine
from tests.ui.review.team import RESOURCES
from tests.ui.states import NOW, snapshot


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    state = snapshot()
    engine = FakeEngine(replace(state, settings=replace(state.settings, language=Language.DA)))
    engine.start()
    yield engine
    engine.close()


def desk(qtbot: QtBot, engine: FakeEngine, *, offered: bool, started: list[str], shared: bool = False) -> Desk:
    def start(_shared: bool) -> None:
        if started:
            raise EngineError("error.review.cannot_start", detail="no such file")
        started.append("review")

    made = Desk(
        DeskDependencies(
            find_endpoint=lambda: engine.endpoint,
            start_engine=engine.start,
            store_password=lambda _account, _password: None,
            texts=RESOURCES / "translations",
            icons=RESOURCES / "icons",
            themes=RESOURCES / "themes",
            settings=Settings(language=Language.DA),
            offers_review=lambda: offered,
            shares_review=lambda: shared,
            start_review=start,
            now=lambda: NOW,
        )
    )
    with qtbot.waitSignal(made.ready, timeout=10_000):
        made.open()
    made.window.open_settings()
    return made


def put_away(made: Desk) -> None:
    made.close()
    for one in (made.window, made.incoming, made):
        one.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_the_review_is_started_from_the_settings_and_a_failure_is_said(
    qtbot: QtBot, qapp: QApplication, engine: FakeEngine
) -> None:
    started: list[str] = []
    made = desk(qtbot, engine, offered=True, started=started)
    button = made.window.settings.review_button
    qtbot.waitUntil(button.isVisible, timeout=10_000)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert started == ["review"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert made.window.note.text.text().startswith("Gennemgangen kan ikke startes (no such file)")
    put_away(made)


def test_an_agent_of_a_house_opens_what_is_shared_by_its_name(
    qtbot: QtBot, qapp: QApplication, engine: FakeEngine
) -> None:
    made = desk(qtbot, engine, offered=False, started=[], shared=True)
    button = made.window.settings.review_button
    qtbot.waitUntil(button.isVisible, timeout=10_000)
    assert button.text() == "Delt med dig"
    put_away(made)


def test_without_the_key_there_is_no_way_to_it(qtbot: QtBot, qapp: QApplication, engine: FakeEngine) -> None:
    made = desk(qtbot, engine, offered=False, started=[])
    qtbot.wait(100)
    assert not made.window.settings.review_button.isVisible()
    put_away(made)
