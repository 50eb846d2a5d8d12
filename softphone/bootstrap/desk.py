"""The desk, plugged together: where it finds the engine, how it starts one, where a password goes."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from softphone.bootstrap.home import Home, key_store, password_name
from softphone.bootstrap.kept_notes import KeptNotes
from softphone.bootstrap.program import as_typed
from softphone.bootstrap.screen import has_screen
from softphone.bootstrap.starting import EngineStarter
from softphone.bootstrap.supporting import save_support
from softphone.domain.errors import EngineError, KlartoneError
from softphone.locking import held_by_another, locked
from softphone.system.endpoint import answers, read_endpoint
from softphone.system.logbook import start_log
from softphone.system.paths import program_folder
from softphone.system.single import DESK

if TYPE_CHECKING:
    from softphone.bootstrap.reviewing import ReviewStarter
    from softphone.ui.app import Desk
    from softphone.ui.dependencies import DeskDependencies

NOBODY = "-"
"""in a number's place, of a link that cannot be used: nothing of what it says is handed on"""
LISTENS_WITHIN = 8.0
"""seconds in which a desk that has just been started takes links"""

_PLACES: list[IO[bytes]] = []
"""this process's place as a desk: the system frees it once the process is gone, and `klartone quit` waits for that"""


def run_desk(arguments: argparse.Namespace) -> int:
    """The desk, until its window is closed. The engine that it found or started goes on for as long as it is needed.

    Raises KlartoneError without a screen, before anything is started or written.
    """
    if not has_screen():
        raise KlartoneError("error.desk.no_screen", command=as_typed("demo", "--headless"))
    home = Home.of(arguments)
    link: str | None = getattr(arguments, "link", None)
    target, unusable = _linked(link) if link else ("", None)
    alone, told = _alone_or_told(home.folders.runtime, target)
    if unusable is not None and (told or (sys.stderr is not None and sys.stderr.isatty())):
        if alone is not None:
            alone.close()
        raise unusable
    if told:
        return 0
    if alone is not None:
        _PLACES.append(alone)
    start_log(home.folders.log, "desk")
    start = start_early(home)
    from softphone.ui.app import run_desk as run

    return run(desk_dependencies(home, start=start, target=target))


def take_place(runtime: Path) -> IO[bytes] | None:
    """The lock by which others see that a desk is open here; None if one is already, or no lock can be made."""
    try:
        runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (runtime / DESK).open("ab")
    except OSError:
        return None
    if locked(file):
        return file
    file.close()
    return None


def _alone_or_told(runtime: Path, target: str) -> tuple[IO[bytes] | None, bool]:
    """The lock, if no other desk is open here; and whether another has the target, or else shows its window.

    One that has just been started listens in a moment, and one that is just closing leaves its place. A page that opens many
    links must not open as many windows; and two windows of one phone would start it again when it ends for an update.
    """
    until = time.monotonic() + LISTENS_WITHIN
    while True:
        alone = take_place(runtime)
        if target or (alone is None and held_by_another(runtime / DESK)):
            from softphone.ui.links import hand_over  # brings Qt's network along

            if hand_over(runtime, target):
                return alone, True
        if alone is not None or not held_by_another(runtime / DESK) or time.monotonic() >= until:
            return alone, False
        time.sleep(0.1)


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
    from softphone.ui.dependencies import DeskDependencies

    start = start or EngineStarter(home)

    def may_review() -> bool:
        from softphone.bootstrap.reviewing import offers_review

        return offers_review(home)

    def may_share() -> bool:
        from softphone.bootstrap.reviewing import shares_review

        return shares_review(home)

    @cache
    def reviewing() -> ReviewStarter:
        from softphone.bootstrap.reviewing import ReviewStarter

        return ReviewStarter(home)

    def review(shared: bool) -> None:
        reviewing()(shared=shared)

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
        keep_notes=KeptNotes(lambda: key_store(archive)).keep,
        kept_notes=KeptNotes(lambda: key_store(archive)).read,
        save_support=lambda path: save_support(home, path),
        join_house=lambda link, stopped, asks: _join_house(home, link, stopped, asks),
        offers_review=may_review,
        shares_review=may_share,
        start_review=review,
        on_ready=on_ready,
        show=show,
        links=home.folders.runtime,
        target=target,
    )


def _join_house(home: Home, link: str, stopped: threading.Event, asks: Callable[[bool], None]) -> None:
    from softphone.bootstrap.home import texts  # few desks ever join
    from softphone.bootstrap.house import join_house
    from softphone.house.browser import by_browser

    tell = texts()
    words = {"done": tell("house.signed_in_page"), "failed": tell("house.not_signed_in_page")}
    join_house(home, link, lambda desk: by_browser(desk, words, stopped=stopped, asks=asks))


def _linked(link: str) -> tuple[str, KlartoneError | None]:
    """Whom it names. If it names nobody, the desk says so: whoever pressed on it has no terminal, as a rule."""
    from softphone.calls.numbers import linked  # few desks are opened by a link

    try:
        return linked(link), None
    except KlartoneError as error:
        return NOBODY, error
