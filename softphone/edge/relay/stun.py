"""Asks a STUN server how others see a socket of ours (RFC 8489, Binding alone). The socket's owner sends, and hands over what
came.

`aioice` reads and writes the messages. It is loaded where there is a server to ask: most phones have none.
"""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
import struct
import sys
from collections.abc import Callable
from types import ModuleType

from softphone.edge.relay.source import Address

REPEATS = (0.0, 0.08, 0.12)
"""seconds from one question to the next; an answer may come 0.2 s after the last"""
LIMIT = 0.4
"""pjsua2 would repeat an INVITE after 0.5 s"""
DOWN_FOR = 30.0
"""seconds for which a server that did not answer is not waited for"""
DEFAULT_PORT = 3478
_COOKIE = b"\x21\x12\xa4\x42"
_HEADER = 20
_HOUSES = tuple(
    ipaddress.ip_network(one)
    for one in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)


def is_stun(data: bytes) -> bool:
    """What RTP, RTCP and SIP never begin like (RFC 7983)."""
    return len(data) >= _HEADER and data[0] < 4 and data[4:8] == _COOKIE


class StunServer:
    """`address` is set once its name is resolved; None: there is none."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.address: Address | None = None
        self._now = now
        self._open: dict[bytes, asyncio.Future[Address]] = {}
        self._down_until = 0.0

    @property
    def answers(self) -> bool:
        """Whether it is worth waiting for."""
        return self.address is not None and self._now() >= self._down_until

    def counts_for(self, host: str) -> bool:
        """Whether a peer there sees what the server sees. One in the house does not, unless the server is in it too."""
        return self.address is not None and (not _in_the_house(host) or _in_the_house(self.address[0]))

    async def ask(self, send: Callable[[bytes, Address], object]) -> Address | None:
        """None if it does not answer, or answers what nobody can use."""
        to = self.address
        if to is None:
            return None
        try:
            async with asyncio.timeout(LIMIT) as limit:
                stun = await load_stun()
        except TimeoutError:
            return None  # a machine that takes so long to load it says nothing of the server
        question = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        answered = self._open[question.transaction_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout_at(limit.when()):
                for wait in REPEATS:
                    await asyncio.wait((answered,), timeout=wait)
                    if not answered.done():
                        send(bytes(question), to)
                return await answered
        except TimeoutError:
            self._down_until = self._now() + DOWN_FOR
            return None
        finally:
            del self._open[question.transaction_id]

    def take(self, data: bytes, source: Address) -> bool:
        """Whether it answers a question of ours. Only the server's own word counts."""
        answered = self._open.get(data[8:_HEADER]) if is_stun(data) and source == self.address else None
        if answered is None:
            return False
        self._down_until = 0.0
        if not answered.done() and (seen := _mapped(data, source[0])) is not None:
            answered.set_result(seen)
        return True


def _in_the_house(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return any(address in one for one in _HOUSES)


async def load_stun() -> ModuleType:
    """Beside the loop. It is no part of a question's time where it was loaded before."""
    return sys.modules.get("aioice.stun") or await asyncio.to_thread(importlib.import_module, "aioice.stun")


def _mapped(data: bytes, server: str) -> Address | None:
    stun = importlib.import_module("aioice.stun")
    try:
        message = stun.parse_message(data)
    except (ValueError, IndexError, struct.error):
        return None
    if message.message_class != stun.Class.RESPONSE or message.message_method != stun.Method.BINDING:
        return None
    seen: Address | None = message.attributes.get("XOR-MAPPED-ADDRESS") or message.attributes.get("MAPPED-ADDRESS")
    return seen if seen is not None and seen[1] and _leads_here(seen[0], server) else None


def _leads_here(host: str, server: str) -> bool:
    """Whether others could reach this machine there. Only a server on this machine sees it by loopback."""
    address = ipaddress.ip_address(host)
    if address.is_loopback:
        return ipaddress.ip_address(server).is_loopback
    return not (address.is_unspecified or address.is_multicast or address.is_reserved)
