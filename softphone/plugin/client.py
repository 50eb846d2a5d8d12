"""The engine's side of the plugin host: starts it, asks it, and does without it if it hangs, dies, throws or answers
nonsense.

Nothing here blocks the caller: `ask` returns at once, and its callback comes later, on a thread of this module, exactly
once. The rulebook has a host process to itself, so a hanging voice keeps no ringing call waiting. Each host has a supervisor
that owns all state, and a reader and a writer thread, so a host that neither reads nor writes stalls nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO, TypeVar, cast

from pydantic import ValidationError

from softphone.plugin.contract import LINE_LIMIT, LOAD, Hook, LoadParams
from softphone.plugin.manifest import Plugin
from softphone.processes import HIDDEN

ParamsT = TypeVar("ParamsT")
ResultT = TypeVar("ResultT")

STARTUP = 15.0
"""seconds that a host may take until it is ready, and a plugin until it is imported"""
STRIKES = 3
IDLE = 30.0
"""seconds without a question after which the other plugins' process ends: notices are spoken once, and a voice holds 50 MB"""


class Failure(StrEnum):
    TIMED_OUT = "timed_out"
    DIED = "died"
    THREW = "threw"
    NONSENSE = "nonsense"
    LEFT_OUT = "left_out"
    """switched off since an earlier failure"""
    BUSY = "busy"
    """its time ran out while its host was starting or answering another request"""
    NO_HOST = "no_host"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PluginFailed:
    """What a callback gets instead of a result."""

    plugin: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class PluginReport:
    """A message for a person: `code` is a message key (`error.plugin.failed`, `error.plugin.left_out`)."""

    code: str
    plugin: str
    failure: Failure


class PluginHost:
    """A host process for the rulebook, and one for all other allowed plugins, started with the first question to one of
    them. Both are restarted when needed; the other plugins' ends when nobody asks for a while.

    After a failure the rulebook is asked again at the next call, and left out after three in a row. Another plugin is left
    out as soon as it hangs or dies, or after three other failures in a row. `on_word` is called on this module's thread. So
    is `on_mended`, with the plugin that gave a good answer after a failure.
    """

    def __init__(
        self,
        plugins: Sequence[Plugin],
        *,
        rulebook: str | None,
        on_word: Callable[[PluginReport], None],
        on_mended: Callable[[str], None] | None = None,
        command: Sequence[str] = (sys.executable, "-m", "softphone.plugin.host"),
        idle: float = IDLE,
    ) -> None:
        mine, others = [one for one in plugins if one.id == rulebook], [one for one in plugins if one.id != rulebook]
        self._hosts = [
            _Supervisor(
                group,
                rulebook,
                on_word,
                on_mended or _ignore,
                command,
                ahead=group is mine,
                idle=None if group is mine else idle,
            )
            for group in (mine, others)
        ]
        self._threads = [
            threading.Thread(target=host.run, name="plugin-supervisor", daemon=True) for host in self._hosts
        ]
        self._rulebook = rulebook
        self._gate = threading.Lock()
        self._stopped = False

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the hosts; open questions get `STOPPED`."""
        with self._gate:
            if self._stopped:
                return
            self._stopped = True
            for host in self._hosts:
                host.events.put(_Stop())
        for thread in self._threads:
            thread.join()

    def ask(
        self,
        plugin: str,
        hook: Hook[ParamsT, ResultT],
        params: ParamsT,
        callback: Callable[[ResultT | PluginFailed], None],
        *,
        timeout: float,
        urgent: bool = False,
        sound: Callable[[ResultT], bool] | None = None,
    ) -> None:
        """Ask `plugin` for `hook`. The callback must only enqueue. It gets `PluginFailed`, or a result of the hook's type
        for which `sound` (if given) is true.

        `timeout`: seconds from now; `urgent` goes before what waits.
        """
        request = _Request(plugin, hook, hook.params.dump_python(params, mode="json"), callback, timeout, urgent, sound)
        with self._gate:
            if not self._stopped:
                self._hosts[plugin != self._rulebook].events.put(request)
                return
        callback(PluginFailed(plugin, Failure.STOPPED))

    def ask_and_wait(
        self,
        plugin: str,
        hook: Hook[ParamsT, ResultT],
        params: ParamsT,
        *,
        timeout: float,
        sound: Callable[[ResultT], bool] | None = None,
    ) -> ResultT | PluginFailed:
        """`ask` for a thread that has time: the loader of a policy, never the loop."""
        answers: queue.SimpleQueue[ResultT | PluginFailed] = queue.SimpleQueue()
        self.ask(plugin, hook, params, answers.put, timeout=timeout, sound=sound)
        return answers.get()


@dataclass(eq=False)
class _Request:
    plugin: str
    hook: Hook[Any, Any]
    params: Any
    callback: Callable[[Any], None]
    timeout: float
    urgent: bool = False
    sound: Callable[[Any], bool] | None = None
    asked: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float:
        return self.asked + self.timeout


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


@dataclass(frozen=True, slots=True)
class _ChildMessage:
    """A line of a host; None if it was not a message, or the host ended (`ended`)."""

    child: _Child
    message: dict[str, Any] | None
    ended: bool = False


_Event = _Request | _Stop | _ChildMessage


class _Child:
    """One host process with its two threads. They only move bytes."""

    def __init__(self, command: Sequence[str], events: queue.SimpleQueue[_Event]) -> None:
        self.ready = False
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=HIDDEN,
        )
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._events = events
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout,), name="plugin-reader", daemon=True),
            threading.Thread(target=self._write, args=(self.process.stdin,), name="plugin-writer", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def send(self, message: dict[str, Any]) -> None:
        self._outbox.put(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    def kill(self) -> None:
        """At once, with all processes that the plugins have started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform != "win32":
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        self._outbox.put(None)
        for thread in self._threads:
            thread.join(2)

    def _read(self, pipe: BinaryIO) -> None:
        with pipe:
            while line := pipe.readline(LINE_LIMIT):
                self._events.put(_ChildMessage(self, _message(line)))
        self._events.put(_ChildMessage(self, None, ended=True))

    def _write(self, pipe: BinaryIO) -> None:
        with contextlib.suppress(OSError), pipe:
            while (line := self._outbox.get()) is not None:
                pipe.write(line)
                pipe.flush()


