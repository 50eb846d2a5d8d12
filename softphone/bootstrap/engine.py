"""The engine, plugged together: which thread posts where, and in which order its parts start and end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType
from typing import IO

from softphone import __version__
from softphone.archive.archive import Archive
from softphone.audio.files import Silence
from softphone.bootstrap.desk_seal import DeskSeal
from softphone.bootstrap.home import Home, key_store, password_name
from softphone.bootstrap.plugins import rule_plugins
from softphone.bootstrap.program import edge_command, take_stdio
from softphone.calls.policy.in_force import PolicyInForce
from softphone.calls.turns import Inbox, clock
from softphone.domain.errors import KlartoneError
from softphone.engine.accounts import Accounts
from softphone.engine.call.phone_calls import PhoneCalls
from softphone.engine.edge import Edge
from softphone.engine.loop import Engine
from softphone.engine.parts import Clients, Parts
from softphone.engine.recorder_port import Recording
from softphone.engine.server import Server, converse
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import PhoneSettings
from softphone.engine.sound import Sound
from softphone.engine.storage.backup_runner import BackupRunner
from softphone.engine.storage.store import Store
from softphone.engine.storage.sweeper import terms_of
from softphone.engine.storage.unrecorded import UnrecordedCalls
from softphone.system import strangers
from softphone.system.endpoint import (
    Endpoint,
    answers,
    new_secret,
    read_endpoint,
    remove_endpoint,
    unix_sockets,
    write_endpoint,
)
from softphone.system.logbook import start_log
from softphone.system.settings import save_settings
from softphone.system.single import ENDS_WITHIN, take_turn
from softphone.wire.codec import PROTOCOL
from softphone.wire.from_engine import Hello
from softphone.wire.snapshot import CodedText

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a phone is reached from outside
SWITCH_INTERVAL = 0.0005
"""seconds: beside a busy thread, a frame's callback then waits half as long for the interpreter"""


def run_engine(arguments: argparse.Namespace, plugin_folders: Sequence[Path] = ()) -> int:
    """The talking process, until it is told to quit or nobody needs it. Raises EngineError if SIP cannot start, or if
    another engine has this home.

    `plugin_folders`: searched for allowed plugins before the bundled ones.
    """
    wire = take_stdio() if arguments.stdio else None
    home = Home.of(arguments)
    with _take_turn(home):
        return _run(home, wire, plugin_folders)


def _take_turn(home: Home) -> IO[bytes]:
    """An engine that answers is not waited for; one that is just ending is."""
    endpoint = read_endpoint(home.folders.runtime)
    return take_turn(home.folders.runtime, 0.0 if endpoint and answers(endpoint) else ENDS_WITHIN)


