"""`klartone quit`: ends the phone for an update. It never ends a call."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.running import desk_runs, ended_within, running
from softphone.cli.status import how_the_end_stands
from softphone.domain.errors import EngineError, KlartoneError
from softphone.texts import Texts, plain
from softphone.wire.snapshot import QuitAsked
from softphone.wire.to_engine import QuitWhenIdle

GOES_ON = 4
"""exit status, beside 0, 1 (a fault) and 2 (a wrong command line)"""
_LOOK_EVERY = 0.2


def run_quit(arguments: argparse.Namespace) -> int:
    """Status 0 if no phone runs any more, 4 if it goes on. With `--when-idle` it still ends by itself then."""
    home, tell = Home.of(arguments), texts()
    runtime, now = home.folders.runtime, datetime.now(UTC)
    latest: datetime | None = arguments.by
    if arguments.now or arguments.within is not None:
        latest = now + timedelta(seconds=0 if arguments.now else arguments.within)
    stands = arguments.when_idle or latest is not None
    until = time.monotonic() + arguments.wait
    asked: set[int] = set()
    """phones that have been asked, by their process"""
    seen: QuitAsked | None = None
    waits = 0
    """for the house's archive, as the phone ended"""
    while True:
        phone = running(runtime)
        if phone is None:
            if not desk_runs(runtime) and ended_within(runtime, 0):
                _tell(tell("quit.done" if asked else "status.none"))
                return 0
            if desk_runs(runtime) and _window_ends(runtime, now=latest is not None and latest <= datetime.now(UTC)):
                asked.add(0)
        else:
            with phone:
                seen = phone.snapshot.quit_asked if phone.snapshot and asked else seen
                waits = phone.snapshot.shipping.count if phone.snapshot and phone.snapshot.shipping else waits
                if phone.hello.pid not in asked:
                    asked.add(phone.hello.pid)
                    within = 0 if stands else max(arguments.wait, 1.0)
                    try:
                        phone.ask(QuitWhenIdle("quit", within=within, latest=latest))
                    except EngineError:
                        if not ended_within(runtime, 0):  # it may be ending by itself just now
                            raise
                    except KlartoneError as error:
                        _tell(tell.error(error))
                        return GOES_ON
        if ended_within(runtime, min(_LOOK_EVERY, max(until - time.monotonic(), 0))):
            _tell(tell("quit.done"))
            if waits:
                _tell(tell("quit.unshipped", count=waits))
            return 0
        if time.monotonic() >= until:
            _tell(_why(runtime, seen, tell))
            return GOES_ON


def _window_ends(runtime: Path, *, now: bool) -> bool:
    """A window whose phone does not run: whether it closes."""
    from softphone.ui.links import END, END_NOW, hand_over  # brings Qt's network along

    return hand_over(runtime, END_NOW if now else END)


def _why(runtime: Path, seen: QuitAsked | None, tell: Texts) -> str:
    """Why it goes on. `seen`: how the request stood, if it is forgotten by now."""
    phone = running(runtime)
    if phone is None:
        return tell("quit.window_alone")
    with phone:
        asked = (phone.snapshot.quit_asked if phone.snapshot else None) or seen
    if asked is None:
        return tell("quit.goes_on.no")
    return how_the_end_stands(asked, tell) if asked.stands else tell(f"quit.stays.{asked.phase}", until=asked.until)


def _tell(line: str) -> None:
    print(plain(line))  # noqa: T201