def _message(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", message) if isinstance(message, dict) else None


class _Supervisor:
    """Owns the queue, the one request under way, and the process. Runs on one thread; nothing is shared."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        rulebook: str | None,
        on_word: Callable[[PluginReport], None],
        on_mended: Callable[[str], None],
        command: Sequence[str],
        *,
        ahead: bool,
        idle: float | None,
    ) -> None:
        """`ahead`: start the host before anybody asks. `idle`: seconds without a question after which it ends."""
        self._ids = [plugin.id for plugin in plugins]
        self.events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._ahead = ahead
        self._idle = idle
        self._busy_at = 0.0
        self._rulebook = rulebook
        self._on_word = on_word
        self._on_mended = on_mended
        self._command = [*command, *(str(plugin.folder) for plugin in plugins)]
        self._waiting: list[_Request] = []
        self._flight: _Request | None = None
        self._flight_id = 0
        self._flight_until = 0.0
        self._child: _Child | None = None
        self._strikes: dict[str, int] = {}
        self._left_out: set[str] = set()

    def run(self) -> None:
        if self._ahead and self._ids:
            self._start()
        while True:
            try:
                event = self.events.get(timeout=self._until_due())
            except queue.Empty:
                event = None
            if isinstance(event, _Stop):
                self._end()
                return
            if isinstance(event, _Request):
                self._waiting.append(event)
            elif isinstance(event, _ChildMessage) and event.child is self._child:
                self._hear(event)
            self._expire()
            self._send_next()

    def _start(self) -> None:
        try:
            self._child = _Child(self._command, self.events)
        except OSError:
            self._child = None
            self._fail_waiting(Failure.NO_HOST)
            return
        loads = [
            _Request(plugin, LOAD, LOAD.params.dump_python(LoadParams(), mode="json"), _ignore, STARTUP, urgent=True)
            for plugin in self._ids
            if plugin not in self._left_out
        ]
        self._waiting[:0] = loads

    def _end(self) -> None:
        self._drop_child()
        if self._flight is not None:
            self._waiting.insert(0, self._flight)
            self._flight = None
        self._fail_waiting(Failure.STOPPED)

    def _drop_child(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._waiting = [request for request in self._waiting if request.hook is not LOAD]

    def _until_due(self) -> float | None:
        due = [request.deadline for request in self._waiting]
        if self._flight is not None:
            due.append(self._flight_until)
        if self._child is not None and not self._child.ready:
            due.append(self._child.started + STARTUP)
        if (ends := self._idle_until()) is not None:
            due.append(ends)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _idle_until(self) -> float | None:
        """When a host that nobody asks anything ends; the next question starts another."""
        if self._idle is None or self._child is None or self._flight is not None or self._waiting:
            return None
        return max(self._busy_at, self._child.started) + self._idle

    def _hear(self, heard: _ChildMessage) -> None:
        message = heard.message
        if heard.ended:
            self._host_failed(Failure.DIED)
        elif message is None:
            self._host_failed(Failure.NONSENSE)
        elif "ready" in message and self._child is not None and not self._child.ready:
            self._child.ready = True
        elif self._flight is None or message.get("id") != self._flight_id:
            self._host_failed(Failure.NONSENSE)
        else:
            request, self._flight = self._flight, None
            self._busy_at = time.monotonic()
            self._answered(request, message)

    def _answered(self, request: _Request, message: dict[str, Any]) -> None:
        if "result" not in message:
            self._failed(request, Failure.THREW)
            return
        try:
            result = request.hook.result.validate_json(json.dumps(message["result"]))
            sound = request.sound is None or request.sound(result)
        except (ValidationError, ValueError, RecursionError):
            sound, result = False, None
        if not sound:
            self._failed(request, Failure.NONSENSE)
            return
        if request.hook is not LOAD and self._strikes.pop(request.plugin, 0):
            self._on_mended(request.plugin)
        request.callback(result)

    def _host_failed(self, failure: Failure) -> None:
        """The process is useless now. Only the plugin that was being asked is to blame."""
        was_ready = self._child is not None and self._child.ready
        self._drop_child()
        if not was_ready:
            self._fail_waiting(Failure.NO_HOST)
        if self._flight is not None:
            request, self._flight = self._flight, None
            self._failed(request, failure)
            # ready before the next call; a host that fails by itself waits for a question, or it would start for ever
            self._start()

    def _expire(self) -> None:
        now = time.monotonic()
        if self._flight is not None and self._flight_until <= now:
            self._host_failed(Failure.TIMED_OUT)
        if self._child is not None and not self._child.ready and self._child.started + STARTUP <= now:
            self._host_failed(Failure.TIMED_OUT)
        for request in [one for one in self._waiting if one.deadline <= now]:
            self._waiting.remove(request)
            request.callback(PluginFailed(request.plugin, Failure.BUSY))
        if (ends := self._idle_until()) is not None and ends <= now:
            self._drop_child()

    def _send_next(self) -> None:
        for request in [one for one in self._waiting if one.plugin in self._left_out or one.plugin not in self._ids]:
            self._waiting.remove(request)
            request.callback(PluginFailed(request.plugin, Failure.LEFT_OUT))
        if self._flight is not None or not self._waiting:
            return
        if self._child is None:
            self._start()
        if self._child is None or not self._child.ready or not self._waiting:
            return
        request = next((one for one in self._waiting if one.urgent), self._waiting[0])
        self._waiting.remove(request)
        self._flight = request
        self._flight_id += 1
        now = time.monotonic()
        self._flight_until = request.deadline if request.hook is not LOAD else now + STARTUP
        self._child.send(
            {
                "id": self._flight_id,
                "plugin": request.plugin,
                "hook": request.hook.name,
                "params": request.params,
                "timeout": self._flight_until - now,
            }
        )

    def _fail_waiting(self, failure: Failure) -> None:
        failed, self._waiting = self._waiting, []
        for request in failed:
            request.callback(PluginFailed(request.plugin, failure))

    def _failed(self, request: _Request, failure: Failure) -> None:
        plugin = request.plugin
        self._strikes[plugin] = self._strikes.get(plugin, 0) + 1
        fatal = failure in (Failure.TIMED_OUT, Failure.DIED) or request.hook is LOAD
        limit = 1 if fatal and plugin != self._rulebook else STRIKES
        if self._strikes[plugin] >= limit:
            self._left_out.add(plugin)
            self._on_word(PluginReport("error.plugin.left_out", plugin, failure))
        else:
            self._on_word(PluginReport("error.plugin.failed", plugin, failure))
        request.callback(PluginFailed(plugin, failure))


def _ignore(_answer: object) -> None:
    """Nobody waits for a load; `on_word` reports a failed one."""
