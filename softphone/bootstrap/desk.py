"""The desk, plugged together: where it finds the engine, how it starts one, where a password goes."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from softphone.bootstrap.home import Home, key_store, password_name
from softphone.bootstrap.program import as_typed, klartone_command
from softphone.bootstrap.screen import has_screen
from softphone.domain.errors import EngineError, KlartoneError
from softphone.system.endpoint import answers, read_endpoint
from softphone.system.logbook import start_log
from softphone.system.paths import program_folder

if TYPE_CHECKING:
    from softphone.bootstrap.reviewing import ReviewStarter
    from softphone.ui.app import Desk, DeskDependencies


DETACHED = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
"""lets a child outlive its parent on Windows; elsewhere a session of its own does"""
_START_LOG_BYTES = 1_000_000


def run_desk(arguments: argparse.Namespace) -> int:
    """The desk, until its window is closed. The engine that it found or started goes on for as long as it is needed.

    Raises KlartoneError without a screen, before anything is started or written.
    """
    if not has_screen():
        raise KlartoneError("error.desk.no_screen", command=as_typed("demo", "--headless"))
    home = Home.of(arguments)
    start_log(home.folders.log, "desk")
    start = start_early(home)
    from softphone.ui.app import run_desk as run

    return run(desk_dependencies(home, start=start))


def start_early(home: Home) -> Callable[[], None]:
    """If no engine answers, start one while Qt is being loaded. Returns the desk's way to start engines: its first use takes
    the one under way."""
    on_its_way: list[subprocess.Popen[bytes]] = []
    endpoint = read_endpoint(home.folders.runtime)
    if endpoint is None or not answers(endpoint):
        with suppress(EngineError):  # the desk tries again, and reports it
            on_its_way.append(start_engine(home))

    def start() -> None:
        if not on_its_way or on_its_way.pop().poll() is not None:
            start_engine(home)

    return start


def desk_dependencies(
    home: Home,
    *,
    on_ready: Callable[[Desk], None] | None = None,
    start: Callable[[], None] | None = None,
    show: bool = True,
) -> DeskDependencies:
    from softphone.ui.app import DeskDependencies

    def begin() -> None:
        start_engine(home)

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
        start_engine=start or begin,
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
    )


def open_start_log(folder: Path) -> BinaryIO:
    """For stderr of an engine and its libraries; begun anew once it is long, since no rotation reaches it."""
    path = folder / "engine-start.log"
    long = path.exists() and path.stat().st_size > _START_LOG_BYTES
    return path.open("wb" if long else "ab")


def start_engine(home: Home) -> subprocess.Popen[bytes]:
    """An engine in a process of its own, which outlives this one. Raises EngineError if none can be started."""
    home.folders.log.mkdir(parents=True, exist_ok=True)
    try:
        with open_start_log(home.folders.log) as words:
            return subprocess.Popen(
                [*klartone_command(), *(("--home", str(home.root)) if home.root else ()), "engine"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
                cwd=Path.home() if Path.home().is_dir() else "/",
                start_new_session=True,
                creationflags=DETACHED,
            )
    except OSError as error:
        raise EngineError("error.engine.cannot_start", detail=error.strerror or str(error)) from None
