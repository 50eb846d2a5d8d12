"""The edge's loop: sound passes in the turn in which it comes, and turns that take long are counted.

A packet of sound comes some hundred times a second in a call, and is passed on before asyncio hears of it: a handle, a context
and a turn of the loop for each cost more than the packet. SIP is read on the same loop, so a turn that takes longer than a
packet of sound lasts would hold packets back. Time that the machine gave to others does not count.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

SLOW = 0.02
"""seconds of work"""


class EdgeLoop(asyncio.SelectorEventLoop):
    """`slow_turns`: how often its work between two looks at its sockets took longer than a packet of sound lasts."""

    def __init__(self) -> None:
        self._watched = _Selector()
        super().__init__(self._watched)

    @property
    def slow_turns(self) -> int:
        return self._watched.slow_turns

    def add_packet_reader(self, sock: socket.socket, reader: Callable[[], None]) -> None:
        """`reader` reads what has come; it may ask this loop for anything."""
        self._watched.register(sock, selectors.EVENT_READ, _Packets(reader, self))

    def remove_packet_reader(self, sock: socket.socket) -> None:
        if sock in self._watched.get_map():
            self._watched.unregister(sock)

    # A reader that wants something of the loop must not wait for the next packet.

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        self._watched.asked = True
        return super().call_soon(callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        self._watched.asked = True
        return super().call_at(when, callback, *args, context=context)


def edge_loop() -> EdgeLoop:
    """The one that runs here."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, EdgeLoop)
    return loop


class _Packets:
    def __init__(self, reader: Callable[[], None], loop: EdgeLoop) -> None:
        self._reader, self._loop = reader, loop

    def read(self) -> None:
        try:
            self._reader()
        except Exception as error:  # noqa: BLE001 - a bug in one packet must not take the others with it
            self._loop.call_exception_handler({"message": "packet", "exception": error})


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.slow_turns = 0
        self.asked = False
        """something of the loop, since it began to wait"""
        self._woke = time.thread_time()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if time.thread_time() - self._woke > SLOW:
            self.slow_turns += 1
        try:
            return self._wait(timeout)
        finally:
            self._woke = time.thread_time()

    def _wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Passes packets on until something else has come, the time is over, or a packet's reader has asked for something."""
        self.asked = False
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            others: list[tuple[selectors.SelectorKey, int]] = []
            ready = super().select(timeout)
            for one in ready:
                if type(one[0].data) is _Packets:
                    one[0].data.read()
                else:
                    others.append(one)
            if others or self.asked or not ready:
                return others
            if until is not None and (timeout := until - time.monotonic()) <= 0:
                return []
