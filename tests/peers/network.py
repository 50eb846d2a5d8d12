"""Two machines and the cable between them, as network namespaces: the cable can be drawn, and an address changed.

It needs `ip`, and root or a user namespace of its own. Nothing in here reaches the machine's own network.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.peers.processes import end, until

HERE, THERE = "10.77.0.2", "10.77.0.1"
HERE_SIX, THERE_SIX = "fd77::2", "fd77::1"
NOBODY = "02:00:00:00:00:09"


class Cable:
    """`here` and `there` put a process into one of the two machines, each of which is a process that does nothing."""

    def __init__(self) -> None:
        root = os.geteuid() == 0
        self.address = HERE
        self._enter: Sequence[str] = ("nsenter", "-n") if root else ("nsenter", "-U", "-n", "--preserve-credentials")
        self._spaces: list[subprocess.Popen[bytes]] = []
        # Without root, both belong to one user namespace, in which this user is root.
        self.here = self._machine("unshare", "-n" if root else "-Urn")
        self.there = self._machine(*(("unshare", "-n") if root else (*self.here, "unshare", "-n")))

    def _machine(self, *words: str) -> Sequence[str]:
        one = subprocess.Popen([*words, "sleep", "infinity"], stderr=subprocess.PIPE)
        self._spaces.append(one)
        until(lambda: one.poll() is not None or _runs(one.pid, "sleep"), 15, "a network of its own")
        if one.poll() is not None:
            assert one.stderr is not None
            said = one.stderr.read().decode(errors="replace")
            self.remove()
            raise AssertionError(f"no network namespace: allow user namespaces here, or run as root ({said.strip()})")
        return (*self._enter[:1], "-t", str(one.pid), *self._enter[1:])

    def lay(self) -> None:
        for space in (self.here, self.there):
            _ip(space, "link", "set", "lo", "up")
        other = str(self._spaces[1].pid)
        _ip(self.here, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", other)
        for space, four, six in ((self.here, HERE, HERE_SIX), (self.there, THERE, THERE_SIX)):
            _ip(space, "addr", "add", f"{four}/24", "dev", "eth0")
            _ip(space, "addr", "add", f"{six}/64", "dev", "eth0", "nodad")
            _ip(space, "link", "set", "eth0", "up")

    def draw(self) -> None:
        """As if it were pulled out here."""
        _ip(self.here, "link", "set", "eth0", "down")

    def plug(self) -> None:
        _ip(self.here, "link", "set", "eth0", "up")

    def swallow(self) -> None:
        """Somewhere on the way everything is lost, and neither end is told."""
        for space, host in ((self.here, THERE), (self.there, self.address)):
            _ip(space, "neigh", "replace", host, "lladdr", NOBODY, "dev", "eth0", "nud", "permanent")

    def pass_on(self) -> None:
        for space, host in ((self.here, THERE), (self.there, self.address)):
            _ip(space, "neigh", "del", host, "dev", "eth0")

    def move(self, address: str) -> None:
        """Another address here, and the one before is gone."""
        _ip(self.here, "addr", "del", f"{self.address}/24", "dev", "eth0")
        _ip(self.here, "addr", "add", f"{address}/24", "dev", "eth0")
        self.address = address

    def remove(self) -> None:
        for one in reversed(self._spaces):
            end(one)


def _ip(space: Sequence[str], *words: str) -> None:
    subprocess.run([*space, "ip", *words], check=True)


def _runs(pid: int, program: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == program
    except OSError:
        return False


@contextmanager
def cable() -> Generator[Cable]:
    one = Cable()
    try:
        one.lay()
        yield one
    finally:
        one.remove()
