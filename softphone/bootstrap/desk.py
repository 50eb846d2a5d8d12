"""The desk, plugged together: where it finds the engine, how it starts one, where a password goes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from softphone.bootstrap.home import Home, key_store, password_name
from softphone.bootstrap.program import as_typed
from softphone.bootstrap.screen import has_screen
from softphone.bootstrap.starting import EngineStarter
from softphone.domain.errors import EngineError, KlartoneError
from softphone.system.endpoint import answers, read_endpoint
from softphone.system.logbook import start_log
from softphone.system.paths import program_folder

if TYPE_CHECKING:
    from softphone.bootstrap.reviewing import ReviewStarter
    from softphone.ui.app import Desk, DeskDependencies


def run_desk(arguments: argparse.Namespace) -> int:
    """The desk, until its window is closed. The engine that it found or started goes on for as long as it is needed.

    Raises KlartoneError without a screen, before anything is started or written.
    """
    if not has_screen():
        raise KlartoneError("error.desk.no_screen", command=as_typed("demo", "--headless"))
    home = Home.of(arguments)
    link: str | None = getattr(arguments, "link", None)
    target = _linked(link) if link else ""
    if target:
        from softphone.ui.links import hand_over

        if hand_over(home.folders.runtime, target):
            return 0
    start_log(home.folders.log, "desk")
    start = start_early(home)
    from softphone.ui.app import run_desk as run

    return run(desk_dependencies(home, start=start, target=target))


def start_early(home: Home) -> EngineStarter:
    """If no engine answers, start one while Qt is being loaded. Returns the desk's way to start engines, which knows of it."""
    starter = EngineStarter(home)
    endpoint = read_endpoint(home.folders.runtime)
    if endpoint is None or not answers(endpoint):
        with suppress(EngineError):  # the desk tries again, and reports it
            starter()
    return starter


def desk_dependencies(
    home: Home,
    *,
    on_ready: Callable[[Desk], None] | None = None,
    start: EngineStarter | None = None,
    show: bool = True,
    target: str = "",
) -> DeskDependencies:
    from softphone.ui.app import DeskDependencies

    start = start or EngineStarter(home)

    def may_review() -> bool:
        from softphone.bootstrap.reviewing import offers_review

        return offers_review(home)

    @cache
    def reviewing() -> ReviewStarter:
        from softphone.bootstrap.reviewing import ReviewStarter

        return ReviewStarter(home)

    def review() -> None:
        reviewing()()

    def store_password(account: str, password: str) -> None:
        """An empty one: the account is gone, and its password goes with it."""
        ring = key_store(archive)
        if password:
            ring.set(password_name(account), password.encode())
        else:
            ring.delete(password_name(account))

    # The engine sets a faulty file aside, and reports it.
    settings, _ = home.settings(only_look=True)
    archive = home.archive(settings)
    resources = program_folder("resources")
    return DeskDependencies(
        find_endpoint=lambda: read_endpoint(home.folders.runtime),
        start_engine=start,
        why_not=start.why_not,
        came_up=start.came_up,
        store_password=store_password,
        texts=resources / "translations",
        icons=resources / "icons",
        themes=resources / "themes",
        settings=settings,
        place=home.folders.data / "window.json",
        offers_review=may_review,
        start_review=review,
        on_ready=on_ready,
        show=show,
        links=home.folders.runtime,
        target=target,
    )


def _linked(link: str) -> str:
    from softphone.calls.numbers import linked  # few desks are opened by a link

    return linked(link)
