"""Faults of a machine, each planted by itself beside all that is well: what `klartone doctor` must call it, and the desk too.

    with ExitStack() as stack:
        at = World(build(tmp_path, lines=("n7",)), stack, …)
        PLANTS["a port in use"].make(at)

The plants are `planted_network`'s and `planted_machine`'s, each named by its function's docstring. Nothing here asks the doctor.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from softphone.system import settings_machine
from softphone.wire.snapshot import Account
from tests.archive.disk import tmpfs
from tests.journeys.fault_words import change_settings
from tests.journeys.stage import Stage
from tests.peers.authority import Authority
from tests.peers.exchange import exchange
from tests.peers.kamailio import Kamailio
from tests.peers.second_phone import ROOT
from tests.peers.wire import wire

HOST = "127.0.0.1"
PASSWORD = "s3cret"
NO_ROUTE = "203.0.113.77"
"""of the documentation's network (RFC 5737): nobody has it"""


@dataclass
class World:
    """A machine on which all is well. `env` is for processes; `shut`: they are run without root's right to all."""

    on: Stage
    stack: ExitStack
    patch: pytest.MonkeyPatch
    server: Kamailio
    authority: Authority
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    shut: bool = False
    apart: bool = False
    """the doctor is a process of its own: of a keyring's bus this one would keep a connection"""

    @property
    def folder(self) -> Path:
        return self.on.folder

    @property
    def settings_file(self) -> Path:
        return self.on.home.folders.config / "settings.toml"

    def lead(self, variables: Mapping[str, str]) -> None:
        """Of the environment, for the doctor and the phone."""
        for name, value in variables.items():
            self.patch.setenv(name, value)
        self.env |= variables

    def set(self, **changes: Any) -> None:
        change_settings(self.on, **changes)

    def account(self, address: str, **more: Any) -> None:
        self.set(accounts=(Account("agent", address, **more),))

    def by_tls(self, **more: Any) -> None:
        there = self.stack.enter_context(exchange(**more))
        self.account(f"agent@{HOST}:{there.port}", transport="tls", certificate_authority=str(self.authority.file))

    def manage(self, text: str) -> Path:
        """In place of /etc/klartone. A demo would go by its own settings."""
        place = self.folder / "etc" / "settings.toml"
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
        self.patch.setattr(settings_machine, "FOLDER", place.parent)
        self.set(archive="")
        return place


@dataclass(frozen=True)
class Plant:
    """`desk`: where its sentence stands there too: in its `state`, or as the engine's `last words`; empty: it does not show
    it. `also`: what else is true of this machine then."""

    make: Callable[[World], object]
    code: str
    status: str
    desk: str
    also: tuple[str, ...]
    below: str


PLANTS: dict[str, Plant] = {}


def planted(
    code: str, status: str = "fail", desk: str = "", also: tuple[str, ...] = (), below: str = ""
) -> Callable[[Callable[[World], object]], Callable[[World], object]]:
    def kept(make: Callable[[World], object]) -> Callable[[World], object]:
        PLANTS[make.__doc__ or ""] = Plant(make, code, status, desk, also, below)
        return make

    return kept


# --- how they are planted ---------------------------------------------------------------------


def answering(at: World, status: str, off: timedelta | None = None) -> int:
    """The port of a server that answers all with this, and whose clock is `off`."""
    server = at.stack.enter_context(wire())
    more = "" if off is None else f"Date: {format_datetime(datetime.now(UTC) + off, usegmt=True)}\r\n"
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                asked = server.wait_for("", 0.2)
            except (TimeoutError, OSError):
                continue
            server.send(server.answer(asked, status, more=more), server.peer)

    thread = threading.Thread(target=serve)
    thread.start()
    at.stack.callback(thread.join)
    at.stack.callback(over.set)
    return server.port


def shut(at: World, path: Path, mode: int) -> None:
    path.chmod(mode)
    at.stack.callback(path.chmod, 0o700)
    at.shut = True


def on_a_disk(at: World) -> Path:
    """The archive, on a disk of its own."""
    kept = at.folder / "kept"
    at.on.archive_folder.rename(kept)
    disk = at.stack.enter_context(tmpfs(at.folder, "archive"))
    shutil.copytree(kept, disk, dirs_exist_ok=True)
    return disk


def add_plugin(at: World, name: str, listed: tuple[str, ...] = ("planted",)) -> Path:
    folder = at.folder / "plugins" / name
    shutil.copytree(ROOT / "plugins" / "espeak_voice", folder, ignore=shutil.ignore_patterns("tests"))
    manifest = folder / "plugin.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("espeak_voice", name), encoding="utf-8")
    at.manage(f'[locked]\nplugin_folder = "{folder.parent}"\nplugins = {list(listed)!r}\n')
    return folder
