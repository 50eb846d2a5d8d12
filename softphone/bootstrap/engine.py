"""The engine's process, in the order in which its user waits: its edge, its phone, its registrations, and all the rest.

Each loads while the one before works. `engine_parts` has the rest.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from softphone.bootstrap.home import Home, at_its_lock, forget_misleading, key_store, password_name
from softphone.bootstrap.program import edge_command, take_stdio
from softphone.domain.errors import EngineError, KlartoneError
from softphone.engine.edge import Edge
from softphone.system import last_words
from softphone.system.endpoint import answers, read_endpoint
from softphone.system.logbook import start_log
from softphone.system.settings_schema import rtp_range
from softphone.system.single import ENDS_WITHIN, take_turn
from softphone.wire.snapshot import CodedText, Settings

if TYPE_CHECKING:
    from softphone.calls.turns import Inbox
    from softphone.engine.accounts import Accounts
    from softphone.engine.sip.events import PhoneEvent
    from softphone.engine.sip.media import Frames
    from softphone.engine.sip.phone import Phone

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a phone is reached from outside
POLL_MS = 100
SWITCH_INTERVAL = 0.0005
"""seconds: beside a busy thread, a frame's callback then waits half as long for the interpreter"""


class PhoneEnds:
    """Who hears of the phone and its accounts. Until the parts are there, what these tell waits, in order. Nobody answers a call
    meanwhile, so there is no frame."""

    def __init__(self) -> None:
        self._events: list[PhoneEvent] = []
        self._faults: dict[str, CodedText | None] = {}
        self.heard: Callable[[PhoneEvent], None] = self._events.append
        self.fault: Callable[[str, CodedText | None], None] = self._faults.__setitem__
        self.frames: Frames = lambda _call, _index, _agent, _party: None

    def hand_over(
        self, heard: Callable[[PhoneEvent], None], frames: Frames, fault: Callable[[str, CodedText | None], None]
    ) -> None:
        self.heard, self.frames, self.fault = heard, frames, fault
        for name, said in self._faults.items():
            fault(name, said)
        for event in self._events:
            heard(event)


@dataclass(frozen=True, slots=True)
class Early:
    """What is there before the other parts are: a phone that registers."""

    phone: Phone
    accounts: Accounts
    inbox: Inbox
    ends: PhoneEnds


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
    forget_misleading(held)  # the edge's too, which looks names up and checks certificates
    bind = "" if settings.bind == EVERYWHERE else settings.bind
    edge = Edge(
        bind,
        settings.port,
        edge_command(),
        settings.accept_from,
        settings.keep_alive,
        settings.stun,
        rtp_range(settings.rtp_ports),
    )
    try:
        edge.bind()
        early = _early(home, settings, bind, edge)
    except BaseException as error:
        edge.close()
        if isinstance(error, EngineError):
            raise at_its_lock(error, held, "port" if "port_taken" in error.code else "bind") from error
        raise
    try:
        loads = threading.Thread(target=_load_parts, args=(early.phone.wake,), name="parts", daemon=True)
        loads.start()
        while loads.is_alive():
            early.phone.poll(POLL_MS)
            early.inbox.drain()
        from softphone.bootstrap.engine_parts import run

        run(home, wire, plugin_folders, held, settings_fault, early)
        log.info("ending")
    finally:
        early.phone.close()
    return 0


def _early(home: Home, settings: Settings, bind: str, edge: Edge) -> Early:
    """The phone, started, and its accounts on their way. It loads a tenth of a second, in which the edge does too."""
    from softphone.audio.files import Silence
    from softphone.calls.turns import Inbox
    from softphone.engine.accounts import Accounts
    from softphone.engine.sip.phone import Phone
    from softphone.engine.sip.settings import PhoneSettings

    ends = PhoneEnds()
    phone = Phone(
        PhoneSettings(bind, settings.port, record_aware=True),
        lambda event: ends.heard(event),
        Silence(),
        lambda call, index, agent, party: ends.frames(call, index, agent, party),
        edge,
    )
    inbox, archive = Inbox(wake=phone.wake), home.archive(settings)
    accounts = Accounts(
        phone, lambda account: _password(account, archive), inbox.post, lambda name, said: ends.fault(name, said)
    )
    phone.start()
    try:
        accounts.set(settings.accounts, in_call=False)
    except KlartoneError as error:
        # Without saved settings that cannot be used it starts all the same, and says so.
        ends.fault("accounts", CodedText(error.code, error.params))
    return Early(phone, accounts, inbox, ends)


def _password(account: str, archive: Path) -> str | None:
    secret = key_store(archive).get(password_name(account))
    return secret.decode() if secret is not None else None


def _load_parts(loaded: Callable[[], None]) -> None:
    """Whatever keeps them from being loaded is met again by who needs them."""
    with suppress(Exception):
        importlib.import_module("softphone.bootstrap.engine_parts")
    loaded()