def _run(home: Home, wire: tuple[IO[bytes], IO[bytes]] | None, plugin_folders: Sequence[Path]) -> int:
    log = start_log(home.folders.log, "engine", waits=False)
    sys.setswitchinterval(SWITCH_INTERVAL)
    settings, settings_fault = home.settings()
    archive = home.archive(settings)
    clients = Clients()

    # The parts speak to an engine that is made of them, so these look it up when they are called.
    def wake() -> None:
        phone.wake()

    def changed() -> None:
        engine.changed()

    def fault(name: str, said: CodedText | None) -> None:
        engine.fault(name, said)

    def told_of(name: str, action: Callable[[], None]) -> None:
        """The phone starts without saved settings that cannot be used, and says so."""
        try:
            action()
        except KlartoneError as error:
            engine.fault(name, CodedText(error.code, error.params))

    def back_up_to(folder: str, every: str) -> None:
        store.backup = BackupRunner(folder, every, lambda said: inbox.post(lambda: engine.fault("backup", said)))

    inbox = Inbox(wake=wake)
    plugins = rule_plugins(home, lambda word: rules.word(word), plugin_folders, lambda plugin: rules.mended(plugin))
    store = Store(lambda: Archive.open_or_create(archive, key_store(archive)), inbox.post, changed)
    rules = PolicyInForce(plugins.maker, plugins.desk, inbox.post, changed, fault, store.note)
    recording = Recording(inbox.post, lambda: calls, fault)
    phone = Phone(
        PhoneSettings("" if settings.bind == EVERYWHERE else settings.bind, settings.port, record_aware=True),
        lambda event: engine.heard(event),
        Silence(),
        recording.feed,
        Edge(
            "" if settings.bind == EVERYWHERE else settings.bind,
            settings.port,
            edge_command(),
            settings.accept_from,
            settings.keep_alive,
            settings.stun,
        ),
    )
    accounts = Accounts(phone, lambda account: _password(account, archive), inbox.post, fault)
    sound = Sound(phone.set_sound, inbox.post, changed, lambda on: calls.agent_hears(on))
    calls = PhoneCalls(
        phone,
        recording,
        store,
        rules,
        clock=clock,
        tell=clients.tell,
        changed=changed,
        account_address=accounts.address,
        own_accounts=accounts.own,
        microphone_opened=sound.microphone_opened,
        tone=sound.tone,
    )
    rules.decided = calls.decided
    store.on_opened = recording.open
    store.on_fault = fault
    store.on_policy_signer = rules.ask_for
    store.sweep_terms = lambda: terms_of(rules.policy, rules.state.phase, rules.archive_signer)
    parts = Parts(
        phone, calls, rules, store, accounts, sound, settings, lambda new: save_settings(home.folders.config, new)
    )
    parts.alone_ends = wire is None
    parts.strangers = lambda host, calls: _note_stranger(home.folders.runtime, host, calls)
    engine = Engine(parts, inbox, clients)

    with ExitStack() as ending:
        phone.start()
        ending.callback(phone.close)
        ending.callback(sound.close)
        plugins.host.start()
        ending.callback(plugins.host.stop)
        ending.callback(store.close)
        ending.callback(recording.close)
        if settings_fault:
            engine.fault("settings", settings_fault)
        for one in plugins.faults:
            engine.fault(f"plugin.{one.params['plugin']}", CodedText(one.code, one.params))
        if settings.backup:
            told_of("backup", lambda: back_up_to(settings.backup, settings.backup_every))
        store.unrecorded = UnrecordedCalls(home.folders.data / "unrecorded")
        ending.callback(store.unrecorded.close)
        engine.fault("unrecorded", store.unrecorded.message())
        store.start(calls)
        calls.look_for_seal = DeskSeal(home.folders.config, archive, inbox.post, calls.sign_with).look
        calls.look_for_seal()
        sound.adjust(settings)
        told_of("sound", lambda: sound.use(settings.microphone, settings.speaker))
        told_of("accounts", lambda: accounts.set(settings.accounts, in_call=False))
        rules.load(settings.policy, settings.policy_signer)
        ending.callback(rules.close)
        if wire:
            _converse(wire, engine, inbox)
        else:
            secret = new_secret()
            server = Server(home.folders.runtime, secret, __version__, engine.client, unix=unix_sockets())
            ending.callback(server.close)
            write_endpoint(home.folders.runtime, Endpoint(server.address, secret, os.getpid(), PROTOCOL))
            ending.callback(remove_endpoint, home.folders.runtime, os.getpid())
        _end_on_signals(lambda: inbox.post(engine.quit))
        log.info("started %s", __version__)
        engine.run()
        log.info("ending")
    return 0


def _password(account: str, archive: Path) -> str | None:
    secret = key_store(archive).get(password_name(account))
    return secret.decode() if secret is not None else None


def _note_stranger(folder: Path, host: str, calls: int) -> None:
    """On a thread of its own: a disk may take its time."""

    def note() -> None:
        with suppress(OSError):
            strangers.note(folder, host, calls, time.time())

    threading.Thread(target=note, name="strangers", daemon=True).start()


def _converse(wire: tuple[IO[bytes], IO[bytes]], engine: Engine, inbox: Inbox) -> None:
    reader, writer = wire

    def talk() -> None:
        hello = Hello(PROTOCOL, __version__, os.getpid())
        converse(reader, writer, hello, engine.client, desk=True, cut=lambda: None, pings=False)
        inbox.post(engine.quit)

    threading.Thread(target=talk, name="stdio", daemon=True).start()


def _end_on_signals(end: Callable[[], None]) -> None:
    def ending(_number: int, _frame: FrameType | None) -> None:
        end()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ending)
