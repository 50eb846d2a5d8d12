"""Who may speak, and how often. Strangers get no answer; each source has a bucket, emptied before a message is read.

It reads no message. The router knows which ones belong to a call that stands.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from softphone.edge.channel import StrangerRefused

MESSAGES = 150.0, 300.0
"""from one host: a second, and at once; a stranger has a tenth"""
NEW_CALLS = 5.0, 4.0
"""passed to pjsua2: a second, and at once. PJSIP frees a call's sockets half a second late, has room for 64, and aborts
without room"""
MOST_HOSTS = 1024
MOST_SERVERS = 64
"""addresses of one account's servers; the oldest goes first"""
MOST_STRANGERS = 128
TOLD_EVERY = 60.0
MOST_TOLD = 20
"""strangers reported within `TOLD_EVERY`; the others are counted"""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class Bucket:
    """`rate` a second, at most `size` at once."""

    rate: float
    size: float
    left: float = -1.0
    at: float = 0.0

    def take(self, now: float) -> bool:
        self.left = self.size if self.left < 0 else min(self.size, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


def networks(written: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as settings have them. Faulty entries are skipped; settings report them."""
    found: list[Network] = []
    for one in written:
        try:
            found.append(ipaddress.ip_network(one.strip(), strict=False))
        except ValueError:
            continue
    return tuple(found)


class ConnectionLimiter:
    def __init__(self, tell: Callable[[StrangerRefused], None], now: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._now = now
        self._networks: tuple[Network, ...] = ()
        self._servers: dict[str, dict[str, None]] = {}
        self._admitted: dict[str, bool] = {}
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._calls = Bucket(*NEW_CALLS)
        self._strangers: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._told: list[float] = []

    def accept(self, written: Iterable[str]) -> None:
        found = networks(written)
        if found != self._networks:
            self._networks = found
            self._judge_anew()

    def learn(self, account: str, hosts: Iterable[str]) -> None:
        """Addresses of an account's servers. Earlier ones stay: a server may call that has left its name since."""
        known = self._servers.setdefault(account, {})
        named = [*islice(dict.fromkeys(hosts), MOST_SERVERS)]
        is_new = any(one not in known for one in named)
        for one in named:
            known.pop(one, None)
            known[one] = None
        if is_new:
            for oldest in [*known][:-MOST_SERVERS]:
                del known[oldest]
            self._judge_anew()

    def forget(self, account: str) -> None:
        self._servers.pop(account, None)
        self._judge_anew()

    def admits(self, host: str) -> bool:
        known = self._admitted.get(host)
        if known is None:
            if len(self._admitted) > MOST_HOSTS:
                self._admitted.clear()
            known = self._admitted[host] = self._judge(host)
        return known

    def has_room_for(self, host: str) -> bool:
        """Whether one more message from there is read at all."""
        bucket = self._buckets.get(host)
        if bucket is None:
            share = 1.0 if self.admits(host) else 0.1
            bucket = self._buckets[host] = Bucket(MESSAGES[0] * share, MESSAGES[1] * share)
            if len(self._buckets) > MOST_HOSTS:
                self._buckets.popitem(last=False)
        return bucket.take(self._now())

    def has_room_for_call(self) -> bool:
        """Whether pjsua2 may get one more call now."""
        return self._calls.take(self._now())

    def refuse(self, host: str) -> None:
        """A stranger's INVITE. Each is reported at most once a minute, and all together no more than a person can read."""
        now = self._now()
        count, reported_at = self._strangers.pop(host, (0, 0.0))
        count += 1
        self._told = [at for at in self._told if now - at < TOLD_EVERY]
        if (not reported_at or now - reported_at >= TOLD_EVERY) and len(self._told) < MOST_TOLD:
            self._told.append(now)
            self._tell(StrangerRefused(host, count))
            count, reported_at = 0, now
        self._strangers[host] = count, reported_at
        if len(self._strangers) > MOST_STRANGERS:
            self._strangers.popitem(last=False)

    def _judge_anew(self) -> None:
        """Judge each host anew: a former stranger still has a stranger's bucket."""
        self._admitted.clear()
        self._buckets.clear()

    def _judge(self, host: str) -> bool:
        if any(host in hosts for hosts in self._servers.values()):
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)
