"""The engine's process: its phone first, so that its edge loads while the other parts do. `engine_parts` has those."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from softphone.audio.files import Silence
from softphone.bootstrap.home import Home
from softphone.bootstrap.program import edge_command, take_stdio
from softphone.domain.errors import KlartoneError
from softphone.engine.edge import Edge
from softphone.engine.sip.events import PhoneEvent
from softphone.engine.sip.media import Frames
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import PhoneSettings
from softphone.system import last_words
from softphone.system.endpoint import answers, read_endpoint
from softphone.system.logbook import start_log
from softphone.system.single import ENDS_WITHIN, take_turn

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a phone is reached from outside
SWITCH_INTERVAL = 0.0005
"""seconds: beside a busy thread, a frame's callback then waits half as long for the interpreter"""


@dataclass(slots=True)
class PhoneEnds:
    """Who hears of the phone. Set before its first poll: until then it reports nothing and has no call."""

    heard: Callable[[PhoneEvent], None] = lambda _: None
    frames: Frames = lambda _call, _index, _agent, _party: None


def run_engine(arguments: argparse.Namespace, plugin_folders: Sequence[Path] = ()) -> int:
    """The talking process, until it is told to quit or nobody needs it. Raises EngineError if SIP cannot start, or if
    another engine has this home.

    `plugin_folders`: searched for allowed plugins before the bundled ones.
    """
    wire = take_stdio() if arguments.stdio else None
    home = Home.of(arguments)
    try:
        with _take_turn(home):
            return _run(home, wire, plugin_folders)
    except KlartoneError as error:
        last_words.leave(error)
        raise


def _take_turn(home: Home) -> IO[bytes]:
    """An engine that answers is not waited for; one that is just ending is."""
    endpoint = read_endpoint(home.folders.runtime)
    return take_turn(home.folders.runtime, 0.0 if endpoint and answers(endpoint) else ENDS_WITHIN)


def _run(home: Home, wire: tuple[IO[bytes], IO[bytes]] | None, plugin_folders: Sequence[Path]) -> int:
    log = start_log(home.folders.log, "engine", waits=False)
    sys.setswitchinterval(SWITCH_INTERVAL)
    held, settings_fault = home.settings_in_force()
    settings = held.settings
    ends = PhoneEnds()
    bind = "" if settings.bind == EVERYWHERE else settings.bind
    phone = Phone(
        PhoneSettings(bind, settings.port, record_aware=True),
        lambda event: ends.heard(event),
        Silence(),
        lambda call, index, agent, party: ends.frames(call, index, agent, party),
        Edge(bind, settings.port, edge_command(), settings.accept_from, settings.keep_alive, settings.stun),
    )
    phone.start()
    try:
        # It takes half a second, in which the edge loads too.
        from softphone.bootstrap.engine_parts import run

        run(home, wire, plugin_folders, held, settings_fault, phone, ends)
        log.info("ending")
    finally:
        phone.close()
    return 0
