"""A courier in a process of its own, to be killed: it ships from a folder as the engine's does, and knows nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from softphone.archive.archive import Archive
from softphone.house import courier as module
from softphone.house.connection import Connection
from softphone.house.courier import Courier, Report
from softphone.house.desk_key import DeskKey
from softphone.house.tokens import KeptTokens
from softphone.system.secrets import DemoKeyFile

_CONTEXT: list[Any] = []


@dataclass(frozen=True)
class Told:
    """All that a courier's process is told."""

    archive: Path
    archive_keys: Path
    home: Path
    desk: str
    address: str
    authority: str
    receipt_key: str
    head_key: str
    policy: str


def opened(told: Told) -> tuple[Archive, Connection]:
    archive = Archive.open(told.archive, DemoKeyFile(told.archive_keys))
    keyring = DemoKeyFile(told.home / "keys.json")
    key = DeskKey.of(keyring, told.desk)
    assert key is not None
    tokens = KeptTokens(keyring, told.desk, told.home / "house.lock")
    return archive, Connection(told.address, key, tokens, authority=told.authority)


def courier_of(told: Told, archive: Archive, connection: Connection, report: Callable[[Report], None]) -> Courier:
    since = datetime.now(UTC) - timedelta(days=2)
    courier = Courier(connection.ask, report, lambda: told.receipt_key, since, head_key=lambda: told.head_key, first=0)
    courier.joins(archive)
    return courier


def _ship(told: Told, ready: Any) -> None:
    module._HEADS = module._HEADS_ALONE = 0.0
    archive, connection = opened(told)
    connection.ask("GET", "/v1/me")
    courier = courier_of(told, archive, connection, lambda _report: None)
    ready.set()
    courier.start(archive.beside)
    threading.Event().wait()


class Process:
    """It ships until it is killed: from its making on."""

    def __init__(self, told: Told) -> None:
        if not _CONTEXT:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["softphone.cli.team.serving", "tests.team.served", "tests.house.couriers"])
            _CONTEXT.append(context)
        ready = _CONTEXT[0].Event()
        self._process = _CONTEXT[0].Process(target=_ship, args=(told, ready))
        self._process.start()
        assert ready.wait(30)

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()
        self._process.close()
