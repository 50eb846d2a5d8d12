"""Two machines and the cable between them, as network namespaces: the cable can be drawn, and an address changed.

It needs root and `ip`. Nothing in here reaches the machine's own network.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import count

import pytest

HERE, THERE = "10.77.0.2", "10.77.0.1"
HERE_SIX, THERE_SIX = "fd77::2", "fd77::1"
NOBODY = "02:00:00:00:00:09"
_numbers = count()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class Cable:
    """`here` and `there` put a process into one of the two machines."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.address = HERE
        self.here: Sequence[str] = ("ip", "netns", "exec", f"{name}a")
        self.there: Sequence[str] = ("ip", "netns", "exec", f"{name}b")

    def lay(self) -> None:
        one, other = f"{self._name}a", f"{self._name}b"
        for space in (one, other):
            _ip("netns", "add", space)
            _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", one, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", other)
        for space, four, six in ((one, HERE, HERE_SIX), (other, THERE, THERE_SIX)):
            _ip("-n", space, "addr", "add", f"{four}/24", "dev", "eth0")
            _ip("-n", space, "addr", "add", f"{six}/64", "dev", "eth0", "nodad")
            _ip("-n", space, "link", "set", "eth0", "up")

    def draw(self) -> None:
        """As if it were pulled out here."""
        _ip("-n", f"{self._name}a", "link", "set", "eth0", "down")

    def plug(self) -> None:
        _ip("-n", f"{self._name}a", "link", "set", "eth0", "up")

    def swallow(self) -> None:
        """Somewhere on the way everything is lost, and neither end is told."""
        for space, host in ((f"{self._name}a", THERE), (f"{self._name}b", self.address)):
            _ip("-n", space, "neigh", "replace", host, "lladdr", NOBODY, "dev", "eth0", "nud", "permanent")

    def pass_on(self) -> None:
        for space, host in ((f"{self._name}a", THERE), (f"{self._name}b", self.address)):
            _ip("-n", space, "neigh", "del", host, "dev", "eth0")

    def move(self, address: str) -> None:
        """Another address here, and the one before is gone."""
        _ip("-n", f"{self._name}a", "addr", "del", f"{self.address}/24", "dev", "eth0")
        _ip("-n", f"{self._name}a", "addr", "add", f"{address}/24", "dev", "eth0")
        self.address = address

    def remove(self) -> None:
        for space in (f"{self._name}a", f"{self._name}b"):
            subprocess.run(["ip", "netns", "del", space], check=False)


@contextmanager
def cable() -> Generator[Cable]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    one = Cable(f"kt{os.getpid()}-{next(_numbers)}")
    try:
        one.lay()
        yield one
    finally:
        one.remove()
