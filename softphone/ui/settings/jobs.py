"""What the settings ask for that may take its time: each on a thread of its own, and what came of it shown where it was asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from softphone.domain.errors import HouseError, KeyringError, KlartoneError
from softphone.system.logbook import log_bug
from softphone.ui.aside import Aside, aside, tell
from softphone.ui.dependencies import DeskDependencies
from softphone.ui.window import DeskWindow

log = logging.getLogger(__name__)


class SettingsJobs(QObject):
    """settled(): this phone has joined a house, whose settings are there to be read."""

    settled = Signal()
    _stored = Signal(object)
    _may_review = Signal(bool)
    _supported = Signal(str)
    _joined = Signal(object)
    _browser_asked = Signal(bool)

    def __init__(self, deps: DeskDependencies, window: DeskWindow, parent: QObject) -> None:
        super().__init__(parent)
        self._deps, self._page = deps, window.settings
        self._stop_joining = threading.Event()
        self._begun: dict[str, Aside] = {}
        """kept until the next of its kind"""
        page = self._page
        window.password.connect(self._store_password)
        page.support.wanted.connect(self._save_support)
        page.house.wanted.connect(self._join)
        page.house.stopped.connect(self._stop_joining.set)
        self._stored.connect(self._password_done)
        self._may_review.connect(page.offer_review)
        self._supported.connect(self._support_saved)
        self._joined.connect(self._join_done)
        self._browser_asked.connect(page.house.asks)

    def ask_for_review(self) -> None:
        """Whether it is offered."""

        def ask() -> None:
            leads = self._deps.offers_review()
            if leads or self._deps.shares_review():
                tell(self._may_review, not leads)

        self._do("review", ask)

    def _do(self, kind: str, job: Callable[[], None]) -> None:
        self._begun[kind] = aside(job)

    def _store_password(self, account: str, password: str) -> None:
        def store() -> None:
            refusal: KeyringError | None = None
            try:
                self._deps.store_password(account, password)
            except KeyringError as error:
                refusal = error
            except Exception as error:  # noqa: BLE001 - whatever a keyring throws: its words may hold the password
                log_bug(log, error)
                refusal = KeyringError("error.keyring.failed", detail=type(error).__name__)
            tell(self._stored, refusal)

        self._do(f"password {account}", store)

    def _password_done(self, refusal: KeyringError | None) -> None:
        if refusal is not None:
            self._page.account.password_refused(refusal)
        else:
            self._page.account.password_stored()

    def _save_support(self, path: str) -> None:
        def save() -> None:
            try:
                self._deps.save_support(path)
            except KlartoneError:
                tell(self._supported, "")
            else:
                tell(self._supported, path)

        self._do("support", save)

    def _support_saved(self, path: str) -> None:
        """Empty: it could not be written."""
        if path:
            self._page.support.written(path)
        else:
            self._page.support.failed()

    def _join(self, link: str) -> None:
        self._stop_joining.clear()

        def join() -> None:
            error: KlartoneError | None = None
            try:
                self._deps.join_house(link, self._stop_joining, lambda waits: tell(self._browser_asked, waits))
            except KlartoneError as refused:
                error = refused
            except Exception as bug:  # noqa: BLE001 - whatever it is, the person is told that it did not work
                log_bug(log, bug)
                error = HouseError("error.house.failed")
            tell(self._joined, error)

        self._do("join", join)

    def _join_done(self, error: KlartoneError | None) -> None:
        if error is not None:
            self._page.house.failed(error)
        else:
            self._page.house.joined()
            self.settled.emit()
