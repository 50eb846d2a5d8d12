"""The engine's parts, plugged together around a phone that has started: which thread posts where, and in which order they start
and end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO

from softphone import __version__
from softphone.archive.archive import Archive
from softphone.bootstrap.desk_seal import DeskSeal
from softphone.bootstrap.engine import Early
from softphone.bootstrap.home import Home, key_store, machine_fault
from softphone.bootstrap.house_engine import HouseBeside
from softphone.bootstrap.plugins import rule_plugins
from softphone.calls.policy.in_force import PolicyInForce
from softphone.calls.turns import Inbox, clock
from softphone.domain.errors import KlartoneError, SettingsError
from softphone.engine.call.phone_calls import PhoneCalls
from softphone.engine.journal import Journal
from softphone.engine.loop import Engine
from softphone.engine.parts import Clients, Parts
from softphone.engine.recorder_port import Recording
from softphone.engine.server import LAST_WORDS, Server, converse
from softphone.engine.sound import Sound
from softphone.engine.storage.backup_runner import BackupRunner
from softphone.engine.storage.store import Store
from softphone.engine.storage.sweeper import terms_of
from softphone.engine.storage.unrecorded import UnrecordedCalls
from softphone.system import strangers
from softphone.system.endpoint import Endpoint, new_secret, remove_endpoint, unix_sockets, write_endpoint
from softphone.system.logbook import log
from softphone.system.settings import InForce, save_changes
from softphone.system.settings_machine import MachineSettings
from softphone.wire.codec import PROTOCOL
from softphone.wire.from_engine import Hello
from softphone.wire.snapshot import CodedText, Settings

_log = log.getChild("engine")


def run(
    home: Home,
    wire: tuple[IO[bytes], IO[bytes]] | None,
    plugin_folders: Sequence[Path],
    held: InForce,
    settings_fault: CodedText | None,
    early: Early,
) -> None:
    """Until the engine is told to quit, or nobody needs it. The phone's maker closes it."""
    phone, inbox, accounts = early.phone, early.inbox, early.accounts
    settings = held.settings
    archive = home.archive(settings)
    clients = Clients()

    # The parts speak to an engine that is made of them, so these look it up when they are called.
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

    def tell_machine(machine: MachineSettings) -> None:
        inbox.post(lambda: engine.fault("machine", machine_fault(machine)))

    def look_for_house(settings: Settings) -> None:
        house.begin(settings)

    files = _SettingsFiles(home, held, tell_machine, look_for_house)
    plugins = rule_plugins(
        home, lambda word: rules.word(word), plugin_folders, lambda plugin: rules.mended(plugin), settings
    )
    store = Store(lambda: Archive.open_or_create(archive, key_store(archive)), inbox.post, changed)
    rules = PolicyInForce(plugins.maker, plugins.desk, inbox.post, changed, fault, store.note)
    recording = Recording(inbox.post, lambda: calls, fault)
    sound = Sound(phone.set_sound, inbox.post, changed, lambda on: calls.agent_hears(on))
    journal = Journal(accounts.place, lambda call: calls.known(call))

    def tell(message: object) -> None:
        journal.told(message)
        clients.tell(message)

    calls = PhoneCalls(
        phone,
        recording,
        store,
        rules,
        clock=clock,
        tell=tell,
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
        phone,
        calls,
        rules,
        store,
        accounts,
        sound,
        settings,
        files.save,
        locked=held.machine.locks,
        read_settings=files.read,
    )
    house = HouseBeside(home, inbox.post, store, rules, lambda: engine)
    house.parts, parts.house = parts, lambda: house.state
    parts.alone_ends = wire is None
    parts.journal = journal
    parts.strangers = lambda host, calls: _note_stranger(home.folders.runtime, host, calls)
    engine = Engine(parts, inbox, clients)
    early.ends.hand_over(engine.heard, recording.feed, fault)

    with ExitStack() as ending:
        ending.callback(sound.close)
        plugins.host.start()
        ending.callback(plugins.host.stop)
        ending.callback(store.close)
        ending.callback(recording.close)
        if settings_fault:
            engine.fault("settings", settings_fault)
        engine.fault("machine", machine_fault(held.machine))
        for one in plugins.faults:
            engine.fault(f"plugin.{one.params['plugin']}", CodedText(one.code, one.params))
        if settings.backup:
            told_of("backup", lambda: back_up_to(settings.backup, settings.backup_every))
        ending.callback(house.close)
        house.begin(settings)
        store.unrecorded = UnrecordedCalls(home.folders.data / "unrecorded")
        ending.callback(store.unrecorded.close)
        engine.fault("unrecorded", store.unrecorded.message())
        store.start(calls)
        calls.look_for_seal = DeskSeal(home.folders.config, archive, inbox.post, calls.sign_with).look
        calls.look_for_seal()
        sound.adjust(settings)
        told_of("sound", lambda: sound.use(settings.microphone, settings.speaker))
        rules.load(settings.policy, settings.policy_signer, guarded=settings.policy_guarded)
        ending.callback(rules.close)
        if wire:
            # What was said before the end is still written: the thread that does so may have been waiting for a processor.
            ending.callback(_converse(wire, engine, inbox).wait, LAST_WORDS)
        else:
            secret = new_secret()
            server = Server(home.folders.runtime, secret, __version__, engine.client, unix=unix_sockets())
            ending.callback(server.close)
            write_endpoint(home.folders.runtime, Endpoint(server.address, secret, os.getpid(), PROTOCOL))
            ending.callback(remove_endpoint, home.folders.runtime, os.getpid())
        _end_on_signals(lambda: inbox.post(engine.quit))
        _log.info("started %s", __version__)
        engine.run()


class _SettingsFiles:
    """The settings as this engine read them last, for its thread that waits for the disk."""

    def __init__(
        self, home: Home, held: InForce, changed: Callable[[MachineSettings], None], read: Callable[[Settings], None]
    ) -> None:
        self._home = home
        self._held = held
        self._changed = changed
        self._was_read = read

    def save(self, before: Settings, new: Settings) -> None:
        save_changes(self._home.folders.config, replace(self._held, settings=before), new)

    def read(self) -> tuple[Settings, Mapping[str, str]]:
        held, said = self._home.settings_in_force(only_look=True)
        if said is not None and said.code != "error.settings.set_aside":
            raise SettingsError(said.code, **said.params)
        self._held = held
        self._changed(held.machine)
        self._was_read(held.settings)
        return held.settings, held.machine.locks


def _note_stranger(folder: Path, host: str, calls: int) -> None:
    """On a thread of its own: a disk may take its time."""

    def note() -> None:
        with suppress(OSError):
            strangers.note(folder, host, calls, time.time())

    threading.Thread(target=note, name="strangers", daemon=True).start()


def _converse(wire: tuple[IO[bytes], IO[bytes]], engine: Engine, inbox: Inbox) -> threading.Event:
    """Set once all has been written to it."""
    reader, writer = wire
    written = threading.Event()

    def talk() -> None:
        hello = Hello(PROTOCOL, __version__, os.getpid())
        converse(reader, writer, hello, engine.client, desk=True, cut=written.set, pings=False)
        inbox.post(engine.quit)

    threading.Thread(target=talk, name="stdio", daemon=True).start()
    return written


def _end_on_signals(end: Callable[[], None]) -> None:
    def ending(_number: int, _frame: FrameType | None) -> None:
        end()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ending)
