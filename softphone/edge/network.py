"""Where this machine is in the network: its own address on the way to each server, and whether it has slept.

It asks the system which address a datagram would leave with, which sends nothing. That is the same on every system, and knows
of a cable, a new address, a VPN and a route alike.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterable

ANYWHERE = ("192.0.2.1", "2001:db8::1")
"""addresses that nobody has: the way to them is the way to anywhere"""
SLEPT = 3.0
"""seconds that the world's clock has gained on the machine's: it was suspended"""
STOOD = 20.0
"""seconds between two looks: the machine, or this process, did not run"""


def is_local_six(host: str) -> bool:
    """An IPv6 address of a house's own, which a machine in the world has no way to (RFC 4193)."""
    return host[:2].lower() in ("fc", "fd")


def own_address(host: str) -> str:
    """Empty where no way leads there."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _world() -> float:
    """Seconds by a clock that goes on while the machine sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time()


class NetworkWatch:
    """`look` is to be called about once a second."""

    def __init__(
        self,
        way: Callable[[str], str] = own_address,
        world: Callable[[], float] = _world,
        running: Callable[[], float] = time.monotonic,
    ) -> None:
        self._way = way
        self._world, self._running = world, running
        self._at = world(), running()
        self._addresses: dict[str, str] = {}
        """the last address that this machine had on the way to each"""
        self._lost: set[str] = set()

    def look(self, hosts: Iterable[str]) -> set[str]:
        """The hosts to which the way has changed, has gone or is there again."""
        changed: set[str] = set()
        wanted = {*hosts}
        for host in wanted:
            address, before, lost = self._way(host), self._addresses.get(host, ""), host in self._lost
            known = bool(before) or lost
            if known and (bool(address) is lost or (address and address != before)):
                changed.add(host)
            self._note(host, address)
        for gone in self._addresses.keys() - wanted:
            del self._addresses[gone]
        self._lost &= wanted
        return changed

    def note(self, host: str) -> None:
        """A host that is spoken to from now on."""
        if host not in self._addresses and host not in self._lost:
            self._note(host, self._way(host))

    def _note(self, host: str, address: str) -> None:
        if address:
            self._addresses[host] = address
            self._lost.discard(host)
        else:
            self._lost.add(host)

    def slept(self) -> bool:
        """Since the last look at the clocks."""
        world, running = self._world(), self._running()
        passed, ran = world - self._at[0], running - self._at[1]
        self._at = world, running
        return passed - ran > SLEPT or ran > STOOD

    def is_lost(self, host: str) -> bool:
        return host in self._lost
