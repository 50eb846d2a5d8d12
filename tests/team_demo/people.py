"""People of a house: each with a home and a keyring of their own, who give commands; and an agent's desk with a caller.

An agent's desk is the program's own: its window in a process, the engine that this starts, a customer who calls over SIP.
"""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keyring

from softphone import cli
from softphone.bootstrap.home import Home
from softphone.domain.purpose import Purpose
from softphone.system.endpoint import read_endpoint
from softphone.system.settings import save_settings
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CallPhase, PolicyPhase, Settings
from softphone.wire.to_engine import Transfer
from tests.journeys.desk import Desk
from tests.journeys.process_window import Window
from tests.peers.processes import until
from tests.peers.second_phone import SecondPhone, second_phone
from tests.team_demo.key_ring import AT, FileRing

LOOPBACK = "127.0.0.1"
_STARTS_WITHIN = 60.0


class CommandRefusedError(Exception):
    """What the command said."""


class Person:
    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder / name
        self.home = Home.within(self.folder / "home")
        self.home.folders.create()
        self.ring = FileRing(self.folder / "keyring.json")

    @property
    def environment(self) -> dict[str, str]:
        """Of this person's programs."""
        named = f"{FileRing.__module__}.{FileRing.__name__}"
        return {**os.environ, "PYTHON_KEYRING_BACKEND": named, AT: str(self.folder / "keyring.json")}

    def does(self, *words: str, status: int = 0) -> str:
        """A command of the program, as it is typed; what it printed. Raises CommandRefusedError for another status."""
        with self.at_home(), redirect_stdout(io.StringIO()) as told, redirect_stderr(io.StringIO()) as complained:
            done = cli.main(["--home", str(self.home.root), *words])
        if done != status:
            raise CommandRefusedError(f"{self.name}: klartone {' '.join(words)}: {done}: {complained.getvalue()}")
        return told.getvalue() if status == 0 else complained.getvalue()

    def lists(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.does(*words, "--json").splitlines()]

    @contextmanager
    def at_home(self) -> Generator[None]:
        """This process is theirs meanwhile."""
        before = keyring.get_keyring()
        keyring.set_keyring(self.ring)
        try:
            yield
        finally:
            keyring.set_keyring(before)


@dataclass
class AgentsDesk:
    """`eye` looks on; what is pressed, is pressed in the window."""

    agent: Person
    window: Window
    eye: Desk
    customer: SecondPhone
    port: int
    numbers: set[str] = field(default_factory=set[str])

    def is_called(self, number: str, line: str) -> str:
        """By a customer with that number, and answered; the call's id."""
        if number not in self.numbers:
            self.numbers.add(number)
            self.customer.do("account", id=number, address=f"{number}@{LOOPBACK}", register=False)
        self.customer.do("dial", account=number, target=f"sip:{line}@{LOOPBACK}:{self.port}")
        self.window.press("answer", 30)
        self.customer.wait_for("CallEstablished")
        return self.eye.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "a call").id

    def records(self, call: str, seconds: float, *purposes: Purpose) -> str:
        """The recording's id, once so much of it is sealed."""
        self.eye.wait_status(lambda one: {*one.recording} >= {*purposes}, "recording", call, 60)
        self.eye.wait_until(lambda: self._sealed(call) >= seconds, f"{seconds} s sealed", seconds + 30)
        return str(self.eye.told("sealed", call=call)[0].params["recording"])

    def trains(self, call: str) -> bool:
        """Whether it is recorded for training too: a house that did not answer in time leaves that out."""
        status = self.eye.call(call).status
        return status is not None and Purpose.TRAINING in status.recording

    def _sealed(self, call: str) -> float:
        return sum(int(one.params["samples"] or 0) for one in self.eye.told("sealed", call=call)) / 16_000

    def transfers(self, call: str, to: AgentsDesk, line: str) -> tuple[str, str]:
        """The customer is passed on to a colleague, who answers: the call there, and the customer's own id of it."""
        with Desk.attached(self.agent.home.folders.runtime) as hands:
            hands.do(Transfer, call=call, target=f"sip:{line}@{LOOPBACK}:{to.port}")
        asked = self.customer.wait_for("ReferAsked")
        with_it = {name: asked[name] for name in ("target", "replaces", "passport")}
        self.customer.do("dial", account=self.eye.call(call).number, **with_it)
        theirs = self.customer.wait_for("Dialled")["call"]
        to.window.press("answer", 30)
        self.customer.wait_for("CallEstablished", call=theirs)
        self.customer.do("tell_referrer", call=asked["call"], code=200)
        self.eye.wait_call(lambda one: one.phase is CallPhase.ENDED, "handed over", call)
        return to.eye.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "a call").id, theirs

    def ends(self, call: str) -> None:
        """The customer hangs up, and the agent is done with it."""
        self.customer.do("hang_up")
        self.customer.wait_for("CallEnded")
        self.eye.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        self.window.press("endWrapUp")

    def has_shipped(self, seconds: float = 30) -> None:
        def nothing_waits(now: Snapshot) -> bool:
            return now.shipping is not None and now.shipping.count == 0 and not now.shipping.failed

        self.eye.wait(nothing_waits, "nothing waits for the house", seconds)


def settle(agent: Person, microphone: Path) -> None:
    """What the user of that machine has set: where sound comes from. The rest the house says."""
    save_settings(
        agent.home.folders.config,
        Settings(microphone=f"file:{microphone}", speaker="none", bind=LOOPBACK, accept_from=("127.0.0.0/8",)),
    )


@contextmanager
def desk_of(agent: Person, shown: Mapping[str, str], *, edge: bool = False) -> Generator[AgentsDesk]:
    """`shown`: how its window is shown, and in which language, by environment. The engine ends with it. `edge`: its customer
    can be transferred."""
    runtime = agent.home.folders.runtime
    window = Window(agent.folder / "home", timed=False, env={**agent.environment, **shown})
    try:
        until(lambda: read_endpoint(runtime) is not None, _STARTS_WITHIN, "an engine")
        with Desk.attached(runtime, "observer") as eye, second_phone(counter=True, edge=edge) as customer:
            yield AgentsDesk(
                agent, window, eye, customer, eye.wait(_port, "a phone that can be called", _STARTS_WITHIN)
            )
    finally:
        window.close()
        endpoint = read_endpoint(runtime)
        if endpoint is not None:
            with suppress(ProcessLookupError):
                os.kill(endpoint.pid, signal.SIGTERM)
            until(lambda: read_endpoint(runtime) is None, 15, "the engine's end")


def _port(now: Snapshot) -> int | None:
    made = all(fault.code != "error.notice.rulebook_failed" for fault in now.faults)
    house = now.house is not None and now.house.heard is not None
    return now.sip_port if now.policy.phase is PolicyPhase.READY and now.store.works and made and house else None


def rows(told: Sequence[Mapping[str, Any]]) -> set[str]:
    """Of a list of recordings, which."""
    return {str(one["recording"]) for one in told}
