"""The edge's process: the engine's words come on stdin, its own leave on stdout, and it ends with the engine."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from softphone.crashes import keep_crashes
from softphone.edge.channel import (
    LINE_LIMIT,
    CallMoved,
    CallOver,
    Configure,
    EdgeState,
    FromEdge,
    Heartbeat,
    Ready,
    SameSource,
    Sockets,
    ToEdge,
    encode,
    to_edge,
)
from softphone.edge.inward import Inward
from softphone.edge.outward import Outward
from softphone.edge.paths import LocalAddresses
from softphone.edge.relay import MediaRelay, PartySilent, RelayEvent
from softphone.edge.resolver import Resolver, named_server
from softphone.edge.sdp_ports import MediaSessions
from softphone.edge.switch import Switch
from softphone.edge.transports import EVERYWHERE, Transports
from softphone.edge.turns import EdgeLoop, edge_loop
from softphone.processes import leave_no_core

MOST_EARLY = 64
"""messages of pjsua2's that wait until the edge has begun"""
UNSTARTED = 3
"""the exit status of an edge that could not begin: the engine tries the next one, and reports its absence"""


def main() -> int:
    """Until stdin ends. Started by hand, it says that the engine does this."""
    leave_no_core()
    keep_crashes(None, "edge")
    words = sys.stdin.buffer
    first = None
    with contextlib.suppress(ValueError):
        first = to_edge(words.readline(LINE_LIMIT))
    if not isinstance(first, Sockets):
        sys.stderr.write("klartone edge: the engine starts this by itself; run `klartone engine`.\n")
        return 2
    sys.stdout.flush()
    wire = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    with asyncio.Runner(loop_factory=EdgeLoop) as runner:
        runner.run(_run(first, words, wire))
    return 0


async def _run(given: Sockets, words: BinaryIO, wire: BinaryIO) -> None:
    loop = edge_loop()

    def heard(event: RelayEvent) -> None:
        if isinstance(event, PartySilent):
            switch.asking.ask(event.call_id, switch.dialogs.get(event.call_id))
        else:
            tell(event)
            switch.remember(at_once=True)

    def tell(message: FromEdge) -> None:
        try:
            wire.write(encode(message))
        except OSError:
            os._exit(0)  # nobody is there any more

    def failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A bug in one message must not take the others with it; its text could name a person."""
        error = context.get("exception")
        where = traceback.extract_tb(error.__traceback__)[-1:] if isinstance(error, BaseException) else []
        place = "".join(f".{Path(one.filename).stem}.{one.lineno}" for one in where)
        switch.counters[f"bug.{type(error).__name__}{place}"] += 1

    loop.set_exception_handler(failed)
    inner = _taken(given.inner)
    public = [(_taken(udp), _taken(tcp)) for udp, tcp in ((given.udp, given.tcp), (given.udp6, given.tcp6)) if udp]
    place = LocalAddresses(inner.getsockname()[:2], inner.getpeername()[:2])
    six = any(udp.family == socket.AF_INET6 for udp, _ in public)
    resolver = Resolver(*named_server(os.environ), six=six)
    switch = Switch(place, resolver, tell, lambda data: to_phone.sendto(data))
    bound = public[0][0].getsockname()[0]
    if bound in EVERYWHERE:
        # One port serves both families, since a call's may change.
        bound = "::" if six else ""
    switch.sounds = MediaSessions(
        MediaRelay(loop, bound, heard),
        lambda code: switch.counters.update((code,)),
        lambda call_id: tell(CallMoved(call_id)),
    )
    outward = Outward(switch)
    inward = Inward(switch, outward.failover)
    switch.transports = Transports(
        inward.take,
        lambda host: switch.admission.admits(host) or host in switch.dialogs.hosts(),
        switch.flow_lost,
        lambda code: switch.counters.update((code,)),
        switch.server,
    )
    to_phone, from_phone = await loop.create_datagram_endpoint(lambda: _FromPhone(outward), sock=inner)
    over = asyncio.Event()
    started = False

    def hear(message: ToEdge) -> None:
        match message:
            case Configure():
                switch.configure(message)
            case Heartbeat():
                switch.heartbeat(message)
            case SameSource(call_id=call_id):
                switch.sounds.same_source(call_id)
            case CallOver(call_id=call_id):
                switch.let_go(call_id)
            case Sockets():
                pass

    async def start(message: ToEdge) -> None:
        # The rules of admission are known before the first message is read.
        nonlocal started
        hear(message)
        if not started and isinstance(message, Configure):
            started = True
            try:
                await switch.transports.start(*public)
            except Exception as error:  # noqa: BLE001 - whatever it is, without its sockets this is no edge
                sys.stderr.write(f"klartone edge: cannot read from its sockets ({type(error).__name__})\n")
                os._exit(UNSTARTED)
            from_phone.begin()
            tell(Ready(os.getpid()))

    def read() -> None:
        with contextlib.suppress(ValueError, RuntimeError):
            while line := words.readline(LINE_LIMIT):
                message = to_edge(line)
                loop.call_soon_threadsafe(lambda message=message: loop.create_task(start(message)))
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(over.set)

    threading.Thread(target=read, name="engine", daemon=True).start()
    beats = 0
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await over.wait()
        beats += 1
        switch.tick()
        if switch.keep_alive_every and beats % switch.keep_alive_every == 0:
            switch.keep_alive()
        slow = {"turn.slow": loop.slow_turns} if loop.slow_turns else {}
        tell(EdgeState({**switch.counters, **switch.sounds.counters(), **slow}))
    os._exit(0)  # a name that is still being looked up does not keep the process


class _FromPhone(asyncio.DatagramProtocol):
    """pjsua2's messages wait for `begin` until there is a way out."""

    def __init__(self, outward: Outward) -> None:
        self._outward = outward
        self._early: list[bytes] | None = []

    def begin(self) -> None:
        early, self._early = self._early or [], None
        for data in early:
            self._outward.take(data)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        if self._early is None:
            self._outward.take(data)
        elif len(self._early) < MOST_EARLY:
            self._early.append(data)

    def error_received(self, exc: Exception) -> None:
        pass


def _taken(given: str) -> socket.socket:
    if sys.platform == "win32":
        one = socket.fromshare(base64.b64decode(given))
    else:
        one = socket.socket(fileno=int(given))
    one.setblocking(False)
    return one
