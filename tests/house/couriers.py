"""A courier in a process of its own, to be killed: it ships from a folder as the engine's does, and knows nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from softphone.archive.archive import Archive
from softphone.house import courier as module
from softphone.house.connection import Connection
from softphone.house.courier import Courier, Report
from softphone.house.desk_key import DeskKey
from softphone.house.tokens import KeptTokens
from softphone.system.policy_file import parse_policy
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
    policy = parse_policy(told.policy).policy
    courier = Courier(
        *(connection.ask, report, lambda: [told.receipt_key], since),
        head_key=lambda: told.head_key,
        policy=lambda: policy,
        first=0,
    )
    courier.joins(archive)
    return courier


@dataclass(frozen=True)
class Death:
    """At its `number`th request: before it is sent, so many seconds after, or once it is answered (None)."""

    number: int
    seconds: float | None


def _ship(told: Told, death: Death, ready: Event) -> None:
    module._HEADS = module._HEADS_ALONE = 0.0
    archive, connection = opened(told)
    ready.set()
    ask, count = connection.ask, 0

    def dies() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def asks(*words: Any, **how: Any) -> Any:
        nonlocal count
        count += 1
        if count == death.number and death.seconds == 0.0:
            dies()
        if count == death.number and death.seconds:
            threading.Timer(death.seconds, dies).start()
        answer = ask(*words, **how)
        if count == death.number and death.seconds is None:
            dies()
        return answer

    connection.ask = asks
    courier_of(told, archive, connection, lambda _report: None).start(archive.beside)
    threading.Event().wait()


class Process:
    """It ships until it dies."""

    def __init__(self, told: Told, death: Death) -> None:
        if not _CONTEXT:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(
                ["softphone.cli.team.serving", "tests.team.served", "tests.house.couriers", "tests.team.loaded"]
            )
            _CONTEXT.append(context)
        self._ready = _CONTEXT[0].Event()
        self._process = _CONTEXT[0].Process(target=_ship, args=(told, death, self._ready))
        self._process.start()

    def died(self, idle: float = 3.0) -> bool:
        """By itself; not: so many seconds after it began it has had less to do than that, and is killed now."""
        self._ready.wait(30)
        self._process.join(idle)
        alone = self._process.exitcode is not None
        if not alone:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.join()
        self._process.close()
        return alone
