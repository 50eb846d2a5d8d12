"""A desk without a window: a client of a real engine over its real socket, with commands, waits and all that it was told.

    with Desk.attached(runtime) as desk:
        call = desk.wait(lambda s: s.calls[-1] if s.calls else None, "a call")
        desk.do(Answer, call=call.id)

Nothing here decides anything, and no wait is a sleep: each ends with what it waited for, or with TimeoutError and what was seen.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from softphone.calls.commands import STALE
from softphone.domain.purpose import Language
from softphone.domain.status import Action, Status
from softphone.system.endpoint import Endpoint, read_endpoint
from softphone.wire.codec import decode_from_engine, encode
from softphone.wire.from_engine import Done, Fault, Hello, Occurred, Refused, Snapshot, Tone
from softphone.wire.snapshot import CallPhase, CallState
from softphone.wire.to_engine import Act, Answer, Attach, Choose, OptOut, Ping, RaiseDispute, UndoDispute
from tests.peers.processes import until

T = TypeVar("T")

WITHIN = 10.0
"""seconds that anything may take, unless a test says otherwise"""
PING_EVERY = 1.0


class Desk:
    """`snapshot` is the latest; `events`, `faults` and `tones` are all that came, with `events_at` on this machine's
    monotonic clock. `silent` stops the pings, as a blocked desk would."""

    def __init__(self, endpoint: Endpoint, role: Literal["desk", "observer"] = "desk") -> None:
        kind, _, where = endpoint.address.partition(":")
        if kind == "unix":
            assert sys.platform != "win32"
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(where)
        else:
            host, _, port = where.rpartition(":")
            self._socket = socket.create_connection((host, int(port)))
        self.hello: Hello | None = None
        self.snapshot: Snapshot | None = None
        self.snapshots = 0
        self.events: list[Occurred] = []
        self.events_at: list[float] = []
        self.faults: list[Fault] = []
        self.tones: list[Tone] = []
        self.gone = False
        self.silent = False
        self._again = False
        self._answers: dict[str, Done | Refused] = {}
        self._ids = itertools.count(1)
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._over = threading.Event()
        self.send(Attach(endpoint.secret, role))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._pinger = threading.Thread(target=self._ping, daemon=True)
        self._pinger.start()

    @classmethod
    @contextmanager
    def attached(cls, runtime: Path, role: Literal["desk", "observer"] = "desk") -> Generator[Desk]:
        """To the engine whose endpoint lies in `runtime`."""
        endpoint = read_endpoint(runtime)
        assert endpoint is not None, "no engine has started here"
        desk = cls(endpoint, role)
        try:
            desk.wait(lambda _: True, "the first snapshot")
            yield desk
        finally:
            desk.close()

    def close(self) -> None:
        """The connection ends at once, without a word."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._reader.join(2)
        self._pinger.join(2)

    # --- what came -------------------------------------------------------------------------------

    def wait(self, wanted: Callable[[Snapshot], T | None], what: str, seconds: float = WITHIN) -> T:
        """What `wanted` finds in a snapshot, as soon as it finds it."""

        def look() -> T | None:
            return wanted(self.snapshot) if self.snapshot is not None else None

        return self._until(look, what, seconds)

    def wait_call(
        self, wanted: Callable[[CallState], object], what: str, call: str | None = None, seconds: float = WITHIN
    ) -> CallState:
        """The call (by id, else the newest) as soon as it is as wanted."""

        def look(snapshot: Snapshot) -> CallState | None:
            calls = [one for one in snapshot.calls if call in (None, one.id)]
            return calls[-1] if calls and wanted(calls[-1]) else None

        return self.wait(look, what, seconds)

    def wait_status(
        self, wanted: Callable[[Status], object], what: str, call: str | None = None, seconds: float = WITHIN
    ) -> Status:
        found = self.wait_call(lambda one: one.status is not None and wanted(one.status), what, call, seconds)
        assert found.status is not None
        return found.status

    def wait_event(self, event: str, seconds: float = WITHIN, *, call: str | None = None, **params: Any) -> Occurred:
        """The first event of that name and call with those parameters, also one that came already."""

        def look() -> Occurred | None:
            return next(iter(self.told(event, call=call, **params)), None)

        return self._until(look, f"{event} {params}", seconds)

    def wait_until(self, met: Callable[[], T | None], what: str, seconds: float = WITHIN) -> T:
        """Anything that follows from what came, looked at again with each message."""
        return self._until(met, what, seconds)

    def told(self, event: str, *, call: str | None = None, **params: Any) -> list[Occurred]:
        with self._changed:
            return [
                one
                for one in self.events
                if one.event == event
                and call in (None, one.call)
                and all(one.params.get(name) == value for name, value in params.items())
            ]

    def call(self, call: str) -> CallState:
        """As it is now."""
        return self.wait_call(lambda _: True, f"call {call}", call)

    # --- what is done ----------------------------------------------------------------------------

    def send(self, message: object) -> float:
        """The monotonic time at which it was on its way."""
        with self._sending:
            self._socket.sendall(encode(message))
            return time.monotonic()

    def pour(self, lines: bytes) -> None:
        """More than the engine may take at once."""
        self._socket.sendall(lines)

    @property
    def answered(self) -> frozenset[str]:
        """The ids of all commands that have their answer."""
        with self._changed:
            return frozenset(self._answers)

    def ask(self, command: Callable[..., Any], seconds: float = WITHIN, **fields: Any) -> Done | Refused:
        id = str(next(self._ids))
        self.send(command(id, **fields))
        return self._until(lambda: self._answers.get(id), f"an answer to {command}", seconds)

    def do(self, command: Callable[..., Any], seconds: float = WITHIN, **fields: Any) -> Done:
        """Must be done, not refused."""
        answer = self.ask(command, seconds, **fields)
        assert isinstance(answer, Done), answer
        return answer

    def answer(self, seconds: float = WITHIN) -> CallState:
        """The next incoming call, answered: as it is when it is connected."""
        call = self.wait_call(
            lambda one: one.phase is CallPhase.INCOMING and one.status, "a ringing call", None, seconds
        )
        self.do(Answer, call=call.id)
        return self.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "connected", call.id)

    def opt_out(self, call: str) -> Done:
        status = self._status(call)
        return self.do(OptOut, call=call, version=status.version, kind=status.opt_out.kind)

    def dispute(self, call: str, by: Literal["party", "controller"] = "controller", why: str = "") -> Done:
        return self.do(RaiseDispute, call=call, version=self._status(call).version, by=by, why=why)

    def undo_dispute(self, call: str) -> Done:
        return self.do(UndoDispute, call=call, version=self._status(call).version)

    def choose(self, call: str, choice: str, option: str) -> Done:
        return self._press(Choose, call, choice=choice, option=option)

    def act(self, call: str, action: str, language: Language | None = None) -> Done:
        return self._press(Act, call, action=Action(action), language=language)

    def _press(self, command: Callable[..., Any], call: str, **fields: Any) -> Done:
        """As a person does: what has changed in the meantime is looked at, and what is still there is pressed once more; once a
        journey, so that a program that makes presses stale is seen."""
        version = self._status(call).version
        answer = self.ask(command, call=call, version=version, **fields)
        if isinstance(answer, Refused) and answer.said == STALE and not self._again:
            self._again = True
            later = self.wait_status(lambda one: one.version > version, "what has changed", call)
            assert _shows(later, **fields), f"{fields} is there no more: {later}"
            answer = self.ask(command, call=call, version=later.version, **fields)
        assert isinstance(answer, Done), answer
        return answer

    # --- inside ----------------------------------------------------------------------------------

    def _status(self, call: str) -> Status:
        status = self.call(call).status
        assert status is not None
        return status

    def _until(self, look: Callable[[], T | None], what: str, seconds: float) -> T:
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                found = look()
                if found:
                    return found
                left = limit - time.monotonic()
                if left <= 0 or self.gone:
                    why = "the engine is gone" if self.gone else f"not within {seconds:g} s"
                    calls = self.snapshot.calls if self.snapshot else ()
                    told = [one.event for one in self.events]
                    raise TimeoutError(f"{what}: {why}; told {told}; calls {calls}; faults {self.faults}")
                self._changed.wait(left)

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._socket.makefile("rb"):
                self._take(decode_from_engine(line))
        with self._changed:
            self.gone = True
            self._changed.notify_all()

    def _take(self, message: object) -> None:
        with self._changed:
            match message:
                case Hello():
                    self.hello = message
                case Snapshot():
                    self.snapshot = message
                    self.snapshots += 1
                case Occurred():
                    self.events.append(message)
                    self.events_at.append(time.monotonic())
                case Fault():
                    self.faults.append(message)
                case Tone():
                    self.tones.append(message)
                case Done() | Refused():
                    self._answers[message.id] = message
                case _:
                    pass
            self._changed.notify_all()

    def _ping(self) -> None:
        while not self._over.wait(PING_EVERY):
            if not self.silent:
                with contextlib.suppress(OSError):
                    self.send(Ping())


def wait_for_engine(runtime: Path, pid: int, alive: Callable[[], bool], seconds: float = 60.0) -> Endpoint:
    """The endpoint of the engine with that process id."""

    def there() -> bool:
        assert alive(), "the engine ended before it could be reached"
        endpoint = read_endpoint(runtime)
        return endpoint is not None and endpoint.pid == pid

    until(there, seconds, "an engine's endpoint")
    endpoint = read_endpoint(runtime)
    assert endpoint is not None
    return endpoint


def _shows(
    status: Status, choice: str = "", option: str = "", action: Action | None = None, language: Language | None = None
) -> bool:
    if action is not None:
        return action in status.actions
    return any(one.id == choice and option in one.options for one in status.choices)
