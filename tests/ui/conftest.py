"""What the desk's tests share: a desk that is attached to a scripted engine, with the clock stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.app import Desk
from softphone.ui.application import make_application
from softphone.ui.dependencies import DeskDependencies
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.tokens import load_themes
from softphone.ui.view import View
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import Look, Settings
from softphone.wire.to_engine import Command, WatchLevels
from tests.ui.fake_engine import FakeEngine
from tests.ui.states import NOW, snapshot

RESOURCES = Path(__file__).parents[2] / "resources"


class Scene:
    """A desk and the engine it is attached to."""

    def __init__(self, qtbot: QtBot, engine: FakeEngine, language: Language, look: Look) -> None:
        self.qtbot, self.engine = qtbot, engine
        self.look, self.language = look, language
        self.passwords: list[tuple[str, str]] = []
        self.keyring_fault: Exception | None = None
        self.desk: Desk | None = None

    def open(
        self,
        state: Snapshot | None = None,
        *,
        start: Callable[[], None] | None = None,
        why_not: Callable[[], KlartoneError | None] = lambda: None,
        place: Path | None = None,
        links: Path | None = None,
        target: str = "",
        keep_notes: Callable[[Mapping[str, str]], None] = lambda _: None,
        kept_notes: Mapping[str, str] | None = None,
        save_support: Callable[[str], None] = lambda _: None,
        join_house: Callable[[str, threading.Event, Callable[[bool], None]], None] = lambda _link, _stopped, _asks: (
            None
        ),
        start_review: Callable[[bool], None] = lambda _: None,
    ) -> Desk:
        """A desk attached to the engine, showing `state`."""
        if state is not None:
            self.engine.snapshot = self.dressed(state)
        settings = Settings(language=self.language, look=self.look)
        desk = Desk(
            DeskDependencies(
                find_endpoint=lambda: self.engine.endpoint,
                start_engine=start or self.engine.start,
                why_not=why_not,
                store_password=self._store,
                texts=RESOURCES / "translations",
                target=target,
                icons=RESOURCES / "icons",
                themes=RESOURCES / "themes",
                settings=settings,
                place=place,
                links=links,
                keep_notes=keep_notes,
                kept_notes=lambda: kept_notes or {},
                save_support=save_support,
                join_house=join_house,
                start_review=start_review,
                now=lambda: NOW,
            )
        )
        self.desk = desk
        desk.open()
        if state is not None:
            self.qtbot.waitUntil(lambda: desk.bridge.attached, timeout=10_000)
        return desk

    def dressed(self, state: Snapshot) -> Snapshot:
        return replace(state, settings=replace(state.settings, language=self.language, look=self.look))

    def show(self, state: Snapshot) -> None:
        """The engine's next snapshot, drawn."""
        assert self.desk is not None
        wanted = self.dressed(state)
        with self.qtbot.waitSignal(self.desk.bridge.snapshot, timeout=10_000):
            self.engine.tell(wanted)

    def widget(self, name: str) -> QWidget:
        assert self.desk is not None
        found = self.desk.window.findChild(QWidget, name) or self.desk.incoming.findChild(QWidget, name)
        assert found is not None, f"there is no widget named {name}"
        return found

    def press(self, name: str) -> None:
        """Click the button as a person does: it must be there, in sight, and on."""
        button = self.widget(name)
        assert isinstance(button, QAbstractButton)
        assert button.isVisible(), f"{name} cannot be seen"
        assert button.isEnabled(), f"{name} is off: {button.accessibleDescription()}"
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def activate(self) -> None:
        """The keyboard is the window's."""
        assert self.desk is not None
        self.desk.window.activateWindow()
        self.qtbot.waitUntil(self.desk.window.isActiveWindow, timeout=10_000)

    def keys(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.ControlModifier) -> None:
        """Press them as a person does, wherever the focus is."""
        assert self.desk is not None
        self.activate()
        self.qtbot.keyClick(QApplication.focusWidget() or self.desk.window, key, modifier)

    def sent(self, count: int = 1) -> list[Command]:
        """The commands that reached the engine, once there are `count`."""
        self.qtbot.waitUntil(lambda: len(self.commands()) >= count, timeout=10_000)
        return self.commands()

    def commands(self) -> list[Command]:
        """Without those that ask for levels: a recorded call in sight has them sent by itself."""
        return [one for one in self.engine.received if not isinstance(one, WatchLevels)]  # pyright: ignore[reportReturnType]

    def watched(self) -> list[bool]:
        """When levels were asked for, and when no more."""
        return [one.on for one in list(self.engine.received) if isinstance(one, WatchLevels)]

    def _store(self, account: str, password: str) -> None:
        if self.keyring_fault:
            raise self.keyring_fault
        self.passwords.append((account, password))


def without_id(command: object) -> object:
    """A command as it is without its id, which is new each time."""
    assert any(f.name == "id" for f in fields(command))  # pyright: ignore[reportArgumentType]
    return replace(command, id="")  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType, reportGeneralTypeIssues]


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """Presses follow as fast as a test is; what a second one does is `test_double_press.py`'s."""
    app = make_application()
    app.setDoubleClickInterval(0)
    return app


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    engine = FakeEngine(snapshot())
    yield engine
    engine.close()


@pytest.fixture
def scene(qtbot: QtBot, engine: FakeEngine) -> Iterator[Scene]:
    yield from _scene(qtbot, engine, Language.DA, Look.LIGHT)


@pytest.fixture
def english(qtbot: QtBot, engine: FakeEngine) -> Iterator[Scene]:
    yield from _scene(qtbot, engine, Language.EN, Look.DARK)


def _scene(qtbot: QtBot, engine: FakeEngine, language: Language, look: Look) -> Iterator[Scene]:
    engine.start()
    before = len(QApplication.allWidgets())
    scene = Scene(qtbot, engine, language, look)
    yield scene
    if scene.desk:
        scene.desk.close()
        scene.desk.window.deleteLater()
        scene.desk.incoming.deleteLater()
        scene.desk.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert len(QApplication.allWidgets()) <= before, "a part of the window outlives it"
        qapp = QApplication.instance()
        assert isinstance(qapp, QApplication)
        qapp.setStyleSheet("")  # the next window is put together as the first one is: bare


@pytest.fixture
def view_of(qapp: QApplication) -> Callable[..., View]:
    """Makes a View of a snapshot, without a window."""
    light, dark = load_themes(RESOURCES / "themes")
    icons = Icons(RESOURCES / "icons")

    def make(
        state: Snapshot, language: Language = Language.DA, *, is_dark: bool = False, connected: bool = True
    ) -> View:
        texts = Texts(RESOURCES / "translations", language, "Europe/Copenhagen")
        return View(state, texts, dark if is_dark else light, icons, NOW, connected)

    return make
